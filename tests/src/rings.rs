//! Two noisy rings, one a class: a data set small enough for every test.

use std::ops::Range;

use slalom_tensor::{Matrix, Samples, Targets, from_rows};

/// How many points there are.
pub const RINGS: usize = 300;

/// Some of the points, and their classes.
#[derive(Clone, Debug)]
pub struct Rings {
    inputs: Matrix<f32>,
    classes: Vec<u32>,
}

impl Rings {
    /// Inputs and targets.
    pub fn samples(&self) -> Samples<'_, f32> {
        Samples::new(self.inputs.as_view(), Targets::Classes(&self.classes)).expect("finite points")
    }
}

/// The points of a range below [`RINGS`].
pub fn rings(range: Range<usize>) -> Rings {
    let point = |i: usize| {
        let angle = i as f32 * 0.31;
        let radius = 0.5 + (i % 2) as f32 + 0.4 * (i as f32 * 1.7).sin();
        [radius * angle.cos(), radius * angle.sin()]
    };
    assert!(range.end <= RINGS, "{range:?} of {RINGS} points");
    Rings {
        inputs: from_rows(&range.clone().map(point).collect::<Vec<_>>()),
        classes: range.map(|i| i as u32 % 2).collect(),
    }
}
