//! Structured orthogonal directions: three rounds of random signs and a fast Walsh–Hadamard transform.
//!
//! With `D` the power of two from `d` up, `H` the `D x D` Hadamard matrix and `S_1, S_2, S_3` diagonal
//! matrices of random signs, the rows of `D^{-3/2} H S_3 H S_2 H S_1` are orthonormal; their first `d`
//! coordinates, times `sqrt(D/d)`, are the directions (`book/src/mathematics.md`, "Directions"). A point is projected
//! in `O(D log D)` instead of `O(d L)`. Construction: Yu, Suresh, Choromanski, Holtmann-Rice, Kumar,
//! "Orthogonal random features", NeurIPS 2016.
//!
//! Sixteen points are transformed together: coordinate after coordinate, the points in the lanes of
//! vector registers. A block of `B` directions (a power of two) needs the last transform on `B`
//! coordinates only: the rest is folded on them with the signs of the block's number.

use std::ops::Range;

use pulp::NullaryFnOnce;
use rayon::prelude::*;

use crate::aligned::Aligned;
use crate::linalg::Output;
use crate::rng::Stream;
use crate::scalar::Scalar;
use crate::simd::dispatch256;

const LANES: usize = 8;
/// Vectors a coordinate.
const VECTORS: usize = 2;
/// Points transformed together.
const POINTS: usize = LANES * VECTORS;
/// Coordinates that are transformed in the fastest cache.
const NEAR: usize = 128;
/// Memory of all tiles together.
const TILES_BYTES: usize = 1 << 24;
/// Directions that a tile is projected on in one task, where a group has fewer.
const TOGETHER: usize = 512;

type Vector<T> = [T; LANES];

/// The directions of a stream, group after group of `D`.
#[derive(Clone, Debug)]
pub(crate) struct Hadamard<T: Scalar> {
    dim: usize,
    padded: usize,
    stream: Stream,
    /// Groups whose signs are held together, and which of these batches of groups is.
    groups: usize,
    batch: Option<usize>,
    signs: [Vec<T>; 3],
    tiles: Vec<Tile<T>>,
}

/// Working memory of one block of points.
#[derive(Clone, Debug)]
struct Tile<T: Scalar> {
    values: Aligned<T>,
    projected: Aligned<T>,
}

impl<T: Scalar> Tile<T> {
    #[inline(always)]
    fn vectors(&mut self) -> (&mut [Vector<T>], &mut [Vector<T>]) {
        (self.values.as_chunks_mut().0, self.projected.as_chunks_mut().0)
    }
}

impl<T: Scalar> Hadamard<T> {
    pub(crate) fn new(dim: usize, stream: Stream) -> Self {
        let padded = dim.next_power_of_two();
        let groups = (TOGETHER / padded).max(1);
        let signs = std::array::from_fn(|_| vec![T::ZERO; groups * padded]);
        Self { dim, padded, stream, groups, batch: None, signs, tiles: Vec::new() }
    }

    /// Takes the signs from another stream from now on.
    pub(crate) fn restart(&mut self, stream: Stream) {
        (self.stream, self.batch) = (stream, None);
    }

    fn scale(&self) -> f64 {
        let padded = self.padded as f64;
        (padded / self.dim as f64).sqrt() * padded.powf(-1.5)
    }

    /// Directions of a batch of groups.
    fn batch_len(&self) -> usize {
        self.groups * self.padded
    }

