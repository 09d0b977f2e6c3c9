//! Tests of the generators through their public functions.

use std::collections::HashSet;

use wowflow::dataset::{ImageShape, Label};

use super::*;

const DIGITS: Generator = Generator::Glyphs(Alphabet::Digits);
const LETTERS: Generator = Generator::Glyphs(Alphabet::Letters);
const NOISE: Generator =
    Generator::Noise(NoiseShape::Image(ImageShape { width: 28, height: 28, channels: 1 }));

fn all() -> Vec<Generator> {
    let flat = Generator::Noise(NoiseShape::Flat(7));
    let colour = Generator::Noise(NoiseShape::Image(ImageShape { width: 5, height: 4, channels: 3 }));
    let plane = [Generator::Rings, Generator::RingsSource, Generator::Gaussians, Generator::Moons];
    plane.into_iter().chain([NOISE, flat, colour, DIGITS, LETTERS]).collect()
}

fn class_samples(data: &LabeledDataset, class: usize) -> Vec<Vec<f64>> {
    data.class_rows(class).iter().map(|&row| data.row(row)).collect()
}

fn mean_and_covariance(points: &[Vec<f64>]) -> ([f64; 2], [[f64; 2]; 2]) {
    let n = points.len() as f64;
    let mean = [0, 1].map(|a| points.iter().map(|p| p[a]).sum::<f64>() / n);
    let covariance = [0, 1]
        .map(|a| [0, 1].map(|b| points.iter().map(|p| (p[a] - mean[a]) * (p[b] - mean[b])).sum::<f64>() / n));
    (mean, covariance)
}

#[test]
fn names_are_read_and_printed() {
    for generator in all() {
        let text = generator.to_string();
        let (name, variant) = text.split_once(':').map_or((&*text, None), |(name, rest)| (name, Some(rest)));
        assert_eq!(Generator::parse(name, variant), Ok(Some(generator)), "{text}");
        assert!(Generator::names().iter().any(|known| known.split(':').next() == Some(name)), "{text}");
    }
    assert_eq!(Generator::parse("noise", None), Ok(Some(NOISE)));
    assert_eq!(Generator::parse("noise", Some("28x28x1")), Ok(Some(NOISE)));
    assert_eq!(Generator::parse("mnist", Some("digits")), Ok(None));
    assert_eq!(Generator::parse("Rings", None), Ok(None));
}

#[test]
fn unknown_variants_are_refused_with_the_known_ones() {
    let refusal = |name, variant| Generator::parse(name, variant).unwrap_err().to_string();
    assert_eq!(
        refusal("rings", Some("square")),
        "expected nothing or `source` after the generator `rings`, found `square`"
    );
    assert_eq!(
        refusal("glyphs", None),
        "expected `digits` or `letters` after the generator `glyphs`, found nothing"
    );
    assert_eq!(refusal("moons", Some("3")), "expected nothing after the generator `moons`, found `3`");
    for variant in ["", "0", "x", "28x", "+3", "-1", "3x0", "4x4x2", "2x2x3x1", "28 x 28", &"9".repeat(40)] {
        assert!(
            matches!(Generator::parse("noise", Some(variant)), Err(GenerateError::Variant { .. })),
            "{variant}"
        );
    }
}

#[test]
fn counts_that_cannot_be_generated_are_refused() {
    for generator in all() {
        assert_eq!(generate(generator, 0, 0), Err(GenerateError::NoSamples { generator }));
        let refused = generate(generator, usize::MAX, 0).unwrap_err();
        assert!(matches!(refused, GenerateError::TooMany { found: usize::MAX, .. }), "{refused}");
    }
    let refused = generate(DIGITS, 200_000, 0).unwrap_err().to_string();
    assert_eq!(refused, "expected at most 136956 samples a class from `glyphs:digits`, found 200000");
    let huge = ImageShape { width: usize::MAX, height: 2, channels: 3 };
    let empty = ImageShape { width: 0, height: 2, channels: 3 };
    for shape in
        [NoiseShape::Flat(0), NoiseShape::Flat(1 << 40), NoiseShape::Image(huge), NoiseShape::Image(empty)]
    {
        let refused = generate(Generator::Noise(shape), 1, 0).unwrap_err();
        assert!(matches!(refused, GenerateError::Dimension { .. }), "{refused}");
    }
}

