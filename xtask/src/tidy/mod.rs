//! The rules of the house that no compiler checks, as a command and as a test.
//!
//! Each rule returns every place where it is broken, so that one run shows all there is to mend.

mod arrows;
mod budget;
mod sources;

use std::path::Path;

use anyhow::{Result, bail};

/// A rule: what it says, and a function that finds where it is broken.
struct Rule {
    says: &'static str,
    broken: fn(&Path) -> Result<Vec<String>>,
}

const RULES: &[Rule] = &[
    Rule { says: "dependencies follow ARCHITECTURE.md's arrows", broken: arrows::broken },
    Rule { says: "third-party crates stay within their budget", broken: budget::broken },
    Rule { says: "every source file opens with a //! line", broken: sources::without_head },
    Rule { says: "no committed file is over 1 MiB", broken: sources::too_large },
    Rule { says: "the libraries are quiet", broken: sources::loud },
    Rule { says: "unsafe stays in the modules that state why", broken: sources::unsafe_elsewhere },
    Rule { says: "train writes files through its disk seam only", broken: sources::past_the_seam },
    Rule { says: "README's commands are the ones that CI runs", broken: sources::readme_drift },
    Rule { says: "README's example is the tested one", broken: sources::example_drift },
];

/// `cargo xtask tidy`: one line a rule.
pub(crate) fn command() -> Result<()> {
    let mut found = 0;
    for rule in RULES {
        let broken = (rule.broken)(&crate::root())?;
        println!("{} {}", if broken.is_empty() { "ok    " } else { "BROKEN" }, rule.says);
        for place in &broken {
            println!("         {place}");
        }
        found += broken.len();
    }
    println!();
    budget::print_table(&crate::root())?;
    if found > 0 {
        bail!("{found} places to mend");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_tidy() {
        let mut found = String::new();
        for rule in RULES {
            for place in (rule.broken)(&crate::root()).unwrap() {
                found += &format!("{}: {place}\n", rule.says);
            }
        }
        assert!(found.is_empty(), "\n{found}");
    }
}
