//! The seam to the file system: every file that this crate writes goes through [`write_file`].
//!
//! A file is written to a temporary one in the same folder, synced, renamed over the old one, and
//! the folder is synced. A crash at any point leaves the old file or the new one, whole; at most a
//! temporary file (`.name.<process>-<n>.tmp`) is left behind, which nothing reads.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::CheckpointError;

/// The operations of a file system that saving and loading need; one file is open at a time.
///
/// [`SystemDisk`] is the real one. Tests put one in its place that fails, or that loses what was
/// not synced.
pub trait Disk {
    /// Creates and opens a file that must not exist (nor be a link), with the permissions of `like`
    /// if that exists.
    fn create_new(&mut self, path: &Path, like: &Path) -> io::Result<()>;
    /// Appends to the open file and says how many of the bytes were taken.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Forces the open file onto the medium and closes it.
    fn sync_file(&mut self) -> io::Result<()>;
    /// Gives a file another name, replacing what had it.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    /// Forces a folder's entries onto the medium.
    fn sync_dir(&mut self, path: &Path) -> io::Result<()>;
    /// Closes the open file, if one is, and removes a file.
    fn remove(&mut self, path: &Path) -> io::Result<()>;
    /// The bytes of a file; refused beyond `limit` bytes, before more than that is allocated.
    fn read(&mut self, path: &Path, limit: u64) -> io::Result<Vec<u8>>;
}

/// The file system of the machine.
#[derive(Debug, Default)]
pub struct SystemDisk {
    open: Option<File>,
}

impl Disk for SystemDisk {
    fn create_new(&mut self, path: &Path, like: &Path) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        if let Ok(old) = like.metadata() {
            // a file system without permissions is no reason not to save
            let _ = file.set_permissions(old.permissions());
        }
        self.open = Some(file);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.open.as_mut().ok_or(ErrorKind::NotFound)?.write(bytes)
    }

    fn sync_file(&mut self) -> io::Result<()> {
        self.open.take().ok_or(ErrorKind::NotFound)?.sync_all()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        // elsewhere than on Unix a folder cannot be opened as a file: the guarantee is then
        // against the death of the process only
        if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.open = None;
        std::fs::remove_file(path)
    }

    fn read(&mut self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        if about.is_dir() {
            return Err(ErrorKind::IsADirectory.into());
        }
        let too_long = || io::Error::new(ErrorKind::FileTooLarge, format!("over {limit} bytes"));
        if about.len() > limit {
            return Err(too_long());
        }
        // the length on record may lie (a pipe, a file that grows): read what comes, up to the limit
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit { Err(too_long()) } else { Ok(bytes) }
    }
}

/// Bytes handed to the system at a time.
const CHUNK: usize = 1 << 20;

/// How often a taken name or an interrupted call is tried again.
const TRIES: usize = 64;

/// Writes a whole file in place of the one at `path`: afterwards it is there, whole and synced, or
/// the old one is untouched.
///
/// ```
/// use slalom_train::checkpoint::{SystemDisk, write_file};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("notes.txt");
/// write_file(&mut SystemDisk::default(), &path, b"all or nothing")?;
/// assert_eq!(std::fs::read(&path)?, b"all or nothing");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`CheckpointError::Io`] names the operation that failed: the old file is untouched and no
/// temporary file is left. [`CheckpointError::NotDurable`]: the new file is in place, but a power
/// loss may take it back.
pub fn write_file(disk: &mut dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    let fail = |operation, path: &Path| {
        let path = path.to_owned();
        move |source| CheckpointError::Io { operation, path, source }
    };
    let Some(name) = path.file_name() else {
        return Err(fail("write", path)(ErrorKind::IsADirectory.into()));
    };
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let temporary = create_temporary(disk, folder, name, path)?;
    let written = write_all(disk, bytes)
        .map_err(fail("write", &temporary))
        .and_then(|()| disk.sync_file().map_err(fail("sync", &temporary)))
        .and_then(|()| disk.rename(&temporary, path).map_err(fail("rename to", path)));
    if let Err(error) = written {
        // the first error says what happened; one about the leftover would hide it
        let _ = disk.remove(&temporary);
        return Err(error);
    }
    disk.sync_dir(folder)
        .map_err(|source| CheckpointError::NotDurable { path: path.to_owned(), source })
}

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
/// [`CheckpointError::Io`] with the path: no such file, a folder, no permission, longer than the
/// limit.
pub fn read_file(disk: &mut dyn Disk, path: &Path, limit: u64) -> Result<Vec<u8>, CheckpointError> {
    disk.read(path, limit).map_err(|source| CheckpointError::Io {
        operation: "read",
        path: path.to_owned(),
        source,
    })
}

