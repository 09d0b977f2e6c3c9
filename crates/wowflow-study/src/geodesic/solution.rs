//! A geodesic that is solved: the dataset at every time with labels, weights and origins, and all of it on disk.

use std::path::Path;
use std::time::Instant;

use wowflow::dataset::{ImageShape, Label, LabeledDataset, Points, Precision};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::geometry::{Interpolation, Origin, VelocityPlan};
use wowflow::ot::labels::match_classes;
use wowflow::ot::wow::WowTransport;
use wowflow_data::{Prepared, write_npz_dataset};

use super::config::Config;
use super::summary::{EndPoints, Summary, Written};
use crate::error::{Result, StudyError};
use crate::labeled::{Origins, flowed, labeled, shaped, within, write_flowed};
use crate::observer::{Event, Observer, Unit};
use crate::record::{
    Attachment, Program, Provenance, RunDir, RunProvenance, Session, config_sha256, write_json,
};

/// Rows of the datasets where samples come from and go to, -1 where there is none, and the names they have there.
const SOURCE: [&str; 2] = ["source_row", "source_names"];
const TARGET: [&str; 2] = ["target_row", "target_names"];
/// Masses that miss by more than this are not those of the samples.
const ROUNDING: f64 = 1e-12;

/// The way from one dataset to another, solved.
#[derive(Clone, Debug)]
pub struct Solution {
    pub(super) config: Config,
    pub(super) ends: [Prepared; 2],
    pub(super) shape: Option<ImageShape>,
    pub(super) curve: Curve,
    pub(super) summary: Summary,
}

/// A dataset on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Interpolated {
    /// Its samples. Between the ends there is a class for every pair of classes with mass, such as `3->7`; at the ends
    /// it is the source or the target itself, row for row. On a curve without splits the labels are those of the
    /// target.
    pub dataset: LabeledDataset,
    /// The samples of the source that they come from; none at the end of the way, where samples are the target's.
    pub source: Origins,
    /// The samples of the target that they go to; none at the start, and on a curve without splits.
    pub target: Origins,
}

impl Solution {
    /// What was asked, resolved.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The dataset at time 0.
    #[must_use]
    pub fn source(&self) -> &Prepared {
        &self.ends[0]
    }

    /// The dataset at time 1.
    #[must_use]
    pub fn target(&self) -> &Prepared {
        &self.ends[1]
    }

    /// The shape of the images, if either dataset is of images.
    #[must_use]
    pub fn image_shape(&self) -> Option<ImageShape> {
        self.shape
    }

    /// The optimal couplings of classes and samples.
    #[must_use]
    pub fn transport(&self) -> &WowTransport {
        &self.curve.transport
    }

    /// What is found; files and pictures are listed in what [`Self::write`] returns.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The dataset at a time in [0, 1].
    ///
    /// # Errors
    /// A time outside, classes of the same two labels.
    pub fn at(&self, t: f64) -> Result<Interpolated> {
        let plan = self.curve.plan()?;
        if self.config.barycentric { self.without_splits(&plan, t) } else { self.split(&plan, t) }
    }

    fn split(&self, plan: &VelocityPlan<'_, f64>, t: f64) -> Result<Interpolated> {
        let all = |data: &LabeledDataset| Origins::new(data, (0..data.len()).map(Some));
        let none = |data: &LabeledDataset| Origins::none(data.len());
        let whole = |data: &LabeledDataset, source, target| {
            Ok(Interpolated { dataset: self.whole(data)?, source, target })
        };
        let (source, target) = (&self.source().dataset, &self.target().dataset);
        match t {
            0.0 => whole(source, all(source), none(source)),
            1.0 => whole(target, none(target), all(target)),
            t => {
                let at = plan.at(t)?;
                let origins = |data: &LabeledDataset, side: fn(&Origin) -> Option<usize>| {
                    let rows = data.rows_by_class();
                    Origins::new(data, at.samples.iter().map(|origin| Some(rows[side(origin)?])))
                };
                Ok(Interpolated {
                    dataset: self.between(&at)?,
                    source: origins(source, |origin| origin.source),
                    target: origins(target, |origin| origin.target),
                })
            }
        }
    }