    fn prepare(&mut self, batch: usize) {
        if self.batch != Some(batch) {
            let blocks = self.padded.div_ceil(128) as u64;
            for (round, signs) in self.signs.iter_mut().enumerate() {
                for (group, signs) in (batch * self.groups..).zip(signs.chunks_mut(self.padded)) {
                    let first = (group * 3 + round) as u64 * blocks;
                    for (block, signs) in (first..).zip(signs.chunks_mut(128)) {
                        let words = self.stream.words(block);
                        for (i, sign) in signs.iter_mut().enumerate() {
                            let bit = words[i / 32] >> (i % 32) & 1;
                            *sign = T::from_f64(if bit == 1 { -1.0 } else { 1.0 });
                        }
                    }
                }
            }
            self.batch = Some(batch);
        }
        let directions = self.batch_len();
        let bytes = (self.padded + directions) * POINTS * size_of::<T>();
        let count = (TILES_BYTES / bytes).clamp(4, 64);
        let tile = || Tile {
            values: Aligned::zeros(POINTS * self.padded),
            projected: Aligned::zeros(POINTS * directions),
        };
        self.tiles.resize_with(count, tile);
    }

    /// `out` (`range.len() x N`) is the projections of `points` (`N x d`) on a range of directions.
    pub(crate) fn project(&mut self, range: Range<usize>, points: &[T], out: &mut [T]) {
        let (dim, first) = (self.dim, range.start);
        let samples = points.len() / dim;
        for batch in pieces(self.batch_len(), range) {
            self.prepare(batch.start / self.batch_len());
            let scale = T::from_f64(self.scale());
            let rows = &mut out[(batch.start - first) * samples..(batch.end - first) * samples];
            let (padded, signs, tiles) = (self.padded, &self.signs, &mut self.tiles);
            let many = tiles.len() * POINTS;
            for (chunk, points) in points.chunks(many * dim).enumerate() {
                tiles.par_iter_mut().zip(points.par_chunks(POINTS * dim)).for_each(|(tile, points)| {
                    let batch = batch.clone();
                    dispatch256(Forward { tile, points, dim, padded, signs, batch, scale });
                });
                rows.par_chunks_mut(samples).enumerate().for_each(|(l, row)| {
                    let row = &mut row[chunk * many..];
                    for (values, tile) in row.chunks_mut(POINTS).zip(tiles.iter()) {
                        values.copy_from_slice(&tile.projected[POINTS * l..][..values.len()]);
                    }
                });
            }
        }
    }

    /// `velocity` (`N x d`) is, or grows by, `scale` times the sum over a range of directions of
    /// `forces` (`range.len() x N`) along them.
    pub(crate) fn back_project(
        &mut self,
        range: Range<usize>,
        forces: &[T],
        scale: f64,
        output: Output,
        velocity: &mut [T],
    ) {
        let (dim, first) = (self.dim, range.start);
        let samples = velocity.len() / dim;
        let mut output = output;
        for batch in pieces(self.batch_len(), range) {
            self.prepare(batch.start / self.batch_len());
            let scale = T::from_f64(scale * self.scale());
            let rows = &forces[(batch.start - first) * samples..(batch.end - first) * samples];
            let (padded, signs, tiles) = (self.padded, &self.signs, &mut self.tiles);
            let many = tiles.len() * POINTS;
            for (chunk, velocity) in velocity.chunks_mut(many * dim).enumerate() {
                let blocks = velocity.par_chunks_mut(POINTS * dim).enumerate();
                tiles.par_iter_mut().zip(blocks).for_each(|(tile, (block, velocity))| {
                    let forces = (rows, samples, chunk * many + block * POINTS);
                    let (batch, add) = (batch.clone(), output == Output::Add);
                    dispatch256(Backward { tile, forces, velocity, dim, padded, signs, batch, scale, add });
                });
            }
            output = Output::Add;
        }
    }
}

/// A range cut at the multiples of a length.
fn pieces(len: usize, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let numbers = range.start / len..range.end.div_ceil(len);
    numbers.map(move |number| range.start.max(number * len)..range.end.min((number + 1) * len))
}

/// The directions of a batch that lie in one group.
struct Block {
    /// The directions, counted in the batch's range.
    directions: Range<usize>,
    /// Where the signs of the group lie in those of the batch.
    signs: Range<usize>,
    /// The power of two that covers the directions.
    width: usize,
    /// Counts blocks of this width in the group.
    number: usize,
}

