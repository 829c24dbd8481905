//! Trains an epoch on inputs from a file and prints the process's peak of resident memory in KiB:
//! `train_from_file FILE FEATURES SAMPLES`.

use slalom::prelude::*;
use slalom_train::FileSource;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |i: usize| arguments[i].parse::<usize>().expect("a number");
    let (features, samples) = (number(2), number(3));
    let classes: Vec<u32> = (0..samples as u32).map(|i| i % 2).collect();
    let train = FileSource::<f32>::open(&arguments[1], Targets::Classes(&classes)).expect("opens");
    let network = Network::new(features, [Dense::linear(2).into()]).expect("a network that can be");
    let mut run = Run::new(network, Config::default(), Threads::one()).expect("a valid run");
    run.epoch(&train, None).expect("it trains");
    run.evaluate(&train).expect("it evaluates");
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    println!("{}", peak.trim().trim_end_matches(" kB"));
}
