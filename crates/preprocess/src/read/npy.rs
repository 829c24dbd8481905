//! NPY, NumPy's file of one array, and NPZ, a zip of them.
//!
//! Read as NumPy 2 writes them: versions 1.0 to 3.0, booleans, integers and floats of any size and
//! byte order, C and Fortran order. An array of *samples × features* becomes *features × samples*
//! without a number being moved; one of a single dimension is one feature. Pickled objects are never
//! read.

use super::source::{Source, looks_like};
use crate::{Fault, Limits, PreprocessError};
use slalom_tensor::{Matrix, Scalar};
use std::io::Read;
use std::path::Path;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Reads an NPY file, plain or gzip; integers are rounded to the nearest float.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("slalom-npy-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("x.npy");
/// # let head = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }";
/// # let mut file = b"\x93NUMPY\x01\x00".to_vec();
/// # file.extend((head.len() as u16).to_le_bytes());
/// # file.extend(head.bytes());
/// # [1.5_f64, -2.0].iter().for_each(|v| file.extend(v.to_le_bytes()));
/// # std::fs::write(&path, &file)?;
/// use slalom_preprocess::{Limits, read_npy};
/// let x = read_npy::<f32>(&path, &Limits::default())?; // numpy: an array of shape (2, 1)
/// assert_eq!((x.shape(), x.as_slice()), ((1, 2), &[1.5, -2.0][..]));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The system's errors; a header that is not NumPy's, other dimensions than 1 or 2, another type of
/// number; fewer or more bytes than the shape needs; a number that is infinite or overflows.
pub fn read_npy<F: Scalar>(path: &Path, limits: &Limits) -> Result<Matrix<F>, PreprocessError> {
    parse(&mut Source::open(path, limits)?)
}

/// Reads NPY from anything that gives bytes; `name` stands for it in errors.
///
/// # Errors
/// As [`read_npy`].
pub fn npy_from_reader<F: Scalar>(
    reader: impl Read,
    name: &str,
    limits: &Limits,
) -> Result<Matrix<F>, PreprocessError> {
    parse(&mut Source::new(reader, name, limits)?)
}

fn parse<F: Scalar, R: Read>(source: &mut Source<R>) -> Result<Matrix<F>, PreprocessError> {
    let mut start = [0; 8];
    source.exactly(&mut start[..6], "the magic number")?;
    if start[..6] != *MAGIC {
        let found = looks_like(&start[..6]);
        return Err(source.error(Fault::Magic { wanted: "an NPY file", found }));
    }
    source.exactly(&mut start[6..], "the version")?;
    let mut length = [0; 4];
    let length = match start[6..] {
        [1, 0] => {
            source.exactly(&mut length[..2], "the header's length")?;
            u32::from_le_bytes(length)
        }
        [2 | 3, 0] => {
            source.exactly(&mut length, "the header's length")?;
            u32::from_le_bytes(length)
        }
        _ => {
            let what = format!("version {}.{}, this reads 1.0, 2.0 and 3.0", start[6], start[7]);
            return Err(source.error(Fault::Header { what }));
        }
    };
    let limit = source.limits().header;
    if u64::from(length) > limit {
        let (field, what, found) = ("header", "the header's length", length.into());
        return Err(source.error(Fault::Limit { field, what, found, limit }));
    }
    let mut text = vec![0; length as usize];
    source.exactly(&mut text, "the header")?;
    let header = std::str::from_utf8(&text).map_err(|_| "it is not UTF-8".to_string());
    let header = header.and_then(Header::parse);
    let Header { kind, fortran, shape } =
        header.map_err(|what| source.error(Fault::Header { what }))?;
    let [samples, features] = match shape[..] {
        [samples] => [samples, 1],
        [samples, features] => [samples, features],
        _ => {
            let what = format!("the array has {} dimensions, it must have 1 or 2", shape.len());
            return Err(source.error(Fault::Header { what }));
        }
    };
    let count = usize::try_from(samples)
        .ok()
        .and_then(|samples| samples.checked_mul(usize::try_from(features).ok()?))
        .filter(|count| count.checked_mul(kind.size).is_some());
    let Some(count) = count else {
        let what = format!("the size of the shape {shape:?} overflows");
        return Err(source.error(Fault::Header { what }));
    };
    let mut numbers: Vec<F> = Vec::new();
    source.in_steps((count * kind.size) as u64, "the numbers", &mut |part| {
        numbers.extend(part.chunks_exact(kind.size).map(|bytes| F::of(kind.number(bytes))));
        if numbers.len() >= count / 2 {
            numbers.reserve_exact(count - numbers.len());
        }
    })?;
    source.end()?;
    if let Some(i) = numbers.iter().position(|number| number.is_infinite()) {
        let what = format!("number {i} is infinite or too large for {}", F::NAME);
        return Err(source.error(Fault::Header { what }));
    }
    let (samples, features) = (samples as usize, features as usize);
    Ok(if fortran {
        Matrix::from_vec(samples, features, numbers).transpose()
    } else {
        Matrix::from_vec(features, samples, numbers)
    })
}

/// The type of the numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Kind {
    /// `b` boolean, `i` signed, `u` unsigned, `f` float.
    letter: u8,
    size: usize,
    big: bool,
}

