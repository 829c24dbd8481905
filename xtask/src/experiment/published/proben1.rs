//! Proben1 (Prechelt 1994): linear networks and multilayer perceptrons by RPROP with GL5.

use std::io::Read;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use slalom::layers::{Activation, Dense, LayerSpec, Loss, MeanSquaredError};
use slalom::optim::{Optimizer, Rprop, State};
use slalom::regularize::{GeneralizationLoss, History, ProgressQuotient, StopRule};
use slalom::tensor::{Matrix, Purpose, Scalar, Targets, Threads, stream, uniform};

use crate::experiment::Experiment;
use crate::experiment::cell::{Cell, Outcome, Plan, Results, Stat};
use crate::experiment::data;
use crate::experiment::findings::{Findings, Published, Row, Verdict};
use crate::experiment::net::{Net, winner};
use crate::experiment::plot::{Axis, Form, Plot, Series};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    name: "proben1",
    title: "Proben1: linear networks and perceptrons by RPROP with GL5",
    claim: "On the benchmark collection of 1994, with its own splits and its own protocol, slalom's \
            RPROP and stopping rules give the errors that the technical report lists.",
    setup: "Prechelt, technical report 21/94: full batches, squared error in percent, validation \
            every 5 epochs, stop at GL5 or when training gains less than 0.1 per thousand in 5 epochs \
            or after 3000; test at the least validation error. 10 linear runs and 60 runs of the \
            perceptron without shortcuts for each of the 45 data sets (mushroom, for which the \
            report has no table: 5). The second and third variants run with the first one's network; \
            their published values are not at hand. slalom's RPROP forgets the gradient after a \
            turn; the form of 1993 also takes back the step before it, which the linear networks are \
            run with too. Training and validation errors are the least of a run, \
            as in the report. The rule: our mean within two of the published standard deviations of \
            the published mean, or within 2 % of it.",
    cells,
    findings,
};

/// Published mean and deviation.
type Known = Option<(f64, f64)>;

/// A problem: what is known of its first variant.
struct Problem {
    name: &'static str,
    classes: bool,
    /// Training, validation and test error of linear networks, and classification error.
    linear: [Known; 4],
    hidden: &'static [usize],
    output: Activation,
    /// Test error of the perceptron, classification error, total epochs.
    perceptron: [Known; 3],
}

const fn k(mean: f64, sd: f64) -> Known {
    Some((mean, sd))
}

const L: Activation = Activation::Identity;

