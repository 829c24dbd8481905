//! The two scalar types: f32 and f64 behind one sealed trait.

use std::fmt::{Debug, Display};

mod sealed {
    use crate::kernel::{self, Kernel};

    pub trait Sealed: Sized + 'static {
        /// The product kernels that this processor can run, the best first.
        fn kernels() -> impl Iterator<Item = &'static Kernel<Self>>;
    }

    impl Sealed for f32 {
        #[inline]
        fn kernels() -> impl Iterator<Item = &'static Kernel<Self>> {
            kernel::for_f32()
        }
    }

    impl Sealed for f64 {
        #[inline]
        fn kernels() -> impl Iterator<Item = &'static Kernel<Self>> {
            kernel::for_f64()
        }
    }
}

/// A floating-point type that slalom computes with: [`f32`] or [`f64`].
///
/// Hyper-parameters, losses and sums stay f64 whatever the scalar; [`of`](Scalar::of) and
/// [`wide`](Scalar::wide) are the two doors between them.
///
/// ```
/// use slalom_tensor::Scalar;
/// assert_eq!(f32::of(0.1).wide(), 0.1_f32 as f64);
/// assert_eq!(<f64 as Scalar>::NAME, "f64");
/// ```
pub trait Scalar:
    sealed::Sealed
    + num_traits::Float
    + num_traits::NumAssign
    + std::iter::Sum
    + bytemuck::Pod
    + serde::Serialize
    + serde::de::DeserializeOwned
    + Default
    + Debug
    + Display
    + Send
    + Sync
    + 'static
{
    /// The type's name as it stands in files and error messages: `"f32"` or `"f64"`.
    const NAME: &'static str;

    /// The scalar nearest to `value` (round to even; infinite where it overflows).
    fn of(value: f64) -> Self;

    /// This scalar as f64, exactly.
    fn wide(self) -> f64;
}

impl Scalar for f32 {
    const NAME: &'static str = "f32";

    #[inline(always)]
    fn of(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Scalar for f64 {
    const NAME: &'static str = "f64";

    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }
}
