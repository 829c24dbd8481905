//! Rules about the text of the tree: what files open with, how large they are, what they call.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The largest file that may be committed, in bytes.
const LARGEST: u64 = 1 << 20;

/// What a library must not call, and why.
const LOUD: &[(&str, &str)] = &[
    ("println!", "prints"),
    ("print!", "prints"),
    ("dbg!", "prints"),
    ("env::var", "reads the environment"),
    ("std::env", "reads the environment"),
    ("set_hook", "installs a handler"),
];

/// The files and folders that may hold `unsafe`: kernels, their dispatch, threads, slices shared
/// between tasks, large pages. Tests may, anywhere.
const UNSAFE: &[&str] = &[
    "crates/optim/src/pages.rs",
    "crates/optim/src/share.rs",
    "crates/optim/src/simd.rs",
    "crates/tensor/src/aside.rs",
    "crates/tensor/src/kernel",
    "crates/tensor/src/outer.rs",
    "crates/tensor/src/product.rs",
    "crates/tensor/src/simd",
    "crates/tensor/src/simd.rs",
    "crates/tensor/src/sparse.rs",
    "crates/tensor/src/threads.rs",
];

/// What writes a file, outside the seam.
const WRITES: &[&str] = &["File::create", "fs::write", "OpenOptions", "fs::rename", "fs::copy"];

/// Source files whose first line is not a `//!` line.
pub(super) fn without_head(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for path in rust_files(root)? {
        let text = read(root, &path)?;
        if !text.starts_with("//! ") {
            found.push(format!("{}:1: {:?}", path.display(), text.lines().next().unwrap_or("")));
        }
    }
    Ok(found)
}

/// Files over the limit.
pub(super) fn too_large(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for path in files(root)? {
        // deleted in the working tree, not yet in the index
        let Ok(file) = std::fs::metadata(root.join(&path)) else { continue };
        if file.len() > LARGEST {
            found.push(format!("{}: {} bytes", path.display(), file.len()));
        }
    }
    Ok(found)
}

/// Library code that prints, reads the environment or installs handlers.
pub(super) fn loud(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for path in library_files(root)? {
        let text = read(root, &path)?;
        for (line, code) in shipped(&text) {
            if let Some((call, what)) = LOUD.iter().find(|(call, _)| code.contains(call)) {
                found.push(format!("{}:{line}: {call} {what}", path.display()));
            }
        }
    }
    Ok(found)
}

/// `unsafe` outside the modules that are there for it.
pub(super) fn unsafe_elsewhere(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for path in library_files(root)? {
        if UNSAFE.iter().any(|place| path.starts_with(place)) {
            continue;
        }
        let text = read(root, &path)?;
        let places = shipped(&text).filter(|(_, code)| {
            ["unsafe {", "unsafe fn", "unsafe impl"].iter().any(|word| code.contains(word))
        });
        found.extend(places.map(|(line, _)| format!("{}:{line}", path.display())));
    }
    Ok(found)
}

/// Places in `train` that write files without the disk seam.
pub(super) fn past_the_seam(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for path in library_files(root)? {
        if !path.starts_with("crates/train/src") || path.ends_with("disk.rs") {
            continue;
        }
        let text = read(root, &path)?;
        for (line, code) in shipped(&text) {
            if let Some(call) = WRITES.iter().find(|call| code.contains(**call)) {
                found.push(format!("{}:{line}: {call}", path.display()));
            }
        }
    }
    Ok(found)
}

/// Commands that README shows and `.ci/run` does not run.
pub(super) fn readme_drift(root: &Path) -> Result<Vec<String>> {
    let (readme, ci) = (read(root, "README.md".as_ref())?, read(root, ".ci/run".as_ref())?);
    let shown = shell_commands(&readme);
    if shown.is_empty() {
        return Ok(vec!["README.md shows no command in a ```sh block".into()]);
    }
    let missing = shown.iter().filter(|command| !ci.lines().any(|line| line.trim() == **command));
    Ok(missing.map(|command| format!("`{command}` is not a line of .ci/run")).collect())
}

/// The example of README that is not, word for word, the tested one of slalom's front page.
pub(super) fn example_drift(root: &Path) -> Result<Vec<String>> {
    let readme = read(root, "README.md".as_ref())?;
    let page = read(root, "crates/slalom/src/lib.rs".as_ref())?;
    let documentation: Vec<&str> =
        page.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim_start).collect();
    let squeezed = |lines: &mut dyn Iterator<Item = &str>| -> Vec<String> {
        // lines that rustdoc hides stand in README
        lines.map(|line| line.trim().trim_start_matches("# ").to_string()).collect()
    };
    let shown = squeezed(&mut block(readme.lines(), "```rust"));
    let tested = squeezed(&mut block(documentation.into_iter(), "```"));
    let differ = shown.iter().zip(&tested).find(|(shown, tested)| shown != tested);
    Ok(match differ {
        Some((shown, tested)) => vec![format!("README has {shown:?}, the front page {tested:?}")],
        None if shown.len() != tested.len() => {
            vec![format!(
                "README's example has {} lines, the front page's {}",
                shown.len(),
                tested.len()
            )]
        }
        None => Vec::new(),
    })
}

