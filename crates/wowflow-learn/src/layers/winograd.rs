//! Convolutions with 3 x 3 kernels by minimal filtering: 36 products for 4 x 4 outputs in place of 144.
//!
//! `Y = A^T [(G g G^T) . (B^T d B)] A` for a kernel `g` and a tile `d` of 6 x 6 inputs (Winograd 1980; Lavin
//! and Gray 2016, F(4 x 4, 3 x 3)). The products of all channels and tiles are 36 matrix products. All of it
//! is linear in the kernel and in the input, so that gradients go back through the transposed transforms.

use rayon::prelude::*;
use wowflow::linalg::{Mat, Output, Threads, matmul};
use wowflow::scalar::Scalar;

use super::{Layer, PART, Shape, add_parts};
use crate::simd::dispatch256;

/// Outputs of a tile, a side.
const OUT: usize = 4;
/// Inputs of a tile, a side.
const IN: usize = 6;
/// Products of a tile.
const PRODUCTS: usize = IN * IN;
/// Tiles transformed side by side.
const LANES: usize = 16;
/// Tiles that make a matrix product wide enough.
const WIDE: usize = 64;
/// Channels on both sides from which on this takes the place of the patches. Measured with 128 alone, where it is
/// faster.
const CHANNELS: usize = 16;

/// Square tiles side by side.
type Tiles<T, const N: usize> = [[[T; LANES]; N]; N];

/// Whether a convolution is one that this is for.
pub(super) fn suits(kernel: usize, from: Shape, to: Shape) -> bool {
    kernel == 3 && from.channels >= CHANNELS && to.channels >= CHANNELS
}

/// Copies as many lanes as there is room for.
#[inline(always)]
fn put<T: Scalar>(to: &mut [T], lanes: &[T; LANES]) {
    match <&mut [T; LANES]>::try_from(&mut *to) {
        Ok(all) => *all = *lanes,
        Err(_) => to.copy_from_slice(&lanes[..to.len()]),
    }
}

/// Takes as many lanes as there are.
#[inline(always)]
fn get<T: Scalar>(from: &[T], lanes: &mut [T; LANES]) {
    match <&[T; LANES]>::try_from(from) {
        Ok(all) => *lanes = *all,
        Err(_) => lanes[..from.len()].copy_from_slice(from),
    }
}

/// `f` along the rows, then along the columns.
#[inline(always)]
fn both<T: Scalar, const N: usize, const M: usize>(
    tiles: &Tiles<T, N>,
    f: impl Fn([T; N]) -> [T; M],
) -> Tiles<T, M> {
    let mut half = [[[T::ZERO; LANES]; M]; N];
    for (half, row) in half.iter_mut().zip(tiles) {
        for lane in 0..LANES {
            let found = f(std::array::from_fn(|at| row[at][lane]));
            (0..M).for_each(|at| half[at][lane] = found[at]);
        }
    }
    let mut out = [[[T::ZERO; LANES]; M]; M];
    for col in 0..M {
        for lane in 0..LANES {
            let found = f(std::array::from_fn(|at| half[at][col][lane]));
            (0..M).for_each(|at| out[at][col][lane] = found[at]);
        }
    }
    out
}

/// `B^T d`.
#[inline(always)]
fn of_input_tile<T: Scalar>(d: [T; IN]) -> [T; IN] {
    let [two, four, five] = [2.0, 4.0, 5.0].map(T::from_f64);
    let (even, odd) = (d[4] - four * d[2], d[3] - four * d[1]);
    let (near, far) = (d[4] - d[2], two * (d[3] - d[1]));
    [
        four * d[0] - five * d[2] + d[4],
        even + odd,
        even - odd,
        near + far,
        near - far,
        four * d[1] - five * d[3] + d[5],
    ]
}

