//! Classes whose samples have weights: one walk over the levels at which any class goes on to its next sample.
//!
//! Between two levels all quantile functions `q_e` are constant, so their integrals `I_e(t) = b_e + q_e t` are lines
//! whose coefficients change for one class a level. What a pair of classes needs are values of `I_e` at the levels of
//! the other class, and there a vector register holds several classes `e`: the work is one pass over all classes a
//! level, as it is for classes of equal sizes. By parts, with `q_c` jumping at the levels `t` of `c`,
//!
//! `E[q_c q_e] = q_c(1) I_e(1) - sum_t (q_c(t+) - q_c(t-)) I_e(t)`,
//!
//! and the conditional mean of `e` on an atom of `c` of mass `w` is the difference of `I_e` at its ends over `w`. Rows
//! are centred class by class, so that digits are lost to the spread of a class alone and never to where it lies.

use std::ops::Range;

use pulp::NullaryFnOnce;

use super::backend::Measured;
use super::layout::{PairLayout, WithinAtomVariance};
use super::loops::multiply_add;
use super::matrix::Coefficients;
use super::rows::{Couplings, SortedRows};
use crate::ot::sort::order;
use crate::scalar::Scalar;
use crate::simd::{dispatch256, fuses};

/// Classes of a vector of them.
const WIDTH: usize = 4;
/// Classes closer than this, relative to their own moments, are compared through their coupling: their distance would be
/// a difference of almost equal numbers.
const CLOSE: f64 = 1e-5;
/// Coefficients larger than this, relative to the median of their class, belong to close classes.
const LARGE: f64 = 1e3;
/// Vectors of classes up to which all are taken at every level: that costs less than a branch taken at random.
const FEW: usize = 8;
/// The mass below which an atom gets the other classes' values at its level: the difference of two integrals over such
/// a mass would be rounding.
const LEAST_MASS: f64 = 1e-9;

/// The levels of a direction, with what the walk along them needs.
#[derive(Clone, Debug)]
struct Line {
    /// Where a class starts in what has an entry a sample, class after class, and the class of each entry.
    offsets: Vec<usize>,
    class_of: Vec<u32>,
    /// Of all samples, sorted within their classes: the level after it, its mass, its coordinate minus the mean of the
    /// class, and that of the next sample, or its own where no mass is left.
    levels: Vec<f64>,
    masses: Vec<f64>,
    values: Vec<f64>,
    nexts: Vec<f64>,
    /// Levels with the places of their samples in the last bits, class after class and in order; how many there are in
    /// each of equal parts of the unit interval.
    unsorted: Vec<u64>,
    sorted: Vec<u64>,
    starts: Vec<u32>,
    place_bits: u32,
    /// The mean of each class.
    means: Vec<f64>,
    /// Of each class, in vectors: `q` and `b`.
    quantiles: Vec<[f64; WIDTH]>,
    intercepts: Vec<[f64; WIDTH]>,
}

/// The pair stage along one direction after another, and its buffers.
#[derive(Clone, Debug)]
pub(crate) struct Levels {
    line: Line,
    /// `E[q^2]` of each centred class, and its sum over directions.
    moments: Vec<f64>,
    moment_sums: Vec<f64>,
    /// A row of vectors a class: sums of distances, and integrals up to the current atom.
    sums: Vec<[f64; WIDTH]>,
    integrals: Vec<[f64; WIDTH]>,
    /// Of each class, 0 for those of the target: coefficients, their sum, what they make of the integrals up to the current atom, and of
    /// the means.
    factors: Vec<[f64; WIDTH]>,
    totals: Vec<f64>,
    reached: Vec<f64>,
    offset_forces: Vec<f64>,
    /// Forces on all samples, sorted within their classes; those of the source come first.
    found: Vec<f64>,
    /// Pairs of close classes with their coefficients, and magnitudes of coefficients.
    close: Vec<((usize, usize), f64)>,
    magnitudes: Vec<f64>,
}