#[rustfmt::skip]
const PROBLEMS: &[Problem] = &[
    Problem { name: "cancer", classes: true, linear: [k(4.25, 0.00), k(2.91, 0.01), k(3.52, 0.04), k(2.93, 0.18)],
        hidden: &[4, 2], output: L, perceptron: [k(1.32, 0.13), k(1.38, 0.49), k(116.0, 123.0)] },
    Problem { name: "card", classes: true, linear: [k(9.82, 0.01), k(8.89, 0.11), k(10.61, 0.11), k(13.37, 0.67)],
        hidden: &[32], output: L, perceptron: [k(10.35, 0.29), k(14.05, 1.03), k(30.0, 7.0)] },
    Problem { name: "diabetes", classes: true, linear: [k(15.39, 0.01), k(16.30, 0.04), k(17.22, 0.06), k(25.83, 0.56)],
        hidden: &[32], output: L, perceptron: [k(16.99, 0.91), k(24.10, 1.91), k(201.0, 119.0)] },
    Problem { name: "gene", classes: true, linear: [k(8.42, 0.00), k(9.58, 0.01), k(9.92, 0.01), k(13.64, 0.10)],
        hidden: &[4, 2], output: L, perceptron: [k(8.66, 1.28), k(16.67, 3.75), k(124.0, 58.0)] },
    Problem { name: "glass", classes: true, linear: [k(8.83, 0.01), k(9.70, 0.04), k(9.98, 0.10), k(46.04, 2.21)],
        hidden: &[16, 8], output: L, perceptron: [k(9.24, 0.32), k(32.70, 5.34), k(71.0, 31.0)] },
    Problem { name: "heart", classes: true, linear: [k(11.19, 0.01), k(13.28, 0.06), k(14.29, 0.05), k(20.65, 0.31)],
        hidden: &[32], output: L, perceptron: [k(14.19, 0.64), k(19.72, 0.96), k(57.0, 15.0)] },
    Problem { name: "heartc", classes: true, linear: [k(10.17, 0.01), k(9.65, 0.03), k(16.12, 0.04), k(19.73, 0.56)],
        hidden: &[16, 8], output: L, perceptron: [k(16.99, 0.77), k(20.82, 1.47), k(38.0, 10.0)] },
    Problem { name: "horse", classes: true, linear: [k(11.31, 0.16), k(15.53, 0.29), k(12.93, 0.38), k(26.70, 1.87)],
        hidden: &[16, 8], output: L, perceptron: [k(13.32, 0.48), k(29.19, 2.62), k(19.0, 3.0)] },
    Problem { name: "mushroom", classes: true, linear: [None; 4],
        hidden: &[4, 2], output: L, perceptron: [None; 3] },
    Problem { name: "soybean", classes: true, linear: [k(0.65, 0.00), k(0.98, 0.00), k(1.16, 0.00), k(9.47, 0.51)],
        hidden: &[16, 8], output: L, perceptron: [k(2.10, 0.07), k(29.40, 2.50), k(219.0, 112.0)] },
    Problem { name: "thyroid", classes: true, linear: [k(3.76, 0.00), k(3.78, 0.01), k(3.84, 0.01), k(6.56, 0.00)],
        hidden: &[16, 8], output: L, perceptron: [k(1.28, 0.12), k(2.38, 0.35), k(377.0, 308.0)] },
    Problem { name: "building", classes: false, linear: [k(0.21, 0.01), k(0.92, 0.06), k(0.78, 0.02), None],
        hidden: &[16], output: L, perceptron: [k(1.36, 0.63), None, k(307.0, 544.0)] },
    Problem { name: "flare", classes: false, linear: [k(0.37, 0.00), k(0.34, 0.01), k(0.52, 0.01), None],
        hidden: &[32], output: Activation::Sigmoid, perceptron: [k(0.54, 0.01), None, k(48.0, 20.0)] },
    Problem { name: "hearta", classes: false, linear: [k(3.82, 0.00), k(4.42, 0.03), k(4.47, 0.06), None],
        hidden: &[32], output: L, perceptron: [k(4.55, 0.41), None, k(47.0, 18.0)] },
    Problem { name: "heartac", classes: false, linear: [k(4.05, 0.00), k(4.70, 0.02), k(2.69, 0.02), None],
        hidden: &[2], output: L, perceptron: [k(2.47, 0.38), None, k(42.0, 22.0)] },
];

const LINEAR: [&str; 4] = ["training error", "validation error", "test error", "class error"];
const PERCEPTRON: [&str; 3] = ["test error", "class error", "epochs"];

fn cells(plan: &Plan) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for problem in PROBLEMS {
        for variant in plan.pick(1..4, 1..2) {
            let name = format!("{}{variant}", problem.name);
            let set = Arc::new(Set::read(&name, problem.classes)?);
            let many = if problem.name == "mushroom" { 5 } else { 60 };
            for seed in plan.seeds(many.min(10)) {
                let set = Arc::clone(&set);
                cells.push(Cell::new(format!("{name}, linear"), seed, move |threads| {
                    run::<f64>(&set, &[], L, false, seed, threads)
                }));
            }
            // mushroom has no published values to compare the two forms by
            for seed in plan.seeds(10).filter(|_| problem.name != "mushroom") {
                let set = Arc::clone(&set);
                cells.push(Cell::new(format!("{name}, {TAKEN_BACK}"), seed, move |threads| {
                    run::<f64>(&set, &[], L, true, seed, threads)
                }));
            }
            for seed in plan.seeds(many) {
                let set = Arc::clone(&set);
                cells.push(Cell::new(format!("{name}, perceptron"), seed, move |threads| {
                    run::<f32>(&set, problem.hidden, problem.output, false, seed, threads)
                }));
            }
        }
    }
    Ok(cells)
}

/// A data set: training, validation and test samples.
struct Set {
    parts: [Part; 3],
    classes: bool,
}

struct Part {
    x: Matrix<f64>,
    y: Matrix<f64>,
}

