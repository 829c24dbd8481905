//! What a run has been through: one record an epoch.

use std::fmt;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::Fingerprint;

/// The records of a run's epochs, first to last.
///
/// Two histories are equal if everything but the time is equal, to the bit.
///
/// ```
/// use slalom_train::{Epoch, History};
/// let mut history = History::default();
/// history.push(Epoch { epoch: 1, updates: 10, train_loss: 0.9, ..Epoch::default() });
/// history.push(Epoch { epoch: 2, updates: 20, train_loss: 0.5, ..Epoch::default() });
/// assert_eq!(history.losses(), [0.9, 0.5]);
/// let mut csv = Vec::new();
/// history.write_csv(&mut csv)?;
/// assert!(csv.starts_with(b"epoch,updates,train_loss,"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    epochs: Vec<Epoch>,
}

/// What one epoch did. Shown as one line: epoch, losses, metrics, learning rate.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Epoch {
    /// Which epoch, from 1.
    pub epoch: u64,
    /// Updates of the parameters since the run began.
    pub updates: u64,
    /// Loss on the training samples, each with its weight, as they were met: the mean over the
    /// epoch, with penalties, with dropout on and while the parameters move.
    pub train_loss: f64,
    /// Loss on the training samples with the parameters that the epoch ended with, without
    /// penalties, if asked for.
    pub final_loss: Option<f64>,
    /// Loss on the validation samples, without penalties, if there are any.
    pub valid_loss: Option<f64>,
    /// Further measures by name, in the order they were asked for.
    pub metrics: Vec<(String, f64)>,
    /// Learning rate of the last update.
    pub rate: f64,
    /// Euclidean norm of the last update's gradient, before clipping.
    pub gradient_norm: f64,
    /// Euclidean norm of all parameters at the end.
    pub weight_norm: f64,
    /// Time the epoch took, in seconds. No part of a comparison.
    pub seconds: f64,
}

impl History {
    /// Adds the record of the next epoch.
    pub fn push(&mut self, epoch: Epoch) {
        self.epochs.push(epoch);
    }

    /// All records, first to last.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// How many epochs there are.
    pub fn len(&self) -> usize {
        self.epochs.len()
    }

    /// Whether there are none yet.
    pub fn is_empty(&self) -> bool {
        self.epochs.is_empty()
    }

    /// The newest record.
    pub fn last(&self) -> Option<&Epoch> {
        self.epochs.last()
    }

    /// What early stopping watches: the validation losses; the training losses only where the run
    /// has no validation samples at all.
    pub fn losses(&self) -> Vec<f64> {
        let valid: Vec<f64> = self.epochs.iter().filter_map(|e| e.valid_loss).collect();
        if valid.is_empty() { self.epochs.iter().map(|e| e.train_loss).collect() } else { valid }
    }

    /// A metric of every epoch that has it.
    pub fn metric(&self, name: &str) -> Vec<f64> {
        self.epochs.iter().filter_map(|e| e.metric(name)).collect()
    }

    /// A hash over everything but the time.
    pub fn fingerprint(&self) -> Fingerprint {
        let timeless: Vec<Epoch> =
            self.epochs.iter().map(|e| Epoch { seconds: 0.0, ..e.clone() }).collect();
        Fingerprint::of(&timeless).expect("plain numbers and names can be serialised")
    }

    /// Writes a table: a line of names, then one line an epoch; what an epoch does not have is
    /// empty.
    ///
    /// # Errors
    /// The writer's.
    pub fn write_csv(&self, out: &mut impl Write) -> io::Result<()> {
        let names = self.metric_names();
        write_names(&names, out)?;
        self.epochs.iter().try_for_each(|epoch| epoch.write_csv_row(&names, out))
    }

    /// Writes one JSON object an epoch and line ("JSON lines").
    ///
    /// # Errors
    /// The writer's.
    pub fn write_json_lines(&self, out: &mut impl Write) -> io::Result<()> {
        self.epochs.iter().try_for_each(|epoch| epoch.write_json_line(out))
    }

    /// Every metric's name, in the order of first appearance.
    fn metric_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in self.epochs.iter().flat_map(|e| &e.metrics) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }
}