impl Levels {
    pub(crate) fn new(layout: &PairLayout) -> Self {
        let (classes, source_count) = (layout.classes.len(), layout.source_count);
        let line = Line::new(layout);
        let rows = vec![[0.0; WIDTH]; classes * line.vectors()];
        Self {
            moments: vec![0.0; classes],
            moment_sums: vec![0.0; classes],
            sums: rows.clone(),
            integrals: rows.clone(),
            factors: rows,
            totals: vec![0.0; classes],
            reached: vec![0.0; classes],
            offset_forces: vec![0.0; classes],
            found: vec![0.0; line.values.len()],
            close: Vec::with_capacity(source_count * classes.div_ceil(2)),
            magnitudes: Vec::with_capacity(classes),
            line,
        }
    }

    /// Adds `SW_2^2` of the classes of a band to all later classes, summed over directions.
    pub(super) fn add_distances<T: Scalar>(
        &mut self,
        rows: SortedRows<'_, T>,
        measured: Measured,
        band: Range<usize>,
        couplings: &mut Couplings,
        sums: &mut [f64],
    ) {
        let (classes, source_count) = (rows.layout.classes.len(), rows.layout.source_count);
        let excluded = measured.within_atoms == WithinAtomVariance::Excluded;
        let vectors = self.line.vectors();
        self.sums[band.start * vectors..band.end * vectors].fill([0.0; WIDTH]);
        self.moment_sums.fill(0.0);
        for direction in 0..rows.count() {
            self.line.prepare(&rows, direction);
            self.moments.fill(0.0);
            self.integrals.fill([0.0; WIDTH]);
            let distances = Distances {
                walk: self.line.walk(),
                band: band.clone(),
                sources: excluded.then_some(source_count),
                moments: &mut self.moments,
                sums: &mut self.sums,
                integrals: &mut self.integrals,
            };
            if fuses() {
                dispatch256(Fused::<_, true>(distances));
            } else {
                dispatch256(Fused::<_, false>(distances));
            }
            self.add_ends(band.clone(), excluded.then_some(source_count));
        }
        for (c, sums) in band.zip(sums.chunks_exact_mut(classes)) {
            let found = self.sums[c * vectors..(c + 1) * vectors].as_flattened();
            for (e, (sum, &found)) in sums.iter_mut().zip(found).enumerate().skip(c + 1) {
                let excluded = excluded && c < source_count && e >= source_count;
                let near = found <= CLOSE * (self.moment_sums[c] + self.moment_sums[e]);
                let along = |direction| couplings.squared_distance(&rows, (c, e), direction, excluded);
                *sum += if near { (0..rows.count()).map(along).sum() } else { found };
            }
        }
    }

    /// Adds what the ends of the walk and the means make of a direction's distances.
    fn add_ends(&mut self, band: Range<usize>, sources: Option<usize>) {
        let Self { line, moments, moment_sums, sums, .. } = self;
        let (quantiles, intercepts) = (line.quantiles.as_flattened(), line.intercepts.as_flattened());
        for ((moment, sum), last) in moments.iter_mut().zip(moment_sums).zip(quantiles) {
            *moment += last * last;
            *sum += *moment;
        }
        let vectors = line.vectors();
        for c in band {
            let sums = sums[c * vectors..(c + 1) * vectors].as_flattened_mut();
            for e in c + 1..moments.len() {
                let product = quantiles[c] * (intercepts[e] + quantiles[e]);
                let excluded = sources.is_some_and(|count| c < count && e >= count);
                let spread = if excluded { 0.0 } else { moments[e] };
                let between = (line.means[c] - line.means[e]).powi(2);
                sums[e] += between + (moments[c] + spread - 2.0 * product);
            }
        }
    }

    /// Takes over coefficients, for [`Self::forces`].
    pub(super) fn weigh<T: Scalar>(&mut self, source_count: usize, coefficients: &Coefficients<T>) {
        let vectors = self.line.vectors();
        self.close.clear();
        for (c, total) in self.totals[..source_count].iter_mut().enumerate() {
            let factors = self.factors[c * vectors..(c + 1) * vectors].as_flattened_mut();
            let row = coefficients.row(c);
            self.magnitudes.clear();
            self.magnitudes.extend(row.iter().map(|value| value.to_f64().abs()));
            let middle = row.len() / 2;
            let (_, &mut median, _) = self.magnitudes.select_nth_unstable_by(middle, f64::total_cmp);
            for (e, (factor, value)) in factors.iter_mut().zip(row).enumerate() {
                *factor = value.to_f64();
                if factor.abs() > LARGE * median {
                    self.close.push(((c, e), *factor));
                    *factor = 0.0;
                }
            }
            *total = factors[..row.len()].iter().sum();
        }
    }

