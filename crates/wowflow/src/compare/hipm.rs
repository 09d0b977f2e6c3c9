//! The hierarchical integral probability metric, between two bounds that hold for certain.
//!
//! M. Catalano, H. Lavenant, *Hierarchical integral probability metrics*, ICML 2024: the largest `W_1` on the line,
//! over functions `f` of slope at most 1, between the numbers `int f dmu_c` with weights `w_c` and
//! `int f dnu_d` with weights `v_d`. No algorithm is known to find the best `f` in general: any `f` gives a lower
//! bound, and `W_{W_1}` is an upper one.

use rayon::prelude::*;

use super::{Certainty, CompareError, Comparison, Method, Slices};
use crate::directions::Slicer;
use crate::linalg::{Mat, Output, Threads, matmul};
use crate::measure::{MeasureOverMeasures, Pair};
use crate::ot::exact::{CostMatrix, solve, squared_euclidean};
use crate::ot::one_d;
use crate::scalar::Scalar;

/// Linear functions from which the search starts, the best ones along all slices.
const STARTS: usize = 4;
/// Rounds of a search; few are needed.
const ROUNDS: usize = 30;

/// The hierarchical integral probability metric: bounds of it, for some thousand samples.
///
/// Functions are improved in rounds from the best linear ones and from a potential of the pooled samples: the
/// monotone coupling of the numbers says which classes should move apart, and the potential of an exact transport
/// problem moves them. Takes memory for the distances between all pairs of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hipm {
    pub(super) slices: Slices,
}

impl Hipm {
    /// Looks for good starts along these slices.
    #[must_use]
    pub fn new(slices: Slices) -> Self {
        Self { slices }
    }

    pub(super) fn compare<T: Scalar>(
        &self,
        pair: Pair<'_, T>,
        seed: u64,
    ) -> Result<Comparison, CompareError> {
        let Pair { source: p, target: q } = pair;
        let samples = [p.points(), q.points()].concat();
        let squares = squared_euclidean(&samples, &samples, p.dim())?;
        let roots = squares.values().iter().map(|square| square.sqrt()).collect();
        let distances = CostMatrix::new(squares.rows(), squares.cols(), roots)?;
        let search = Search { classes: [classes(p, 0), classes(q, p.sample_count())], distances };
        let (costs, coupling, upper) = search.upper_bound()?;
        let mut starts = vec![search.pooled_signs()];
        starts.extend(self.linear_starts(pair, seed, &search)?);
        let bounds: Vec<f64> =
            starts.into_par_iter().map(|signs| search.ascend(signs)).collect::<Result<_, CompareError>>()?;
        // A function of slope 1 up to rounding.
        let lower = bounds.into_iter().fold(0.0, f64::max).min(upper);
        Ok(Comparison {
            value: lower,
            power: lower,
            order: 1.0,
            certainty: Certainty::Bounds { lower, upper },
            classes: Some(costs),
            coupling: Some(coupling),
            method: Method::Hipm(*self),
        })
    }

    /// What the best linear functions say of the classes.
    fn linear_starts<T: Scalar>(
        &self,
        pair: Pair<'_, T>,
        seed: u64,
        search: &Search,
    ) -> Result<Vec<[Vec<f64>; 2]>, CompareError> {
        let Pair { source: p, target: q } = pair;
        let dim = p.dim();
        let means: Vec<f64> = [class_means(p), class_means(q)].concat();
        let mut draws = self.slices.draws::<f64>(dim, seed)?;
        let (count, classes) = (self.slices.count(), means.len() / dim);
        let mut along = vec![0.0; count * classes];
        draws.project(0..count, &means, &mut along);
        let mut found: Vec<(f64, usize)> =
            along.chunks(classes).enumerate().map(|(l, numbers)| (search.value(numbers), l)).collect();
        found.sort_by(|x, y| y.0.total_cmp(&x.0).then(x.1.cmp(&y.1)));
        let start = |&(_, l): &(f64, usize)| search.signs(&along[l * classes..(l + 1) * classes]);
        Ok(found.iter().take(STARTS).map(start).collect())
    }
}

/// A class: its samples in all of them, their masses (sum 1), and the weight of the class.
struct Class {
    samples: std::ops::Range<usize>,
    masses: Vec<f64>,
    weight: f64,
}

fn classes<T: Scalar>(measure: &MeasureOverMeasures<T>, first: usize) -> Vec<Class> {
    let class = |c: usize| {
        let (range, size) = (measure.class_range(c), measure.class_size(c));
        let masses = measure.class_weights(c).map_or_else(|| vec![1.0 / size as f64; size], <[f64]>::to_vec);
        let weight = measure.outer_weights()[c];
        Class { samples: first + range.start..first + range.end, masses, weight }
    };
    (0..measure.class_count()).map(class).collect()
}

