//! The pages: HTML that needs nothing but itself, readable on a phone and in dark mode.

use std::fmt::Write;

use anyhow::Result;

use super::Experiment;
use super::draw::{self, escape};
use super::findings::{Findings, Row, Shown};
use super::plot;

/// One experiment on a page.
pub(crate) struct Section {
    pub(crate) experiment: &'static Experiment,
    /// The command that made it.
    pub(crate) command: String,
    pub(crate) cells: usize,
    pub(crate) seconds: f64,
    /// Or why there are none.
    pub(crate) findings: Result<Findings, String>,
}

/// A page over some experiments, with a table of contents if there are several.
pub(crate) fn page(
    title: &str,
    machine: &str,
    quick: bool,
    sections: &[Section],
) -> Result<String> {
    let mut body =
        format!("<h1>{}</h1>\n<p class=\"machine\">{}</p>\n", escape(title), escape(machine));
    if quick {
        body += "<p class=\"warning\">A quick run: a few per cent of the work, to see that everything \
                 runs. Its numbers are not results.</p>\n";
    }
    if sections.len() > 1 {
        body += &contents(sections);
    }
    for section in sections {
        body += &part(section)?;
    }
    Ok(frame(title, &body))
}

/// The frame of every page: style, title, body.
pub(crate) fn frame(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n\
         </html>\n",
        escape(title)
    )
}

/// A plot as a part of a page.
pub(crate) fn figure(plot: &plot::Plot) -> Result<String> {
    Ok(format!("<figure>{}</figure>\n", draw::inline(plot)?))
}

fn contents(sections: &[Section]) -> String {
    let mut list = String::from("<nav aria-label=\"Contents\">\n<table class=\"contents\">\n");
    for section in sections {
        let (label, class) = verdict(section);
        let _ = writeln!(
            list,
            "<tr><td><a href=\"#{0}\">{1}</a></td><td><span class=\"verdict {class}\">{label}</span></td></tr>",
            section.experiment.name,
            escape(section.experiment.title)
        );
    }
    list + "</table>\n</nav>\n"
}

/// A verdict's label and the class that colours it.
fn verdict(section: &Section) -> (&'static str, &'static str) {
    use super::findings::Verdict::*;
    let Ok(findings) = &section.findings else { return ("not run", "none") };
    let class = match findings.verdict {
        Supported | Reproduced => "yes",
        Refuted | NotReproduced => "no",
        ItDepends | PartlyReproduced => "partly",
        Measured => "none",
    };
    (findings.verdict.label(), class)
}

fn part(section: &Section) -> Result<String> {
    let (label, class) = verdict(section);
    let Experiment { name, title, claim, setup, rule, tried, .. } = section.experiment;
    let paragraph = |head: &str, text: &str| match text {
        "" => String::new(),
        text => format!("<p><b>{head}.</b> {}</p>\n", escape(text)),
    };
    let mut html = format!(
        "<section id=\"{name}\">\n<h2>{}</h2>\n<p class=\"claim\">{}</p>\n",
        escape(title),
        escape(claim)
    );
    html += &paragraph("Setup", setup);
    html += &paragraph("Rule", rule);
    let words = section.findings.as_ref().map_or_else(|why| why, |findings| &findings.words);
    let _ = writeln!(
        html,
        "<p><span class=\"verdict {class}\">{}.</span> {}</p>",
        capital(label),
        escape(words)
    );
    if let Ok(findings) = &section.findings {
        html += &parts(findings);
        for plot in &findings.plots {
            html += &figure(plot)?;
        }
        html += &paragraph("Tried", tried);
        html += &table(&findings.rows);
        let _ = writeln!(
            html,
            "<p class=\"made\">{} runs in {:.0} s. Made by <code>{}</code></p>",
            section.cells,
            section.seconds,
            escape(&section.command)
        );
    }
    Ok(html + "</section>\n")
}

/// A text with a capital letter in front.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// The parts of a claim, each with its mark.
fn parts(findings: &Findings) -> String {
    let mut html = String::new();
    for part in &findings.parts {
        let (class, mark) = if part.holds { ("yes", "holds") } else { ("no", "does not hold") };
        let what = escape(&part.what);
        let _ = writeln!(html, "<li>{what}: <span class=\"{class}\">{mark}</span></li>");
    }
    if html.is_empty() { html } else { format!("<ul>\n{html}</ul>\n") }
}

/// Long tables fold away, so that a page with many reads well.
pub(crate) const FOLD: usize = 24;

fn table(rows: &[Row]) -> String {
    let published = rows.iter().any(|row| row.published.is_some());
    let mut html =
        String::from("<div class=\"wide\"><table>\n<tr><th>configuration</th><th>number</th>");
    html += if published { "<th>published</th>" } else { "" };
    html += "<th>ours</th><th>runs</th>";
    html += if published { "<th>within</th>" } else { "" };
    html += "</tr>\n";
    for (row, shown) in rows.iter().zip(Shown::rows(rows)) {
        let _ =
            write!(html, "<tr><td>{}</td><td>{}</td>", escape(&row.config), escape(&row.number));
        if published {
            let _ = write!(html, "<td>{}</td>", shown.published);
        }
        let _ = write!(html, "<td>{}</td><td>{}</td>", shown.ours, row.ours.runs);
        if published {
            let class = if row.within == Some(false) { "no" } else { "yes" };
            let _ = write!(html, "<td class=\"{class}\">{}</td>", shown.within);
        }
        html += "</tr>\n";
    }
    html += "</table></div>\n";
    if rows.len() > FOLD {
        return format!(
            "<details><summary>All {} numbers</summary>\n{html}</details>\n",
            rows.len()
        );
    }
    html
}

const STYLE: &str = "\
:root { --ground: #fff; --ink: #1d2127; --faint: #5b6470; --rule: #d5dae0; --soft: #f3f5f7;
  --yes: #0a6b3d; --no: #a8201a; --partly: #8a5a00; --link: #0b5cad; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171b; --ink: #e3e7ec; --faint: #9aa4b0; --rule: #363d46; --soft: #1d2228;
    --yes: #5fd39a; --no: #ff8f87; --partly: #f0c05a; --link: #7db8f5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, 'Segoe UI', sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 1rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.25rem; margin: 0 0 .5rem; }
section { border-top: 1px solid var(--rule); padding-top: 1.5rem; margin-top: 2rem; }
a { color: var(--link); } code { background: var(--soft); padding: .1em .3em; overflow-wrap: anywhere; }
.machine, .made { color: var(--faint); font-size: .9rem; }
.claim { border-left: 3px solid var(--rule); padding-left: .75rem; font-style: italic; }
.warning { background: var(--soft); border-left: 3px solid var(--partly); padding: .5rem .75rem; }
.verdict { font-weight: 600; } .yes { color: var(--yes); } .no { color: var(--no); }
.partly { color: var(--partly); } .none { color: var(--faint); }
figure { margin: 1rem 0; max-width: 42rem; } .wide { overflow-x: auto; }
svg { display: block; width: 100%; height: auto; color: var(--ink); }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid var(--rule);
  white-space: nowrap; vertical-align: top; } td:nth-child(-n+2) { white-space: normal; }
.contents { width: 100%; } .contents td { white-space: normal; }
summary { cursor: pointer; margin: .5rem 0; color: var(--link); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; }
.confusion td, .confusion th { text-align: center; min-width: 2rem; padding: .2rem .4rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(5.5rem, 1fr)); gap: 1rem; }
.pictures figure { margin: 0; } .pictures svg { background: var(--soft); }
figcaption { color: var(--faint); font-size: .85rem; text-align: center; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
";