impl Set {
    /// Reads a `.dt.gz` file: seven lines of counts, then rows of inputs and outputs.
    fn read(name: &str, classes: bool) -> Result<Self> {
        let path = data::file(&format!("proben1/{name}.dt.gz"))?;
        let mut text = String::new();
        let file = std::fs::File::open(&path).with_context(|| path.display().to_string())?;
        let mut reader = flate2::read::MultiGzDecoder::new(file);
        reader.read_to_string(&mut text).with_context(|| path.display().to_string())?;
        let mut lines = text.lines();
        let mut count = |key: &str| -> Result<usize> {
            let line = lines.next().unwrap_or_default();
            let value = line.strip_prefix(key).and_then(|rest| rest.strip_prefix('='));
            value
                .and_then(|value| value.trim().parse().ok())
                .with_context(|| format!("{}: {line:?} is not {key}=NUMBER", path.display()))
        };
        let inputs = count("bool_in")? + count("real_in")?;
        let outputs = count("bool_out")? + count("real_out")?;
        let sizes =
            [count("training_examples")?, count("validation_examples")?, count("test_examples")?];
        let numbers: Vec<f64> = lines
            .flat_map(str::split_whitespace)
            .map(|word| word.parse().with_context(|| format!("{}: {word:?}", path.display())))
            .collect::<Result<_>>()?;
        let width = inputs + outputs;
        if numbers.len() != width * sizes.iter().sum::<usize>() {
            bail!("{}: {} numbers do not fill its rows of {width}", path.display(), numbers.len());
        }
        let rows = Matrix::from_vec(width, numbers.len() / width, numbers);
        let mut start = 0;
        let parts = sizes.map(|size| {
            let part = rows.columns(start, size);
            start += size;
            Part { x: part.rows(0, inputs).into(), y: part.rows(inputs, outputs).into() }
        });
        Ok(Self { parts, classes })
    }
}

/// Linear networks with RPROP's form of 1993.
const TAKEN_BACK: &str = "linear, steps taken back";

/// One run of the protocol; `back`: steps before a turn are taken back.
fn run<F: Scalar>(
    set: &Set,
    hidden: &[usize],
    output: Activation,
    back: bool,
    seed: u64,
    threads: &Threads,
) -> Result<Outcome> {
    const EPOCHS: usize = 3000;
    const STRIP: usize = 5;
    let narrow = |m: &Matrix<f64>| m.map(F::of);
    let parts = set.parts.each_ref().map(|part| (narrow(&part.x), narrow(&part.y)));
    let [(x, y), (valid_x, valid_y), (test_x, test_y)] = &parts;
    let layers = hidden
        .iter()
        .map(|&units| Dense::new(units, Activation::Softsign).into())
        .chain([Dense::new(y.nrows(), output).into()])
        .collect::<Vec<LayerSpec>>();
    let loss = Loss::MeanSquaredError(MeanSquaredError {});
    let mut net = Net::<F>::new(x.nrows(), layers, loss, x.ncols(), seed)?;
    let mut rng = stream(seed, Purpose::Init, [1, 0]);
    net.params.fill_with(|| F::of(0.02 * uniform(&mut rng) - 0.01));
    let sizes = (0..net.params.len()).map(|_| F::of(0.005 + 0.015 * uniform(&mut rng))).collect();
    let state =
        State { step: 1, product: 1.0, slots: vec![vec![F::zero(); net.params.len()], sizes] };
    let rule = Rprop { smallest: 1e-12, ..Rprop::default() };
    let mut optimizer = Optimizer::resume(rule, net.blocks(), None, state)?;

    let stop = StopRule::Any(vec![
        GeneralizationLoss { alpha: 5.0, strip: STRIP }.into(),
        ProgressQuotient { alpha: 1e12, strip: STRIP, min_progress: 0.1 }.into(),
    ]);
    let percent = |net: &Net<F>, x: &Matrix<F>, y: &Matrix<F>| -> Result<f64> {
        Ok(100.0 * net.evaluate(x.as_view(), Targets::Values(y.as_view()), threads)?.0)
    };
    let (mut before, mut moved) = (net.params.clone(), vec![F::zero(); net.params.len()]);
    let (mut training, mut validation) = (Vec::new(), Vec::new());
    let (mut best, mut least) = (net.params.clone(), f64::INFINITY);
    while training.len() < EPOCHS {
        let loss = net.gradient(x.as_view(), Targets::Values(y.as_view()), threads);
        training.push(100.0 * loss);
        before.copy_from_slice(&net.params);
        optimizer.step(1.0, &mut net.params, &net.grads)?;
        if back {
            let kept = &optimizer.state().slots[0];
            take_back(&mut net.params, &before, &net.grads, kept, &mut moved);
        }
        let check = training.len() % STRIP == 0;
        // between the checks the rules do not look
        validation.push(if check { percent(&net, valid_x, valid_y)? } else { least });
        if check {
            let error = validation[validation.len() - 1];
            if error < least {
                least = error;
                best.copy_from_slice(&net.params);
            }
            let history = History { values: &validation, training: &training, seconds: &[] };
            if stop.decide(history).stop() {
                break;
            }
        }
    }
    net.params = best;
    let outcome = Outcome::default()
        .number("training error", training.iter().copied().fold(f64::INFINITY, f64::min))
        .number("validation error", least)
        .number("test error", percent(&net, test_x, test_y)?)
        .number("epochs", training.len() as f64);
    if !set.classes {
        return Ok(outcome);
    }
    let outputs = net.network.predict(&net.params, test_x.as_view(), threads)?;
    let columns = outputs.column_iter().zip(test_y.column_iter());
    let misses = columns.filter(|(o, t)| winner(o.as_slice()) != winner(t.as_slice())).count();
    Ok(outcome.number("class error", 100.0 * misses as f64 / test_x.ncols() as f64))
}