/// The means of all classes, `C x d`.
fn class_means<T: Scalar>(measure: &MeasureOverMeasures<T>) -> Vec<f64> {
    let dim = measure.dim();
    let mut means = vec![0.0; measure.class_count() * dim];
    for (class, mean) in means.chunks_mut(dim).enumerate() {
        let points: Vec<f64> = measure.class_points(class).iter().map(|x| x.to_f64()).collect();
        let size = measure.class_size(class);
        let masses =
            measure.class_weights(class).map_or_else(|| vec![1.0 / size as f64; size], <[f64]>::to_vec);
        let rows = Mat::row_major(&points, size, dim);
        matmul(mean, Output::Overwrite, 1.0, Mat::row_major(&masses, 1, size), rows, Threads::One);
    }
    means
}

struct Search {
    classes: [Vec<Class>; 2],
    /// Between all samples of both sides.
    distances: CostMatrix,
}

impl Search {
    /// `W_{W_1}`, with its costs and its coupling.
    fn upper_bound(&self) -> Result<(CostMatrix, crate::ot::exact::Coupling, f64), CompareError> {
        let [left, right] = &self.classes;
        let cols = right.len();
        let costs = (0..left.len() * cols)
            .into_par_iter()
            .map(|pair| {
                let (mu, nu) = (&left[pair / cols], &right[pair % cols]);
                let rows: Vec<usize> = mu.samples.clone().collect();
                let costs = self.between(&rows, &nu.samples.clone().collect::<Vec<_>>())?;
                Ok(solve(&costs, Some(&mu.masses), Some(&nu.masses))?.value)
            })
            .collect::<Result<Vec<f64>, CompareError>>()?;
        let costs = CostMatrix::new(left.len(), cols, costs)?;
        let weights = |side: &[Class]| side.iter().map(|class| class.weight).collect::<Vec<f64>>();
        let outer = solve(&costs, Some(&weights(left)), Some(&weights(right)))?;
        Ok((costs, outer.coupling, outer.value))
    }

    fn between(&self, rows: &[usize], cols: &[usize]) -> Result<CostMatrix, CompareError> {
        let values = rows.iter().flat_map(|&i| cols.iter().map(move |&j| self.distances.get(i, j))).collect();
        Ok(CostMatrix::new(rows.len(), cols.len(), values)?)
    }

    /// The weights of both sides' classes that ask the means of the pooled samples apart.
    fn pooled_signs(&self) -> [Vec<f64>; 2] {
        self.classes.each_ref().map(|side| side.iter().map(|class| class.weight).collect())
    }

    /// `W_1` between the numbers of the classes, left ones first.
    fn value(&self, numbers: &[f64]) -> f64 {
        let (left, right) = numbers.split_at(self.classes[0].len());
        let [w, v] = self.pooled_signs();
        one_d::w_pow(left, Some(&w), right, Some(&v), 1.0)
    }

    /// By how much `W_1` grows with each left number and falls with each right one: mass that should go up, minus
    /// mass that should go down.
    fn signs(&self, numbers: &[f64]) -> [Vec<f64>; 2] {
        let (left, right) = numbers.split_at(self.classes[0].len());
        let [w, v] = self.pooled_signs();
        let mut signs = [vec![0.0; left.len()], vec![0.0; right.len()]];
        for piece in one_d::coupling(left, Some(&w), right, Some(&v)) {
            let (c, d) = (piece.i as usize, piece.j as usize);
            let difference = left[c] - right[d];
            let sign = f64::from(i8::from(difference > 0.0) - i8::from(difference < 0.0));
            signs[0][c] += sign * piece.mass;
            signs[1][d] += sign * piece.mass;
        }
        signs
    }

    /// The best value met on the way up from given signs.
    fn ascend(&self, mut signs: [Vec<f64>; 2]) -> Result<f64, CompareError> {
        let mut best = 0.0;
        for _ in 0..ROUNDS {
            let Some(numbers) = self.potential(&signs)? else { break };
            let value = self.value(&numbers);
            if value <= best * (1.0 + 1e-12) {
                break;
            }
            best = value;
            signs = self.signs(&numbers);
        }
        Ok(best)
    }

