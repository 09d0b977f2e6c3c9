//! What comes out of an experiment: means and deviations of cells, differences with their errors.

use serde::Serialize;
use wowflow::estimate::Estimate;
use wowflow::significance::{Draws, differs, paired, welch};

use super::experiment::Experiment;
use super::method::MethodSpec;
use super::record::Record;

/// Differences are called significant at 5 %.
pub(crate) const LEVEL: f64 = 0.95;

/// Runs behind a published mean and deviation: three flows, five trainings each.
const PUBLISHED: usize = 15;

/// A method in a row, over all its repetitions; accuracies in percent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Cell {
    pub(crate) row: String,
    pub(crate) method: String,
    pub(crate) mean: f64,
    /// Over all trainings of all tries, as in the published tables; absent for a single one.
    pub(crate) deviation: Option<f64>,
    pub(crate) tries: usize,
    pub(crate) trainings: usize,
    /// Mean over the trainings of each try, in the order of tries.
    pub(crate) by_try: Vec<f64>,
    pub(crate) steps: u64,
    /// Median over tries.
    pub(crate) move_seconds: f64,
    pub(crate) published: Option<[f64; 2]>,
    /// Ours less the published, over tries against the published runs (Welch); absent where protocols differ.
    pub(crate) against_published: Option<Difference>,
}

/// A difference of means with its interval, in percent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Difference {
    pub(crate) value: f64,
    pub(crate) interval: Option<[f64; 2]>,
    /// Whether the interval excludes 0; absent for a single try.
    pub(crate) significant: Option<bool>,
}

/// Two methods on the same tries.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Versus {
    pub(crate) row: String,
    pub(crate) method: String,
    pub(crate) other: String,
    pub(crate) difference: Difference,
}

impl Difference {
    fn of(estimate: &Estimate) -> Self {
        let (low, high) = estimate.interval(LEVEL);
        let interval = Some([low, high]).filter(|_| !low.is_nan());
        Self { value: estimate.value, interval, significant: differs(estimate, LEVEL) }
    }
}

/// All cells that have a repetition, row by row.
pub(crate) fn cells(experiment: &Experiment, records: &[Record]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for row in &experiment.rows {
        for method in experiment.methods_of(row) {
            let own: Vec<&Record> = of(records, row, &method.label()).collect();
            if !own.is_empty() {
                cells.push(cell(row, method, &own));
            }
        }
    }
    cells
}

fn of<'r>(records: &'r [Record], row: &str, method: &str) -> impl Iterator<Item = &'r Record> {
    records.iter().filter(move |record| record.row == row && record.method == method)
}

fn percent(values: &[f64]) -> Vec<f64> {
    values.iter().map(|share| 100.0 * share).collect()
}

fn cell(row: &str, method: &MethodSpec, records: &[&Record]) -> Cell {
    let all: Vec<f64> = records.iter().flat_map(|record| percent(&record.accuracies)).collect();
    let by_try: Vec<f64> =
        records.iter().map(|record| Draws::of(&percent(&record.accuracies)).mean).collect();
    let draws = Draws::of(&all);
    let mut seconds: Vec<f64> = records.iter().map(|record| record.move_seconds).collect();
    seconds.sort_unstable_by(f64::total_cmp);
    let published = method.published.get(row).copied();
    let comparable = published.filter(|_| method.differs.is_none());
    let against = comparable.map(|[mean, deviation]| {
        Difference::of(&welch(Draws::of(&by_try), Draws { mean, deviation, count: PUBLISHED }))
    });
    Cell {
        row: row.to_owned(),
        method: method.label(),
        mean: draws.mean,
        deviation: Some(draws.deviation).filter(|deviation| !deviation.is_nan()),
        tries: records.len(),
        trainings: all.len(),
        by_try,
        steps: records[0].steps,
        move_seconds: seconds[seconds.len() / 2],
        published,
        against_published: against,
    }
}

/// Every two methods of a row on the tries that both have, paired.
pub(crate) fn versus(experiment: &Experiment, records: &[Record]) -> Vec<Versus> {
    let mut found = Vec::new();
    for row in &experiment.rows {
        let methods = experiment.methods_of(row);
        for (at, method) in methods.iter().enumerate() {
            for other in &methods[at + 1..] {
                let (method, other) = (method.label(), other.label());
                let (mut a, mut b) = (Vec::new(), Vec::new());
                for left in of(records, row, &method) {
                    if let Some(right) = of(records, row, &other).find(|right| right.attempt == left.attempt)
                    {
                        a.push(Draws::of(&percent(&left.accuracies)).mean);
                        b.push(Draws::of(&percent(&right.accuracies)).mean);
                    }
                }
                if !a.is_empty() {
                    let difference = Difference::of(&paired(&a, &b));
                    found.push(Versus { row: row.clone(), method, other, difference });
                }
            }
        }
    }
    found
}
