//! Where bytes come from: a file or any reader, plain or gzip, counted and held to the limits.

use crate::{Fault, Limits, PreprocessError};
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Chain, Cursor, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Content below this size is not held to the ratio.
const RATIO_FREE: u64 = 64 << 20;

/// Memory grows in steps of at most this, whatever a header declares.
const STEP: usize = 1 << 20;

/// The content of a file, decompressed where its first bytes say so.
pub(crate) struct Source<R> {
    name: String,
    limits: Limits,
    reader: Content<Start<R>>,
    /// Bytes of content handed out.
    at: u64,
    /// Bytes of the file read.
    taken: Arc<AtomicU64>,
}

/// The first two bytes, looked at already, and what follows.
type Start<R> = BufReader<Chain<Cursor<Vec<u8>>, Counted<R>>>;

enum Content<R> {
    Plain(R),
    Gzip(Box<MultiGzDecoder<R>>),
}

impl Source<File> {
    /// Opens a file.
    pub(crate) fn open(path: &Path, limits: &Limits) -> Result<Self, PreprocessError> {
        let io = |error| PreprocessError::file(path, Fault::Io { at: 0, error });
        let file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.is_dir() {
            return Err(PreprocessError::file(path, Fault::Folder));
        }
        Self::new(file, &path.display().to_string(), limits)
    }
}

impl<R: Read> Source<R> {
    /// Takes any reader; `name` stands for it in errors.
    pub(crate) fn new(reader: R, name: &str, limits: &Limits) -> Result<Self, PreprocessError> {
        let taken = Arc::new(AtomicU64::new(0));
        let mut reader = Counted { reader, taken: Arc::clone(&taken) };
        let failed = |fault| PreprocessError::File { file: name.to_string(), fault };
        let mut start = Vec::new();
        let read = reader.by_ref().take(2).read_to_end(&mut start);
        read.map_err(|error| failed(Fault::Io { at: 0, error }))?;
        let (empty, gzip) = (start.is_empty(), start == [0x1f, 0x8b]);
        let reader = BufReader::with_capacity(1 << 17, Cursor::new(start).chain(reader));
        let reader = match (empty, gzip) {
            (true, _) => return Err(failed(Fault::Empty)),
            (_, true) => Content::Gzip(Box::new(MultiGzDecoder::new(reader))),
            _ => Content::Plain(reader),
        };
        Ok(Self { name: name.to_string(), limits: *limits, reader, at: 0, taken })
    }

    /// The limits that this source keeps.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A fault of this source, as an error.
    pub(crate) fn error(&self, fault: Fault) -> PreprocessError {
        PreprocessError::File { file: self.name.clone(), fault }
    }

    /// An error that came through [`Read`], with its fault taken out again.
    pub(crate) fn read_error(&self, error: io::Error) -> PreprocessError {
        self.error(match error.downcast::<Fault>() {
            Ok(fault) => fault,
            Err(error) => Fault::Io { at: self.at, error },
        })
    }

    /// Fills the buffer, or says how much of `what` is missing.
    pub(crate) fn exactly(
        &mut self,
        buffer: &mut [u8],
        what: &'static str,
    ) -> Result<(), PreprocessError> {
        let start = self.at;
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read(&mut buffer[filled..]) {
                Ok(0) => {
                    let expected = start + buffer.len() as u64;
                    return Err(self.error(match self.at {
                        0 => Fault::Empty,
                        found => Fault::Truncated { what, expected, found },
                    }));
                }
                Ok(n) => filled += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.read_error(error)),
            }
        }
        Ok(())
    }

    /// Reads `length` bytes, `step` of them at most at a time, and hands each part to `take`: what a
    /// header declares is never allocated before it has arrived.
    pub(crate) fn in_steps(
        &mut self,
        length: u64,
        what: &'static str,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<(), PreprocessError> {
        let expected = self.at.saturating_add(length);
        if expected > self.limits.bytes {
            let limit = self.limits.bytes;
            let what = "the declared content in bytes";
            return Err(self.error(Fault::Limit { field: "bytes", what, found: expected, limit }));
        }
        let mut buffer = vec![0; STEP.min(length as usize)];
        let mut left = length;
        while left > 0 {
            let step = (STEP as u64).min(left) as usize;
            match self.exactly(&mut buffer[..step], what) {
                Ok(()) => take(&buffer[..step]),
                Err(PreprocessError::File { fault: Fault::Truncated { found, .. }, .. }) => {
                    return Err(self.error(Fault::Truncated { what, expected, found }));
                }
                Err(error) => return Err(error),
            }
            left -= step as u64;
        }
        Ok(())
    }

    /// The next byte, if there is one.
    pub(crate) fn byte(&mut self) -> Result<Option<u8>, PreprocessError> {
        let mut byte = [0];
        loop {
            match self.read(&mut byte) {
                Ok(n) => return Ok((n > 0).then_some(byte[0])),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.read_error(error)),
            }
        }
    }

    /// Checks that nothing follows.
    pub(crate) fn end(&mut self) -> Result<(), PreprocessError> {
        let expected = self.at;
        match self.byte()? {
            None => Ok(()),
            Some(_) => Err(self.error(Fault::Trailing { expected, extra: 1 })),
        }
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = match &mut self.reader {
            Content::Plain(reader) => reader.read(buffer)?,
            Content::Gzip(reader) => reader.read(buffer).map_err(|error| match error.kind() {
                ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                    io::Error::other(Fault::Compressed { at: self.at, error })
                }
                _ => error,
            })?,
        };
        self.at += n as u64;
        let Limits { bytes, ratio, .. } = self.limits;
        let limit = |field, what, found, limit| {
            Err(io::Error::other(Fault::Limit { field, what, found, limit }))
        };
        if self.at > bytes {
            return limit("bytes", "the content in bytes", self.at, bytes);
        }
        let taken = self.taken.load(Ordering::Relaxed).max(1);
        if self.at > RATIO_FREE && self.at / taken > ratio {
            return limit(
                "ratio",
                "the ratio of content to compressed bytes",
                self.at / taken,
                ratio,
            );
        }
        Ok(n)
    }
}

/// A reader that counts.
struct Counted<R> {
    reader: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.taken.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// The first bytes of a file and what they look like, for an error.
pub(crate) fn looks_like(start: &[u8]) -> String {
    let hex: Vec<String> = start.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    match known_format(start).or(is_text(start).then_some("text")) {
        Some(like) => format!("bytes {} (looks like {like})", hex.join(" ")),
        None => format!("bytes {}", hex.join(" ")),
    }
}

/// The first bytes of a file and what they look like, if that is known and no text.
pub(crate) fn binary_format(start: &[u8]) -> Option<String> {
    known_format(start).filter(|_| !is_text(start)).map(|_| looks_like(start))
}

fn known_format(start: &[u8]) -> Option<&'static str> {
    let known: &[(&[u8], &str)] = &[
        (b"\x89PNG", "a PNG image"),
        (b"PK\x03\x04", "a zip, XLSX or NPZ file"),
        (b"\x93NUM", "an NPY file"),
        (b"\x1f\x8b", "gzip inside gzip"),
        (b"\x80", "a Python pickle"),
        (b"%PDF", "a PDF"),
        (b"BZh", "bzip2"),
        (b"\xfd7zX", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\xff\xfe", "text in UTF-16: save it as UTF-8"),
        (b"\xfe\xff", "text in UTF-16: save it as UTF-8"),
    ];
    known.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, name)| *name)
}

fn is_text(start: &[u8]) -> bool {
    start.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
}