    fn without_splits(&self, plan: &VelocityPlan<'_, f64>, t: f64) -> Result<Interpolated> {
        let at = plan.barycentric(t)?;
        let target_of = match_classes(self.transport()).target;
        let (source, target) = (&self.source().dataset, &self.target().dataset);
        let dataset = match self.config.precision {
            Precision::F32 => flowed(source, target, &at.cast::<f32>()?, &target_of)?,
            Precision::F64 => flowed(source, target, &at, &target_of)?,
        };
        let came_from = Origins::new(source, (0..source.len()).map(Some));
        Ok(Interpolated { target: Origins::none(dataset.len()), dataset, source: came_from })
    }

    /// A dataset as it is, in the precision of the curve.
    fn whole(&self, data: &LabeledDataset) -> Result<LabeledDataset> {
        let labels = (0..data.len()).map(|row| data.label(row).clone()).collect();
        let all = 0..data.points().len();
        let points = match self.config.precision {
            Precision::F32 => Points::F32(data.points().to_vec(all)),
            Precision::F64 => Points::F64(data.points().to_vec(all)),
        };
        let mut whole = shaped(LabeledDataset::new(points, data.dim(), labels)?, self.shape)?;
        if let Some(weights) = data.sample_weights() {
            whole = whole.with_sample_weights(weights.to_vec())?;
        }
        match data.class_weights() {
            Some(weights) => Ok(whole.with_class_weights(weights.to_vec())?),
            None => Ok(whole),
        }
    }

    fn between(&self, at: &Interpolation<f64>) -> Result<LabeledDataset> {
        let label = |data: &Prepared, class: Option<usize>| {
            class.map(|class| within(&data.label(class))).unwrap_or_default()
        };
        let name = |origin: &Origin| {
            let (from, to) = (label(self.source(), origin.source), label(self.target(), origin.target));
            Label::Text(format!("{from}->{to}"))
        };
        let names: Vec<Label> = at.classes.iter().map(name).collect();
        labeled(&at.measure, &names, self.config.precision, self.shape)
    }

    /// Writes everything into a new folder, whole or not at all: the configuration, the provenance, the dataset at
    /// every time, the pictures given, and last the summary, which is returned.
    ///
    /// # Errors
    /// A folder with content, a place that cannot be written, classes of the same two labels;
    /// [`StudyError::Interrupted`] when the observer asks to stop. Nothing is left then.
    pub fn write(
        &self,
        out: &Path,
        program: &Program,
        pictures: &[Attachment],
        observer: &dyn Observer,
    ) -> Result<Summary> {
        let started = Instant::now();
        let run = RunProvenance::new(program, self.config.seed, config_sha256(&self.config)?);
        let provenance = Provenance::new(run, &self.ends);
        let mut summary = self.summary.clone();
        Session::whole(out, |run| {
            write_json(&run.provenance(), &provenance)?;
            write_json(&run.config(), &self.config)?;
            let plan = self.curve.plan()?;
            let total = Some(self.config.times.len() as u64);
            observer.event(&Event::Began { unit: Unit::Datasets, total, done: 0 });
            for (index, &time) in self.config.times.iter().enumerate() {
                go_on(observer)?;
                let written = self.write_at(run, &plan, index, time)?;
                observer.event(&Event::Advanced { done: index as u64 + 1, detail: &written.file });
                summary.times.push(written);
            }
            observer.event(&Event::Ended);
            for picture in pictures {
                go_on(observer)?;
                picture.write(run)?;
                summary.pictures.push(picture.name.clone());
            }
            summary.seconds += started.elapsed().as_secs_f64();
            go_on(observer)?;
            write_json(&run.summary(), &summary)
        })?;
        Ok(summary)
    }

    fn write_at(
        &self,
        run: &RunDir,
        plan: &VelocityPlan<'_, f64>,
        index: usize,
        time: f64,
    ) -> Result<Written> {
        let file = format!("interpolation-{index:03}.npz");
        let path = run.file(&file);
        let dataset = if self.config.barycentric {
            self.write_without_splits(&path, plan, time)?
        } else {
            let at = self.split(plan, time)?;
            let arrays =
                [at.source.arrays(SOURCE.map(String::from)), at.target.arrays(TARGET.map(String::from))]
                    .concat();
            let extra: Vec<_> = arrays.iter().map(|(name, array)| (&name[..], array)).collect();
            write_npz_dataset(&path, &at.dataset, &extra)?;
            at.dataset
        };
        Ok(Written { time, file, samples: dataset.len(), classes: dataset.class_count() })
    }

