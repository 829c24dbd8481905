//! What an experiment finds: a verdict in words, numbers beside published ones, plots.

use serde::Serialize;

use super::cell::{Results, Stat};
use super::plot::Plot;

/// All that an experiment says when its cells are done.
pub(crate) struct Findings {
    pub(crate) verdict: Verdict,
    /// The verdict in a sentence or two, with its numbers.
    pub(crate) words: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) plots: Vec<Plot>,
}

/// What becomes of a claim, or of a published table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// The claim holds in all that was measured.
    Supported,
    /// It does not.
    Refuted,
    /// It holds here and not there: the words say on what it depends.
    ItDepends,
    /// Every published number is met within the stated rule.
    Reproduced,
    /// Some are, some are not.
    PartlyReproduced,
    /// None is.
    NotReproduced,
    /// The measurement stands without a number to compare it with.
    Measured,
}

impl Verdict {
    /// As it stands in pages and tables.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Refuted => "refuted",
            Self::ItDepends => "it depends",
            Self::Reproduced => "reproduced",
            Self::PartlyReproduced => "partly reproduced",
            Self::NotReproduced => "not reproduced",
            Self::Measured => "measured",
        }
    }

    /// Of a claim with parts, each of which holds or not.
    pub(crate) fn of_claim(parts: &[bool]) -> Self {
        match parts.iter().filter(|&&holds| holds).count() {
            n if n == parts.len() => Self::Supported,
            0 => Self::Refuted,
            _ => Self::ItDepends,
        }
    }

    /// Of a table with published numbers.
    pub(crate) fn of_rows(rows: &[Row]) -> Self {
        let compared: Vec<bool> = rows.iter().filter_map(|row| row.within).collect();
        match compared.iter().filter(|&&within| within).count() {
            _ if compared.is_empty() => Self::Measured,
            n if n == compared.len() => Self::Reproduced,
            0 => Self::NotReproduced,
            _ => Self::PartlyReproduced,
        }
    }
}

/// A published number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Published {
    pub(crate) value: f64,
    pub(crate) sd: Option<f64>,
    /// Read in the source; if not, it is "as commonly quoted".
    pub(crate) verified: bool,
}

impl Published {
    /// A number that was read in its source.
    pub(crate) fn read(value: f64) -> Self {
        Self { value, sd: None, verified: true }
    }

    /// With the standard deviation that the source gives.
    pub(crate) fn with_sd(self, sd: f64) -> Self {
        Self { sd: Some(sd), ..self }
    }

    /// A number known from copies only.
    pub(crate) fn quoted(value: f64) -> Self {
        Self { value, sd: None, verified: false }
    }
}

/// One number of one configuration, beside the published one if there is one.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) config: String,
    pub(crate) number: String,
    pub(crate) published: Option<Published>,
    pub(crate) ours: Stat,
    /// Whether ours meets the published number by the experiment's rule; `None`: not compared.
    pub(crate) within: Option<bool>,
}

impl Row {
    /// Ours, compared with nothing.
    pub(crate) fn measured(results: &Results, config: &str, number: &str) -> Self {
        let ours = results.stat(config, number);
        Self { config: config.into(), number: number.into(), published: None, ours, within: None }
    }

    /// Ours beside a published number; `rule` says whether they agree.
    pub(crate) fn compared(
        results: &Results,
        config: &str,
        number: &str,
        published: Published,
        rule: impl Fn(&Stat, &Published) -> bool,
    ) -> Self {
        let row = Self::measured(results, config, number);
        let within = Some(rule(&row.ours, &published));
        Self { published: Some(published), within, ..row }
    }
}

/// A row for each configuration and each of the numbers.
pub(crate) fn measured(results: &Results, numbers: &[&str]) -> Vec<Row> {
    let configs = results.configs();
    let rows =
        configs.iter().flat_map(|config| numbers.iter().map(move |number| (*config, *number)));
    rows.map(|(config, number)| Row::measured(results, config, number)).collect()
}

/// A number with about four significant digits, as tables show it.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        _ if value.is_nan() => "diverged".into(),
        _ if value.is_infinite() => "∞".into(),
        0.0 => "0".into(),
        a if !(1e-4..1e6).contains(&a) => format!("{value:.2e}"),
        a if a >= 1000.0 => format!("{value:.0}"),
        a if a >= 100.0 => format!("{value:.1}"),
        a if a >= 10.0 => format!("{value:.2}"),
        a if a >= 1.0 => format!("{value:.3}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_short_as_they_can_be_read() {
        let shown: Vec<_> = [0.0, 97.345678, 0.98765432, 12345.6, 1e-7, f64::NAN].map(short).into();
        assert_eq!(shown, ["0", "97.35", "0.9877", "12346", "1.00e-7", "diverged"]);
    }

    #[test]
    fn verdicts_follow_from_their_parts() {
        assert_eq!(Verdict::of_claim(&[true, true]), Verdict::Supported);
        assert_eq!(Verdict::of_claim(&[true, false]), Verdict::ItDepends);
        assert_eq!(Verdict::of_claim(&[false]), Verdict::Refuted);
        assert_eq!(Verdict::of_rows(&[]), Verdict::Measured);
    }
}
