//! Classes of unequal sizes: sorted rows along several directions side by side.
//!
//! How the atoms of two classes overlap depends on their sizes alone, so that one walk along both staircases of
//! cumulative weights serves all directions: rank after rank, a vector register holds the sorted values along
//! [`LANES`] directions. An atom of a class of `n` samples covers `m / n` atoms of one of `m`, where it starts and by
//! how much it overlaps with each is whole-number arithmetic.

use pulp::NullaryFnOnce;

use super::layout::{LANES, PairLayout};
use super::loops::multiply_add;
use super::rows::SortedRows;
use crate::aligned::Aligned;
use crate::scalar::Scalar;
use crate::simd::{dispatch, fuses};

/// Atoms whose overlaps are laid out at a time.
const ATOMS: usize = 64;
/// Atoms whose terms are added in the rows' own precision before the sum goes on in doubles.
const TERMS: usize = 16;

/// Sorted values of all classes along up to [`LANES`] directions, rank after rank; zeros beyond the last direction.
#[derive(Clone, Debug)]
pub(crate) struct Lanes<T: Scalar> {
    values: Aligned<T>,
    /// Where the ranks of a class start.
    starts: Vec<usize>,
}

impl<T: Scalar> Lanes<T> {
    pub(crate) fn new(layout: &PairLayout) -> Self {
        let mut starts = vec![0];
        let mut end = 0;
        starts.extend(layout.classes.iter().map(|class| {
            end += class.range.len();
            end
        }));
        Self { values: Aligned::zeros(end * LANES), starts }
    }

    /// Lays rows side by side.
    pub(crate) fn fill(&mut self, rows: &SortedRows<'_, T>) {
        let directions = rows.count();
        let values = self.values.as_chunks_mut::<LANES>().0;
        for class in 0..self.starts.len() - 1 {
            let ranks = &mut values[self.starts[class]..self.starts[class + 1]];
            if directions < LANES {
                ranks.fill([T::ZERO; LANES]);
            }
            // A square at a time, so that what is written stays in the first cache.
            for (block, ranks) in ranks.chunks_mut(LANES).enumerate() {
                for lane in 0..directions {
                    let row = &rows.sorted(class, lane)[block * LANES..];
                    for (rank, value) in ranks.iter_mut().zip(row) {
                        rank[lane] = *value;
                    }
                }
            }
        }
    }

    /// The ranks of a class.
    #[inline]
    pub(crate) fn class(&self, class: usize) -> &[[T; LANES]] {
        &self.values.as_chunks::<LANES>().0[self.starts[class]..self.starts[class + 1]]
    }
}

/// Mean over the plan of `|x - y|^p` of two classes, `p = 2` or, for `ABSOLUTE`, 1, summed over directions.
pub(super) fn distance<T: Scalar, const ABSOLUTE: bool>(x: &[[T; LANES]], y: &[[T; LANES]]) -> f64 {
    let (finer, coarser) = if x.len() < y.len() { (y, x) } else { (x, y) };
    if fuses() {
        dispatch(Distance::<T, true, ABSOLUTE> { finer, coarser })
    } else {
        dispatch(Distance::<T, false, ABSOLUTE> { finer, coarser })
    }
}

/// Adds `factor` times the mean over the plan of `x_i - y_j`, or for `ABSOLUTE` of its sign, to the force on each `x_i`.
pub(super) fn add_forces<T: Scalar, const ABSOLUTE: bool>(
    forces: &mut [[T; LANES]],
    x: &[[T; LANES]],
    factor: T,
    y: &[[T; LANES]],
) {
    let (n, m) = (x.len(), y.len());
    // An atom overlaps with at most so many.
    let pieces = m.div_ceil(n) + 1;
    match (fuses(), pieces) {
        (true, 2) => dispatch(AddForces::<T, 2, true, ABSOLUTE> { forces, x, factor, y }),
        (true, 3) => dispatch(AddForces::<T, 3, true, ABSOLUTE> { forces, x, factor, y }),
        (false, 2) => dispatch(AddForces::<T, 2, false, ABSOLUTE> { forces, x, factor, y }),
        (false, 3) => dispatch(AddForces::<T, 3, false, ABSOLUTE> { forces, x, factor, y }),
        _ => dispatch(AddForcesOfMany::<T, ABSOLUTE> { forces, x, factor, y }),
    }
}

