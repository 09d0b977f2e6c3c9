//! The pair stage along a batch of directions: distances between classes in one pass, forces in a
//! second one.

use std::ops::Range;

use super::Base;
use super::backend::Measured;
use super::lanes::{self, Lanes};
use super::layout::{Arrangement, LANES, PairLayout, WithinAtomVariance};
use super::loops::{OTHERS, OWN, absolute_distance, add_differences, squared_distances};
use super::matrix::Coefficients;
use super::panel::{Panel, other_rows, own_rows};
use super::rows::SortedRows;
use super::scratch::Scratch;
use crate::scalar::Scalar;

/// Classes on a grid that are worth bringing others to it: what is brought is compared with each of them.
const SHARED: usize = 8;
/// Values of the classes that all others are compared with in one go: they stay in the second cache.
const WINDOW_VALUES: usize = 1 << 16;

/// Adds the distances of the classes of a band to all later classes, summed over directions; `sums`
/// are the band's rows of the matrix of all pairs.
pub(crate) fn add_distances<T: Scalar>(
    rows: SortedRows<'_, T>,
    measured: Measured,
    band: Range<usize>,
    scratch: &mut Scratch<T>,
    sums: &mut [f64],
) {
    let layout = rows.layout;
    let mut sums = Sums { sums, band, measured, layout };
    match (layout.arrangement, measured.base) {
        (Arrangement::OneGrid, Base::SquaredSw2) => {
            for rows in rows.groups(layout.group) {
                let panels = (&mut scratch.own, &mut scratch.others);
                sums.add_squared((rows.count(), 0), 0..layout.classes.len(), panels, |panel, classes| {
                    panel.fill(&rows, classes);
                });
            }
        }
        (Arrangement::OneGrid, Base::Sw1) => sums.add(|c, e| {
            let along = |direction| absolute_distance(rows.sorted(c, direction), rows.sorted(e, direction));
            (0..rows.count()).map(along).sum::<f64>() / layout.largest as f64
        }),
        (Arrangement::Sizes, base) => {
            let Scratch { own, others, lanes, .. } = scratch;
            let lanes = lanes.as_mut().expect("made for sizes that differ");
            for rows in rows.groups(layout.group) {
                lanes.fill(&rows);
                match base {
                    Base::SquaredSw2 => sums.add_squared_of_sizes(lanes, own, others),
                    Base::Sw1 => sums.add(|c, e| lanes::distance::<T, true>(lanes.class(c), lanes.class(e))),
                }
            }
        }
        (Arrangement::Weights, Base::SquaredSw2) => {
            let levels = scratch.levels.as_mut().expect("made for weights");
            levels.add_distances(rows, measured, sums.band, &mut scratch.couplings, sums.sums);
        }
        (Arrangement::Weights, Base::Sw1) => sums.add(|c, e| {
            let along = |direction| scratch.couplings.absolute_distance(&rows, (c, e), direction);
            (0..rows.count()).map(along).sum()
        }),
    }
}

/// Ranges of classes of bounded size, in order.
fn windows(layout: &PairLayout) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let mut values = 0;
        let end = layout.classes[start..].iter().take_while(|class| {
            let first = values == 0;
            values += class.range.len() * LANES;
            first || values <= WINDOW_VALUES
        });
        let window = start..start + end.count();
        start = window.end;
        (!window.is_empty()).then_some(window)
    })
}

/// The rows of the matrix of all pairs that belong to a band of classes, and what is added to them.
struct Sums<'a> {
    sums: &'a mut [f64],
    band: Range<usize>,
    measured: Measured,
    layout: &'a PairLayout,
}