#[test]
fn shapes_precisions_and_labels_are_as_declared() {
    for generator in all() {
        let data = generate(generator, 6, 1).unwrap();
        assert_eq!(data.dim(), generator.dim());
        assert_eq!(data.class_count(), generator.class_count());
        assert_eq!(data.image_shape(), generator.image_shape());
        assert!((0..data.class_count()).all(|class| data.class_rows(class).len() == 6));
        assert_eq!(matches!(data.points(), Points::F64(_)), generator.dim() == 2, "{generator}");
        // Classes are generated in the order of their labels, one after another.
        assert!(data.class_of().is_sorted(), "{generator}");
    }
    let whole: Vec<Label> = (0..10).map(Label::Int).collect();
    assert_eq!(generate(DIGITS, 1, 0).unwrap().classes(), whole);
    assert_eq!(generate(NOISE, 1, 0).unwrap().classes(), whole);
    let letters = ["A", "C", "E", "H", "K", "L", "M", "P", "T", "X"].map(Label::from);
    assert_eq!(generate(LETTERS, 1, 0).unwrap().classes(), letters);
    assert_eq!(Generator::Rings.default_count(), 80);
    assert_eq!(DIGITS.default_count(), 100);
}

#[test]
fn a_generator_is_a_pure_function_of_its_arguments() {
    for generator in all() {
        let data = generate(generator, 7, 3).unwrap();
        assert_eq!(data, generate(generator, 7, 3).unwrap());
        let same = data == generate(generator, 7, 3 | 1 << 40).unwrap();
        assert_eq!(same, generator == Generator::Rings, "{generator}");
    }
}

#[test]
fn a_smaller_number_gives_the_first_samples_of_a_larger_one() {
    for generator in all().into_iter().filter(|&generator| generator != Generator::Rings) {
        let (few, many) = (generate(generator, 5, 8).unwrap(), generate(generator, 12, 8).unwrap());
        for class in 0..few.class_count() {
            assert_eq!(class_samples(&few, class), class_samples(&many, class)[..5], "{generator} {class}");
        }
    }
}

#[test]
fn no_two_samples_are_equal() {
    for generator in all() {
        let data = generate(generator, 50, 2).unwrap();
        let bits = |row| data.row(row).into_iter().map(f64::to_bits).collect::<Vec<_>>();
        let distinct: HashSet<Vec<u64>> = (0..data.len()).map(bits).collect();
        assert_eq!(distinct.len(), data.len(), "{generator}");
    }
    let addresses: HashSet<u64> = all().into_iter().map(Generator::address).collect();
    assert_eq!(addresses.len(), 7, "noise alone is listed with three shapes");
}

#[test]
fn rings_are_equispaced_circles() {
    let data = generate(Generator::Rings, 80, 0).unwrap();
    for (class, centre) in [0.0, -0.75, -1.5].into_iter().enumerate() {
        let points = class_samples(&data, class);
        for (i, point) in points.iter().enumerate() {
            let angle = i as f64 / 80.0 * std::f64::consts::TAU;
            let expected = [centre + 0.3 * angle.cos(), 0.3 * angle.sin()];
            let off = (point[0] - expected[0]).hypot(point[1] - expected[1]);
            assert!(off < 1e-15, "class {class}, point {i}: {off}");
        }
        assert_eq!(points[0], [centre + 0.3, 0.0]);
    }
}