    /// What the classes' numbers become under the function of slope at most 1 that pulls the signed masses apart the
    /// most; nothing if there is no mass.
    fn potential(&self, [left, right]: &[Vec<f64>; 2]) -> Result<Option<Vec<f64>>, CompareError> {
        // Mass that should go up, and mass that should go down.
        let (mut up, mut down) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        let signed = self.classes[0].iter().zip(left).map(|(class, sign)| (class, *sign));
        let signed = signed.chain(self.classes[1].iter().zip(right).map(|(class, sign)| (class, -sign)));
        for (class, sign) in signed {
            let side = if sign > 0.0 { &mut up } else { &mut down };
            if sign != 0.0 {
                side.0.extend(class.samples.clone());
                side.1.extend(class.masses.iter().map(|mass| sign.abs() * mass));
            }
        }
        if up.0.is_empty() || down.0.is_empty() {
            return Ok(None);
        }
        let costs = self.between(&up.0, &down.0)?;
        let plan = solve(&costs, Some(&up.1), Some(&down.1))?;
        // f(x) = min_j |x - y_j| - g_j has slope at most 1 everywhere.
        let f = |x: usize| {
            let row = self.distances.row(x);
            let reach = down.0.iter().zip(&plan.g).map(|(&y, g)| row[y] - g);
            reach.fold(f64::INFINITY, f64::min)
        };
        let number = |class: &Class| -> f64 {
            class.samples.clone().zip(&class.masses).map(|(x, mass)| mass * f(x)).sum()
        };
        Ok(Some(self.classes.iter().flatten().map(number).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directions::Slicing;
    use crate::ot::exact::transport;

    fn bounds(p: &MeasureOverMeasures<f64>, q: &MeasureOverMeasures<f64>) -> (f64, f64) {
        let hipm = Hipm::new(Slices::new(Slicing::Gaussian, 64).unwrap());
        let found = hipm.compare(Pair { source: p, target: q }, 1).unwrap();
        let Certainty::Bounds { lower, upper } = found.certainty else { panic!("bounds") };
        assert!(found.value == lower && lower <= upper);
        (lower, upper)
    }

    #[test]
    fn single_classes_and_single_samples_meet_the_upper_bound() {
        // One class a side: W_1 of the two.
        let p = MeasureOverMeasures::uniform(vec![0.0, 0.0, 1.0, 0.0, 0.0, 3.0], 2, &[3]).unwrap();
        let q = MeasureOverMeasures::uniform(vec![2.0, 1.0, -1.0, 0.5], 2, &[2]).unwrap();
        let (lower, upper) = bounds(&p, &q);
        assert!((lower - upper).abs() < 1e-12 && upper > 1.0);
        // Classes of one sample on a line that move the same way.
        let p = MeasureOverMeasures::uniform(vec![0.0, 2.0, 4.0], 1, &[1, 1, 1]).unwrap();
        let q = MeasureOverMeasures::uniform(vec![1.0, 3.0, 6.0], 1, &[1, 1, 1]).unwrap();
        let (lower, upper) = bounds(&p, &q);
        assert!((upper - 4.0 / 3.0).abs() < 1e-12 && (lower - upper).abs() < 1e-12);
    }

    #[test]
    fn classes_are_told_apart_where_their_pool_is_not() {
        // The pooled samples agree: points 0 and 1 as two classes, and as two copies of their mixture. Best is f(x) =
        // x.
        let p = MeasureOverMeasures::uniform(vec![0.0, 1.0], 1, &[1, 1]).unwrap();
        let q = MeasureOverMeasures::uniform(vec![0.0, 1.0, 0.0, 1.0], 1, &[2, 2]).unwrap();
        let (lower, upper) = bounds(&p, &q);
        assert!((lower - 0.5).abs() < 1e-12 && (upper - 0.5).abs() < 1e-12);
    }

    #[test]
    fn it_lies_between_pooled_samples_and_wasserstein_over_wasserstein() {
        use crate::rng::{Purpose, Stream};
        for step in 0..12 {
            let draw = |sizes: &[usize], step: u64| {
                let mut points = vec![0.0; 2 * sizes.iter().sum::<usize>()];
                Stream::new(71, Purpose::Test, step).normals(0, &mut points);
                MeasureOverMeasures::uniform(points, 2, sizes).unwrap()
            };
            let (p, q) = (draw(&[3, 4, 1], 2 * step), draw(&[2, 5], 2 * step + 1));
            let (lower, upper) = bounds(&p, &q);
            let (a, b) = (super::super::masses::masses(&p), super::super::masses::masses(&q));
            let squares = squared_euclidean(p.points(), q.points(), 2).unwrap();
            let roots = squares.values().iter().map(|square| square.sqrt()).collect();
            let costs = CostMatrix::new(8, 7, roots).unwrap();
            let pooled = solve(&costs, Some(&a), Some(&b)).unwrap().value;
            assert!(lower >= pooled - 1e-12 && upper >= lower, "{pooled} {lower} {upper}");
            let w2 = transport(p.points(), Some(&a), q.points(), Some(&b), 2).unwrap().value.sqrt();
            assert!(pooled <= w2);
            assert_eq!(bounds(&p, &p), (0.0, 0.0));
        }
    }
}
