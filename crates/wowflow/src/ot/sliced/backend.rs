//! For backends: where rows are projected, sorted and compared, and how several processes share the work.
//!
//! A step takes two passes over the directions, in blocks. Pass one projects both sides, sorts the rows and sums the
//! distances of all pairs of classes; from them come coefficients; pass two turns sorted rows into forces and projects
//! them back. The engine of this crate decides on the blocks, on the batches that tell the error of a mean, and on what
//! is still known of the target. A [`Backend`] makes [`Profiles`], which hold all rows and do the work:
//! [`Host`](super::Host) on the threads of this process, or another crate's on a device. A backend may name a
//! [`Reduction`]: then several processes share out the directions.
//!
//! Functionals take a backend once, after they are made (`with_backend`). A backend that adds a reduction to another
//! one:
//!
//! ```
//! use std::ops::Range;
//! use std::sync::Arc;
//! use wowflow::ot::sliced::Host;
//! use wowflow::ot::sliced::backend::{
//!     Backend, BackendError, PairLayout, PairMatrix, Profiles, Reduction,
//! };
//! use wowflow::scalar::Scalar;
//!
//! /// A single process that works as if there were others.
//! #[derive(Debug)]
//! struct Alone(Host);
//!
//! impl<T: Scalar> Backend<T> for Alone {
//!     fn profiles(&self, layout: &Arc<PairLayout>) -> Result<Box<dyn Profiles<T>>, BackendError> {
//!         self.0.profiles(layout)
//!     }
//!     fn reduction(&self) -> Option<&dyn Reduction<T>> {
//!         Some(self)
//!     }
//! }
//!
//! impl<T: Scalar> Reduction<T> for Alone {
//!     fn share(&self, parts: usize) -> Range<usize> {
//!         0..parts
//!     }
//!     fn gather(&self, _: Range<usize>, _: &mut [PairMatrix]) {}
//!     fn add(&self, _: Range<usize>, own: &[T], velocity: &mut [T]) {
//!         velocity.fill(T::ZERO);
//!         for part in own.chunks(velocity.len()) {
//!             velocity.iter_mut().zip(part).for_each(|(sum, v)| *sum += *v);
//!         }
//!     }
//! }
//! ```

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use thiserror::Error;

use super::{Base, WithinAtomVariance};
use crate::scalar::Scalar;

pub use super::layout::{Class, PairLayout, Side};
pub use super::matrix::{Coefficients, PairMatrix};
pub use crate::directions::{DrawId, Slicer};
pub use crate::linalg::Output;

/// Why a backend could not take two datasets.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "expected datasets that fit the backend {backend}, found {found}: take fewer samples or another backend"
)]
pub struct BackendError {
    /// Name of the backend.
    pub backend: &'static str,
    /// What does not fit, in words.
    pub found: String,
}

/// Where the work is done.
pub trait Backend<T: Scalar>: Debug + Send + Sync {
    /// Memory and working memory for two datasets of such sizes and weights.
    ///
    /// # Errors
    /// Datasets that do not fit.
    fn profiles(&self, layout: &Arc<PairLayout>) -> Result<Box<dyn Profiles<T>>, BackendError>;

    /// How the parts of several processes become one; `None` where one process does all the work.
    fn reduction(&self) -> Option<&dyn Reduction<T>> {
        None
    }
}

/// The coordinates of a side.
#[derive(Clone, Copy, Debug)]
pub struct Cloud<'a, T> {
    /// `N x d`, row-major, class after class.
    pub points: &'a [T],
    /// The same number, the same points: they need not be sent to a device again.
    pub version: u64,
}

/// What is measured between classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// `SW_2^2` or `SW_1`.
    pub base: Base,
    /// For `SW_2^2`: what becomes of the variance of target classes within the atoms of source classes.
    pub within_atoms: WithinAtomVariance,
    /// Whether pairs of two target classes are measured.
    pub targets: TargetPairs,
}

