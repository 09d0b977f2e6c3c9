//! The support of a coupling as a graph: cycles taken out of it, and whether another coupling is as good.

use super::shortlist::Shortlist;

/// Connected points: left ones first, then right ones.
struct Components {
    parent: Vec<u32>,
}

impl Components {
    fn new(count: usize) -> Self {
        Self { parent: (0..count as u32).collect() }
    }

    fn of(&mut self, node: usize) -> usize {
        let mut at = node;
        while self.parent[at] as usize != at {
            let above = self.parent[at] as usize;
            self.parent[at] = self.parent[above];
            at = above;
        }
        at
    }

    /// Joins two points; false if they were connected.
    fn join(&mut self, a: usize, b: usize) -> bool {
        let (a, b) = (self.of(a), self.of(b));
        self.parent[a] = b as u32;
        a != b
    }
}

/// Moves mass around the cycles of a support until none is left: at most `n + m - 1` arcs remain.
///
/// All arcs are tight, so the cost does not change.
pub(super) fn without_cycles(
    n: usize,
    m: usize,
    flows: Vec<(usize, usize, i64)>,
) -> Vec<(usize, usize, i64)> {
    let mut components = Components::new(n + m);
    let mut kept: Vec<(usize, usize, i64)> = Vec::with_capacity(flows.len());
    // Arcs of the forest at each point, by their place in `kept`.
    let mut arcs_at: Vec<Vec<usize>> = vec![Vec::new(); n + m];
    for (row, col, units) in flows {
        let arc = kept.len();
        if components.join(row, n + col) {
            kept.push((row, col, units));
            arcs_at[row].push(arc);
            arcs_at[n + col].push(arc);
            continue;
        }
        // From the row along the forest to the column, arcs take in and give away mass in turn.
        let path = path(&kept, &arcs_at, n, row, n + col);
        let giving = path.iter().skip(1).step_by(2);
        let (least, first) = giving.map(|&arc| (kept[arc].2, arc)).min().unwrap_or((units, arc));
        let moved = least.min(units);
        let mut sign = 1;
        for &arc in &path {
            kept[arc].2 += sign * moved;
            sign = -sign;
        }
        if moved < units {
            // An arc of the forest is empty: the new one takes its place.
            let (old_row, old_col, _) = kept[first];
            arcs_at[old_row].retain(|arc| *arc != first);
            arcs_at[n + old_col].retain(|arc| *arc != first);
            kept[first] = (row, col, units - moved);
            arcs_at[row].push(first);
            arcs_at[n + col].push(first);
        }
    }
    kept.retain(|arc| arc.2 > 0);
    kept
}

/// The arcs of a forest from one point to another.
fn path(
    kept: &[(usize, usize, i64)],
    arcs_at: &[Vec<usize>],
    n: usize,
    from: usize,
    to: usize,
) -> Vec<usize> {
    // Searched from the end, so that walking back from the beginning gives the arcs in order.
    let mut towards = vec![usize::MAX; arcs_at.len()];
    let mut reached = vec![to];
    let mut next = 0;
    while next < reached.len() && reached[next] != from {
        let node = reached[next];
        next += 1;
        for &arc in &arcs_at[node] {
            let (row, col, _) = kept[arc];
            let other = if node == row { n + col } else { row };
            if towards[node] != arc {
                towards[other] = arc;
                reached.push(other);
            }
        }
    }
    let (mut node, mut path) = (from, Vec::new());
    while node != to {
        let arc = towards[node];
        path.push(arc);
        let (row, col, _) = kept[arc];
        node = if node == row { n + col } else { row };
    }
    path
}

/// Whether no other coupling is as good: no cycle of arcs with reduced costs up to `tight` goes
/// forwards along some of them and backwards along the support.
///
/// On a support without cycles each connected part can be walked both ways. So another coupling
/// needs a tight arc that is not in the support, within a part or on a cycle among parts.
pub(super) fn is_unique(
    flows: &[(usize, usize, i64)],
    lists: &[Shortlist],
    (f, g): (&[f64], &[f64]),
    tight: f64,
) -> bool {
    let (n, m) = (f.len(), g.len());
    let mut components = Components::new(n + m);
    if !flows.iter().all(|&(row, col, _)| components.join(row, n + col)) {
        return false;
    }
    let mut support: Vec<(usize, usize)> = flows.iter().map(|&(row, col, _)| (row, col)).collect();
    support.sort_unstable();
    let mut arcs = Vec::new();
    for (row, list) in lists.iter().enumerate() {
        if list.rest - f[row] <= tight {
            return false;
        }
        for entry in &list.entries {
            let col = entry.col as usize;
            if entry.cost - f[row] - g[col] <= tight && support.binary_search(&(row, col)).is_err() {
                let (from, to) = (components.of(row), components.of(n + col));
                if from == to {
                    return false;
                }
                arcs.push((from, to));
            }
        }
    }
    is_acyclic(n + m, arcs)
}

fn is_acyclic(count: usize, mut arcs: Vec<(usize, usize)>) -> bool {
    arcs.sort_unstable();
    let mut entering = vec![0usize; count];
    arcs.iter().for_each(|arc| entering[arc.1] += 1);
    let mut free: Vec<usize> = (0..count).filter(|&node| entering[node] == 0).collect();
    let mut next = 0;
    while next < free.len() {
        let node = free[next];
        next += 1;
        let first = arcs.partition_point(|arc| arc.0 < node);
        for &(_, to) in arcs[first..].iter().take_while(|arc| arc.0 == node) {
            entering[to] -= 1;
            if entering[to] == 0 {
                free.push(to);
            }
        }
    }
    free.len() == count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    #[test]
    fn a_dense_support_becomes_a_forest_with_the_same_marginals() {
        let (n, m) = (7, 9);
        let stream = Stream::new(4, Purpose::Test, 0);
        let flows: Vec<(usize, usize, i64)> =
            (0..n * m).map(|k| (k / m, k % m, 1 + (stream.uniform(k as u64) * 50.0) as i64)).collect();
        let kept = without_cycles(n, m, flows.clone());
        assert!(kept.len() < n + m && kept.iter().all(|arc| arc.2 > 0));
        let mut components = Components::new(n + m);
        assert!(kept.iter().all(|&(row, col, _)| components.join(row, n + col)), "a cycle is left");
        let sums = |flows: &[(usize, usize, i64)]| {
            let mut sums = vec![0; n + m];
            flows.iter().for_each(|&(row, col, units)| {
                sums[row] += units;
                sums[n + col] += units;
            });
            sums
        };
        assert_eq!(sums(&kept), sums(&flows));
    }

    #[test]
    fn cycles_among_parts_are_found() {
        assert!(is_acyclic(4, vec![(0, 1), (1, 2), (0, 2), (3, 0)]));
        assert!(!is_acyclic(4, vec![(0, 1), (1, 2), (2, 0)]));
    }
}
