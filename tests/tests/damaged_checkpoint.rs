//! A run's file that is cut or changed anywhere: an error, never a panic, never other numbers.

use slalom::prelude::*;
use slalom_tests::rings;

fn file() -> Vec<u8> {
    let train = rings(0..40);
    let layers = [Dense::new(3, Activation::Tanh).into(), Dense::linear(2).into()];
    let network = Network::<f32>::new(2, layers).unwrap();
    let mut run = Run::new(network, Config::default(), Threads::one()).unwrap();
    run.epoch(train.samples(), None).unwrap();
    run.step(train.samples()).unwrap();
    run.checkpoint().unwrap().to_bytes().unwrap()
}

fn names(bytes: &[u8]) -> Vec<String> {
    let file = Checkpoint::from_bytes(bytes, &Default::default()).unwrap();
    file.names().map(String::from).collect()
}

fn resume(bytes: &[u8]) -> Result<Run<f32>, Box<dyn std::error::Error>> {
    let file = Checkpoint::from_bytes(bytes, &Default::default())?;
    Ok(Run::resume(&file, Threads::one())?)
}

#[test]
fn every_cut_and_every_changed_byte_is_refused() {
    let file = file();
    assert!(resume(&file).is_ok());
    for end in 0..file.len() {
        assert!(resume(&file[..end]).is_err(), "cut at {end}");
    }
    let mut bad = file.clone();
    for at in 0..file.len() {
        for byte in [0, 0xff, file[at] ^ 0x80, file[at].wrapping_add(1), file[at] ^ 1] {
            bad[at] = byte;
            assert!(byte == file[at] || resume(&bad).is_err(), "{byte} at {at}");
        }
        bad[at] = file[at];
    }
    for (i, j) in (0..file.len() - 128).step_by(64).map(|at| (at, at + 64)) {
        for k in 0..64 {
            bad.swap(i + k, j + k);
        }
        assert!(bad == file || resume(&bad).is_err(), "blocks at {i} and {j} swapped");
        bad.copy_from_slice(&file);
    }
}

#[test]
fn with_the_checksum_made_to_hold_it_is_an_error_or_a_run_that_saves_the_same_bytes() {
    let file = file();
    let end = file.len() - 32;
    let (mut refused, mut read) = (0, 0);
    for at in 0..end {
        for byte in [0, 1, 0x7f, 0xff, file[at] ^ 0x80, file[at].wrapping_add(1)] {
            let mut bad = file.clone();
            bad[at] = byte;
            let hash = blake3::hash(&bad[..end]);
            bad[end..].copy_from_slice(hash.as_bytes());
            match resume(&bad) {
                Err(_) => refused += 1,
                // a section of another name is its caller's own, and no part of the run
                Ok(_) if names(&bad) != names(&file) => read += 1,
                Ok(run) => {
                    let again = run.checkpoint().unwrap().to_bytes().unwrap();
                    assert!(again == bad, "{byte} at {at} is read as something else");
                    read += 1;
                }
            }
        }
    }
    assert!(refused > 1_000 && read > 0, "{refused} refused, {read} read");
}
