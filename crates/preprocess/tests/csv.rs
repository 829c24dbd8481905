//! Tables of text: what is read, and what is refused with which words.

mod tables;

use flate2::{Compression, write::GzEncoder};
use slalom_preprocess::{Csv, Kind, Limits, Separator};
use std::io::Write;
use tables::{plain, read, refused};

#[test]
fn the_same_table_however_its_lines_end() {
    let wanted = read(&Csv::default(), "a,b\n1,x\n2,y\n").unwrap();
    assert_eq!(wanted.numbers("a").unwrap(), [1.0, 2.0]);
    for text in [
        "a,b\r\n1,x\r\n2,y\r\n",
        "a,b\r1,x\r2,y\r",
        "a,b\n1,x\n2,y",
        "a,b\n1,x\n2,y\n\n\n",
        "\u{feff}a,b\n1,x\n2,y\n",
        "a, b\n1 ,\tx\n 2, y\n",
        "\"a\",\"b\"\n\"1\",\"x\"\n2,\"y\"\n",
        "a,b\r\n1,x\r\n\r\n2,y",
    ] {
        assert_eq!(read(&Csv::default(), text).unwrap(), wanted, "{text:?}");
    }
}

#[test]
fn large_files_are_read_as_small_ones_are() {
    let threads = slalom_tensor::Threads::new(3).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.csv");
    let row = |i: usize| format!("{},{}.5,-{i}e-3\n", i % 7, i);
    let rows = 300_000; // more than one block of several pieces
    let check = |text: &str, csv: &Csv, wanted: &dyn Fn(usize) -> [f64; 3]| {
        std::fs::write(&path, text).unwrap();
        let shared = csv.read_with(&path, &threads).unwrap();
        for table in [shared, csv.from_reader(text.as_bytes(), "it").unwrap()] {
            let columns = ["a", "b", "c"].map(|name| table.numbers(name).unwrap());
            assert_eq!(table.rows(), rows);
            for i in 0..rows {
                let found = columns.map(|column| column[i].to_bits());
                assert_eq!(found, wanted(i).map(f64::to_bits), "row {i}");
            }
        }
    };
    let number = |i: usize| [(i % 7) as f64, i as f64 + 0.5, format!("-{i}e-3").parse().unwrap()];
    let plain: String = (0..rows).map(row).collect();
    check(&format!("a,b,c\n{plain}"), &Csv::default(), &number);
    check(&format!("a,b,c\r\n{}", plain.replace('\n', "\r\n")), &Csv::default(), &number);
    // a gap, a blank line and a quote far behind
    let marked = Csv { missing: vec!["?".into(), String::new()], ..Csv::default() };
    let rows_with = |special: &str| {
        let line = |i| if i == 250_000 { special.to_string() } else { row(i) };
        format!("a,b,c\n{}", (0..rows).map(line).collect::<String>())
    };
    let gap = |i: usize| if i == 250_000 { [f64::NAN, 2.0, f64::NAN] } else { number(i) };
    check(&rows_with("?, 2 ,\n\n"), &marked, &gap);
    check(&rows_with("\"?\",\"2\",\n"), &marked, &gap);
    // an error far behind is told by its line
    for (special, wanted) in [
        ("1,2\n", "line 250002 has 2 fields"),
        ("1,2,3,4\n", "line 250002 has 4 fields"),
        ("\n\n1,2x,3\n", "line 250004, column 'b': \"2x\" is no number"),
        ("1,2,\n", "line 250002, column 'c': \"\" is no number"),
        ("1,inf,2\n", "line 250002, column 'b': \"inf\" is infinite"),
        ("1,\"2,3\n", "the quote that opens on line 250002"),
    ] {
        refused(&Csv::default(), rows_with(special), wanted);
    }
}

#[test]
fn the_first_field_decides_what_a_column_holds() {
    let table = read(&plain(), "1,a,2020-01-31,11th\n2.5e-3,7,2021-02-01,9th\n").unwrap();
    let kinds: Vec<Kind> = table.columns().map(|(_, column)| column.kind()).collect();
    assert_eq!(kinds, [Kind::Numbers, Kind::Text, Kind::Text, Kind::Text]);
    assert_eq!(table.text("x1").unwrap().get(1), Some("7"));
    let kinds = vec![("x0".to_string(), Kind::Text)];
    let table = read(&Csv { kinds, ..plain() }, "007\n12abc\n").unwrap();
    assert_eq!(table.text("x0").unwrap().get(0), Some("007"));
    let kinds = vec![("x0".to_string(), Kind::Numbers)];
    refused(&Csv { kinds, ..plain() }, "a\n", "line 1, column 'x0': \"a\" is no number");
    let kinds = vec![("y".to_string(), Kind::Numbers)];
    refused(&Csv { kinds, ..plain() }, "a\n", "no column is called 'y'");
}

