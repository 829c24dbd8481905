//! Tables with quotes and odd ends of lines: what is read, what is refused, and on which line.

mod tables;

use flate2::{Compression, write::GzEncoder};
use slalom_preprocess::{Csv, Limits, Separator};
use std::io::{Read, Write};
use tables::{plain, read, refused};

#[test]
fn quotes_hold_separators_quotes_and_lines() {
    let table = read(&plain(), "\"a,b\",1\n\"say \"\"hi\"\"\",2\n\"two\nlines\",3\n").unwrap();
    let text = table.text("x0").unwrap();
    assert_eq!(text.iter().flatten().collect::<Vec<_>>(), ["a,b", "say \"hi\"", "two\nlines"]);
}

#[test]
fn text_behind_a_closing_quote_is_refused() {
    // the quote of line 2 never ends, and that of line 3 would end it
    let unbalanced = "a,b\n1,\"x\n2,\"y\"\n3,z\n";
    refused(
        &Csv::default(),
        unbalanced,
        "line 3: text follows the quote that closes the one of line 2",
    );
    refused(&Csv::default(), "a,b\n1,\"x\"y\n", "line 2: text follows the quote");
    refused(&Csv::default(), "a,b\n1,\"x\" \"y\"\n", "line 2: text follows the quote");
    // what comes before it is told first
    refused(&Csv::default(), "a,b\n1,\"x\"\n2\n3,\"y\"z\n", "line 3 has 1 fields");
    let text = "a,b\n1,\"x\" \n2,\"y\"\t\r\n3,5\" wide\n4,\"\"\"z\"\"\"\n5,\"w\"";
    let table = read(&Csv::default(), text).unwrap();
    let found: Vec<_> = table.text("b").unwrap().iter().flatten().collect();
    assert_eq!(found, ["x", "y", "5\" wide", "\"z\"", "w"]);
    // a quote within a field is a sign like any other
    let tabs = Csv { separator: Csv::TAB, ..plain() };
    let table = read(&tabs, "\"a\"\t1\n\"b\" \t2\n").unwrap();
    assert_eq!(table.text("x0").unwrap().get(1), Some("b"));
}

#[test]
fn lines_are_counted_whatever_ends_them() {
    for end in ["\n", "\r\n", "\r"] {
        let rows = ["a,b", "1,\"x\"", "", "", "2,\"y", "z\"", "", "3,w,v", ""];
        refused(&Csv::default(), rows.join(end), "line 8 has 3 fields");
        let rows = ["", "a,b", "", "\"1\",x", "2z,y"];
        refused(&Csv::default(), rows.join(end), "line 5, column 'a': \"2z\" is no number");
        let rows = ["\"a\"", "", "\"b", "c"];
        refused(&Csv::default(), rows.join(end), "the quote that opens on line 3");
    }
    let blanks = Csv { separator: Separator::Blanks, ..plain() };
    refused(&blanks, "1 2\n\n \t\n\n3\n", "line 5 has 1 fields");
    // the header of another program, a blank line, and a mark of the byte order
    let skip = Csv { skip_lines: 2, ..Csv::default() };
    refused(&skip, "made by\n\n\"a\",b\n\n1,2\n3\n", "line 6 has 1 fields");
    refused(&Csv::default(), "\u{feff}\n\"a\",b\n1,2\n3\n", "line 4 has 1 fields");
    assert_eq!(read(&blanks, "\u{feff}1 2\n").unwrap().numbers("x0").unwrap(), [1.0]);
}

#[test]
fn quotes_that_never_end_are_told_by_their_line() {
    refused(&Csv::default(), "a,b\n1,x\n2,\"y\n3,z\n", "the quote that opens on line 3");
    refused(&Csv::default(), "a,b\n1,\"x", "the quote that opens on line 2");
    refused(&plain(), "\"two\nlines\",\"open\n", "the quote that opens on line 2");
    let long = format!("a,b\n1,\"{}", "x\n".repeat(200_000));
    let limits = Limits { record: 10_000, ..Limits::default() };
    refused(&Csv { limits, ..Csv::default() }, long, "row that starts on line 2");
}

#[test]
fn blank_lines_are_no_long_record() {
    let limits = Limits { record: 10, ..Limits::default() };
    let csv = Csv { limits, ..plain() };
    let text = format!("\"a\",1\n{}\"b\",2\n", "\n".repeat(50));
    assert_eq!(read(&csv, &text).unwrap().rows(), 2);
    assert_eq!(read(&csv, "\"1234567\"\n").unwrap().rows(), 1);
    refused(&csv, "\"12345678\"\n", "the row that starts on line 1 has more than 10 bytes");
    let blanks = Csv { separator: Separator::Blanks, ..csv };
    refused(&blanks, "1 2\n12345 67890\n", "the row that starts on line 2 has more than 10 bytes");
}

/// A reader that gives one byte at a time, interrupted before each, and fails at the end.
struct Slow<'a> {
    text: &'a [u8],
    interrupted: bool,
    fails: bool,
}

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.interrupted = !self.interrupted;
        match self.text.split_first() {
            _ if self.interrupted => Err(std::io::ErrorKind::Interrupted.into()),
            Some((&byte, rest)) => {
                (buffer[0], self.text) = (byte, rest);
                Ok(1)
            }
            None if self.fails => Err(std::io::Error::other("the disk is gone")),
            None => Ok(0),
        }
    }
}

#[test]
fn the_size_of_the_reads_changes_nothing() {
    let text = "a,b\n1,\"x\"\"\ny\"\n2,z\n";
    let slow = |fails| {
        let reader = Slow { text: text.as_bytes(), interrupted: false, fails };
        Csv::default().from_reader(reader, "it").map_err(|error| error.to_string())
    };
    assert_eq!(slow(false), read(&Csv::default(), text));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let reader = Slow { text: &packed, interrupted: false, fails: false };
    assert_eq!(Csv::default().from_reader(reader, "it").unwrap(), slow(false).unwrap());
    let error = slow(true).unwrap_err();
    assert_eq!(error, format!("it: the disk is gone (at byte {})", text.len()));
}
