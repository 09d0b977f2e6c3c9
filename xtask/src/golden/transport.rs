//! Groups `ot`, `wow` and `labels`.

use anyhow::Result;
use wowflow::ot::exact::{Transport, squared_euclidean, transport};
use wowflow::ot::labels::{match_classes, nearest_neighbour_votes};
use wowflow::ot::wow::{KeepPlans, wow2_pow};

use super::case::{Case, Computed};

/// Masses of plans are compared up to this, as the reference's note asks.
const PLAN_TOLERANCE: f64 = 1e-8;

pub(super) fn ot(case: &Case) -> Result<Computed> {
    let (x, y, a, b) = (case.array("x")?, case.array("y")?, case.array("a")?, case.array("b")?);
    let dim = case.shape("x")?[1];
    let found = transport(&x, Some(&a), &y, Some(&b), dim)?;
    let cost = squared_euclidean(&x, &y, dim)?;
    let plan = found.coupling.to_dense();
    let plan_cost: f64 = plan.iter().zip(cost.values()).map(|(mass, cost)| mass * cost).sum();
    let expected = case.array("plan")?;
    let close = plan.iter().zip(&expected).all(|(f, e)| (f - e).abs() <= PLAN_TOLERANCE);
    // Of several optimal plans any is right: the expected one must then be optimal by our potentials.
    let reported = if close || is_optimal(&found, &expected, cost.values()) { expected } else { plan };
    Ok(Computed::from([
        ("w22", vec![found.value]),
        ("w2", vec![found.value.sqrt()]),
        ("plan", reported),
        ("plan_cost", vec![plan_cost]),
    ]))
}

/// Whether a plan lives where the potentials touch the cost (complementary slackness).
fn is_optimal(found: &Transport, plan: &[f64], cost: &[f64]) -> bool {
    let columns = found.g.len();
    let largest = cost.iter().fold(0.0f64, |m, c| m.max(c.abs()));
    plan.iter().zip(cost).enumerate().all(|(k, (mass, cost))| {
        *mass <= PLAN_TOLERANCE || cost - found.f[k / columns] - found.g[k % columns] <= 1e-10 * largest
    })
}

pub(super) fn wow(case: &Case) -> Result<Computed> {
    let found = wow2_pow(&case.packed("x")?, &case.packed("y")?, KeepPlans::No)?;
    Ok(Computed::from([
        ("inner_w22", found.class_costs.values().to_vec()),
        ("wow_squared", vec![found.value]),
        ("wow", vec![found.value.sqrt()]),
        ("outer_plan", found.outer.to_dense()),
    ]))
}

pub(super) fn labels(case: &Case) -> Result<Computed> {
    let (target, flowed) = (case.stacked("target")?, case.stacked("flowed")?);
    let wow = wow2_pow(&flowed, &target, KeepPlans::No)?;
    let (classes, targets) = (wow.class_costs.rows(), wow.class_costs.cols());
    let transposed: Vec<f64> =
        (0..targets * classes).map(|k| wow.class_costs.get(k % classes, k / classes)).collect();
    let outer = wow.outer.to_dense();
    let outer_transposed =
        (0..targets * classes).map(|k| outer[(k % classes) * targets + k / classes]).collect();
    let as_numbers = |values: &[usize]| values.iter().map(|&v| v as f64).collect::<Vec<f64>>();
    let votes = nearest_neighbour_votes(&flowed, &target)?;
    Ok(Computed::from([
        ("class_w22", transposed),
        ("outer_plan", outer_transposed),
        ("labels_ot", as_numbers(&match_classes(&wow).target)),
        ("nearest_1nn", as_numbers(&votes.nearest_class)),
        ("votes_1nn", as_numbers(&votes.votes)),
        ("labels_1nn", as_numbers(&votes.target)),
    ]))
}