#[test]
fn numbers_are_decimal_and_finite() {
    let table = read(&plain(), "-0\n+1\n.5\n5.\n1e3\n1e-400\n123456789012345678\n").unwrap();
    let numbers = table.numbers("x0").unwrap();
    assert_eq!(numbers, [0.0, 1.0, 0.5, 5.0, 1000.0, 0.0, 123_456_789_012_345_680.0]);
    assert!(numbers[0].is_sign_negative());
    for bad in ["1,5", "1_000", "0x10", "12abc", "--3", "1e", "1 2", "١"] {
        refused(
            &Csv { separator: Csv::SEMICOLON, ..plain() },
            format!("7\n8\n{bad}\n"),
            "line 3, column 'x0'",
        );
    }
    for bad in ["inf", "-Infinity", "1e400"] {
        refused(&plain(), format!("7\n{bad}\n"), "is infinite or too large for f64");
    }
    // nor are they taken as text where they come first
    for bad in ["1,5", "1_000", "0x10", "--3", "inf", "1e400"] {
        let csv = Csv { separator: Csv::SEMICOLON, ..plain() };
        refused(&csv, format!("a;{bad}\n"), "looks like a number");
    }
}

#[test]
fn nothing_is_missing_unless_declared() {
    let csv = Csv { missing: vec!["?".into(), String::new(), "NA".into()], ..plain() };
    let table = read(&csv, "?,a\n1,NA\n ,b\n").unwrap();
    let numbers = table.numbers("x0").unwrap();
    assert!(numbers[0].is_nan() && numbers[1] == 1.0 && numbers[2].is_nan());
    assert_eq!(table.text("x1").unwrap().iter().collect::<Vec<_>>(), [Some("a"), None, Some("b")]);
    for bad in ["?", "", "NA", "nan", "-", "N/A", "null"] {
        refused(&plain(), format!("1,x\n{bad},y\n"), "declare it in `missing`");
        refused(&plain(), format!("{bad},x\n1,y\n"), "looks missing");
        refused(&plain(), format!("a,x\n{bad},y\n"), "line 2, column 'x0'");
    }
    let kinds = vec![("x0".to_string(), Kind::Text)];
    assert!(read(&Csv { kinds, ..plain() }, "a,x\n?,y\n").is_ok());
    let table = read(&csv, "?,1\n?,2\n").unwrap();
    assert_eq!(table.column("x0").unwrap().missing(), 2);
}

#[test]
fn a_text_among_numbers_is_named_however_late() {
    let text: String = (0..50_000).map(|i| format!("{i},x\n")).chain(["oops,y\n".into()]).collect();
    refused(&plain(), text, "line 50001, column 'x0': \"oops\" is no number");
}

#[test]
fn rows_of_another_length_are_named_by_line() {
    refused(&Csv::default(), "a,b\n1,2\n3\n", "line 3 has 1 fields, the first has 2");
    refused(&Csv::default(), "a,b\n1,2\n3,4,5\n", "line 3 has 3 fields, the first has 2");
    let cross = "|1x3 Cross validator\n25, Private, <=50K.\n";
    refused(&plain(), cross, "line 2 has 3 fields, the first has 1: if the first line is no part");
    let table = read(&Csv { skip_lines: 1, ..plain() }, cross).unwrap();
    assert_eq!(table.text("x2").unwrap().get(0), Some("<=50K."));
    refused(&Csv { skip_lines: 9, ..plain() }, cross, "skip_lines is 9, the file has 2 lines");
    for end in ["\n", "\r\n", "\r"] {
        let text = ["#", "", "a,b", "1,2", "3,4", ""].join(end);
        let table = read(&Csv { skip_lines: 2, ..Csv::default() }, &text).unwrap();
        assert_eq!(table.numbers("a").unwrap(), [1.0, 3.0], "{end:?}");
    }
    // lines that were left out count
    refused(&Csv { skip_lines: 1, ..plain() }, "#\n1,2\n3\n", "line 3 has 1 fields");
}

#[test]
fn another_separator_is_guessed_at() {
    refused(&Csv::default(), "a;b\n1;2\n", "1 column found; is the separator ';'?");
    refused(&Csv::default(), "a\tb\n1\t2\n", "is the separator '\\t'?");
    refused(&Csv { separator: Csv::TAB, ..plain() }, "a,b\nc,d\n", "is the separator ','?");
    assert!(read(&plain(), "\"a;b\"\nc\n").is_ok());
    let table = read(&Csv { separator: Csv::TAB, ..Csv::default() }, "a\tb\n1\t2\n").unwrap();
    assert_eq!(table.names(), ["a", "b"]);
    refused_setting(Separator::Byte(b'"'));
    refused_setting(Separator::Byte(b'\n'));
    refused_setting(Separator::Byte(b'7'));
}