impl Kind {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || match text.contains('O') {
            true => format!("descr is {text:?}: pickled objects are never read"),
            false => format!(
                "descr is {text:?}, it must be a boolean, an integer or a float of 4 or 8 bytes"
            ),
        };
        let &[order @ (b'<' | b'>' | b'|' | b'='), letter, size @ b'1'..=b'8'] = text.as_bytes()
        else {
            return Err(wrong());
        };
        let kind = Self { letter, size: usize::from(size - b'0'), big: order == b'>' };
        match (letter, kind.size) {
            (b'b', 1) | (b'i' | b'u', 1 | 2 | 4 | 8) | (b'f', 4 | 8) => Ok(kind),
            _ => Err(wrong()),
        }
    }

    fn number(self, bytes: &[u8]) -> f64 {
        let mut word = [0; 8];
        word[..self.size].copy_from_slice(bytes);
        if self.big {
            word[..self.size].reverse();
        }
        let word = u64::from_le_bytes(word);
        // the unused bits of a signed number take its sign
        let unused = 64 - 8 * self.size as u32;
        match (self.letter, self.size) {
            (b'f', 4) => f64::from(f32::from_bits(word as u32)),
            (b'f', _) => f64::from_bits(word),
            (b'i', _) => (((word << unused) as i64) >> unused) as f64,
            _ => word as f64,
        }
    }
}

/// What an NPY header says.
#[derive(Debug, PartialEq)]
struct Header {
    kind: Kind,
    fortran: bool,
    shape: Vec<u64>,
}

impl Header {
    /// Reads the literal of a Python dictionary with the keys `descr`, `fortran_order`, `shape`, each
    /// once, in any order. Not recursive: no value nests deeper than the shape.
    fn parse(text: &str) -> Result<Self, String> {
        let mut rest = Cursor(text.trim());
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        rest.expect('{')?;
        while !rest.take('}') {
            let key = rest.quoted()?;
            rest.expect(':')?;
            let twice = match key {
                "descr" if rest.peek() == Some('[') => {
                    return Err("descr is a list: arrays of records are not read".to_string());
                }
                "descr" => descr.replace(rest.quoted()?).is_some(),
                "fortran_order" => fortran.replace(rest.boolean()?).is_some(),
                "shape" => shape.replace(rest.shape()?).is_some(),
                other => return Err(format!("unknown key {other:?}")),
            };
            if twice {
                return Err(format!("the key {key:?} comes twice"));
            }
            if !rest.take(',') {
                rest.expect('}')?;
                break;
            }
        }
        if !rest.0.trim_start().is_empty() {
            return Err("something follows after the dictionary".to_string());
        }
        let missing = |key| format!("the key {key:?} is missing");
        Ok(Self {
            kind: Kind::parse(descr.ok_or_else(|| missing("descr"))?)?,
            fortran: fortran.ok_or_else(|| missing("fortran_order"))?,
            shape: shape.ok_or_else(|| missing("shape"))?,
        })
    }
}

/// The rest of a header.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<char> {
        self.0.trim_start().chars().next()
    }

    fn take(&mut self, sign: char) -> bool {
        let rest = self.0.trim_start().strip_prefix(sign);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, sign: char) -> Result<(), String> {
        if self.take(sign) { Ok(()) } else { Err(self.unexpected(&format!("{sign:?}"))) }
    }

    fn quoted(&mut self) -> Result<&'a str, String> {
        let text = self.0.trim_start();
        let quote = text.chars().next().filter(|&sign| sign == '\'' || sign == '"');
        let inner = quote.and_then(|quote| text[1..].split_once(quote));
        let (inner, rest) = inner.ok_or_else(|| self.unexpected("a quoted text"))?;
        self.0 = rest;
        Ok(inner)
    }

    fn boolean(&mut self) -> Result<bool, String> {
        let text = self.0.trim_start();
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = text.strip_prefix(word) {
                self.0 = rest;
                return Ok(value);
            }
        }
        Err(self.unexpected("True or False"))
    }

    fn shape(&mut self) -> Result<Vec<u64>, String> {
        self.expect('(')?;
        let mut shape = Vec::new();
        while !self.take(')') {
            let text = self.0.trim_start();
            let end = text.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(text.len());
            let length = text[..end].parse().map_err(|_| self.unexpected("a length"))?;
            shape.push(length);
            self.0 = &text[end..];
            if !self.take(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(shape)
    }

    fn unexpected(&self, wanted: &str) -> String {
        let found: String = self.0.trim_start().chars().take(20).collect();
        format!("{wanted} is wanted where {found:?} stands")
    }
}