/// The lines of the first block that opens with this fence.
fn block<'a>(lines: impl Iterator<Item = &'a str>, fence: &str) -> impl Iterator<Item = &'a str> {
    lines.skip_while(move |line| *line != fence).skip(1).take_while(|line| !line.starts_with("```"))
}

/// The lines of all ```` ```sh ```` blocks, without comments and blank lines.
fn shell_commands(markdown: &str) -> Vec<&str> {
    let mut inside = false;
    let mut commands = Vec::new();
    for line in markdown.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside {
            commands.push(line.split(" #").next().unwrap_or(line).trim());
        }
    }
    commands.retain(|command| !command.is_empty() && !command.starts_with('#'));
    commands
}

/// Numbered lines of code that ships: no comments, nothing from the tests on.
fn shipped(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let until_tests = text.lines().take_while(|line| !line.starts_with("mod tests"));
    until_tests
        .enumerate()
        .map(|(i, line)| (i + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn library_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = rust_files(root)?;
    files.retain(|path| {
        let mut parts = path.components().map(|c| c.as_os_str().to_string_lossy().into_owned());
        parts.next().as_deref() == Some("crates") && parts.nth(1).as_deref() == Some("src")
    });
    Ok(files)
}

fn rust_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = files(root)?;
    files.retain(|path| path.extension().is_some_and(|e| e == "rs") && root.join(path).exists());
    Ok(files)
}

/// The files of the tree, relative to the root: what git knows or would add; without git (a
/// source archive), whatever is there except build folders.
fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let git = Command::new("git")
        .current_dir(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output();
    if let Ok(output) = git
        && output.status.success()
    {
        let names = String::from_utf8_lossy(&output.stdout).into_owned();
        return Ok(names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect());
    }
    let mut found = Vec::new();
    walk(root, Path::new(""), &mut found)?;
    Ok(found)
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(root.join(folder))
        .with_context(|| format!("cannot list {}", root.join(folder).display()))?;
    for entry in entries {
        let entry = entry?;
        let (name, path) = (entry.file_name(), folder.join(entry.file_name()));
        if entry.file_type()?.is_file() {
            found.push(path);
        } else if name != "target" && name != ".git" {
            walk(root, &path, found)?;
        }
    }
    Ok(())
}

fn read(root: &Path, path: &Path) -> Result<String> {
    std::fs::read_to_string(root.join(path))
        .with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn each_rule_finds_its_break_and_only_that() {
        let large = "x".repeat(LARGEST as usize + 1);
        let root = tree(&[
            ("crates/a/src/lib.rs", "//! Fine.\n// println! in a comment\n"),
            ("crates/a/src/headless.rs", "use std::fmt;\n"),
            ("crates/a/src/loud.rs", "//! L.\nfn f() { println!(); }\nmod tests {\nprintln!() }\n"),
            ("crates/tensor/src/threads.rs", "//! T.\nunsafe impl Sync for X {}\n"),
            ("crates/a/src/sly.rs", "//! S.\nlet x = unsafe { *p };\n"),
            ("crates/train/src/disk.rs", "//! The seam.\nFile::create(p)\n"),
            ("crates/train/src/run.rs", "//! R.\n\nFile::create(p)\n"),
            ("data.bin", &large),
            (
                "README.md",
                "```sh\ncargo test   # all\ncargo bench\n```\n```toml\na = 1\n```\n```rust\nfn main() {\nb();\n}\n```\n",
            ),
            (".ci/run", "set -e\ncargo test\n"),
            (
                "crates/slalom/src/lib.rs",
                "//! S.\n//!\n//! ```\n//! # fn main() {\n//! a();\n//! # }\n//! ```\n",
            ),
        ]);
        let broken = |rule: fn(&Path) -> Result<Vec<String>>| rule(root.path()).unwrap();
        assert_eq!(broken(without_head), ["crates/a/src/headless.rs:1: \"use std::fmt;\""]);
        assert_eq!(broken(too_large), [format!("data.bin: {} bytes", LARGEST + 1)]);
        assert_eq!(broken(loud), ["crates/a/src/loud.rs:2: println! prints"]);
        assert_eq!(broken(unsafe_elsewhere), ["crates/a/src/sly.rs:2"]);
        assert_eq!(broken(past_the_seam), ["crates/train/src/run.rs:3: File::create"]);
        assert_eq!(broken(readme_drift), ["`cargo bench` is not a line of .ci/run"]);
        assert_eq!(broken(example_drift), ["README has \"b();\", the front page \"a();\""]);
    }
}
