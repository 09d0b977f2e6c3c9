//! Transport between points with classes against the same problem with all its costs written down.

use wowflow::linalg::Threads;
use wowflow::ot::exact::{CostMatrix, Problem, Storage, solve, squared_euclidean};
use wowflow::rng::{Purpose, Stream};

fn noise(len: usize, step: u64) -> Vec<f64> {
    let mut values = vec![0.0; len];
    Stream::new(14, Purpose::Test, step).normals(0, &mut values);
    values
}

/// Points of `n` and `m`, their classes and a table of charges.
struct Labeled {
    x: Vec<f64>,
    y: Vec<f64>,
    left: Vec<usize>,
    right: Vec<usize>,
    table: CostMatrix,
}

const DIM: usize = 5;

impl Labeled {
    /// `far` lies between the clouds, and charges are of the order of its square.
    fn new(n: usize, m: usize, far: f64, ties: bool) -> Self {
        let (mut x, mut y) = (noise(n * DIM, n as u64), noise(m * DIM, 1000 + m as u64));
        if ties {
            x.iter_mut().chain(&mut y).for_each(|v| *v = v.round());
        }
        y.iter_mut().for_each(|v| *v += far);
        // Classes of the right points come and go.
        let left = (0..n).map(|i| i * 3 / n).collect();
        let right = (0..m).map(|j| j * j % 4).collect();
        let charges = noise(12, 7).into_iter().map(|v| far * far + if ties { v.round() } else { 3.0 * v });
        Self { x, y, left, right, table: CostMatrix::new(3, 4, charges.collect()).unwrap() }
    }

    fn costs(&self) -> CostMatrix {
        let points = squared_euclidean(&self.x, &self.y, DIM).unwrap();
        let (n, m) = (points.rows(), points.cols());
        let cost = |k: usize| points.values()[k] + self.table.get(self.left[k / m], self.right[k % m]);
        CostMatrix::new(n, m, (0..n * m).map(cost).collect()).unwrap()
    }

    fn problem(&self) -> Problem<'_, f64> {
        Problem::labeled_points(&self.x, &self.y, DIM, (&self.left, &self.right), &self.table)
    }
}

#[test]
fn values_are_those_of_the_written_costs_however_they_are_kept() {
    for (n, m) in [(1, 1), (1, 9), (8, 1), (30, 30), (150, 90), (90, 400)] {
        for (far, ties) in [(0.0, false), (0.0, true), (1e4, false)] {
            let data = Labeled::new(n, m, far, ties);
            let costs = data.costs();
            // Some points weigh nothing.
            let weights =
                |len: usize| (0..len).map(|i| (i % 5) as f64 + f64::from(len < 3)).collect::<Vec<_>>();
            let (a, b) = (weights(n), weights(m));
            for sides in [(None, None), (Some(&a[..]), Some(&b[..]))] {
                if sides.0.is_some() && (n == 1 || m == 1) {
                    continue;
                }
                let expected = solve(&costs, sides.0, sides.1).unwrap();
                for storage in [Storage::Kept, Storage::Recomputed] {
                    let found = data.problem().weights(sides.0, sides.1).storage(storage).solve().unwrap();
                    let rounding = 1e-13 * (1.0 + far * far);
                    let what = format!("{n} x {m}, {far} apart, ties {ties}, {storage:?}");
                    assert!((found.value - expected.value).abs() < 10.0 * rounding, "{what}");
                    assert!(found.gap < 10.0 * rounding, "{what}: {}", found.gap);
                    assert!((found.coupling.cost(&costs) - expected.value).abs() < 10.0 * rounding, "{what}");
                    for (k, cost) in costs.values().iter().enumerate() {
                        assert!(found.f[k / m] + found.g[k % m] <= cost + 100.0 * rounding, "{what}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_bits_do_not_depend_on_threads_nor_storage() {
    let data = Labeled::new(200, 170, 0.0, false);
    let run = |threads, storage| data.problem().threads(threads).storage(storage).solve().unwrap();
    let first = run(Threads::One, Storage::Kept);
    assert_eq!(first.value, run(Threads::Pool, Storage::Kept).value);
    assert_eq!(run(Threads::One, Storage::Recomputed), run(Threads::Pool, Storage::Recomputed));
}

#[test]
#[should_panic(expected = "a class for every point")]
fn classes_of_another_number_are_refused() {
    let table = CostMatrix::new(1, 1, vec![0.0]).unwrap();
    let _ = Problem::labeled_points(&[0.0, 1.0], &[0.0], 1, (&[0], &[0]), &table).solve();
}
