//! The layers and losses of golden cases: what a name and options mean.

use slalom_layers::*;

use super::{Options, numbers, text};

/// The layer of an activation's name, and its parameters.
///
/// # Panics
/// When the name or an option is not known.
pub fn activation(name: &str, o: &mut Options) -> (LayerSpec, Vec<f64>) {
    o.forget(&["inplace"]);
    let activation = match name {
        "relu" => Activation::Relu,
        "leaky_relu" => Activation::LeakyRelu { slope: o.number("negative_slope", 0.01) },
        "elu" => Activation::Elu { alpha: o.number("alpha", 1.0) },
        "selu" => Activation::Selu,
        "gelu" | "gelu_tanh" => match o.take("approximate").as_ref().map_or("none", text) {
            "none" => Activation::Gelu,
            "tanh" => Activation::GeluTanh,
            other => panic!("{name}: unknown approximation {other}"),
        },
        "silu" => Activation::Silu,
        "mish" => Activation::Mish,
        "softplus" => Activation::Softplus {
            beta: o.number("beta", 1.0),
            threshold: o.number("threshold", 20.0),
        },
        "softsign" => Activation::Softsign,
        "sigmoid" => Activation::Sigmoid,
        "tanh" => Activation::Tanh,
        "hard_tanh" => {
            Activation::HardTanh { min: o.number("min_val", -1.0), max: o.number("max_val", 1.0) }
        }
        "hard_sigmoid" => Activation::HardSigmoid,
        "identity" => Activation::Identity,
        "relu6" => Activation::HardTanh { min: 0.0, max: 6.0 },
        "softmax" | "log_softmax" => {
            let dim = o.number("dim", 1.0);
            assert!(dim == 1.0 || dim == -1.0, "{name}: over dimension {dim}");
            let layer = if name == "softmax" { Softmax {}.into() } else { LogSoftmax {}.into() };
            return (layer, Vec::new());
        }
        "prelu" => {
            let slopes = o.take("weight").map_or(vec![0.25], |weight| numbers(&weight));
            return (Prelu { shared: slopes.len() == 1, ..Prelu::default() }.into(), slopes);
        }
        other => panic!("unknown activation {other}"),
    };
    (activation.into(), Vec::new())
}

/// The loss of that name.
///
/// # Panics
/// When the name or an option is not known.
pub fn loss(name: &str, o: &mut Options) -> Loss {
    let weights = |o: &mut Options, name| o.take(name).map(|value| numbers(&value));
    match name {
        "cross_entropy"
        | "cross_entropy_huge_logits"
        | "cross_entropy_label_smoothing"
        | "cross_entropy_class_weights"
        | "cross_entropy_soft_targets" => CrossEntropy {
            class_weights: weights(o, "weight"),
            label_smoothing: o.number("label_smoothing", 0.0),
            ..CrossEntropy::default()
        }
        .into(),
        "binary_cross_entropy_with_logits"
        | "binary_cross_entropy_with_logits_huge"
        | "binary_cross_entropy_with_logits_pos_weight" => {
            let positive_weights = weights(o, "pos_weight");
            BinaryCrossEntropy { positive_weights, weights: weights(o, "weight") }.into()
        }
        "gaussian_nll" => {
            o.forget(&["eps"]); // a floor of the variance, which is never reached here
            GaussianLikelihood { full: o.flag("full", false) }.into()
        }
        "kl_div" | "kl_divergence" => KlDivergence {}.into(),
        "multi_margin" => {
            let power = o.number("p", 1.0);
            assert!(power == 1.0 || power == 2.0, "{name}: power {power}");
            Hinge { margin: o.number("margin", 1.0), squared: power == 2.0 }.into()
        }
        "mean_squared_error" => MeanSquaredError {}.into(),
        "mean_absolute_error" => MeanAbsoluteError {}.into(),
        "huber" => Huber { delta: o.number("delta", 1.0) }.into(),
        "smooth_l1" => SmoothL1 { beta: o.number("beta", 1.0) }.into(),
        "poisson_nll" => Poisson {
            log_input: o.flag("log_input", true),
            full: o.flag("full", false),
            eps: o.number("eps", 1e-8),
        }
        .into(),
        other => panic!("unknown loss {other}"),
    }
}
