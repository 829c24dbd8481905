//! Which package of the workspace may depend on which: the picture in ARCHITECTURE.md as a table.

use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, MetadataCommand};

/// A package and those of the workspace that it may depend on. Dev-dependencies are free: they do
/// not reach a user.
const ARROWS: &[(&str, &[&str])] = &[
    ("slalom-tensor", &[]),
    ("slalom-optim", &[]),
    ("slalom-regularize", &[]),
    ("slalom-preprocess", &["slalom-tensor"]),
    ("slalom-layers", &["slalom-regularize", "slalom-tensor"]),
    ("slalom-train", &["slalom-layers", "slalom-optim", "slalom-regularize", "slalom-tensor"]),
    ("slalom", LIBRARIES),
    ("xtask", &["slalom"]),
    ("slalom-benches", WITH_FACADE),
    ("slalom-tests", WITH_FACADE),
];

const LIBRARIES: &[&str] = &[
    "slalom-layers",
    "slalom-optim",
    "slalom-preprocess",
    "slalom-regularize",
    "slalom-tensor",
    "slalom-train",
];

const WITH_FACADE: &[&str] = &[
    "slalom",
    "slalom-layers",
    "slalom-optim",
    "slalom-preprocess",
    "slalom-regularize",
    "slalom-tensor",
    "slalom-train",
];

/// Edges that are not in the table, and packages that it does not know.
pub(super) fn broken(root: &Path) -> Result<Vec<String>> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("cargo metadata")?;
    let members = metadata.workspace_packages();
    let edges = members.iter().flat_map(|package| {
        let shipped = package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development);
        let inside = shipped.filter(|d| members.iter().any(|member| *member.name == d.name));
        inside.map(|d| (package.name.to_string(), d.name.clone()))
    });
    let unknown = members.iter().filter(|package| allowed(&package.name).is_none());
    let unknown = unknown
        .map(|package| format!("{}: not in the table of xtask/src/tidy/arrows.rs", package.name));
    Ok(unknown.chain(edges.filter_map(|(from, to)| refuse(&from, &to))).collect())
}

fn allowed(package: &str) -> Option<&'static [&'static str]> {
    ARROWS.iter().find(|(name, _)| *name == package).map(|(_, to)| *to)
}

/// Why an edge may not be, if it may not.
fn refuse(from: &str, to: &str) -> Option<String> {
    let targets = allowed(from)?;
    (!targets.contains(&to)).then(|| {
        format!("{from} depends on {to}: allowed are {targets:?}, or make it a dev-dependency")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_against_the_picture_is_named() {
        assert_eq!(refuse("slalom-train", "slalom-optim"), None);
        let message = refuse("slalom-train", "slalom-preprocess").unwrap();
        assert!(message.starts_with("slalom-train depends on slalom-preprocess"), "{message}");
        assert!(refuse("slalom-tensor", "slalom").is_some());
    }
}
