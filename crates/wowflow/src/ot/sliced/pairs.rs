//! The pair stage along one direction: all class-to-class distances in one pass, all forces in a
//! second one.

use pulp::Arch;

use super::kernels::{OTHERS, OWN, absolute_distance, add_differences, squared_distances};
use super::layout::PairLayout;
use super::rows::{DirectionRows, Scratch, window_len};
use crate::kernel::Base;
use crate::scalar::Scalar;

/// Sums or means over directions of `W_2^2` or `W_1` between all classes, by the base asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PairSums {
    classes: usize,
    source_count: usize,
    values: Vec<f64>,
}

impl PairSums {
    pub(crate) fn zero(layout: &PairLayout) -> Self {
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

    pub(crate) fn reset(&mut self) {
        self.values.fill(0.0);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.values.iter_mut().zip(&other.values).for_each(|(sum, value)| *sum += value);
    }

    pub(crate) fn divide(&mut self, count: f64) {
        self.values.iter_mut().for_each(|value| *value /= count);
    }
}

/// Adds the distances of all pairs along a direction, rows sorted and weights with them.
pub(crate) fn add_distances<T: Scalar>(
    layout: &PairLayout,
    rows: &DirectionRows<'_, T>,
    base: Base,
    scratch: &mut Scratch<T>,
    sums: &mut PairSums,
) {
    match base {
        Base::SquaredSw2 => add_squared(layout, rows, scratch, sums),
        Base::Sw1 => add_absolute(layout, rows, scratch, sums),
    }
}

fn add_squared<T: Scalar>(
    layout: &PairLayout,
    rows: &DirectionRows<'_, T>,
    scratch: &mut Scratch<T>,
    sums: &mut PairSums,
) {
    let (arch, classes) = (Arch::new(), layout.classes.len());
    for (grid, info) in layout.grids.iter().enumerate() {
        // Each pair is taken once, on the grid of its first class.
        let first = info.members[0] + 1;
        for start in (first..classes).step_by(window_len(info.size)) {
            let window = start..classes.min(start + window_len(info.size));
            rows.bring_to(grid, window.clone(), scratch);
            if !info.uniform {
                let (c, own) = (info.members[0], rows.sorted(info.members[0]));
                for other in window {
                    let means = rows.on_grid(grid, other, scratch);
                    let weights = rows.weights(c, scratch).unwrap_or_default();
                    let between = weighted_squared_distance(own, means, weights);
                    sums.values[c * classes + other] += between + rows.variance(grid, other, scratch);
                }
                continue;
            }
            let mut tile = window.start;
            while tile < window.end {
                // A tile that is not full repeats its last row, whose sum is not used twice.
                let others: [usize; OTHERS] = std::array::from_fn(|k| (tile + k).min(window.end - 1));
                let other_rows = others.map(|other| rows.on_grid(grid, other, scratch));
                let count = (window.end - tile).min(OTHERS);
                let before = info.members.partition_point(|&c| c < others[OTHERS - 1]);
                for own in info.members[..before].chunks(OWN) {
                    let own_rows = std::array::from_fn(|k| rows.sorted(own[k.min(own.len() - 1)]));
                    let found = squared_distances(arch, own_rows, other_rows);
                    for (&c, found) in own.iter().zip(&found) {
                        for (&other, between) in others[..count].iter().zip(found) {
                            if c < other {
                                let variance = rows.variance(grid, other, scratch);
                                sums.values[c * classes + other] += between / info.size as f64 + variance;
                            }
                        }
                    }
                }
                tile += OTHERS;
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
    pub(crate) fn zero(layout: &PairLayout) -> Self {
        let classes = layout.classes.len();
        Self { values: vec![T::ZERO; layout.source_count * classes], classes }
    }

    /// Sets all entries but the diagonal from a function of (source class, any class).
    pub(crate) fn set(&mut self, entry: impl Fn(usize, usize) -> f64) {
        // Measures closer than the resolution of the coordinates exert no force: an infinite
        // coefficient times a vanishing difference must not become NaN.
        const LARGEST: f64 = 1e30;
        for (c, row) in self.values.chunks_mut(self.classes).enumerate() {
            for (e, value) in row.iter_mut().enumerate() {
                let found = if c == e { 0.0 } else { entry(c, e) };
                *value = T::from_f64(found.clamp(-LARGEST, LARGEST));
            }
        }
    }

    fn row(&self, c: usize) -> &[T] {
        &self.values[c * self.classes..(c + 1) * self.classes]
    }
}

/// Replaces the source's sorted values along a direction by forces in sample order, before
/// averaging over directions and projecting back.
///
/// For `SW_2^2` the force on a sorted sample is `sum_e A_ce (s_c - s_e)` with `s_e` on the grid of
/// `c`; for `SW_1` differences are replaced by their signs (0 at ties), averaged over the plan.
pub(crate) fn forces<T: Scalar>(
    layout: &PairLayout,
    (values, order): (&mut [T], &[u32]),
    target: (&[T], &[u32]),
    base: Base,
    coefficients: &Coefficients<T>,
    scratch: &mut Scratch<T>,
) {
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
}

fn squared_forces<T: Scalar>(
    layout: &PairLayout,
    rows: &DirectionRows<'_, T>,
    scratch: &mut Scratch<T>,
    coefficients: &Coefficients<T>,
    forces: &mut [T],
) {
    let (arch, classes) = (Arch::new(), layout.classes.len());
    for (grid, info) in layout.grids.iter().enumerate() {
        let sources = info.members.partition_point(|&c| c < layout.source_count);
        if sources == 0 {
            continue;
        }
        for start in (0..classes).step_by(window_len(info.size)) {
            let window = start..classes.min(start + window_len(info.size));
            rows.bring_to(grid, window.clone(), scratch);
            for &c in &info.members[..sources] {
                let out = &mut forces[layout.classes[c].range.clone()];
                let factors = &coefficients.row(c)[window.clone()];
                let other = |e: usize| rows.on_grid(grid, window.start + e, scratch);
                add_differences(arch, out, rows.sorted(c), factors, other);
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
        for (other, &factor) in coefficients.row(c).iter().enumerate() {
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
