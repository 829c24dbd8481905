//! The optimizers of golden cases: the rule, the block and the rate that a name and options mean.

use serde_json::Value;
use slalom_optim::{
    AdaBelief, AdaDelta, AdaGrad, Adam, AdamW, Adamax, Adan, Asgd, Block, Lamb, Lars, Lion, NAdam,
    RAdam, RmsProp, Rprop, Rule, Sgd, Yogi,
};

use super::{Options, numbers, text};

/// What a case asks for: the rule, the block over its numbers, and the learning rate.
///
/// # Panics
/// When the algorithm, an option or the program is not known.
pub fn optimizer(case: &Value) -> (Rule, Block, f64) {
    let mut o = Options::of(case);
    let block = Block::new("all", 0..numbers(&case["initial"]).len());
    let asked = match text(&case["source"]).split(' ').next() {
        Some("torch") => torch(text(&case["algorithm"]), &mut o, block),
        Some("optax") => optax(text(&case["algorithm"]), &mut o, block),
        other => panic!("{}: unknown source {other:?}", o.case),
    };
    o.finish();
    asked
}

/// PyTorch's optimizer of that name: the rule, the block with its decay, and the learning rate.
///
/// # Panics
/// When the name is not known.
pub fn torch(algorithm: &str, o: &mut Options, mut block: Block) -> (Rule, Block, f64) {
    let lr = o.needed("lr");
    o.forget(&["foreach", "fused", "capturable", "differentiable"]);
    block.maximize = o.flag("maximize", false);
    let decoupled = o.flag("decoupled_weight_decay", algorithm == "adamw");
    let decay = o.number("weight_decay", if algorithm == "adamw" { 0.01 } else { 0.0 });
    let rule: Rule = match algorithm {
        "sgd" => Sgd {
            momentum: o.number("momentum", 0.0),
            dampening: o.number("dampening", 0.0),
            nesterov: o.flag("nesterov", false),
            ..Sgd::default()
        }
        .into(),
        "adagrad" => AdaGrad {
            lr_decay: o.number("lr_decay", 0.0),
            initial_accumulator: o.number("initial_accumulator_value", 0.0),
            eps: o.number("eps", 1e-10),
            ..AdaGrad::default()
        }
        .into(),
        "rmsprop" => RmsProp {
            alpha: o.number("alpha", 0.99),
            eps: o.number("eps", 1e-8),
            momentum: o.number("momentum", 0.0),
            centered: o.flag("centered", false),
            ..RmsProp::default()
        }
        .into(),
        "adadelta" => AdaDelta { rho: o.number("rho", 0.9), eps: o.number("eps", 1e-6) }.into(),
        "adam" | "adamw" => {
            let (beta1, beta2) = o.pair("betas", (0.9, 0.999));
            let (eps, amsgrad) = (o.number("eps", 1e-8), o.flag("amsgrad", false));
            let adam = Adam { beta1, beta2, eps, amsgrad, ..Adam::default() };
            if decoupled {
                return (AdamW { adam, decay }.into(), block, lr);
            }
            adam.into()
        }
        "adamax" => {
            let (beta1, beta2) = o.pair("betas", (0.9, 0.999));
            Adamax { beta1, beta2, eps: o.number("eps", 1e-8), ..Adamax::default() }.into()
        }
        "nadam" => {
            let (beta1, beta2) = o.pair("betas", (0.9, 0.999));
            let (eps, momentum_decay) = (o.number("eps", 1e-8), o.number("momentum_decay", 4e-3));
            NAdam { beta1, beta2, eps, momentum_decay }.into()
        }
        "radam" => {
            let (beta1, beta2) = o.pair("betas", (0.9, 0.999));
            RAdam { beta1, beta2, eps: o.number("eps", 1e-8), ..RAdam::default() }.into()
        }
        "asgd" => Asgd {
            lambda: o.number("lambd", 1e-4),
            alpha: o.number("alpha", 0.75),
            t0: o.number("t0", 1e6),
        }
        .into(),
        "rprop" => {
            let (shrink, grow) = o.pair("etas", (0.5, 1.2));
            let (smallest, largest) = o.pair("step_sizes", (1e-6, 50.0));
            Rprop { shrink, grow, smallest, largest }.into()
        }
        other => panic!("{}: unknown algorithm {other}", o.case),
    };
    *if decoupled { &mut block.decay } else { &mut block.l2 } = decay;
    (rule, block, lr)
}

