//! Convolutions as matrix products of weights and the patches of an image (im2col), those with 3 x 3 kernels and
//! many channels by minimal filtering.

use rayon::prelude::*;
use wowflow::linalg::{Mat, Output, Threads, matmul};
use wowflow::scalar::Scalar;

use super::{Layer, PART, Shape, add_parts, winograd};

/// Square kernels with zeros around the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Convolution {
    /// Side of the kernel.
    pub(crate) kernel: usize,
    /// Zeros on every side.
    pub(crate) padding: usize,
}

impl Convolution {
    /// The shape after this convolution; `None` where the kernel does not fit.
    pub(crate) fn output(self, input: Shape, channels: usize) -> Option<Shape> {
        let side = |len: usize| (len + 2 * self.padding + 1).checked_sub(self.kernel).filter(|len| *len > 0);
        Some(Shape { channels, height: side(input.height)?, width: side(input.width)? })
    }

    /// Whether the patches of an image are the image.
    fn trivial(self) -> bool {
        self.kernel == 1 && self.padding == 0
    }

    /// Runs an operation on the row of patches of every (channel, kernel row, kernel column): `rows x
    /// pixels` cut to the stretches that lie inside the image, as (place in the row, place in the image, length).
    fn stretches(self, from: Shape, to: Shape, mut operation: impl FnMut(usize, usize, usize)) {
        let (pad, plane) = (self.padding, to.plane());
        let mut patches = 0;
        for channel in 0..from.channels {
            for ky in 0..self.kernel {
                for kx in 0..self.kernel {
                    // Output columns whose input column is inside.
                    let first = pad.saturating_sub(kx);
                    let end = to.width.min((from.width + pad).saturating_sub(kx)).max(first);
                    let rows = pad.saturating_sub(ky)..to.height.min((from.height + pad).saturating_sub(ky));
                    for y in rows {
                        let inside = (channel * from.height + y + ky - pad) * from.width + first + kx - pad;
                        operation(patches + y * to.width + first, inside, end - first);
                    }
                    patches += plane;
                }
            }
        }
    }

    fn patches<T: Scalar>(self, from: Shape, to: Shape, image: &[T], patches: &mut [T]) {
        if self.padding > 0 {
            patches.fill(T::ZERO);
        }
        self.stretches(from, to, |patch, inside, len| {
            patches[patch..patch + len].copy_from_slice(&image[inside..inside + len]);
        });
    }

    fn add_patches<T: Scalar>(self, from: Shape, to: Shape, patches: &[T], image: &mut [T]) {
        self.stretches(from, to, |patch, inside, len| {
            let sums = image[inside..inside + len].iter_mut();
            sums.zip(&patches[patch..patch + len]).for_each(|(sum, value)| *sum += *value);
        });
    }

    pub(super) fn forward<T: Scalar>(
        self,
        layer: &Layer,
        weights: &[T],
        biases: &[T],
        input: &[T],
        output: &mut [T],
    ) {
        let (from, to) = (layer.input, layer.output);
        if winograd::suits(self.kernel, from, to) {
            return winograd::forward(layer, self.padding, weights, biases, input, output);
        }
        let (depth, plane) = (layer.fan_in(), to.plane());
        let inputs = input.par_chunks(PART * from.len());
        output.par_chunks_mut(PART * to.len()).zip(inputs).for_each(|(outputs, inputs)| {
            let mut patches = vec![T::ZERO; if self.trivial() { 0 } else { depth * plane }];
            for (output, image) in outputs.chunks_exact_mut(to.len()).zip(inputs.chunks_exact(from.len())) {
                for (channel, bias) in output.chunks_exact_mut(plane).zip(biases) {
                    channel.fill(*bias);
                }
                let patches = if self.trivial() {
                    image
                } else {
                    self.patches(from, to, image, &mut patches);
                    &patches
                };
                let weights = Mat::row_major(weights, to.channels, depth);
                let patches = Mat::row_major(patches, depth, plane);
                matmul(output, Output::Add, 1.0, weights, patches, Threads::One);
            }
        });
    }

    pub(super) fn backward<T: Scalar>(
        self,
        layer: &Layer,
        weights: &[T],
        input: &[T],
        of_output: &[T],
        of_input: Option<&mut [T]>,
        gradient: Option<(&mut [T], &mut [T])>,
    ) {
        let (from, to) = (layer.input, layer.output);
        let (depth, plane) = (layer.fan_in(), to.plane());
        if winograd::suits(self.kernel, from, to) {
            let of_weights = gradient.map(|(of_weights, of_biases)| {
                add_biases(of_output, plane, of_biases);
                of_weights
            });
            winograd::backward(layer, self.padding, weights, input, of_output, of_input, of_weights);
            return;
        }
        if let Some((of_weights, of_biases)) = gradient {
            let inputs = input.par_chunks(PART * from.len());
            let part = |(of_outputs, inputs): (&[T], &[T])| {
                let mut sums = vec![T::ZERO; weights.len() + to.channels];
                let (of_weights, of_biases) = sums.split_at_mut(weights.len());
                let mut patches = vec![T::ZERO; if self.trivial() { 0 } else { depth * plane }];
                let images = of_outputs.chunks_exact(to.len()).zip(inputs.chunks_exact(from.len()));
                for (of_output, image) in images {
                    let patches = if self.trivial() {
                        image
                    } else {
                        self.patches(from, to, image, &mut patches);
                        &patches
                    };
                    let patches = Mat::row_major(patches, depth, plane).transposed();
                    let of_outputs = Mat::row_major(of_output, to.channels, plane);
                    matmul(of_weights, Output::Add, 1.0, of_outputs, patches, Threads::One);
                    add_biases(of_output, plane, of_biases);
                }
                sums
            };
            let parts: Vec<Vec<T>> = of_output.par_chunks(PART * to.len()).zip(inputs).map(part).collect();
            let (weights, biases): (Vec<_>, Vec<_>) = parts
                .into_iter()
                .map(|mut sums| {
                    let biases = sums.split_off(weights.len());
                    (sums, biases)
                })
                .unzip();
            add_parts(of_weights, &weights);
            add_parts(of_biases, &biases);
        }
        let Some(of_input) = of_input else { return };
        let of_outputs = of_output.par_chunks(PART * to.len());
        of_input.par_chunks_mut(PART * from.len()).zip(of_outputs).for_each(|(of_inputs, of_outputs)| {
            let mut patches = vec![T::ZERO; if self.trivial() { 0 } else { depth * plane }];
            let images = of_inputs.chunks_exact_mut(from.len()).zip(of_outputs.chunks_exact(to.len()));
            for (of_image, of_output) in images {
                let weights = Mat::row_major(weights, to.channels, depth).transposed();
                let of_output = Mat::row_major(of_output, to.channels, plane);
                let product = if self.trivial() { &mut *of_image } else { &mut patches };
                matmul(product, Output::Overwrite, 1.0, weights, of_output, Threads::One);
                if !self.trivial() {
                    of_image.fill(T::ZERO);
                    self.add_patches(from, to, &patches, of_image);
                }
            }
        });
    }
}

/// Adds the gradient of the biases: sums over planes.
fn add_biases<T: Scalar>(of_output: &[T], plane: usize, of_biases: &mut [T]) {
    for of_image in of_output.chunks_exact(plane * of_biases.len()) {
        for (sum, of_channel) in of_biases.iter_mut().zip(of_image.chunks_exact(plane)) {
            of_channel.iter().for_each(|dy| *sum += *dy);
        }
    }
}
