//! What does not change while samples move: sizes, weights, and which classes share a grid.
//!
//! Two classes share a grid when their sorted samples pair up one to one: uniform weights and
//! equal sizes. Between grids, sorted rows are replaced by conditional means (`book/src/mathematics.md`, "One sort
//! per class", point 4), once a grid and not once a pair.

use std::collections::HashMap;
use std::ops::Range;

use super::loops::STRIP;
use crate::measure::{MeasureOverMeasures, Pair};
use crate::scalar::Scalar;

/// A dataset's side of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that is moved.
    Source,
    /// The one it is moved to.
    Target,
}

/// What becomes of the variance of a class within the atoms of another: `SW_2^2` is the distance to conditional means
/// on the atoms plus the variance within them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WithinAtomVariance {
    /// It counts: distances are `SW_2^2`.
    #[default]
    Included,
    /// It is left out: along every direction, a source class is compared with the best approximation of a target class
    /// by as many atoms of the same weights. The velocity is exact, and forces cancel where that approximation is met;
    /// the value is no squared MMD any more and may be negative. For sources of few samples a class, whose distances
    /// are mostly such variance, which no move can lower.
    Excluded,
}

/// One class of either side.
#[derive(Clone, Debug)]
pub struct Class {
    pub(crate) side: Side,
    pub(crate) range: Range<usize>,
    pub(crate) weights: Option<Vec<f64>>,
    pub(crate) grid: usize,
}

impl Class {
    /// The side it is of.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// Its samples, by position among those of its side.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Weights of its samples, sum 1; `None` stands for uniform.
    #[must_use]
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }
}

/// Atoms of equal weight to which other classes' rows are brought; classes of one grid pair up one to one.
///
/// A class with weights is on a grid of its own, whose atoms are its samples.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    pub(crate) size: usize,
    /// Classes on this grid, increasing, by position in [`PairLayout::classes`].
    pub(crate) members: Vec<usize>,
}

impl Grid {
    /// The members in a range of classes.
    pub(crate) fn members_in(&self, classes: &Range<usize>) -> &[usize] {
        let position = |class| self.members.partition_point(|&c| c < class);
        &self.members[position(classes.start)..position(classes.end)]
    }
}

/// How the rows of classes are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrangement {
    /// All classes are on one grid: sample by sample, along one direction after another.
    OneGrid,
    /// Their sizes differ: rank by rank, along several directions side by side.
    Sizes,
    /// Samples of some classes have weights: along one direction, by the levels at which any class goes on to its next
    /// sample.
    Weights,
}

/// Directions side by side, where sizes differ.
pub(crate) const LANES: usize = STRIP;
/// Values of a class, along as many directions as that takes, that are compared in one go.
const GROUP_VALUES: usize = 256;
/// Forces on all source samples that are kept at a time, if one direction does not need more.
const GROUP_FORCES: usize = 1 << 18;

/// Sizes, weights and grids of a source and a target.
#[derive(Clone, Debug)]
pub struct PairLayout {
    pub(crate) classes: Vec<Class>,
    pub(crate) source_count: usize,
    pub(crate) grids: Vec<Grid>,
    pub(crate) largest: usize,
    pub(crate) arrangement: Arrangement,
    /// Directions taken together, so that rows of few samples are worth a loop.
    pub(crate) group: usize,
}

impl PairLayout {
    pub(crate) fn new<T: Scalar>(pair: Pair<'_, T>) -> Self {
        let Pair { source, target } = pair;
        let mut layout = Self {
            classes: Vec::new(),
            source_count: source.class_count(),
            grids: Vec::new(),
            largest: 0,
            arrangement: Arrangement::OneGrid,
            group: 1,
        };
        let mut by_size = HashMap::new();
        for (side, measure) in [(Side::Source, source), (Side::Target, target)] {
            for class in 0..measure.class_count() {
                let size = measure.class_size(class);
                let weights = measure.class_weights(class).map(<[f64]>::to_vec);
                let fresh = layout.grids.len();
                let grid = match &weights {
                    None => *by_size.entry(size).or_insert(fresh),
                    Some(_) => fresh,
                };
                if grid == fresh {
                    layout.grids.push(Grid { size, members: Vec::new() });
                }
                layout.grids[grid].members.push(layout.classes.len());
                layout.largest = layout.largest.max(size);
                layout.classes.push(Class { side, range: measure.class_range(class), weights, grid });
            }
        }
        layout.arrangement = if layout.classes.iter().any(|class| class.weights.is_some()) {
            Arrangement::Weights
        } else if layout.grids.len() > 1 {
            Arrangement::Sizes
        } else {
            Arrangement::OneGrid
        };
        layout.group = match layout.arrangement {
            Arrangement::OneGrid => {
                let samples = layout.source_samples() + layout.target_samples();
                let directions = GROUP_VALUES * layout.classes.len() / samples;
                directions.min(GROUP_FORCES / layout.source_samples()).max(1)
            }
            Arrangement::Sizes => LANES,
            Arrangement::Weights => 1,
        };
        layout
    }

    /// Whether a source has the dimension and class sizes that the layout was made for.
    pub(crate) fn fits<T: Scalar>(&self, source: &MeasureOverMeasures<T>) -> bool {
        source.class_count() == self.source_count
            && (0..self.source_count).all(|c| source.class_range(c) == self.classes[c].range)
    }

    /// Source classes, then target classes.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// Number of source classes, `C_P`.
    #[must_use]
    pub fn source_count(&self) -> usize {
        self.source_count
    }

    /// Samples of the source, over all classes.
    #[must_use]
    pub fn source_samples(&self) -> usize {
        self.classes[self.source_count - 1].range.end
    }

    /// Samples of the target, over all classes.
    #[must_use]
    pub fn target_samples(&self) -> usize {
        self.classes[self.classes.len() - 1].range.end
    }
}