/// optax's optimizer of that name: the rule, the block with its decay, and the learning rate.
fn optax(algorithm: &str, o: &mut Options, mut block: Block) -> (Rule, Block, f64) {
    o.forget(&["mu_dtype", "accumulator_dtype"]);
    let decays = o.flag("mask", true) && o.flag("weight_decay_mask", true);
    let decay = |o: &mut Options, default| {
        let decay = o.number("weight_decay", default);
        if decays { decay } else { 0.0 }
    };
    let lr = o.number("learning_rate", if algorithm == "adadelta" { 1.0 } else { f64::NAN });
    let adam = |o: &mut Options, nesterov| Adam {
        beta1: o.number("b1", 0.9),
        beta2: o.number("b2", 0.999),
        eps: o.number("eps", 1e-8),
        eps_root: o.number("eps_root", 0.0),
        nesterov: o.flag("nesterov", nesterov),
        ..Adam::default()
    };
    let rule: Rule = match algorithm {
        "sgd" => {
            let (momentum, nesterov) = velocity(o, 0.0);
            Sgd { momentum, nesterov, ..Sgd::default() }.into()
        }
        "adam" => adam(o, false).into(),
        "nadam" => adam(o, true).into(),
        "adamw" | "nadamw" => {
            AdamW { decay: decay(o, 1e-4), adam: adam(o, algorithm == "nadamw") }.into()
        }
        "amsgrad" => {
            let correct_mean = o.flag("bias_correction_mu", true);
            let correct_variance = o.flag("bias_correction_nu", true);
            let adam = Adam { correct_mean, correct_variance, ..adam(o, false) };
            Adam { amsgrad: true, max_corrected: true, ..adam }.into()
        }
        "adamax" | "adamaxw" => {
            block.decay = decay(o, if algorithm == "adamax" { 0.0 } else { 1e-4 });
            Adamax {
                beta1: o.number("b1", 0.9),
                beta2: o.number("b2", 0.999),
                eps: o.number("eps", 1e-8),
                ..Adamax::default()
            }
            .into()
        }
        "radam" => RAdam {
            beta1: o.number("b1", 0.9),
            beta2: o.number("b2", 0.999),
            eps: o.number("eps", 1e-8),
            eps_root: o.number("eps_root", 0.0),
            eps_hat: false,
            threshold: o.number("threshold", 5.0),
            nesterov: o.flag("nesterov", false),
        }
        .into(),
        "rmsprop" => {
            let (eps, inside) = (o.number("eps", 1e-8), o.flag("eps_in_sqrt", true));
            let (momentum, nesterov) = velocity(o, 0.0);
            RmsProp {
                alpha: o.number("decay", 0.9),
                eps: if inside { 0.0 } else { eps },
                eps_root: if inside { eps } else { 0.0 },
                initial: o.number("initial_scale", 0.0),
                centered: o.flag("centered", false),
                momentum,
                nesterov,
                bias_correction: o.flag("bias_correction", false),
                rate_inside: true,
            }
            .into()
        }
        "adagrad" => AdaGrad {
            initial_accumulator: o.number("initial_accumulator_value", 0.1),
            eps: 0.0,
            eps_root: o.number("eps", 1e-7),
            ..AdaGrad::default()
        }
        .into(),
        "adadelta" => {
            block.l2 = decay(o, 0.0);
            AdaDelta { rho: o.number("rho", 0.9), eps: o.number("eps", 1e-6) }.into()
        }
        "lion" => {
            block.decay = decay(o, 1e-3);
            Lion { beta1: o.number("b1", 0.9), beta2: o.number("b2", 0.99) }.into()
        }
        "signum" => {
            let beta = o.number("beta", 0.9);
            Lion { beta1: beta, beta2: beta }.into()
        }
        "sign_sgd" => Lion { beta1: 0.0, beta2: 0.0 }.into(),
        "lamb" => {
            block.decay = decay(o, 0.0);
            Lamb {
                beta1: o.number("b1", 0.9),
                beta2: o.number("b2", 0.999),
                eps: o.number("eps", 1e-6),
                eps_root: o.number("eps_root", 0.0),
                ..Lamb::default()
            }
            .into()
        }
        "lars" => {
            block.l2 = decay(o, 0.0);
            let (momentum, nesterov) = velocity(o, 0.9);
            let (trust_coefficient, eps) =
                (o.number("trust_coefficient", 1e-3), o.number("eps", 0.0));
            if o.flag("trust_ratio_mask", true) {
                Lars { momentum, nesterov, trust_coefficient, eps, skip_exempt: false }.into()
            } else {
                Sgd { momentum, nesterov, rate_inside: true, dampening: 0.0 }.into()
            }
        }
        "adabelief" => AdaBelief {
            beta1: o.number("b1", 0.9),
            beta2: o.number("b2", 0.999),
            eps: o.number("eps", 1e-16),
            eps_root: o.number("eps_root", 1e-16),
            nesterov: o.flag("nesterov", false),
        }
        .into(),
        "yogi" => Yogi {
            beta1: o.number("b1", 0.9),
            beta2: o.number("b2", 0.999),
            eps: o.number("eps", 1e-3),
            ..Yogi::default()
        }
        .into(),
        "adan" => {
            block.decay = decay(o, 0.0);
            Adan {
                beta1: o.number("b1", 0.98),
                beta2: o.number("b2", 0.92),
                beta3: o.number("b3", 0.99),
                eps: o.number("eps", 1e-8),
                eps_root: o.number("eps_root", 1e-8),
            }
            .into()
        }
        other => panic!("{}: unknown algorithm {other}", o.case),
    };
    assert!(!lr.is_nan(), "{}: no learning_rate", o.case);
    (rule, block, lr)
}

/// optax's momentum and whether it is Nesterov's: without a momentum it is neither.
fn velocity(o: &mut Options, default: f64) -> (f64, bool) {
    let (momentum, nesterov) = (o.number("momentum", default), o.flag("nesterov", false));
    (momentum, nesterov && momentum > 0.0)
}