/// Whether pairs of two target classes are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetPairs {
    /// They are.
    Measured,
    /// Their sums are known and must be left as they are.
    Known,
}

/// The projections of both sides on a block of directions, and what is made of them.
///
/// A row is the projections of all samples of a side on one direction; each class's part of it is sorted on its own.
/// Between [`Self::project`] and [`Self::forces`] both sides hold rows on the same block of directions.
pub trait Profiles<T: Scalar>: Debug + Send + Sync {
    /// Replaces the rows of a side by its projections on a block of the directions, not sorted yet.
    fn project(
        &mut self,
        side: Side,
        cloud: Cloud<'_, T>,
        directions: &mut dyn Slicer<T>,
        block: Range<usize>,
    );

    /// Adds the distances of all pairs of classes along the block in memory to the sums of some batches, above the
    /// diagonal, and leaves the rows sorted. The directions of the block are shared out to these batches as [`shares`]
    /// says; `sums` has all batches of the pass.
    ///
    /// What is added may stay on the device until [`Self::finish_distances`].
    fn add_distances(&mut self, measured: Measured, batches: Range<usize>, sums: &mut [PairMatrix]);

    /// Adds to the sums of the pass what was not added to them yet.
    fn finish_distances(&mut self, _sums: &mut [PairMatrix]) {}

    /// Replaces the source's rows by forces in the order of its samples, with the derivative of the distance that
    /// `base` names, the rows sorted first where they are not.
    ///
    /// For `SW_2^2` the force on a sorted sample is `sum_e A_ce (s_c - s_e)`, `s_e` being the mean of what the monotone
    /// coupling of `e` with `c` gives that sample; for `SW_1` differences are replaced by their signs, 0 at ties.
    fn forces(&mut self, base: Base, coefficients: &Coefficients<T>);

    /// The velocity (`N x d`) is, or grows by, `scale` times the sum over a block of directions of the forces in memory
    /// along them.
    ///
    /// It may stay on the device until [`Self::finish_velocity`].
    fn back_project(
        &mut self,
        directions: &mut dyn Slicer<T>,
        block: Range<usize>,
        scale: f64,
        output: Output,
        velocity: &mut [T],
    );

    /// Completes the velocity of a pass.
    fn finish_velocity(&mut self, _velocity: &mut [T]) {}

    /// A copy with memory of its own.
    fn duplicate(&self) -> Box<dyn Profiles<T>>;
}

impl<T: Scalar> Clone for Box<dyn Profiles<T>> {
    fn clone(&self) -> Self {
        self.duplicate()
    }
}

/// How the directions of a block are shared out to a number of batches: evenly, in order, the last ones fewer or none.
pub fn shares(directions: usize, batches: usize) -> impl Iterator<Item = Range<usize>> {
    let each = directions.div_ceil(batches);
    (0..batches).map(move |batch| (batch * each).min(directions)..((batch + 1) * each).min(directions))
}

/// Sums over parts of the directions that several processes share out.
///
/// Directions are cut into at most 32 parts, by their number alone; a part is computed by one process and is a batch of
/// its own. Parts are added in their order whoever computed them, so that the bits do not depend on the number of
/// processes. They are not those of a run without a reduction, which adds a velocity up in one product.
pub trait Reduction<T>: Debug + Send + Sync {
    /// The parts of this process. All processes together have every part once.
    fn share(&self, parts: usize) -> Range<usize>;

    /// Completes the distances of a pass: `parts` has those of this process's parts, `own`, and gets all others.
    fn gather(&self, own: Range<usize>, parts: &mut [PairMatrix]);

    /// Makes a velocity the sum, in the order of parts, of those of all parts of all processes. `parts` has those of
    /// this process's parts, `own`, one after another, each as long as the velocity.
    fn add(&self, own: Range<usize>, parts: &[T], velocity: &mut [T]);
}