/// Creates the temporary file under a name of its own.
fn create_temporary(
    disk: &mut dyn Disk,
    folder: &Path,
    name: &OsStr,
    target: &Path,
) -> Result<PathBuf, CheckpointError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // cut, so that a long name stays legal with what is put around it
    let name: String = name.to_string_lossy().chars().take(48).collect();
    let mut tries = 0;
    loop {
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".{name}.{}-{n}.tmp", std::process::id()));
        tries += 1;
        match disk.create_new(&path, target) {
            Ok(()) => return Ok(path),
            Err(e) if again(e.kind()) && tries < TRIES => {}
            Err(source) => return Err(CheckpointError::Io { operation: "create", path, source }),
        }
    }
}

/// Whether another name, or the same call once more, may help.
fn again(error: ErrorKind) -> bool {
    matches!(error, ErrorKind::AlreadyExists | ErrorKind::Interrupted)
}

fn write_all(disk: &mut dyn Disk, mut bytes: &[u8]) -> io::Result<()> {
    let mut tries = 0;
    while !bytes.is_empty() {
        match disk.write(&bytes[..bytes.len().min(CHUNK)]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(taken) => (bytes, tries) = (&bytes[taken..], 0),
            Err(e) if again(e.kind()) && tries < TRIES => tries += 1,
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn save(path: &Path) -> Result<(), CheckpointError> {
        write_file(&mut SystemDisk::default(), path, b"new")
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn replaces_the_old_file_and_leaves_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        std::fs::write(&path, b"old and longer").unwrap();
        save(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["model"]);
    }

    #[test]
    #[cfg(unix)]
    fn keeps_the_old_files_mode() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        std::fs::write(&path, b"old").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        save(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    #[cfg(unix)]
    fn a_link_that_someone_planted_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let [there, absent, link] = ["there", "absent", "link"].map(|n| folder.path().join(n));
        std::fs::write(&there, b"somebody's").unwrap();
        for target in [&there, &absent] {
            std::os::unix::fs::symlink(target, &link).unwrap();
            let error = SystemDisk::default().create_new(&link, &link).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AlreadyExists);
            std::fs::remove_file(&link).unwrap();
        }
        assert_eq!(std::fs::read(&there).unwrap(), b"somebody's");
        assert!(!absent.exists());
    }

    #[test]
    fn names_what_cannot_be_written_and_creates_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no").join("model");
        let error = save(&missing).unwrap_err().to_string();
        assert!(error.starts_with("cannot create") && error.contains("no/"), "{error}");
        let is_folder = folder.path().join("folder");
        std::fs::create_dir(&is_folder).unwrap();
        let error = save(&is_folder).unwrap_err().to_string();
        assert!(error.starts_with("cannot rename to") && error.contains("folder"), "{error}");
        let long = folder.path().join("x".repeat(256));
        assert!(save(&long).is_err());
        assert!(save(Path::new("..")).unwrap_err().to_string().contains("cannot write .."));
        assert_eq!(names(folder.path()), ["folder"]);
        save(&folder.path().join("x".repeat(255))).unwrap();
    }

    #[test]
    fn who_reads_during_saves_sees_one_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        let contents = [vec![1; 3], vec![2; 300_000]];
        save(&path).unwrap();
        std::thread::scope(|scope| {
            let saver = scope.spawn(|| {
                for i in 0..100 {
                    write_file(&mut SystemDisk::default(), &path, &contents[i % 2]).unwrap();
                }
            });
            let mut reads = 0;
            while reads == 0 || !saver.is_finished() {
                let found = read_file(&mut SystemDisk::default(), &path, 1 << 20).unwrap();
                assert!(found == b"new" || contents.contains(&found), "{} bytes", found.len());
                reads += 1;
            }
        });
    }

    #[test]
    fn reads_no_folder_and_nothing_beyond_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let disk = &mut SystemDisk::default();
        let error = read_file(disk, folder.path(), 10).unwrap_err().to_string();
        assert!(error.contains("is a directory"), "{error}");
        let path = folder.path().join("model");
        assert!(matches!(read_file(disk, &path, 10), Err(CheckpointError::Io { .. })));
        save(&path).unwrap();
        assert_eq!(read_file(disk, &path, 3).unwrap(), b"new");
        let error = read_file(disk, &path, 2).unwrap_err().to_string();
        assert!(error.contains("over 2 bytes"), "{error}");
    }
}
