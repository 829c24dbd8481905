//! An experiment's numbers for other programs: summary.json and cells.csv.

use anyhow::Result;
use serde::Serialize;

use super::cell::{Plan, Results};
use super::findings::{Part, Published, Verdict};
use super::report::Section;

#[derive(Serialize)]
struct Summary<'a> {
    experiment: &'a str,
    title: &'a str,
    claim: &'a str,
    command: &'a str,
    machine: &'a str,
    quick: bool,
    runs: usize,
    seconds: f64,
    verdict: Option<Verdict>,
    words: &'a str,
    /// The parts of a claim, and whether each holds.
    parts: &'a [Part],
    rule: &'a str,
    tried: &'a str,
    cells: Vec<Entry<'a>>,
}

/// Not a number is null: JSON has no word for it.
#[derive(Serialize)]
struct Entry<'a> {
    configuration: &'a str,
    number: &'a str,
    published: Option<Published>,
    ours: f64,
    sd: f64,
    runs: usize,
    within: Option<bool>,
}

/// The text of summary.json.
pub(crate) fn json(section: &Section, machine: &str, plan: &Plan) -> Result<String> {
    let findings = section.findings.as_ref();
    let rows = findings.map_or(&[][..], |findings| &findings.rows);
    let summary = Summary {
        experiment: section.experiment.name,
        title: section.experiment.title,
        claim: section.experiment.claim,
        command: &section.command,
        machine,
        quick: plan.quick,
        runs: section.cells,
        seconds: section.seconds,
        verdict: findings.ok().map(|findings| findings.verdict),
        words: findings.map_or_else(|why| why.as_str(), |findings| &findings.words),
        parts: findings.map_or(&[][..], |findings| &findings.parts),
        rule: section.experiment.rule,
        tried: section.experiment.tried,
        cells: rows
            .iter()
            .map(|row| Entry {
                configuration: &row.config,
                number: &row.number,
                published: row.published,
                ours: row.ours.mean,
                sd: row.ours.sd,
                runs: row.ours.runs,
                within: row.within,
            })
            .collect(),
    };
    Ok(serde_json::to_string_pretty(&summary)? + "\n")
}

/// The text of cells.csv: one line a cell and number. How long a cell took is not among them, so
/// that two runs write the same file, resumed or not, unless an experiment measures time.
pub(crate) fn csv(results: &Results) -> String {
    let mut text = String::from("configuration,seed,number,value\n");
    for cell in &results.cells {
        for name in cell.outcome.names() {
            let config = cell.config.replace('"', "\"\"");
            text += &format!("\"{config}\",{},{name},{}\n", cell.seed, cell.outcome.get(name));
        }
    }
    text
}

/// One line for the terminal.
pub(crate) fn line(section: &Section) -> String {
    match &section.findings {
        Ok(findings) => {
            format!("{} ({:.0} s): {}", findings.verdict.label(), section.seconds, findings.words)
        }
        Err(why) => format!("NOT RUN: {why}"),
    }
}
