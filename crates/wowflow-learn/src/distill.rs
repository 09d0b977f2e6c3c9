//! Distillation: a dataset of few samples a class that stands for a large one.

use std::ops::ControlFlow;

use wowflow::auto::Auto;
use wowflow::flow::{self, Decay, FlowState, Resolved, Scheme, SchemeName, Settings, StepRule};
use wowflow::functional::{
    FeatureMap, FunctionalName, Identity, MappedMmd, MatchedSw, MeanMatching, Redraw, TargetView,
    WithinAtomVariance,
};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::labels::ClassLabels;

use crate::architecture::Input;
use crate::error::LearnError;
use crate::examples::Examples;
use crate::methods::{TransportProgress, Transported, constant_steps, run_flow};
use crate::network::Network;
use crate::pair::labels_of;
use crate::seeds::subseed;

/// The draws of a flow, among the seeds that belong to that of a distillation.
const DRAWS: u64 = 1;
/// The samples of the target that settings are measured on, likewise.
const MEASURED: u64 = 6;
/// Momentum of mean matching, as published, and of flows over fresh maps.
const MOMENTUM: f64 = 0.9;

/// How few samples are made of many.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Distiller {
    /// Samples of the target as they are.
    Random,
    /// The flow of a functional of features: [`FunctionalName::MmdSw`], with the spread of the target's classes counted
    /// or not, or [`FunctionalName::MatchedSw`], mean matching beyond means. Directions are drawn at every step; the
    /// seed of the settings is not used.
    Flow {
        /// Settings of the flow; what they leave open is measured on the features.
        settings: Settings,
        /// What becomes of the spread of classes; of `matched-sw` it counts.
        spread: WithinAtomVariance,
    },
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

/// The same flow in steps of a tenth of the inverse curvature that shrink to nothing, as distillations ask for.
///
/// Few samples a class in many dimensions are held to their places by next to no force, as long as their
/// spread is right: what the directions of a step push them aside by chance stays. The squares of such pushes
/// add up, so short steps leave less of them on the same way. On MNIST with ten samples a class, pixels that are
/// black in every image of the target end with a deviation of 0.12 (white is 1) after 300 steps of 1.5 times the
/// inverse curvature, of 0.035 after as many of these.
#[must_use]
pub fn in_short_steps(settings: Settings) -> Settings {
    Settings { step_size: StepRule::Adaptive(0.1).into(), schedule: Decay::Cosine.into(), ..settings }
}

/// The same flow in short steps with a momentum of 0.9, as random networks drawn anew at every step ask for.
///
/// A step as long as one network allows fits that network alone: on MNIST with one sample a class, classifiers
/// then did no better than on the samples at the start. Of short ones the momentum takes a mean over networks; where
/// they do not shrink, samples of Fashion-MNIST turned to noise with one seed of two.
#[must_use]
pub fn over_fresh_maps(settings: Settings) -> Settings {
    let (momentum, momentum_schedule) = (MOMENTUM.into(), Decay::Constant.into());
    Settings { momentum, momentum_schedule, ..in_short_steps(settings) }
}

/// Distils a target to at most `per_class` samples of every class; classes of fewer samples are taken whole.
///
/// Starts at samples drawn without replacement with the seed: the same for all methods. Where the classes are not held
/// to their own (`mmd-sw`) they may trade places on the way: the labels are those of the classes that they are matched
/// with in the end, by exact transport.
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
    observe: impl FnMut(&TransportProgress<'_, f32>) -> ControlFlow<()>,
) -> Result<Transported<f32>, LearnError> {
    let mut map = map.unwrap_or_else(|| Box::new(Identity));
    let mut state = FlowState::new(target.subsample(per_class, seed));
    let mut matched = false;
    match distiller {
        Distiller::Random => {}
        Distiller::Flow { settings, spread } => {
            check(settings, *spread)?;
            let others = target.subsample(per_class, subseed(seed, MEASURED));
            let (source, others) = (features(state.particles(), &mut map)?, features(&others, &mut map)?);
            let settings =
                Settings { seed: subseed(seed, DRAWS), ..settings.clone() }.resolve(&source, &others)?;
            matched = settings.functional == FunctionalName::MmdSw.into();
            flow_features(&settings, *spread, &mut state, target, map, observe)?;
        }
        Distiller::MeanMatching { steps, rate, batch } => {
            let start = state.particles();
            let mut functional = MeanMatching::new(start, target, *batch, map, subseed(seed, DRAWS))?;
            // The Euclidean gradient is the WoW gradient times the mass of a sample.
            let mass = 1.0 / start.sample_count() as f64;
            let flow = constant_steps(Scheme::heavy_ball(MOMENTUM, Decay::Constant)?, rate * mass, *steps)?;
            run_flow(&flow, &mut state, &mut functional, observe)?;
        }
    }
    let particles = state.particles().clone();
    let classes = if matched {
        flow::matched(&particles, target, seed)?
    } else {
        let count = target.class_count();
        ClassLabels { target: (0..count).collect(), ambiguity: vec![0.0; count] }
    };
    let labels = labels_of(&particles, &classes);
    Ok(Transported { labels, particles, classes, steps: state.step() })
}