/// `B v`.
#[inline(always)]
fn of_input_tile_back<T: Scalar>(v: [T; IN]) -> [T; IN] {
    let [two, four, five] = [2.0, 4.0, 5.0].map(T::from_f64);
    let (sum, less) = (v[1] + v[2], v[1] - v[2]);
    let (far_sum, far_less) = (v[3] + v[4], two * (v[3] - v[4]));
    [
        four * v[0],
        four * (v[5] - less) - far_less,
        T::ZERO - five * v[0] - four * sum - far_sum,
        less + far_less - five * v[5],
        v[0] + sum + far_sum,
        v[5],
    ]
}

/// `A^T m`.
#[inline(always)]
fn of_products<T: Scalar>(m: [T; IN]) -> [T; OUT] {
    let [two, four, eight] = [2.0, 4.0, 8.0].map(T::from_f64);
    let (sum, less) = (m[1] + m[2], m[1] - m[2]);
    let (far_sum, far_less) = (m[3] + m[4], m[3] - m[4]);
    [m[0] + sum + far_sum, less + two * far_less, sum + four * far_sum, less + eight * far_less + m[5]]
}

/// `A y`.
#[inline(always)]
fn of_products_back<T: Scalar>(y: [T; OUT]) -> [T; IN] {
    let [two, four, eight] = [2.0, 4.0, 8.0].map(T::from_f64);
    let (even, odd) = (y[0] + y[2], y[1] + y[3]);
    let (far_even, far_odd) = (y[0] + four * y[2], two * y[1] + eight * y[3]);
    [y[0], even + odd, even - odd, far_even + far_odd, far_even - far_odd, y[3]]
}

/// `G g`.
#[inline(always)]
fn of_kernel<T: Scalar>(g: [T; 3]) -> [T; IN] {
    let [fourth, sixth, twelfth, last] = [1.0 / 4.0, -1.0 / 6.0, 1.0 / 12.0, 1.0 / 24.0].map(T::from_f64);
    let (even, odd) = (sixth * (g[0] + g[2]), sixth * g[1]);
    let (far_even, far_odd) = (last * g[0] - sixth * g[2], twelfth * g[1]);
    [fourth * g[0], even + odd, even - odd, far_even + far_odd, far_even - far_odd, g[2]]
}

/// `G^T u`.
#[inline(always)]
fn of_kernel_back<T: Scalar>(u: [T; IN]) -> [T; 3] {
    let [fourth, sixth, twelfth, last] = [1.0 / 4.0, 1.0 / 6.0, 1.0 / 12.0, 1.0 / 24.0].map(T::from_f64);
    let (sum, less) = (sixth * (u[1] + u[2]), sixth * (u[2] - u[1]));
    let (far_sum, far_less) = (u[3] + u[4], u[3] - u[4]);
    [fourth * u[0] - sum + last * far_sum, less + twelfth * far_less, sixth * far_sum - sum + u[5]]
}

/// The planes of one channel of a group of images, laid out so that every tile is whole.
struct Planes<T> {
    shape: Shape,
    /// Place of the image's first pixel, both ways.
    shift: usize,
    width: usize,
    /// Numbers of one plane.
    len: usize,
    values: Vec<T>,
    /// Where each tile of the group starts.
    tiles: Vec<usize>,
}

impl<T: Scalar> Planes<T> {
    /// For tiles of so many pixels a side, at most `images` at a time.
    fn new(shape: Shape, shift: usize, to: Shape, side: usize, images: usize) -> Self {
        let (down, across) = (to.height.div_ceil(OUT), to.width.div_ceil(OUT));
        let width = OUT * across + side - OUT;
        let len = (OUT * down + side - OUT) * width;
        let corner = |at: usize| OUT * (at / across * width + at % across);
        let tiles = (0..images).flat_map(|image| (0..down * across).map(move |at| image * len + corner(at)));
        Self { shape, shift, width, len, values: vec![T::ZERO; images * len], tiles: tiles.collect() }
    }

    /// Where the rows of an image's channel lie, here and there.
    fn rows(&self, image: usize, channel: usize) -> impl Iterator<Item = (usize, usize)> + use<T> {
        let Self { shape, shift, width, len, .. } = *self;
        let there = image * shape.len() + channel * shape.plane();
        (0..shape.height).map(move |y| (image * len + (y + shift) * width + shift, there + y * shape.width))
    }

