//! A measure over measures seen along directions: projected once, sorted once a class.

use rayon::prelude::*;

use crate::directions::Directions;
use crate::linalg::{Mat, Output, Threads, matmul};
use crate::measure::MeasureOverMeasures;
use crate::ot::one_d::argsort;
use crate::scalar::Scalar;

/// `L x N` projections, each class's part of a row sorted, with the permutations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profile<T> {
    /// Row `l`, class after class: sorted values.
    pub(crate) values: Vec<T>,
    /// Row `l`, class after class: the sample within its class that each value belongs to.
    pub(crate) order: Vec<u32>,
}

impl<T: Scalar> Profile<T> {
    /// Projects and sorts; buffers are kept between calls.
    pub(crate) fn fill(&mut self, measure: &MeasureOverMeasures<T>, directions: &Directions<T>) {
        let samples = measure.sample_count();
        let len = directions.count() * samples;
        self.values.resize(len, T::ZERO);
        self.order.resize(len, 0);
        let points = Mat::row_major(measure.points(), samples, measure.dim()).transposed();
        matmul(&mut self.values, Output::Overwrite, 1.0, directions.as_mat(), points, Threads::Pool);
        let largest = (0..measure.class_count()).map(|c| measure.class_size(c)).max().unwrap_or(0);
        self.values.par_chunks_mut(samples).zip(self.order.par_chunks_mut(samples)).for_each_init(
            || vec![T::SortKey::default(); largest],
            |keys, (values, order)| {
                for class in 0..measure.class_count() {
                    let range = measure.class_range(class);
                    argsort(&mut values[range.clone()], &mut order[range], keys);
                }
            },
        );
    }
}
