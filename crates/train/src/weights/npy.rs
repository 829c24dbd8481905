//! The header of a NumPy array (.npy).
//!
//! Reference: NumPy, `numpy/lib/format.py`.

use super::Numbers;

const MAGIC: &[u8] = b"\x93NUMPY";
/// The longest header that is read; NumPy's own limit.
const HEADER: usize = 10_000;
/// The longest beginning that a file can have: magic, version, length, header.
pub(crate) const BEGINNING: usize = 12 + HEADER;

/// What a header says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Header {
    pub(crate) descr: String,
    pub(crate) columns_first: bool,
    pub(crate) shape: Vec<usize>,
    /// Where the numbers begin.
    pub(crate) start: usize,
}

/// An array of 4- or 8-byte floats, the last index fastest.
pub(crate) fn encode(shape: &[usize], bytes_each: usize, numbers: &[u8]) -> Vec<u8> {
    let shape: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let dictionary = format!(
        "{{'descr': '<f{bytes_each}', 'fortran_order': False, 'shape': ({}), }}",
        shape.trim_end()
    );
    // magic, version and length take 10 bytes; the whole is a multiple of 64 and ends in a newline
    let length = (10 + dictionary.len() + 1).next_multiple_of(64) - 10;
    let mut file = MAGIC.to_vec();
    file.extend([1, 0]);
    file.extend((length as u16).to_le_bytes());
    file.extend(format!("{dictionary:<width$}\n", width = length - 1).bytes());
    file.extend_from_slice(numbers);
    file
}

/// Reads the header at the beginning of `file`; there must be all of it.
pub(crate) fn header(file: &[u8]) -> Result<Header, String> {
    if file.is_empty() {
        return Err("it is empty".into());
    }
    let rest = file.strip_prefix(MAGIC).ok_or("it does not begin with NumPy's magic")?;
    let &[major, _, ref rest @ ..] = rest else { return Err("it ends in the version".into()) };
    let (length, begin) = match (major, rest) {
        (1, &[a, b, ..]) => (usize::from(u16::from_le_bytes([a, b])), 10),
        (2 | 3, &[a, b, c, d, ..]) => (u32::from_le_bytes([a, b, c, d]) as usize, 12),
        (1..=3, _) => return Err("it ends in the header's length".into()),
        _ => return Err(format!("version {major} is not known")),
    };
    if length > HEADER {
        return Err(format!("its header has {length} bytes, the limit is {HEADER}"));
    }
    let text = file.get(begin..begin + length).ok_or("it ends in the header")?;
    let text = std::str::from_utf8(text).map_err(|_| "its header is no text")?;
    dictionary(text, begin + length).ok_or_else(|| format!("its header is {:?}", text.trim_end()))
}

/// The numbers behind a header, exactly as many as its shape has.
pub(super) fn numbers<'a>(header: &Header, file: &'a [u8]) -> Result<Numbers<'a>, String> {
    let numbers = &file[header.start..];
    let (make, each): (fn(&'a [u8]) -> Numbers<'a>, _) = match header.descr.as_str() {
        "<f2" => (Numbers::F16, 2),
        "<f4" => (Numbers::F32, 4),
        "<f8" => (Numbers::F64, 8),
        "|O" => return Err("it holds pickled objects, which are never read".into()),
        other => return Err(format!("its numbers are {other:?}: '<f2', '<f4' and '<f8' are read")),
    };
    let count = header.shape.iter().try_fold(1_usize, |n, &side| n.checked_mul(side));
    let wanted = count.and_then(|n| n.checked_mul(each));
    if wanted != Some(numbers.len()) {
        return Err(format!(
            "it declares {:?} numbers, there are {} bytes",
            header.shape,
            numbers.len()
        ));
    }
    Ok(make(numbers))
}

/// A Python dictionary of exactly the three keys, each once.
fn dictionary(text: &str, start: usize) -> Option<Header> {
    let (mut descr, mut order, mut shape) = (None, None, None);
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    while !rest.is_empty() {
        let (key, value) = rest.split_once(':')?;
        let value = value.trim_start();
        let end = match value.chars().next()? {
            '(' => value.find(')')? + 1,
            quote @ ('\'' | '"') => value[1..].find(quote)? + 2,
            _ => value.find(',').unwrap_or(value.len()),
        };
        let (value, after) = value.split_at(end);
        let earlier = match unquoted(key.trim())? {
            "descr" => descr.replace(unquoted(value)?.to_string()).is_some(),
            "fortran_order" => order.replace(truth(value.trim())?).is_some(),
            "shape" => shape.replace(sides(value)?).is_some(),
            _ => return None,
        };
        if earlier {
            return None;
        }
        let after = after.trim_start();
        rest = if after.is_empty() { after } else { after.strip_prefix(',')?.trim_start() };
    }
    Some(Header { descr: descr?, columns_first: order?, shape: shape?, start })
}

