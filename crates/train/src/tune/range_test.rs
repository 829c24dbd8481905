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
        Some(self.points[steepest].rate)
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
    use crate::Config;
    use slalom_layers::{Activation, Dense, LayerSpec, Network};
    use slalom_optim::{Plateau, Sgd};
    use slalom_tensor::{Matrix, Samples, Targets, Threads, from_rows};

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
        assert_eq!(curve(&[1.0, 1.0, 1.0]).suggestion(), None);
        assert_eq!(curve(&[]).suggestion(), None);
    }

    #[test]
    fn the_picture_has_a_point_an_update_and_its_decades() {
        let svg = curve(&[1.0, 0.9, 0.5, 0.4]).svg();
        assert!(svg.contains("points=\"48.0,48.0 229.3,92.0 410.7,268.0 592.0,312.0 \""), "{svg}");
        for (x, decade) in
            [("48.0", "1e-3"), ("229.3", "1e-2"), ("410.7", "1e-1"), ("592.0", "1e0")]
        {
            let tick = format!("<text x=\"{x}\" y=\"328\" text-anchor=\"middle\">{decade}</text>");
            assert!(svg.contains(&tick), "{decade}: {svg}");
        }
        assert_eq!(svg.matches(">1e").count(), 4, "{svg}");
        assert!(svg.contains("<line x1=\"229.3\" x2=\"229.3\" y1=\"48\" y2=\"312\""), "{svg}");
        assert!(svg.contains("<text x=\"233.3\" y=\"48\">1.00e-2</text>"), "{svg}");
        assert!(svg.contains("<text x=\"320\" y=\"352\""), "{svg}");
        assert!(!svg.contains("NaN") && !curve(&[1.0]).svg().contains("NaN"));
    }

    fn run(layers: Vec<LayerSpec>) -> Run<f64> {
        let config = Config {
            rule: Sgd::default().into(),
            // must not touch the test's own rates
            plateau: Some(Plateau { patience: 0, ..Plateau::default() }),
            ..Config::default()
        };
        Run::new(Network::new(1, layers).unwrap(), config, Threads::one()).unwrap()
    }

    fn tested(test: &RangeTest, run: &Run<f64>, x: &Matrix<f64>) -> RangeCurve {
        let train = Samples::new(x.as_view(), Targets::Classes(&[0, 1, 0, 1])).unwrap();
        test.run(run, train).unwrap()
    }

    /// The curve of a small run, whose losses are those of the same rates set one by one.
    fn of(test: &RangeTest) -> RangeCurve {
        let run = || run(vec![Dense::new(4, Activation::Tanh).into(), Dense::linear(2).into()]);
        let x = from_rows(&[[0.5], [1.0], [1.0], [3.0]]); // not separable
        let curve = tested(test, &run(), &x);
        let train = Samples::new(x.as_view(), Targets::Classes(&[0, 1, 0, 1])).unwrap();
        let mut alone = run();
        for point in &curve.points {
            let config = Config { plateau: None, ..alone.config().clone() };
            alone.reconfigure(Config { rate: point.rate.into(), ..config }).unwrap();
            assert_eq!(alone.step(train).unwrap().unwrap().loss, point.loss);
            alone.end_epoch(None).unwrap();
        }
        curve
    }

    #[test]
    fn a_loss_that_is_not_finite_ends_it_too() {
        let x = from_rows(&[[1e200], [-1e200], [1e200], [1e200]]);
        let test = RangeTest { start: 1e-3, ..RangeTest::default() };
        let points = tested(&test, &run(vec![Dense::linear(2).into()]), &x).points;
        assert!((1..4).contains(&points.len()), "{points:?}");
    }

    #[test]
    fn the_rate_rises_by_a_factor_and_the_loss_is_smoothed_from_its_first_value_on() {
        let test = RangeTest { start: 1e-3, end: 0.1, updates: 5, smoothing: 0.5 };
        let points = of(&test).points;
        assert_eq!(points.len(), 5);
        let mut running = 0.0;
        for (i, point) in points.iter().enumerate() {
            let rate = 1e-3 * 10_f64.powf(i as f64 / 2.0);
            assert!((point.rate / rate - 1.0).abs() < 1e-12, "{} {rate}", point.rate);
            running = (running + point.loss) / 2.0;
            let smoothed = running / (1.0 - 0.5_f64.powi(i as i32 + 1));
            assert!((point.smoothed - smoothed).abs() < 1e-12, "{} {smoothed}", point.smoothed);
        }
        assert_eq!(points[0].smoothed, points[0].loss);
    }

    #[test]
    fn it_ends_at_the_first_loss_of_four_times_the_lowest() {
        let test = RangeTest { start: 0.01, end: 1e5, updates: 300, smoothing: 0.9 };
        let points = of(&test).points;
        let mut lowest = f64::INFINITY;
        for (i, point) in points.iter().enumerate() {
            lowest = lowest.min(point.smoothed);
            assert_eq!(point.smoothed > 4.0 * lowest, i + 1 == points.len(), "{i}: {point:?}");
        }
        assert!(points.len() < 300);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let text = |change: fn(&mut RangeTest)| {
            let mut test = RangeTest::default();
            change(&mut test);
            test.validate().map_err(|error| error.to_string())
        };
        for start in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let test = RangeTest { start, ..RangeTest::default() };
            assert!(test.validate().unwrap_err().to_string().starts_with("start is "), "{start}");
        }
        for end in [1e-7, 0.0, f64::NAN, f64::INFINITY] {
            let test = RangeTest { end, ..RangeTest::default() };
            assert!(test.validate().unwrap_err().to_string().starts_with("end is "), "{end}");
        }
        assert!(text(|test| test.updates = 1).unwrap_err().starts_with("updates is 1"));
        assert!(text(|test| test.smoothing = 1.0).unwrap_err().starts_with("smoothing is 1"));
        assert!(text(|test| test.smoothing = -0.1).unwrap_err().starts_with("smoothing is -0.1"));
        assert_eq!(text(|test| (test.updates, test.smoothing) = (2, 0.0)), Ok(()));
        let x = from_rows(&[[0.5]]);
        let train = Samples::new(x.as_view(), Targets::Classes(&[0])).unwrap();
        let run = run(vec![Dense::linear(2).into()]);
        assert!(RangeTest { updates: 1, ..RangeTest::default() }.run(&run, train).is_err());
    }
}
