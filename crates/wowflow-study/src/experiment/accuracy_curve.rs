//! Accuracy along the way: curves averaged over trials, and when they reach a level.

use serde::Serialize;
use wowflow::stats::significance::Draws;

use super::config::ExperimentConfig;
use super::names::MethodKind;
use super::published::Published;
use super::repetition::Repetition;

/// Shares of right predictions whose first step is told.
pub(super) const LEVELS: [f64; 3] = [0.95, 0.99, 0.999];

/// An accuracy curve, averaged over trials.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Steps.
    pub steps: Vec<f64>,
    /// Seconds of the move until then, mean over trials.
    pub seconds: Vec<f64>,
    /// Mean share of right predictions.
    pub mean: Vec<f64>,
    /// Deviation over trials; NaN for a single one.
    pub deviation: Vec<f64>,
}

impl Curve {
    /// The curve of a method in a row, as far as all trials have it; empty where none has one. Exact transport knows
    /// no steps on its way: its curve is its end, after the one step.
    #[must_use]
    pub fn of(method: MethodKind, records: &[&Repetition]) -> Self {
        let mut curve = Self::default();
        let all: Vec<Vec<_>> = records
            .iter()
            .map(|record| match method {
                MethodKind::Geodesic => {
                    record.curve.last().map(|last| (record.steps as f64, *last)).into_iter().collect()
                }
                _ => record.curve.iter().map(|point| (point.at, *point)).collect(),
            })
            .collect();
        let shortest = all.iter().map(Vec::len).min().unwrap_or(0);
        for at in 0..shortest {
            let step = all[0][at].0;
            if all.iter().any(|points| points[at].0 != step) {
                break;
            }
            let over = |of: &dyn Fn(usize) -> f64| Draws::of(&(0..all.len()).map(of).collect::<Vec<_>>());
            let accuracy = over(&|trial| all[trial][at].1.accuracy);
            curve.steps.push(step);
            curve.seconds.push(over(&|trial| all[trial][at].1.seconds).mean);
            curve.mean.push(accuracy.mean);
            curve.deviation.push(accuracy.deviation);
        }
        curve
    }
}

/// When a curve is first at a level, and when the published one is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reach {
    /// The row.
    pub row: String,
    /// The method, by the name it has in tables.
    pub method: String,
    /// A share of right predictions.
    pub level: f64,
    /// Of the points of the curve; absent where it never is.
    pub steps: Option<f64>,
    /// Seconds of the move until then.
    pub seconds: Option<f64>,
    /// Steps until the published curve is there.
    pub published_steps: Option<f64>,
}

/// When the curves of all methods are first at every level.
pub(super) fn reaches(
    config: &ExperimentConfig,
    records: &[Repetition],
    published: Option<&Published>,
) -> Vec<Reach> {
    let mut found = Vec::new();
    for row in &config.rows {
        let theirs = published.and_then(|all| all.of_row(row));
        for method in config.methods_of(row) {
            let label = method.label();
            let own: Vec<&Repetition> =
                records.iter().filter(|r| r.row == *row && r.method == label).collect();
            let curve = Curve::of(method.method, &own);
            if curve.steps.is_empty() {
                continue;
            }
            for level in LEVELS {
                let first = |mean: &[f64]| mean.iter().position(|share| *share >= level);
                let at = first(&curve.mean);
                found.push(Reach {
                    row: row.clone(),
                    method: label.clone(),
                    level,
                    steps: at.map(|at| curve.steps[at]),
                    seconds: at.map(|at| curve.seconds[at]),
                    published_steps: theirs.and_then(|curve| Some(curve.steps[first(&curve.mean)?])),
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::repetition::CurvePoint;
    use super::super::repetition::tests::repetition;
    use super::*;

    fn with_curve(method: &str, trial: u64, points: &[(f64, f64)]) -> Repetition {
        let curve =
            points.iter().map(|&(at, accuracy)| CurvePoint { at, seconds: at / 10.0, accuracy }).collect();
        let steps = if method == "geodesic" { 1 } else { 20 };
        Repetition { curve, steps, ..repetition("a", method, trial, &[0.5]) }
    }

    #[test]
    fn the_mean_over_trials_reaches_levels() {
        let experiment = ExperimentConfig::parse(
            r#"
                title = "A"
                task = "adaptation"
                row-name = "source"
                rows = ["a"]
                source = "{row}"
                target = "b"
                tries = 2
                training-steps = 1
                methods = [{ method = "mmd-sw", name = "ours" }, { method = "geodesic" }]
            "#,
        )
        .unwrap();
        let records = [
            with_curve("ours", 0, &[(0.0, 0.2), (10.0, 0.94), (20.0, 1.0), (30.0, 1.0)]),
            with_curve("ours", 1, &[(0.0, 0.4), (10.0, 0.97), (20.0, 0.98), (25.0, 1.0)]),
            with_curve("geodesic", 0, &[(0.0, 1.0), (1.0, 0.96)]),
        ];
        let curve = Curve::of(MethodKind::MmdSw, &[&records[0], &records[1]]);
        assert_eq!(curve.steps, [0.0, 10.0, 20.0]);
        assert_eq!(curve.seconds, [0.0, 1.0, 2.0]);
        assert!((curve.mean[0] - 0.3).abs() < 1e-12 && (curve.deviation[0] - 0.02f64.sqrt()).abs() < 1e-12);

        let published = Published::parse(
            r#"{ "source": "S", "curves": [
                { "row": "a", "steps": [1, 500, 900], "mean": [0.1, 0.96, 0.995], "deviation": [0, 0, 0] }
            ] }"#,
        )
        .unwrap();
        let found = reaches(&experiment, &records, Some(&published));
        let told: Vec<_> = found
            .iter()
            .map(|reach| (reach.method.as_str(), reach.steps, reach.seconds, reach.published_steps))
            .collect();
        assert_eq!(
            told,
            [
                ("ours", Some(10.0), Some(1.0), Some(500.0)),
                ("ours", Some(20.0), Some(2.0), Some(900.0)),
                ("ours", None, None, None),
                ("geodesic", Some(1.0), Some(0.1), Some(500.0)),
                ("geodesic", None, None, Some(900.0)),
                ("geodesic", None, None, None),
            ]
        );
    }
}
