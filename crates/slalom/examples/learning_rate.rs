//! Which learning rate? Smith's range test with its picture, then a training with what it suggests.
//!
//! `cargo run -p slalom --example learning_rate` writes `learning-rate.svg` into the system's folder
//! for temporary files.

use slalom::prelude::*;
use slalom::preprocess::generate;
use slalom::train::RangeTest;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = generate::moons::<f32>(400, 0.2, 7);
    let train = data.samples()?;
    let run = |rate: f64| {
        let layers = [Dense::new(32, Activation::Tanh).into(), Dense::linear(2).into()];
        let config = Config { rate: rate.into(), ..Config::default() };
        Run::new(Network::<f32>::new(2, layers)?, config, Threads::one())
    };

    let curve = RangeTest { start: 1e-4, ..RangeTest::default() }.run(&run(1e-3)?, train)?;
    let picture = std::env::temp_dir().join("learning-rate.svg");
    std::fs::write(&picture, curve.svg())?;
    let rate = curve.suggestion().ok_or("the loss falls nowhere")?;
    println!("the loss falls fastest at a rate of {rate:.1e}: see {}", picture.display());

    let mut run = run(rate)?;
    run.fit(train, None, &Fit { epochs: 30, ..Fit::default() }, &mut [])?;
    println!("loss after 30 epochs: {:.4}", run.evaluate(train)?);
    Ok(())
}
