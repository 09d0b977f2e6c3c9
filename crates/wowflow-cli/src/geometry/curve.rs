//! The datasets on a geodesic: labels, weights, origins; and whether its ends are where they should be.

use std::path::Path;

use anyhow::{Result, ensure};
use wowflow::dataset::{ImageShape, Label, LabeledDataset};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::geometry::{Interpolation, Origin, VelocityPlan};
use wowflow_data::npy::NpyArray;
use wowflow_data::write_npz_dataset;

use super::rows_by_class;
use crate::run::checkpoint::Stored;
use crate::run::finish::write_flowed;

/// Rows of the datasets where samples come from and go to; -1 where there is none.
const SOURCE_ROW: &str = "source_row";
const TARGET_ROW: &str = "target_row";

/// Two datasets and the plan from one to the other.
pub(crate) struct Curve<'a, T> {
    pub(crate) plan: &'a VelocityPlan<'a, T>,
    pub(crate) source: &'a LabeledDataset,
    pub(crate) target: &'a LabeledDataset,
    pub(crate) shape: Option<ImageShape>,
}

impl<T: Stored> Curve<'_, T> {
    /// Writes the dataset at a time and returns its number of samples and classes.
    ///
    /// At the ends it is the source or the target itself, row for row; between them there is a class for
    /// every pair of classes with mass.
    pub(crate) fn write(&self, path: &Path, t: f64) -> Result<(usize, usize)> {
        let (data, source_row, target_row) = match t {
            0.0 => {
                let rows = (0..self.source.len()).map(Some).collect();
                (self.whole(self.source)?, rows, vec![None; self.source.len()])
            }
            1.0 => {
                let rows = (0..self.target.len()).map(Some).collect();
                (self.whole(self.target)?, vec![None; self.target.len()], rows)
            }
            t => {
                let at = self.plan.at(t)?;
                let rows = |rows: &[usize], side: fn(&Origin) -> Option<usize>| {
                    at.samples.iter().map(|origin| Some(rows[side(origin)?])).collect::<Vec<_>>()
                };
                let source = rows(&rows_by_class(self.source), |origin| origin.source);
                let target = rows(&rows_by_class(self.target), |origin| origin.target);
                (self.between(&at)?, source, target)
            }
        };
        let (source_row, target_row) = (row_array(&source_row), row_array(&target_row));
        write_npz_dataset(path, &data, &[(SOURCE_ROW, &source_row), (TARGET_ROW, &target_row)])?;
        Ok((data.len(), data.class_count()))
    }

    /// As [`Self::write`], of the curve without splits; `target_of` are the matched classes.
    pub(crate) fn write_barycentric(
        &self,
        path: &Path,
        t: f64,
        target_of: &[usize],
    ) -> Result<(usize, usize)> {
        let at = self.plan.barycentric(t)?;
        let rows: Vec<Option<usize>> = rows_by_class(self.source).into_iter().map(Some).collect();
        write_flowed(path, (self.source, self.target), &at, target_of, &[(SOURCE_ROW, &row_array(&rows))])?;
        let mut classes = target_of.to_vec();
        classes.sort_unstable();
        classes.dedup();
        Ok((at.sample_count(), classes.len()))
    }

    /// A dataset as it is, in the precision of the curve.
    fn whole(&self, data: &LabeledDataset) -> Result<LabeledDataset> {
        let labels = (0..data.len()).map(|row| data.label(row).clone()).collect();
        let points = T::points(data.points().to_vec(0..data.points().len()));
        let mut whole = self.shaped(LabeledDataset::new(points, data.dim(), labels)?)?;
        if let Some(weights) = data.sample_weights() {
            whole = whole.with_sample_weights(weights.to_vec())?;
        }
        match data.class_weights() {
            Some(weights) => Ok(whole.with_class_weights(weights.to_vec())?),
            None => Ok(whole),
        }
    }

    fn between(&self, at: &Interpolation<T>) -> Result<LabeledDataset> {
        let name = |origin: &Origin| {
            let label = |data: &LabeledDataset, class: Option<usize>| {
                class.map(|class| within(&data.classes()[class].to_string())).unwrap_or_default()
            };
            let (from, to) = (label(self.source, origin.source), label(self.target, origin.target));
            Label::Text(format!("{from}->{to}"))
        };
        let names: Vec<Label> = at.classes.iter().map(name).collect();
        let data = labeled(&at.measure, &names)?;
        self.shaped(data)
    }

    fn shaped(&self, data: LabeledDataset) -> Result<LabeledDataset> {
        Ok(match self.shape {
            Some(shape) => data.with_image_shape(shape)?,
            None => data,
        })
    }

    /// Whether the particles start and end on samples to the bit, and the largest amount by which their
    /// masses miss those of the samples.
    pub(crate) fn ends(&self) -> Result<(bool, f64)> {
        let (start, end) = (self.plan.exp(0.0)?, self.plan.exp(1.0)?);
        let mut exact = true;
        let mut missing = [self.plan.source().sample_masses(), self.plan.target().sample_masses()];
        for (index, particle) in self.plan.particles().enumerate() {
            let row = |at: &Interpolation<T>, expected: &[T]| {
                let dim = expected.len();
                at.measure.points()[index * dim..(index + 1) * dim] == *expected
            };
            exact &= row(&start, particle.position) && row(&end, particle.end);
            missing[0][particle.source] -= particle.mass;
            missing[1][particle.target] -= particle.mass;
        }
        Ok((exact, missing.iter().flatten().fold(0.0, |worst, mass| worst.max(mass.abs()))))
    }

    /// The mean squared distance of the ends of a sample from their mean: `W_{W2}^2` from the curve
    /// without splits at time 1 to the target is at most this.
    pub(crate) fn spread(&self) -> f64 {
        let dim = self.plan.source().dim();
        let mean = self.plan.mean_displacement();
        let squares = self.plan.particles().map(|particle| {
            let mean = &mean[particle.source * dim..(particle.source + 1) * dim];
            let square: f64 = particle.displacement().zip(mean).map(|(v, mean)| (v - mean).powi(2)).sum();
            particle.mass * square
        });
        squares.sum()
    }
}

