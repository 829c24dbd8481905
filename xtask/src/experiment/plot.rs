//! Plots as plain descriptions; [`super::draw`] draws them.

/// A plot: axes, and what is drawn between them.
#[derive(Clone, Debug)]
pub(crate) struct Plot {
    /// Its file's name, without the ending.
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) series: Vec<Series>,
    pub(crate) contours: Option<Contours>,
}

/// One axis.
#[derive(Clone, Debug, Default)]
pub(crate) struct Axis {
    pub(crate) label: String,
    pub(crate) log: bool,
    /// Lowest and highest value shown; without it, all of the data.
    pub(crate) range: Option<(f64, f64)>,
    /// Names of the positions 0, 1, …, instead of numbers.
    pub(crate) names: Vec<String>,
}

/// Points that belong together.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) label: String,
    /// x, y and the deviation of y (0: none).
    pub(crate) points: Vec<(f64, f64, f64)>,
    pub(crate) form: Form,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A line, with a band of one deviation around it.
    Line,
    /// Dots, with bars of one deviation.
    Dots,
    /// A line through dots, with bars of one deviation.
    Marked,
}

/// Lines of equal height of a function of the plane, behind the series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contours {
    pub(crate) height: fn(f64, f64) -> f64,
    pub(crate) levels: &'static [f64],
}

impl Plot {
    pub(crate) fn new(name: &str, title: &str, x: Axis, y: Axis) -> Self {
        let (name, title) = (name.into(), title.into());
        Self { name, title, x, y, series: Vec::new(), contours: None }
    }

    /// The same plot with one more series.
    pub(crate) fn with(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }
}

impl Axis {
    /// A linear axis.
    pub(crate) fn linear(label: &str) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// A logarithmic axis: what is not positive is left out.
    pub(crate) fn log(label: &str) -> Self {
        Self { label: label.into(), log: true, ..Self::default() }
    }

    /// Positions with names.
    pub(crate) fn named(label: &str, names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        let range = Some((-0.5, names.len() as f64 - 0.5));
        Self { label: label.into(), names, range, log: false }
    }

    /// The same axis from `low` to `high`.
    pub(crate) fn within(self, low: f64, high: f64) -> Self {
        Self { range: Some((low, high)), ..self }
    }

    /// Where a value stands: at its logarithm on a logarithmic axis.
    pub(super) fn place(&self, value: f64) -> f64 {
        if self.log { value.log10() } else { value }
    }

    /// The places of the ticks between two places.
    pub(super) fn ticks(&self, low: f64, high: f64) -> Vec<f64> {
        let inside = |ticks: Vec<f64>| -> Vec<f64> {
            ticks.into_iter().filter(|t| (low..=high).contains(t)).collect()
        };
        if !self.names.is_empty() {
            return (0..self.names.len()).map(|i| i as f64).collect();
        }
        if self.log {
            // 1, 2, 5, 10, … where there is room, powers of ten or fewer where not
            let mantissas: &[f64] = match high - low {
                width if width < 0.8 => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
                width if width < 2.5 => &[1.0, 2.0, 5.0],
                _ => &[1.0],
            };
            let every = ((high - low) / 8.0).ceil().max(1.0) as i32;
            let powers = (low.floor() as i32..=high.ceil() as i32).filter(|p| p % every == 0);
            let ticks =
                powers.flat_map(|p| mantissas.iter().map(move |m| f64::from(p) + m.log10()));
            return inside(ticks.collect());
        }
        let rough = (high - low) / 8.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= rough);
        let step = step.unwrap_or(10.0 * power);
        let first = (low / step).ceil() as i64;
        inside((first..first + 20).map(|i| i as f64 * step).collect())
    }

    /// The text at a tick.
    pub(super) fn tick(&self, place: f64) -> String {
        if !self.names.is_empty() {
            return self.names.get(place.round() as usize).cloned().unwrap_or_default();
        }
        let value = if self.log { 10_f64.powf(place) } else { place };
        match value.abs() {
            a if a < 1e-12 => "0".into(),
            a if !(1e-3..1e5).contains(&a) => format!("{value:.0e}"),
            a if a >= 100.0 || (value - value.round()).abs() < 1e-9 => format!("{value:.0}"),
            _ => {
                let text = format!("{value:.3}");
                text.trim_end_matches('0').trim_end_matches('.').into()
            }
        }
    }

    /// Lowest and highest place, from the data if not given, with a margin.
    pub(super) fn span(&self, values: impl Iterator<Item = f64>) -> (f64, f64) {
        if let Some((low, high)) = self.range {
            return (self.place(low), self.place(high));
        }
        let places = values.map(|v| self.place(v)).filter(|v| v.is_finite());
        let (low, high) = places
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        match high - low {
            width if width > 0.0 => (low - 0.04 * width, high + 0.04 * width),
            _ if low.is_finite() => (low - 0.5, high + 0.5),
            _ => (0.0, 1.0),
        }
    }
}

impl Series {
    pub(crate) fn new(
        label: &str,
        form: Form,
        points: impl IntoIterator<Item = (f64, f64, f64)>,
    ) -> Self {
        Self { label: label.into(), points: points.into_iter().collect(), form }
    }

    /// A line without deviations.
    pub(crate) fn line(label: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self::new(label, Form::Line, points.into_iter().map(|(x, y)| (x, y, 0.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_read_as_people_write_them() {
        let log = Axis::log("");
        assert_eq!([log.tick(-4.0), log.tick(0.0), log.tick(2.0)], ["1e-4", "1", "100"]);
        assert_eq!(log.ticks(-3.2, 4.1).len(), 8, "powers of ten");
        let near: Vec<_> = log.ticks(-0.1, 1.1).into_iter().map(|t| log.tick(t)).collect();
        assert_eq!(near, ["1", "2", "5", "10"]);
        assert_eq!(log.ticks(-0.7, -0.2).len(), 4, "0.2, 0.3, 0.4, 0.5");
        assert_eq!(Axis::linear("").ticks(0.3, 9.9), [2.0, 4.0, 6.0, 8.0]);
        assert_eq!(Axis::linear("").tick(0.25), "0.25");
        assert_eq!(Axis::named("", &["a", "b"]).tick(1.0), "b");
    }
}
