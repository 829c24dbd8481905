//! An experiment's numbers for other programs: summary.json and cells.csv.

use anyhow::Result;
use serde::Serialize;

use super::cell::{Plan, Results};
use super::findings::{Published, Verdict};
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
        experiment: &section.name,
        title: &section.title,
        claim: &section.claim,
        command: &section.command,
        machine,
        quick: plan.quick,
        runs: section.cells,
        seconds: section.seconds,
        verdict: findings.ok().map(|findings| findings.verdict),
        words: findings.map_or_else(|why| why.as_str(), |findings| &findings.words),
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

/// The text of cells.csv: one line a cell and number.
pub(crate) fn csv(results: &Results) -> String {
    let mut text = String::from("configuration,seed,seconds,number,value\n");
    for cell in &results.cells {
        for name in cell.outcome.names() {
            let config = cell.config.replace('"', "\"\"");
            let (seed, seconds, value) = (cell.seed, cell.seconds, cell.outcome.get(name));
            text += &format!("\"{config}\",{seed},{seconds:.3},{name},{value}\n");
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
