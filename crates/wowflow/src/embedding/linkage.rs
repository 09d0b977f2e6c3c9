//! Hierarchical clustering by average linkage, with the best order of the leaves.

use super::DistanceMatrix;

/// Two clusters that became one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Merge {
    /// A cluster: a point if below the number `n` of points, else merge number `left - n`.
    pub left: usize,
    /// The other cluster, drawn after the first.
    pub right: usize,
    /// Mean distance between the points of both.
    pub height: f64,
}

/// A tree of clusters and the order its leaves are best drawn in.
#[derive(Clone, Debug, PartialEq)]
pub struct Dendrogram {
    /// The `n - 1` merges, lowest first; the last is the root.
    pub merges: Vec<Merge>,
    /// All points from left to right.
    pub order: Vec<usize>,
}

/// Clusters points by average linkage (UPGMA) and orders the leaves so that the sum of the
/// distances between neighbours is the least that any turning of branches gives (Bar-Joseph,
/// Gifford and Jaakkola, "Fast optimal leaf ordering for hierarchical clustering", 2001).
///
/// O(n^3) time, O(n^2) memory. Of equal distances the one between earlier points is merged first,
/// and of both directions of an order the one with the smaller first point is taken.
///
/// ```
/// use wowflow::embedding::{DistanceMatrix, average_linkage};
/// let at = [0.0f64, 10.0, 1.0, 12.0];
/// let values = at.iter().flat_map(|x| at.iter().map(move |y| (x - y).abs())).collect();
/// let tree = average_linkage(&DistanceMatrix::new(4, values)?);
/// assert_eq!(tree.order, [0, 2, 1, 3]);
/// assert_eq!(tree.merges.iter().map(|merge| merge.height).collect::<Vec<_>>(), [1.0, 2.0, 10.5]);
/// # Ok::<(), wowflow::embedding::EmbeddingError>(())
/// ```
#[must_use]
pub fn average_linkage(distances: &DistanceMatrix) -> Dendrogram {
    let mut merges = merges(distances);
    let order = best_order(distances, &merges);
    let count = distances.count();
    // The children of every merge in the order they are drawn in.
    let mut place = vec![0; count];
    order.iter().enumerate().for_each(|(at, &point)| place[point] = at);
    let mut first = place;
    for merge in &mut merges {
        if first[merge.right] < first[merge.left] {
            (merge.left, merge.right) = (merge.right, merge.left);
        }
        first.push(first[merge.left]);
    }
    Dendrogram { merges, order }
}

fn merges(distances: &DistanceMatrix) -> Vec<Merge> {
    let count = distances.count();
    let mut between = distances.values().to_vec();
    // Clusters that are left: the row they use, their node, their size.
    let mut active: Vec<(usize, usize, f64)> = (0..count).map(|i| (i, i, 1.0)).collect();
    let mut merges = Vec::with_capacity(count - 1);
    while active.len() > 1 {
        let mut best = (f64::INFINITY, 0, 1);
        for b in 1..active.len() {
            for a in 0..b {
                let height = between[active[a].0 * count + active[b].0];
                if height < best.0 {
                    best = (height, a, b);
                }
            }
        }
        let (height, a, b) = best;
        let ((row, left, size), (gone, right, other)) = (active[a], active[b]);
        merges.push(Merge { left, right, height });
        active.remove(b);
        active[a] = (row, count + merges.len() - 1, size + other);
        for &(k, ..) in &active {
            let mean = (size * between[row * count + k] + other * between[gone * count + k]) / (size + other);
            between[row * count + k] = mean;
            between[k * count + row] = mean;
        }
    }
    merges
}

