//! Every optimizer, for tests that run over all of them.

use slalom_optim::{
    AdaBelief, AdaDelta, AdaGrad, Adam, AdamW, Adamax, Adan, Asgd, Lamb, Lars, Lion, NAdam, RAdam,
    RmsProp, Rprop, Rule, Sgd, Yogi,
};

/// Every rule, and the options that have a loop or slots of their own.
pub fn rules() -> Vec<Rule> {
    let sgd = Sgd { momentum: 0.9, ..Sgd::default() };
    vec![
        Sgd::default().into(),
        sgd.into(),
        Sgd { nesterov: true, ..sgd }.into(),
        AdaGrad::default().into(),
        RmsProp::default().into(),
        RmsProp { centered: true, momentum: 0.9, ..RmsProp::default() }.into(),
        AdaDelta::default().into(),
        Adam::default().into(),
        Adam { amsgrad: true, ..Adam::default() }.into(),
        AdamW::default().into(),
        Adamax::default().into(),
        NAdam::default().into(),
        RAdam::default().into(),
        Asgd::default().into(),
        Rprop::default().into(),
        AdaBelief::default().into(),
        Yogi::default().into(),
        Lion::default().into(),
        Adan::default().into(),
        Lars::default().into(),
        Lamb::default().into(),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_rule_is_missing() {
        // serde's error lists every variant that there is
        let error = serde_json::from_str::<Rule>("{\"none\": 0}").unwrap_err().to_string();
        let all: BTreeSet<&str> = error.split('`').skip(3).step_by(2).collect();
        let rules = rules();
        let here: BTreeSet<&str> = rules.iter().map(Rule::name).collect();
        assert_eq!(here, all, "{error}");
    }
}
