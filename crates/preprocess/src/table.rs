//! A table: named columns of numbers or text, all equally long.

use crate::{OwnedTargets, PreprocessError, Text};
use serde::{Deserialize, Serialize};
use slalom_tensor::{Matrix, Scalar};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Finite numbers.
    Numbers,
    /// Text: names, categories, dates.
    Text,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Numbers => "numbers",
            Self::Text => "text",
        })
    }
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Numbers; NaN where one is missing.
    Numbers(Vec<f64>),
    /// Text, each distinct value held once.
    Text(Text),
}

impl Column {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Text(text) => text.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the column holds.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Numbers(_) => Kind::Numbers,
            Self::Text(_) => Kind::Text,
        }
    }

    /// How many rows are missing.
    pub fn missing(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.iter().filter(|v| v.is_nan()).count(),
            Self::Text(text) => text.missing(),
        }
    }
}

/// Named columns of numbers or text, all equally long.
///
/// ```
/// use slalom_preprocess::{Column, Table};
/// let table = Table::new(vec![
///     ("age".into(), Column::Numbers(vec![39.0, f64::NAN])),
///     ("city".into(), Column::Text(["Bern", "Basel"].into_iter().collect())),
/// ])?;
/// assert_eq!((table.rows(), table.names()), (2, &["age".to_string(), "city".into()][..]));
/// assert_eq!(table.numbers("age")?[0], 39.0);
/// let error = table.column("ctiy").unwrap_err().to_string();
/// assert_eq!(error, "no column is called 'ctiy': did you mean 'city'? there are age, city");
/// # Ok::<(), slalom_preprocess::PreprocessError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    names: Vec<String>,
    columns: Vec<Column>,
}

impl Table {
    /// A table of these columns.
    ///
    /// # Errors
    /// A name that is empty or comes twice, or columns of different length.
    pub fn new(columns: Vec<(String, Column)>) -> Result<Self, PreprocessError> {
        let (names, columns): (Vec<String>, Vec<Column>) = columns.into_iter().unzip();
        check_names(&names)?;
        let rows = columns.first().map_or(0, Column::len);
        match columns.iter().map(Column::len).find(|&len| len != rows) {
            None => Ok(Self { names, columns }),
            Some(found) => {
                Err(PreprocessError::Count { what: "rows of a column", expected: rows, found })
            }
        }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, Column::len)
    }

    /// The names of the columns, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The columns with their names, in order.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &Column)> {
        self.names.iter().map(String::as_str).zip(&self.columns)
    }

    /// A column.
    ///
    /// # Errors
    /// No column of that name; the error has the nearest one.
    pub fn column(&self, name: &str) -> Result<&Column, PreprocessError> {
        Ok(&self.columns[self.place(name)?])
    }

    /// A column of numbers.
    ///
    /// # Errors
    /// No such column, or one of text.
    pub fn numbers(&self, name: &str) -> Result<&[f64], PreprocessError> {
        match self.column(name)? {
            Column::Numbers(numbers) => Ok(numbers),
            Column::Text(_) => Err(kind_error(name, Kind::Numbers, Kind::Text)),
        }
    }

    /// A column of text.
    ///
    /// # Errors
    /// No such column, or one of numbers.
    pub fn text(&self, name: &str) -> Result<&Text, PreprocessError> {
        match self.column(name)? {
            Column::Text(text) => Ok(text),
            Column::Numbers(_) => Err(kind_error(name, Kind::Text, Kind::Numbers)),
        }
    }

    /// A column as class labels: text as it is, numbers by their shortest decimal form.
    ///
    /// # Errors
    /// No such column.
    pub fn labels(&self, name: &str) -> Result<Text, PreprocessError> {
        Ok(match self.column(name)? {
            Column::Text(text) => text.clone(),
            Column::Numbers(numbers) => {
                let mut text = Text::default();
                for number in numbers {
                    let label = (!number.is_nan()).then(|| number.to_string());
                    text.push(label.as_deref());
                }
                text
            }
        })
    }

    /// Columns of numbers as the targets of a regression.
    ///
    /// # Errors
    /// No such column, or one of text.
    pub fn values<F: Scalar>(&self, names: &[&str]) -> Result<OwnedTargets<F>, PreprocessError> {
        let columns: Vec<&[f64]> =
            names.iter().map(|name| self.numbers(name)).collect::<Result<_, _>>()?;
        let values = Matrix::from_fn(names.len(), self.rows(), |i, row| F::of(columns[i][row]));
        let names = names.iter().map(ToString::to_string).collect();
        Ok(OwnedTargets::Values { values, names })
    }

    /// The table without these columns.
    ///
    /// # Errors
    /// No such column.
    pub fn without(&self, names: &[&str]) -> Result<Self, PreprocessError> {
        names.iter().try_for_each(|name| self.place(name).map(|_| ()))?;
        let kept = self.columns().filter(|(name, _)| !names.contains(name));
        Self::new(kept.map(|(name, column)| (name.to_string(), column.clone())).collect())
    }

    /// These rows, in this order.
    ///
    /// # Errors
    /// An index past the end.
    pub fn subset(&self, rows: &[usize]) -> Result<Self, PreprocessError> {
        let samples = self.rows();
        if let Some(&index) = rows.iter().find(|&&row| row >= samples) {
            return Err(PreprocessError::Index { index, samples });
        }
        let subset = |column: &Column| {
            Ok(match column {
                Column::Numbers(numbers) => {
                    Column::Numbers(rows.iter().map(|&row| numbers[row]).collect())
                }
                Column::Text(text) => Column::Text(text.subset(rows)?),
            })
        };
        let columns = self.columns.iter().map(subset).collect::<Result<_, PreprocessError>>()?;
        Ok(Self { names: self.names.clone(), columns })
    }

    fn place(&self, name: &str) -> Result<usize, PreprocessError> {
        let place = self.names.iter().position(|known| known == name);
        place.ok_or_else(|| missing_column(name, &self.names))
    }
}