    /// Takes a channel in; what is around it stays.
    fn load(&mut self, images: &[T], channel: usize) {
        for image in 0..images.len() / self.shape.len() {
            for (here, there) in self.rows(image, channel) {
                let row = &images[there..there + self.shape.width];
                self.values[here..here + self.shape.width].copy_from_slice(row);
            }
        }
    }

    /// Gives a channel out, with a constant added.
    fn store(&self, images: &mut [T], channel: usize, constant: T) {
        for image in 0..images.len() / self.shape.len() {
            for (here, there) in self.rows(image, channel) {
                let row = &self.values[here..here + self.shape.width];
                let out = &mut images[there..there + self.shape.width];
                out.iter_mut().zip(row).for_each(|(out, value)| *out = *value + constant);
            }
        }
    }

    #[inline(always)]
    fn take<const N: usize>(&self, tiles: &[usize]) -> Tiles<T, N> {
        let mut found = [[[T::ZERO; LANES]; N]; N];
        for (lane, &start) in tiles.iter().enumerate() {
            for (row, found) in found.iter_mut().enumerate() {
                let from = &self.values[start + row * self.width..][..N];
                (0..N).for_each(|col| found[col][lane] = from[col]);
            }
        }
        found
    }

    /// Adds tiles that overlap; those of outputs lie side by side.
    #[inline(always)]
    fn add<const N: usize>(&mut self, at: usize, tiles: &Tiles<T, N>, count: usize) {
        for lane in 0..count {
            let start = self.tiles[at + lane];
            for (row, tiles) in tiles.iter().enumerate() {
                let into = &mut self.values[start + row * self.width..][..N];
                for col in 0..N {
                    into[col] = if N > OUT { into[col] + tiles[col][lane] } else { tiles[col][lane] };
                }
            }
        }
    }

    /// Transforms the tiles of all channels into the matrices of products, `36 x channels x tiles`.
    fn transform<const N: usize>(
        &mut self,
        images: &[T],
        f: impl Fn([T; N]) -> [T; IN] + Copy,
        matrices: &mut [T],
    ) {
        let channels = self.shape.channels;
        let tiles = self.tiles_of(images.len());
        self.values.fill(T::ZERO);
        for channel in 0..channels {
            self.load(images, channel);
            dispatch256(
                #[inline(always)]
                || {
                    for (at, chunk) in self.tiles[..tiles].chunks(LANES).enumerate() {
                        let found = both(&self.take::<N>(chunk), f);
                        let place = channel * tiles + at * LANES;
                        for (product, found) in found.as_flattened().iter().enumerate() {
                            let start = product * channels * tiles + place;
                            put(&mut matrices[start..start + chunk.len()], found);
                        }
                    }
                },
            );
        }
    }

    /// Transforms the matrices of products into tiles and adds these up, with a constant for each channel.
    fn transform_back<const N: usize>(
        &mut self,
        matrices: &[T],
        f: impl Fn([T; IN]) -> [T; N] + Copy,
        constant: impl Fn(usize) -> T,
        images: &mut [T],
    ) {
        let channels = self.shape.channels;
        let tiles = self.tiles_of(images.len());
        for channel in 0..channels {
            if N > OUT {
                self.values.fill(T::ZERO);
            }
            dispatch256(
                #[inline(always)]
                || {
                    for start in (0..tiles).step_by(LANES) {
                        let count = LANES.min(tiles - start);
                        let mut from = [[[T::ZERO; LANES]; IN]; IN];
                        for (product, from) in from.as_flattened_mut().iter_mut().enumerate() {
                            let place = (product * channels + channel) * tiles + start;
                            get(&matrices[place..place + count], from);
                        }
                        self.add(start, &both(&from, f), count);
                    }
                },
            );
            self.store(images, channel, constant(channel));
        }
    }

