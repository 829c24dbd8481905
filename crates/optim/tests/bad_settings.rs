//! Settings that no reference accepts, rule by rule.

use slalom_optim::*;

/// Each bad setting of each rule, and what the error must say.
#[test]
fn bad_settings_are_refused_by_name() {
    let nan = f64::NAN;
    let (sgd, rms) = (Sgd::default(), RmsProp::default());
    let (adam, adamax, adan) = (Adam::default(), Adamax::default(), Adan::default());
    let (ada, delta, asgd) = (AdaGrad::default(), AdaDelta::default(), Asgd::default());
    let (nadam, radam, rprop) = (NAdam::default(), RAdam::default(), Rprop::default());
    let (belief, yogi, lion) = (AdaBelief::default(), Yogi::default(), Lion::default());
    let (lars, lamb, w) = (Lars::default(), Lamb::default(), AdamW::default());
    let bad: Vec<(Rule, &str)> = vec![
        (
            Sgd { momentum: 1.0, ..sgd }.into(),
            "Sgd: momentum is 1: it must be at least 0 and below 1",
        ),
        (Sgd { momentum: -0.1, ..sgd }.into(), "Sgd: momentum is -0.1"),
        (Sgd { momentum: nan, ..sgd }.into(), "Sgd: momentum is NaN"),
        (Sgd { dampening: 1.0, ..sgd }.into(), "Sgd: dampening is 1"),
        (
            Sgd { nesterov: true, ..sgd }.into(),
            "Sgd: momentum is 0: it must be above 0 with nesterov",
        ),
        (
            Sgd { nesterov: true, momentum: 0.9, dampening: 0.1, ..sgd }.into(),
            "Sgd: dampening is 0.1: it must be 0 with nesterov",
        ),
        (AdaGrad { lr_decay: -1.0, ..ada }.into(), "AdaGrad: lr_decay is -1"),
        (AdaGrad { initial_accumulator: nan, ..ada }.into(), "AdaGrad: initial_accumulator"),
        (
            AdaGrad { eps: 0.0, ..ada }.into(),
            "AdaGrad: eps is 0: it must be above 0 where eps_root and initial_accumulator are 0",
        ),
        (AdaGrad { eps: -1.0, ..ada }.into(), "AdaGrad: eps is -1"),
        (AdaGrad { eps_root: nan, ..ada }.into(), "AdaGrad: eps_root is NaN"),
        (
            AdaGrad { eps_root: -1.0, initial_accumulator: 2.0, ..ada }.into(),
            "AdaGrad: eps_root is -1",
        ),
        (RmsProp { alpha: 1.0, ..rms }.into(), "RmsProp: alpha is 1"),
        (RmsProp { eps: 0.0, ..rms }.into(), "RmsProp: eps is 0"),
        (RmsProp { eps_root: -1.0, ..rms }.into(), "RmsProp: eps_root is -1"),
        (RmsProp { momentum: 1.0, ..rms }.into(), "RmsProp: momentum is 1"),
        (RmsProp { nesterov: true, ..rms }.into(), "RmsProp: momentum is 0: it must be above 0"),
        (RmsProp { initial: -1.0, ..rms }.into(), "RmsProp: initial is -1"),
        (AdaDelta { rho: 1.0, ..delta }.into(), "AdaDelta: rho is 1"),
        (
            AdaDelta { eps: 0.0, ..delta }.into(),
            "AdaDelta: eps is 0: it must be above 0 and finite",
        ),
        (Adam { beta1: 1.0, ..adam }.into(), "Adam: beta1 is 1"),
        (Adam { beta2: nan, ..adam }.into(), "Adam: beta2 is NaN"),
        (Adam { eps: 0.0, ..adam }.into(), "Adam: eps is 0"),
        (Adam { eps_root: -1.0, ..adam }.into(), "Adam: eps_root is -1"),
        (AdamW { decay: -1.0, ..w }.into(), "AdamW: decay is -1"),
        (AdamW { adam: Adam { beta1: 2.0, ..adam }, ..w }.into(), "Adam: beta1 is 2"),
        (Adamax { beta1: 1.0, ..adamax }.into(), "Adamax: beta1 is 1"),
        (Adamax { beta2: -1.0, ..adamax }.into(), "Adamax: beta2 is -1"),
        (Adamax { eps: 0.0, ..adamax }.into(), "Adamax: eps is 0"),
        (NAdam { beta1: 1.0, ..nadam }.into(), "NAdam: beta1 is 1"),
        (NAdam { beta2: 1.0, ..nadam }.into(), "NAdam: beta2 is 1"),
        (NAdam { eps: 0.0, ..nadam }.into(), "NAdam: eps is 0"),
        (NAdam { momentum_decay: -1.0, ..nadam }.into(), "NAdam: momentum_decay is -1"),
        (RAdam { beta1: 1.0, ..radam }.into(), "RAdam: beta1 is 1"),
        (RAdam { beta2: 1.0, ..radam }.into(), "RAdam: beta2 is 1"),
        (RAdam { eps: nan, ..radam }.into(), "RAdam: eps is NaN"),
        (RAdam { eps_root: -1.0, ..radam }.into(), "RAdam: eps_root is -1"),
        (RAdam { threshold: 3.9, ..radam }.into(), "RAdam: threshold is 3.9"),
        (Asgd { lambda: -1.0, ..asgd }.into(), "Asgd: lambda is -1"),
        (Asgd { alpha: -1.0, ..asgd }.into(), "Asgd: alpha is -1"),
        (Asgd { t0: -1.0, ..asgd }.into(), "Asgd: t0 is -1"),
        (
            Rprop { shrink: 0.0, ..rprop }.into(),
            "Rprop: shrink is 0: it must be above 0 and below 1",
        ),
        (Rprop { shrink: 1.0, ..rprop }.into(), "Rprop: shrink is 1"),
        (Rprop { grow: 1.0, ..rprop }.into(), "Rprop: grow is 1: it must be above 1 and finite"),
        (Rprop { grow: f64::INFINITY, ..rprop }.into(), "Rprop: grow is inf"),
        (Rprop { smallest: 0.0, ..rprop }.into(), "Rprop: smallest is 0"),
        (Rprop { largest: 1e-7, ..rprop }.into(), "Rprop: largest is 0.0000001"),
        (Rprop { largest: f64::INFINITY, ..rprop }.into(), "Rprop: largest is inf"),
        (AdaBelief { beta1: 1.0, ..belief }.into(), "AdaBelief: beta1 is 1"),
        (AdaBelief { beta2: 1.0, ..belief }.into(), "AdaBelief: beta2 is 1"),
        (AdaBelief { eps: 0.0, eps_root: 0.0, ..belief }.into(), "AdaBelief: eps is 0"),
        (Yogi { beta1: 1.0, ..yogi }.into(), "Yogi: beta1 is 1"),
        (Yogi { beta2: 1.0, ..yogi }.into(), "Yogi: beta2 is 1"),
        (Yogi { eps: 0.0, ..yogi }.into(), "Yogi: eps is 0"),
        (Yogi { initial_mean: -1.0, ..yogi }.into(), "Yogi: initial_mean is -1"),
        (Yogi { initial_variance: nan, ..yogi }.into(), "Yogi: initial_variance is NaN"),
        (Lion { beta1: 1.0, ..lion }.into(), "Lion: beta1 is 1"),
        (Lion { beta2: -0.5, ..lion }.into(), "Lion: beta2 is -0.5"),
        (Adan { beta1: 1.0, ..adan }.into(), "Adan: beta1 is 1"),
        (Adan { beta2: 1.0, ..adan }.into(), "Adan: beta2 is 1"),
        (Adan { beta3: 1.0, ..adan }.into(), "Adan: beta3 is 1"),
        (Adan { eps: 0.0, eps_root: 0.0, ..adan }.into(), "Adan: eps is 0"),
        (Lars { momentum: 1.0, ..lars }.into(), "Lars: momentum is 1"),
        (Lars { momentum: 0.0, nesterov: true, ..lars }.into(), "Lars: momentum is 0: it must be"),
        (Lars { trust_coefficient: 0.0, ..lars }.into(), "Lars: trust_coefficient is 0"),
        (Lars { eps: -1.0, ..lars }.into(), "Lars: eps is -1"),
        (Lamb { beta1: 1.0, ..lamb }.into(), "Lamb: beta1 is 1"),
        (Lamb { beta2: 1.0, ..lamb }.into(), "Lamb: beta2 is 1"),
        (Lamb { eps: 0.0, ..lamb }.into(), "Lamb: eps is 0"),
    ];
    for (rule, said) in bad {
        let error = Optimizer::<f64>::new(rule, vec![Block::new("w", 0..1)], None).unwrap_err();
        assert!(error.to_string().starts_with(said), "{error} should start with {said}");
    }
}
