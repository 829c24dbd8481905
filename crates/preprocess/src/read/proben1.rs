//! The `.dt` files of Proben1 (Prechelt 1994, "PROBEN1: a set of neural network benchmark problems
//! and benchmarking rules"): a header of counts, then rows of inputs and outputs between blanks, the
//! training rows first, then validation and test.
//!
//! Outputs are classes where the header calls them boolean and every row has exactly one 1 among
//! zeros; else they are values (`hearta` declares one boolean output but holds an analogue one).

use super::csv::{Csv, Separator};
use super::source::Source;
use crate::{DataSet, Fault, Limits, OwnedTargets, Parts, PreprocessError, Table};
use slalom_tensor::{Matrix, Scalar, Threads};
use std::io::Read;
use std::path::Path;

/// The keys of the header, in their order.
const KEYS: [&str; 7] = [
    "bool_in",
    "real_in",
    "bool_out",
    "real_out",
    "training_examples",
    "validation_examples",
    "test_examples",
];

/// The longest line of a header in bytes.
const LINE: usize = 100;

/// Reads a Proben1 file, plain or gzip, as its fixed split.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("slalom-dt-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("tiny.dt");
/// let file = "bool_in=0\nreal_in=2\nbool_out=2\nreal_out=0\ntraining_examples=2\n\
///             validation_examples=1\ntest_examples=1\n\
///             0.1 0.2 1 0\n0.3 0.4 0 1\n0.5 0.6 1 0\n0.7 0.8 0 1\n";
/// # std::fs::write(&path, file)?;
/// use slalom_preprocess::{Limits, read_proben1};
/// let parts = read_proben1::<f32>(&path, &Limits::default())?;
/// assert_eq!((parts.train.len(), parts.valid.len(), parts.test.len()), (2, 1, 1));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The system's errors; a header that is not Proben1's; rows that are not what it declares; an
/// empty part. A file that was cut within its very last number cannot be told from a whole one.
pub fn read_proben1<F: Scalar>(
    path: &Path,
    limits: &Limits,
) -> Result<Parts<DataSet<F>>, PreprocessError> {
    let mut source = Source::open(path, limits)?;
    let failed = |what: String| PreprocessError::file(path, Fault::Header { what });
    let mut counts = [0_usize; 7];
    for (line, (key, count)) in KEYS.iter().zip(&mut counts).enumerate() {
        let text = header_line(&mut source)?;
        let value = text.strip_prefix(key).and_then(|rest| rest.trim().strip_prefix('='));
        *count = value.and_then(|value| value.trim().parse().ok()).ok_or_else(|| {
            failed(format!("line {} is {text:?}, it must be {key}=COUNT", line + 1))
        })?;
    }
    let [bool_in, real_in, bool_out, real_out, train, valid, test] = counts;
    let sum = |numbers: &[usize]| numbers.iter().try_fold(0_usize, |sum, &n| sum.checked_add(n));
    let (Some(inputs), Some(outputs), Some(rows)) =
        (sum(&[bool_in, real_in]), sum(&[bool_out, real_out]), sum(&[train, valid, test]))
    else {
        return Err(failed("the sum of the counts overflows".to_string()));
    };
    if [inputs, outputs, train, valid, test].contains(&0) {
        let what =
            format!("{inputs} inputs, {outputs} outputs, {train} + {valid} + {test} examples");
        return Err(failed(format!("{what}: none may be 0")));
    }
    let csv = Csv {
        separator: Separator::Blanks,
        header: false,
        expect_rows: Some(rows),
        limits: *limits,
        ..Csv::default()
    };
    let table = csv.parse(Vec::new(), source, KEYS.len(), &Threads::one())?;
    if Some(table.names().len()) != inputs.checked_add(outputs) {
        let found = table.names().len();
        return Err(failed(format!(
            "{inputs} inputs and {outputs} outputs, rows have {found} numbers"
        )));
    }
    let data = data_set(&table, inputs, real_out == 0 && bool_out > 1)?;
    let part = |start, count| data.subset(&(start..start + count).collect::<Vec<_>>());
    Ok(Parts {
        train: part(0, train)?,
        valid: part(train, valid)?,
        test: part(train + valid, test)?,
    })
}

/// One line of the header, without its end; what there is of it, where the file ends.
fn header_line<R: Read>(source: &mut Source<R>) -> Result<String, PreprocessError> {
    let mut line = Vec::new();
    while line.len() < LINE
        && let Some(byte) = source.byte()?
        && byte != b'\n'
    {
        line.push(byte);
    }
    Ok(String::from_utf8_lossy(&line).trim().to_string())
}

fn data_set<F: Scalar>(
    table: &Table,
    inputs: usize,
    boolean: bool,
) -> Result<DataSet<F>, PreprocessError> {
    let columns: Vec<&[f64]> =
        table.names().iter().map(|name| table.numbers(name)).collect::<Result<_, _>>()?;
    let (x, y) = columns.split_at(inputs);
    let class = |row: usize| {
        let mut ones = (0..y.len()).filter(|&i| y[i][row] == 1.0);
        let zeros = y.iter().filter(|column| column[row] == 0.0).count();
        ones.next().filter(|_| zeros + 1 == y.len()).map(|class| class as u32)
    };
    let classes: Option<Vec<u32>> = (0..table.rows()).map(class).collect();
    let names = |n: usize| (0..n).map(|i| i.to_string()).collect();
    let targets = match classes.filter(|_| boolean) {
        Some(indices) => OwnedTargets::Classes { indices, names: names(y.len()) },
        None => {
            let values = Matrix::from_fn(y.len(), table.rows(), |i, row| F::of(y[i][row]));
            let names = (0..y.len()).map(|i| format!("y{i}")).collect();
            OwnedTargets::Values { values, names }
        }
    };
    DataSet::new(Matrix::from_fn(inputs, table.rows(), |i, row| F::of(x[i][row])), targets)
}
