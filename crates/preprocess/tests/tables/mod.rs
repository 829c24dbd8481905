//! What the tests of tables share.

use slalom_preprocess::{Csv, Table};

/// The table in the text, or the words of the error.
pub(crate) fn read(csv: &Csv, text: impl AsRef<[u8]>) -> Result<Table, String> {
    csv.from_reader(text.as_ref(), "it").map_err(|error| error.to_string())
}

/// A reader of tables without a header.
pub(crate) fn plain() -> Csv {
    Csv { header: false, ..Csv::default() }
}

/// Checks that the text is refused in these words, and the file named.
#[track_caller]
pub(crate) fn refused(csv: &Csv, text: impl AsRef<[u8]>, wanted: &str) {
    let error = read(csv, text).expect_err("this should be refused");
    assert!(error.contains(wanted), "{error:?} does not say {wanted:?}");
    assert!(error.starts_with("it: "), "{error:?} does not name the file");
}
