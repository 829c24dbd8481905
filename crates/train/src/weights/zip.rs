//! Zip archives whose entries are stored as they are: what NumPy's `savez` writes.
//!
//! Reference: PKWARE, APPNOTE.TXT 6.3.

use crate::checksum::crc32;

const LOCAL: u32 = 0x0403_4b50;
const ENTRY: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;

/// An archive of named entries. A name or content of 4 GiB or more is refused.
pub(super) fn encode(entries: &[(String, Vec<u8>)]) -> Result<Vec<u8>, String> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in entries {
        let size = short(bytes.len())?;
        let start = short(file.len())?;
        // needs version 2.0, no flags, stored, 1980-01-01 00:00
        let mut about = Vec::new();
        [20_u16, 0, 0, 0, 0x21].iter().for_each(|v| about.extend(v.to_le_bytes()));
        [crc32(bytes), size, size].iter().for_each(|v| about.extend(v.to_le_bytes()));
        about.extend((name.len() as u16).to_le_bytes());
        about.extend([0; 2]); // no extra field
        file.extend(LOCAL.to_le_bytes());
        file.extend_from_slice(&about);
        file.extend_from_slice(name.as_bytes());
        file.extend_from_slice(bytes);
        directory.extend(ENTRY.to_le_bytes());
        directory.extend([20, 0]); // made by version 2.0
        directory.extend_from_slice(&about);
        directory.extend([0; 10]); // no comment, first disk, no attributes
        directory.extend(start.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let (start, size) = (short(file.len())?, short(directory.len())?);
    let count = u16::try_from(entries.len()).map_err(|_| "more than 65,535 entries")?;
    file.extend(directory);
    file.extend(END.to_le_bytes());
    file.extend([0; 4]);
    [count, count].iter().for_each(|v| file.extend(v.to_le_bytes()));
    [size, start].iter().for_each(|v| file.extend(v.to_le_bytes()));
    file.extend([0; 2]);
    Ok(file)
}

/// The entries of an archive, in the order of its directory, their checksums compared.
pub(super) fn decode(file: &[u8]) -> Result<Vec<(String, &[u8])>, String> {
    let end = end_of_directory(file).ok_or("the zip directory is missing: the file is cut off")?;
    let count = word16(file, end + 10).ok_or("the zip directory is cut off")?;
    let mut at = word32(file, end + 16).ok_or("the zip directory is cut off")? as usize;
    let mut entries: Vec<(String, &[u8])> = Vec::new();
    for _ in 0..count {
        let (name, bytes, next) = entry(file, at)?;
        if entries.iter().any(|(earlier, _)| *earlier == name) {
            return Err(format!("two entries named {name:?}"));
        }
        entries.push((name, bytes));
        at = next;
    }
    Ok(entries)
}

/// Name and bytes of the entry at this place of the directory, and where the next one is.
fn entry(file: &[u8], at: usize) -> Result<(String, &[u8], usize), String> {
    let cut = || String::from("the zip directory is damaged");
    let half = |offset: usize| word16(file, at.checked_add(offset)?);
    let word = |offset: usize| word32(file, at.checked_add(offset)?);
    if word(0) != Some(ENTRY) {
        return Err(cut());
    }
    let length = |offset| half(offset).map(usize::from).ok_or_else(cut);
    let (name_length, extra, comment) = (length(28)?, length(30)?, length(32)?);
    let name = file.get(at + 46..at + 46 + name_length).ok_or_else(cut)?;
    let name = String::from_utf8(name.to_vec()).map_err(|_| cut())?;
    if half(10) != Some(0) {
        return Err(format!("{name} is compressed: save with numpy.savez"));
    }
    let (crc, size) = (word(16).ok_or_else(cut)?, word(20).ok_or_else(cut)? as usize);
    let start = word(42).ok_or_else(cut)? as usize;
    if word32(file, start) != Some(LOCAL) {
        return Err(cut());
    }
    let local = |offset: usize| word16(file, start + offset).map(usize::from).ok_or_else(cut);
    let begin = start + 30 + local(26)? + local(28)?;
    let bytes = file.get(begin..).and_then(|rest| rest.get(..size)).ok_or_else(cut)?;
    if crc32(bytes) != crc {
        return Err(format!("{name} is damaged: its checksum differs"));
    }
    Ok((name, bytes, at + 46 + name_length + extra + comment))
}

/// Where the directory's end record begins: the last of its signatures, at most 64 KiB before the
/// end.
fn end_of_directory(file: &[u8]) -> Option<usize> {
    let last = file.len().checked_sub(22)?;
    (last.saturating_sub(0xffff)..=last).rev().find(|&at| word32(file, at) == Some(END))
}

fn word16(file: &[u8], at: usize) -> Option<u16> {
    let bytes = file.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes([bytes[0], bytes[1]]))
}

fn word32(file: &[u8], at: usize) -> Option<u32> {
    let bytes = file.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

fn short(length: usize) -> Result<u32, String> {
    // the largest value means "zip64"
    u32::try_from(length)
        .ok()
        .filter(|n| *n < u32::MAX)
        .ok_or_else(|| format!("{length} bytes are too many for a zip archive without zip64"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back() {
        let entries = vec![("a.npy".to_string(), vec![1, 2, 3]), ("b".to_string(), vec![])];
        let file = encode(&entries).unwrap();
        let found = decode(&file).unwrap();
        let found: Vec<_> = found.into_iter().map(|(n, b)| (n, b.to_vec())).collect();
        assert_eq!(found, entries);
        assert_eq!(decode(&encode(&[]).unwrap()).unwrap(), []);
    }

    #[test]
    fn a_changed_byte_of_an_entry_is_noticed() {
        let mut file = encode(&[("a".to_string(), vec![1, 2, 3])]).unwrap();
        file[31] ^= 1;
        assert!(decode(&file).unwrap_err().contains("checksum differs"));
    }

    #[test]
    fn the_same_name_twice_and_compressed_entries_are_refused() {
        let twice = vec![("a".to_string(), vec![1]), ("a".to_string(), vec![2])];
        assert!(decode(&encode(&twice).unwrap()).unwrap_err().contains("two entries"));
        let mut file = encode(&[("a".to_string(), vec![])]).unwrap();
        let directory = file.len() - 22 - 47;
        file[directory + 10] = 8;
        assert!(decode(&file).unwrap_err().contains("numpy.savez"));
    }
}