/// The blocks of a range of directions that lies in a batch of groups of `padded`.
///
/// # Panics
/// A range within a group that does not start at a multiple of the power of two that covers it.
#[inline(always)]
fn blocks(padded: usize, batch_len: usize, range: Range<usize>) -> impl Iterator<Item = Block> {
    let first = range.start;
    pieces(padded, range).map(move |part| {
        let (group, offset) = (part.start / padded * padded % batch_len, part.start % padded);
        let width = part.len().next_power_of_two();
        assert!(offset.is_multiple_of(width), "a block of directions starts at a multiple of its width");
        Block {
            directions: part.start - first..part.end - first,
            signs: group..group + padded,
            width,
            number: offset / width,
        }
    })
}

struct Forward<'a, T: Scalar> {
    tile: &'a mut Tile<T>,
    points: &'a [T],
    dim: usize,
    padded: usize,
    /// Those of a batch of groups.
    signs: &'a [Vec<T>; 3],
    /// Directions in that batch.
    batch: Range<usize>,
    scale: T,
}

impl<T: Scalar> NullaryFnOnce for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { tile, points, dim, padded, signs, batch, scale } = self;
        let (values, all_projected) = tile.vectors();
        let mut rows: [&[T]; POINTS] = [&[]; POINTS];
        let mut count = 0;
        for (row, point) in rows.iter_mut().zip(points.chunks_exact(dim)) {
            *row = point;
            count += 1;
        }
        // Absent points repeat the first: lanes are independent, and nobody reads theirs.
        for k in count..POINTS {
            rows[k] = rows[0];
        }
        let rows = rows.map(|row| &row[..dim]);
        for Block { directions, signs: group, width, number } in blocks(padded, signs[0].len(), batch) {
            let signs = signs.each_ref().map(|signs| &signs[group.clone()]);
            gather(&rows, &mut values[..VECTORS * dim], &signs[0][..dim]);
            values[VECTORS * dim..].fill([T::ZERO; LANES]);
            transform(values);
            scale_rows(values, signs[1]);
            transform(values);
            // The last transform, on the rows wanted.
            let folded = &mut all_projected[VECTORS * directions.start..][..VECTORS * width];
            folded.fill([T::ZERO; LANES]);
            let parts = values.chunks_exact(VECTORS * width).zip(signs[2].chunks_exact(width)).enumerate();
            for (part, (values, signs)) in parts {
                let sign = if (part & number).count_ones() & 1 == 1 { T::ZERO - scale } else { scale };
                let coordinates = folded
                    .as_chunks_mut::<VECTORS>()
                    .0
                    .iter_mut()
                    .zip(values.as_chunks::<VECTORS>().0)
                    .zip(signs);
                for ((folded, values), own) in coordinates {
                    let factor = sign * *own;
                    for (folded, values) in folded.iter_mut().zip(values) {
                        *folded = sum(folded, &scaled(values, factor));
                    }
                }
            }
            transform(folded);
        }
    }
}

struct Backward<'a, T: Scalar> {
    tile: &'a mut Tile<T>,
    /// `L x N` forces, `N`, and the first point of the block.
    forces: (&'a [T], usize, usize),
    velocity: &'a mut [T],
    dim: usize,
    padded: usize,
    signs: &'a [Vec<T>; 3],
    batch: Range<usize>,
    scale: T,
    add: bool,
}