impl Epoch {
    /// A metric's value, if this epoch has it.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.iter().find(|(n, _)| n == name).map(|(_, value)| *value)
    }

    /// Writes the record as a line of CSV with these metrics; what it does not have is empty.
    pub(crate) fn write_csv_row(&self, metrics: &[&str], out: &mut impl Write) -> io::Result<()> {
        let cell = |value: Option<f64>| value.map_or(String::new(), |v| format!("{v:?}"));
        write!(out, "{},{},{:?}", self.epoch, self.updates, self.train_loss)?;
        write!(out, ",{},{}", cell(self.final_loss), cell(self.valid_loss))?;
        for name in metrics {
            write!(out, ",{}", cell(self.metric(name)))?;
        }
        writeln!(
            out,
            ",{:?},{:?},{:?},{:?}",
            self.rate, self.gradient_norm, self.weight_norm, self.seconds
        )
    }

    /// Writes the record as one line of JSON; what is not finite becomes `null`.
    ///
    /// # Errors
    /// The writer's.
    pub fn write_json_line(&self, out: &mut impl Write) -> io::Result<()> {
        let number =
            |value: f64| if value.is_finite() { format!("{value:?}") } else { "null".into() };
        let optional = |value: Option<f64>| number(value.unwrap_or(f64::NAN));
        let metrics: Vec<String> = (self.metrics.iter())
            .map(|(name, value)| format!("{}:{}", json_string(name), number(*value)))
            .collect();
        writeln!(
            out,
            "{{\"epoch\":{},\"updates\":{},\"train_loss\":{},\"final_loss\":{},\"valid_loss\":{},\
             \"metrics\":{{{}}},\"rate\":{},\"gradient_norm\":{},\"weight_norm\":{},\"seconds\":{}}}",
            self.epoch,
            self.updates,
            number(self.train_loss),
            optional(self.final_loss),
            optional(self.valid_loss),
            metrics.join(","),
            number(self.rate),
            number(self.gradient_norm),
            number(self.weight_norm),
            number(self.seconds),
        )
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {}: loss {:.4}", self.epoch, self.train_loss)?;
        for (name, loss) in [("at its end", self.final_loss), ("validation", self.valid_loss)] {
            loss.map_or(Ok(()), |loss| write!(f, ", {name} {loss:.4}"))?;
        }
        self.metrics.iter().try_for_each(|(name, value)| write!(f, ", {name} {value:.4}"))?;
        write!(f, ", rate {:.2e}", self.rate)
    }
}

impl PartialEq for Epoch {
    /// Equal to the bit, whatever the time: two NaN of the same bits are equal, 0 and -0 are not.
    fn eq(&self, other: &Self) -> bool {
        let bits = |e: &Self| {
            let plain = [e.train_loss, e.rate, e.gradient_norm, e.weight_norm].map(f64::to_bits);
            let optional = [e.final_loss, e.valid_loss].map(|loss| loss.map(f64::to_bits));
            (e.epoch, e.updates, plain, optional)
        };
        let same =
            |a: &(String, f64), b: &(String, f64)| a.0 == b.0 && a.1.to_bits() == b.1.to_bits();
        bits(self) == bits(other)
            && self.metrics.len() == other.metrics.len()
            && self.metrics.iter().zip(&other.metrics).all(|(a, b)| same(a, b))
    }
}

/// Writes the line of names above a table of epochs with these metrics.
pub(crate) fn write_names(metrics: &[&str], out: &mut impl Write) -> io::Result<()> {
    let metrics = metrics.iter().fold(String::new(), |line, name| line + "," + &quoted(name));
    writeln!(
        out,
        "epoch,updates,train_loss,final_loss,valid_loss{metrics},rate,gradient_norm,weight_norm,\
         seconds"
    )
}

/// A CSV field, in quotes where it needs them.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.into()
    }
}