#[test]
fn gaussian_classes_have_their_moments() {
    let count = 20_000;
    let spread = (count as f64).sqrt();
    let source = generate(Generator::RingsSource, count, 4).unwrap();
    let expected = |angle: f64, [u, v]: [f64; 2]| {
        let (sin, cos) = angle.sin_cos();
        let (u, v) = (u * u, v * v);
        let across = sin * cos * (u - v);
        [[cos * cos * u + sin * sin * v, across], [across, sin * sin * u + cos * cos * v]]
    };
    let check = |points: &[Vec<f64>], mean: [f64; 2], covariance: [[f64; 2]; 2], what: &str| {
        let (found, found_covariance) = mean_and_covariance(points);
        for a in [0, 1] {
            let deviation = covariance[a][a].sqrt();
            assert!((found[a] - mean[a]).abs() < 4.0 * deviation / spread, "{what}: mean {found:?}");
            for b in [0, 1] {
                let scale = (covariance[a][a] * covariance[b][b]).sqrt();
                let off = (found_covariance[a][b] - covariance[a][b]).abs();
                assert!(off < 4.0 * scale * 2f64.sqrt() / spread, "{what}: {found_covariance:?}");
            }
        }
    };
    for class in 0..3 {
        let points = class_samples(&source, class);
        check(&points, [-0.3, 0.0], [[1e-4, 0.0], [0.0, 1e-4]], "rings:source");
    }
    let data = generate(Generator::Gaussians, count, 4).unwrap();
    for (class, gaussian) in plane::GAUSSIANS.iter().enumerate() {
        let covariance = expected(gaussian.angle, gaussian.deviations);
        check(&class_samples(&data, class), gaussian.mean, covariance, "gaussians");
    }
}

#[test]
fn moons_stay_near_their_half_circles() {
    let data = generate(Generator::Moons, 5000, 6).unwrap();
    for (class, [x, y]) in [[0.0, 0.0], [1.0, 0.5]].into_iter().enumerate() {
        let points = class_samples(&data, class);
        let n = points.len() as f64;
        let radii: Vec<f64> = points.iter().map(|p| (p[0] - x).hypot(p[1] - y)).collect();
        let mean = radii.iter().sum::<f64>() / n;
        let deviation = (radii.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / n).sqrt();
        // The noise across the circle lengthens the mean radius by about 0.1^2 / 2.
        assert!((mean - 1.005).abs() < 0.006, "class {class}: mean radius {mean}");
        assert!((deviation - 0.1).abs() < 0.005, "class {class}: deviation {deviation}");
        let side = |p: &Vec<f64>| if class == 0 { p[1] > -0.5 } else { p[1] < 1.0 };
        assert!(points.iter().all(side), "class {class}");
        let height = points.iter().map(|p| p[1]).sum::<f64>() / n;
        let expected = if class == 0 { 2.0 / std::f64::consts::PI } else { 0.5 - 2.0 / std::f64::consts::PI };
        assert!((height - expected).abs() < 0.02, "class {class}: mean height {height}");
    }
}

#[test]
fn noise_is_standard_normal_and_independent_between_classes() {
    let data = generate(NOISE, 20, 11).unwrap();
    let values: Vec<f64> = data.points().to_vec(0..data.points().len());
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| v * v).sum::<f64>() / n;
    let fourth = values.iter().map(|v| v.powi(4)).sum::<f64>() / n;
    assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.015, "mean {mean}, variance {variance}");
    assert!((fourth - 3.0).abs() < 0.1, "fourth moment {fourth}");
    let (first, second) = (data.row(0), data.row(data.class_rows(1)[0]));
    let correlation = first.iter().zip(&second).map(|(a, b)| a * b).sum::<f64>() / 784.0;
    assert!(correlation.abs() < 4.0 / 28.0, "correlation {correlation}");
    // A shape lays the numbers out; it does not draw others.
    let flat = generate(Generator::Noise(NoiseShape::Flat(784)), 20, 11).unwrap();
    assert_eq!(flat.points(), data.points());
}