/// Conditional means of `y` on as many atoms of equal weight as `means` has; returns the mean variance within atoms,
/// summed over directions.
pub(super) fn conditional_means<T: Scalar>(means: &mut [[T; LANES]], y: &[[T; LANES]]) -> f64 {
    match (fuses(), y.len().div_ceil(means.len()) + 1) {
        (true, 2) => dispatch(Means::<T, 2, true> { means, y }),
        (true, 3) => dispatch(Means::<T, 3, true> { means, y }),
        (false, 2) => dispatch(Means::<T, 2, false> { means, y }),
        (false, 3) => dispatch(Means::<T, 3, false> { means, y }),
        _ => dispatch(MeansOfMany { means, y }),
    }
}

/// How the atoms of a class of `n` samples overlap with those of one of `m`.
///
/// Atom `i` starts at `i m / n` atoms of the other class: whole numbers below 2^53, exact in doubles, for `n m` up to
/// that.
#[derive(Clone, Copy, Debug)]
struct Overlaps {
    n: f64,
    m: f64,
    last: usize,
}

/// The overlaps of a block of atoms, in two or three pieces each; past the last piece of an atom shares are 0.
#[derive(Clone, Copy, Debug)]
struct Block<T, const PIECES: usize> {
    /// The atom of the other class that each one starts in.
    at: [u32; ATOMS],
    /// A row a piece: what is read there is spread over a register on its way.
    shares: [[T; ATOMS]; PIECES],
}

impl Overlaps {
    #[inline(always)]
    fn new(n: usize, m: usize) -> Self {
        Self { n: n as f64, m: m as f64, last: m - 1 }
    }

    /// The atom of the other class that an atom starts in, and how far into it, in units of its `n`-th part.
    #[inline(always)]
    fn start(&self, atom: f64) -> (f64, f64) {
        let start = atom * self.m;
        let at = (start * (1.0 / self.n)).floor();
        let within = start - at * self.n;
        // The quotient was rounded: it may be off by one.
        let (low, high) = (within < 0.0, within >= self.n);
        let shift = if high {
            1.0
        } else if low {
            -1.0
        } else {
            0.0
        };
        (at + shift, within - shift * self.n)
    }

    /// The block of atoms from `first` on, in loops without branches.
    #[inline(always)]
    fn block<T: Scalar, const PIECES: usize>(&self, first: usize, factor: T) -> Block<T, PIECES> {
        /// Added to a whole number, it leaves that in the last bits.
        const WHOLE: f64 = (1u64 << 52) as f64;
        let (unit, most) = (1.0 / self.m, (PIECES - 1) as f64 * self.n);
        let mut block = Block { at: [0; ATOMS], shares: [[T::ZERO; ATOMS]; PIECES] };
        for (k, place) in block.at.iter_mut().enumerate() {
            let (at, within) = self.start(first as f64 + k as f64);
            *place = (at + WHOLE).to_bits() as u32;
            let beyond = within + self.m - most;
            let last = if beyond > 0.0 { beyond * unit } else { 0.0 };
            let front = if PIECES == 3 { (self.n - within) * unit } else { 0.0 };
            block.shares[0][k] = T::from_f64(front) * factor;
            block.shares[PIECES - 2][k] = T::from_f64(1.0 - last - front) * factor;
            block.shares[PIECES - 1][k] = T::from_f64(last) * factor;
        }
        block
    }

    /// The pieces of an atom, however many: places in the other class and shares.
    #[inline(always)]
    fn pieces(&self, atom: usize) -> impl Iterator<Item = (usize, f64)> + use<> {
        let Self { n, m, last } = *self;
        let (at, within) = self.start(atom as f64);
        let count = ((within + m) / n).ceil() as usize;
        (0..count).map(
            #[inline(always)]
            move |p| {
                let end = (within + m).min((p + 1) as f64 * n);
                let start = within.max(p as f64 * n);
                ((at as usize + p).min(last), (end - start) / m)
            },
        )
    }
}

