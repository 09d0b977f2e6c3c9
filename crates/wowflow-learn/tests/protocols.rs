//! Transport, transfer and adaptation on small datasets whose answers are known.

use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Mutex;

use wowflow::flow::{Settings, SettingsError};
use wowflow::measure::MeasureOverMeasures;
use wowflow::rng::{Purpose, Stream};
use wowflow_data::generate::{Alphabet, Generator, generate};
use wowflow_learn::{
    Architecture, Evaluation, Examples, Geodesic, Input, LearnError, Length, Network, Pair, Training,
    TransportMethod, TransportProgress, accuracy, accuracy_along, accuracy_along_geodesic, examples_of,
    matched_accuracy, subseed, transported_examples,
};

type Measure = MeasureOverMeasures<f32>;

/// Clouds of the given sizes around centres in the plane.
fn clouds(centres: &[[f32; 2]], sizes: &[usize], seed: u64) -> Measure {
    let mut points = vec![0.0; 2 * sizes.iter().sum::<usize>()];
    Stream::new(seed, Purpose::Noise, 0).normals_single(0, &mut points);
    let centre = centres.iter().zip(sizes).flat_map(|(centre, size)| centre.repeat(*size));
    points.iter_mut().zip(centre).for_each(|(x, centre)| *x = centre + 0.3 * *x);
    MeasureOverMeasures::uniform(points, 2, sizes).unwrap()
}

/// Three clouds, and three others near them in another order.
fn turned() -> (Measure, Measure) {
    let source = clouds(&[[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]], &[8, 8, 8], 1);
    let target = clouds(&[[7.0, 1.0], [1.0, 7.0], [1.0, 1.0]], &[8, 8, 8], 2);
    (source, target)
}

/// Where each class of the source belongs.
const TURN: [usize; 3] = [2, 0, 1];

fn go_on(_: &TransportProgress<'_, f32>) -> ControlFlow<()> {
    Continue(())
}

fn pair<'a>(source: &'a Measure, target: &'a Measure) -> Pair<'a, f32> {
    Pair { source, target }
}

/// The flow of the MMD with usual settings.
fn flow(steps: u64) -> TransportMethod {
    TransportMethod::Flow(Settings { steps: steps.into(), ..Settings::default() })
}

fn mean(points: &[f32]) -> [f32; 2] {
    let of = |k: usize| points.iter().skip(k).step_by(2).sum::<f32>() / (points.len() / 2) as f32;
    [of(0), of(1)]
}

#[test]
fn every_method_takes_each_class_to_its_own() {
    let (source, target) = turned();
    let methods = [
        (flow(200), 200, 0.1),
        (TransportMethod::Flow(Settings::published(0.1, 300)), 300, 0.2),
        (TransportMethod::Otdd { steps: 300, rate: 0.02 }, 300, 0.3),
        (TransportMethod::Product { steps: 300, tau: 10.0 }, 300, 0.3),
        (TransportMethod::Geodesic, 1, 1e-5),
    ];
    for (method, steps, near) in methods {
        let moved = method.run(pair(&source, &target), 7, go_on).unwrap();
        assert_eq!((moved.steps, moved.particles.sample_count()), (steps, 24), "{method:?}");
        assert_eq!(moved.classes.target, TURN, "{method:?}");
        let labels: Vec<usize> = TURN.iter().flat_map(|class| [*class; 8]).collect();
        assert_eq!(moved.labels, labels, "{method:?}");
        for (class, to) in TURN.iter().enumerate() {
            let (found, expected) =
                (mean(moved.particles.class_points(class)), mean(target.class_points(*to)));
            let off = (found[0] - expected[0]).hypot(found[1] - expected[1]);
            assert!(off < near, "{method:?}: class {class} at {found:?}, expected {expected:?}");
        }
        let again = method.run(pair(&source, &target), 7, go_on).unwrap();
        assert_eq!(moved, again, "{method:?}");
    }
}

#[test]
fn unequal_counts_are_matched_by_mass() {
    // Two source classes have a half of the mass each, three target classes a third: of each half, two thirds go to
    // its own, and what is left of both to the far one.
    let source = clouds(&[[0.0, 0.0], [9.0, 0.0]], &[7, 4], 3);
    let target = clouds(&[[0.0, 1.0], [9.0, 1.0], [4.5, 9.0]], &[2, 1, 5], 4);
    let moved = TransportMethod::Geodesic.run(pair(&source, &target), 0, go_on).unwrap();
    assert_eq!(moved.classes.target, [0, 1]);
    for ambiguity in &moved.classes.ambiguity {
        assert!((ambiguity - 1.0 / 3.0).abs() < 1e-9, "{ambiguity}");
    }
    let examples = transported_examples(&moved, 3, None).unwrap();
    assert_eq!((examples.len(), examples.classes()), (11, 3));
    // More source classes than target ones: one of them is split between both.
    let moved = TransportMethod::Geodesic.run(pair(&target, &source), 0, go_on).unwrap();
    assert_eq!(moved.classes.target[..2], [0, 1]);
    assert!(moved.classes.ambiguity[..2].iter().all(|ambiguity| *ambiguity < 1e-9));
    assert!((moved.classes.ambiguity[2] - 0.5).abs() < 1e-9);
    for method in [
        flow(20),
        TransportMethod::Otdd { steps: 5, rate: 1e-3 },
        TransportMethod::Product { steps: 5, tau: 1.0 },
    ] {
        let moved = method.run(pair(&source, &target), 0, go_on).unwrap();
        assert_eq!((moved.labels.len(), moved.classes.target.len()), (11, 2), "{method:?}");
        assert!(moved.particles.points().iter().all(|x| x.is_finite()), "{method:?}");
    }
}

