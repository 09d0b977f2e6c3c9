//! A functional of one's own, written down once, flows by every scheme: each class is drawn to a point.

use std::ops::ControlFlow;

use wowflow::flow::{Decay, Scheme, StepSchedule, StepSize};
use wowflow::functional::{Evaluation, Quantity};
use wowflow::prelude::*;

/// `V(P) = sum_c w_c 1/2 int |x - anchor_c|^2 dmu_c`.
struct Anchors {
    anchors: Vec<[f64; 2]>,
    curvatures: Vec<f64>,
}

impl Functional<f64> for Anchors {
    fn evaluate(
        &mut self,
        particles: &MeasureOverMeasures<f64>,
        _step: u64,
        velocity: &mut [f64],
    ) -> Evaluation {
        let masses = particles.sample_masses();
        let mut value = 0.0;
        for (sample, class) in particles.class_of().into_iter().enumerate() {
            for axis in 0..2 {
                let away = particles.points()[2 * sample + axis] - self.anchors[class][axis];
                value += 0.5 * masses[sample] * away * away;
                // The WoW gradient: dV/dx divided by the sample's mass.
                velocity[2 * sample + axis] = away;
            }
        }
        Evaluation { value, standard_error: None }
    }

    fn curvatures(&self) -> &[f64] {
        &self.curvatures
    }

    fn quantity(&self) -> Quantity {
        Quantity { symbol: "V".to_owned(), factor: 1.0, length_power: Some(2.0) }
    }

    fn lower_bound(&self) -> Option<f64> {
        Some(0.0)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let source = MeasureOverMeasures::uniform(vec![0.0, 0.0, 1.0, 0.0, 4.0, 4.0_f64], 2, &[2, 1])?;
    let mut anchors =
        Anchors { anchors: vec![[1.0, 1.0], [0.0, 3.0]], curvatures: vec![1.0; source.sample_count()] };
    let flow = Flow {
        scheme: Scheme::heavy_ball(0.3, Decay::Linear)?,
        schedule: StepSchedule::new(StepSize::Adaptive(0.5), Decay::Constant, 60)?,
        settle: None,
    };
    let mut state = FlowState::new(source);
    let mut values = Vec::new();
    let stop = flow.run(&mut state, &mut anchors, |record, _state| {
        values.push(record.value);
        ControlFlow::Continue(())
    });
    println!("{stop:?} after {} steps: V {:.3} -> {:.1e}", state.step(), values[0], values[values.len() - 1]);
    println!("{:.3?}", state.particles().points());
    assert!(values[values.len() - 1] < 1e-9);
    Ok(())
}
