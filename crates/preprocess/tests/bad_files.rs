//! Files that are not there, not whole or not what they are taken for: the same answers from every
//! reader.

use flate2::{Compression, write::GzEncoder};
use slalom_preprocess::{
    Csv, Limits, PreprocessError, Separator, npz_names, read_idx, read_npy, read_npz, read_proben1,
};
use std::io::Write;
use std::path::{Path, PathBuf};

type Reader = fn(&Path) -> Result<(), PreprocessError>;

/// Every reader with a good file.
fn readers() -> Vec<(&'static str, Reader, Vec<u8>)> {
    let blanks: Reader = |path| {
        let csv = Csv { separator: Separator::Blanks, header: false, ..Csv::default() };
        csv.read(path).map(drop)
    };
    vec![
        ("csv", |path| Csv::default().read(path).map(drop), b"a,b\n1,x\n2,y\n".to_vec()),
        ("quoted csv", |path| Csv::default().read(path).map(drop), b"\"a\",b\n1,x\n2,y\n".to_vec()),
        ("blanks", blanks, b"1 2\n3 4\n".to_vec()),
        ("idx", |path| read_idx::<f32>(path, &Limits::default()).map(drop), idx()),
        ("npy", |path| read_npy::<f32>(path, &Limits::default()).map(drop), npy()),
        ("npz", |path| read_npz::<f32>(path, "x", &Limits::default()).map(drop), NPZ.to_vec()),
        ("npz names", |path| npz_names(path).map(drop), NPZ.to_vec()),
        ("proben1", |path| read_proben1::<f32>(path, &Limits::default()).map(drop), PROBEN1.into()),
    ]
}

const NPZ: &[u8] = include_bytes!("two_arrays.npz");

const PROBEN1: &str = "bool_in=0\nreal_in=1\nbool_out=2\nreal_out=0\ntraining_examples=1\n\
                       validation_examples=1\ntest_examples=1\n0.1 1 0\n0.2 0 1\n0.3 1 0\n";

fn idx() -> Vec<u8> {
    [&[0, 0, 8, 1, 0, 0, 0, 3][..], &[7, 8, 9]].concat()
}

