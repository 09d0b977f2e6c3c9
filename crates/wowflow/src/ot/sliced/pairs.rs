//! The pair stage: all class-to-class distances from one pass, all forces from a second one.

use pulp::Arch;
use rayon::prelude::*;

use super::kernels::{absolute_distance, add_scaled_difference, squared_distance};
use super::layout::PairLayout;
use super::profile::Profile;
use super::rows::{DirectionRows, Scratch};
use crate::kernel::Base;
use crate::scalar::Scalar;

/// Sliced distances of all pairs of classes: `SW_2^2` or `SW_1`, by the base asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PairSums {
    classes: usize,
    source_count: usize,
    values: Vec<f64>,
}

impl PairSums {
    fn zero(layout: &PairLayout) -> Self {
        let classes = layout.classes.len();
        Self { classes, source_count: layout.source_count, values: vec![0.0; classes * classes] }
    }

    /// Between two source classes.
    pub(crate) fn source_source(&self, c: usize, e: usize) -> f64 {
        self.values[c.min(e) * self.classes + c.max(e)]
    }

    /// Between a source class and a target class.
    pub(crate) fn source_target(&self, c: usize, d: usize) -> f64 {
        self.values[c * self.classes + self.source_count + d]
    }

    /// Between two target classes.
    pub(crate) fn target_target(&self, d: usize, e: usize) -> f64 {
        self.source_source(self.source_count + d, self.source_count + e)
    }
}

/// Directions whose sums are kept together, then added in order: the bits depend on the sizes
/// alone, whoever computes which block. At most 16 blocks, fewer when pairs are many.
fn block_size(directions: usize, pairs: usize) -> usize {
    const BLOCKS: usize = 16;
    const DOUBLES: usize = 1 << 23;
    directions.div_ceil((DOUBLES / pairs.max(1)).clamp(1, BLOCKS))
}

/// Means over directions of `W_2^2` or `W_1` between all classes of both sides.
pub(crate) fn pair_sums<T: Scalar>(
    layout: &PairLayout,
    source: &Profile<T>,
    target: &Profile<T>,
    directions: usize,
    base: Base,
) -> PairSums {
    let classes = layout.classes.len();
    let block = block_size(directions, classes * classes);
    let starts: Vec<usize> = (0..directions).step_by(block).collect();
    let partial: Vec<PairSums> = starts
        .into_par_iter()
        .map(|start| {
            let mut sums = PairSums::zero(layout);
            let mut scratch = Scratch::new(layout);
            for l in start..directions.min(start + block) {
                let rows = DirectionRows::at(layout, source, target, l);
                rows.sort_weights(&mut scratch);
                match base {
                    Base::SquaredSw2 => add_squared(layout, &rows, &mut scratch, &mut sums),
                    Base::Sw1 => add_absolute(layout, &rows, &mut scratch, &mut sums),
                }
            }
            sums
        })
        .collect();
    let mut total = PairSums::zero(layout);
    for sums in &partial {
        total.values.iter_mut().zip(&sums.values).for_each(|(total, value)| *total += value);
    }
    total.values.iter_mut().for_each(|value| *value /= directions as f64);
    total
}

fn add_squared<T: Scalar>(
    layout: &PairLayout,
    rows: &DirectionRows<'_, T>,
    scratch: &mut Scratch<T>,
    sums: &mut PairSums,
) {
    let arch = Arch::new();
    for (grid, info) in layout.grids.iter().enumerate() {
        // Each pair is taken once, on the grid of its first class.
        let first = info.members[0];
        rows.bring_to(grid, scratch, |other| other > first);
        for &c in &info.members {
            let row = rows.sorted(c);
            let weights = rows.weights(c, scratch);
            for other in c + 1..layout.classes.len() {
                let (means, variance) = rows.on_grid(grid, other, scratch);
                let between = match weights {
                    None => squared_distance(arch, row, means) / info.size as f64,
                    Some(weights) => weighted_squared_distance(row, means, weights),
                };
                sums.values[c * sums.classes + other] += between + variance;
            }
        }
    }
}

fn add_absolute<T: Scalar>(
    layout: &PairLayout,
    rows: &DirectionRows<'_, T>,
    scratch: &mut Scratch<T>,
    sums: &mut PairSums,
) {
    let arch = Arch::new();
    for c in 0..layout.classes.len() {
        let row = rows.sorted(c);
        for other in c + 1..layout.classes.len() {
            let values = rows.sorted(other);
            let distance = if layout.classes[c].grid == layout.classes[other].grid {
                absolute_distance(arch, row, values) / row.len() as f64
            } else {
                let difference = |i: u32, j: u32| (row[i as usize] - values[j as usize]).to_f64().abs();
                rows.segments(c, other, scratch).iter().map(|s| s.mass * difference(s.i, s.j)).sum()
            };
            sums.values[c * sums.classes + other] += distance;
        }
    }
}

/// Coefficients of the forces: entry (c, e) multiplies the difference of source class `c` to class
/// `e` (source classes, then target classes).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Coefficients<T> {
    values: Vec<T>,
    classes: usize,
}