/// A JSON string.
fn json_string(text: &str) -> String {
    let mut json = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c < ' ' => json.push_str(&format!("\\u{:04x}", c as u32)),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> History {
        let first = Epoch {
            epoch: 1,
            updates: 5,
            train_loss: 0.5,
            valid_loss: Some(1e-7),
            metrics: vec![("accuracy".into(), 0.75)],
            rate: 0.1,
            gradient_norm: 2.0,
            weight_norm: 3.0,
            seconds: 0.25,
            ..Epoch::default()
        };
        let second = Epoch {
            epoch: 2,
            metrics: vec![("a, \"b\"\n".into(), f64::NAN)],
            final_loss: Some(0.25),
            valid_loss: None,
            ..first.clone()
        };
        let mut history = History::default();
        history.push(first);
        history.push(second);
        history
    }

    #[test]
    fn csv_has_every_metric_and_leaves_empty_what_is_not_there() {
        let mut csv = Vec::new();
        history().write_csv(&mut csv).unwrap();
        assert_eq!(
            String::from_utf8(csv).unwrap(),
            "epoch,updates,train_loss,final_loss,valid_loss,accuracy,\"a, \"\"b\"\"\n\",\
             rate,gradient_norm,weight_norm,seconds\n\
             1,5,0.5,,1e-7,0.75,,0.1,2.0,3.0,0.25\n\
             2,5,0.5,0.25,,,NaN,0.1,2.0,3.0,0.25\n"
        );
    }

    #[test]
    fn json_lines_are_json() {
        let mut json = Vec::new();
        history().write_json_lines(&mut json).unwrap();
        assert_eq!(
            String::from_utf8(json).unwrap(),
            "{\"epoch\":1,\"updates\":5,\"train_loss\":0.5,\"final_loss\":null,\"valid_loss\":1e-7,\
             \"metrics\":{\"accuracy\":0.75},\"rate\":0.1,\"gradient_norm\":2.0,\"weight_norm\":3.0,\
             \"seconds\":0.25}\n\
             {\"epoch\":2,\"updates\":5,\"train_loss\":0.5,\"final_loss\":0.25,\"valid_loss\":null,\
             \"metrics\":{\"a, \\\"b\\\"\\u000a\":null},\"rate\":0.1,\"gradient_norm\":2.0,\
             \"weight_norm\":3.0,\"seconds\":0.25}\n"
        );
    }

    #[test]
    fn time_is_no_part_of_a_comparison_and_everything_else_is() {
        let base = history();
        let changed = |change: fn(&mut Epoch)| {
            let mut other = base.clone();
            change(&mut other.epochs[1]);
            assert_eq!(other == base, other.fingerprint() == base.fingerprint());
            other == base
        };
        assert!(changed(|e| e.seconds = 99.0));
        let changes: [fn(&mut Epoch); 11] = [
            |e| e.epoch = 3,
            |e| e.updates = 6,
            |e| e.train_loss = 0.500_000_000_000_000_1,
            |e| e.final_loss = None,
            |e| e.valid_loss = Some(0.0),
            |e| e.rate = -0.1,
            |e| e.gradient_norm = 0.0,
            |e| e.weight_norm = 0.0,
            |e| e.metrics[0].0.push('x'),
            |e| e.metrics[0].1 = 0.0,
            |e| e.metrics.clear(),
        ];
        for change in changes {
            assert!(!changed(change));
        }
        let mut zero = base.clone();
        zero.epochs[0].rate = 0.0;
        let mut minus_zero = base.clone();
        minus_zero.epochs[0].rate = -0.0;
        assert_ne!(zero, minus_zero);
        assert_ne!(zero.fingerprint(), minus_zero.fingerprint());
    }

    #[test]
    fn an_epoch_is_shown_as_a_line_of_what_it_has() {
        let mut epoch = history().epochs[0].clone();
        let line = "epoch 1: loss 0.5000, validation 0.0000, accuracy 0.7500, rate 1.00e-1";
        assert_eq!(epoch.to_string(), line);
        (epoch.final_loss, epoch.valid_loss) = (Some(0.25), None);
        epoch.metrics.clear();
        assert_eq!(epoch.to_string(), "epoch 1: loss 0.5000, at its end 0.2500, rate 1.00e-1");
    }

    #[test]
    fn early_stopping_sees_the_training_loss_only_where_nothing_else_is() {
        let mut history = history();
        assert_eq!(history.losses(), [1e-7]);
        history.epochs[0].valid_loss = None;
        assert_eq!(history.losses(), [0.5, 0.5]);
        assert_eq!(history.metric("accuracy"), [0.75]);
        assert!(!history.is_empty() && History::default().is_empty());
        assert_eq!(History::default().losses(), [0.0; 0]);
    }
}
