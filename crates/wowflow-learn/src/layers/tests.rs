//! Every layer against central differences, and the fused one against plain steps.

use wowflow::dataset::ImageShape;
use wowflow::rng::{Purpose, Stream};

use super::{Convolution, Kind, Layer, Shape, pool, winograd};
use crate::architecture::{Architecture, Input};
use crate::loss::cross_entropy;
use crate::pass::Pass;

fn normals(seed: u64, len: usize) -> Vec<f64> {
    let mut out = vec![0.0; len];
    Stream::new(seed, Purpose::Test, 3).normals(0, &mut out);
    out
}

/// Loss and gradients of a stack of layers, against differences along random directions.
fn check(layers: &[Layer], batch: usize, seed: u64) {
    let count = layers.iter().map(|layer| layer.biases.end).max().unwrap();
    let parameters: Vec<f64> = normals(seed, count).iter().map(|x| 0.3 * x).collect();
    let inputs = normals(seed + 1, batch * layers[0].input.len());
    let classes = layers.last().unwrap().output.len();
    let labels: Vec<usize> = (0..batch).map(|i| (i * 7) % classes).collect();
    let value = |parameters: &[f64], inputs: &[f64]| {
        let mut pass = Pass::default();
        let scores = pass.forward(layers, parameters, inputs, batch).to_vec();
        let mut gradient = vec![0.0; scores.len()];
        (cross_entropy(&scores, &labels, &mut gradient), gradient, pass)
    };
    let (_, of_scores, mut pass) = value(&parameters, &inputs);
    let (mut of_parameters, mut of_inputs) = (vec![0.0; count], vec![0.0; inputs.len()]);
    let into = (Some(of_parameters.as_mut_slice()), Some(of_inputs.as_mut_slice()));
    pass.backward(layers, &parameters, &inputs, &of_scores, into.0, into.1);
    let h = 1e-8;
    let moved = |x: &[f64], along: &[f64], by: f64| -> Vec<f64> {
        x.iter().zip(along).map(|(x, a)| x + by * a).collect()
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for draw in 0..4 {
        let along = normals(seed + 10 + draw, count);
        let up = value(&moved(&parameters, &along, h), &inputs).0;
        let down = value(&moved(&parameters, &along, -h), &inputs).0;
        let (found, expected) = (dot(&of_parameters, &along), (up - down) / (2.0 * h));
        assert!((found - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{found} {expected}");
        let along = normals(seed + 20 + draw, inputs.len());
        let up = value(&parameters, &moved(&inputs, &along, h)).0;
        let down = value(&parameters, &moved(&inputs, &along, -h)).0;
        let (found, expected) = (dot(&of_inputs, &along), (up - down) / (2.0 * h));
        assert!((found - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{found} {expected}");
    }
}

#[test]
fn gradients_of_every_architecture_are_right() {
    let image = |width, height, channels| Input::Image(ImageShape { width, height, channels });
    // More images than one task takes, odd sides, several channels.
    check(&Architecture::LeNet5.layers(image(33, 29, 2), 4).unwrap(), 18, 1);
    check(&Architecture::Cnn.layers(image(9, 8, 1), 3).unwrap(), 17, 2);
    check(&Architecture::Mlp.layers(Input::Vector(7), 3).unwrap(), 5, 3);
}

#[test]
fn gradients_of_normalised_blocks_are_right() {
    let image = Input::Image(ImageShape { width: 9, height: 10, channels: 3 });
    check(&Architecture::ConvNet.layers(image, 3).unwrap(), 3, 4);
    // More images than a task takes; planes of which a group takes two.
    check(&Architecture::ConvNet.layers(image, 3).unwrap(), 18, 5);
    let image = Input::Image(ImageShape { width: 40, height: 36, channels: 1 });
    check(&Architecture::ConvNet.layers(image, 3).unwrap(), 3, 6);
}

#[test]
fn the_fused_block_is_norm_rectifier_and_pool() {
    let shape = Shape { channels: 3, height: 7, width: 6 };
    let output = pool::averaged(shape);
    let layer = Layer { kind: Kind::NormalizedPool, input: shape, output, weights: 0..3, biases: 3..6 };
    let (parameters, x) = (normals(5, 6), normals(6, 2 * shape.len()));
    let mut fused = vec![0.0; 2 * output.len()];
    layer.forward(&parameters, 2, &x, &mut fused);
    let mut active = x.clone();
    for (at, plane) in active.chunks_exact_mut(shape.plane()).enumerate() {
        let len = plane.len() as f64;
        let mean = plane.iter().sum::<f64>() / len;
        let variance = plane.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / len;
        for x in plane {
            let z = (*x - mean) / (variance + 1e-5).sqrt() * parameters[at % 3] + parameters[3 + at % 3];
            *x = z.max(0.0);
        }
    }
    let mut plain = vec![0.0; fused.len()];
    pool::average(shape, &active, &mut plain);
    for (fused, plain) in fused.iter().zip(&plain) {
        assert!((fused - plain).abs() < 1e-12, "{fused} {plain}");
    }
}

#[test]
fn a_convolution_is_the_sum_it_says() {
    let layers = Architecture::ConvNet
        .layers(Input::Image(ImageShape { width: 28, height: 28, channels: 1 }), 10)
        .unwrap();
    let layer = &layers[0];
    assert_eq!((layer.output.height, layer.output.width), (32, 32));
    let (parameters, x) = (normals(7, layer.biases.end), normals(8, 784));
    let mut y = vec![0.0; layer.output.len()];
    layer.forward(&parameters, 1, &x, &mut y);
    for (channel, row, col) in [(0, 0, 0), (5, 2, 3), (127, 31, 31), (9, 17, 30)] {
        let mut sum = parameters[layer.biases.start + channel];
        for ky in 0..3usize {
            for kx in 0..3usize {
                let (iy, ix) = ((row + ky).wrapping_sub(3), (col + kx).wrapping_sub(3));
                if iy < 28 && ix < 28 {
                    sum += parameters[channel * 9 + ky * 3 + kx] * x[iy * 28 + ix];
                }
            }
        }
        let found = y[(channel * 32 + row) * 32 + col];
        assert!((found - sum).abs() < 1e-12, "{found} {sum}");
    }
}

/// A convolution with 3 x 3 kernels.
fn convolution(shape: Shape, padding: usize, channels: usize) -> Layer {
    let of = Convolution { kernel: 3, padding };
    let output = of.output(shape, channels).unwrap();
    let weights = channels * shape.channels * 9;
    let biases = weights..weights + channels;
    Layer { kind: Kind::Convolution(of), input: shape, output, weights: 0..weights, biases }
}

fn filtered(layer: &Layer) -> bool {
    winograd::suits(3, layer.input, layer.output)
}

#[test]
fn minimal_filtering_is_the_convolution() {
    // Sides that are no multiples of a tile, one tile, more images than a task and than a group take.
    for (height, width, padding, batch) in
        [(16, 16, 1, 18), (7, 10, 0, 3), (8, 8, 1, 35), (3, 3, 2, 1), (5, 4, 3, 2)]
    {
        let shape = Shape { channels: 17, height, width };
        let layer = convolution(shape, padding, 19);
        let (parameters, x) = (normals(1, layer.biases.end), normals(2, batch * shape.len()));
        let mut y = vec![0.0; batch * layer.output.len()];
        layer.forward(&parameters, batch, &x, &mut y);
        // Channel by channel it goes by patches.
        let single = convolution(Shape { channels: 1, ..shape }, padding, 19);
        assert!(filtered(&layer) && !filtered(&single));
        let mut sum: Vec<f64> = y.iter().map(|_| 0.0).collect();
        for channel in 0..17 {
            let of = |k: usize| {
                let start = (k * 17 + channel) * 9;
                parameters[start..start + 9].to_vec()
            };
            let mut own: Vec<f64> = (0..19).flat_map(of).collect();
            let biases = &parameters[layer.biases.clone()];
            own.extend(biases.iter().map(|bias| if channel == 0 { *bias } else { 0.0 }));
            let plane =
                |image: &[f64]| image[channel * shape.plane()..(channel + 1) * shape.plane()].to_vec();
            let images: Vec<f64> = x.chunks_exact(shape.len()).flat_map(plane).collect();
            let mut part = vec![0.0; y.len()];
            single.forward(&own, batch, &images, &mut part);
            sum.iter_mut().zip(&part).for_each(|(sum, part)| *sum += part);
        }
        for (y, sum) in y.iter().zip(&sum) {
            assert!((y - sum).abs() < 1e-11, "{height}x{width}+{padding}: {y} {sum}");
        }
    }
}

#[test]
fn minimal_filtering_in_single_precision_is_off_by_millionths() {
    let shape = Shape { channels: 128, height: 16, width: 16 };
    let layer = convolution(shape, 1, 128);
    assert!(filtered(&layer));
    let (parameters, x) = (normals(1, layer.biases.end), normals(2, shape.len()));
    let mut exact = vec![0.0; layer.output.len()];
    layer.forward(&parameters, 1, &x, &mut exact);
    let narrow = |x: &[f64]| x.iter().map(|x| *x as f32).collect::<Vec<f32>>();
    let mut y = vec![0.0f32; exact.len()];
    layer.forward(&narrow(&parameters), 1, &narrow(&x), &mut y);
    let error = |(y, exact): (&f32, &f64)| (f64::from(*y) - exact).powi(2);
    let size = exact.iter().map(|y| y * y).sum::<f64>();
    let error = (y.iter().zip(&exact).map(error).sum::<f64>() / size).sqrt();
    assert!(error < 4e-6, "a relative error of {error}");
}
