//! Every penalty's gradient against central differences of its value.

use proptest::prelude::*;
use slalom_regularize::{ActivityPenalty, GroupLasso, Groups, Penalty, decay};

/// The largest relative error of `gradient` over all weights.
fn error(weights: &[f64], gradient: &[f64], value: impl Fn(&[f64]) -> f64) -> f64 {
    let h = 1e-6;
    let mut w = weights.to_vec();
    let mut worst = 0_f64;
    for i in 0..w.len() {
        w[i] = weights[i] + h;
        let above = value(&w);
        w[i] = weights[i] - h;
        let slope = (above - value(&w)) / (2.0 * h);
        w[i] = weights[i];
        worst = worst.max((slope - gradient[i]).abs() / slope.abs().max(1.0));
    }
    worst
}

proptest! {
    #[test]
    fn gradients_are_the_slopes_of_the_values(
        units in 1_usize..5,
        inputs in 1_usize..5,
        weights in prop::collection::vec(prop_oneof![-2.0..-0.01_f64, 0.01..2.0_f64], 25),
        l1 in 0.0..2.0_f64,
        l2 in 0.0..2.0_f64,
    ) {
        let weights = &weights[..units * inputs];
        let penalty = Penalty { l1, l2 };
        let mut gradient = vec![0.0; weights.len()];
        penalty.add_gradient(weights, &mut gradient);
        prop_assert!(error(weights, &gradient, |w| penalty.value(w)) < 1e-7);

        let activity = ActivityPenalty { l1, l2 };
        gradient.fill(0.0);
        activity.add_gradient(weights, inputs, &mut gradient);
        prop_assert!(error(weights, &gradient, |w| activity.value(w, inputs)) < 1e-7);

        for groups in [Groups::Units, Groups::Inputs] {
            let lasso = GroupLasso { strength: l1, groups };
            gradient.fill(0.0);
            lasso.add_gradient(units, weights, &mut gradient);
            prop_assert!(error(weights, &gradient, |w| lasso.value(units, w)) < 1e-6);
        }
    }

    #[test]
    fn a_gradient_is_added_to_what_is_there(w in -2.0..2.0_f64, g in -2.0..2.0_f64) {
        let (penalty, lasso) =
            (Penalty { l1: 0.1, l2: 0.2 }, GroupLasso { strength: 0.1, groups: Groups::Inputs });
        let (mut alone, mut added) = ([0.0], [g]);
        penalty.add_gradient(&[w], &mut alone);
        penalty.add_gradient(&[w], &mut added);
        prop_assert!((added[0] - alone[0] - g).abs() < 1e-15);
        let (mut alone, mut added) = ([0.0], [g]);
        lasso.add_gradient(1, &[w], &mut alone);
        lasso.add_gradient(1, &[w], &mut added);
        prop_assert!((added[0] - alone[0] - g).abs() < 1e-15);
    }

    /// For plain gradient descent, decay and an L2 penalty are the same step.
    #[test]
    fn decay_is_l2_for_gradient_descent(w in -2.0..2.0_f64, lr in 0.0..1.0_f64, l2 in 0.0..1.0_f64) {
        let mut gradient = [0.0];
        Penalty { l1: 0.0, l2 }.add_gradient(&[w], &mut gradient);
        let mut decayed = [w];
        decay(lr, l2, &mut decayed);
        prop_assert!((decayed[0] - (w - lr * gradient[0])).abs() < 1e-15);
    }
}