/// Refuses settings that a flow of features does not have.
fn check(settings: &Settings, spread: WithinAtomVariance) -> Result<(), LearnError> {
    let refuse = |found: String| Err(LearnError::Distiller { found });
    let functional = &settings.functional;
    if *functional != FunctionalName::MmdSw.into() && *functional != FunctionalName::MatchedSw.into() {
        return refuse(functional.to_string());
    }
    if *functional == FunctionalName::MatchedSw.into() && spread == WithinAtomVariance::Excluded {
        return refuse("matched-sw with the spread removed".to_owned());
    }
    if settings.scheme == SchemeName::Lbfgs {
        return refuse("scheme lbfgs".to_owned());
    }
    if settings.redraw == Auto::Given(Redraw::Never) {
        return refuse("redraw never".to_owned());
    }
    if settings.settle_every.is_some() {
        return refuse("a stopping rule, which asks for a functional that stays".to_owned());
    }
    Ok(())
}

/// The features of samples, through the first draw of a map.
fn features(
    samples: &MeasureOverMeasures<f32>,
    map: &mut Map,
) -> Result<MeasureOverMeasures<f32>, LearnError> {
    map.draw(0);
    let dim = map.feature_dim(samples.dim());
    let points = map.forward(samples.points(), samples.dim());
    // Features that are not finite: the flow would diverge at its first step.
    samples.with_points(points, dim).map_err(|_| LearnError::FlowDiverged { step: 0 })
}

