//! Plots drawn by plotters as SVG.
//!
//! Logarithmic axes are drawn on the logarithms with ticks that show the values, so that one code
//! path draws every plot.

use std::ops::Range;

use anyhow::{Result, anyhow};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter};
use plotters::prelude::*;

use super::plot::{Axis, Contours, Form, Plot};

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
const LINE: u32 = 24;

/// Colours that keep apart on white and on black, for most kinds of colour vision too (after Okabe
/// and Ito).
const COLOURS: [RGBColor; 9] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(200, 150, 0),
    RGBColor(86, 150, 233),
    RGBColor(140, 100, 60),
    RGBColor(127, 127, 127),
    RGBColor(130, 80, 180),
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

/// Text that HTML and SVG show as it is.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The plot as a part of a page: it takes the page's width and text colour.
pub(crate) fn inline(plot: &Plot) -> Result<String> {
    let svg = draw(plot)?.replace("#010203", "currentColor");
    let head = svg.find('>').ok_or_else(|| anyhow!("plot {:?} drew no svg", plot.name))?;
    let (width, height) = (SIZE.0, SIZE.1 + LINE * legend_rows(plot));
    let title = escape(&plot.title);
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
        .caption(&plot.title, text(20))
        .margin(6)
        .margin_right(18)
        .x_label_area_size(50)
        .y_label_area_size(68)
        .build_cartesian_2d(
            Scale { axis: plot.x.clone(), ends: left..right },
            Scale { axis: plot.y.clone(), ends: low..high },
        )?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID.mix(0.25))
        .axis_style(INK.mix(0.6))
        .label_style(text(17))
        .axis_desc_style(text(18))
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
        let x = 40 + (entry as u32 % columns * ((SIZE.0 - 48) / columns)) as i32;
        let y = (entry as u32 / columns * LINE) as i32 + 9;
        let colour = COLOURS[i % COLOURS.len()].filled();
        legend.draw(&Rectangle::new([(x, y - 2), (x + 18, y + 2)], colour))?;
        legend.draw(&Text::new(series.label.clone(), (x + 26, y - 9), text(17)))?;
    }
    root.present()?;
    Ok(())
}

/// How many entries of the legend stand side by side.
fn legend_columns(plot: &Plot) -> u32 {
    match plot.series.iter().map(|series| series.label.chars().count()).max() {
        Some(0..=12) => 4,
        Some(13..=27) => 2,
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
    use crate::experiment::plot::Series;

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
}
