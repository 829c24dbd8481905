//! The schedules of golden cases: the rate as a function of the step that a name and options mean.

use serde_json::{Value, json};
use slalom_optim::{
    Cosine, CosineRestarts, CosineWave, Cyclic, Exponential, Join, LearningRate, Linear, MultiStep,
    OneCycle, Piecewise, Plateau, Polynomial, Schedule, Shape, StepDecay,
};

use super::{Options, number, numbers, text};

/// The rate as a function of the step that a case asks for.
///
/// # Panics
/// When the schedule, an option or the program is not known.
pub fn schedule(case: &Value, o: &mut Options) -> Box<dyn Fn(u64) -> f64> {
    let name = text(&case["name"]);
    match text(&case["source"]).split(' ').next() {
        Some("torch") => held(torch(name, number(&case["base_lr"]), o)),
        Some("optax") => optax(name, o),
        other => panic!("{name}: unknown source {other:?}"),
    }
}

fn held(schedule: impl Into<LearningRate>) -> Box<dyn Fn(u64) -> f64> {
    let schedule = schedule.into();
    schedule.validate().unwrap();
    Box::new(move |step| schedule.at(step))
}

fn count(value: f64) -> u64 {
    value as u64
}

fn torch(name: &str, base: f64, o: &mut Options) -> LearningRate {
    o.forget(&["last_epoch"]);
    match name {
        "constant" => {
            let (factor, steps) = (o.number("factor", 1.0 / 3.0), o.number("total_iters", 5.0));
            // after no steps PyTorch keeps the factor for good
            let mut phases = Piecewise { borders: vec![], values: vec![base * factor] };
            if steps > 0.0 {
                phases =
                    Piecewise { borders: vec![count(steps)], values: vec![base * factor, base] };
            }
            phases.into()
        }
        "step" => StepDecay {
            start: base,
            factor: o.number("gamma", 0.1),
            every: count(o.needed("step_size")),
        }
        .into(),
        "multi_step" => {
            let milestones = o.take("milestones").expect("milestones");
            let mut milestones: Vec<u64> = numbers(&milestones).into_iter().map(count).collect();
            milestones.sort_unstable();
            MultiStep { start: base, factor: o.number("gamma", 0.1), milestones }.into()
        }
        "exponential" => Exponential { start: base, factor: o.needed("gamma"), steps: 1 }.into(),
        "linear" => Linear {
            start: base * o.number("start_factor", 1.0 / 3.0),
            end: base * o.number("end_factor", 1.0),
            steps: count(o.number("total_iters", 5.0)),
        }
        .into(),
        "polynomial" => Polynomial {
            start: base,
            end: 0.0,
            steps: count(o.number("total_iters", 5.0)),
            power: o.number("power", 1.0),
            cycle: false,
        }
        .into(),
        "swa" => {
            let (end, steps) = (o.needed("swa_lr"), count(o.number("anneal_epochs", 10.0)));
            match linear(o) {
                true => Linear { start: base, end, steps }.into(),
                false => Cosine { start: base, end, steps }.into(),
            }
        }
        "cosine_annealing" => {
            CosineWave { high: base, low: o.number("eta_min", 0.0), half: count(o.needed("T_max")) }
                .into()
        }
        "cosine_warm_restarts" => CosineRestarts {
            start: base,
            end: o.number("eta_min", 0.0),
            first: count(o.needed("T_0")),
            growth: count(o.number("T_mult", 1.0)),
            shrink: 1.0,
        }
        .into(),
        "one_cycle" => {
            let peak = o.needed("max_lr");
            let steps = count(match o.take("total_steps") {
                Some(steps) => number(&steps),
                None => o.needed("epochs") * o.needed("steps_per_epoch"),
            });
            let start = peak / o.number("div_factor", 25.0);
            let linear = linear(o);
            forget_momentum(o);
            OneCycle {
                start,
                end: start / o.number("final_div_factor", 1e4),
                rise: o.number("pct_start", 0.3),
                linear,
                three_phase: o.flag("three_phase", false),
                ..OneCycle::new(peak, steps)
            }
            .into()
        }
        "cyclic_triangular" | "cyclic_triangular2" | "cyclic_exp_range" | "cyclic" => {
            let up = o.number("step_size_up", 2000.0);
            let gamma = o.number("gamma", 1.0);
            let mode = o.take("mode");
            let mode = mode.as_ref().map_or(name.trim_start_matches("cyclic_"), text);
            forget_momentum(o);
            Cyclic {
                low: o.needed("base_lr"),
                high: o.needed("max_lr"),
                up: count(up),
                down: count(o.number("step_size_down", up)),
                shape: match mode {
                    "triangular" | "cyclic" => Shape::Triangular,
                    "triangular2" => Shape::Halving,
                    "exp_range" => Shape::Shrinking(gamma),
                    other => panic!("unknown mode {other}"),
                },
            }
            .into()
        }
        other => panic!("unknown schedule {other}"),
    }
}

