//! Group `flow`: the program's own driver, on directions given for every step.

use std::ops::ControlFlow;

use anyhow::{Result, bail, ensure};
use wowflow::directions::Directions;
use wowflow::flow::{Decay, Flow, FlowState, Scheme, StepSchedule, StepSize, StopReason};
use wowflow::functional::{Evaluation, Functional, MmdSw};
use wowflow::measure::MeasureOverMeasures;

use super::case::{Case, Computed};
use super::sliced::functional;

/// The functional with its directions listed.
struct Listed<'q> {
    mmd: MmdSw<'q, f64>,
    directions: Vec<Directions<f64>>,
    curvatures: Vec<f64>,
}

impl Functional<f64> for Listed<'_> {
    fn evaluate(
        &mut self,
        particles: &MeasureOverMeasures<f64>,
        step: u64,
        velocity: &mut [f64],
    ) -> Evaluation {
        // The driver also looks at the last state; the reference has no directions for it.
        let step = (step as usize).min(self.directions.len() - 1);
        let value = self.mmd.evaluate_along(particles, &self.directions[step], velocity);
        Evaluation { value, standard_error: None }
    }

    // The reference's steps have one size.
    fn curvatures(&self) -> &[f64] {
        &self.curvatures
    }
}

pub(super) fn flow(case: &Case) -> Result<Computed> {
    let (source, target, kernel) = (case.stacked("x0")?, case.stacked("target")?, case.kernel()?);
    let &[steps, count, dim] = case.shape("directions")? else {
        bail!("expected three axes in `directions`, found {:?}", case.shape("directions")?);
    };
    let directions: Vec<Directions<f64>> = case
        .array("directions")?
        .chunks(count * dim)
        .map(|rows| Directions::from_rows(rows.to_vec(), dim))
        .collect::<Result<_, _>>()?;
    let curvatures = vec![1.0; source.sample_count()];
    let mut functional = Listed { mmd: functional(&source, &target, kernel)?, directions, curvatures };
    let flow = Flow {
        scheme: Scheme::heavy_ball(case.scalar("momentum")?, Decay::Constant)?,
        schedule: StepSchedule::new(StepSize::Fixed(case.scalar("lr")?), Decay::Constant, steps as u64)?,
        settle: None,
    };
    let mut losses = Vec::new();
    let mut seen = Vec::new();
    let mut state = FlowState::new(source);
    let stop = flow.run(&mut state, &mut functional, |record, state| {
        losses.push(record.value);
        seen.push(state.particles().points().to_vec());
        ControlFlow::Continue(())
    });
    ensure!(stop == StopReason::StepsDone, "expected all {steps} steps, found {stop:?}");
    losses.truncate(steps);
    ensure!(steps >= 10, "expected at least 10 steps, found {steps}");
    Ok(Computed::from([
        ("losses", losses),
        ("x_step1", seen[1].clone()),
        ("x_step10", seen[10].clone()),
        ("x_final", seen[steps].clone()),
    ]))
}
