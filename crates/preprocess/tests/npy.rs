//! NPY and NPZ: what NumPy writes is read, everything else refused.

use slalom_preprocess::{Limits, npy_from_reader, npz_names, read_npz};
use slalom_tensor::Matrix;

fn npy(header: &str, body: &[u8]) -> Vec<u8> {
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.bytes());
    file.extend(body);
    file
}

fn dict(descr: &str, fortran: bool, shape: &str) -> String {
    let order = if fortran { "True" } else { "False" };
    format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}      \n")
}

fn read(bytes: &[u8]) -> Result<Matrix<f64>, String> {
    npy_from_reader(bytes, "it", &Limits::default()).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(bytes: &[u8], wanted: &str) {
    let error = read(bytes).expect_err("this should be refused");
    assert!(error.contains(wanted), "{error:?} does not say {wanted:?}");
}

fn bytes(numbers: &[f64]) -> Vec<u8> {
    numbers.iter().flat_map(|v| v.to_le_bytes()).collect()
}

#[test]
fn rows_become_columns_in_either_order() {
    let c = npy(&dict("<f8", false, "(2, 3)"), &bytes(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    let wanted = Matrix::from_vec(3, 2, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(read(&c).unwrap(), wanted);
    let fortran = npy(&dict("<f8", true, "(2, 3)"), &bytes(&[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]));
    assert_eq!(read(&fortran).unwrap(), wanted);
    let one = npy(&dict("<f8", false, "(3,)"), &bytes(&[1.0, 2.0, 3.0]));
    assert_eq!(read(&one).unwrap().shape(), (1, 3));
}

#[test]
fn every_type_keeps_its_value() {
    let value =
        |descr: &str, body: &[u8]| read(&npy(&dict(descr, false, "(1,)"), body)).unwrap()[0];
    assert_eq!(value("|b1", &[1]), 1.0);
    assert_eq!(value("|i1", &[0xfe]), -2.0);
    assert_eq!(value("|u1", &[0xfe]), 254.0);
    assert_eq!(value("<i2", &(-300_i16).to_le_bytes()), -300.0);
    assert_eq!(value(">u2", &60_000_u16.to_be_bytes()), 60_000.0);
    assert_eq!(value(">i4", &(-70_000_i32).to_be_bytes()), -70_000.0);
    assert_eq!(value("<u4", &u32::MAX.to_le_bytes()), 4_294_967_295.0);
    assert_eq!(value("<i8", &(-5_i64).to_le_bytes()), -5.0);
    assert_eq!(value("<u8", &u64::MAX.to_le_bytes()), u64::MAX as f64);
    assert_eq!(value("<f4", &0.1_f32.to_le_bytes()), f64::from(0.1_f32));
    assert_eq!(value(">f8", &(-0.1_f64).to_be_bytes()), -0.1);
}

#[test]
fn other_types_are_refused() {
    for descr in ["|O", "O", "<O8"] {
        refused(&npy(&dict(descr, false, "(1,)"), &[0; 8]), "pickled objects are never read");
    }
    for descr in ["<c16", "<U5", "|S3", "<f2", "<i3", "<m8", "f8", "<f16", ""] {
        refused(&npy(&dict(descr, false, "(1,)"), &[0; 16]), "descr is");
    }
    let records = "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}";
    refused(&npy(records, &[0; 8]), "arrays of records are not read");
}

#[test]
fn shapes_that_cannot_be_are_refused_before_anything_is_allocated() {
    let shape = |shape: &str| npy(&dict("<f8", false, shape), &[0; 16]);
    refused(&shape("(65536, 65536)"), "over the limit of 4294967296: raise Limits::bytes");
    refused(&shape("(4000, 4000)"), "truncated at byte");
    refused(&shape("(1099511627776, 1099511627776)"), "overflows");
    refused(&shape("(99999999999999999999, 1)"), "a length is wanted");
    for bad in ["(-1, 2)", "(1.5,)", "(np.int64(3),)", "[1]", "3", "((((", "(1 2)", "(1,,)"] {
        refused(&shape(bad), "the header is wrong");
    }
    refused(&shape("()"), "0 dimensions, it must have 1 or 2");
    refused(&shape("(1, 2, 1)"), "3 dimensions, it must have 1 or 2");
    refused(&npy(&dict("<f8", false, "(1,)"), &[0; 16]), "1 or more bytes follow");
}

#[test]
fn headers_are_bounded_and_exact() {
    let mut long = b"\x93NUMPY\x02\x00".to_vec();
    long.extend(u32::MAX.to_le_bytes());
    refused(&long, "over the limit of 10000: raise Limits::header");
    refused(&npy(&"(".repeat(9_000), &[]), "the header is wrong");
    let keys = |keys: &str| npy(&format!("{{{keys}}}"), &[0; 8]);
    let (d, f, s) = ("'descr': '<f8'", "'fortran_order': False", "'shape': (1,)");
    assert!(read(&keys(&format!("{s}, {d}, {f}"))).is_ok(), "any order");
    refused(&keys(&format!("{d}, {f}")), "the key \"shape\" is missing");
    refused(&keys(&format!("{d}, {d}, {f}, {s}")), "the key \"descr\" comes twice");
    refused(&keys(&format!("{d}, {f}, {s}, 'x': 1")), "unknown key \"x\"");
    refused(&keys(&format!("{d}, {f}, {s}}} + {{")), "something follows");
    refused(&npy("[]", &[]), "'{' is wanted");
    let mut new = npy(&dict("<f8", false, "(1,)"), &[0; 8]);
    new[6] = 9;
    refused(&new, "version 9.0, this reads 1.0, 2.0 and 3.0");
    new[6..8].copy_from_slice(&[1, 7]);
    refused(&new, "version 1.7");
    let head = "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} ";
    let mut three = b"\x93NUMPY\x03\x00".to_vec();
    three.extend((head.len() as u32).to_le_bytes());
    three.extend(head.bytes().chain(2.5_f64.to_le_bytes()));
    assert_eq!(read(&three).unwrap()[0], 2.5);
}

#[test]
fn other_files_are_named() {
    refused(b"", "the file is empty");
    refused(b"\x93NU", "truncated at byte 3 of 6");
    refused(b"PK\x03\x04....", "looks like a zip, XLSX or NPZ file");
    refused(b"\x80\x04\x95abc", "looks like a Python pickle");
    refused(
        &npy(&dict("<f8", false, "(1,)"), &f64::INFINITY.to_le_bytes()),
        "number 0 is infinite",
    );
    let wide = npy(&dict("<f8", false, "(1,)"), &1e39_f64.to_le_bytes());
    let error = npy_from_reader::<f32>(&wide[..], "it", &Limits::default()).unwrap_err();
    assert!(error.to_string().contains("too large for f32"), "{error}");
}

#[test]
fn no_cut_and_no_changed_byte_does_harm() {
    let file = npy(&dict("<f4", false, "(2, 3)"), &[0x3f; 24]);
    for length in 0..file.len() {
        assert!(read(&file[..length]).is_err(), "cut at {length}");
    }
    for at in 0..file.len() {
        for byte in 0..=255 {
            let mut bad = file.clone();
            bad[at] = byte;
            if let Ok(x) = read(&bad) {
                assert!(x.len() <= 24);
            }
        }
    }
}

/// Made by NumPy 2.4.1: `numpy.savez_compressed(file, x=[[1.0, 2.0], [3.0, 4.0]], y=[5])`.
const NPZ: &[u8] = include_bytes!("two_arrays.npz");

#[test]
fn arrays_of_an_archive_are_read_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.npz");
    std::fs::write(&path, NPZ).unwrap();
    assert_eq!(npz_names(&path).unwrap(), ["x", "y"]);
    let x = read_npz::<f32>(&path, "x", &Limits::default()).unwrap();
    assert_eq!(x, Matrix::from_vec(2, 2, vec![1.0, 2.0, 3.0, 4.0]));
    assert_eq!(read_npz::<f32>(&path, "y", &Limits::default()).unwrap()[0], 5.0);
    let error = read_npz::<f32>(&path, "z", &Limits::default()).unwrap_err().to_string();
    assert!(error.ends_with("no array is called \"z\": there are x, y"), "{error}");
}

#[test]
fn damaged_archives_are_refused_or_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.npz");
    let x = Matrix::from_vec(2, 2, vec![1.0, 2.0, 3.0, 4.0]);
    for at in 0..NPZ.len() {
        for change in [0xff, 0x80, 1] {
            let mut bad = NPZ.to_vec();
            bad[at] ^= change;
            std::fs::write(&path, &bad).unwrap();
            if let Ok(found) = read_npz::<f64>(&path, "x", &Limits::default()) {
                assert_eq!(found, x, "byte {at}"); // the change was elsewhere
            }
        }
        std::fs::write(&path, &NPZ[..at]).unwrap();
        assert!(npz_names(&path).is_err(), "cut at {at}");
    }
}
