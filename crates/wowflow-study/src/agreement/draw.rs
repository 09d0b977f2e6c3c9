//! Pairs of datasets drawn by a rule: which sets, classes and samples, all a function of the seed and the pair.

use serde::Serialize;
use wowflow::dataset::LabeledDataset;
use wowflow::rng::{Purpose, Reader, Stream};

use wowflow_data::Prepared;

use super::config::{Config, PairRule, SameSet};
use crate::error::{Result, refuse, require};

/// One side of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Side {
    /// Index into the datasets.
    pub(crate) set: usize,
    /// Indices of classes, increasing.
    pub(crate) classes: Vec<usize>,
    /// Rows of the dataset, class after class.
    pub(crate) rows: Vec<usize>,
}

/// A pair of datasets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Drawn {
    pub(crate) left: Side,
    pub(crate) right: Side,
    /// Samples of a class.
    pub(crate) samples: usize,
}

/// What a pair was made of, for tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Made {
    /// One dataset.
    pub left: String,
    /// The other.
    pub right: String,
    /// Labels of its classes.
    pub left_classes: Vec<String>,
    /// Labels of the other's classes.
    pub right_classes: Vec<String>,
    /// Samples of a class.
    pub samples: usize,
}

impl Drawn {
    pub(crate) fn made(&self, datasets: &[Prepared]) -> Made {
        let labels = |side: &Side| {
            let labels = datasets[side.set].dataset.classes();
            side.classes.iter().map(|&class| labels[class].to_string()).collect()
        };
        Made {
            left: datasets[self.left.set].name.clone(),
            right: datasets[self.right.set].name.clone(),
            left_classes: labels(&self.left),
            right_classes: labels(&self.right),
            samples: self.samples,
        }
    }
}

/// Refuses datasets that a rule asks too much of.
pub(crate) fn check(config: &Config, datasets: &[Prepared]) -> Result<()> {
    let rule = &config.pairs;
    if rule.same_set == SameSet::Never {
        require!(
            datasets.len() > 1,
            "expected two or more datasets with pairs.same-set = \"never\", found {}",
            datasets.len()
        );
    }
    for Prepared { name, dataset, .. } in datasets {
        let (classes, most) = (dataset.class_count(), rule.classes[1]);
        require!(classes >= most, "expected at most {classes} as pairs.classes, as {name} has, found {most}");
        let needed = rule.needed();
        let small = (0..classes).find(|&class| dataset.class_rows(class).len() < needed);
        if let Some(class) = small {
            let twice = if needed > rule.samples[1] { " on each of two sides that share none" } else { "" };
            refuse!(
                "expected {} samples of every class as pairs.samples{twice}, found {} of class {} of {name}",
                rule.samples[1],
                dataset.class_rows(class).len(),
                dataset.classes()[class]
            );
        }
    }
    Ok(())
}

/// The pair at an index. With more samples a class the same classes are drawn, and the fewer samples are the
/// first of the more, so that experiments of different sizes compare.
pub(crate) fn pair(rule: &PairRule, datasets: &[&LabeledDataset], seed: u64, index: usize) -> Drawn {
    let mut draws = Stream::new(seed, Purpose::Pairs, index as u64).reader();
    let left = draws.below(datasets.len());
    let right = match rule.same_set {
        SameSet::Never => (left + 1 + draws.below(datasets.len() - 1)) % datasets.len(),
        SameSet::Disjoint | SameSet::Overlapping => draws.below(datasets.len()),
    };
    let [left_classes, right_classes] = [left, right].map(|set| {
        let count = between(&mut draws, rule.classes);
        let mut classes = draws.sample(datasets[set].class_count(), count);
        classes.sort_unstable();
        classes
    });
    let samples = between(&mut draws, rule.samples);
    // The whole class in random order, however few are taken: what follows does not depend on how many.
    let mut orders = |set: usize| -> Vec<Vec<usize>> {
        let mut shuffled = |rows: &[usize]| -> Vec<usize> {
            draws.sample(rows.len(), rows.len()).into_iter().map(|at| rows[at]).collect()
        };
        (0..datasets[set].class_count()).map(|class| shuffled(datasets[set].class_rows(class))).collect()
    };
    let first = orders(left);
    let second = if left == right && rule.same_set == SameSet::Disjoint {
        // From the other end: classes have twice as many samples at least.
        first.iter().map(|order| order.iter().rev().copied().collect()).collect()
    } else {
        orders(right)
    };
    let side = |set: usize, classes: Vec<usize>, orders: &[Vec<usize>]| {
        let rows = classes.iter().flat_map(|&class| orders[class][..samples].iter().copied()).collect();
        Side { set, classes, rows }
    };
    Drawn { left: side(left, left_classes, &first), right: side(right, right_classes, &second), samples }
}

