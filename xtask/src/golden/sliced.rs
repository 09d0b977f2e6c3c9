//! Groups `w1d`, `sw` and `mmdsw`.

use anyhow::{Result, ensure};
use wowflow::directions::{Directions, Slicing};
use wowflow::functional::{MmdSw, SlicingPlan};
use wowflow::kernel::Kernel;
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::{one_d, sliced};

use super::case::{Case, Computed};

pub(super) fn w1d(case: &Case) -> Result<Computed> {
    let (x, y, a, b) = (case.array("x")?, case.array("y")?, case.array("a")?, case.array("b")?);
    let value = one_d::w_pow(&x, Some(&a), &y, Some(&b), case.scalar("p")?);
    Ok(Computed::from([("wpp", vec![value])]))
}

pub(super) fn sw(case: &Case) -> Result<Computed> {
    let (x, y, a, b) = (case.array("x")?, case.array("y")?, case.array("a")?, case.array("b")?);
    let directions = Directions::from_rows(case.array("directions")?, case.shape("x")?[1])?;
    let along = |p| sliced::sw_pow(&x, Some(&a), &y, Some(&b), &directions, p);
    let (squared, absolute) = (along(2.0), along(1.0));
    Ok(Computed::from([
        ("sw2", vec![squared.value.sqrt()]),
        ("sw2_squared", vec![squared.value]),
        ("sw1", vec![absolute.value]),
        ("w22_per_direction", squared.per_direction),
        ("w1_per_direction", absolute.per_direction),
    ]))
}

/// The functional of a case; directions are given to every call, so the plan's own are never drawn.
pub(super) fn functional<'q>(
    source: &MeasureOverMeasures<f64>,
    target: &'q MeasureOverMeasures<f64>,
    kernel: Kernel,
) -> Result<MmdSw<'q, f64>> {
    let plan = SlicingPlan { slicing: Slicing::Gaussian, count: 1, seed: 0 };
    Ok(MmdSw::new(source, target, kernel, plan)?)
}

pub(super) fn mmdsw(case: &Case) -> Result<Computed> {
    let (source, target, kernel) = (case.packed("x")?, case.packed("y")?, case.kernel()?);
    ensure!(source.dim() == target.dim(), "expected one dimension on both sides");
    let directions = Directions::from_rows(case.array("directions")?, source.dim())?;
    let mut mmd = functional(&source, &target, kernel)?;
    let distances = mmd.distances(&source, &directions, kernel.base());
    let values = |s: &[f64]| s.iter().map(|s| kernel.value(*s)).collect::<Vec<f64>>();
    let mut velocity = vec![0.0; source.points().len()];
    let loss = mmd.evaluate_along(&source, &directions, &mut velocity);
    let dim = source.dim();
    let mut euclidean = velocity.clone();
    for class in 0..source.class_count() {
        let rows = source.class_range(class);
        let uniform = vec![1.0 / rows.len() as f64; rows.len()];
        let weights = source.class_weights(class).unwrap_or(&uniform);
        for (row, own) in rows.zip(weights) {
            let mass = own * source.outer_weights()[class];
            euclidean[row * dim..(row + 1) * dim].iter_mut().for_each(|v| *v *= mass);
        }
    }
    Ok(Computed::from([
        ("kxx", values(&distances.source_source)),
        ("kxy", values(&distances.source_target)),
        ("kyy", values(&distances.target_target)),
        ("loss", vec![loss]),
        ("grad_euclidean", euclidean),
        ("grad_wow", velocity),
    ]))
}
