//! A run's file that is cut or changed anywhere: an error, never a panic, never other numbers, and
//! no allocation beyond twice the file's size.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;

use slalom::prelude::*;
use slalom_tests::rings;
use slalom_train::weights::from_npz;

/// Remembers the largest request of each thread.
struct Largest;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

fn note(size: usize) {
    // a thread that ends has nothing left to remember
    let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(size)));
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Largest {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Largest = Largest;

/// The largest request while reading the file.
fn largest(bytes: &[u8]) -> usize {
    LARGEST.set(0);
    drop(Checkpoint::from_bytes(bytes, &Default::default()));
    LARGEST.get()
}

/// What a file whose checksum was made to hold may ask for at once: serde reserves up to 1 MiB for a
/// list before it sees the elements.
fn ceiling(file: &[u8]) -> usize {
    16 * file.len() + (1 << 20)
}

#[test]
fn nothing_is_allocated_beyond_twice_the_files_size() {
    let file = file();
    let most = 2 * file.len();
    for end in 0..file.len() {
        assert!(largest(&file[..end]) <= most, "cut at {end}");
    }
    let mut bad = file.clone();
    let end = file.len() - 32;
    let sound = largest(&file);
    assert!(sound > 0 && sound <= most, "{sound} for the whole file");
    for at in 0..file.len() {
        for byte in [0, 1, 0x7f, 0x80, 0xff] {
            bad[at] = byte;
            let found = largest(&bad);
            assert!(found <= most, "{found} bytes with {byte} at {at}");
            // and where someone made the checksum hold
            let hash = blake3::hash(&bad[..end]);
            bad[end..].copy_from_slice(hash.as_bytes());
            let found = largest(&bad);
            assert!(found <= ceiling(&file), "{found} bytes with {byte} at {at}, made to hold");
            bad.copy_from_slice(&file);
        }
    }
}

#[test]
fn a_file_that_declares_the_most_asks_for_no_more() {
    let file = file();
    let end = file.len() - 32;
    for edge in [1 << 31, (1_u64 << 32) - 1, 1 << 32, 1 << 53, 1 << 63, u64::MAX] {
        // every eight bytes of the header and of the first sections may be a length
        for at in 8..end - 8 {
            let mut bad = file.clone();
            bad[at..at + 8].copy_from_slice(&edge.to_le_bytes());
            let hash = blake3::hash(&bad[..end]);
            bad[end..].copy_from_slice(hash.as_bytes());
            let found = largest(&bad);
            assert!(found <= ceiling(&file), "{found} bytes with {edge} at {at}");
            LARGEST.set(0);
            drop(resume(&bad));
            let found = LARGEST.get();
            assert!(found <= ceiling(&file), "{found} bytes to resume with {edge} at {at}");
        }
    }
}

#[test]
fn an_archive_of_weights_that_swells_asks_for_no_more_than_the_network_can_be() {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    archive.start_file("0.weight.npy", options).unwrap();
    archive.write_all(&vec![0; 64 << 20]).unwrap();
    let file = archive.finish().unwrap().into_inner();
    let network = Network::<f32>::new(2, [Dense::linear(2).into()]).unwrap();
    LARGEST.set(0);
    assert!(from_npz(&network, &file).is_err());
    let found = LARGEST.get();
    assert!(found <= 1 << 20, "{found} bytes for a file of {}", file.len());
}

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