struct Distance<'a, T, const FUSED: bool, const ABSOLUTE: bool> {
    finer: &'a [[T; LANES]],
    coarser: &'a [[T; LANES]],
}

impl<T: Scalar, const FUSED: bool, const ABSOLUTE: bool> NullaryFnOnce for Distance<'_, T, FUSED, ABSOLUTE> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        let Self { finer, coarser } = self;
        let overlaps = Overlaps::new(finer.len(), coarser.len());
        let mut sums = [0.0; LANES];
        for (block, atoms) in finer.chunks(ATOMS).enumerate() {
            let Block { at, shares } = overlaps.block::<T, 2>(block * ATOMS, T::from_f64(1.0));
            for (terms, atoms) in atoms.chunks(TERMS).enumerate() {
                let mut lanes = [[T::ZERO; LANES]; 2];
                for (i, x) in (terms * TERMS..).zip(atoms) {
                    for p in 0..2 {
                        let y = &coarser[(at[i] as usize + p).min(overlaps.last)];
                        for k in 0..LANES {
                            let difference = x[k] - y[k];
                            lanes[p][k] = if ABSOLUTE {
                                multiply_add::<T, FUSED>(shares[p][i], absolute(difference), lanes[p][k])
                            } else {
                                multiply_add::<T, FUSED>(shares[p][i] * difference, difference, lanes[p][k])
                            };
                        }
                    }
                }
                for k in 0..LANES {
                    sums[k] += (lanes[0][k] + lanes[1][k]).to_f64();
                }
            }
        }
        sums.iter().sum::<f64>() / finer.len() as f64
    }
}

#[inline(always)]
fn absolute<T: Scalar>(value: T) -> T {
    if value < T::ZERO { T::ZERO - value } else { value }
}

/// `value` with the sign of a difference; 0 where there is none.
#[inline(always)]
fn signed<T: Scalar>(value: T, difference: T) -> T {
    if difference > T::ZERO {
        value
    } else if difference < T::ZERO {
        T::ZERO - value
    } else {
        T::ZERO
    }
}

struct AddForces<'a, T, const PIECES: usize, const FUSED: bool, const ABSOLUTE: bool> {
    forces: &'a mut [[T; LANES]],
    x: &'a [[T; LANES]],
    factor: T,
    y: &'a [[T; LANES]],
}

impl<T: Scalar, const PIECES: usize, const FUSED: bool, const ABSOLUTE: bool> NullaryFnOnce
    for AddForces<'_, T, PIECES, FUSED, ABSOLUTE>
{
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { forces, x, factor, y } = self;
        let overlaps = Overlaps::new(x.len(), y.len());
        for (block, (forces, x)) in forces.chunks_mut(ATOMS).zip(x.chunks(ATOMS)).enumerate() {
            let Block { at, shares } = overlaps.block::<T, PIECES>(block * ATOMS, factor);
            for (i, (force, x)) in forces.iter_mut().zip(x).enumerate() {
                let mut sum = *force;
                for p in 0..PIECES {
                    let y = &y[(at[i] as usize + p).min(overlaps.last)];
                    for k in 0..LANES {
                        let difference = x[k] - y[k];
                        sum[k] = if ABSOLUTE {
                            sum[k] + signed(shares[p][i], difference)
                        } else {
                            multiply_add::<T, FUSED>(shares[p][i], difference, sum[k])
                        };
                    }
                }
                *force = sum;
            }
        }
    }
}

struct AddForcesOfMany<'a, T, const ABSOLUTE: bool> {
    forces: &'a mut [[T; LANES]],
    x: &'a [[T; LANES]],
    factor: T,
    y: &'a [[T; LANES]],
}

impl<T: Scalar, const ABSOLUTE: bool> NullaryFnOnce for AddForcesOfMany<'_, T, ABSOLUTE> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { forces, x, factor, y } = self;
        let overlaps = Overlaps::new(x.len(), y.len());
        for (i, (force, x)) in forces.iter_mut().zip(x).enumerate() {
            let mut sum = [0.0; LANES];
            for (place, share) in overlaps.pieces(i) {
                let y = &y[place];
                for k in 0..LANES {
                    let difference = (x[k] - y[k]).to_f64();
                    sum[k] += if ABSOLUTE { signed(share, difference) } else { share * difference };
                }
            }
            for k in 0..LANES {
                force[k] += factor * T::from_f64(sum[k]);
            }
        }
    }
}