#[test]
fn observers_see_both_ends_and_stop_a_move() {
    let (source, target) = turned();
    let flows = [
        flow(5),
        TransportMethod::Otdd { steps: 5, rate: 1e-3 },
        TransportMethod::Product { steps: 5, tau: 1.0 },
    ];
    for method in flows {
        let mut steps = Vec::new();
        method
            .run(pair(&source, &target), 0, |at| {
                assert_eq!(at.steps, 5);
                if at.step == 0 {
                    assert_eq!(at.particles().points(), source.points(), "{method:?}");
                }
                steps.push(at.step);
                Continue(())
            })
            .unwrap();
        assert_eq!(steps, [0, 1, 2, 3, 4, 5], "{method:?}");
        let stopped =
            method.run(pair(&source, &target), 0, |at| if at.step == 3 { Break(()) } else { Continue(()) });
        assert_eq!(stopped.unwrap_err(), LearnError::Interrupted, "{method:?}");
    }
    let stopped = TransportMethod::Geodesic.run(pair(&source, &target), 0, |_| Break(()));
    assert_eq!(stopped.unwrap_err(), LearnError::Interrupted);
}

#[test]
fn spaces_that_differ_are_refused() {
    let plane = clouds(&[[0.0, 0.0]], &[4], 0);
    let line = MeasureOverMeasures::uniform(vec![0.0, 1.0, 2.0], 1, &[3]).unwrap();
    let methods = [
        flow(5),
        TransportMethod::Otdd { steps: 5, rate: 1e-3 },
        TransportMethod::Product { steps: 5, tau: 1.0 },
        TransportMethod::Geodesic,
    ];
    for method in methods {
        let refused = method.run(pair(&plane, &line), 0, go_on).unwrap_err();
        assert!(
            matches!(
                refused,
                LearnError::Settings(SettingsError::Functional(_))
                    | LearnError::Functional(_)
                    | LearnError::Transport(_)
            ),
            "{method:?}: {refused}"
        );
    }
}

#[test]
fn moved_samples_are_clipped_where_there_is_a_range() {
    let (source, target) = turned();
    let moved = TransportMethod::Geodesic.run(pair(&source, &target), 0, go_on).unwrap();
    let clipped = transported_examples(&moved, 3, Some((0.0, 1.0))).unwrap();
    let expected: Vec<f32> = moved.particles.points().iter().map(|x| x.clamp(0.0, 1.0)).collect();
    assert_eq!(clipped.inputs(), expected);
    assert_ne!(clipped.inputs(), moved.particles.points());
    assert_eq!(transported_examples(&moved, 3, None).unwrap().inputs(), moved.particles.points());
    assert_eq!(
        transported_examples(&moved, 2, None).unwrap_err(),
        LearnError::Label { classes: 2, found: 2 }
    );
}

fn perceptrons(length: Length, runs: usize) -> Evaluation {
    let training = Training { length, ..Training::default() };
    Evaluation { architecture: Architecture::Mlp, input: Input::Vector(2), training, runs }
}

fn on_threads<R: Send>(count: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap().install(work)
}

#[test]
fn trainings_side_by_side_are_those_one_after_another() {
    let (_, target) = turned();
    let few = examples_of(&clouds(&[[7.0, 1.0], [1.0, 7.0], [1.0, 1.0]], &[1, 2, 1], 5)).unwrap();
    let test = examples_of(&target).unwrap();
    let evaluation = perceptrons(Length::Steps(4), 6);
    let run = |threads| on_threads(threads, || evaluation.run(&few, &test, 11, |_, _| Continue(())).unwrap());
    let found = run(1);
    assert_eq!(found, run(3));
    assert!(found.iter().all(|accuracy| accuracy.total == 24));
    assert!(found.iter().any(|accuracy| accuracy != &found[0]), "each has a seed of its own: {found:?}");
    // The first of many is the same alone.
    let alone = perceptrons(Length::Steps(4), 1).run(&few, &test, 11, |_, _| Continue(())).unwrap();
    assert_eq!(alone, found[..1]);
    let stopped =
        evaluation.run(&few, &test, 11, |index, _| if index == 3 { Break(()) } else { Continue(()) });
    assert_eq!(stopped.unwrap_err(), LearnError::Interrupted);
}