#[track_caller]
fn refused_setting(separator: Separator) {
    let error = read(&Csv { separator, ..plain() }, "1\n").unwrap_err();
    assert!(error.starts_with("separator is"), "{error}");
}

#[test]
fn names_must_be_good() {
    refused(&Csv::default(), "a,a\n1,2\n", "two columns are called \"a\"");
    refused(&Csv::default(), "a,\n1,2\n", "the name of column 1 is empty");
    refused(&Csv::default(), "39, State-gov\n50, Private\n", "set header to false");
    let names = vec!["u".to_string(), "v".to_string()];
    let named = Csv { names: names.clone(), ..plain() };
    assert_eq!(read(&named, "1,2\n").unwrap().names(), names);
    let table = read(&Csv { names: names.clone(), ..Csv::default() }, "2019,2020\n1,2\n").unwrap();
    assert_eq!((table.rows(), table.names()), (1, &names[..]));
    refused(&named, "1,2,3\n", "2 names for the 3 columns");
}

#[test]
fn empty_files_and_tables_are_refused() {
    refused(&Csv::default(), "", "the file is empty");
    for text in ["\n", "\n\n", "a,b\n", "a,b"] {
        refused(&Csv::default(), text, "the table has no rows");
    }
    let table = read(&plain(), "1").unwrap();
    assert_eq!((table.rows(), table.names().len()), (1, 1));
    let csv = Csv { expect_rows: Some(3), ..plain() };
    refused(&csv, "1\n2\n", "2 rows found, 3 expected");
    assert!(read(&csv, "1\n2\n3\n").is_ok());
}

#[test]
fn limits_hold_and_name_their_field() {
    let limits = |limits| Csv { limits, ..plain() };
    let csv = limits(Limits { columns: 3, ..Limits::default() });
    refused(&csv, "1,2,3,4\n", "is 4, over the limit of 3: raise Limits::columns");
    let csv = limits(Limits { field: 5, ..Limits::default() });
    refused(&csv, "abc,abcdef\n", "is 6, over the limit of 5: raise Limits::field");
    let csv = limits(Limits { bytes: 100, ..Limits::default() });
    refused(&csv, "1\n".repeat(51), "over the limit of 100: raise Limits::bytes");
    assert!(read(&csv, "1\n".repeat(50)).is_ok());
}

#[test]
fn text_must_be_utf8_and_is_shown_escaped() {
    refused(&plain(), b"caf\xe9\n", "line 1, column 'x0'");
    refused(&plain(), b"caf\xe9\n", "is not UTF-8");
    refused(&plain(), "1\n\x1b[31mred\n", "\"\\u{1b}[31mred\" is no number");
    let error = read(&plain(), format!("1\n{}\n", "y".repeat(500))).unwrap_err();
    assert!(error.len() < 120, "{error}");
}

#[test]
fn gzip_is_told_by_its_first_bytes() {
    let text = "a,b\n1,x\n2,y\n";
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    assert_eq!(read(&Csv::default(), &packed), read(&Csv::default(), text));
    for cut in 3..packed.len() {
        refused(&Csv::default(), &packed[..cut], "compressed data is damaged");
    }
}

#[test]
fn a_bomb_is_stopped_at_the_ratio() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let line = [[b'1'; 1023].as_slice(), b"\n"].concat();
    (0..80 * 1024).for_each(|_| encoder.write_all(&line).unwrap());
    let bomb = encoder.finish().unwrap();
    let kinds = vec![("x0".to_string(), Kind::Text)];
    refused(&Csv { kinds, ..plain() }, bomb, "over the limit of 200: raise Limits::ratio");
}

#[test]
fn blanks_of_any_length_separate() {
    let csv = Csv { separator: Separator::Blanks, ..plain() };
    let table = read(&csv, "  1 \t 2\n3    4  \n \n\t5 6\r\n").unwrap();
    assert_eq!(table.numbers("x0").unwrap(), [1.0, 3.0, 5.0]);
    assert_eq!(table.numbers("x1").unwrap(), [2.0, 4.0, 6.0]);
    refused(&csv, "1 2\n3\n", "line 2 has 1 fields");
    // quotes mean nothing there
    assert_eq!(read(&csv, "\"a b\n").unwrap().text("x0").unwrap().get(0), Some("\"a"));
}

#[test]
fn no_change_of_a_byte_does_harm() {
    let text = b"a,\"b\"\n1,\"x,\"\"y\"\n-2.5e1,z\n";
    for at in 0..text.len() {
        for byte in 0..=255 {
            let mut bad = text.to_vec();
            bad[at] = byte;
            if let Ok(table) = read(&Csv::default(), &bad) {
                assert!(table.columns().all(|(_, column)| column.len() == table.rows()));
            }
        }
        let _ = read(&Csv::default(), &text[..at]);
    }
}