#[test]
fn glyphs_are_whole_and_in_the_middle() {
    for generator in [DIGITS, LETTERS] {
        let data = generate(generator, 200, 5).unwrap();
        for row in 0..data.len() {
            let image = data.row(row);
            let what = format!("{generator} {} sample {}", data.label(row), row % 200);
            assert!(image.iter().all(|v| (0.0..=1.0).contains(v)), "{what}");
            let pixels = || image.iter().enumerate().map(|(i, &v)| ([i % 28, i / 28], v));
            let inked = |[x, y]: [usize; 2]| image[y * 28 + x] > 0.0;
            let frame = pixels().filter(|(at, _)| at.iter().any(|&x| x == 0 || x == 27));
            assert!(frame.map(|(at, _)| at).all(|at| !inked(at)), "{what}: ink on the frame");
            for axis in [0, 1] {
                let places = || pixels().filter(|&(_, v)| v > 0.0).map(|(at, _)| at[axis]);
                let (low, high) = (places().min().unwrap(), places().max().unwrap());
                let middle = (low + high + 1) as f64 / 2.0;
                assert!((middle - 14.0).abs() <= 2.5, "{what}: middle {middle} on axis {axis}");
                assert!(axis == 0 || high - low >= 13, "{what}: height {}", high - low + 1);
            }
            let brightest = image.iter().copied().fold(0.0, f64::max);
            assert!(brightest > 0.9, "{what}: brightest pixel {brightest}");
        }
        let mean = data.points().to_vec::<f64>(0..data.points().len()).iter().sum::<f64>() / (2000.0 * 784.0);
        assert!((0.08..0.28).contains(&mean), "{generator}: mean ink {mean}");
    }
}

/// Accuracy of the nearest neighbour among the first 100 samples a class on the next 100.
fn nearest_neighbour_accuracy(generator: Generator, seed: u64) -> f64 {
    let data = generate(generator, 200, seed).unwrap();
    let Points::F32(values) = data.points() else { panic!("images are in single precision") };
    let (train, test): (Vec<usize>, Vec<usize>) = (0..data.len()).partition(|row| row % 200 < 100);
    let image = |row: usize| &values[row * 784..(row + 1) * 784];
    let right = test.iter().filter(|&&row| {
        let mut nearest = (f32::INFINITY, 0);
        for &other in &train {
            let mut squared = 0.0;
            for (a, b) in image(row).chunks_exact(56).zip(image(other).chunks_exact(56)) {
                squared += a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
                if squared >= nearest.0 {
                    break;
                }
            }
            if squared < nearest.0 {
                nearest = (squared, data.class_of()[other]);
            }
        }
        nearest.1 == data.class_of()[row]
    });
    right.count() as f64 / test.len() as f64
}

#[test]
fn glyphs_are_neither_trivial_nor_hopeless_for_the_nearest_neighbour() {
    for generator in [DIGITS, LETTERS] {
        for seed in [0, 1] {
            let accuracy = nearest_neighbour_accuracy(generator, seed);
            assert!((0.90..=0.98).contains(&accuracy), "{generator}, seed {seed}: {accuracy}");
        }
    }
}

#[test]
fn generated_numbers_do_not_change_between_versions() {
    // A change here changes every result recorded with these datasets: say so in the changelog.
    for (generator, expected) in [
        (Generator::RingsSource, 0.035734),
        (Generator::Gaussians, 3.748809),
        (Generator::Moons, -0.919856),
        (NOISE, -99.047645),
        (DIGITS, -5.042167),
        (LETTERS, -8.265139),
    ] {
        let data = generate(generator, 3, 7).unwrap();
        let values: Vec<f64> = data.points().to_vec(0..data.points().len());
        // Weighted, so that the order of the values counts.
        let sum: f64 = values.iter().enumerate().map(|(i, v)| v * (i as f64).cos()).sum();
        assert!((sum - expected).abs() < 1e-4, "{generator}: {sum}");
    }
}