/// Options of the momentum that goes with a rate: the files hold rates alone. A closure has no place
/// in them, so neither has how it is called.
fn forget_momentum(o: &mut Options) {
    o.forget(&["cycle_momentum", "base_momentum", "max_momentum", "scale_mode"]);
    assert!(o.take("scale_fn").is_none(), "{}: a closure", o.case);
}

/// Whether PyTorch anneals along a line, not a cosine.
fn linear(o: &mut Options) -> bool {
    match o.take("anneal_strategy").as_ref().map(text) {
        None | Some("cos") => false,
        Some("linear") => true,
        Some(other) => panic!("unknown anneal_strategy {other}"),
    }
}

/// optax's function of that name, which may go without the `_schedule` at its end.
fn optax(name: &str, o: &mut Options) -> Box<dyn Fn(u64) -> f64> {
    let name = name.trim_end_matches("_schedule");
    let onecycle = |o: &mut Options| {
        let (steps, peak) = (o.needed("transition_steps"), o.needed("peak_value"));
        let (rise, div) = (o.number("pct_start", 0.3), o.number("div_factor", 25.0));
        (steps, peak / div, (rise * steps).trunc(), div, o.number("final_div_factor", 1e4))
    };
    match name {
        "constant" => held(o.needed("value")),
        "polynomial" | "linear" => {
            let (start, end) = (o.needed("init_value"), o.needed("end_value"));
            let power = if name == "linear" { 1.0 } else { o.needed("power") };
            let steps = count(o.needed("transition_steps"));
            after(o, start, Polynomial { start, end, steps, power, cycle: false })
        }
        "piecewise_constant" => {
            let (start, borders) = (o.needed("init_value"), borders(o));
            let (borders, values) = multiplied(start, &borders);
            held(Piecewise { borders, values })
        }
        "piecewise_interpolate" => {
            let kind = o.take("interpolate_type").expect("interpolate_type");
            let (start, borders) = (o.needed("init_value"), borders(o));
            interpolate(text(&kind), start, &borders)
        }
        "linear_onecycle" => {
            let (steps, start, rise, div, last) = onecycle(o);
            let fall = (o.number("pct_final", 0.85) * steps).trunc();
            let borders = [(rise, div), (fall, 1.0 / div), (steps, 1.0 / last)];
            interpolate("linear", start, &borders.map(|(at, scale)| (count(at), scale)))
        }
        "cosine_onecycle" => {
            let (steps, start, rise, div, last) = onecycle(o);
            let borders = [(rise, div), (steps, 1.0 / (div * last))];
            interpolate("cosine", start, &borders.map(|(at, scale)| (count(at), scale)))
        }
        "exponential_decay" => exponential(o, "init_value"),
        "cosine_decay" => {
            let (start, alpha) = (o.needed("init_value"), o.number("alpha", 0.0));
            cosine(start, alpha * start, o.needed("decay_steps"), o.number("exponent", 1.0))
        }
        "warmup_constant" => warm(o, |o| held(o.needed("peak_value"))),
        "warmup_cosine_decay" => warm(o, |o| {
            let steps = o.needed("decay_steps") - number(&o.seen("warmup_steps"));
            let (peak, end) = (number(&o.seen("peak_value")), o.number("end_value", 0.0));
            cosine(peak, end, steps, o.number("exponent", 1.0))
        }),
        "warmup_exponential_decay" => warm(o, |o| exponential(o, "peak_value")),
        "sgdr" => {
            let cycles = o.take("cosine_kwargs").expect("cosine_kwargs");
            restarts(cycles.as_array().expect("a list of cycles"))
        }
        other => panic!("unknown schedule {other}"),
    }
}

/// A warm-up to the `peak_value`, then what `then` makes of the other options.
fn warm(
    o: &mut Options,
    then: impl Fn(&mut Options) -> Box<dyn Fn(u64) -> f64>,
) -> Box<dyn Fn(u64) -> f64> {
    let (start, end) = (o.needed("init_value"), number(&o.seen("peak_value")));
    let steps = count(number(&o.seen("warmup_steps")));
    let then = then(o);
    o.forget(&["peak_value", "warmup_steps"]);
    let rise = Linear { start, end, steps };
    rise.validate().unwrap();
    Box::new(move |step| if step < steps { rise.at(step) } else { then(step - steps) })
}

