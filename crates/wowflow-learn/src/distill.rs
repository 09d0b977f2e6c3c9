//! Distillation: a dataset of few samples a class that stands for a large one.

use std::ops::ControlFlow;

use wowflow::flow::{Decay, Flow, FlowState, Scheme, StepSchedule, StepSize};
use wowflow::functional::{
    FeatureMap, Identity, MappedMmd, MatchedSw, MeanMatching, TargetView, WithinAtomVariance,
};
use wowflow::kernel::{Kernel, Riesz};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::labels::ClassLabels;

use crate::error::LearnError;
use crate::mover::{MmdFlow, MoveProgress, Moved, labels_of, matched, run_flow};
use crate::seeds::subseed;

/// How few samples are made of many.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Distiller {
    /// Samples of the target as they are.
    Random,
    /// The flow of the MMD, with the variance within atoms counted or not.
    MmdSw(MmdFlow, WithinAtomVariance),
    /// The flow of sliced distances of matched classes: mean matching beyond means.
    MatchedSw(MmdFlow),
    /// Distribution Matching (Zhao and Bilen 2023), by heavy ball along the Euclidean gradient.
    MeanMatching {
        /// Number of steps.
        steps: u64,
        /// Constant step of the Euclidean gradient.
        rate: f64,
        /// Samples of every target class a step, with replacement; `None` takes all.
        batch: Option<usize>,
    },
}

/// A map of samples that features are compared through.
pub type Map = Box<dyn FeatureMap<f32>>;

/// Distils a target to at most `per_class` samples of every class; classes of fewer samples are taken whole.
///
/// Starts at samples drawn without replacement with the seed: the same for all methods. Where the classes are not held
/// to their own ([`Distiller::MmdSw`]) they may trade places on the way: the labels are those of the classes that they
/// are matched with in the end, by exact transport.
///
/// # Errors
/// A flow that cannot be set up or diverges; [`LearnError::Interrupted`].
///
/// # Panics
/// `per_class` 0.
pub fn distill(
    distiller: &Distiller,
    target: &MeasureOverMeasures<f32>,
    per_class: usize,
    map: Option<Map>,
    seed: u64,
    observe: impl FnMut(&MoveProgress<'_>) -> ControlFlow<()>,
) -> Result<Moved, LearnError> {
    let start = target.subsample(per_class, seed);
    let map = map.unwrap_or_else(|| Box::new(Identity));
    let mut state = FlowState::new(start);
    match *distiller {
        Distiller::Random => {}
        Distiller::MmdSw(settings, within_atoms) => {
            let kernel = Kernel::from(Riesz::new(1.0, 0.0)?);
            let view = TargetView { batches: settings.batches, within_atoms };
            let plan = settings.plan(subseed(seed, 1));
            let mut functional = MappedMmd::new(state.particles(), target, kernel, plan, view, map)?;
            run_flow(&settings.flow()?, &mut state, &mut functional, observe)?;
        }
        Distiller::MatchedSw(settings) => {
            let plan = settings.plan(subseed(seed, 1));
            let batch = settings.batches.map(|batches| batches.size);
            let mut functional = MatchedSw::new(state.particles(), target, plan, batch, map)?;
            run_flow(&settings.flow()?, &mut state, &mut functional, observe)?;
        }
        Distiller::MeanMatching { steps, rate, batch } => {
            let start = state.particles();
            let mut functional = MeanMatching::new(start, target, batch, map, subseed(seed, 1))?;
            // The Euclidean gradient is the WoW gradient times the mass of a sample.
            let mass = 1.0 / start.sample_count() as f64;
            let schedule = StepSchedule::new(StepSize::Fixed(rate * mass), Decay::Constant, steps);
            let scheme = Scheme::heavy_ball(0.9, Decay::Constant)?;
            let flow = Flow { scheme, schedule: schedule?, settle: None };
            run_flow(&flow, &mut state, &mut functional, observe)?;
        }
    }
    let particles = state.particles().clone();
    let classes = match distiller {
        Distiller::MmdSw(..) => matched(&particles, target, seed)?,
        Distiller::Random | Distiller::MatchedSw(_) | Distiller::MeanMatching { .. } => {
            let count = target.class_count();
            ClassLabels { target: (0..count).collect(), ambiguity: vec![0.0; count] }
        }
    };
    Ok(Moved { labels: labels_of(&particles, &classes), particles, classes, steps: state.step() })
}

/// Samples at the mean length that the target's samples of their label have.
///
/// Features of networks that normalise their layers do not see how long a sample is: a flow through such features
/// leaves it to chance, and networks of another kind see it.
///
/// # Panics
/// Labels that the target does not have.
#[must_use]
pub fn rescaled(moved: Moved, target: &MeasureOverMeasures<f32>) -> Moved {
    let dim = target.dim();
    let length = |x: &[f32]| x.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
    let mean = |class: usize| {
        let all = target.class_points(class).chunks_exact(dim);
        all.map(length).sum::<f64>() / target.class_size(class) as f64
    };
    let lengths: Vec<f64> = (0..target.class_count()).map(mean).collect();
    let mut points = moved.particles.points().to_vec();
    for (x, label) in points.chunks_exact_mut(dim).zip(&moved.labels) {
        let own = length(x);
        if own > 0.0 {
            let factor = lengths[*label] / own;
            x.iter_mut().for_each(|v| *v = (f64::from(*v) * factor) as f32);
        }
    }
    let particles = moved.particles.with_points(points, dim).expect("as many finite values");
    Moved { particles, ..moved }
}

/// Mean and deviation of a channel, by which values are normalised.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalization {
    /// Of every channel, mean and deviation.
    channels: Vec<(f32, f32)>,
    /// Values of a channel of one image.
    plane: usize,
}