/// The labeled dataset of a measure whose classes have these labels; weights where they are not uniform.
pub(crate) fn labeled<T: Stored>(
    measure: &MeasureOverMeasures<T>,
    names: &[Label],
) -> Result<LabeledDataset> {
    let classes = 0..measure.class_count();
    let labels = classes.clone().flat_map(|c| std::iter::repeat_n(names[c].clone(), measure.class_size(c)));
    let mut data =
        LabeledDataset::new(T::points(measure.points().to_vec()), measure.dim(), labels.collect())?;
    ensure!(
        data.class_count() == names.len(),
        "expected {} classes of different labels, found {}: rename labels that contain -> or +",
        names.len(),
        data.class_count()
    );
    if classes.clone().any(|c| measure.class_weights(c).is_some()) {
        let weights = classes.clone().flat_map(|c| {
            let uniform = 1.0 / measure.class_size(c) as f64;
            (0..measure.class_size(c)).map(move |i| measure.class_weights(c).map_or(uniform, |a| a[i]))
        });
        data = data.with_sample_weights(weights.collect())?;
    }
    let outer = measure.outer_weights();
    if outer.iter().any(|weight| *weight != outer[0]) {
        // The dataset sorts its classes by label.
        let place = |label: &Label| names.iter().position(|name| name == label);
        let weights = data.classes().iter().filter_map(place).map(|class| outer[class]).collect();
        data = data.with_class_weights(weights)?;
    }
    Ok(data)
}

/// A label within a longer one: in brackets if it is one of several parts itself.
pub(crate) fn within(label: &str) -> String {
    if label.contains("->") || label.contains('+') { format!("({label})") } else { label.to_owned() }
}

fn row_array(rows: &[Option<usize>]) -> NpyArray {
    NpyArray::i64([rows.len()], rows.iter().map(|row| row.map_or(-1, |row| row as i64)).collect())
}
