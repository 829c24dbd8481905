//! Plots as plain descriptions, drawn by plotters as SVG.
//!
//! Logarithmic axes are drawn on the logarithms with ticks that show the values, so that one code
//! path draws every plot.

use std::ops::Range;

use anyhow::{Result, anyhow};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter};
use plotters::prelude::*;

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

    fn place(&self, value: f64) -> f64 {
        if self.log { value.log10() } else { value }
    }

    /// The places of the ticks between two places.
    fn ticks(&self, low: f64, high: f64) -> Vec<f64> {
        let inside = |ticks: Vec<f64>| -> Vec<f64> {
            ticks.into_iter().filter(|t| (low..=high).contains(t)).collect()
        };
        if !self.names.is_empty() {
            return (0..self.names.len()).map(|i| i as f64).collect();
        }
        if self.log {
            // 1, 2, 5, 10, … where there is room, powers of ten or fewer where not
            let mantissas: &[f64] = if high - low < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
            let every = ((high - low) / 8.0).ceil().max(1.0) as i32;
            let powers = (low.floor() as i32..=high.ceil() as i32).filter(|p| p % every == 0);
            let ticks =
                powers.flat_map(|p| mantissas.iter().map(move |m| f64::from(p) + m.log10()));
            return inside(ticks.collect());
        }
        let rough = (high - low) / 6.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= rough);
        let step = step.unwrap_or(10.0 * power);
        let first = (low / step).ceil() as i64;
        inside((first..first + 12).map(|i| i as f64 * step).collect())
    }

    /// The text at a tick.
    fn tick(&self, place: f64) -> String {
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
    fn span(&self, values: impl Iterator<Item = f64>) -> (f64, f64) {
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

/// An axis between its ends, as plotters takes it: our ticks, our texts.
struct Scale {
    axis: Axis,
    ends: Range<f64>,
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, limit: (i32, i32)) -> i32 {
        let share = (place - self.ends.start) / (self.ends.end - self.ends.start);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match hint.weight().allow_light_points() {
            true => Vec::new(),
            false => self.axis.ticks(self.ends.start, self.ends.end),
        }
    }

    fn range(&self) -> Range<f64> {
        self.ends.clone()
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, place: &f64) -> String {
        self.axis.tick(*place)
    }
}

/// Width, and height without the legend: legible when a phone shows it.
const SIZE: (u32, u32) = (600, 400);
/// The height of a line of the legend.
const LINE: u32 = 22;

/// Colours that keep apart on white and on black, for most kinds of colour vision too (after Okabe
/// and Ito).
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(200, 150, 0),
    RGBColor(86, 150, 233),
    RGBColor(140, 100, 60),
    RGBColor(127, 127, 127),
];

/// Stands for the page's text colour: [`inline`] replaces it.
const INK: RGBColor = RGBColor(1, 2, 3);
const GRID: RGBColor = RGBColor(128, 128, 128);

/// The plot as a file of its own, on white.
pub(crate) fn file(plot: &Plot) -> Result<String> {
    let white = r##"<rect width="100%" height="100%" fill="#FFFFFF"/>"##;
    let svg = draw(plot)?.replace("#010203", "#000000");
    let head = svg.find('>').map_or(0, |end| end + 1);
    Ok(format!("{}\n{white}{}", &svg[..head], &svg[head..]))
}

/// The plot as a part of a page: it takes the page's width and text colour.
pub(crate) fn inline(plot: &Plot) -> Result<String> {
    let svg = draw(plot)?.replace("#010203", "currentColor");
    let head = svg.find('>').ok_or_else(|| anyhow!("plot {:?} drew no svg", plot.name))?;
    let (width, height) = (SIZE.0, SIZE.1 + LINE * legend_rows(plot));
    let title = super::report::escape(&plot.title);
    Ok(format!(
        "<svg role=\"img\" aria-label=\"{title}\" viewBox=\"0 0 {width} {height}\" \
         xmlns=\"http://www.w3.org/2000/svg\"{}",
        &svg[head..]
    ))
}

