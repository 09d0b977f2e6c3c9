//! Whether an optimal plan is the only one, read from its dual potentials.

use rayon::prelude::*;

use super::GeometryError;
use crate::measure::MeasureOverMeasures;
use crate::ot::exact::{CostMatrix, Coupling, solve, squared_euclidean};
use crate::ot::wow::WowTransport;
use crate::scalar::Scalar;

/// Slack below this part of the largest cost counts as none.
///
/// Potentials carry rounding of some 1e-15 of the largest cost. A plan that is unique by less than the
/// tolerance would not be after a change of the costs of that size.
pub const TIGHT: f64 = 1e-12;

/// Whether a problem has one optimal plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uniqueness {
    /// No other plan is optimal.
    Unique,
    /// Other plans cost as little, up to the tolerance.
    NotUnique,
}

/// Whether `coupling`, optimal for `costs` with potentials `f` and `g`, is the only optimal one.
///
/// Another optimal plan differs by a circulation on tight arcs (`c_ij = f_i + g_j`) that takes mass from
/// arcs of the plan alone: by complementary slackness every optimal plan lives on the arcs tight under
/// any optimal potentials. Such a circulation exists exactly if the arcs of the plan, passable both ways,
/// and the other tight arcs, passable from left to right, close a cycle. So: the plan must be a
/// forest, and with its trees contracted the other tight arcs must be acyclic (they may not even join
/// a tree to itself). Points without mass close no cycle. Time and memory O(n m).
///
/// `tolerance` is relative to the largest cost, see [`TIGHT`].
///
/// ```
/// use wowflow::ot::exact::{CostMatrix, solve};
/// use wowflow::ot::geometry::{TIGHT, Uniqueness, uniqueness};
/// let of = |costs: &[f64]| {
///     let cost = CostMatrix::new(2, 2, costs.to_vec()).unwrap();
///     let best = solve(&cost, None, None).unwrap();
///     uniqueness(&cost, &best.coupling, &best.f, &best.g, TIGHT)
/// };
/// assert_eq!(of(&[0.0, 1.0, 1.0, 0.0]), Uniqueness::Unique);
/// assert_eq!(of(&[1.0, 1.0, 1.0, 1.0]), Uniqueness::NotUnique);
/// ```
///
/// # Panics
/// Shapes that do not fit together.
#[must_use]
pub fn uniqueness(
    costs: &CostMatrix,
    coupling: &Coupling,
    f: &[f64],
    g: &[f64],
    tolerance: f64,
) -> Uniqueness {
    let (rows, cols) = ((0..costs.rows()).collect::<Vec<_>>(), (0..costs.cols()).collect::<Vec<_>>());
    among(costs, coupling, (f, g), tolerance, &rows, &cols)
}

/// As [`uniqueness`], where points with the same entry in `row_of` (or `col_of`) are one point.
fn among(
    costs: &CostMatrix,
    coupling: &Coupling,
    (f, g): (&[f64], &[f64]),
    tolerance: f64,
    row_of: &[usize],
    col_of: &[usize],
) -> Uniqueness {
    let (n, m) = (costs.rows(), costs.cols());
    assert_eq!((n, m), (coupling.rows(), coupling.cols()), "shapes of the costs and the coupling");
    assert_eq!((n, m), (f.len(), g.len()), "shapes of the costs and the potentials");
    let mut support: Vec<(usize, usize)> =
        coupling.atoms().iter().map(|atom| (row_of[atom.row], n + col_of[atom.col])).collect();
    support.sort_unstable();
    support.dedup();
    let mut trees = Trees::new(n + m);
    if !support.iter().all(|&(row, col)| trees.join(row, col)) {
        return Uniqueness::NotUnique;
    }
    let largest = costs.values().iter().fold(0.0f64, |largest, c| largest.max(c.abs()));
    let slack = tolerance * largest;
    let mut arcs = vec![Vec::new(); n + m];
    for i in (0..n).filter(|&i| row_of[i] == i) {
        for (j, cost) in costs.row(i).iter().enumerate().filter(|&(j, _)| col_of[j] == j) {
            if cost - f[i] - g[j] <= slack && support.binary_search(&(i, n + j)).is_err() {
                let (from, to) = (trees.root(i), trees.root(n + j));
                if from == to {
                    return Uniqueness::NotUnique;
                }
                arcs[from].push(to);
            }
        }
    }
    if is_acyclic(&arcs) { Uniqueness::Unique } else { Uniqueness::NotUnique }
}

/// Disjoint sets of nodes.
struct Trees(Vec<usize>);

impl Trees {
    fn new(nodes: usize) -> Self {
        Self((0..nodes).collect())
    }

    fn root(&mut self, mut node: usize) -> usize {
        while self.0[node] != node {
            self.0[node] = self.0[self.0[node]];
            node = self.0[node];
        }
        node
    }

    /// Joins two trees; false if they were one already.
    fn join(&mut self, a: usize, b: usize) -> bool {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a] = b;
        a != b
    }
}