struct Means<'a, T, const PIECES: usize, const FUSED: bool> {
    means: &'a mut [[T; LANES]],
    y: &'a [[T; LANES]],
}

impl<T: Scalar, const PIECES: usize, const FUSED: bool> NullaryFnOnce for Means<'_, T, PIECES, FUSED> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        let Self { means, y } = self;
        let overlaps = Overlaps::new(means.len(), y.len());
        let mut variances = [0.0; LANES];
        for (block, atoms) in means.chunks_mut(ATOMS).enumerate() {
            let Block { at, shares } = overlaps.block::<T, PIECES>(block * ATOMS, T::from_f64(1.0));
            for (terms, atoms) in atoms.chunks_mut(TERMS).enumerate() {
                let mut lanes = [T::ZERO; LANES];
                for (i, mean) in (terms * TERMS..).zip(atoms) {
                    // From the first piece: a constant is its own mean, to the last bit.
                    let first = &y[at[i] as usize];
                    let mut moved = [T::ZERO; LANES];
                    let mut squares = [T::ZERO; LANES];
                    for p in 1..PIECES {
                        let y = &y[(at[i] as usize + p).min(overlaps.last)];
                        for k in 0..LANES {
                            let difference = y[k] - first[k];
                            let part = shares[p][i] * difference;
                            moved[k] += part;
                            squares[k] = multiply_add::<T, FUSED>(part, difference, squares[k]);
                        }
                    }
                    for k in 0..LANES {
                        mean[k] = first[k] + moved[k];
                        lanes[k] += squares[k] - moved[k] * moved[k];
                    }
                }
                for k in 0..LANES {
                    variances[k] += lanes[k].to_f64();
                }
            }
        }
        variances.iter().sum::<f64>() / means.len() as f64
    }
}

struct MeansOfMany<'a, T> {
    means: &'a mut [[T; LANES]],
    y: &'a [[T; LANES]],
}