    /// Forces on all source samples along a direction, in sorted order.
    pub(super) fn forces<T: Scalar>(
        &mut self,
        rows: &SortedRows<'_, T>,
        direction: usize,
        couplings: &mut Couplings,
        forces: &mut [T],
    ) {
        self.line.prepare(rows, direction);
        let vectors = self.line.vectors();
        let means = &self.line.means;
        for (c, force) in self.offset_forces[..rows.layout.source_count].iter_mut().enumerate() {
            let factors = self.factors[c * vectors..(c + 1) * vectors].as_flattened();
            *force = factors.iter().zip(means).map(|(factor, mean)| factor * (means[c] - mean)).sum();
        }
        self.reached.fill(0.0);
        let operation = Forces {
            walk: self.line.walk(),
            source_count: rows.layout.source_count,
            factors: &self.factors,
            totals: &self.totals,
            offset_forces: &self.offset_forces,
            reached: &mut self.reached,
            found: &mut self.found,
        };
        if fuses() {
            dispatch256(Fused::<_, true>(operation));
        } else {
            dispatch256(Fused::<_, false>(operation));
        }
        forces.iter_mut().zip(&self.found).for_each(|(force, found)| *force = T::from_f64(*found));
        for &((c, e), factor) in &self.close {
            let forces = &mut forces[rows.layout.classes[c].range()];
            couplings.add_forces::<T, false>(rows, (c, e), direction, factor, forces);
        }
    }
}

impl Line {
    fn new(layout: &PairLayout) -> Self {
        let classes = layout.classes.len();
        let mut offsets = vec![0];
        let mut class_of = Vec::new();
        for (c, class) in (0..).zip(&layout.classes) {
            class_of.resize(class_of.len() + class.range.len(), c);
            offsets.push(class_of.len());
        }
        let samples = class_of.len();
        let parts = samples.next_power_of_two();
        let zeros = vec![0.0; samples];
        let vectors = vec![[0.0; WIDTH]; classes.div_ceil(WIDTH)];
        Self {
            offsets,
            class_of,
            levels: zeros.clone(),
            masses: zeros.clone(),
            values: zeros.clone(),
            nexts: zeros,
            unsorted: vec![0; samples],
            sorted: vec![0; samples],
            starts: vec![0; parts + 2],
            place_bits: parts.ilog2(),
            means: vec![0.0; classes],
            quantiles: vectors.clone(),
            intercepts: vectors,
        }
    }

    /// Vectors of a row of classes.
    fn vectors(&self) -> usize {
        self.quantiles.len()
    }