/// Whether every node can be taken away after all arcs into it (Kahn's topological sort).
fn is_acyclic(arcs: &[Vec<usize>]) -> bool {
    let mut into = vec![0usize; arcs.len()];
    arcs.iter().flatten().for_each(|&to| into[to] += 1);
    let mut free: Vec<usize> = (0..arcs.len()).filter(|&node| into[node] == 0).collect();
    let mut taken = 0;
    while let Some(node) = free.pop() {
        taken += 1;
        for &to in &arcs[node] {
            into[to] -= 1;
            if into[to] == 0 {
                free.push(to);
            }
        }
    }
    taken == arcs.len()
}

/// Whether the optimal velocity plan between two datasets is the only one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanUniqueness {
    /// Whether the classes could be matched otherwise.
    pub outer: Uniqueness,
    /// Pairs `(c, d)` of matched classes whose samples could be matched otherwise.
    pub inner: Vec<(usize, usize)>,
}

impl PlanUniqueness {
    /// Unique on both levels.
    #[must_use]
    pub fn overall(&self) -> Uniqueness {
        if self.inner.is_empty() { self.outer } else { Uniqueness::NotUnique }
    }
}

/// Whether the velocity plan of `transport`, hence the geodesic from `p` to `q`, is the only optimal one.
///
/// Equal samples within a class count as one, and so do classes that are equal sample by sample:
/// exchanging them changes indices, not measures. The plans between matched classes are solved again
/// for their potentials, a part `1 / C` of the work of the transport. `tolerance` as in [`uniqueness`].
///
/// # Errors
/// Datasets that the transport cannot be of, or distances that are not finite.
#[inline(never)]
pub fn plan_uniqueness<T: Scalar>(
    p: &MeasureOverMeasures<T>,
    q: &MeasureOverMeasures<T>,
    transport: &WowTransport,
    tolerance: f64,
) -> Result<PlanUniqueness, GeometryError> {
    let classes = (p.class_count(), q.class_count());
    let found = (transport.class_costs.rows(), transport.class_costs.cols());
    if classes != found {
        let text = |(rows, cols): (usize, usize)| format!("{rows} x {cols} classes");
        return Err(GeometryError::ForeignTransport { expected: text(classes), found: text(found) });
    }
    let best = solve(&transport.class_costs, Some(p.outer_weights()), Some(q.outer_weights()))?;
    let (rows, cols) = (first_equal_class(p), first_equal_class(q));
    let outer = among(&transport.class_costs, &best.coupling, (&best.f, &best.g), tolerance, &rows, &cols);
    let several = |&(c, d): &(usize, usize)| {
        let (x, y) = (p.class_points(c), q.class_points(d));
        let costs = squared_euclidean(x, y, p.dim())?;
        let best = solve(&costs, p.class_weights(c), q.class_weights(d))?;
        let (rows, cols) = (first_equal(x, p.dim()), first_equal(y, q.dim()));
        let found = among(&costs, &best.coupling, (&best.f, &best.g), tolerance, &rows, &cols);
        Ok((found == Uniqueness::NotUnique).then_some((c, d)))
    };
    let matched: Vec<(usize, usize)> =
        transport.outer.atoms().iter().map(|atom| (atom.row, atom.col)).collect();
    let inner: Vec<Option<(usize, usize)>> =
        matched.par_iter().map(several).collect::<Result<_, GeometryError>>()?;
    Ok(PlanUniqueness { outer, inner: inner.into_iter().flatten().collect() })
}

/// For every point the smallest index of a point equal to it.
fn first_equal<T: Scalar>(points: &[T], dim: usize) -> Vec<usize> {
    let row = |i: usize| &points[i * dim..(i + 1) * dim];
    let mut order: Vec<usize> = (0..points.len() / dim).collect();
    let by_value = |&i: &usize, &j: &usize| {
        let values = row(i).iter().zip(row(j)).map(|(x, y)| x.partial_cmp(y));
        let difference = values.flatten().find(|order| order.is_ne());
        difference.unwrap_or_else(|| i.cmp(&j))
    };
    order.sort_unstable_by(by_value);
    let mut first = vec![0; order.len()];
    for (at, &i) in order.iter().enumerate() {
        let previous = at.checked_sub(1).map(|before| order[before]).filter(|&j| row(i) == row(j));
        first[i] = previous.map_or(i, |j| first[j]);
    }
    first
}

