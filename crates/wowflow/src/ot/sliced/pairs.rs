//! The pair stage along a batch of directions: distances between classes in one pass, forces in a
//! second one.

use std::ops::Range;

use super::Base;
use super::backend::Measured;
use super::layout::{PairLayout, WithinAtomVariance};
use super::loops::{OTHERS, OWN, absolute_distance, add_differences, squared_distances};
use super::matrix::Coefficients;
use super::rows::{Scratch, SortedRows, other_rows, own_rows};
use crate::scalar::Scalar;

/// Adds the distances of the classes of a band to all later classes, summed over directions; `sums`
/// are the band's rows of the matrix of all pairs.
pub(crate) fn add_distances<T: Scalar>(
    rows: SortedRows<'_, T>,
    measured: Measured,
    band: Range<usize>,
    scratch: &mut Scratch<T>,
    sums: &mut [f64],
) {
    match measured.base {
        Base::SquaredSw2 => add_squared(rows, measured.within_atoms, band, scratch, sums),
        Base::Sw1 => add_absolute(rows, band, scratch, sums),
    }
}

fn add_squared<T: Scalar>(
    rows: SortedRows<'_, T>,
    within_atoms: WithinAtomVariance,
    band: Range<usize>,
    scratch: &mut Scratch<T>,
    sums: &mut [f64],
) {
    let layout = rows.layout;
    let classes = layout.classes.len();
    let Scratch { own, others, couplings, weights, .. } = scratch;
    // Between a source class and a target class only: there is one whose distance the source's atoms fix.
    let excluded = |c: usize, e: usize| {
        within_atoms == WithinAtomVariance::Excluded && c < layout.source_count && e >= layout.source_count
    };
    for rows in rows.groups(layout.group) {
        let directions = rows.count();
        for (grid, info) in layout.grids.iter().enumerate() {
            // Each pair is taken once, on the grid of its first class.
            let members = info.members_in(&band);
            for members in members.chunks(own_rows(directions, info.size)) {
                own.fill(&rows, grid, members.iter().copied(), couplings);
                if !info.uniform {
                    for (direction, weights) in
                        weights.chunks_exact_mut(info.size).take(directions).enumerate()
                    {
                        rows.sorted_weights(members[0], direction, weights);
                    }
                }
                let width = other_rows(directions, info.size);
                for start in (members[0] + 1..classes).step_by(width) {
                    let window = start..classes.min(start + width);
                    others.fill(&rows, grid, window.clone(), couplings);
                    if !info.uniform {
                        let sums = &mut sums[(members[0] - band.start) * classes..][window.clone()];
                        for (index, sum) in sums.iter_mut().enumerate() {
                            let weights = &weights[..directions * info.size];
                            let between = weighted_squared_distance(own.row(0), others.row(index), weights);
                            let spread = if excluded(members[0], window.start + index) {
                                0.0
                            } else {
                                others.variance(index)
                            };
                            *sum += between + spread;
                        }
                        continue;
                    }
                    for tile in window.clone().step_by(OTHERS) {
                        // A tile that is not full repeats its last row, whose sum is not used twice.
                        let last = (window.end - 1).min(tile + OTHERS - 1);
                        let other_rows = std::array::from_fn(|k| others.row((tile + k).min(last) - start));
                        let before = members.partition_point(|&c| c < last);
                        for (pair, own_classes) in members[..before].chunks(OWN).enumerate() {
                            let own_rows =
                                std::array::from_fn(|k| own.row(OWN * pair + k.min(own_classes.len() - 1)));
                            let found = squared_distances(own_rows, other_rows);
                            for (&c, found) in own_classes.iter().zip(&found) {
                                let sums = &mut sums[(c - band.start) * classes..][tile..=last];
                                for (k, (sum, between)) in sums.iter_mut().zip(found).enumerate() {
                                    if c < tile + k {
                                        let spread = if excluded(c, tile + k) {
                                            0.0
                                        } else {
                                            others.variance(tile + k - start)
                                        };
                                        *sum += between / info.size as f64 + spread;
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn add_absolute<T: Scalar>(
    rows: SortedRows<'_, T>,
    band: Range<usize>,
    scratch: &mut Scratch<T>,
    sums: &mut [f64],
) {
    let layout = rows.layout;
    let classes = layout.classes.len();
    for direction in 0..rows.count() {
        for (c, sums) in band.clone().zip(sums.chunks_exact_mut(classes)) {
            let row = rows.sorted(c, direction);
            for (other, sum) in sums.iter_mut().enumerate().skip(c + 1) {
                let values = rows.sorted(other, direction);
                *sum += if layout.classes[c].grid == layout.classes[other].grid {
                    absolute_distance(row, values) / row.len() as f64
                } else {
                    let difference = |i: u32, j: u32| (row[i as usize] - values[j as usize]).to_f64().abs();
                    let segments = scratch.couplings.segments(&rows, (c, other), direction);
                    segments.iter().map(|s| s.mass * difference(s.i, s.j)).sum()
                };
            }
        }
    }
}

/// Replaces the source's sorted values along a batch of directions by forces in sample order, before
/// averaging over directions and projecting back.
///
/// For `SW_2^2` the force on a sorted sample is `sum_e A_ce (s_c - s_e)` with `s_e` on the grid of
/// `c`; for `SW_1` differences are replaced by their signs (0 at ties), averaged over the plan.
pub(crate) fn forces<T: Scalar>(
    layout: &PairLayout,
    (values, order): (&mut [T], &[u32]),
    (target, target_order): (&[T], &[u32]),
    base: Base,
    coefficients: &Coefficients<T>,
    scratch: &mut Scratch<T>,
) {
    let samples = layout.source_samples();
    let (n, m) = (layout.group * samples, layout.group * layout.target_samples());
    let source = values.chunks_mut(n).zip(order.chunks(n));
    for ((values, order), target) in source.zip(target.chunks(m).zip(target_order.chunks(m))) {
        let mut forces = std::mem::take(&mut scratch.forces);
        let rows = SortedRows::new(layout, (values, order), target);
        match base {
            Base::SquaredSw2 => squared_forces(rows, scratch, coefficients, &mut forces),
            Base::Sw1 => absolute_forces(rows, scratch, coefficients, &mut forces),
        }
        let directions = values.chunks_mut(samples).zip(order.chunks(samples)).zip(forces.chunks(samples));
        for ((values, order), forces) in directions {
            for class in &layout.classes[..layout.source_count] {
                let range = class.range.clone();
                let scattered = &mut values[range.clone()];
                for (force, &sample) in forces[range.clone()].iter().zip(&order[range]) {
                    scattered[sample as usize] = *force;
                }
            }
        }
        scratch.forces = forces;
    }
}

fn squared_forces<T: Scalar>(
    rows: SortedRows<'_, T>,
    scratch: &mut Scratch<T>,
    coefficients: &Coefficients<T>,
    forces: &mut [T],
) {
    let (layout, directions) = (rows.layout, rows.count());
    let (classes, samples) = (layout.classes.len(), layout.source_samples());
    let Scratch { own, others, couplings, sums, .. } = scratch;
    for (grid, info) in layout.grids.iter().enumerate() {
        let members = info.members_in(&(0..layout.source_count));
        for members in members.chunks(own_rows(directions, info.size)) {
            own.fill(&rows, grid, members.iter().copied(), couplings);
            let stride = own.stride;
            let sums = &mut sums[..members.len() * stride];
            sums.fill(T::ZERO);
            for start in (0..classes).step_by(other_rows(directions, info.size)) {
                let window = start..classes.min(start + other_rows(directions, info.size));
                others.fill(&rows, grid, window.clone(), couplings);
                let others = others.rows(0..window.len());
                let factors = |c: usize| &coefficients.row(c)[window.clone()];
                let pairs = members.chunks(OWN).zip(sums.chunks_mut(OWN * stride)).enumerate();
                for (pair, (members, sums)) in pairs {
                    let own = own.rows(OWN * pair..OWN * pair + members.len());
                    match *members {
                        [a, b] => add_differences(sums, own, [factors(a), factors(b)], others, stride),
                        [a] => add_differences(sums, own, [factors(a)], others, stride),
                        _ => unreachable!("rows are taken in pairs"),
                    }
                }
            }
            for (&c, sums) in members.iter().zip(sums.chunks_exact(stride)) {
                for (forces, sums) in forces.chunks_exact_mut(samples).zip(sums.chunks_exact(info.size)) {
                    forces[layout.classes[c].range.clone()].copy_from_slice(sums);
                }
            }
        }
    }
}

fn absolute_forces<T: Scalar>(
    rows: SortedRows<'_, T>,
    scratch: &mut Scratch<T>,
    coefficients: &Coefficients<T>,
    forces: &mut [T],
) {
    let layout = rows.layout;
    for (direction, forces) in forces.chunks_exact_mut(layout.source_samples()).take(rows.count()).enumerate()
    {
        for (c, class) in layout.classes[..layout.source_count].iter().enumerate() {
            let row = rows.sorted(c, direction);
            let out = &mut forces[class.range.clone()];
            out.fill(T::ZERO);
            let weights = &mut scratch.weights[..if layout.weighted { row.len() } else { 0 }];
            if layout.weighted {
                rows.sorted_weights(c, direction, weights);
            }
            for (other, &factor) in coefficients.row(c).iter().enumerate() {
                if other == c || factor == T::ZERO {
                    continue;
                }
                let values = rows.sorted(other, direction);
                if class.grid == layout.classes[other].grid {
                    for ((out, x), y) in out.iter_mut().zip(row).zip(values) {
                        *out += factor * sign(*x, *y);
                    }
                    continue;
                }
                let uniform = row.len() as f64;
                for s in scratch.couplings.segments(&rows, (c, other), direction) {
                    let i = s.i as usize;
                    // The share of the atom's own mass that this piece of the plan carries.
                    let share = if class.weights.is_some() { s.mass / weights[i] } else { s.mass * uniform };
                    out[i] += factor * T::from_f64(share) * sign(row[i], values[s.j as usize]);
                }
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