/// A uniform number of a range with both its ends.
fn between(draws: &mut Reader, [low, high]: [usize; 2]) -> usize {
    low + draws.below(high - low + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use wowflow::dataset::{Label, Points};

    fn dataset(classes: usize, size: usize) -> LabeledDataset {
        let labels = (0..classes * size).map(|row| Label::Int((row % classes) as i64)).collect();
        LabeledDataset::new(Points::F32(vec![0.0; classes * size]), 1, labels).unwrap()
    }

    fn rule(samples: [usize; 2], same_set: SameSet) -> PairRule {
        PairRule { count: 50, classes: [2, 4], samples, same_set }
    }

    #[test]
    fn pairs_are_as_the_rule_says() {
        let (one, other) = (dataset(4, 20), dataset(6, 25));
        let datasets = [&one, &other];
        for same_set in [SameSet::Disjoint, SameSet::Overlapping, SameSet::Never] {
            let (mut same, mut sizes, mut shared) = (0, BTreeSet::new(), 0);
            for index in 0..200 {
                let Drawn { left, right, samples } = pair(&rule([3, 9], same_set), &datasets, 5, index);
                sizes.insert(samples);
                same += usize::from(left.set == right.set);
                for side in [&left, &right] {
                    let data = datasets[side.set];
                    assert!((2..=4).contains(&side.classes.len()));
                    assert!(side.classes.is_sorted_by(|a, b| a < b));
                    assert_eq!(side.rows.iter().collect::<BTreeSet<_>>().len(), side.rows.len());
                    for (rows, &class) in side.rows.chunks(samples).zip(&side.classes) {
                        assert!(rows.iter().all(|&row| data.class_of()[row] == class));
                    }
                }
                if left.set == right.set {
                    shared += left.rows.iter().filter(|row| right.rows.contains(row)).count();
                }
            }
            assert_eq!(sizes, (3..=9).collect());
            assert_eq!(same > 0, same_set != SameSet::Never);
            assert_eq!(shared > 0, same_set == SameSet::Overlapping);
        }
    }

    #[test]
    fn draws_are_nested_in_the_samples_and_depend_on_seed_and_index() {
        let (one, other) = (dataset(4, 30), dataset(6, 35));
        let datasets = [&one, &other];
        for same_set in [SameSet::Disjoint, SameSet::Overlapping, SameSet::Never] {
            for index in 0..40 {
                let few = pair(&rule([4, 4], same_set), &datasets, 1, index);
                let many = pair(&rule([15, 15], same_set), &datasets, 1, index);
                for (few, many) in [(&few.left, &many.left), (&few.right, &many.right)] {
                    assert_eq!((few.set, &few.classes), (many.set, &many.classes));
                    for (few, many) in few.rows.chunks(4).zip(many.rows.chunks(15)) {
                        assert_eq!(few, &many[..4]);
                    }
                }
                assert_ne!(few, pair(&rule([4, 4], same_set), &datasets, 2, index));
                assert_ne!(few, pair(&rule([4, 4], same_set), &datasets, 1, index + 1));
            }
        }
    }
}