impl Sums<'_> {
    /// Adds what a function says of each class of the band and each later class.
    fn add(&mut self, mut distance: impl FnMut(usize, usize) -> f64) {
        let classes = self.layout.classes.len();
        for (c, sums) in self.band.clone().zip(self.sums.chunks_exact_mut(classes)) {
            for (e, sum) in sums.iter_mut().enumerate().skip(c + 1) {
                *sum += distance(c, e);
            }
        }
    }

    /// Between a source class and a target class the variance within the source's atoms may not count: there is a class
    /// whose atoms are the given ones.
    fn excluded(&self, c: usize, e: usize) -> bool {
        let source_count = self.layout.source_count;
        self.measured.within_atoms == WithinAtomVariance::Excluded && c < source_count && e >= source_count
    }

    /// Classes that share a grid are compared on it; those alone on theirs directly.
    fn add_squared_of_sizes<T: Scalar>(
        &mut self,
        lanes: &Lanes<T>,
        own: &mut Panel<T>,
        others: &mut Panel<T>,
    ) {
        let layout = self.layout;
        for window in windows(layout) {
            for (grid, info) in layout.grids.iter().enumerate() {
                if info.members.len() >= SHARED || self.measured.within_atoms == WithinAtomVariance::Excluded
                {
                    let window = window.clone();
                    self.add_squared((LANES, grid), window, (&mut *own, &mut *others), |panel, classes| {
                        panel.bring(lanes, layout, grid, classes);
                    });
                    continue;
                }
                for &c in info.members_in(&self.band) {
                    let sums = &mut self.sums[(c - self.band.start) * layout.classes.len()..];
                    let later = window.start.max(c + 1)..window.end.max(c + 1);
                    for (e, sum) in later.clone().zip(&mut sums[later]) {
                        *sum += lanes::distance::<T, false>(lanes.class(c), lanes.class(e));
                    }
                }
            }
        }
    }

    /// Compares the classes of a grid with all later ones of a window; `fill` fills a panel with the rows of some
    /// classes on it.
    fn add_squared<T: Scalar>(
        &mut self,
        (directions, grid): (usize, usize),
        window: Range<usize>,
        (own, others): (&mut Panel<T>, &mut Panel<T>),
        fill: impl Fn(&mut Panel<T>, &mut dyn Iterator<Item = usize>),
    ) {
        let layout = self.layout;
        let (info, classes) = (&layout.grids[grid], layout.classes.len());
        let earlier = self.band.start.min(window.end)..self.band.end.min(window.end);
        // Each pair is taken once, on the grid of its first class.
        for members in info.members_in(&earlier).chunks(own_rows(directions, info.size)) {
            fill(own, &mut members.iter().copied());
            let width = other_rows(directions, info.size);
            for start in (window.start.max(members[0] + 1)..window.end).step_by(width) {
                let window = start..window.end.min(start + width);
                fill(others, &mut window.clone());
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
                            for (e, between) in (tile..=last).zip(found) {
                                if c < e {
                                    let spread =
                                        if self.excluded(c, e) { 0.0 } else { others.variance(e - start) };
                                    self.sums[(c - self.band.start) * classes + e] +=
                                        between / info.size as f64 + spread;
                                }
                            }
                        }
                    }
                }
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
    if let (Some(levels), Base::SquaredSw2) = (&mut scratch.levels, base) {
        levels.weigh(layout.source_count, coefficients);
    }
    let source = values.chunks_mut(n).zip(order.chunks(n));
    for ((values, order), target) in source.zip(target.chunks(m).zip(target_order.chunks(m))) {
        let rows = SortedRows::new(layout, (values, order), target);
        if layout.arrangement == Arrangement::Sizes {
            forces_of_sizes(rows, base, coefficients, scratch);
            scatter_lanes(layout, &scratch.forces, values, order);
            continue;
        }
        match (&mut scratch.levels, base) {
            (None, Base::SquaredSw2) => squared_forces(rows, coefficients, scratch),
            (Some(levels), Base::SquaredSw2) => {
                let forces = scratch.forces.chunks_exact_mut(samples).take(rows.count());
                for (direction, forces) in forces.enumerate() {
                    levels.forces(&rows, direction, &mut scratch.couplings, forces);
                }
            }
            (_, Base::Sw1) => absolute_forces(rows, coefficients, scratch),
        }
        let directions =
            values.chunks_mut(samples).zip(order.chunks(samples)).zip(scratch.forces.chunks(samples));
        for ((values, order), forces) in directions {
            for class in &layout.classes[..layout.source_count] {
                let range = class.range.clone();
                let scattered = &mut values[range.clone()];
                for (force, &sample) in forces[range.clone()].iter().zip(&order[range]) {
                    scattered[sample as usize] = *force;
                }
            }
        }
    }
}

fn squared_forces<T: Scalar>(
    rows: SortedRows<'_, T>,
    coefficients: &Coefficients<T>,
    scratch: &mut Scratch<T>,
) {
    let (layout, directions) = (rows.layout, rows.count());
    let (samples, size) = (layout.source_samples(), layout.largest);
    let Scratch { own, others, sums, forces, .. } = scratch;
    let fill = |panel: &mut Panel<T>, classes: &mut dyn Iterator<Item = usize>| panel.fill(&rows, classes);
    let all = 0..layout.classes.len();
    forces_on_grid((layout, 0, directions), coefficients, all, (own, others, sums), fill, |c, sums| {
        let forces = forces.chunks_exact_mut(samples).zip(sums.chunks_exact(size)).take(directions);
        forces.for_each(|(forces, sums)| forces[layout.classes[c].range.clone()].copy_from_slice(sums));
    });
}

