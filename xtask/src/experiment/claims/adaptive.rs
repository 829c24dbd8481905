//! AdaGrad's rate only falls; RMSProp forgets and recovers.

use anyhow::Result;
use slalom::optim::{AdaGrad, Block, Optimizer, RmsProp, Rule};
use slalom::tensor::{Purpose, stream, uniform};

use crate::experiment::Experiment;
use crate::experiment::cell::{Cell, Outcome, Plan, Results};
use crate::experiment::findings::{BY_PARTS, Findings, Part, Verdict, measured, short};
use crate::experiment::plot::{Axis, Form, Plot, Series};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "adaptive",
    title: "AdaGrad and RMSProp",
    claim: "AdaGrad's effective rate only falls, so it comes to rest; RMSProp forgets old gradients \
            and recovers when the problem moves.",
    setup: "Ten numbers follow a target by noisy gradients (deviation 1) for 4,000 steps. The \
            stationary target stays at 0; the drifting one jumps by 10 after half of the steps and \
            moves on by 0.002 a step. Each rule runs at the best of a grid of rates by its mean \
            squared distance over the last quarter. The effective rate is the step divided by the \
            gradient.",
    rule: BY_PARTS,
    tried: "",
    cells,
    findings,
};

const STEPS: usize = 4000;
const RATES: [f64; 7] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0];
const PROBLEMS: [&str; 2] = ["stationary", "drifting"];

/// A name and its rule.
type Named = (&'static str, fn() -> Rule);

const RULES: [Named; 2] = [
    ("AdaGrad", || AdaGrad::default().into()),
    ("RMSProp", || RmsProp { alpha: 0.95, ..RmsProp::default() }.into()),
];

fn config(problem: &str, rule: &str, rate: f64) -> String {
    format!("{problem}, {rule}, rate {rate}")
}

fn cells(plan: &Plan) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for problem in PROBLEMS {
        for (name, rule) in RULES {
            for rate in RATES {
                for seed in plan.seeds(20) {
                    cells.push(Cell::new(config(problem, name, rate), seed, move |_| {
                        follow(rule(), rate, problem == "drifting", seed)
                    }));
                }
            }
        }
    }
    Ok(cells)
}

fn follow(rule: Rule, rate: f64, drifting: bool, seed: u64) -> Result<Outcome> {
    const SIZE: usize = 10;
    let mut optimizer = Optimizer::<f64>::new(rule, vec![Block::new("place", 0..SIZE)], None)?;
    let mut rng = stream(seed, Purpose::Data, [0, 0]);
    let (mut place, mut target) = (vec![5.0; SIZE], 0.0);
    let (mut late, mut effective, mut rises) = (0.0, Vec::new(), 0_u32);
    let mut last = f64::INFINITY;
    for step in 0..STEPS {
        if drifting {
            target += if step == STEPS / 2 { 10.0 } else { 0.002 };
        }
        // the sum of three uniform numbers has variance 1/4: near enough to normal noise
        let mut noise = || 2.0 * ((0..3).map(|_| uniform(&mut rng)).sum::<f64>() - 1.5);
        let grads: Vec<f64> = place.iter().map(|p| p - target + noise()).collect();
        let before = place.clone();
        optimizer.step(rate, &mut place, &grads)?;
        let moved = place.iter().zip(&before).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        let pull = grads.iter().map(|g| g * g).sum::<f64>();
        let now = (moved / pull).sqrt();
        rises += u32::from(now > last * (1.0 + 1e-9));
        last = now;
        if step % 20 == 10 {
            effective.push((step as f64, now));
        }
        if step >= STEPS * 3 / 4 {
            late += place.iter().map(|p| (p - target).powi(2)).sum::<f64>() / SIZE as f64;
        }
    }
    Ok(Outcome::default()
        .number("late squared distance", late / (STEPS / 4) as f64)
        .number("final effective rate", last)
        .number("share of rising steps", f64::from(rises) / STEPS as f64)
        .curve("effective rate", effective))
}

fn findings(results: &Results) -> Findings {
    let best = |problem: &str, rule: &str| -> String {
        let value =
            |rate: &f64| results.mean(&config(problem, rule, *rate), "late squared distance");
        let rate = RATES.into_iter().min_by(|a, b| value(a).total_cmp(&value(b)));
        config(problem, rule, rate.unwrap_or(RATES[0]))
    };
    let distance =
        |problem: &str, rule: &str| results.stat(&best(problem, rule), "late squared distance");
    let ends = |rule: &str| {
        let curve = results.curve(&best("stationary", rule), "effective rate");
        let mean = |part: &[(f64, crate::experiment::cell::Stat)]| {
            part.iter().map(|p| p.1.mean).sum::<f64>() / part.len().max(1) as f64
        };
        let quarter = curve.len() / 4;
        (mean(&curve[quarter..2 * quarter]), mean(&curve[3 * quarter..]))
    };
    let (adagrad, rmsprop) = (ends("AdaGrad"), ends("RMSProp"));
    let nearer = distance("drifting", "AdaGrad").above(&distance("drifting", "RMSProp"));
    let parts = vec![
        Part::new("AdaGrad's effective rate falls to the end", adagrad.1 < adagrad.0),
        Part::new("RMSProp's does not", rmsprop.1 >= rmsprop.0),
        Part::new("RMSProp ends nearer to the drifting target", nearer),
    ];
    let words = format!(
        "From the second to the last quarter AdaGrad's effective rate falls from {} to {}, RMSProp's \
         goes from {} to {}. Late squared distance, each at its best rate: drifting {} with AdaGrad \
         and {} with RMSProp; stationary {} and {}.",
        short(adagrad.0),
        short(adagrad.1),
        short(rmsprop.0),
        short(rmsprop.1),
        short(distance("drifting", "AdaGrad").mean),
        short(distance("drifting", "RMSProp").mean),
        short(distance("stationary", "AdaGrad").mean),
        short(distance("stationary", "RMSProp").mean),
    );
    let plots = PROBLEMS.map(|problem| {
        let mut plot = Plot::new(
            &format!("adaptive-{problem}"),
            &format!("Effective rate, {problem} target, at the best rate"),
            Axis::linear("step"),
            Axis::log("|step| / |gradient|"),
        );
        for (rule, _) in RULES {
            let curve = results.curve(&best(problem, rule), "effective rate");
            let points = curve.into_iter().map(|(x, y)| (x, y.mean, 0.0));
            plot = plot.with(Series::new(rule, Form::Line, points));
        }
        plot
    });
    let rows = measured(results, &["late squared distance", "final effective rate"]);
    Findings { verdict: Verdict::of_claim(&parts), parts, words, rows, plots: plots.into() }
}
