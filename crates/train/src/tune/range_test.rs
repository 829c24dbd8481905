//! The learning-rate range test: train while the rate rises, and look where the loss falls fastest.
//!
//! The rate rises geometrically from `start` to `end`, one update each. The loss is smoothed as in
//! fastai, `s ← β·s + (1 − β)·loss`, divided by `1 − βᵗ`; the test ends early when that is four
//! times its lowest value, or not finite.
//!
//! Reference: Smith 2017, "Cyclical learning rates for training neural networks".

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use slalom_tensor::Scalar;

use crate::{Run, Source, TrainError};

/// A learning-rate range test.
///
/// ```
/// # use slalom_layers::{Activation, Dense, Network};
/// # use slalom_tensor::{Samples, Targets, Threads, from_rows};
/// # use slalom_train::{Config, Run, RangeTest};
/// # let x = from_rows(&[[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
/// # let train = Samples::new(x.as_view(), Targets::Classes(&[0, 1, 1, 0]))?;
/// # let network = Network::<f64>::new(2, [Dense::new(8, Activation::Tanh).into(), Dense::linear(2).into()])?;
/// let run = Run::new(network, Config::default(), Threads::one())?;
/// let curve = RangeTest::default().run(&run, train)?;
/// assert!(curve.suggestion().is_some());
/// assert_eq!(run.epochs(), 0); // the run itself is as it was
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangeTest {
    /// The first rate, above 0. Default 1e-7.
    pub start: f64,
    /// The last rate, above the first. Default 10.
    pub end: f64,
    /// How many updates, at least 2. Default 100.
    pub updates: u64,
    /// How much of the smoothed loss stays at each update, in `[0, 1)`. Default 0.9.
    pub smoothing: f64,
}

impl Default for RangeTest {
    fn default() -> Self {
        Self { start: 1e-7, end: 10.0, updates: 100, smoothing: 0.9 }
    }
}

/// What a range test saw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RangeCurve {
    /// One point an update, by rising rate.
    pub points: Vec<RangePoint>,
}

/// One update of a range test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangePoint {
    /// Its learning rate.
    pub rate: f64,
    /// The batch's loss before it.
    pub loss: f64,
    /// The smoothed loss.
    pub smoothed: f64,
}

/// The smoothed loss, as a multiple of its lowest value, at which the test ends.
const DIVERGED: f64 = 4.0;

impl RangeTest {
    /// Trains a copy of the run; the run itself stays as it is.
    ///
    /// # Errors
    /// A field out of its range, a network that a file cannot describe (the copy is made through a
    /// checkpoint), and as [`Run::step`], but for a loss or gradient that is not finite: that ends
    /// the test.
    pub fn run<F: Scalar>(
        &self,
        run: &Run<F>,
        train: impl Source<F>,
    ) -> Result<RangeCurve, TrainError> {
        self.validate()?;
        let mut copy = Run::<F>::resume(&run.checkpoint()?, run.threads.clone())?;
        copy.config.plateau = None;
        copy.accept_data();
        let mut curve = RangeCurve::default();
        let (mut running, mut lowest) = (0.0, f64::INFINITY);
        for i in 0..self.updates {
            let share = i as f64 / (self.updates - 1) as f64;
            let rate = self.start * (self.end / self.start).powf(share);
            copy.config.rate = rate.into();
            let loss = match next(&mut copy, &train) {
                Ok(loss) => loss,
                Err(TrainError::Diverged { .. } | TrainError::Gradient { .. }) => break,
                Err(error) => return Err(error),
            };
            running = self.smoothing * running + (1.0 - self.smoothing) * loss;
            let smoothed = running / (1.0 - self.smoothing.powf((i + 1) as f64));
            curve.points.push(RangePoint { rate, loss, smoothed });
            lowest = f64::min(lowest, smoothed);
            if smoothed > DIVERGED * lowest {
                break;
            }
        }
        Ok(curve)
    }

    fn validate(&self) -> Result<(), TrainError> {
        let check = |holds: bool, field, value, bound| match holds {
            true => Ok(()),
            false => Err(TrainError::Field { field, value, bound }),
        };
        let Self { start, end, updates, smoothing } = *self;
        check(start.is_finite() && start > 0.0, "start", start, "finite and above 0")?;
        check(end.is_finite() && end > start, "end", end, "finite and above the start")?;
        check(updates >= 2, "updates", updates as f64, "at least 2")?;
        check((0.0..1.0).contains(&smoothing), "smoothing", smoothing, "at least 0 and below 1")
    }
}