/// Warm-ups and cosines one after the other, each from its own step 0.
fn restarts(cycles: &[Value]) -> Box<dyn Fn(u64) -> f64> {
    let mut begin = 0;
    let parts: Vec<_> = cycles
        .iter()
        .map(|cycle| {
            let mut o = Options::of(&json!({ "name": "a cycle", "options": cycle }));
            let part = (begin, optax("warmup_cosine_decay", &mut o));
            o.finish();
            begin += count(number(&cycle["decay_steps"]));
            part
        })
        .collect();
    Box::new(move |step| {
        let (begin, part) = parts.iter().rfind(|part| part.0 <= step).expect("the first is at 0");
        part(step - begin)
    })
}

/// Held at `start` for `transition_begin` steps.
fn after(o: &mut Options, start: f64, then: impl Into<LearningRate>) -> Box<dyn Fn(u64) -> f64> {
    match count(o.number("transition_begin", 0.0)) {
        0 => held(then),
        begin => held(Join { borders: vec![begin], parts: vec![start.into(), then.into()] }),
    }
}

fn exponential(o: &mut Options, start: &str) -> Box<dyn Fn(u64) -> f64> {
    let (start, factor) = (o.needed(start), o.needed("decay_rate"));
    let steps = count(o.needed("transition_steps"));
    let rate = match o.flag("staircase", false) {
        true => after(o, start, StepDecay { start, factor, every: steps }),
        false => after(o, start, Exponential { start, factor, steps }),
    };
    match o.take("end_value").as_ref().map(number) {
        None => rate,
        Some(end) if factor < 1.0 => Box::new(move |step| rate(step).max(end)),
        Some(end) => Box::new(move |step| rate(step).min(end)),
    }
}

/// A cosine whose fall is raised to a power.
fn cosine(start: f64, end: f64, steps: f64, exponent: f64) -> Box<dyn Fn(u64) -> f64> {
    let fall = held(Cosine { start: 1.0, end: 0.0, steps: count(steps) });
    Box::new(move |step| end + (start - end) * fall(step).powf(exponent))
}

/// The `boundaries_and_scales`, in order.
fn borders(o: &mut Options) -> Vec<(u64, f64)> {
    let given = o.take("boundaries_and_scales").expect("boundaries_and_scales");
    let given = given.as_object().expect("boundaries and scales");
    let pair = |(at, scale): (&String, &Value)| (at.parse().expect("a step"), number(scale));
    let mut borders: Vec<(u64, f64)> = given.iter().map(pair).collect();
    borders.sort_unstable_by_key(|border| border.0);
    borders
}

/// The borders, and the values before and after each.
fn multiplied(start: f64, borders: &[(u64, f64)]) -> (Vec<u64>, Vec<f64>) {
    let mut value = start;
    let values = borders.iter().map(|&(_, scale)| {
        value *= scale;
        value
    });
    let values = std::iter::once(start).chain(values).collect();
    (borders.iter().map(|border| border.0).collect(), values)
}

/// From value to value along lines or cosines.
fn interpolate(kind: &str, start: f64, borders: &[(u64, f64)]) -> Box<dyn Fn(u64) -> f64> {
    let (ends, values) = multiplied(start, borders);
    let (mut begin, mut borders, mut parts) = (0, Vec::new(), Vec::<LearningRate>::new());
    for (&at, ends) in ends.iter().zip(values.windows(2)) {
        let (start, end, steps) = (ends[0], ends[1], at - begin);
        if steps > 0 {
            parts.push(match kind {
                "linear" => Linear { start, end, steps }.into(),
                "cosine" => Cosine { start, end, steps }.into(),
                other => panic!("unknown interpolation {other}"),
            });
            borders.push(at);
        }
        begin = at;
    }
    parts.push(values[values.len() - 1].into());
    held(Join { borders, parts })
}

/// PyTorch's schedule that follows a metric.
///
/// # Panics
/// When an option means nothing.
pub fn plateau(o: &mut Options) -> Plateau {
    let word = |value: Option<Value>, no: &str, yes: &str| match value.as_ref().map(text) {
        None => false,
        Some(word) if word == no => false,
        Some(word) if word == yes => true,
        Some(other) => panic!("{other} is neither {no} nor {yes}"),
    };
    Plateau {
        maximize: word(o.take("mode"), "min", "max"),
        factor: o.number("factor", 0.1),
        patience: o.number("patience", 10.0) as u64,
        threshold: o.number("threshold", 1e-4),
        relative: !word(o.take("threshold_mode"), "rel", "abs"),
        cooldown: o.number("cooldown", 0.0) as u64,
        min: o.number("min_lr", 0.0),
        eps: o.number("eps", 1e-8),
    }
}