impl<T: Scalar> NullaryFnOnce for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { tile, velocity, dim, padded, signs, batch, scale, add, .. } = self;
        let (values, projected) = tile.vectors();
        let (rows, samples, first) = self.forces;
        let count = velocity.len() / dim;
        let mut add = add;
        for Block { directions, signs: group, width, number } in blocks(padded, signs[0].len(), batch) {
            let signs = signs.each_ref().map(|signs| &signs[group.clone()]);
            let rows = &rows[directions.start * samples..directions.end * samples];
            let folded = &mut projected[..VECTORS * width];
            folded.fill([T::ZERO; LANES]);
            for (folded, row) in folded.chunks_exact_mut(VECTORS).zip(rows.chunks_exact(samples)) {
                folded.as_flattened_mut()[..count].copy_from_slice(&row[first..first + count]);
            }
            transform(folded);
            let parts =
                values.chunks_exact_mut(VECTORS * width).zip(signs[2].chunks_exact(width)).enumerate();
            for (part, (values, signs)) in parts {
                let sign = if (part & number).count_ones() & 1 == 1 { T::ZERO - scale } else { scale };
                let coordinates = values
                    .as_chunks_mut::<VECTORS>()
                    .0
                    .iter_mut()
                    .zip(folded.as_chunks::<VECTORS>().0)
                    .zip(signs);
                for ((values, folded), own) in coordinates {
                    let factor = sign * *own;
                    for (values, folded) in values.iter_mut().zip(folded) {
                        *values = scaled(folded, factor);
                    }
                }
            }
            transform(values);
            scale_rows(values, signs[1]);
            transform(values);
            scatter(&values[..VECTORS * dim], &signs[0][..dim], velocity, add);
            add = true;
        }
    }
}

/// Coordinate after coordinate, the points in lanes, times the signs.
#[inline(always)]
fn gather<T: Scalar>(rows: &[&[T]; POINTS], values: &mut [Vector<T>], signs: &[T]) {
    let whole = signs.len() / LANES * LANES;
    for start in (0..whole).step_by(LANES) {
        for half in 0..VECTORS {
            let mut square = [[T::ZERO; LANES]; LANES];
            for (k, square) in square.iter_mut().enumerate() {
                square.copy_from_slice(&rows[half * LANES + k][start..start + LANES]);
            }
            let square = transposed(square);
            for (i, vector) in square.iter().enumerate() {
                values[VECTORS * (start + i) + half] = scaled(vector, signs[start + i]);
            }
        }
    }
    for i in whole..signs.len() {
        for (k, row) in rows.iter().enumerate() {
            values[VECTORS * i + k / LANES][k % LANES] = row[i] * signs[i];
        }
    }
}

/// The way back: rows of as many points as there are.
#[inline(always)]
fn scatter<T: Scalar>(values: &[Vector<T>], signs: &[T], rows: &mut [T], add: bool) {
    let dim = signs.len();
    let (whole, count) = (dim / LANES * LANES, rows.len() / dim);
    for half in 0..VECTORS {
        let present = count.saturating_sub(half * LANES).min(LANES);
        let rows = &mut rows[(half * LANES).min(count) * dim..];
        for start in (0..whole).step_by(LANES) {
            let mut square = [[T::ZERO; LANES]; LANES];
            for (i, vector) in square.iter_mut().enumerate() {
                *vector = scaled(&values[VECTORS * (start + i) + half], signs[start + i]);
            }
            let square = transposed(square);
            for (found, row) in square[..present].iter().zip(rows.chunks_exact_mut(dim)) {
                let out = &mut row[start..start + LANES];
                if add {
                    for k in 0..LANES {
                        out[k] += found[k];
                    }
                } else {
                    out.copy_from_slice(found);
                }
            }
        }
        for i in whole..dim {
            for (k, row) in rows.chunks_exact_mut(dim).take(present).enumerate() {
                let found = values[VECTORS * i + half][k] * signs[i];
                row[i] = if add { row[i] + found } else { found };
            }
        }
    }
}

/// Three rounds of interleaving rows four apart.
#[inline(always)]
fn transposed<T: Scalar>(mut x: [Vector<T>; LANES]) -> [Vector<T>; LANES] {
    for _ in 0..3 {
        let (a0, a1) = interleaved(&x[0], &x[4]);
        let (a2, a3) = interleaved(&x[1], &x[5]);
        let (a4, a5) = interleaved(&x[2], &x[6]);
        let (a6, a7) = interleaved(&x[3], &x[7]);
        x = [a0, a1, a2, a3, a4, a5, a6, a7];
    }
    x
}