fn npy() -> Vec<u8> {
    let head = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((head.len() as u16).to_le_bytes());
    file.extend(head.bytes());
    file.extend([1.5_f32, -2.0].iter().flat_map(|v| v.to_le_bytes()));
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// The error, which must name the file.
#[track_caller]
fn refused(what: &str, read: Reader, path: &Path) -> String {
    let error = read(path).expect_err(what).to_string();
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(error.contains(name), "{what}: {error:?} does not name {name:?}");
    error
}

#[test]
fn good_files_are_read_whatever_their_name_says() {
    let folder = Folder::new();
    for (what, read, good) in readers() {
        read(&folder.file("plain.gz", &good)).unwrap_or_else(|e| panic!("{what}: {e}"));
        if !what.starts_with("npz") {
            read(&folder.file("packed.txt", &gzip(&good)))
                .unwrap_or_else(|e| panic!("{what}: {e}"));
        }
    }
}

#[test]
fn what_is_no_file_is_told() {
    let folder = Folder::new();
    for (what, read, _) in readers() {
        let error = refused(what, read, &folder.0.path().join("none"));
        assert!(error.contains("No such file"), "{what}: {error}");
        let error = refused(what, read, folder.0.path());
        assert!(error.ends_with("this is a folder, not a file"), "{what}: {error}");
        let error = refused(what, read, &folder.file("empty", b""));
        assert!(error.ends_with("the file is empty"), "{what}: {error}");
        #[cfg(unix)]
        {
            let path = folder.0.path().join("loop");
            let _ = std::os::unix::fs::symlink(&path, &path);
            let error = refused(what, read, &path);
            assert!(error.contains("symbolic link"), "{what}: {error}");
        }
    }
}

#[test]
fn a_file_that_was_cut_is_refused_at_every_byte() {
    let folder = Folder::new();
    for (what, read, good) in readers() {
        // a table without its last characters may be a table: `expect_rows` tells
        let least = match what {
            "csv" | "quoted csv" => 5,
            "blanks" => 0,
            "proben1" => good.len() - 5,
            _ => good.len(),
        };
        (1..least).for_each(|cut| {
            refused(&format!("{what} cut at {cut}"), read, &folder.file("cut", &good[..cut]));
        });
        if !what.starts_with("npz") {
            let packed = gzip(&good);
            for cut in 2..packed.len() {
                let what = format!("{what}, packed, cut at {cut}");
                let error = refused(&what, read, &folder.file("cut", &packed[..cut]));
                assert!(error.contains("the compressed data is damaged"), "{what}: {error}");
            }
            for at in packed.len() - 8..packed.len() {
                let mut bad = packed.clone();
                bad[at] ^= 1; // the checksum, then the length
                let error = refused(what, read, &folder.file("checksum", &bad));
                assert!(error.contains("the compressed data is damaged"), "{what}: {error}");
            }
            let error = refused(what, read, &folder.file("more", &[&packed[..], b"junk"].concat()));
            assert!(error.contains("the compressed data is damaged"), "{what}: {error}");
        }
    }
}

#[test]
fn other_formats_are_told_by_their_first_bytes() {
    let folder = Folder::new();
    let others: [(&[u8], &str); 7] = [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG image"),
        (b"PK\x03\x04\x14\0\0\0\x08\0", "a zip, XLSX or NPZ file"),
        (b"\x80\x04\x95\x1f\0\0\0\0", "a Python pickle"),
        (b"\x28\xb5\x2f\xfd\x04\0\0\0", "zstd"),
        (b"\xfd7zXZ\0\0\x04", "xz"),
        (b"\xff\xfea\0,\0b\0\n\0", "text in UTF-16"),
        (b"\x93NUMPY\x01\0\x46\0", "an NPY file"),
    ];
    for (what, read, _) in readers().into_iter().filter(|(what, ..)| *what != "proben1") {
        for (bytes, like) in others {
            let own = what == "npy" && like == "an NPY file" || like.contains("NPZ");
            if !(own && what.starts_with("np")) {
                let error = refused(what, read, &folder.file("other", bytes));
                assert!(error.contains(&format!("looks like {like}")), "{what}: {error}");
            }
        }
        let twice = gzip(&gzip(b"a,b\n1,2\n"));
        if !what.starts_with("npz") {
            let error = refused(what, read, &folder.file("twice", &twice));
            assert!(error.contains("gzip inside gzip"), "{what}: {error}");
        }
    }
    // text in a place of binary numbers, and the reverse of a header
    let text = folder.file("text", b"1,2,3,4,5\n");
    for (what, read, _) in readers().into_iter().filter(|(what, ..)| ["idx", "npy"].contains(what))
    {
        assert!(refused(what, read, &text).contains("looks like text"), "{what}");
    }
    let error = read_proben1::<f32>(&text, &Limits::default()).unwrap_err().to_string();
    assert!(error.contains("line 1 is \"1,2,3,4,5\", it must be bool_in=COUNT"), "{error}");
}

#[test]
fn proben1_files_that_contradict_themselves_are_refused() {
    let folder = Folder::new();
    let refused = |from: &str, to: &str, wanted: &str| {
        let bad = PROBEN1.replacen(from, to, 1);
        assert_ne!(bad, PROBEN1);
        let path = folder.file("bad.dt", bad.as_bytes());
        let error = read_proben1::<f32>(&path, &Limits::default()).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error:?} does not say {wanted:?}");
    };
    refused("real_in=1", "real_in=x", "line 2 is \"real_in=x\", it must be real_in=COUNT");
    refused("real_in=1", "real_in=-1", "line 2 is \"real_in=-1\"");
    refused("bool_out", "bool_oud", "line 3 is \"bool_oud=2\", it must be bool_out=COUNT");
    refused("real_in=1", "real_in=2", "2 inputs and 2 outputs, rows have 3 numbers");
    refused("real_in=1", "real_in=0", "none may be 0");
    refused("test_examples=1", "test_examples=2", "3 rows found, 4 expected");
    refused("test_examples=1", "test_examples=18446744073709551615", "overflows");
    refused("0.2 0 1", "0.2 0", "line 9 has 2 fields, the first has 3");
    refused("0.2 0 1", "0.2 0 x", "line 9, column 'x2': \"x\" is no number");
    refused("0.2 0 1", "? 0 1", "line 9, column 'x0'");
    refused("0.2 0 1", "\n\n0.2 0 1e999", "line 11, column 'x2': \"1e999\" is infinite");
}

/// Reads on the first call, fails on the second.
struct Failing<'a>(&'a [u8]);

impl std::io::Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match std::mem::take(&mut self.0) {
            [] => Err(std::io::Error::other("input/output error")),
            mut bytes => bytes.read(buffer),
        }
    }
}

#[test]
fn a_read_error_is_told_with_its_byte() {
    let limits = Limits::default();
    let wanted = |n: usize| format!("it: input/output error (at byte {n})");
    let text = b"a,b\n1,2\n";
    let error = Csv::default().from_reader(Failing(text), "it").unwrap_err().to_string();
    assert_eq!(error, wanted(2)); // two bytes are read ahead
    let error = slalom_preprocess::npy_from_reader::<f32>(Failing(&npy()[..40]), "it", &limits);
    assert!(error.unwrap_err().to_string().contains("input/output error (at byte"));
    let error = slalom_preprocess::Idx::<f32>::from_reader(Failing(&idx()[..9]), "it", &limits);
    assert!(error.unwrap_err().to_string().contains("input/output error (at byte"));
}