    /// Sorts the levels of a direction and goes to level 0.
    fn prepare<T: Scalar>(&mut self, rows: &SortedRows<'_, T>, direction: usize) {
        /// Bits of a level; the number is 0 in the first of them for all levels but 1.
        const LEVEL_BITS: u32 = f64::MANTISSA_DIGITS - 1;
        let ones = self.starts.len() - 2;
        let (places, part) = (self.place_bits, LEVEL_BITS - ones.ilog2());
        let kept = LEVEL_BITS.min(u64::BITS - 1 - places);
        self.starts.fill(0);
        for class in 0..self.means.len() {
            let (start, end) = (self.offsets[class], self.offsets[class + 1]);
            let levels = &mut self.levels[start..end];
            let masses = &mut self.masses[start..end];
            rows.sorted_weights(class, direction, masses);
            let mut level = 0.0;
            for (reached, mass) in levels.iter_mut().zip(masses.iter()) {
                level += mass;
                *reached = level;
            }
            // Weights sum to 1 up to rounding; all classes end at the same level.
            let whole = level;
            let mut before = 0.0;
            let keys = self.unsorted[start..end].iter_mut().zip(start as u64..);
            for ((level, mass), (key, place)) in levels.iter_mut().zip(masses.iter_mut()).zip(keys) {
                *level = if *level >= whole { 1.0 } else { level.min(1.0) };
                (*mass, before) = (*level - before, *level);
                // From 1 to 2 doubles are evenly spaced.
                let bits = (1.0 + *level).to_bits() - 1f64.to_bits();
                *key = (bits >> (LEVEL_BITS - kept)) << places | place;
                self.starts[(bits >> part) as usize + 1] += 1;
            }
            let sorted = rows.sorted(class, direction);
            let mean = sorted.iter().zip(masses.iter()).map(|(x, mass)| mass * x.to_f64()).sum();
            self.means[class] = mean;
            let values = &mut self.values[start..end];
            values.iter_mut().zip(sorted).for_each(|(value, x)| *value = x.to_f64() - mean);
            // The last sample with mass stays: those without mass that follow are never reached.
            let levels = &self.levels[start..end];
            let last = levels.partition_point(|level| *level < 1.0);
            let nexts = &mut self.nexts[start..end];
            nexts[..last].copy_from_slice(&values[1..=last]);
            nexts[last..].fill(values[last]);
            self.quantiles[class / WIDTH][class % WIDTH] = values[0];
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += *start;
            *start = sum;
        }
        for &key in &self.unsorted {
            let start = &mut self.starts[(key >> (places + kept - ones.ilog2())) as usize];
            self.sorted[*start as usize] = key;
            *start += 1;
        }
        order(&mut self.sorted);
        self.intercepts.fill([0.0; WIDTH]);
    }

    /// From level 0 on.
    fn walk(&mut self) -> Walk<'_> {
        Walk {
            sorted: &self.sorted,
            mask: (1 << self.place_bits) - 1,
            class_of: &self.class_of,
            levels: &self.levels,
            masses: &self.masses,
            values: &self.values,
            nexts: &self.nexts,
            quantiles: &mut self.quantiles,
            intercepts: &mut self.intercepts,
        }
    }
}

/// All classes at a level.
struct Walk<'a> {
    sorted: &'a [u64],
    mask: u64,
    class_of: &'a [u32],
    levels: &'a [f64],
    masses: &'a [f64],
    values: &'a [f64],
    nexts: &'a [f64],
    quantiles: &'a mut [[f64; WIDTH]],
    intercepts: &'a mut [[f64; WIDTH]],
}

/// A level at which a class goes on to its next sample.
#[derive(Clone, Copy, Debug)]
struct Event {
    level: f64,
    class: usize,
    place: usize,
}

impl Walk<'_> {
    #[inline(always)]
    fn event(&self, key: u64) -> Event {
        let place = (key & self.mask) as usize;
        Event { level: self.levels[place], class: self.class_of[place] as usize, place }
    }

    /// Lets a class go on to its next sample; returns its value before, and by how much it jumps: 0 after the last one.
    #[inline(always)]
    fn pass(&mut self, event: Event) -> (f64, f64) {
        let (vector, lane) = (event.class / WIDTH, event.class % WIDTH);
        let (before, after) = (self.quantiles[vector][lane], self.nexts[event.place]);
        let jump = after - before;
        // Whole vectors are written, as whole vectors are read next.
        let (mut quantiles, mut intercepts) = (self.quantiles[vector], self.intercepts[vector]);
        for k in 0..WIDTH {
            let own = k == lane;
            quantiles[k] = if own { after } else { quantiles[k] };
            intercepts[k] -= if own { jump * event.level } else { 0.0 };
        }
        (self.quantiles[vector], self.intercepts[vector]) = (quantiles, intercepts);
        (before, jump)
    }
}

/// The integral of a vector of classes up to a level.
#[inline(always)]
fn integral<const FUSED: bool>(
    quantiles: &[f64; WIDTH],
    intercepts: &[f64; WIDTH],
    level: f64,
) -> [f64; WIDTH] {
    std::array::from_fn(
        #[inline(always)]
        |k| multiply_add::<f64, FUSED>(quantiles[k], level, intercepts[k]),
    )
}

/// An operation whose products and sums are one instruction, or two.
struct Fused<O, const FUSED: bool>(O);

