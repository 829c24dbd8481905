//! Progress: plain and bounded off a terminal, and on one it hides no panic's text.

use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_train_with_progress");

/// What the program says on standard error, which is a pipe.
fn said(argument: &str) -> String {
    let output = Command::new(PROGRAM).arg(argument).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.success(), argument != "panic");
    assert!(output.stdout.is_empty(), "standard output is the caller's");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn off_a_terminal_it_is_plain_lines_a_hundred_at_most() {
    for (epochs, lines) in [(7, 7), (100, 100), (3000, 100)] {
        let text = said(&epochs.to_string());
        assert!(!text.contains(|sign: char| sign.is_control() && sign != '\n'), "{text:?}");
        assert_eq!(text.lines().count(), lines, "{text}");
        assert!(text.lines().all(|line| line.len() < 120), "{text}");
        let last = text.lines().last().unwrap();
        let wanted = format!("rings: epoch {epochs} of {epochs}, loss 0.");
        assert!(last.starts_with(&wanted) && last.ends_with(", rate 1.00e-3, 0 s left"), "{last}");
    }
}

#[test]
fn a_panics_text_is_there_off_a_terminal_and_on_one() {
    assert!(said("panic").contains("what went wrong is this"));
    // a terminal of its own for the program: util-linux' script
    let script = Command::new("script")
        .args(["--quiet", "--command", &format!("'{PROGRAM}' panic"), "/dev/null"])
        .stdin(Stdio::null())
        .output();
    let Some(output) = script.ok().filter(|output| output.status.success()) else {
        println!("skipped: no util-linux script to give a program a terminal");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (before, after) = text.split_once("what went wrong is this").expect("the panic's text");
    assert!(before.contains("epoch ") && before.contains('\x1b'), "there was a bar: {before:?}");
    // nothing behind it moves up or clears the screen
    let hides = ["\x1b[1A", "\x1b[2A", "\x1b[A", "\x1b[2J", "\x1b[H", "\x1bM"];
    assert!(hides.iter().all(|code| !after.contains(code)), "{after:?}");
}
