//! What one step does besides the rule.

use slalom_optim::{Adam, Block, Clip, Optimizer, Sgd};

#[test]
fn penalties_decay_rate_and_clipping_enter_the_step() {
    let block = Block { rate: 2.0, l1: 0.5, ..Block::new("w", 0..3) };
    let kept = 1.0 - 0.2 * 0.2;
    for (block, wanted) in [
        (Block { l2: 0.1, ..block.clone() }, [1.0 - 0.2 * 1.6, -0.2, -2.0 - 0.2 * 0.3]),
        (Block { decay: 0.2, ..block }, [kept - 0.2 * 1.5, -0.2, -2.0 * kept - 0.2 * 0.5]),
    ] {
        let mut opt = Optimizer::<f64>::new(Sgd::default(), vec![block], None).unwrap();
        let mut w = [1.0, 0.0, -2.0];
        opt.step(0.1, &mut w, &[1.0, 1.0, 1.0]).unwrap();
        for (w, wanted) in w.iter().zip(wanted) {
            assert!((w - wanted).abs() < 1e-15, "{w} {wanted}");
        }
    }
}

#[test]
fn exempt_and_frozen_blocks_are_left_alone() {
    let block = Block { l1: 0.5, decay: 0.2, ..Block::new("bias", 0..1) };
    let blocks = vec![
        Block { exempt: true, ..block.clone() },
        Block { name: "frozen".into(), range: 1..2, frozen: true, ..block },
    ];
    let mut opt = Optimizer::<f32>::new(Adam::default(), blocks, None).unwrap();
    let mut w = [3.0, 3.0];
    let step = opt.step(0.1, &mut w, &[0.0, f32::NAN]).unwrap();
    assert_eq!((w, step.norm), ([3.0, 3.0], 0.0));
}

#[test]
fn a_gradient_that_is_not_finite_changes_nothing() {
    let blocks = vec![Block::new("a", 0..2), Block::new("b", 2..4)];
    let mut opt = Optimizer::<f32>::new(Adam::default(), blocks, None).unwrap();
    let mut w = [1.0; 4];
    let error = opt.step(0.1, &mut w, &[1.0, 1.0, 1.0, f32::INFINITY]).unwrap_err();
    assert_eq!(error.to_string(), "the gradient of block \"b\" is inf at index 1 of the block");
    assert_eq!((w, opt.state().step), ([1.0; 4], 0));
    assert!(opt.state().slots.iter().flatten().all(|&slot| slot == 0.0));
}

#[test]
fn huge_gradients_are_clipped_without_overflow() {
    let clip = Some(Clip::GlobalNorm(1.0));
    let blocks = vec![Block::new("w", 0..2)];
    let mut single = Optimizer::<f32>::new(Sgd::default(), blocks.clone(), clip).unwrap();
    let mut w = [0.0_f32; 2];
    single.step(1.0, &mut w, &[3e30, 4e30]).unwrap();
    assert!((w[0] + 0.6).abs() < 1e-6 && (w[1] + 0.8).abs() < 1e-6);
    let mut double = Optimizer::<f64>::new(Sgd::default(), blocks, clip).unwrap();
    let mut w = [0.0_f64; 2];
    double.step(1.0, &mut w, &[3e300, 4e300]).unwrap();
    assert!((w[0] + 0.6).abs() < 1e-12 && (w[1] + 0.8).abs() < 1e-12);
}
