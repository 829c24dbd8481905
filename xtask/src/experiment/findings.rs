//! What an experiment finds: a verdict in words, numbers beside published ones, plots.

use serde::Serialize;

use super::cell::{Results, Stat};
use super::plot::Plot;

/// All that an experiment says when its cells are done.
pub(crate) struct Findings {
    pub(crate) verdict: Verdict,
    /// The parts of a claim; none for a published table.
    pub(crate) parts: Vec<Part>,
    /// The verdict in a sentence or two, with its numbers.
    pub(crate) words: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) plots: Vec<Plot>,
}

/// A part of a claim.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Part {
    pub(crate) what: String,
    pub(crate) holds: bool,
}

impl Part {
    pub(crate) fn new(what: impl Into<String>, holds: bool) -> Self {
        Self { what: what.into(), holds }
    }
}

/// The rule of every experiment on a claim.
pub(crate) const BY_PARTS: &str = "The claim is taken apart, and each part is tried alone: it is supported if every part holds, \
     refuted if none does, and depends otherwise. One number is above another if the mean of the \
     differences, seed by seed, is more than twice their standard error.";

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
    pub(crate) fn of_claim(parts: &[Part]) -> Self {
        match parts.iter().filter(|part| part.holds).count() {
            n if n == parts.len() => Self::Supported,
            0 => Self::Refuted,
            _ => Self::ItDepends,
        }
    }

    /// Of a table with published numbers.
    pub(crate) fn of_rows(rows: &[Row]) -> Self {
        let compared: Vec<bool> = rows.iter().filter_map(|row| row.within).collect();
        match compared.iter().filter(|&&within| within).count() {
            0 if compared.is_empty() => Self::Measured,
            met => Self::of_count(met, compared.len()),
        }
    }

    /// Of so many published statements, of which `met` are met.
    pub(crate) fn of_count(met: usize, all: usize) -> Self {
        match met {
            n if n == all => Self::Reproduced,
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

/// Of the pairs of rows whose published numbers differ: how many are in the published order, and how
/// many there are.
pub(crate) fn in_order(rows: &[Row]) -> (usize, usize) {
    let pairs = (0..rows.len()).flat_map(|i| (i + 1..rows.len()).map(move |j| (i, j)));
    let signs = pairs.filter_map(|(i, j)| {
        let theirs = rows[i].published?.value - rows[j].published?.value;
        (theirs != 0.0).then(|| theirs * (rows[i].ours.mean - rows[j].ours.mean) > 0.0)
    });
    let signs: Vec<bool> = signs.collect();
    (signs.iter().filter(|&&kept| kept).count(), signs.len())
}

/// A row for each configuration and each of the numbers.
pub(crate) fn measured(results: &Results, numbers: &[&str]) -> Vec<Row> {
    let configs = results.configs();
    let rows =
        configs.iter().flat_map(|config| numbers.iter().map(move |number| (*config, *number)));
    rows.map(|(config, number)| Row::measured(results, config, number)).collect()
}

/// A row as tables show it.
pub(crate) struct Shown {
    pub(crate) published: String,
    pub(crate) ours: String,
    pub(crate) within: &'static str,
}

impl Shown {
    /// Every row, with as many decimals as the published values of its number have.
    pub(crate) fn rows(rows: &[Row]) -> impl Iterator<Item = Self> {
        let decimals = |row: &Row| -> usize {
            let value = row.published.map(|p| p.value.to_string()).unwrap_or_default();
            value.split_once('.').map_or(0, |(_, decimals)| decimals.len())
        };
        rows.iter().map(move |row| {
            let same = rows.iter().filter(|other| other.number == row.number);
            Self::new(row, same.map(decimals).max().unwrap_or(0))
        })
    }

    fn new(row: &Row, digits: usize) -> Self {
        let number = |value: f64| match digits {
            0 => short(value),
            _ if value.is_finite() => format!("{value:.digits$}"),
            _ => short(value),
        };
        let spread = |sd: f64| if sd > 0.0 { format!(" ± {}", short(sd)) } else { String::new() };
        let published = row.published.map(|p| {
            let spread = p.sd.map_or(String::new(), |sd| format!(" ± {sd}"));
            let mark = if p.verified { "" } else { " (as commonly quoted)" };
            let value = if digits == 0 { p.value.to_string() } else { number(p.value) };
            format!("{value}{spread}{mark}")
        });
        Self {
            published: published.unwrap_or_default(),
            ours: number(row.ours.mean) + &spread(row.ours.sd),
            within: row.within.map_or("", |within| if within { "yes" } else { "no" }),
        }
    }
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
        let part = |holds| Part::new("a part", holds);
        assert_eq!(Verdict::of_claim(&[part(true), part(true)]), Verdict::Supported);
        assert_eq!(Verdict::of_claim(&[part(true), part(false)]), Verdict::ItDepends);
        assert_eq!(Verdict::of_claim(&[part(false)]), Verdict::Refuted);
        assert_eq!(Verdict::of_rows(&[]), Verdict::Measured);
        assert_eq!(Verdict::of_count(2, 3), Verdict::PartlyReproduced);
    }

    #[test]
    fn a_number_has_the_decimals_that_are_published() {
        let row = |published: Option<Published>, ours: &[f64]| Row {
            config: "a".into(),
            number: "loss".into(),
            published,
            ours: Stat::of(ours),
            within: published.map(|_| true),
        };
        let quoted = Published::quoted(f64::INFINITY);
        let read = Published::read(0.5).with_sd(0.01);
        let rows = [
            row(Some(Published::read(0.125)), &[0.25]),
            row(Some(read), &[1.0, 2.0]),
            row(Some(quoted), &[f64::NAN]),
            row(None, &[3.0]),
        ];
        let shown: Vec<_> = Shown::rows(&rows)
            .map(|s| format!("{}|{}|{}", s.published, s.ours, s.within))
            .collect();
        assert_eq!(shown[..2], ["0.125|0.250|yes", "0.500 ± 0.01|1.500 ± 0.7071|yes"]);
        assert_eq!(shown[2..], ["∞ (as commonly quoted)|diverged|yes", "|3.000|"]);
    }

    #[test]
    fn pairs_are_in_order_or_not() {
        let row = |published: f64, ours: f64| Row {
            config: "a".into(),
            number: "error".into(),
            published: Some(Published::read(published)),
            ours: Stat::of(&[ours]),
            within: None,
        };
        // five pairs differ; ours turns one of them round
        let rows = [row(3.0, 30.0), row(2.0, 9.0), row(2.0, 8.0), row(1.0, 8.5)];
        assert_eq!(in_order(&rows), (4, 5));
    }
}