#[inline(always)]
fn interleaved<T: Scalar>(a: &Vector<T>, b: &Vector<T>) -> (Vector<T>, Vector<T>) {
    ([a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3]], [a[4], b[4], a[5], b[5], a[6], b[6], a[7], b[7]])
}

#[inline(always)]
fn scale_rows<T: Scalar>(values: &mut [Vector<T>], factors: &[T]) {
    for (value, factor) in values.as_chunks_mut::<VECTORS>().0.iter_mut().zip(factors) {
        for vector in value {
            *vector = scaled(vector, *factor);
        }
    }
}

/// The Walsh–Hadamard transform of all lanes, unnormalised; a power of two of coordinates.
///
/// Far levels first: eight parts at a time, until a part fits the fastest cache.
#[inline(always)]
fn transform<T: Scalar>(values: &mut [Vector<T>]) {
    let mut part = values.len();
    while part > VECTORS * NEAR {
        for values in values.chunks_exact_mut(part) {
            butterfly8(values);
        }
        part /= 8;
    }
    for values in values.chunks_exact_mut(part) {
        let mut part = part;
        while part >= 8 * VECTORS {
            for values in values.chunks_exact_mut(part) {
                butterfly8(values);
            }
            part /= 8;
        }
        match part / VECTORS {
            4 => {
                for values in values.chunks_exact_mut(4 * VECTORS) {
                    butterfly4(values);
                }
            }
            2 => {
                for values in values.chunks_exact_mut(2 * VECTORS) {
                    butterfly2(values);
                }
            }
            _ => {}
        }
    }
}

/// Three levels at once: the eight parts of `values`.
#[inline(always)]
fn butterfly8<T: Scalar>(values: &mut [Vector<T>]) {
    let part = values.len() / 8;
    let (v0, rest) = values.split_at_mut(part);
    let (v1, rest) = rest.split_at_mut(part);
    let (v2, rest) = rest.split_at_mut(part);
    let (v3, rest) = rest.split_at_mut(part);
    let (v4, rest) = rest.split_at_mut(part);
    let (v5, rest) = rest.split_at_mut(part);
    let (v6, v7) = rest.split_at_mut(part);
    let low = v0.iter_mut().zip(v1).zip(v2.iter_mut().zip(v3));
    let high = v4.iter_mut().zip(v5).zip(v6.iter_mut().zip(v7));
    for (((x0, x1), (x2, x3)), ((x4, x5), (x6, x7))) in low.zip(high) {
        let (a0, a4) = sum_difference(x0, x4);
        let (a1, a5) = sum_difference(x1, x5);
        let (a2, a6) = sum_difference(x2, x6);
        let (a3, a7) = sum_difference(x3, x7);
        let (b0, b2) = sum_difference(&a0, &a2);
        let (b1, b3) = sum_difference(&a1, &a3);
        let (b4, b6) = sum_difference(&a4, &a6);
        let (b5, b7) = sum_difference(&a5, &a7);
        (*x0, *x1) = sum_difference(&b0, &b1);
        (*x2, *x3) = sum_difference(&b2, &b3);
        (*x4, *x5) = sum_difference(&b4, &b5);
        (*x6, *x7) = sum_difference(&b6, &b7);
    }
}

#[inline(always)]
fn butterfly4<T: Scalar>(values: &mut [Vector<T>]) {
    let part = values.len() / 4;
    for i in 0..part {
        let (ac, a_c) = sum_difference(&values[i], &values[2 * part + i]);
        let (bd, b_d) = sum_difference(&values[part + i], &values[3 * part + i]);
        (values[i], values[part + i]) = sum_difference(&ac, &bd);
        (values[2 * part + i], values[3 * part + i]) = sum_difference(&a_c, &b_d);
    }
}

#[inline(always)]
fn butterfly2<T: Scalar>(values: &mut [Vector<T>]) {
    let part = values.len() / 2;
    for i in 0..part {
        (values[i], values[part + i]) = sum_difference(&values[i], &values[part + i]);
    }
}