    fn write_without_splits(
        &self,
        path: &Path,
        plan: &VelocityPlan<'_, f64>,
        t: f64,
    ) -> Result<LabeledDataset> {
        let at = plan.barycentric(t)?;
        let target_of = match_classes(self.transport()).target;
        let (source, target) = (&self.source().dataset, &self.target().dataset);
        match self.config.precision {
            Precision::F32 => write_flowed(path, source, target, &at.cast::<f32>()?, &target_of),
            Precision::F64 => write_flowed(path, source, target, &at, &target_of),
        }
    }
}

/// The measures of two datasets, in double precision, and the transport from one to the other.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    pub(super) p: MeasureOverMeasures<f64>,
    pub(super) q: MeasureOverMeasures<f64>,
    pub(super) transport: WowTransport,
}

impl Curve {
    pub(super) fn plan(&self) -> Result<VelocityPlan<'_, f64>> {
        Ok(VelocityPlan::new(&self.p, &self.q, &self.transport)?)
    }
}

/// Whether the particles of a plan start and end on samples to the bit, and the largest amount by which their masses
/// miss those of the samples.
pub(super) fn end_points(plan: &VelocityPlan<'_, f64>) -> Result<EndPoints> {
    let (start, end) = (plan.exp(0.0)?, plan.exp(1.0)?);
    let mut exact = true;
    let mut missing = [plan.source().sample_masses(), plan.target().sample_masses()];
    for (index, particle) in plan.particles().enumerate() {
        let row = |at: &Interpolation<f64>, expected: &[f64]| {
            let dim = expected.len();
            at.measure.points()[index * dim..(index + 1) * dim] == *expected
        };
        exact &= row(&start, particle.position) && row(&end, particle.end);
        missing[0][particle.source] -= particle.mass;
        missing[1][particle.target] -= particle.mass;
    }
    let mass_error = missing.iter().flatten().fold(0.0, |worst: f64, mass| worst.max(mass.abs()));
    Ok(EndPoints { exact: exact && mass_error <= ROUNDING, mass_error })
}

/// The mean squared distance of the ends of a sample from their mean: `W_{W2}^2` from the curve without splits at time
/// 1 to the target is at most this.
pub(super) fn spread(plan: &VelocityPlan<'_, f64>) -> f64 {
    let dim = plan.source().dim();
    let mean = plan.mean_displacement();
    let squares = plan.particles().map(|particle| {
        let mean = &mean[particle.source * dim..(particle.source + 1) * dim];
        let square: f64 = particle.displacement().zip(mean).map(|(v, mean)| (v - mean).powi(2)).sum();
        particle.mass * square
    });
    squares.sum()
}

/// Fails once a stop was asked for.
fn go_on(observer: &dyn Observer) -> Result<()> {
    if observer.stop_requested() { Err(StudyError::Interrupted) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{Request, solve};
    use super::*;
    use crate::observer::Event;

    struct Stopping;

    impl Observer for Stopping {
        fn event(&self, _event: &Event<'_>) {}
        fn stop_requested(&self) -> bool {
            true
        }
    }

    #[test]
    fn a_way_is_written_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run");
        let program = Program::default();
        let way = solve(&Request::new("rings:source:3", "rings:3"), &program, &()).unwrap();
        assert!(way.write(&out, &program, &[], &Stopping).unwrap_err().is_interruption());
        assert!(!out.exists());
        let clash = Attachment { name: "config.json".to_owned(), bytes: Vec::new() };
        assert!(way.write(&out, &program, &[clash], &()).is_err());
        assert!(!out.exists());
        let summary = way.write(&out, &program, &[], &()).unwrap();
        let stored: Summary = serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap();
        assert_eq!((stored.times.len(), &stored), (8, &summary));
        let (_, config) = Session::open::<Config>(&out).unwrap();
        assert_eq!(&config, way.config());
    }
}
