//! The example of a loop without the rest of slalom runs, and holds what it asserts.

#[path = "../examples/own_loop.rs"]
mod own_loop;

#[test]
fn a_loop_that_uses_nothing_else_of_slalom() {
    own_loop::main();
}