    /// Tiles of so many numbers of images.
    fn tiles_of(&self, numbers: usize) -> usize {
        let images = self.values.len() / self.len;
        self.tiles.len() / images * (numbers / self.shape.len())
    }
}

/// What a convolution needs beyond its layer.
struct Plan {
    from: Shape,
    to: Shape,
    padding: usize,
    /// Images transformed together.
    group: usize,
}

impl Plan {
    fn of(layer: &Layer, padding: usize) -> Self {
        let tiles = layer.output.height.div_ceil(OUT) * layer.output.width.div_ceil(OUT);
        let group = (WIDE / tiles).clamp(1, PART);
        Self { from: layer.input, to: layer.output, padding, group }
    }

    fn inputs<T: Scalar>(&self) -> Planes<T> {
        Planes::new(self.from, self.padding, self.to, IN, self.group)
    }

    fn outputs<T: Scalar>(&self) -> Planes<T> {
        Planes::new(self.to, 0, self.to, OUT, self.group)
    }

    fn matrices<T: Scalar>(&self, shape: Shape) -> Vec<T> {
        let tiles = self.to.height.div_ceil(OUT) * self.to.width.div_ceil(OUT);
        vec![T::ZERO; PRODUCTS * shape.channels * self.group * tiles]
    }
}

/// The kernels as matrices, `36 x outputs x inputs`.
fn kernels<T: Scalar>(weights: &[T]) -> Vec<T> {
    let pairs = weights.len() / 9;
    let mut matrices = vec![T::ZERO; PRODUCTS * pairs];
    dispatch256(
        #[inline(always)]
        || {
            for (at, chunk) in weights.chunks(9 * LANES).enumerate() {
                let mut from = [[[T::ZERO; LANES]; 3]; 3];
                for (lane, kernel) in chunk.chunks_exact(9).enumerate() {
                    (0..9).for_each(|k| from[k / 3][k % 3][lane] = kernel[k]);
                }
                let count = chunk.len() / 9;
                for (product, found) in both(&from, of_kernel).as_flattened().iter().enumerate() {
                    let start = product * pairs + at * LANES;
                    put(&mut matrices[start..start + count], found);
                }
            }
        },
    );
    matrices
}

/// The gradient of the kernels from that of their matrices.
fn kernels_back<T: Scalar>(matrices: &[T], weights: &mut [T]) {
    let pairs = weights.len() / 9;
    dispatch256(
        #[inline(always)]
        || {
            for (at, chunk) in weights.chunks_mut(9 * LANES).enumerate() {
                let count = chunk.len() / 9;
                let mut from = [[[T::ZERO; LANES]; IN]; IN];
                for (product, from) in from.as_flattened_mut().iter_mut().enumerate() {
                    let start = product * pairs + at * LANES;
                    get(&matrices[start..start + count], from);
                }
                let found = both(&from, of_kernel_back);
                for (lane, kernel) in chunk.chunks_exact_mut(9).enumerate() {
                    (0..9).for_each(|k| kernel[k] = found[k / 3][k % 3][lane]);
                }
            }
        },
    );
}

/// The outputs of a batch.
pub(super) fn forward<T: Scalar>(
    layer: &Layer,
    padding: usize,
    weights: &[T],
    biases: &[T],
    input: &[T],
    output: &mut [T],
) {
    let plan = Plan::of(layer, padding);
    let (from, to) = (plan.from, plan.to);
    let kernels = kernels(weights);
    let inputs = input.par_chunks(PART * from.len());
    output.par_chunks_mut(PART * to.len()).zip(inputs).for_each(|(outputs, inputs)| {
        let (mut planes, mut of_outputs) = (plan.inputs(), plan.outputs());
        let (mut seen, mut products) = (plan.matrices(from), plan.matrices(to));
        let groups = outputs.chunks_mut(plan.group * to.len()).zip(inputs.chunks(plan.group * from.len()));
        for (output, input) in groups {
            planes.transform(input, of_input_tile, &mut seen);
            let tiles = planes.tiles_of(input.len());
            let each = kernels.chunks_exact(to.channels * from.channels).zip(
                seen.chunks_exact(from.channels * tiles).zip(products.chunks_exact_mut(to.channels * tiles)),
            );
            for (kernel, (seen, product)) in each {
                let kernel = Mat::row_major(kernel, to.channels, from.channels);
                let seen = Mat::row_major(seen, from.channels, tiles);
                matmul(product, Output::Overwrite, 1.0, kernel, seen, Threads::One);
            }
            of_outputs.transform_back(&products, of_products, |channel| biases[channel], output);
        }
    });
}

