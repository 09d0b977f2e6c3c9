//! What comes out of an experiment: means and deviations of cells, differences with their errors.

use serde::Serialize;
use wowflow::stats::estimate::Estimate;
use wowflow::stats::significance::{Draws, differs, paired, welch};

use super::accuracy_curve::{Reach, reaches};
use super::config::ExperimentConfig;
use super::method::MethodConfig;
use super::published::Published;
use super::repetition::Repetition;

/// Differences are called significant at 5 %.
const LEVEL: f64 = 0.95;

/// Runs behind a published mean and deviation: three flows, five trainings each.
const PUBLISHED: usize = 15;

/// A method in a row, over all its repetitions; accuracies in percent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// The row.
    pub row: String,
    /// The method, by the name it has in tables.
    pub method: String,
    /// Over all trainings of all trials.
    pub mean: f64,
    /// Likewise, as in the published tables; absent for a single training.
    pub deviation: Option<f64>,
    /// Number of trials.
    #[serde(rename = "tries")]
    pub trials: usize,
    /// Number of trainings in all trials.
    #[serde(rename = "trainings")]
    pub runs: usize,
    /// Mean over the trainings of each trial, in the order of trials.
    #[serde(rename = "by_try")]
    pub by_trial: Vec<f64>,
    /// Steps of the move.
    pub steps: u64,
    /// Median over trials.
    pub move_seconds: f64,
    /// The published mean and deviation.
    pub published: Option<[f64; 2]>,
    /// Ours less the published, over trials against the published runs (Welch); absent where protocols differ.
    pub against_published: Option<Difference>,
}

/// A difference of means with its interval, in percent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The difference.
    pub value: f64,
    /// Its 95 % interval; absent for a single trial.
    pub interval: Option<[f64; 2]>,
    /// Whether the interval excludes 0; absent for a single trial.
    pub significant: Option<bool>,
}

/// Two methods on the same trials.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Versus {
    /// The row.
    pub row: String,
    /// The method, by the name it has in tables.
    pub method: String,
    /// The one that is taken from it.
    pub other: String,
    /// Means of the first less those of the second, paired.
    pub difference: Difference,
}

impl Difference {
    fn of(estimate: &Estimate) -> Self {
        let (low, high) = estimate.interval(LEVEL);
        let interval = Some([low, high]).filter(|_| !low.is_nan());
        Self { value: estimate.value, interval, significant: differs(estimate, LEVEL) }
    }
}

/// What the repetitions of an experiment come to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// All cells that have a repetition, row by row.
    pub cells: Vec<Cell>,
    /// Every two methods of a row.
    pub differences: Vec<Versus>,
    /// When accuracy curves are first at a level.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reached: Vec<Reach>,
}

impl Outcome {
    /// Of the repetitions that are there, of which there may be none.
    #[must_use]
    pub fn of(config: &ExperimentConfig, records: &[Repetition], published: Option<&Published>) -> Self {
        Self {
            cells: cells(config, records),
            differences: versus(config, records),
            reached: reaches(config, records, published),
        }
    }
}

/// All cells that have a repetition, row by row.
fn cells(config: &ExperimentConfig, records: &[Repetition]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for row in &config.rows {
        for method in config.methods_of(row) {
            let own: Vec<&Repetition> = of(records, row, &method.label()).collect();
            if !own.is_empty() {
                cells.push(cell(row, method, &own));
            }
        }
    }
    cells
}

fn of<'r>(records: &'r [Repetition], row: &str, method: &str) -> impl Iterator<Item = &'r Repetition> {
    records.iter().filter(move |record| record.row == row && record.method == method)
}

fn percent(values: &[f64]) -> Vec<f64> {
    values.iter().map(|share| 100.0 * share).collect()
}

fn cell(row: &str, method: &MethodConfig, records: &[&Repetition]) -> Cell {
    let all: Vec<f64> = records.iter().flat_map(|record| percent(&record.accuracies)).collect();
    let by_trial: Vec<f64> =
        records.iter().map(|record| Draws::of(&percent(&record.accuracies)).mean).collect();
    let draws = Draws::of(&all);
    let mut seconds: Vec<f64> = records.iter().map(|record| record.move_seconds).collect();
    seconds.sort_unstable_by(f64::total_cmp);
    let published = method.published.get(row).copied();
    let comparable = published.filter(|_| method.differs.is_none());
    let against = comparable.map(|[mean, deviation]| {
        Difference::of(&welch(Draws::of(&by_trial), Draws { mean, deviation, count: PUBLISHED }))
    });
    Cell {
        row: row.to_owned(),
        method: method.label(),
        mean: draws.mean,
        deviation: Some(draws.deviation).filter(|deviation| !deviation.is_nan()),
        trials: records.len(),
        runs: all.len(),
        by_trial,
        steps: records[0].steps,
        move_seconds: seconds[seconds.len() / 2],
        published,
        against_published: against,
    }
}