fn draw(plot: &Plot) -> Result<String> {
    let mut svg = String::new();
    paint(plot, &mut svg).map_err(|error| anyhow!("cannot draw {:?}: {error}", plot.name))?;
    Ok(svg)
}

fn paint(plot: &Plot, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let text = |size: u32| ("sans-serif", size).into_font().color(&INK);
    let rows = legend_rows(plot);
    let root = SVGBackend::with_string(svg, (SIZE.0, SIZE.1 + LINE * rows)).into_drawing_area();
    let (upper, legend) = root.split_vertically(SIZE.1);
    let points = || plot.series.iter().flat_map(|series| &series.points);
    let (left, right) = plot.x.span(points().map(|p| p.0));
    let (low, high) = plot.y.span(points().flat_map(|p| [p.1 - p.2, p.1, p.1 + p.2]));
    let mut chart = ChartBuilder::on(&upper)
        .caption(&plot.title, text(18))
        .margin(6)
        .margin_right(18)
        .x_label_area_size(46)
        .y_label_area_size(62)
        .build_cartesian_2d(
            Scale { axis: plot.x.clone(), ends: left..right },
            Scale { axis: plot.y.clone(), ends: low..high },
        )?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID.mix(0.25))
        .axis_style(INK.mix(0.6))
        .label_style(text(15))
        .axis_desc_style(text(16))
        .x_desc(&plot.x.label)
        .y_desc(&plot.y.label)
        .draw()?;
    if let Some(contours) = plot.contours {
        for [a, b] in level_lines(contours, (left, right), (low, high)) {
            chart.draw_series(LineSeries::new([a, b], GRID.mix(0.55)))?;
        }
    }
    for (i, series) in plot.series.iter().enumerate() {
        let colour = COLOURS[i % COLOURS.len()];
        let place = |&(x, y, sd): &(f64, f64, f64)| {
            // where a deviation reaches below 0 on a logarithmic axis, its bar ends with the axis
            let y = [y - sd, y, y + sd]
                .map(|v| plot.y.place(v))
                .map(|v| if v.is_nan() { low } else { v.clamp(low, high) });
            (plot.x.place(x), y[0], y[1], y[2])
        };
        let kept: Vec<_> = series
            .points
            .iter()
            .filter(|p| plot.x.place(p.0).is_finite() && plot.y.place(p.1).is_finite())
            .map(place)
            .collect();
        if series.form == Form::Line && series.points.iter().any(|p| p.2 > 0.0) {
            let around =
                kept.iter().map(|p| (p.0, p.1)).chain(kept.iter().rev().map(|p| (p.0, p.3)));
            chart.draw_series([Polygon::new(around.collect::<Vec<_>>(), colour.mix(0.18))])?;
        }
        if series.form != Form::Dots {
            let line = LineSeries::new(kept.iter().map(|p| (p.0, p.2)), colour.stroke_width(2));
            chart.draw_series(line)?;
        }
        if series.form != Form::Line {
            for &(x, bottom, y, top) in &kept {
                chart.draw_series([PathElement::new([(x, bottom), (x, top)], colour.mix(0.7))])?;
                chart.draw_series([Circle::new((x, y), 4, colour.filled())])?;
            }
        }
    }
    let columns = legend_columns(plot);
    let labelled = plot.series.iter().enumerate().filter(|(_, series)| !series.label.is_empty());
    for (entry, (i, series)) in labelled.enumerate() {
        let x = 62 + (entry as u32 % columns * ((SIZE.0 - 70) / columns)) as i32;
        let y = (entry as u32 / columns * LINE) as i32 + 9;
        let colour = COLOURS[i % COLOURS.len()].filled();
        legend.draw(&Rectangle::new([(x, y - 2), (x + 18, y + 2)], colour))?;
        legend.draw(&Text::new(series.label.clone(), (x + 26, y - 8), text(15)))?;
    }
    root.present()?;
    Ok(())
}