struct Distances<'a> {
    walk: Walk<'a>,
    band: Range<usize>,
    /// The number of source classes, if the variance of target classes within their atoms is left out.
    sources: Option<usize>,
    moments: &'a mut [f64],
    sums: &'a mut [[f64; WIDTH]],
    integrals: &'a mut [[f64; WIDTH]],
}

impl<const FUSED: bool> NullaryFnOnce for Fused<Distances<'_>, FUSED> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Distances { mut walk, band, sources, moments, sums, integrals } = self.0;
        let vectors = walk.quantiles.len();
        for &key in walk.sorted {
            let event = walk.event(key);
            let class = event.class;
            let row = class * vectors..(class + 1) * vectors;
            if let Some(count) = sources.filter(|count| class < *count && band.contains(&class)) {
                // The mean square of conditional means, with the sign that its part of the variance has.
                let mass = walk.masses[event.place];
                let (sums, reached) = (&mut sums[row.clone()], &mut integrals[row.clone()]);
                for v in 0..vectors {
                    let integral = integral::<FUSED>(&walk.quantiles[v], &walk.intercepts[v], event.level);
                    for k in 0..WIDTH {
                        if WIDTH * v + k >= count && mass > LEAST_MASS {
                            sums[v][k] += (integral[k] - reached[v][k]).powi(2) / mass;
                        }
                    }
                    reached[v] = integral;
                }
            }
            let (before, jump) = walk.pass(event);
            moments[class] -= jump * (2.0 * before + jump) * event.level;
            if band.contains(&class) {
                let from = if vectors <= FEW { 0 } else { (class + 1) / WIDTH };
                let sums = sums[row].iter_mut().skip(from);
                let lines = walk.quantiles.iter().zip(walk.intercepts.iter()).skip(from);
                let twice = 2.0 * jump;
                for (sums, (quantiles, intercepts)) in sums.zip(lines) {
                    let integral = integral::<FUSED>(quantiles, intercepts, event.level);
                    for k in 0..WIDTH {
                        sums[k] = multiply_add::<f64, FUSED>(twice, integral[k], sums[k]);
                    }
                }
            }
        }
    }
}

struct Forces<'a> {
    walk: Walk<'a>,
    source_count: usize,
    factors: &'a [[f64; WIDTH]],
    totals: &'a [f64],
    offset_forces: &'a [f64],
    reached: &'a mut [f64],
    found: &'a mut [f64],
}

impl<const FUSED: bool> NullaryFnOnce for Fused<Forces<'_>, FUSED> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Forces { mut walk, source_count, factors, totals, offset_forces, reached, found } = self.0;
        let vectors = walk.quantiles.len();
        for &key in walk.sorted {
            let event = walk.event(key);
            let class = event.class;
            // Forces on target classes, whose coefficients are 0, are not asked for.
            if vectors <= FEW || class < source_count {
                let factors = &factors[class * vectors..(class + 1) * vectors];
                let mut lanes = [0.0; WIDTH];
                let lines = walk.quantiles.iter().zip(walk.intercepts.iter());
                for (factors, (quantiles, intercepts)) in factors.iter().zip(lines) {
                    let integral = integral::<FUSED>(quantiles, intercepts, event.level);
                    for k in 0..WIDTH {
                        lanes[k] = multiply_add::<f64, FUSED>(factors[k], integral[k], lanes[k]);
                    }
                }
                let here = total(&lanes);
                let mass = walk.masses[event.place];
                let mean = if mass > LEAST_MASS {
                    (here - reached[class]) / mass
                } else {
                    let pairs = factors.as_flattened().iter().zip(walk.quantiles.as_flattened());
                    pairs.map(|(factor, quantile)| factor * quantile).sum()
                };
                reached[class] = here;
                found[event.place] = totals[class] * walk.values[event.place] - mean + offset_forces[class];
            }
            walk.pass(event);
        }
    }
}

/// The sum of a vector's lanes, halves first.
///
/// Not inlined: the compiler would add the halves first, in the loop that leads here.
#[inline(never)]
fn total(lanes: &[f64; WIDTH]) -> f64 {
    (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
}
