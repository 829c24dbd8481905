//! How many third-party crates a package may bring to whoever depends on it.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// A package, the most third-party crates that `cargo tree -e normal` may list for it, and why.
struct Budget {
    package: &'static str,
    most: usize,
    why: &'static str,
}

const BUDGETS: &[Budget] = &[
    Budget {
        package: "slalom-optim",
        most: 15,
        why: "slices and a float trait: serde, num-traits; libc to ask for large pages",
    },
    Budget { package: "slalom-regularize", most: 15, why: "the same" },
    Budget { package: "slalom-tensor", most: 60, why: "nalgebra, gemm with its kernels, rand" },
    Budget { package: "slalom-preprocess", most: 80, why: "tensor, and the readers: gzip, CSV" },
    Budget { package: "slalom-layers", most: 70, why: "tensor, and the distributions of weights" },
    Budget { package: "slalom-train", most: 85, why: "layers, and checkpoints: bincode, blake3" },
    Budget { package: "slalom", most: 100, why: "all of the above, nothing of its own" },
];

/// Packages over their budget.
pub(super) fn broken(root: &Path) -> Result<Vec<String>> {
    let mut over = Vec::new();
    for Budget { package, most, .. } in BUDGETS {
        let crates = third_party(root, package)?;
        if crates.len() > *most {
            over.push(format!("{package}: {} third-party crates, budget {most}", crates.len()));
        }
        let barred = ["nalgebra", "gemm"].iter().filter(|name| crates.contains(**name));
        if *most <= 15 {
            over.extend(
                barred.map(|name| format!("{package} brings {name}: it knows slices only")),
            );
        }
    }
    Ok(over)
}

/// The table: package, crates it brings, budget, reason.
pub(super) fn print_table(root: &Path) -> Result<()> {
    println!("third-party crates (cargo tree -p PACKAGE -e normal)");
    for Budget { package, most, why } in BUDGETS {
        println!("{package:<20}{:>4} of {most:>3}   {why}", third_party(root, package)?.len());
    }
    Ok(())
}

/// The names of all third-party crates that a package brings.
fn third_party(root: &Path, package: &str) -> Result<BTreeSet<String>> {
    let output = crate::cargo()
        .current_dir(root)
        .args(["tree", "--package", package, "--edges", "normal", "--prefix", "none"])
        .args(["--no-dedupe", "--format", "{p}"])
        .output()
        .context("cannot run cargo tree")?;
    if !output.status.success() {
        bail!("cargo tree -p {package}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(names(&String::from_utf8_lossy(&output.stdout)))
}

/// A line is `NAME vVERSION`, with the folder in parentheses for packages of the workspace.
fn names(tree: &str) -> BTreeSet<String> {
    let outside = tree.lines().filter(|line| !line.contains("(/") && !line.contains(":\\"));
    outside
        .filter_map(|line| line.split(' ').next())
        .filter(|s| !s.is_empty())
        .map(Into::into)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_foreign_crate_once() {
        let tree = "slalom-optim v0.1.0 (/home/you/slalom/crates/optim)\nserde v1.0.0\n\
                    serde_derive v1.0.0 (proc-macro)\nserde v1.0.0\n";
        assert_eq!(names(tree).into_iter().collect::<Vec<_>>(), ["serde", "serde_derive"]);
    }
}
