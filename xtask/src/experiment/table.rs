//! Tables of numbers whose last column is a class, as `sklearn --table` takes them.

use std::path::Path;

use anyhow::{Context, Result, bail};
use slalom::tensor::Matrix;

/// A table of numbers whose last column is a class.
pub(crate) struct Table {
    /// *features × samples*
    pub(crate) x: Matrix<f64>,
    pub(crate) classes: Vec<u32>,
    /// How many classes there are. They are in order: by value if all are numbers, as text if not.
    pub(crate) count: usize,
}

/// A line of the file.
struct Line {
    number: usize,
    fields: Vec<String>,
}

impl Line {
    fn inputs(&self) -> &[String] {
        &self.fields[..self.fields.len() - 1]
    }

    fn class(&self) -> &String {
        &self.fields[self.fields.len() - 1]
    }
}

impl Table {
    /// Reads a CSV file: numbers, and the class in the last column, which may be text. The first
    /// line is taken as names if none of its inputs is a number, or if its class is the only one
    /// that is not.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        Self::parse(path).with_context(|| path.display().to_string())
    }

    fn parse(path: &Path) -> Result<Self> {
        let mut lines = lines(path)?;
        if lines.first().is_some_and(|first| is_names(first, &lines[1..])) {
            lines.remove(0);
        }
        let Some(first) = lines.first() else { bail!("there are no rows") };
        let features = first.inputs().len();
        let mut numbers = Vec::with_capacity(lines.len() * features);
        for line in &lines {
            for (column, field) in (1..).zip(line.inputs()) {
                match field.parse::<f64>() {
                    Ok(value) if value.is_finite() => numbers.push(value),
                    _ => bail!(
                        "line {}, column {column}: {field:?} is not a finite number",
                        line.number
                    ),
                }
            }
            if line.class().is_empty() {
                bail!("line {}, column {}: the class is missing", line.number, features + 1);
            }
        }
        let (classes, count) = coded(&lines);
        if count < 2 {
            bail!("all rows are of one class, {:?}", first.class());
        }
        Ok(Self { x: Matrix::from_vec(features, lines.len(), numbers), classes, count })
    }

    /// The inputs, each feature from 0 to 1 as scikit-learn's `MinMaxScaler` makes it.
    pub(crate) fn min_max(&self) -> Matrix<f64> {
        let mut x = self.x.clone();
        for mut row in x.row_iter_mut() {
            let (low, high) = (row.min(), row.max());
            let scale = if high > low { 1.0 / (high - low) } else { 1.0 };
            let shift = -low * scale;
            row.iter_mut().for_each(|v| *v = *v * scale + shift);
        }
        x
    }
}

/// All lines that are not empty, as long as the first.
fn lines(path: &Path) -> Result<Vec<Line>> {
    let bytes = std::fs::read(path)?;
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&bytes[..]);
    let mut lines: Vec<Line> = Vec::new();
    let (mut number, mut counted) = (1, 0);
    for record in reader.records() {
        let record = record?;
        // the record's place is in front of the empty lines that the reader skips
        let place = record.position().map_or(0, |place| place.byte() as usize);
        let empty = bytes[place..].iter().take_while(|byte| b"\r\n".contains(byte)).count();
        number += bytes[counted..place + empty].iter().filter(|byte| **byte == b'\n').count();
        counted = place + empty;
        let fields: Vec<String> = record.iter().map(|field| field.trim().to_string()).collect();
        if fields.len() < 2 {
            bail!("line {number} has one column: at least a number and a class");
        }
        if let Some(first) = lines.first().filter(|first| first.fields.len() != fields.len()) {
            let (columns, known) = (fields.len(), first.fields.len());
            let column = columns.min(known) + 1;
            bail!(
                "line {number}, column {column}: the line has {columns} columns, line {} has {known}",
                first.number
            );
        }
        lines.push(Line { number, fields });
    }
    Ok(lines)
}

fn is_names(first: &Line, others: &[Line]) -> bool {
    let number = |field: &String| field.parse::<f64>().is_ok();
    let classes = || others.iter().map(Line::class);
    !first.inputs().iter().any(number)
        || !number(first.class()) && !others.is_empty() && classes().all(number)
}

/// The class of every line as an index, and how many there are.
fn coded(lines: &[Line]) -> (Vec<u32>, usize) {
    let labels: Vec<&String> = lines.iter().map(Line::class).collect();
    let numbers: Option<Vec<f64>> = labels.iter().map(|label| label.parse().ok()).collect();
    match numbers {
        Some(numbers) => indices(&numbers, f64::total_cmp),
        None => indices(&labels, Ord::cmp),
    }
}

fn indices<T: Clone>(
    values: &[T],
    order: impl Fn(&T, &T) -> std::cmp::Ordering,
) -> (Vec<u32>, usize) {
    let mut kinds = values.to_vec();
    kinds.sort_by(&order);
    kinds.dedup_by(|a, b| order(a, b).is_eq());
    // every value is among the kinds
    let place = |value| kinds.binary_search_by(|kind| order(kind, value)).unwrap_or_else(|at| at);
    (values.iter().map(|value| place(value) as u32).collect(), kinds.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Table> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Table::read(file.path())
    }

    #[test]
    fn tables_are_read_with_and_without_names() {
        let with = table("a,b,class\n1,2,10\n3,4,9\n5,2,10\n").unwrap();
        assert_eq!((with.x.shape(), with.count), ((2, 3), 2));
        assert_eq!(with.classes, [1, 0, 1], "9 is less than 10");
        assert_eq!(with.min_max().as_slice(), [0.0, 0.0, 0.5, 1.0, 1.0, 0.0]);
        let without = table("1, x\r\n2, y\r\n\r\n3, 10").unwrap();
        assert_eq!((without.x.ncols(), without.classes), (3, vec![1, 2, 0]));
    }

    #[test]
    fn numbered_columns_are_names_where_the_class_says_so() {
        assert_eq!(table("0,1,class\n1,2,0\n3,4,1\n").unwrap().x.shape(), (2, 2));
        assert_eq!(table("0,1,a\n1,2,b\n3,4,a\n").unwrap().x.shape(), (2, 3));
    }

    #[test]
    fn classes_that_are_equal_numbers_are_one() {
        let table = table("1,1\n2,1.0\n3,-1\n4,1e0\n").unwrap();
        assert_eq!((table.classes, table.count), (vec![1, 1, 0, 1], 2));
    }

    #[test]
    fn bad_tables_are_named() {
        let error = |text: &str| format!("{:#}", table(text).err().unwrap());
        assert!(error("").ends_with("there are no rows"));
        assert!(error("a,b\n").ends_with("there are no rows"));
        // lines are counted as an editor does, empty ones too
        let text = "1,2,a\n\n1,?,b\n";
        assert!(error(text).ends_with("line 3, column 2: \"?\" is not a finite number"));
        assert!(error("1,NaN,a\n").ends_with("line 1, column 2: \"NaN\" is not a finite number"));
        assert!(error("1,2,a\n1,2,\n").ends_with("line 2, column 3: the class is missing"));
        assert!(error("1,a\n2,a\n").ends_with("all rows are of one class, \"a\""));
        assert!(error("a\nb\n").ends_with("line 1 has one column: at least a number and a class"));
        let ends = ": the line has 2 columns, line 1 has 3";
        assert!(error("1,2,a\n1,b\n").ends_with(&format!("line 2, column 3{ends}")));
    }
}