/// Takes back the last move of every weight whose gradient has just turned: there the rule has
/// forgotten the gradient and stood still.
fn take_back<F: Scalar>(params: &mut [F], before: &[F], grads: &[F], kept: &[F], moved: &mut [F]) {
    for i in 0..params.len() {
        let turned = kept[i] == F::zero() && grads[i] != F::zero();
        if turned {
            params[i] -= moved[i];
        }
        moved[i] = if turned { F::zero() } else { params[i] - before[i] };
    }
}

fn findings(results: &Results) -> Findings {
    let mut rows = Vec::new();
    let rule = |ours: &Stat, p: &Published| {
        (ours.mean - p.value).abs() <= (2.0 * p.sd.unwrap_or(0.0)).max(0.02 * p.value)
    };
    for config in results.configs() {
        let first = PROBLEMS.iter().find(|p| config.starts_with(&format!("{}1,", p.name)));
        let linear = config.contains(", linear");
        let (numbers, known): (&[&str], &[Known]) = match (first, linear) {
            (Some(problem), true) => (&LINEAR, &problem.linear),
            (Some(problem), false) => (&PERCEPTRON, &problem.perceptron),
            (None, true) => (&LINEAR, &[None; 4]),
            (None, false) => (&PERCEPTRON, &[None; 3]),
        };
        for (number, known) in numbers.iter().zip(known) {
            match known {
                Some((mean, sd)) => {
                    let published = Published::read(*mean).with_sd(*sd);
                    rows.push(Row::compared(results, config, number, published, rule));
                }
                None if results.mean(config, number).is_nan() => {}
                None => rows.push(Row::measured(results, config, number)),
            }
        }
    }
    let known: Vec<_> = rows.iter().filter(|row| row.within.is_some()).collect();
    let within = |kind: &str| {
        let of: Vec<_> = known.iter().filter(|row| row.config.ends_with(kind)).collect();
        let met = of.iter().filter(|row| row.within == Some(true)).count();
        format!("{met} of {}", of.len())
    };
    let words = format!(
        "Met: {} numbers for linear networks ({} with steps taken back), {} for perceptrons.",
        within(", linear"),
        within(TAKEN_BACK),
        within(", perceptron")
    );
    let tests: Vec<_> = known.iter().filter(|row| row.number == "test error").collect();
    let series = |kind: &str| {
        let of = tests.iter().filter(|row| row.config.ends_with(kind));
        let points = of.filter_map(|r| Some((r.published?.value, r.ours.mean, r.ours.sd)));
        Series::new(kind.trim_start_matches(", "), Form::Dots, points)
    };
    let plot = Plot::new(
        "proben1",
        "Test error in percent: ours over theirs",
        Axis::log("published").within(0.3, 30.0),
        Axis::log("ours").within(0.3, 30.0),
    )
    .with(series(", linear"))
    .with(series(TAKEN_BACK))
    .with(series(", perceptron"))
    .with(Series::line("equal", [(0.3, 0.3), (30.0, 30.0)]));
    Findings { verdict: Verdict::of_rows(&rows), words, rows, plots: vec![plot] }
}