/// Runs the flow of a functional of features to its end.
fn flow_features(
    settings: &Resolved,
    spread: WithinAtomVariance,
    state: &mut FlowState<f32>,
    target: &MeasureOverMeasures<f32>,
    map: Map,
    observe: impl FnMut(&TransportProgress<'_, f32>) -> ControlFlow<()>,
) -> Result<(), LearnError> {
    let (flow, plan, batches) = (settings.flow()?, settings.plan(), settings.target_batches);
    match settings.kernel {
        Some(kernel) => {
            let view = TargetView { batches, within_atoms: spread };
            let mut functional = MappedMmd::new(state.particles(), target, kernel, plan, view, map)?;
            run_flow(&flow, state, &mut functional, observe)
        }
        None => {
            let batch = batches.map(|batches| batches.size);
            let mut functional = MatchedSw::new(state.particles(), target, plan, batch, map)?;
            run_flow(&flow, state, &mut functional, observe)
        }
    }
}

/// Samples at the mean length that the target's samples of their label have.
///
/// Features of networks that normalise their layers do not see how long a sample is: a flow through such features
/// leaves it to chance, and networks of another kind see it.
///
/// # Panics
/// Labels that the target does not have.
#[must_use]
pub fn rescaled(found: Transported<f32>, target: &MeasureOverMeasures<f32>) -> Transported<f32> {
    let dim = target.dim();
    let length = |x: &[f32]| x.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
    let mean = |class: usize| {
        let all = target.class_points(class).chunks_exact(dim);
        all.map(length).sum::<f64>() / target.class_size(class) as f64
    };
    let lengths: Vec<f64> = (0..target.class_count()).map(mean).collect();
    let mut points = found.particles.points().to_vec();
    for (x, label) in points.chunks_exact_mut(dim).zip(&found.labels) {
        let own = length(x);
        if own > 0.0 {
            let factor = lengths[*label] / own;
            x.iter_mut().for_each(|v| *v = (f64::from(*v) * factor) as f32);
        }
    }
    let particles = found.particles.with_points(points, dim).expect("as many finite values");
    Transported { particles, ..found }
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
        Self::of_values(measure.points(), measure.dim(), channels)
    }

    /// That of every coordinate of vectors, `N x dim`, row-major: each has a unit of its own.
    #[must_use]
    pub fn of_vectors(values: &[f32], dim: usize) -> Self {
        Self::of_values(values, dim, dim)
    }

    fn of_values(values: &[f32], dim: usize, channels: usize) -> Self {
        let plane = dim / channels;
        assert_eq!(plane * channels, dim, "planes of one size");
        let mut sums = vec![(0.0f64, 0.0f64); channels];
        // Values that are all equal have no deviation, but for the rounding of their squares.
        let mut varies = vec![false; channels];
        let first = &values[..dim.min(values.len())];
        for image in values.chunks_exact(dim) {
            let planes = image.chunks_exact(plane).zip(first.chunks_exact(plane));
            for ((plane, first), ((sum, squares), varies)) in planes.zip(sums.iter_mut().zip(&mut varies)) {
                for x in plane {
                    *varies |= *x != first[0];
                    *sum += f64::from(*x);
                    *squares += f64::from(*x) * f64::from(*x);
                }
            }
        }
        let count = (values.len() / channels) as f64;
        let one = |((sum, squares), varies): (&(f64, f64), &bool)| {
            let mean = sum / count;
            let deviation = (squares / count - mean * mean).max(0.0).sqrt();
            (mean as f32, if *varies && deviation > 0.0 { deviation as f32 } else { 1.0 })
        };
        Self { channels: sums.iter().zip(&varies).map(one).collect(), plane }
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

    /// The examples with normalised inputs.
    ///
    /// # Errors
    /// None for examples of the dimension.
    pub fn examples(&self, examples: &Examples) -> Result<Examples, LearnError> {
        let (labels, classes) = (examples.labels().to_vec(), examples.classes());
        Examples::new(self.normalise(examples.inputs()), examples.dim(), labels, classes)
    }

    /// A perceptron that was trained on normalised vectors as one that takes them in their own units: the normalisation
    /// becomes part of its first layer.
    ///
    /// # Panics
    /// A network of images.
    #[must_use]
    pub fn absorbed(&self, mut network: Network) -> Network {
        assert!(matches!(network.input(), Input::Vector(dim) if dim == self.channels.len()), "vectors");
        let Some((_, weights, biases)) = network.tensors().next() else { return network };
        let dim = self.channels.len();
        let parameters = network.parameters_mut();
        for (row, bias) in biases.enumerate() {
            let start = weights.start + row * dim;
            let mut shift = 0.0;
            for (weight, (mean, deviation)) in parameters[start..start + dim].iter_mut().zip(&self.channels) {
                *weight /= deviation;
                shift += f64::from(*weight) * f64::from(*mean);
            }
            parameters[bias] = (f64::from(parameters[bias]) - shift) as f32;
        }
        network
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

    fn usual(steps: u64, functional: FunctionalName) -> Settings {
        Settings { steps: steps.into(), functional: functional.into(), ..Settings::default() }
    }

    fn go_on(_: &TransportProgress<'_, f32>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    #[test]
    fn a_network_takes_vectors_in_their_own_units() {
        use crate::architecture::Architecture;
        let values: Vec<f32> =
            (0..60).map(|i| [1e3, 0.1, 7.0][i % 3] + [40.0, 0.02, 0.0][i % 3] * (i as f32).sin()).collect();
        let units = Normalization::of_vectors(&values, 3);
        assert!(units.normalise(&values).iter().all(|x| x.abs() < 3.0));
        let network = Network::new(Architecture::Mlp, Input::Vector(3), 2, 4).unwrap();
        let expected = network.logits(&units.normalise(&values));
        let found = units.absorbed(network).logits(&values);
        assert!(expected.iter().zip(found).all(|(x, y)| (x - y).abs() < 1e-4));
    }

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
        let settings = usual(200, FunctionalName::MmdSw);
        let removed = Distiller::Flow { settings, spread: WithinAtomVariance::Excluded };
        let Transported { particles: found, labels, steps, .. } =
            distill(&removed, &target, 1, None, 0, go_on).unwrap();
        assert_eq!((found.sample_count(), labels, steps), (2, vec![0, 1], 200));
        for class in 0..2 {
            for k in 0..2 {
                let mean = target.class_points(class).chunks(2).map(|x| x[k]).sum::<f32>() / 10.0;
                assert!((found.class_points(class)[k] - mean).abs() < 0.02, "{found:?}");
            }
        }
        let matching = Distiller::MeanMatching { steps: 200, rate: 0.02, batch: None };
        let found = distill(&matching, &target, 1, None, 0, go_on).unwrap().particles;
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
        let long = Settings { directions: DIM.into(), ..usual(100, FunctionalName::MatchedSw) };
        let pushed = |settings: Settings| {
            let distiller = Distiller::Flow { settings, spread: WithinAtomVariance::Included };
            let found = distill(&distiller, &target, 5, None, 0, go_on).unwrap().particles;
            let still = found.points().chunks(DIM).flat_map(|x| &x[DIM / 2..]);
            (still.map(|x| f64::from(*x).powi(2)).sum::<f64>() / (5 * DIM) as f64).sqrt()
        };
        let (long, short) = (pushed(long.clone()), pushed(in_short_steps(long)));
        assert!(short > 0.0 && short < 0.4 * long, "{short} {long}");
    }

    #[test]
    fn samples_get_the_mean_length_of_their_label() {
        let target = MeasureOverMeasures::uniform(vec![3.0, 4.0, 0.0, 7.0, 2.0, 0.0], 2, &[2, 1]).unwrap();
        let particles = MeasureOverMeasures::uniform(vec![0.0, 0.5, 0.0, 0.0, 9.0, 0.0], 2, &[1, 2]).unwrap();
        let classes = ClassLabels { target: vec![1, 0], ambiguity: vec![0.0; 2] };
        let found = Transported { labels: labels_of(&particles, &classes), particles, classes, steps: 1 };
        // Lengths of 5 and 7, and of 2; a sample without length stays.
        assert_eq!(rescaled(found, &target).particles.points(), [0.0, 2.0, 0.0, 0.0, 6.0, 0.0]);
    }

    #[test]
    fn samples_have_the_label_of_the_class_they_end_at() {
        // One sample in four lies in the other class, and starts there.
        let points = [[0.0, 1.0, 2.0, 11.5], [10.0, 11.0, 12.0, 0.5]].concat();
        let target = MeasureOverMeasures::uniform(points, 1, &[4, 4]).unwrap();
        let settings = usual(200, FunctionalName::MmdSw);
        let removed = Distiller::Flow { settings, spread: WithinAtomVariance::Excluded };
        let mut traded = 0;
        for seed in 0..40 {
            let found = distill(&removed, &target, 1, None, seed, go_on).unwrap();
            for (x, label) in found.particles.points().iter().zip(&found.labels) {
                let mean = [3.625, 8.375][*label];
                assert!((x - mean).abs() < 0.1, "seed {seed}: {x} is called {label}");
            }
            traded += usize::from(found.labels == [1, 0]);
        }
        assert!((1..40).contains(&traded), "{traded}");
    }

    #[test]
    fn settings_that_features_do_not_have_are_refused() {
        let target = MeasureOverMeasures::uniform(vec![0.0, 1.0, 5.0, 6.0], 1, &[2, 2]).unwrap();
        let plain = usual(5, FunctionalName::MatchedSw);
        let refused = |settings: Settings, spread| {
            let distiller = Distiller::Flow { settings, spread };
            distill(&distiller, &target, 1, None, 0, go_on).unwrap_err().to_string()
        };
        let pooled = usual(5, FunctionalName::PooledMmd);
        assert!(refused(pooled, WithinAtomVariance::Included).contains("found pooled-mmd"));
        assert!(
            refused(plain.clone(), WithinAtomVariance::Excluded)
                .contains("found matched-sw with the spread removed")
        );
        let steady = Settings { redraw: Redraw::Never.into(), ..plain.clone() };
        assert!(refused(steady, WithinAtomVariance::Included).contains("found redraw never"));
        let lbfgs = Settings { scheme: SchemeName::Lbfgs, ..plain.clone() };
        assert!(refused(lbfgs, WithinAtomVariance::Included).contains("found scheme lbfgs"));
        let settled = Settings { settle_every: Some(2), ..plain };
        assert!(refused(settled, WithinAtomVariance::Included).contains("found a stopping rule"));
    }
}
