//! A random search over learning rate and width, each trial scored by five folds. Every trial is
//! saved: a search that was stopped goes on where it was, to the same result.
//!
//! `cargo run -p slalom --example search`

use slalom::prelude::*;
use slalom::preprocess::{Folds, generate};
use slalom::train::{Search, Setting, Trial, cross_validate};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = generate::moons::<f32>(200, 0.2, 7);
    let samples = data.samples()?;
    let score = |trial: &Trial| {
        let folds = Folds { count: 5, seed: 1 }.indices(samples.len())?;
        let folds = folds.into_iter().map(|fold| (fold.train, fold.valid));
        let scores = cross_validate(samples, folds, |_, train, held_out| {
            let units = trial.setting("units") as usize;
            let layers = [Dense::new(units, Activation::Tanh).into(), Dense::linear(2).into()];
            let config = Config { rate: trial.setting("rate").into(), ..Config::default() };
            let network = Network::<f32>::new(2, layers)?;
            let mut run = Run::new(network, config, Threads::one())?;
            let fit = Fit { epochs: 20, ..Fit::default() };
            run.fit(train, Some(held_out), &fit, &mut [])?;
            run.evaluate(held_out)
        })?;
        Ok::<f64, Box<dyn std::error::Error>>(scores.mean())
    };

    let path = std::env::temp_dir().join("search.slalom");
    let mut search = match path.exists() {
        true => Search::load(&path)?,
        false => {
            let rate = ("rate".into(), Setting::Log(1e-3, 1e-1));
            Search::random(vec![rate, ("units".into(), Setting::Integer(4, 32))], 8, 1)?
        }
    };
    while let Some(trial) = search.next_trial() {
        let loss = score(&trial)?;
        println!("trial {}: {:?}: loss {loss:.4}", trial.number, trial.settings);
        search.record(loss);
        search.save(&path)?;
    }
    println!("best: {:?}", search.best().ok_or("no trial has a finite loss")?.settings);
    std::fs::remove_file(path)?;
    Ok(())
}
