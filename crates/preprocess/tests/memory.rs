//! Memory: a small hostile file asks for no more than its size allows, counted by the allocator.

use flate2::{Compression, write::GzEncoder};
use slalom_preprocess::{Csv, Idx, Limits, npy_from_reader};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Runs `read` and holds what it allocates against `size` bytes of content: a single request of at
/// most 16 bytes for each and 1 MiB, in all 64 for each and 8 MiB.
#[track_caller]
fn bounded(size: usize, what: &str, read: impl FnOnce()) {
    let before = NOW.load(Ordering::SeqCst);
    PEAK.store(before, Ordering::SeqCst);
    LARGEST.store(0, Ordering::SeqCst);
    read();
    let peak = PEAK.load(Ordering::SeqCst) - before;
    let largest = LARGEST.load(Ordering::SeqCst);
    assert!(largest <= 16 * size + (1 << 20), "{what}: one request of {largest} for {size} bytes");
    assert!(peak <= 64 * size + (8 << 20), "{what}: {peak} bytes at once for {size}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn idx(code: u8, shape: &[u32], body: usize) -> Vec<u8> {
    let mut file = vec![0, 0, code, shape.len() as u8];
    shape.iter().for_each(|length| file.extend(length.to_be_bytes()));
    file.resize(file.len() + body, 7);
    file
}

fn npy(shape: &str, body: usize) -> Vec<u8> {
    let head = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((head.len() as u16).to_le_bytes());
    file.extend(head.bytes());
    file.resize(file.len() + body, 0);
    file
}

/// One test, so that no other one allocates meanwhile.
#[test]
fn what_is_declared_is_not_what_is_allocated() {
    let limits = Limits::default();
    let large = u32::MAX;
    for shape in [&[large][..], &[large, 1], &[1, large], &[large, large], &[500_000_000, 8]] {
        let file = idx(8, shape, 4096);
        bounded(file.len(), "idx", || drop(Idx::<f64>::from_reader(&file[..], "it", &limits)));
        let packed = gzip(&file);
        bounded(file.len(), "idx.gz", || drop(Idx::<f64>::from_reader(&packed[..], "it", &limits)));
    }
    for shape in ["(65536, 65536)", "(1000000000,)", "(1, 1000000000)", "(9, 9)"] {
        let file = npy(shape, 80);
        bounded(file.len(), "npy", || drop(npy_from_reader::<f64>(&file[..], "it", &limits)));
    }
    // every byte of the headers changed
    for file in [idx(8, &[5, 2], 10), gzip(&idx(8, &[5, 2], 10)), npy("(5, 2)", 40)] {
        for at in 0..file.len() {
            for byte in [0, 0xff, file[at] ^ 0x80, file[at].wrapping_add(1)] {
                let mut bad = file.clone();
                bad[at] = byte;
                bounded(4096, "a changed byte", || {
                    drop(Idx::<f32>::from_reader(&bad[..], "it", &limits));
                    drop(npy_from_reader::<f32>(&bad[..], "it", &limits));
                });
            }
        }
    }
    let good = idx(8, &[1000, 28, 28], 784_000);
    bounded(good.len(), "a good idx", || {
        drop(Idx::<f64>::from_reader(&good[..], "it", &limits).unwrap());
    });
    // a bomb is counted by what comes out of it until it is stopped
    let bomb = gzip(&vec![b'1'; 32 << 20]);
    let small = Limits { bytes: 1 << 20, ..limits };
    let csv = Csv { header: false, limits: small, ..Csv::default() };
    bounded(1 << 20, "a bomb", || drop(csv.from_reader(&bomb[..], "it").unwrap_err()));

    let texts: [String; 6] = [
        "1,2\n".repeat(1000),
        format!("\"{}", "x\n".repeat(2000)),
        ",".repeat(5000),
        "a\n".to_string() + &(0..3000).map(|i| format!("{i}x\n")).collect::<String>(),
        "\n".repeat(5000),
        "x".repeat(5000),
    ];
    for text in texts {
        let csv = Csv { header: false, ..Csv::default() };
        bounded(text.len(), &text[..8], || drop(csv.from_reader(text.as_bytes(), "it")));
    }
}
