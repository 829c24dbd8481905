//! Numbers for slalom: matrices whose columns are samples, products, reductions, seeded random
//! streams, and the threads that share the work.
//!
//! # Samples are columns
//!
//! Every matrix here is column-major, *features × samples*: one sample is one contiguous slice, a
//! batch is a contiguous range of columns, and `W·x + b` reads as it does in books. The bytes are
//! those of a row-major *samples × features* array, so data from NumPy, ndarray or PyTorch comes
//! in without a copy. Whoever thinks in rows starts with [`from_rows`].
//!
//! ```
//! use slalom_tensor::{Factor, Matrix, Threads, from_rows, multiply};
//!
//! let x = from_rows(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]); // three samples of two features
//! assert_eq!(x.shape(), (2, 3));
//! let w = Matrix::from_row_slice(1, 2, &[10.0, 1.0]); // one unit with two inputs
//! let mut y = Matrix::zeros(1, 3);
//! multiply(Factor::Plain(w.as_view()), Factor::Plain(x.as_view()), y.as_view_mut(), &Threads::one());
//! assert_eq!(y.as_slice(), [12.0, 34.0, 56.0]);
//! ```
//!
//! Matrices and views are nalgebra's ([`Matrix`], [`View`], [`ViewMut`]), so nalgebra users pass
//! theirs in as they are. Sums are accumulated in f64, products run through one kernel module
//! ([`multiply`]), and everything random is a function of a seed, a purpose and indices
//! ([`stream`]).

mod aside;
pub mod elementary;
mod kernel;
mod matrix;
mod outer;
mod product;
mod random;
mod reduce;
mod samples;
mod scalar;
mod simd;
mod sparse;
mod threads;

pub use matrix::{Matrix, View, ViewMut, from_rows};
pub use outer::{Outer, Packed};
pub use product::{Factor, multiply, multiply_add, multiply_then};
pub use random::{Purpose, Stream, permutation, shuffle, stream, uniform};
pub use reduce::{
    Largest, add_bias, column_sums, largest, mean, row_means, row_sums, row_variances, squared_norm,
};
pub use samples::{SampleError, Samples, Targets};
pub use scalar::Scalar;
pub use simd::{prefetch, prefetch_far, vectorize};
pub use threads::Threads;