fn unquoted(text: &str) -> Option<&str> {
    let single = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    single.or_else(|| text.strip_prefix('"')?.strip_suffix('"'))
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "True" => Some(true),
        "False" => Some(false),
        _ => None,
    }
}

/// The sides in `(3, 4)`, `(3,)` or `()`.
fn sides(text: &str) -> Option<Vec<usize>> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?.trim();
    let inner = inner.strip_suffix(',').unwrap_or(inner);
    if inner.is_empty() {
        return Some(Vec::new());
    }
    inner.split(',').map(|side| side.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(dictionary: &str) -> Vec<u8> {
        let length = (dictionary.len() as u16).to_le_bytes();
        [MAGIC, &[1, 0], &length, dictionary.as_bytes()].concat()
    }

    #[test]
    fn what_is_written_is_read() {
        for shape in [vec![], vec![3], vec![3, 4]] {
            let file = encode(&shape, 4, &[7; 8]);
            let header = header(&file).unwrap();
            assert_eq!((&header.shape, header.columns_first), (&shape, false));
            assert_eq!((header.start % 64, &file[header.start..]), (0, &[7; 8][..]));
            assert_eq!(file[header.start - 1], b'\n');
        }
    }

    #[test]
    fn numpys_own_headers_are_read() {
        let header = header(&with(
            "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }             \n",
        ));
        let header = header.unwrap();
        assert_eq!((header.descr.as_str(), header.columns_first), ("<f8", false));
        assert_eq!(header.shape, [2, 3]);
    }

    #[test]
    fn odd_headers_are_refused() {
        let whole = "'descr': '<f4', 'fortran_order': False, 'shape': (2,)";
        assert!(header(&with(&format!("{{{whole}}}"))).is_ok());
        for odd in [
            "",
            "{",
            "((((((((",
            "{}",
            "{'descr': '<f4', 'fortran_order': False}",
            &format!("{{{whole}, 'more': 1}}"),
            &format!("{{{whole}, 'shape': (2,)}}"),
            &whole.replace("(2,)", "(-2,)"),
            &format!("{{{}}}", whole.replace("(2,)", "(-2,)")),
            &format!("{{{}}}", whole.replace("(2,)", "(2.0,)")),
            &format!("{{{}}}", whole.replace("(2,)", "(np.int64(3),)")),
            &format!("{{{}}}", whole.replace("(2,)", "(99999999999999999999,)")),
            &format!("{{{}}}", whole.replace("False", "0")),
        ] {
            assert!(header(&with(odd)).is_err(), "{odd}");
        }
        let long = [MAGIC, &[2, 0], &u32::MAX.to_le_bytes()].concat();
        assert!(header(&long).unwrap_err().contains("the limit is 10000"));
        assert!(header(&[MAGIC, &[9, 9, 0, 0]].concat()).unwrap_err().contains("version 9"));
        assert_eq!(header(b"").unwrap_err(), "it is empty");
        let (version, length) = ("version", "header's length");
        for (end, place) in [(6, version), (7, version), (8, length), (9, length), (11, "header")] {
            let error = header(&with("{}")[..end]).unwrap_err();
            assert_eq!(error, format!("it ends in the {place}"));
        }
    }

    #[test]
    fn later_versions_have_longer_lengths() {
        let dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, )}";
        for version in [2, 3] {
            let length = (dictionary.len() as u32).to_le_bytes();
            let file = [MAGIC, &[version, 0], &length, dictionary.as_bytes(), &[0; 8]].concat();
            let header = header(&file).unwrap();
            assert_eq!((header.shape.as_slice(), header.start), (&[2][..], file.len() - 8));
            assert_eq!(numbers(&header, &file).unwrap().len(), 2);
        }
    }

    #[test]
    fn the_shape_must_be_that_of_the_numbers() {
        let refuse = |dictionary: &str, data: &[u8]| {
            let file = [&with(dictionary)[..], data].concat();
            numbers(&header(&file).unwrap(), &file).unwrap_err()
        };
        let of = |descr: &str, shape: &str| {
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}")
        };
        assert!(refuse(&of("<f4", "(65536, 65536)"), &[]).contains("there are 0 bytes"));
        assert!(refuse(&of("<f4", "(1099511627776, 1099511627776)"), &[]).contains("0 bytes"));
        assert!(refuse(&of("<f8", "(1,)"), &[0; 4]).contains("there are 4 bytes"));
        assert!(refuse(&of("|O", "(1,)"), &[0; 8]).contains("never read"));
        assert!(refuse(&of(">f4", "(1,)"), &[0; 4]).contains("are read"));
    }
}
