//! Files as nobody would write them: the fast way reads them as the slow one does, and none of the
//! readers panics.

use proptest::prelude::*;
use slalom_preprocess::{
    Csv, Limits, Table, npy_from_reader, npz_names, read_idx, read_npz, read_proben1,
};
use slalom_tensor::Threads;
use std::path::Path;

/// What a table holds, bit for bit.
fn bits(table: &Table) -> Vec<(String, Vec<String>)> {
    let cells = |name: &str| match table.numbers(name) {
        Ok(numbers) => numbers.iter().map(|v| v.to_bits().to_string()).collect(),
        Err(_) => table.text(name).unwrap().iter().map(|v| format!("{v:?}")).collect(),
    };
    table.names().iter().map(|name| (name.clone(), cells(name))).collect()
}

fn read(csv: &Csv, text: &str) -> Result<Vec<(String, Vec<String>)>, String> {
    let table = csv.from_reader(text.as_bytes(), "it").map(|table| bits(&table));
    table.map_err(|error| error.to_string())
}

/// Fields of numbers, and now and then of anything else.
fn field() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "",
        "?",
        " ",
        "abc",
        "inf",
        "nan",
        "-",
        "1e400",
        "\"7\"",
        "\"a,b\"",
        "\"",
        "1 2",
        "0x1",
        "12345678901234567890",
        "0.12345678901234567",
        "1e-7",
        "+3",
        "é",
        "1\r",
        "\"1\n2\"",
        "\"1\" ",
        "\"1\"2",
    ]);
    prop_oneof![
        40 => "-?[0-9]{1,9}(\\.[0-9]{0,8})?",
        4 => "-?[0-9]{0,25}\\.?[0-9]{0,25}(e-?[0-9]{1,3})?",
        4 => " {0,2}[0-9]{1,3}[ \t]{0,2}",
        1 => odd.prop_map(str::to_string),
    ]
}

proptest! {
    /// A quoted name in the header sends all of a file to the csv crate.
    #[test]
    fn the_fast_way_reads_as_the_csv_crate_does(
        rows in prop::collection::vec((prop::collection::vec(field(), 3..4), 0..4_usize), 1..60),
        cut in prop::option::weighted(0.2, 0..40_usize),
        markers in any::<bool>(),
        trim in any::<bool>(),
    ) {
        // the first rows say that all columns hold numbers, and fill the piece that goes row by row
        let mut text = "1.5,-2,3\n".repeat(600);
        for (fields, end) in &rows {
            text += &fields.join(",");
            text += ["\n", "\r\n", "\n\n", "\r"][*end];
        }
        let length = text.len().saturating_sub(cut.unwrap_or(0));
        let length = (0..=length).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
        let text = &text[..length];
        let missing = if markers { vec!["?".to_string(), String::new()] } else { Vec::new() };
        let csv = Csv { missing, trim, ..Csv::default() };
        let fast = read(&csv, &format!("a,b,c\n{text}"));
        let slow = read(&csv, &format!("\"a\",b,c\n{text}"));
        prop_assert_eq!(fast, slow);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(
        start in prop::sample::select(STARTS),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut file = [start, &bytes].concat();
        for (at, byte) in changes {
            let length = file.len().max(1);
            if let Some(place) = file.get_mut(at % length) {
                *place = byte;
            }
        }
        file.truncate(cut.index(file.len() + 1));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it");
        std::fs::write(&path, &file).unwrap();
        every_reader(&path, &file);
    }
}

/// What the formats begin with.
const STARTS: &[&[u8]] = &[
    b"",
    b"\x00\x00\x08\x03\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x03",
    b"\x00\x00\x0e\x02\xff\xff\xff\xff\x00\x00\x00\x03",
    b"\x93NUMPY\x01\x00\x46\x00{'descr': '<f4', 'fortran_order': False, 'shape': (5, 4), }          \n",
    b"\x93NUMPY\x02\x00\xff\xff\xff\xff",
    include_bytes!("two_arrays.npz"),
    b"bool_in=0\nreal_in=1\nbool_out=1\nreal_out=0\ntraining_examples=1\nvalidation_examples=1\n\
      test_examples=1\n0.1 1\n0.2 0\n0.3 1\n",
    b"a,b\n1,2\n\"x\",\r\n",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    b"\xef\xbb\xbf1\t2\n",
];

fn every_reader(path: &Path, file: &[u8]) {
    let limits = Limits { bytes: 1 << 20, ..Limits::default() };
    if let Ok(idx) = read_idx::<f32>(path, &limits) {
        assert!(idx.numbers.len() <= file.len());
    }
    if let Ok(x) = npy_from_reader::<f32>(file, "it", &limits) {
        assert!(x.len() <= file.len());
    }
    let _ = npz_names(path);
    let _ = read_npz::<f64>(path, "x", &limits);
    let _ = read_proben1::<f64>(path, &limits);
    for header in [true, false] {
        let csv = Csv { header, limits, missing: vec![String::new()], ..Csv::default() };
        let threads = Threads::one();
        if let Ok(table) = csv.read_with(path, &threads) {
            assert!(table.columns().all(|(_, column)| column.len() == table.rows()));
        }
    }
}