impl Normalization {
    /// That of a dataset of so many channels; a channel without deviation is only centred.
    ///
    /// # Panics
    /// A dimension that is no multiple of the channels.
    #[must_use]
    pub fn of(measure: &MeasureOverMeasures<f32>, channels: usize) -> Self {
        let plane = measure.dim() / channels;
        assert_eq!(plane * channels, measure.dim(), "planes of one size");
        let mut sums = vec![(0.0f64, 0.0f64); channels];
        for image in measure.points().chunks_exact(measure.dim()) {
            for (plane, (sum, squares)) in image.chunks_exact(plane).zip(&mut sums) {
                for x in plane {
                    *sum += f64::from(*x);
                    *squares += f64::from(*x) * f64::from(*x);
                }
            }
        }
        let count = (measure.sample_count() * plane) as f64;
        let one = |(sum, squares): &(f64, f64)| {
            let mean = sum / count;
            let deviation = (squares / count - mean * mean).max(0.0).sqrt();
            (mean as f32, if deviation > 0.0 { deviation as f32 } else { 1.0 })
        };
        Self { channels: sums.iter().map(one).collect(), plane }
    }

    /// Values with mean 0 and deviation 1.
    #[must_use]
    pub fn normalise(&self, values: &[f32]) -> Vec<f32> {
        self.each(values, |x, mean, deviation| (x - mean) / deviation)
    }

    /// Values in their own units again.
    #[must_use]
    pub fn restore(&self, values: &[f32]) -> Vec<f32> {
        self.each(values, |x, mean, deviation| x * deviation + mean)
    }

    /// The normalised value of black in every channel.
    #[must_use]
    pub fn black(&self) -> Vec<f32> {
        self.channels.iter().map(|(mean, deviation)| -mean / deviation).collect()
    }

    fn each(&self, values: &[f32], of: impl Fn(f32, f32, f32) -> f32) -> Vec<f32> {
        let one = |(at, x): (usize, &f32)| {
            let (mean, deviation) = self.channels[at / self.plane % self.channels.len()];
            of(*x, mean, deviation)
        };
        values.iter().enumerate().map(one).collect()
    }
}

/// The way back from normalised values as a map, for networks that take values in their own units.
#[derive(Clone, Debug, PartialEq)]
pub struct Restored(pub Normalization);

impl FeatureMap<f32> for Restored {
    fn feature_dim(&self, dim: usize) -> usize {
        dim
    }

    fn draw(&mut self, _draw: u64) {}

    fn forward(&mut self, points: &[f32], _dim: usize) -> Vec<f32> {
        self.0.restore(points)
    }