/// Checks that no name is empty and none comes twice.
pub(crate) fn check_names(names: &[String]) -> Result<(), PreprocessError> {
    if let Some(place) = names.iter().position(String::is_empty) {
        return Err(PreprocessError::Names {
            what: format!("the name of column {place} is empty"),
        });
    }
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(pair) => {
            Err(PreprocessError::Names { what: format!("two columns are called {:?}", pair[0]) })
        }
    }
}

/// The error for a column that holds something else than wanted.
pub(crate) fn kind_error(name: &str, expected: Kind, found: Kind) -> PreprocessError {
    PreprocessError::ColumnKind { column: name.to_string(), expected, found }
}

/// The error for a column that is not there, with the name nearest to it.
pub(crate) fn missing_column(name: &str, known: &[String]) -> PreprocessError {
    let near = known.iter().min_by_key(|known| distance(name, known));
    let near = near.filter(|known| distance(name, known) <= name.chars().count() / 2);
    let hint = near.map_or(String::new(), |near| format!(" did you mean '{near}'?"));
    let list = if known.len() <= 20 {
        known.join(", ")
    } else {
        format!("{}, … ({} in all)", known[..20].join(", "), known.len())
    };
    let what = format!("no column is called '{name}':{hint} there are {list}");
    PreprocessError::Names { what }
}

/// How many letters must be added, taken away or changed to turn one name into the other
/// (Levenshtein 1966); names are cut at 100 letters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(100).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().take(100).enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, &other) in b.iter().enumerate() {
            let change = corner + usize::from(letter != other);
            corner = row[j + 1];
            row[j + 1] = change.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table::new(vec![
            ("a".into(), Column::Numbers(vec![1.0, f64::NAN, 2.5])),
            ("b".into(), Column::Text([Some("x"), None, Some("y")].into_iter().collect())),
        ])
        .unwrap()
    }

    #[test]
    fn names_and_lengths_must_be_good() {
        let error = |columns| Table::new(columns).unwrap_err().to_string();
        let column = |n| Column::Numbers(vec![0.0; n]);
        let twice = vec![("a".into(), column(1)), ("a".into(), column(1))];
        assert_eq!(error(twice), "two columns are called \"a\"");
        assert_eq!(error(vec![(String::new(), column(1))]), "the name of column 0 is empty");
        let ragged = vec![("a".into(), column(1)), ("b".into(), column(2))];
        assert_eq!(error(ragged), "rows of a column: expected 1, found 2");
    }

    #[test]
    fn columns_are_what_they_are() {
        let table = table();
        let error = table.numbers("b").unwrap_err().to_string();
        assert_eq!(error, "column 'b' holds text, numbers are needed");
        assert!(table.text("a").is_err());
        let labels = table.labels("a").unwrap();
        assert_eq!(labels.iter().collect::<Vec<_>>(), [Some("1"), None, Some("2.5")]);
        assert_eq!(table.without(&["a"]).unwrap().names(), ["b"]);
        assert!(
            table.without(&["q"]).unwrap_err().to_string().starts_with("no column is called 'q'")
        );
        let subset = table.subset(&[2, 0]).unwrap();
        assert_eq!(subset.numbers("a").unwrap(), [2.5, 1.0]);
        assert_eq!(subset.text("b").unwrap().get(0), Some("y"));
        assert!(table.subset(&[3]).is_err());
        assert_eq!(table.column("a").unwrap().missing(), 1);
    }

    #[test]
    fn a_name_is_proposed_where_half_of_it_is_right() {
        let hint = |name: &str| missing_column(name, &["city".into(), "race".into()]).to_string();
        assert!(hint("ctiy").contains("did you mean 'city'?"));
        assert!(!hint("age").contains("did you mean") && !hint("q").contains("did you mean"));
    }

    #[test]
    fn distances_by_hand() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