impl<T: Scalar> NullaryFnOnce for MeansOfMany<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        let Self { means, y } = self;
        let overlaps = Overlaps::new(means.len(), y.len());
        let count = means.len() as f64;
        let mut variances = [0.0; LANES];
        for (i, mean) in means.iter_mut().enumerate() {
            // From the first piece: a constant is its own mean, to the last bit.
            let first = y[overlaps.start(i as f64).0 as usize];
            let mut sum = [0.0; LANES];
            for (place, share) in overlaps.pieces(i) {
                let y = &y[place];
                for k in 0..LANES {
                    sum[k] += share * (y[k] - first[k]).to_f64();
                }
            }
            for (place, share) in overlaps.pieces(i) {
                let y = &y[place];
                for k in 0..LANES {
                    let difference = (y[k] - first[k]).to_f64() - sum[k];
                    variances[k] += share * difference * difference;
                }
            }
            for k in 0..LANES {
                mean[k] = first[k] + T::from_f64(sum[k]);
            }
        }
        variances.iter().sum::<f64>() / count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ot::one_d::uniform_segments;
    use crate::rng::{Purpose, Stream};

    const SIZES: [usize; 9] = [1, 2, 3, 7, 8, 16, 17, 45, 100];

    fn sorted(len: usize, step: u64) -> Vec<[f64; LANES]> {
        let mut values = vec![0.0; len * LANES];
        Stream::new(3, Purpose::Test, step).normals(0, &mut values);
        let mut columns: Vec<Vec<f64>> = values.chunks(len).map(<[f64]>::to_vec).collect();
        columns.iter_mut().for_each(|column| column.sort_by(f64::total_cmp));
        (0..len).map(|i| std::array::from_fn(|k| columns[k][i])).collect()
    }

    fn close(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-13 * (1.0 + expected.abs())
    }

    fn in_block<const P: usize>(pieces: &[(usize, f64)], block: Block<f64, P>, atom: usize) {
        assert!(pieces.len() <= P);
        for (p, share) in block.shares.iter().map(|shares| shares[atom]).enumerate() {
            let (place, expected) = pieces.get(p).copied().unwrap_or((block.at[atom] as usize + p, 0.0));
            assert!(block.at[atom] as usize + p == place && close(share, expected));
        }
    }

    #[test]
    fn atoms_overlap_as_couplings_do() {
        for (n, m) in SIZES.into_iter().flat_map(|n| SIZES.map(|m| (n, m))) {
            let overlaps = Overlaps::new(n, m);
            let mut found = Vec::new();
            for i in 0..n {
                let pieces: Vec<_> = overlaps.pieces(i).collect();
                match m.div_ceil(n) {
                    1 => in_block(&pieces, overlaps.block::<f64, 2>(i / ATOMS * ATOMS, 1.0), i % ATOMS),
                    2 => in_block(&pieces, overlaps.block::<f64, 3>(i / ATOMS * ATOMS, 1.0), i % ATOMS),
                    most => assert!(pieces.len() <= most + 1),
                }
                found.extend(pieces.into_iter().map(|(j, share)| (i, j, share / n as f64)));
            }
            let expected = uniform_segments(n, m);
            assert_eq!(found.len(), expected.len(), "{n} {m}");
            for ((i, j, mass), s) in found.into_iter().zip(expected) {
                assert_eq!((i, j), (s.i as usize, s.j as usize));
                assert!(close(mass, s.mass));
            }
        }
    }

    #[test]
    fn distances_and_forces_match_the_coupling() {
        for (n, m) in SIZES.into_iter().flat_map(|n| SIZES.map(|m| (n, m))) {
            let (x, y) = (sorted(n, 1), sorted(m, 2));
            let segments = uniform_segments(n, m);
            let (mut squared, mut absolute) = (0.0, 0.0);
            let mut forces = vec![[0.25; LANES]; n];
            let (mut means, mut signs) = (vec![[0.0; LANES]; n], vec![[0.25; LANES]; n]);
            for s in &segments {
                let (i, share) = (s.i as usize, s.mass * n as f64);
                for k in 0..LANES {
                    let difference = x[i][k] - y[s.j as usize][k];
                    squared += s.mass * difference.powi(2);
                    absolute += s.mass * difference.abs();
                    forces[i][k] -= 0.5 * share * difference;
                    signs[i][k] -= 0.5 * share * difference.signum();
                    means[i][k] += share * y[s.j as usize][k];
                }
            }
            assert!(close(distance::<f64, false>(&x, &y), squared));
            assert!(close(distance::<f64, true>(&x, &y), absolute));
            let (mut found, mut found_signs) = (vec![[0.25; LANES]; n], vec![[0.25; LANES]; n]);
            add_forces::<f64, false>(&mut found, &x, -0.5, &y);
            add_forces::<f64, true>(&mut found_signs, &x, -0.5, &y);
            let mut found_means = vec![[0.0; LANES]; n];
            let within = conditional_means(&mut found_means, &y);
            let pairs = |a: &[[f64; LANES]], b: &[[f64; LANES]]| {
                a.as_flattened().iter().zip(b.as_flattened()).all(|(a, b)| close(*a, *b))
            };
            assert!(pairs(&found, &forces) && pairs(&found_signs, &signs) && pairs(&found_means, &means));
            let between: f64 = x
                .as_flattened()
                .iter()
                .zip(means.as_flattened())
                .map(|(x, mean)| (x - mean).powi(2) / n as f64)
                .sum();
            assert!(close(between + within, squared), "{n} {m}");
        }
    }

    #[test]
    fn constants_are_their_own_means() {
        for (n, m) in SIZES.into_iter().flat_map(|n| SIZES.map(|m| (n, m))) {
            let mut means = vec![[0.0f32; LANES]; n];
            let y = vec![[0.1f32; LANES]; m];
            assert_eq!(conditional_means(&mut means, &y), 0.0);
            assert!(means == vec![[0.1; LANES]; n] && distance::<f32, false>(&means, &y) == 0.0);
        }
    }
}
