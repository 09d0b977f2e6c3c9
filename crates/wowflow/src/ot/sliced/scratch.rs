//! What a thread works on.

use super::lanes::Lanes;
use super::layout::{Arrangement, PairLayout};
use super::levels::Levels;
use super::panel::{Panel, rows_of_others, rows_of_own};
use super::rows::Couplings;
use crate::aligned::Aligned;
use crate::ot::sort::SortScratch;
use crate::scalar::Scalar;

/// Working memory of one thread.
#[derive(Clone, Debug)]
pub(crate) struct Scratch<T: Scalar> {
    pub(crate) own: Panel<T>,
    pub(crate) others: Panel<T>,
    /// Forces on the rows of the first panel.
    pub(crate) sums: Aligned<T>,
    /// Forces on all source samples along a group of directions, in sorted order.
    pub(crate) forces: Aligned<T>,
    /// Where sizes differ.
    pub(crate) lanes: Option<Lanes<T>>,
    /// Where samples have weights.
    pub(crate) levels: Option<Box<Levels>>,
    pub(crate) couplings: Couplings,
    pub(crate) sort: SortScratch<T>,
}

impl<T: Scalar> Scratch<T> {
    pub(crate) fn new(layout: &PairLayout) -> Self {
        let own = Panel::new(layout, rows_of_own);
        Self {
            sums: Aligned::zeros(own.values.len()),
            own,
            others: Panel::new(layout, rows_of_others),
            forces: Aligned::zeros(layout.group * layout.source_samples()),
            lanes: (layout.arrangement == Arrangement::Sizes).then(|| Lanes::new(layout)),
            levels: (layout.arrangement == Arrangement::Weights).then(|| Box::new(Levels::new(layout))),
            couplings: Couplings::new(layout),
            sort: SortScratch::new(layout.largest),
        }
    }
}
