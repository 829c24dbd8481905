//! A disk in memory that fails when told to, and that can be cut off at any point.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use slalom_train::checkpoint::Disk;

/// Bytes that one write takes at most, so that a save has many steps.
pub const BLOCK: usize = 4096;

/// A disk in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    /// The files that there are.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    /// What was done, first to last; reading is not written down.
    pub log: Vec<Op>,
    /// What goes wrong, if anything.
    pub fault: Option<Fault>,
    /// The file that is being written.
    pub open: Option<PathBuf>,
}

/// What was done to a disk.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// A file was created.
    Create(PathBuf),
    /// Bytes were appended to it.
    Write(Vec<u8>),
    /// It was forced onto the medium.
    SyncFile,
    /// A file was renamed.
    Rename(PathBuf, PathBuf),
    /// The folder was forced onto the medium.
    SyncDir,
    /// A file was removed.
    Remove(PathBuf),
}

/// What goes wrong, and when.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// At which operation, from 0.
    pub at: usize,
    /// Whether at all later ones too.
    pub lasting: bool,
    /// What.
    pub what: Wrong,
}

/// Ways of going wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wrong {
    /// A write takes no more than so many bytes; other operations work.
    Short(usize),
    /// A write takes all bytes but one.
    AllButOne,
    /// The system's error of this number.
    Error(i32),
}

impl MemoryDisk {
    /// Counts an operation; how many bytes a write of `length` may take, or the error.
    fn step(&mut self, length: usize) -> io::Result<usize> {
        let now = self.log.len();
        let hit = |f: &Fault| f.at == now || (f.lasting && f.at < now);
        match self.fault.filter(hit).map(|f| f.what) {
            None => Ok(length.min(BLOCK)),
            Some(Wrong::Short(n)) => Ok(length.min(n)),
            Some(Wrong::AllButOne) => Ok(length.min(BLOCK).saturating_sub(1)),
            Some(Wrong::Error(number)) => {
                // it failed once: the next call is the next operation
                if let Some(fault) = self.fault.as_mut().filter(|f| !f.lasting) {
                    fault.at = usize::MAX;
                }
                Err(io::Error::from_raw_os_error(number))
            }
        }
    }
}

impl Disk for MemoryDisk {
    fn create_new(&mut self, path: &Path, _like: &Path) -> io::Result<()> {
        self.step(0)?;
        if self.files.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        self.files.insert(path.into(), Vec::new());
        self.open = Some(path.into());
        self.log.push(Op::Create(path.into()));
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.step(bytes.len())?;
        let path = self.open.as_ref().ok_or(ErrorKind::NotFound)?;
        let file = self.files.get_mut(path).ok_or(ErrorKind::NotFound)?;
        file.extend_from_slice(&bytes[..taken]);
        self.log.push(Op::Write(bytes[..taken].to_vec()));
        Ok(taken)
    }

    fn sync_file(&mut self) -> io::Result<()> {
        self.step(0)?;
        self.open = None;
        self.log.push(Op::SyncFile);
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(0)?;
        let file = self.files.remove(from).ok_or(ErrorKind::NotFound)?;
        self.files.insert(to.into(), file);
        self.log.push(Op::Rename(from.into(), to.into()));
        Ok(())
    }

    fn sync_dir(&mut self, _path: &Path) -> io::Result<()> {
        self.step(0)?;
        self.log.push(Op::SyncDir);
        Ok(())
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.step(0)?;
        self.open = None;
        self.files.remove(path).ok_or(ErrorKind::NotFound)?;
        self.log.push(Op::Remove(path.into()));
        Ok(())
    }

    fn read(&mut self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let file = self.files.get(path).ok_or(ErrorKind::NotFound)?;
        if file.len() as u64 > limit {
            Err(ErrorKind::FileTooLarge.into())
        } else {
            Ok(file.clone())
        }
    }
}

/// What may be found on the medium if the power fails after the operations `log`, which began with
/// `before` on it: names whose change was not synced are old or new; a file whose bytes were not
/// synced has none of them, all of them, zeros, or one block of `block` bytes lost, zeroed or
/// scrambled.
pub fn after_power_loss(
    before: &BTreeMap<PathBuf, Vec<u8>>,
    log: &[Op],
    block: usize,
) -> Vec<BTreeMap<PathBuf, Vec<u8>>> {
    // states of the names: the last that is surely there, and each one after it
    let mut bytes: Vec<(Vec<u8>, bool)> = before.values().map(|b| (b.clone(), true)).collect();
    let names: BTreeMap<PathBuf, usize> = before.keys().cloned().zip(0..).collect();
    let mut states = vec![names];
    for op in log {
        let mut names = states.last().expect("never empty").clone();
        match op {
            Op::Create(path) => {
                names.insert(path.clone(), bytes.len());
                bytes.push((Vec::new(), false));
                states.push(names);
            }
            Op::Write(more) => bytes.last_mut().expect("a file is open").0.extend(more),
            Op::SyncFile => bytes.last_mut().expect("a file is open").1 = true,
            Op::Rename(from, to) => {
                let file = names.remove(from).expect("the file is there");
                names.insert(to.clone(), file);
                states.push(names);
            }
            Op::SyncDir => states = vec![names],
            Op::Remove(path) => {
                names.remove(path);
                states.push(names);
            }
        }
    }
    let mut images = Vec::new();
    for names in &states {
        let unsynced = names.iter().find(|(_, file)| !bytes[**file].1);
        let image = |contents: Option<Vec<u8>>| {
            let content = |(path, file): (&PathBuf, &usize)| {
                let changed = unsynced.filter(|u| u.1 == file).and(contents.clone());
                (path.clone(), changed.unwrap_or_else(|| bytes[*file].0.clone()))
            };
            names.iter().map(content).collect()
        };
        images.push(image(None));
        let Some((_, file)) = unsynced else { continue };
        let whole = &bytes[*file].0;
        images.push(image(Some(Vec::new())));
        images.push(image(Some(vec![0; whole.len()])));
        for start in (0..whole.len()).step_by(block) {
            let end = whole.len().min(start + block);
            let lost = [&whole[..start], &whole[end..]].concat();
            let filled = |fill: &dyn Fn(usize) -> u8| {
                let mut content = whole.clone();
                (start..end).for_each(|i| content[i] = fill(i));
                content
            };
            images.extend([
                image(Some(lost)),
                image(Some(filled(&|_| 0))),
                image(Some(filled(&|i| (i * 167 + 13) as u8))),
            ]);
        }
    }
    images
}
