//! What a trained network gets wrong, as part of a page: which classes it mixes up, and what the
//! samples look like that it mistakes.

use std::fmt::Write;

use anyhow::Result;
use slalom::tensor::{Matrix, View};
use slalom::train::metrics::Confusion;

use super::net::winner;

/// The most pictures on a page.
const PICTURES: usize = 24;

/// Counts of true and predicted classes, and pictures of the mistakes that the network is surest of.
/// Images are square, their pixels from 0 to 1, row by row; samples are columns.
pub(crate) fn part(images: View<'_, f32>, truth: &[u32], outputs: &Matrix<f32>) -> Result<String> {
    let found: Vec<u32> = outputs.column_iter().map(|y| winner(y.as_slice()) as u32).collect();
    let confusion = Confusion::new(outputs.nrows(), truth, &found, None)?;
    let margin = |&i: &usize| outputs[(found[i] as usize, i)] - outputs[(truth[i] as usize, i)];
    let mut wrong: Vec<usize> = (0..truth.len()).filter(|&i| found[i] != truth[i]).collect();
    wrong.sort_by(|a, b| margin(b).total_cmp(&margin(a)));

    let mut html = format!(
        "<h2>What it gets wrong</h2>\n<p>{} of {} test samples. Rows: what they are; columns: what \
         they are taken for.</p>\n{}",
        wrong.len(),
        truth.len(),
        counts(&confusion)
    );
    if wrong.is_empty() {
        return Ok(html);
    }
    let shown = wrong.len().min(PICTURES);
    let _ = writeln!(html, "<p>The {shown} that it is surest of:</p>\n<div class=\"pictures\">");
    for &i in &wrong[..shown] {
        let pixels: Vec<f32> = images.column(i).iter().copied().collect();
        let words = format!("{} taken for {}", truth[i], found[i]);
        let picture = picture(&pixels, &words);
        let _ = writeln!(html, "<figure>{picture}<figcaption>{words}</figcaption></figure>");
    }
    Ok(html + "</div>\n")
}

/// The confusion matrix; the more of a class, the stronger the colour.
fn counts(confusion: &Confusion) -> String {
    let classes = confusion.classes();
    let mut html = String::from("<div class=\"wide\"><table class=\"confusion\">\n<tr><th></th>");
    for class in 0..classes {
        let _ = write!(html, "<th>{class}</th>");
    }
    html += "</tr>\n";
    for truth in 0..classes {
        let _ = write!(html, "<tr><th>{truth}</th>");
        let of_class: f64 = (0..classes).map(|found| confusion.count(truth, found)).sum();
        for found in 0..classes {
            let count = confusion.count(truth, found);
            let colour = if truth == found { "--yes" } else { "--no" };
            // a single mistake among many is to be seen, and every number to be read
            let share = 12.0 + 28.0 * count / of_class;
            let _ = match count > 0.0 {
                true => write!(
                    html,
                    "<td style=\"background:color-mix(in srgb, var({colour}) {share:.0}%, \
                     var(--ground))\">{count}</td>"
                ),
                false => write!(html, "<td></td>"),
            };
        }
        html += "</tr>\n";
    }
    html + "</table></div>\n"
}

/// An image as dots of ink.
fn picture(pixels: &[f32], words: &str) -> String {
    let side = pixels.len().isqrt();
    let mut svg = format!(
        "<svg role=\"img\" aria-label=\"{words}\" viewBox=\"0 0 {side} {side}\" \
         shape-rendering=\"crispEdges\" fill=\"currentColor\">"
    );
    for (i, &ink) in pixels.iter().enumerate().filter(|(_, ink)| **ink > 0.02) {
        let (x, y) = (i % side, i / side);
        let _ = write!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"1\" height=\"1\" opacity=\"{ink:.2}\"/>"
        );
    }
    svg + "</svg>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surest_mistake_comes_first() {
        let images = Matrix::from_column_slice(4, 3, &[0.0, 1.0, 0.5, 0.0].repeat(3));
        let outputs = Matrix::from_column_slice(2, 3, &[2.0, 0.0, 1.0, 0.0, 0.0, 5.0]);
        let html = part(images.as_view(), &[0, 1, 0], &outputs).unwrap();
        let place = |text: &str| html.find(text).unwrap_or_else(|| panic!("{text} in {html}"));
        assert!(place("<figcaption>0 taken for 1") < place("<figcaption>1 taken for 0"));
        assert!(html.contains("2 of 3 test samples"));
        // the second pixel of the first row is black, the first of the second row half so
        place("<rect x=\"1\" y=\"0\" width=\"1\" height=\"1\" opacity=\"1.00\"/>");
        place("<rect x=\"0\" y=\"1\" width=\"1\" height=\"1\" opacity=\"0.50\"/>");
        let right = part(images.as_view(), &[0, 0, 1], &outputs).unwrap();
        assert!(right.contains("0 of 3") && !right.contains("figcaption"));
    }
}