    fn backward(&mut self, cotangents: &[f32]) -> Vec<f32> {
        self.0.each(cotangents, |c, _, deviation| c * deviation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_and_have_mean_0() {
        let points = vec![0.0, 1.0, 5.0, 7.0, 0.5, 0.5, 6.0, 6.0];
        let measure = MeasureOverMeasures::uniform(points.clone(), 4, &[1, 1]).unwrap();
        let of = Normalization::of(&measure, 2);
        let normalised = of.normalise(&points);
        assert!((normalised[0] + normalised[1] + normalised[4] + normalised[5]).abs() < 1e-6);
        for (x, y) in of.restore(&normalised).iter().zip(&points) {
            assert!((x - y).abs() < 1e-5);
        }
        // The way back is linear: a change of a value changes it by the deviation of its channel.
        let mut back = Restored(of.clone());
        let moved: Vec<f32> = normalised.iter().map(|x| x + 1.0).collect();
        let changes =
            back.forward(&moved, 4).into_iter().zip(back.forward(&normalised, 4)).map(|(x, y)| x - y);
        for (change, slope) in changes.zip(back.backward(&[1.0; 8])) {
            assert!((change - slope).abs() < 1e-5 && slope > 0.0, "{change} {slope}");
        }
    }

    #[test]
    fn few_samples_without_spread_find_the_means() {
        let points: Vec<f32> = (0..40).map(|i| (i % 7) as f32 + if i < 20 { 0.0 } else { 30.0 }).collect();
        let target = MeasureOverMeasures::uniform(points, 2, &[10, 10]).unwrap();
        let settings = MmdFlow::usual(2, 200);
        let go = |_: &MoveProgress<'_>| ControlFlow::Continue(());
        let removed = Distiller::MmdSw(settings, WithinAtomVariance::Excluded);
        let Moved { particles: found, labels, steps, .. } =
            distill(&removed, &target, 1, None, 0, go).unwrap();
        assert_eq!((found.sample_count(), labels, steps), (2, vec![0, 1], 200));
        for class in 0..2 {
            for k in 0..2 {
                let mean = target.class_points(class).chunks(2).map(|x| x[k]).sum::<f32>() / 10.0;
                assert!((found.class_points(class)[k] - mean).abs() < 0.02, "{found:?}");
            }
        }
        let matching = Distiller::MeanMatching { steps: 200, rate: 0.02, batch: None };
        let found = distill(&matching, &target, 1, None, 0, go).unwrap().particles;
        let mean = target.class_points(0).chunks(2).map(|x| x[0]).sum::<f32>() / 10.0;
        assert!((found.class_points(0)[0] - mean).abs() < 0.05, "{found:?}");
    }

    #[test]
    fn short_steps_leave_coordinates_that_do_not_vary_alone() {
        // Half of the coordinates are 0 in all samples; directions drawn at random push samples along them too.
        const DIM: usize = 64;
        let value = |i: usize| if i % DIM < DIM / 2 { ((i * 7919) % 101) as f32 / 50.0 - 1.0 } else { 0.0 };
        let points: Vec<f32> = (0..80 * DIM).map(value).collect();
        let target = MeasureOverMeasures::uniform(points, DIM, &[40, 40]).unwrap();
        let long = MmdFlow { directions: DIM, ..MmdFlow::usual(DIM, 100) };
        let pushed = |settings: MmdFlow| {
            let go = |_: &MoveProgress<'_>| ControlFlow::Continue(());
            let found = distill(&Distiller::MatchedSw(settings), &target, 5, None, 0, go).unwrap().particles;
            let still = found.points().chunks(DIM).flat_map(|x| &x[DIM / 2..]);
            (still.map(|x| f64::from(*x).powi(2)).sum::<f64>() / (5 * DIM) as f64).sqrt()
        };
        let (long, short) = (pushed(long), pushed(long.in_short_steps()));
        assert!(short > 0.0 && short < 0.4 * long, "{short} {long}");
    }

    #[test]
    fn samples_get_the_mean_length_of_their_label() {
        let target = MeasureOverMeasures::uniform(vec![3.0, 4.0, 0.0, 7.0, 2.0, 0.0], 2, &[2, 1]).unwrap();
        let particles = MeasureOverMeasures::uniform(vec![0.0, 0.5, 0.0, 0.0, 9.0, 0.0], 2, &[1, 2]).unwrap();
        let classes = ClassLabels { target: vec![1, 0], ambiguity: vec![0.0; 2] };
        let moved = Moved { labels: labels_of(&particles, &classes), particles, classes, steps: 1 };
        // Lengths of 5 and 7, and of 2; a sample without length stays.
        assert_eq!(rescaled(moved, &target).particles.points(), [0.0, 2.0, 0.0, 0.0, 6.0, 0.0]);
    }

    #[test]
    fn samples_have_the_label_of_the_class_they_end_at() {
        // One sample in four lies in the other class, and starts there.
        let points = [[0.0, 1.0, 2.0, 11.5], [10.0, 11.0, 12.0, 0.5]].concat();
        let target = MeasureOverMeasures::uniform(points, 1, &[4, 4]).unwrap();
        let removed = Distiller::MmdSw(MmdFlow::usual(1, 200), WithinAtomVariance::Excluded);
        let go = |_: &MoveProgress<'_>| ControlFlow::Continue(());
        let mut traded = 0;
        for seed in 0..40 {
            let found = distill(&removed, &target, 1, None, seed, go).unwrap();
            for (x, label) in found.particles.points().iter().zip(&found.labels) {
                let mean = [3.625, 8.375][*label];
                assert!((x - mean).abs() < 0.1, "seed {seed}: {x} is called {label}");
            }
            traded += usize::from(found.labels == [1, 0]);
        }
        assert!((1..40).contains(&traded), "{traded}");
    }
}
