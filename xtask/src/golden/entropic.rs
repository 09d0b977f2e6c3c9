//! Groups `sinkhorn`, `bures`, `expbw` and `otdd`.

use anyhow::{Result, ensure};
use wowflow::compare::otdd::{KeepCoupling, LabelDistance, Otdd, OtddSettings, SampleCoupling, otdd_pow};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::bures::{self, Gaussian};
use wowflow::ot::entropic::{SinkhornSettings, sinkhorn_divergence};

use super::case::{Case, Computed};

/// The references were iterated to this.
const TOLERANCE: f64 = 1e-13;

pub(super) fn sinkhorn(case: &Case) -> Result<Computed> {
    let (x, y, a, b) = (case.array("x")?, case.array("y")?, case.array("a")?, case.array("b")?);
    let dim = case.shape("x")?[1];
    let epsilon = case.scalar("epsilon")?;
    let settings =
        SinkhornSettings { tolerance: TOLERANCE, max_iterations: 100_000, ..SinkhornSettings::new(epsilon) };
    let found = sinkhorn_divergence(&x, Some(&a), &y, Some(&b), dim, &settings)?;
    ensure!(found.converged(), "expected the iteration to converge");
    let plan = found.cross.plan_of_points(&x, &y, dim)?;
    // sum P log P = sum P log (P / a b) + sum P log a b, with the marginals of P.
    let entropy = |w: &[f64]| w.iter().filter(|w| **w > 0.0).map(|w| w * w.ln()).sum::<f64>();
    let shannon = found.cross.value + epsilon * (entropy(&found.cross.a) + entropy(&found.cross.b));
    Ok(Computed::from([
        ("plan", plan),
        ("linear_cost", vec![found.cross.linear_cost]),
        ("kl", vec![found.cross.kl]),
        ("reg_cost_kl", vec![found.cross.value]),
        ("reg_cost_shannon", vec![shannon]),
        ("f", found.cross.f.clone()),
        ("g", found.cross.g.clone()),
        ("self_reg_xx", vec![found.left.value]),
        ("self_reg_yy", vec![found.right.value]),
        ("sinkhorn_divergence", vec![found.value]),
    ]))
}

pub(super) fn bures(case: &Case) -> Result<Computed> {
    let gaussian = |k: &str| -> Result<Gaussian> {
        Ok(Gaussian::from_covariance(case.array(&format!("m{k}"))?, &case.array(&format!("s{k}"))?)?)
    };
    let (p, q) = (gaussian("0")?, gaussian("1")?);
    let map = bures::optimal_map(&p, &q)?;
    Ok(Computed::from([
        ("w2", vec![bures::w2(&p, &q)?]),
        ("w22", vec![bures::w2_pow(&p, &q)?]),
        ("bures_squared", vec![bures::bures_pow(&p, &q)?]),
        ("map_a", map.matrix),
        ("map_b", map.offset),
    ]))
}

pub(super) fn expbw(case: &Case) -> Result<Computed> {
    let dim = case.shape("sigma")?[1];
    let (sigma, tangent) = (case.array("sigma")?, case.array("tangent")?);
    let (mut result, mut to_result, mut to_target) = (Vec::new(), Vec::new(), Vec::new());
    for (start, tangent) in sigma.chunks_exact(dim * dim).zip(tangent.chunks_exact(dim * dim)) {
        let end = bures::exp(start, tangent, dim)?;
        if case.outputs.contains_key("bures_sq_start_to_target") {
            // The tangent is half the way: twice it reaches the target.
            let whole: Vec<f64> = tangent.iter().map(|v| 2.0 * v).collect();
            let target = bures::exp(start, &whole, dim)?;
            let gaussian = |covariance: &[f64]| Gaussian::from_covariance(vec![0.0; dim], covariance);
            let (start, end) = (gaussian(start)?, gaussian(&end)?);
            to_result.push(bures::w2_pow(&start, &end)?);
            to_target.push(bures::w2_pow(&start, &gaussian(&target)?)?);
        }
        result.extend(end);
    }
    Ok(Computed::from([
        ("target", result.clone()),
        ("result", result),
        ("bures_sq_start_to_result", to_result),
        ("bures_sq_start_to_target", to_target),
    ]))
}

/// Samples class after class with uniform masses, and their places in the array they come from.
fn labeled(case: &Case, name: &str) -> Result<(MeasureOverMeasures<f64>, Vec<usize>)> {
    let (points, labels) = (case.array(name)?, case.array(&format!("{name}_labels"))?);
    let dim = case.shape(name)?[1];
    let mut classes = labels.clone();
    classes.sort_unstable_by(f64::total_cmp);
    classes.dedup();
    let rows = |class: &f64| (0..labels.len()).filter(|&row| labels[row] == *class).collect::<Vec<_>>();
    let by_class: Vec<Vec<usize>> = classes.iter().map(rows).collect();
    let sizes: Vec<usize> = by_class.iter().map(Vec::len).collect();
    let outer: Vec<f64> = sizes.iter().map(|size| *size as f64).collect();
    let order = by_class.concat();
    let sorted = order.iter().flat_map(|&row| points[row * dim..(row + 1) * dim].iter().copied()).collect();
    Ok((MeasureOverMeasures::new(sorted, dim, &sizes, None, Some(&outer))?, order))
}

pub(super) fn otdd(case: &Case) -> Result<Computed> {
    let ((p, rows), (q, cols)) = (labeled(case, "x")?, labeled(case, "y")?);
    let compare = |labels| {
        let settings = OtddSettings { labels, coupling: KeepCoupling::Yes, ..OtddSettings::default() };
        otdd_pow(&p, &q, &settings)
    };
    let plan = |found: &Otdd| -> Result<Vec<f64>> {
        let Some(SampleCoupling::Sparse(coupling)) = &found.coupling else {
            anyhow::bail!("expected the coupling to be returned");
        };
        let mut plan = vec![0.0; rows.len() * cols.len()];
        for atom in coupling.atoms() {
            plan[rows[atom.row] * cols.len() + cols[atom.col]] = atom.mass;
        }
        Ok(plan)
    };
    let exact = compare(LabelDistance::Exact)?;
    let population = compare(LabelDistance::Gaussian { ddof: 0 })?;
    let sample = compare(LabelDistance::Gaussian { ddof: 1 })?;
    Ok(Computed::from([
        ("label_w22_exact", exact.label_costs.values().to_vec()),
        ("otdd_squared_exact", vec![exact.value]),
        ("plan_exact", plan(&exact)?),
        ("label_w22_gauss_ddof0", population.label_costs.values().to_vec()),
        ("otdd_squared_gauss_ddof0", vec![population.value]),
        ("plan_gauss_ddof0", plan(&population)?),
        ("label_w22_gauss_ddof1", sample.label_costs.values().to_vec()),
        ("otdd_squared_gauss_ddof1", vec![sample.value]),
        ("plan_gauss_ddof1", plan(&sample)?),
    ]))
}