#[inline(always)]
fn scaled<T: Scalar>(a: &Vector<T>, factor: T) -> Vector<T> {
    let mut product = [T::ZERO; LANES];
    for k in 0..LANES {
        product[k] = a[k] * factor;
    }
    product
}

#[inline(always)]
fn sum<T: Scalar>(a: &Vector<T>, b: &Vector<T>) -> Vector<T> {
    sum_difference(a, b).0
}

#[inline(always)]
fn sum_difference<T: Scalar>(a: &Vector<T>, b: &Vector<T>) -> (Vector<T>, Vector<T>) {
    let (mut sum, mut difference) = ([T::ZERO; LANES], [T::ZERO; LANES]);
    for k in 0..LANES {
        sum[k] = a[k] + b[k];
        difference[k] = a[k] - b[k];
    }
    (sum, difference)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;

    fn noise(len: usize, step: u64) -> Vec<f64> {
        let mut values = vec![0.0; len];
        Stream::new(1, Purpose::Test, step).normals(0, &mut values);
        values
    }

    /// The directions by their definition, row `l` of a group.
    fn row(hadamard: &mut Hadamard<f64>, l: usize) -> Vec<f64> {
        let padded = hadamard.padded;
        hadamard.prepare(l / hadamard.batch_len());
        let group = l / padded % hadamard.groups * padded;
        let mut row: Vec<f64> =
            (0..padded).map(|i| if ((l % padded) & i).count_ones() % 2 == 1 { -1.0 } else { 1.0 }).collect();
        for round in [2, 1, 0] {
            row.iter_mut().zip(&hadamard.signs[round][group..]).for_each(|(v, s)| *v *= s);
            if round > 0 {
                row = (0..padded)
                    .map(|i| {
                        let term =
                            |(k, v): (usize, &f64)| if (i & k).count_ones() % 2 == 1 { -v } else { *v };
                        row.iter().enumerate().map(term).sum()
                    })
                    .collect();
            }
        }
        let scale = hadamard.scale();
        row[..hadamard.dim].iter().map(|v| scale * v).collect()
    }

    #[test]
    fn the_fast_transform_is_the_matrix() {
        for (dim, count, samples, block) in [
            (1, 1, 3, 1),
            (2, 5, 17, 2),
            (5, 8, 40, 4),
            (7, 20, 33, 32),
            (60, 50, 18, 16),
            (300, 512, 5, 512),
            (3, 1030, 5, 1024),
            (1, 600, 2, 128),
        ] {
            let points = noise(samples * dim, 1);
            let forces = noise(samples * count, 2);
            let mut hadamard = Hadamard::new(dim, Stream::new(4, Purpose::Test, 9));
            let rows: Vec<Vec<f64>> = (0..count).map(|l| row(&mut hadamard, l)).collect();
            let mut velocity = vec![f64::NAN; samples * dim];
            let mut output = Output::Overwrite;
            for start in (0..count).step_by(block) {
                let range = start..count.min(start + block);
                let mut projected = vec![f64::NAN; range.len() * samples];
                hadamard.project(range.clone(), &points, &mut projected);
                for (theta, projected) in rows[range.clone()].iter().zip(projected.chunks(samples)) {
                    for (point, found) in points.chunks(dim).zip(projected) {
                        let expected: f64 = theta.iter().zip(point).map(|(t, x)| t * x).sum();
                        assert!((found - expected).abs() < 1e-11, "{dim} {count} {block}");
                    }
                }
                let part = &forces[start * samples..range.end * samples];
                hadamard.back_project(range, part, 0.5, output, &mut velocity);
                output = Output::Add;
            }
            for (n, velocity) in velocity.chunks(dim).enumerate() {
                for (i, found) in velocity.iter().enumerate() {
                    let expected: f64 = (0..count).map(|l| 0.5 * forces[l * samples + n] * rows[l][i]).sum();
                    assert!((found - expected).abs() < 1e-10, "{dim} {count} {block}: {found} {expected}");
                }
            }
        }
    }
}