impl<T: Scalar> Coefficients<T> {
    /// From a function of (source class, any class).
    pub(crate) fn new(layout: &PairLayout, entry: impl Fn(usize, usize) -> f64) -> Self {
        let classes = layout.classes.len();
        // Measures closer than the resolution of the coordinates exert no force: an infinite
        // coefficient times a vanishing difference must not become NaN.
        const LARGEST: f64 = 1e30;
        let bounded = |c, e| T::from_f64(entry(c, e).clamp(-LARGEST, LARGEST));
        let values = (0..layout.source_count).flat_map(|c| (0..classes).map(move |e| (c, e)));
        Self { values: values.map(|(c, e)| bounded(c, e)).collect(), classes }
    }
}

/// Replaces the source's sorted values by forces in sample order: `L x N`, before averaging over
/// directions and projecting back.
///
/// For `SW_2^2` the force on a sorted sample is `sum_e A_ce (s_c - s_e)` with `s_e` on the grid of
/// `c`; for `SW_1` differences are replaced by their signs (0 at ties), averaged over the plan.
pub(crate) fn forces<T: Scalar>(
    layout: &PairLayout,
    source: &mut Profile<T>,
    target: &Profile<T>,
    base: Base,
    coefficients: &Coefficients<T>,
) {
    let samples = layout.classes[layout.source_count - 1].range.end;
    let target_samples = layout.classes[layout.classes.len() - 1].range.end;
    source
        .values
        .par_chunks_mut(samples)
        .zip(source.order.par_chunks(samples))
        .zip(target.values.par_chunks(target_samples).zip(target.order.par_chunks(target_samples)))
        .for_each_init(
            || Scratch::new(layout),
            |scratch, ((values, order), target)| {
                let mut forces = std::mem::take(&mut scratch.forces);
                forces.fill(T::ZERO);
                let rows = DirectionRows::new(layout, (values, order), target);
                rows.sort_weights(scratch);
                match base {
                    Base::SquaredSw2 => squared_forces(layout, &rows, scratch, coefficients, &mut forces),
                    Base::Sw1 => absolute_forces(layout, &rows, scratch, coefficients, &mut forces),
                }
                for class in &layout.classes[..layout.source_count] {
                    let range = class.range.clone();
                    let scattered = &mut values[range.clone()];
                    for (force, &sample) in forces[range.clone()].iter().zip(&order[range]) {
                        scattered[sample as usize] = *force;
                    }
                }
                scratch.forces = forces;
            },
        );
}

fn squared_forces<T: Scalar>(
    layout: &PairLayout,
    rows: &DirectionRows<'_, T>,
    scratch: &mut Scratch<T>,
    coefficients: &Coefficients<T>,
    forces: &mut [T],
) {
    let arch = Arch::new();
    for (grid, info) in layout.grids.iter().enumerate() {
        if info.members[0] >= layout.source_count {
            continue;
        }
        rows.bring_to(grid, scratch, |_| true);
        for &c in info.members.iter().take_while(|c| **c < layout.source_count) {
            let row = rows.sorted(c);
            let out = &mut forces[layout.classes[c].range.clone()];
            let factors = &coefficients.values[c * coefficients.classes..(c + 1) * coefficients.classes];
            for (other, &factor) in factors.iter().enumerate() {
                if other != c && factor != T::ZERO {
                    let (means, _) = rows.on_grid(grid, other, scratch);
                    add_scaled_difference(arch, out, factor, row, means);
                }
            }
        }
    }
}

fn absolute_forces<T: Scalar>(
    layout: &PairLayout,
    rows: &DirectionRows<'_, T>,
    scratch: &mut Scratch<T>,
    coefficients: &Coefficients<T>,
    forces: &mut [T],
) {
    for c in 0..layout.source_count {
        let row = rows.sorted(c);
        let out = &mut forces[layout.classes[c].range.clone()];
        for other in 0..layout.classes.len() {
            let factor = coefficients.values[c * coefficients.classes + other];
            if other == c || factor == T::ZERO {
                continue;
            }
            let values = rows.sorted(other);
            if layout.classes[c].grid == layout.classes[other].grid {
                for ((out, x), y) in out.iter_mut().zip(row).zip(values) {
                    *out += factor * sign(*x, *y);
                }
                continue;
            }
            let uniform = row.len() as f64;
            let weights: Option<Vec<f64>> = rows.weights(c, scratch).map(<[f64]>::to_vec);
            for s in rows.segments(c, other, scratch) {
                let i = s.i as usize;
                // The share of the atom's own mass that this piece of the plan carries.
                let share = weights.as_ref().map_or(s.mass * uniform, |weights| s.mass / weights[i]);
                out[i] += factor * T::from_f64(share) * sign(row[i], values[s.j as usize]);
            }
        }
    }
}

fn sign<T: Scalar>(x: T, y: T) -> T {
    T::from_f64(f64::from(i8::from(x > y) - i8::from(x < y)))
}

fn weighted_squared_distance<T: Scalar>(a: &[T], b: &[T], weights: &[f64]) -> f64 {
    a.iter().zip(b).zip(weights).map(|((x, y), w)| w * (*x - *y).to_f64().powi(2)).sum()
}
