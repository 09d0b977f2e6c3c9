//! Sliced distances of all pairs of classes of two datasets, on shared directions.

use std::sync::Arc;

use thiserror::Error;

use super::backend::{Backend, BackendError};
use super::engine::Engine;
use super::{Base, PairMatrix, Sampled};
use crate::directions::{Directions, DirectionsError, Draws, Slicing};
use crate::measure::{MeasureOverMeasures, Pair};
use crate::rng::Stream;
use crate::scalar::Scalar;

/// Why sliced distances of two datasets could not be set up.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum SlicedError {
    /// The datasets live in spaces of different dimension.
    #[error("expected source and target of the same dimension, found {source_dim} and {target_dim}")]
    Dimensions {
        /// Dimension of the source.
        source_dim: usize,
        /// Dimension of the target.
        target_dim: usize,
    },
    /// Directions that cannot be drawn.
    #[error(transparent)]
    Directions(#[from] DirectionsError),
    /// A backend that refuses the datasets.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// Sliced distances between all classes, as matrices, row-major.
///
/// The entries are `SW_2^2`, or `SW_1`, as asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct PairDistances {
    /// `C_P x C_P`.
    pub source_source: Vec<f64>,
    /// `C_P x C_Q`.
    pub source_target: Vec<f64>,
    /// `C_Q x C_Q`.
    pub target_target: Vec<f64>,
}

impl PairDistances {
    pub(crate) fn each(&mut self, change: impl Fn(f64) -> f64) {
        let all = [&mut self.source_source, &mut self.source_target, &mut self.target_target];
        all.into_iter().flatten().for_each(|value| *value = change(*value));
    }
}

impl From<&PairMatrix> for PairDistances {
    fn from(pairs: &PairMatrix) -> Self {
        let c = pairs.source_count();
        let d = pairs.class_count() - c;
        let matrix = |rows: usize, cols: usize, entry: &dyn Fn(usize, usize) -> f64| {
            (0..rows * cols).map(|k| entry(k / cols, k % cols)).collect()
        };
        Self {
            source_source: matrix(c, c, &|i, j| pairs.source_source(i, j)),
            source_target: matrix(c, d, &|i, j| pairs.source_target(i, j)),
            target_target: matrix(d, d, &|i, j| pairs.target_target(i, j)),
        }
    }
}

/// `SW_2^2` or `SW_1` of all pairs of classes of a source and a target: source and source, source and target, target
/// and target, all on the same directions, with one projection and one sort a class.
///
/// `O((N + M) L (d + log n) + (C_P + C_Q)^2 L n)`; directions come in blocks of bounded memory.
///
/// ```
/// use wowflow::directions::Slicing;
/// use wowflow::measure::{MeasureOverMeasures, Pair};
/// use wowflow::ot::sliced::{Base, PairwiseSliced};
/// use wowflow::rng::{Purpose, Stream};
/// let p = MeasureOverMeasures::uniform(vec![0.0, 0.0, 1.0, 0.0_f64], 2, &[1, 1])?;
/// let q = MeasureOverMeasures::uniform(vec![3.0, 4.0], 2, &[1])?;
/// let pair = Pair { source: &p, target: &q };
/// let stream = Stream::new(7, Purpose::Evaluation, 0);
/// let mut sliced = PairwiseSliced::new(pair, Slicing::Equispaced, 64, stream)?;
/// let found = sliced.distances(Base::SquaredSw2);
/// assert!((found.source_target(0, 0) - 25.0 / 2.0).abs() < 1e-9); // a translation: |t|^2 / d
/// assert!((found.source_source(0, 1) - 1.0 / 2.0).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PairwiseSliced<'a, T: Scalar> {
    pair: Pair<'a, T>,
    engine: Engine<T>,
    draws: Draws<T>,
}

impl<'a, T: Scalar> PairwiseSliced<'a, T> {
    /// On the `count` directions of a kind that a stream of random numbers gives.
    ///
    /// # Errors
    /// Different dimensions, no directions, or directions that do not exist in this dimension.
    pub fn new(
        pair: Pair<'a, T>,
        slicing: Slicing,
        count: usize,
        stream: Stream,
    ) -> Result<Self, SlicedError> {
        same_space(pair.source, pair.target)?;
        let draws = Draws::new(slicing, count, pair.source.dim(), stream)?;
        Ok(Self { pair, engine: Engine::new(pair, count), draws })
    }

    /// The same on another backend.
    ///
    /// # Errors
    /// Datasets that do not fit it.
    pub fn with_backend(self, backend: &Arc<dyn Backend<T>>) -> Result<Self, SlicedError> {
        Ok(Self { engine: self.engine.moved_to(backend)?, ..self })
    }

    /// The means over directions.
    pub fn distances(&mut self, base: Base) -> &PairMatrix {
        self.engine.distances(base, self.pair, &mut self.draws)
    }

    /// The distances last measured.
    #[must_use]
    pub fn last(&self) -> &PairMatrix {
        self.engine.total()
    }

    /// The sums of the distances last measured over each of several batches of the directions, with the number of
    /// these: they tell how far a mean would move on other directions. At most 32; a single one where more than 1024
    /// classes meet, both sides together.
    pub fn batches(&self) -> impl Iterator<Item = (usize, &PairMatrix)> {
        self.engine.sampled().batches()
    }

    pub(crate) fn sampled(&self) -> Sampled<'_> {
        self.engine.sampled()
    }

    /// The mean over pairs of a source class and a target class, by weight: what bandwidths and step sizes are measured
    /// in.
    pub fn typical(&mut self, base: Base) -> f64 {
        let Pair { source, target } = self.pair;
        self.distances(base).mean_source_target(source.outer_weights(), target.outer_weights())
    }
}

/// The distances of all pairs of classes along given directions.
///
/// # Errors
/// Datasets of different dimensions.
///
/// # Panics
/// Directions of another dimension.
pub fn distances_along<T: Scalar>(
    pair: Pair<'_, T>,
    base: Base,
    directions: &Directions<T>,
) -> Result<PairDistances, SlicedError> {
    Ok(sampled_along(pair, base, directions)?.0)
}

/// The same, and the mean over each of several batches of the directions with the number of these.
pub(crate) fn sampled_along<T: Scalar>(
    pair: Pair<'_, T>,
    base: Base,
    directions: &Directions<T>,
) -> Result<(PairDistances, Vec<(f64, PairDistances)>), SlicedError> {
    same_space(pair.source, pair.target)?;
    let mut engine = Engine::new(pair, directions.count());
    let found = engine.distances(base, pair, &mut &*directions).into();
    let batches = engine.sampled().batches().map(|(count, sums)| {
        let count = count as f64;
        let mut means = PairDistances::from(sums);
        means.each(|sum| sum / count);
        (count, means)
    });
    Ok((found, batches.collect()))
}

fn same_space<T: Scalar>(
    source: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
) -> Result<(), SlicedError> {
    let (source_dim, target_dim) = (source.dim(), target.dim());
    if source_dim == target_dim { Ok(()) } else { Err(SlicedError::Dimensions { source_dim, target_dim }) }
}