/// Every two methods of a row on the trials that both have, paired.
fn versus(config: &ExperimentConfig, records: &[Repetition]) -> Vec<Versus> {
    let mut found = Vec::new();
    for row in &config.rows {
        let methods = config.methods_of(row);
        for (at, method) in methods.iter().enumerate() {
            for other in &methods[at + 1..] {
                let (method, other) = (method.label(), other.label());
                let (mut a, mut b) = (Vec::new(), Vec::new());
                for left in of(records, row, &method) {
                    if let Some(right) = of(records, row, &other).find(|right| right.trial == left.trial) {
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

#[cfg(test)]
mod tests {
    use super::super::repetition::tests::repetition;
    use super::*;

    fn outcome(records: &[Repetition]) -> Outcome {
        let text = r#"
            title = "A"
            task = "transfer"
            row-name = "k"
            rows = ["1"]
            source = "a"
            target = "b"
            tries = 3
            epochs = 1
            [[methods]]
            method = "target-only"
            published = { 1 = [50.0, 3.0] }
            [[methods]]
            method = "geodesic"
            differs = "D"
            published = { 1 = [50.0, 3.0] }
        "#;
        Outcome::of(&ExperimentConfig::parse(text).unwrap(), records, None)
    }

    #[test]
    fn the_unit_of_an_error_is_a_trial() {
        let tries = [[0.50, 0.54], [0.56, 0.60], [0.62, 0.66]];
        let mut records: Vec<Repetition> =
            (0..3).map(|at| repetition("1", "target-only", at, &tries[at as usize])).collect();
        records[1].move_seconds = 3.0;
        // The same tries, 10 points higher, but for the last one, which is not there.
        records.extend((0..2).map(|at| {
            repetition("1", "geodesic", at, &tries[at as usize].map(|share| share + 0.1 + 0.01 * at as f64))
        }));
        let found = outcome(&records);
        let cell = &found.cells[0];
        assert_eq!((cell.trials, cell.runs, cell.move_seconds), (3, 6, 0.0));
        for (found, expected) in cell.by_trial.iter().zip([52.0, 58.0, 64.0]) {
            assert!((found - expected).abs() < 1e-9);
        }
        // Over all six: squares of 8, 4, 2, 2, 4, 8 are 168.
        assert!((cell.mean - 58.0).abs() < 1e-9);
        assert!((cell.deviation.unwrap() - (168.0f64 / 5.0).sqrt()).abs() < 1e-9);
        // 8 points above 50, with an error of sqrt(36/3 + 9/15) = 3.55 and 2 degrees of freedom.
        let against = cell.against_published.as_ref().unwrap();
        let reach = 4.3027 * (12.6f64).sqrt();
        assert!((against.value - 8.0).abs() < 1e-9);
        assert!((against.interval.unwrap()[1] - 8.0 - reach).abs() < 0.01, "{against:?}");
        assert_eq!(against.significant, Some(false));

        assert_eq!(found.cells[1].published, Some([50.0, 3.0]));
        assert_eq!(found.cells[1].against_published, None, "another protocol");
        let [versus] = &found.differences[..] else { panic!("one pair of methods: {found:?}") };
        assert!((versus.difference.value + 10.5).abs() < 1e-9, "{versus:?}");
        assert_eq!(versus.difference.significant, Some(true), "paired on the two tries that both have");
    }

    #[test]
    fn a_single_trial_is_not_judged() {
        let found = outcome(&[
            repetition("1", "target-only", 0, &[0.5, 0.6]),
            repetition("1", "geodesic", 0, &[0.7, 0.8]),
        ]);
        assert_eq!(found.cells[0].against_published.as_ref().unwrap().significant, None);
        assert_eq!(found.differences[0].difference.interval, None);
        assert_eq!(outcome(&[]), Outcome { cells: vec![], differences: vec![], reached: vec![] });
    }
}