#[test]
fn fewer_samples_take_as_many_steps_as_asked() {
    let few = examples_of(&clouds(&[[0.0, 0.0], [3.0, 3.0]], &[3, 2], 5)).unwrap();
    // 3 epochs of 200 examples in batches of 64 are 3 x 4 steps; of 5 examples, 3 x 1.
    let plain = perceptrons(Length::Epochs(3), 2);
    for (evaluation, expected) in [(plain, 3), (plain.with_steps_of(200), 12)] {
        let last = Mutex::new([0; 2]);
        evaluation
            .run(&few, &few, 0, |index, progress| {
                last.lock().unwrap()[index] = progress.step;
                Continue(())
            })
            .unwrap();
        assert_eq!(last.into_inner().unwrap(), [expected; 2]);
    }
}

#[test]
fn seeds_of_a_seed_differ() {
    let mut seeds: Vec<u64> = (0..3).flat_map(|seed| (0..50).map(move |at| subseed(seed, at))).collect();
    seeds.sort_unstable();
    seeds.dedup();
    assert_eq!(seeds.len(), 150);
}

fn classifier(target: &Measure) -> Network {
    let mut network = Network::new(Architecture::Mlp, Input::Vector(2), 3, 0).unwrap();
    let training = Training { length: Length::Steps(300), ..Training::default() };
    training.run(&mut network, &examples_of(target).unwrap(), |_| Continue(())).unwrap();
    network
}

#[test]
fn a_classifier_looks_along_the_way() {
    let (source, target) = turned();
    let network = classifier(&target);
    assert_eq!(accuracy(&network, &examples_of(&target).unwrap()).share(), 1.0);
    let method = flow(50);
    let (mut told, mut steps) = (Vec::new(), 0);
    let points = accuracy_along(&network, &method, pair(&source, &target), 20, 9, |at, point| {
        match point {
            Some(point) => told.push((at.step, *point)),
            None => steps += 1,
        }
        Continue(())
    })
    .unwrap();
    // Every 20 steps, and the last; each told right after its step.
    let at: Vec<f64> = points.iter().map(|point| point.at).collect();
    assert_eq!((at, steps), (vec![0.0, 20.0, 40.0, 50.0], 51));
    assert_eq!(told, points.iter().map(|point| (point.at as u64, *point)).collect::<Vec<_>>());
    assert_eq!(points[0].accuracy, matched_accuracy(&network, &source, &target, 9).unwrap());
    assert_eq!(points[3].accuracy.share(), 1.0);
    // What is seen is what the moved samples are.
    let moved = method.run(pair(&source, &target), 9, go_on).unwrap();
    let labelled = Examples::new(moved.particles.points().to_vec(), 2, moved.labels, 3).unwrap();
    assert_eq!(points[3].accuracy, accuracy(&network, &labelled));

    let stopped = accuracy_along(&network, &method, pair(&source, &target), 20, 9, |at, _| match at.step {
        30 => Break(()),
        _ => Continue(()),
    });
    assert_eq!(stopped.unwrap_err(), LearnError::Interrupted);
}

#[test]
fn a_geodesic_ends_at_the_target() {
    let (source, target) = turned();
    let network = classifier(&target);
    let geodesic = Geodesic::between(pair(&source, &target)).unwrap();
    let points = accuracy_along_geodesic(&network, &geodesic, &[0.0, 0.5, 1.0]).unwrap();
    assert_eq!(points.iter().map(|point| point.at).collect::<Vec<_>>(), [0.0, 0.5, 1.0]);
    assert_eq!(points[0].accuracy, matched_accuracy(&network, &source, &target, 0).unwrap());
    // Equal sizes: the end is the target's own samples, each with its own label.
    assert_eq!(points[2].accuracy, accuracy(&network, &examples_of(&target).unwrap()));
    assert!(accuracy_along_geodesic(&network, &geodesic, &[f64::NAN]).is_err());
}

#[test]
fn moved_letters_help_to_read_digits() {
    let glyphs = |alphabet, count, seed| {
        let data = generate(Generator::Glyphs(alphabet), count, seed).unwrap();
        MeasureOverMeasures::<f32>::from_dataset(&data).unwrap()
    };
    let source = glyphs(Alphabet::Letters, 12, 1);
    let target = glyphs(Alphabet::Digits, 2, 2);
    let test = examples_of(&glyphs(Alphabet::Digits, 20, 3)).unwrap();
    let few = examples_of(&target).unwrap();
    let training = Training { length: Length::Epochs(15), ..Training::default() };
    let input = Input::Vector(target.dim());
    let evaluation = Evaluation { architecture: Architecture::Mlp, input, training, runs: 2 };
    let share = |train: &Examples| {
        let found = evaluation.run(train, &test, 0, |_, _| Continue(())).unwrap();
        found.iter().map(|accuracy| accuracy.share()).sum::<f64>() / found.len() as f64
    };
    let moved = flow(60).run(pair(&source, &target), 0, go_on).unwrap();
    let mut reached = moved.classes.target.clone();
    reached.sort_unstable();
    assert_eq!(reached, (0..10).collect::<Vec<_>>(), "as many classes as digits: each is reached once");
    let both = few.clone().with(&transported_examples(&moved, 10, Some((0.0, 1.0))).unwrap());
    let (alone, with) = (share(&few), share(&both));
    assert!(with > alone + 0.05, "{alone} alone, {with} with the moved letters");
}