/// Gradients of outputs, inputs, and gradients of inputs where they are asked for.
type Part<'a, T> = (&'a [T], (&'a [T], Option<&'a mut [T]>));

/// The gradients of the inputs and, added to what is there, of the kernels, each where it is asked for.
pub(super) fn backward<T: Scalar>(
    layer: &Layer,
    padding: usize,
    weights: &[T],
    input: &[T],
    of_output: &[T],
    of_input: Option<&mut [T]>,
    gradient: Option<&mut [T]>,
) {
    let plan = Plan::of(layer, padding);
    let (from, to) = (plan.from, plan.to);
    let pairs = to.channels * from.channels;
    let kernels = if of_input.is_some() { kernels(weights) } else { Vec::new() };
    let part = |(of_outputs, (inputs, mut of_inputs)): Part<'_, T>| {
        let (mut planes, mut outputs) = (plan.inputs(), plan.outputs());
        let (mut seen, mut products) = (plan.matrices(from), plan.matrices(to));
        let mut sums = vec![T::ZERO; if gradient.is_some() { PRODUCTS * pairs } else { 0 }];
        let groups = of_outputs.chunks(plan.group * to.len()).zip(inputs.chunks(plan.group * from.len()));
        for (at, (of_output, input)) in groups.enumerate() {
            outputs.transform(of_output, of_products_back, &mut products);
            let tiles = outputs.tiles_of(of_output.len());
            let (wide, high) = (from.channels * tiles, to.channels * tiles);
            if gradient.is_some() {
                planes.transform(input, of_input_tile, &mut seen);
                let each = seen.chunks_exact(wide).zip(products.chunks_exact(high));
                for (sum, (seen, product)) in sums.chunks_exact_mut(pairs).zip(each) {
                    let product = Mat::row_major(product, to.channels, tiles);
                    let seen = Mat::row_major(seen, from.channels, tiles).transposed();
                    matmul(sum, Output::Add, 1.0, product, seen, Threads::One);
                }
            }
            if let Some(of_inputs) = &mut of_inputs {
                let each = seen.chunks_exact_mut(wide).zip(products.chunks_exact(high));
                for (kernel, (seen, product)) in kernels.chunks_exact(pairs).zip(each) {
                    let kernel = Mat::row_major(kernel, to.channels, from.channels).transposed();
                    let product = Mat::row_major(product, to.channels, tiles);
                    matmul(seen, Output::Overwrite, 1.0, kernel, product, Threads::One);
                }
                let start = at * plan.group * from.len();
                let of_input = &mut of_inputs[start..start + input.len()];
                planes.transform_back(&seen, of_input_tile_back, |_| T::ZERO, of_input);
            }
        }
        let mut of_weights = vec![T::ZERO; if gradient.is_some() { weights.len() } else { 0 }];
        kernels_back(&sums, &mut of_weights);
        of_weights
    };
    let of_inputs: Vec<Option<&mut [T]>> = match of_input {
        Some(of_input) => of_input.chunks_mut(PART * from.len()).map(Some).collect(),
        None => input.chunks(PART * from.len()).map(|_| None).collect(),
    };
    let inputs = input.par_chunks(PART * from.len()).zip(of_inputs);
    let parts: Vec<Vec<T>> = of_output.par_chunks(PART * to.len()).zip(inputs).map(part).collect();
    if let Some(gradient) = gradient {
        add_parts(gradient, &parts);
    }
}