/// How many entries of the legend stand side by side.
fn legend_columns(plot: &Plot) -> u32 {
    match plot.series.iter().map(|series| series.label.chars().count()).max() {
        Some(0..=12) => 4,
        Some(13..=28) => 2,
        _ => 1,
    }
}

fn legend_rows(plot: &Plot) -> u32 {
    let entries = plot.series.iter().filter(|series| !series.label.is_empty()).count() as u32;
    entries.div_ceil(legend_columns(plot))
}

/// The pieces of the lines of equal height: marching triangles on a grid.
fn level_lines(
    contours: Contours,
    (left, right): (f64, f64),
    (low, high): (f64, f64),
) -> Vec<[(f64, f64); 2]> {
    const CELLS: usize = 70;
    let at = |i: usize, j: usize| {
        let (s, t) = (i as f64 / CELLS as f64, j as f64 / CELLS as f64);
        let (x, y) = (left + s * (right - left), low + t * (high - low));
        (x, y, (contours.height)(x, y))
    };
    let mut pieces = Vec::new();
    for (i, j) in (0..CELLS).flat_map(|i| (0..CELLS).map(move |j| (i, j))) {
        let [a, b, c, d] = [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)];
        for (triangle, &level) in
            [[a, b, c], [a, c, d]].iter().flat_map(|t| contours.levels.iter().map(move |l| (t, l)))
        {
            let edges = [(0, 1), (1, 2), (2, 0)].map(|(p, q)| (triangle[p], triangle[q]));
            let crossed =
                edges.iter().filter(|(p, q)| (p.2 < level) != (q.2 < level)).map(|(p, q)| {
                    let share = (level - p.2) / (q.2 - p.2);
                    (p.0 + share * (q.0 - p.0), p.1 + share * (q.1 - p.1))
                });
            if let [from, to] = crossed.collect::<Vec<_>>()[..] {
                pieces.push([from, to]);
            }
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_line_of_a_circle_is_a_circle() {
        let contours = Contours { height: |x, y| x.hypot(y), levels: &[1.0] };
        let pieces = level_lines(contours, (-2.0, 2.0), (-2.0, 2.0));
        assert!(pieces.len() > 100);
        for (x, y) in pieces.into_iter().flatten() {
            assert!((x.hypot(y) - 1.0).abs() < 2e-3, "{x} {y}");
        }
    }

    #[test]
    fn plots_are_drawn_and_take_the_page_s_colour() {
        let plot = Plot::new("p", "a < b", Axis::linear("epoch"), Axis::log("loss"))
            .with(Series::new("one", Form::Line, [(0.0, 1.0, 0.5), (1.0, 0.1, 0.01)]))
            .with(Series::new("two", Form::Marked, [(0.0, f64::NAN, 0.0), (1.0, 0.2, 0.0)]));
        let page = inline(&plot).unwrap();
        assert!(page.starts_with("<svg") && page.trim_end().ends_with("</svg>"));
        assert!(page.contains("aria-label=\"a &lt; b\"") && page.contains("currentColor"));
        assert!(page.contains("polyline") && page.contains("circle") && !page.contains("NaN"));
        assert!(!file(&plot).unwrap().contains("currentColor"));
    }

    #[test]
    fn ticks_read_as_people_write_them() {
        let log = Axis::log("");
        assert_eq!([log.tick(-4.0), log.tick(0.0), log.tick(2.0)], ["1e-4", "1", "100"]);
        assert_eq!(log.ticks(-3.2, 4.1).len(), 8, "powers of ten");
        let near: Vec<_> = log.ticks(-0.1, 1.1).into_iter().map(|t| log.tick(t)).collect();
        assert_eq!(near, ["1", "2", "5", "10"]);
        assert_eq!(Axis::linear("").ticks(0.3, 9.9), [2.0, 4.0, 6.0, 8.0]);
        assert_eq!(Axis::linear("").tick(0.25), "0.25");
        assert_eq!(Axis::named("", &["a", "b"]).tick(1.0), "b");
    }
}