/// The order of the leaves of the least length, by dynamic programming over pairs of outer leaves.
///
/// Two leaves `i` and `j` have one node that parts them; `length[i, j]` is the shortest order of
/// its leaves that begins with `i` and ends with `j`, and `joint[i, j]` are the neighbours where
/// its two halves meet.
fn best_order(distances: &DistanceMatrix, merges: &[Merge]) -> Vec<usize> {
    let count = distances.count();
    let mut leaves: Vec<Vec<usize>> = (0..count).map(|i| vec![i]).collect();
    let mut length = vec![0.0; count * count];
    let mut joint = vec![(0, 0); count * count];
    // The half of a node's leaves that an order beginning with `i` may end with.
    let mut halves: Vec<(Vec<usize>, Vec<usize>)> = (0..count).map(|i| (vec![i], vec![i])).collect();
    let ends = |half: &'_ (Vec<usize>, Vec<usize>), i: usize| {
        if half.0.contains(&i) { half.1.clone() } else { half.0.clone() }
    };
    for merge in merges {
        let (a, b) = (&leaves[merge.left], &leaves[merge.right]);
        for &i in a {
            let from = ends(&halves[merge.left], i);
            // The shortest way from `i` through its half to each leaf of the other, with the leaf before it.
            let step = |l: usize| {
                let way = |&k: &usize| (length[i * count + k] + distances.get(k, l), k);
                from.iter().map(way).min_by(|x, y| x.0.total_cmp(&y.0)).unwrap_or((0.0, i))
            };
            let mut ways = vec![(0.0, i); count];
            b.iter().for_each(|&l| ways[l] = step(l));
            let row: Vec<(f64, usize, usize)> = b
                .iter()
                .map(|&j| {
                    let way = |l: &usize| (ways[*l].0 + length[*l * count + j], ways[*l].1, *l);
                    let last = ends(&halves[merge.right], j);
                    last.iter().map(way).min_by(|x, y| x.0.total_cmp(&y.0)).unwrap_or((0.0, i, j))
                })
                .collect();
            for (&j, (least, k, l)) in b.iter().zip(row) {
                (length[i * count + j], length[j * count + i]) = (least, least);
                (joint[i * count + j], joint[j * count + i]) = ((k, l), (l, k));
            }
        }
        halves.push((a.clone(), b.clone()));
        leaves.push(a.iter().chain(b).copied().collect());
    }
    let Some(root) = merges.last() else { return (0..count).collect() };
    let (a, b) = (&leaves[root.left], &leaves[root.right]);
    let pairs = a.iter().flat_map(|&i| b.iter().map(move |&j| (i.min(j), i.max(j))));
    let best = pairs.min_by(|&(i, j), &(k, l)| {
        length[i * count + j].total_cmp(&length[k * count + l]).then((i, j).cmp(&(k, l)))
    });
    let mut order = Vec::with_capacity(count);
    // Pieces of the order still to be unfolded, the next one last; a leaf alone is its own first and last.
    let mut pieces: Vec<(usize, usize)> = best.into_iter().collect();
    while let Some((i, j)) = pieces.pop() {
        if i == j {
            order.push(i);
        } else {
            let (k, l) = joint[i * count + j];
            pieces.push((l, j));
            pieces.push((i, k));
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    fn random(count: usize, step: u64, kinds: Option<f64>) -> DistanceMatrix {
        let stream = Stream::new(14, Purpose::Test, step);
        let draw = |i: usize, j: usize| {
            let uniform = stream.uniform((i.min(j) * count + i.max(j)) as u64);
            if i == j { 0.0 } else { kinds.map_or(uniform, |kinds| (uniform * kinds).floor()) }
        };
        let values = (0..count * count).map(|k| draw(k / count, k % count)).collect();
        DistanceMatrix::new(count, values).unwrap()
    }

    fn length(distances: &DistanceMatrix, order: &[usize]) -> f64 {
        order.windows(2).map(|w| distances.get(w[0], w[1])).sum()
    }

    /// All orders that turning branches gives.
    fn orders(merges: &[Merge], count: usize) -> Vec<Vec<usize>> {
        let mut of: Vec<Vec<Vec<usize>>> = (0..count).map(|i| vec![vec![i]]).collect();
        for merge in merges {
            let mut all = Vec::new();
            for left in &of[merge.left] {
                for right in &of[merge.right] {
                    all.push([left.clone(), right.clone()].concat());
                    all.push([right.clone(), left.clone()].concat());
                }
            }
            of.push(all);
        }
        of.pop().unwrap()
    }

    #[test]
    fn the_order_is_the_best_of_all_turnings() {
        for step in 0..60 {
            let (count, kinds) = (1 + step as usize % 8, (step % 3 == 0).then_some(3.0));
            let distances = random(count, step, kinds);
            let tree = average_linkage(&distances);
            let all = orders(&tree.merges, count);
            assert!(all.contains(&tree.order));
            let best = all.iter().map(|order| length(&distances, order)).fold(f64::INFINITY, f64::min);
            assert!((length(&distances, &tree.order) - best).abs() < 1e-12, "{distances:?} {tree:?}");
            // Drawn in order, no two branches cross: the children stand as the order has them.
            let drawn = |node: usize, merges: &[Merge]| -> Vec<usize> {
                fn leaves(node: usize, merges: &[Merge], count: usize, out: &mut Vec<usize>) {
                    if node < count {
                        out.push(node);
                    } else {
                        leaves(merges[node - count].left, merges, count, out);
                        leaves(merges[node - count].right, merges, count, out);
                    }
                }
                let mut out = Vec::new();
                leaves(node, merges, count, &mut out);
                out
            };
            assert_eq!(drawn(2 * count - 2, &tree.merges), tree.order);
        }
    }

    #[test]
    fn heights_are_mean_distances_and_rise() {
        let distances = random(12, 99, None);
        let tree = average_linkage(&distances);
        let mut members: Vec<Vec<usize>> = (0..12).map(|i| vec![i]).collect();
        for merge in &tree.merges {
            let (a, b) = (&members[merge.left], &members[merge.right]);
            let total: f64 = a
                .iter()
                .flat_map(|&i| b.iter().map(move |&j| (i, j)))
                .map(|(i, j)| distances.get(i, j))
                .sum();
            assert!((merge.height - total / (a.len() * b.len()) as f64).abs() < 1e-14);
            members.push([a.clone(), b.clone()].concat());
        }
        assert!(tree.merges.windows(2).all(|w| w[0].height <= w[1].height));
    }

    #[test]
    fn single_points_and_equal_distances_have_an_order() {
        let one = average_linkage(&DistanceMatrix::new(1, vec![0.0]).unwrap());
        assert_eq!((one.order, one.merges.len()), (vec![0], 0));
        let mut same = average_linkage(&DistanceMatrix::new(40, vec![0.0; 1600]).unwrap()).order;
        same.sort_unstable();
        assert_eq!(same, (0..40).collect::<Vec<_>>());
    }
}
