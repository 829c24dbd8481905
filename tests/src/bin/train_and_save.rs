//! Trains and saves until it is done or killed: `train_and_save FILE EPOCHS THREADS`. Prints the
//! number of each epoch once it is saved.

use std::io::Write;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |i: usize| arguments[i].parse::<u64>().expect("a number");
    let mut out = std::io::stdout();
    slalom_tests::train_and_save(arguments[1].as_ref(), number(2), number(3) as usize, &mut |n| {
        // nobody listens any more: the parent is gone
        let _ = writeln!(out, "{n}").and_then(|()| out.flush());
    });
}
