//! Every optimizer, for tests that run over all of them.

use slalom_optim::{Adam, RmsProp, Rule, Sgd};

/// Every rule, and the options that have a loop or slots of their own.
pub fn rules() -> Vec<Rule> {
    let momentum = Sgd { momentum: 0.9, ..Sgd::default() };
    let mut rules = Rule::all();
    rules.extend([
        momentum.into(),
        Sgd { nesterov: true, ..momentum }.into(),
        RmsProp { centered: true, momentum: 0.9, ..RmsProp::default() }.into(),
        Adam { amsgrad: true, ..Adam::default() }.into(),
    ]);
    rules
}