/// Forces along directions side by side, rank after rank.
fn forces_of_sizes<T: Scalar>(
    rows: SortedRows<'_, T>,
    base: Base,
    coefficients: &Coefficients<T>,
    scratch: &mut Scratch<T>,
) {
    let layout = rows.layout;
    let Scratch { own, others, sums, forces, lanes, .. } = scratch;
    let lanes = lanes.as_mut().expect("made for sizes that differ");
    lanes.fill(&rows);
    let forces = forces.as_chunks_mut::<LANES>().0;
    forces.fill([T::ZERO; LANES]);
    for window in windows(layout) {
        for (grid, info) in layout.grids.iter().enumerate() {
            let members = info.members_in(&(0..layout.source_count));
            if members.len() >= SHARED && base == Base::SquaredSw2 {
                let fill = |panel: &mut Panel<T>, classes: &mut dyn Iterator<Item = usize>| {
                    panel.bring(lanes, layout, grid, classes);
                };
                let place = (layout, grid, LANES);
                let panels = (&mut *own, &mut *others, &mut **sums);
                forces_on_grid(place, coefficients, window.clone(), panels, fill, |c, sums| {
                    let forces = forces[layout.classes[c].range.clone()].as_flattened_mut();
                    forces.iter_mut().zip(sums).for_each(|(force, sum)| *force += *sum);
                });
                continue;
            }
            for &c in members {
                let (x, forces) = (lanes.class(c), &mut forces[layout.classes[c].range.clone()]);
                for (e, &factor) in window.clone().zip(&coefficients.row(c)[window.clone()]) {
                    if factor == T::ZERO {
                        continue;
                    }
                    match base {
                        Base::SquaredSw2 => lanes::add_forces::<T, false>(forces, x, factor, lanes.class(e)),
                        Base::Sw1 => lanes::add_forces::<T, true>(forces, x, factor, lanes.class(e)),
                    }
                }
            }
        }
    }
}

/// Forces of a window of classes on the source classes of a grid; `put` takes a class and its row of forces.
fn forces_on_grid<T: Scalar>(
    (layout, grid, directions): (&PairLayout, usize, usize),
    coefficients: &Coefficients<T>,
    window: Range<usize>,
    (own, others, sums): (&mut Panel<T>, &mut Panel<T>, &mut [T]),
    fill: impl Fn(&mut Panel<T>, &mut dyn Iterator<Item = usize>),
    mut put: impl FnMut(usize, &[T]),
) {
    let info = &layout.grids[grid];
    for members in info.members_in(&(0..layout.source_count)).chunks(own_rows(directions, info.size)) {
        fill(own, &mut members.iter().copied());
        let stride = own.stride;
        let sums = &mut sums[..members.len() * stride];
        sums.fill(T::ZERO);
        let width = other_rows(directions, info.size);
        for start in window.clone().step_by(width) {
            let window = start..window.end.min(start + width);
            fill(others, &mut window.clone());
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
        members.iter().zip(sums.chunks_exact(stride)).for_each(|(&c, sums)| put(c, sums));
    }
}

/// Puts forces along directions side by side into the order of samples, a row a direction.
fn scatter_lanes<T: Scalar>(layout: &PairLayout, forces: &[T], values: &mut [T], order: &[u32]) {
    /// Ranks whose forces stay in the first cache while one direction after another takes its own.
    const BLOCK: usize = 64;
    let samples = layout.source_samples();
    let forces = forces.as_chunks::<LANES>().0;
    for class in &layout.classes[..layout.source_count] {
        for from in class.range.clone().step_by(BLOCK) {
            let block = from..class.range.end.min(from + BLOCK);
            let rows = values.chunks_exact_mut(samples).zip(order.chunks_exact(samples));
            for (lane, (values, order)) in rows.enumerate() {
                let scattered = &mut values[class.range.clone()];
                for (force, &sample) in forces[block.clone()].iter().zip(&order[block.clone()]) {
                    scattered[sample as usize] = force[lane];
                }
            }
        }
    }
}

fn absolute_forces<T: Scalar>(
    rows: SortedRows<'_, T>,
    coefficients: &Coefficients<T>,
    scratch: &mut Scratch<T>,
) {
    let layout = rows.layout;
    let Scratch { forces, couplings, .. } = scratch;
    for (direction, forces) in forces.chunks_exact_mut(layout.source_samples()).take(rows.count()).enumerate()
    {
        for (c, class) in layout.classes[..layout.source_count].iter().enumerate() {
            let row = rows.sorted(c, direction);
            let out = &mut forces[class.range.clone()];
            out.fill(T::ZERO);
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
                couplings.add_forces::<T, true>(&rows, (c, other), direction, factor.to_f64(), out);
            }
        }
    }
}

fn sign<T: Scalar>(x: T, y: T) -> T {
    T::from_f64(f64::from(i8::from(x > y) - i8::from(x < y)))
}
