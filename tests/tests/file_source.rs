//! Inputs from a file: the same bits as from memory, in a fraction of the file's size.

use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use slalom::prelude::*;
use slalom_tests::rings;
use slalom_train::FileSource;

fn header(dictionary: &str) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    let text = format!("{dictionary:<117}\n");
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.bytes());
    bytes
}

fn array(samples: usize, features: usize) -> Vec<u8> {
    header(&format!(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({samples}, {features}), }}"
    ))
}

fn written(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("inputs.npy");
    std::fs::write(&path, bytes).unwrap();
    path
}

fn rings_file(folder: &Path, samples: Samples<'_, f32>) -> PathBuf {
    let numbers = samples.inputs().iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    written(folder, &[array(samples.len(), 2), numbers].concat())
}

fn run(shuffle: bool) -> Run<f32> {
    let layers = [Dense::new(5, Activation::Tanh).into(), Dense::linear(2).into()];
    let config = Config { shuffle, batch: Batch::Size(7), final_loss: true, ..Config::default() };
    Run::new(Network::new(2, layers).unwrap(), config, Threads::one()).unwrap()
}

#[test]
fn a_file_trains_to_the_bits_of_memory() {
    let data = rings(0..50);
    let samples = data.samples();
    let folder = tempfile::tempdir().unwrap();
    let file = FileSource::open(rings_file(folder.path(), samples), samples.targets()).unwrap();
    let weights: Vec<f32> = (0..50).map(|i| 1.0 + (i % 3) as f32).collect();
    for shuffle in [false, true] {
        let (mut a, mut b) = (run(shuffle), run(shuffle));
        for _ in 0..3 {
            a.epoch(samples, None).unwrap();
            b.epoch(&file, None).unwrap();
        }
        assert_eq!(a.fingerprint(), b.fingerprint());
    }
    let (samples, file) = (samples.weighted(&weights).unwrap(), file.weighted(&weights).unwrap());
    let (mut a, mut b) = (run(true), run(true));
    a.epoch(samples, None).unwrap();
    b.epoch(&file, None).unwrap();
    assert_eq!(a.fingerprint(), b.fingerprint());
}

#[test]
fn files_that_are_not_the_samples_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = |bytes: &[u8]| {
        let path = written(folder.path(), bytes);
        let error = FileSource::<f32>::open(path, Targets::Classes(&[0, 1])).unwrap_err();
        error.to_string()
    };
    let with = |dictionary: &str, data: usize| [header(dictionary), vec![0; data]].concat();
    assert!(text(b"").contains("it is empty"));
    assert!(text(b"epoch,loss\n").contains("NumPy's magic"));
    assert!(text(&[array(2, 3), vec![0; 23]].concat()).contains("the file has 151 bytes"));
    assert!(text(&[array(3, 3), vec![0; 36]].concat()).contains("inputs have 3 samples"));
    let shape = "'fortran_order': False, 'shape': (2, 3), }";
    assert!(text(&with(&format!("{{'descr': '<f8', {shape}"), 48)).contains("\"<f4\" are wanted"));
    let order = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }";
    assert!(text(&with(order, 24)).contains("Fortran order"));
    let huge = "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }";
    assert!(text(&with(huge, 0)).contains("the file has"));
    let flat = "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }";
    assert!(text(&with(flat, 24)).contains("two dimensions"));
    let none = FileSource::<f32>::open(folder.path().join("no.npy"), Targets::Classes(&[]));
    assert!(none.unwrap_err().to_string().contains("no.npy"));
}

#[test]
fn a_number_that_is_not_finite_names_sample_and_feature() {
    let folder = tempfile::tempdir().unwrap();
    let numbers: Vec<u8> = [1.0, 2.0, 3.0, 4.0, 5.0, f32::NAN].map(f32::to_le_bytes).concat();
    let path = written(folder.path(), &[array(3, 2), numbers].concat());
    let file = FileSource::open(path, Targets::Classes(&[0, 1, 0])).unwrap();
    let error = run(true).epoch(&file, None).unwrap_err().to_string();
    assert!(error.contains("sample 2, feature 1 is NaN"), "{error}");
}

#[test]
fn a_file_that_shrinks_is_an_error() {
    let data = rings(0..50);
    let folder = tempfile::tempdir().unwrap();
    let path = rings_file(folder.path(), data.samples());
    let file = FileSource::open(&path, data.samples().targets()).unwrap();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(200).unwrap();
    let error = run(false).epoch(&file, None).unwrap_err().to_string();
    assert!(error.contains("cannot read sample") && error.contains("inputs.npy"), "{error}");
}

#[test]
fn an_epoch_takes_an_eighth_of_the_files_size_in_memory() {
    if !cfg!(target_os = "linux") {
        println!("skipped: the peak of resident memory is read from /proc");
        return;
    }
    const FEATURES: usize = 512;
    const SAMPLES: usize = 80_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inputs.npy");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(&array(SAMPLES, FEATURES)).unwrap();
    // a sparse file: it reads as zeros and takes no room
    let bytes = file.stream_position().unwrap() + (4 * FEATURES * SAMPLES) as u64;
    file.set_len(bytes).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_train_from_file"))
        .arg(&path)
        .args([FEATURES.to_string(), SAMPLES.to_string()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let peak: u64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    println!("{} MB of file, {} MB resident", bytes >> 20, peak >> 10);
    assert!(peak * 1024 < bytes / 8, "{peak} KiB resident for a file of {bytes} bytes");
}