/// For every class the smallest index of a class with the same samples and weights in the same order.
fn first_equal_class<T: Scalar>(measure: &MeasureOverMeasures<T>) -> Vec<usize> {
    let same = |c: usize, e: usize| {
        measure.class_points(c) == measure.class_points(e)
            && measure.class_weights(c) == measure.class_weights(e)
    };
    (0..measure.class_count()).map(|c| (0..c).find(|&e| same(c, e)).unwrap_or(c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    fn solved(costs: &CostMatrix, a: Option<&[f64]>, b: Option<&[f64]>) -> Uniqueness {
        let best = solve(costs, a, b).unwrap();
        uniqueness(costs, &best.coupling, &best.f, &best.g, TIGHT)
    }

    /// The optimal vertices of a transport problem with whole masses, by trying all plans.
    fn optimal_plans(costs: &CostMatrix, a: &[u32], b: &[u32]) -> usize {
        fn fill(
            costs: &CostMatrix,
            a: &mut [u32],
            b: &mut [u32],
            cell: usize,
            value: f64,
            out: &mut Vec<f64>,
        ) {
            let cols = b.len();
            if cell == a.len() * cols {
                if a.iter().chain(b.iter()).all(|mass| *mass == 0) {
                    out.push(value);
                }
                return;
            }
            let (i, j) = (cell / cols, cell % cols);
            for mass in 0..=a[i].min(b[j]) {
                a[i] -= mass;
                b[j] -= mass;
                fill(costs, a, b, cell + 1, value + f64::from(mass) * costs.get(i, j), out);
                a[i] += mass;
                b[j] += mass;
            }
        }
        let mut values = Vec::new();
        fill(costs, &mut a.to_vec(), &mut b.to_vec(), 0, 0.0, &mut values);
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        values.iter().filter(|&&value| value == least).count()
    }

    #[test]
    fn the_flag_is_what_trying_all_plans_says() {
        // Small whole costs and masses: ties are common, and a second optimal plan shows among whole plans.
        let mut seen = [0, 0];
        for case in 0..400u64 {
            let mut draws = Stream::new(5, Purpose::Test, case).reader();
            let (n, m) = (2 + draws.below(2), 2 + draws.below(2));
            let mut a: Vec<u32> = (0..n).map(|_| draws.below(4) as u32).collect();
            let mut b: Vec<u32> = (0..m).map(|_| draws.below(4) as u32).collect();
            let (left, right): (u32, u32) = (a.iter().sum(), b.iter().sum());
            a[0] += right.saturating_sub(left);
            b[0] += left.saturating_sub(right);
            if a.iter().sum::<u32>() == 0 {
                continue;
            }
            let costs: Vec<f64> = (0..n * m).map(|_| draws.below(3) as f64).collect();
            let costs = CostMatrix::new(n, m, costs).unwrap();
            let float = |masses: &[u32]| masses.iter().map(|&mass| f64::from(mass)).collect::<Vec<_>>();
            let found = solved(&costs, Some(&float(&a)), Some(&float(&b)));
            let expected =
                if optimal_plans(&costs, &a, &b) == 1 { Uniqueness::Unique } else { Uniqueness::NotUnique };
            assert_eq!(found, expected, "{costs:?} {a:?} {b:?}");
            seen[usize::from(found == Uniqueness::Unique)] += 1;
        }
        assert!(seen.iter().all(|&count| count > 50), "{seen:?}");
    }

    #[test]
    fn equal_samples_and_classes_are_one() {
        let p = MeasureOverMeasures::uniform(vec![0.0, 0.0, 3.0], 1, &[3]).unwrap();
        let q = MeasureOverMeasures::uniform(vec![1.0, 2.0, 9.0], 1, &[3]).unwrap();
        let transport = crate::ot::wow::wow2_pow(&p, &q, crate::ot::wow::KeepPlans::No).unwrap();
        let flag = plan_uniqueness(&p, &q, &transport, TIGHT).unwrap();
        assert_eq!(flag.overall(), Uniqueness::Unique);
        assert_eq!(first_equal(&[1.0, 2.0, 0.0, 5.0, 1.0, 2.0, -0.0, 5.0], 2), [0, 1, 0, 1]);
        // The corners of a square, matched along either pair of sides.
        let p = MeasureOverMeasures::uniform(vec![0.0, 0.0, 1.0, 1.0], 2, &[2]).unwrap();
        let q = MeasureOverMeasures::uniform(vec![1.0, 0.0, 0.0, 1.0], 2, &[2]).unwrap();
        let transport = crate::ot::wow::wow2_pow(&p, &q, crate::ot::wow::KeepPlans::No).unwrap();
        let flag = plan_uniqueness(&p, &q, &transport, TIGHT).unwrap();
        assert_eq!((flag.outer, &flag.inner[..]), (Uniqueness::Unique, &[(0, 0)][..]));
        assert_eq!(flag.overall(), Uniqueness::NotUnique);
        // The same as two classes of one sample each.
        let p = MeasureOverMeasures::uniform(vec![0.0, 0.0, 1.0, 1.0], 2, &[1, 1]).unwrap();
        let q = MeasureOverMeasures::uniform(vec![1.0, 0.0, 0.0, 1.0], 2, &[1, 1]).unwrap();
        let transport = crate::ot::wow::wow2_pow(&p, &q, crate::ot::wow::KeepPlans::No).unwrap();
        let flag = plan_uniqueness(&p, &q, &transport, TIGHT).unwrap();
        assert_eq!((flag.outer, flag.inner.len()), (Uniqueness::NotUnique, 0));
    }
}