/// The loss of the next update, through as many epochs as it takes.
fn next<F: Scalar>(run: &mut Run<F>, train: &impl Source<F>) -> Result<f64, TrainError> {
    if let Some(step) = run.step(train)? {
        return Ok(step.loss);
    }
    run.end_epoch(None)?;
    let step = run.step(train)?;
    Ok(step.map_or(f64::NAN, |step| step.loss))
}

impl RangeCurve {
    /// The rate at which the smoothed loss falls fastest per factor of the rate, before its lowest
    /// point; none if it never falls.
    pub fn suggestion(&self) -> Option<f64> {
        let smoothed = |i: usize| self.points[i].smoothed;
        let lowest = (0..self.points.len()).min_by(|&a, &b| smoothed(a).total_cmp(&smoothed(b)))?;
        let slope = |i: usize| smoothed(i + 1) - smoothed(i);
        let steepest = (0..lowest).min_by(|&a, &b| slope(a).total_cmp(&slope(b)))?;
        (slope(steepest) < 0.0).then(|| self.points[steepest].rate)
    }

    /// The curve as a picture (SVG): smoothed loss over the logarithm of the rate, the suggestion
    /// marked.
    pub fn svg(&self) -> String {
        let (width, height, margin) = (640.0, 360.0, 48.0);
        let range = |of: &dyn Fn(&RangePoint) -> f64| {
            let values = self.points.iter().map(of);
            let low = values.clone().fold(f64::INFINITY, f64::min);
            (low, (values.fold(f64::NEG_INFINITY, f64::max) - low).max(f64::MIN_POSITIVE))
        };
        let (left, wide) = range(&|p| p.rate.log10());
        let (low, high) = range(&|p| p.smoothed);
        let x = |rate: f64| margin + (rate.log10() - left) / wide * (width - 2.0 * margin);
        let y = |loss: f64| height - margin - (loss - low) / high * (height - 2.0 * margin);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">learning rate</text>\n\
             <text x=\"12\" y=\"24\">smoothed loss</text>\n<polyline fill=\"none\" \
             stroke=\"#1f77b4\" stroke-width=\"2\" points=\"",
            width / 2.0,
            height - 8.0
        );
        for point in &self.points {
            put(&mut svg, format_args!("{:.1},{:.1} ", x(point.rate), y(point.smoothed)));
        }
        svg.push_str("\"/>\n");
        for tick in left.ceil() as i32..=(left + wide).floor() as i32 {
            let (at, below) = (x(10_f64.powi(tick)), height - margin + 16.0);
            let label = format_args!("1e{tick}");
            put(
                &mut svg,
                format_args!(
                    "<text x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{label}</text>\n"
                ),
            );
        }
        if let Some(rate) = self.suggestion() {
            let (at, top, bottom) = (x(rate), margin, height - margin);
            put(
                &mut svg,
                format_args!(
                    "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{top}\" y2=\"{bottom}\" \
                     stroke=\"#d62728\"/>\n<text x=\"{:.1}\" y=\"{top}\">{rate:.2e}</text>\n",
                    at + 4.0
                ),
            );
        }
        svg + "</svg>\n"
    }
}

fn put(svg: &mut String, what: std::fmt::Arguments<'_>) {
    svg.write_fmt(what).expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(losses: &[f64]) -> RangeCurve {
        let point = |(i, &loss): (usize, &f64)| {
            let rate = 10_f64.powi(i as i32 - 3);
            RangePoint { rate, loss, smoothed: loss }
        };
        RangeCurve { points: losses.iter().enumerate().map(point).collect() }
    }

    #[test]
    fn the_suggestion_is_where_the_loss_falls_fastest() {
        assert_eq!(curve(&[1.0, 0.9, 0.5, 0.4, 0.6, 0.1]).suggestion(), Some(10.0));
        assert_eq!(curve(&[1.0, 0.9, 0.5, 0.4, 9.0]).suggestion(), Some(0.01));
        assert_eq!(curve(&[1.0, 2.0, 1.5]).suggestion(), None);
        assert_eq!(curve(&[]).suggestion(), None);
    }

    #[test]
    fn the_picture_has_a_point_an_update_and_its_decades() {
        let svg = curve(&[1.0, 0.9, 0.5, 0.4]).svg();
        let points = svg.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(points.split_whitespace().count(), 4);
        assert!(svg.contains(">1e-3<") && svg.contains(">1e0<") && svg.contains("1.00e-2"));
        assert!(!svg.contains("NaN") && !curve(&[1.0]).svg().contains("NaN"));
    }
}
