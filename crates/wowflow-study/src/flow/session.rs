//! A flow in its folder, from where it stands to its end.

use std::ops::ControlFlow;

use wowflow::flow::{FlowState, StopReason};
use wowflow::functional::Functional;

use super::config::Config;
use super::pair::Pair;
use super::recorder::{Recorder, remove_unlisted_frames};
use super::results::{Results, finish};
use super::{Finished, Outcome};
use crate::error::{Result, StudyError, refuse};
use crate::observer::{Event, Observer, Unit, doing};
use crate::record::{NpyScalar, Session, config_sha256, latest_checkpoint, remove_checkpoints_before};

/// Takes a flow from where it stands to its end.
pub(super) fn run<T: NpyScalar>(
    session: &Session,
    config: &Config,
    pair: Pair<'_>,
    observer: &dyn Observer,
) -> Result<Outcome> {
    let place = session.run();
    let (source, target) = (pair.source.measure::<T>()?, pair.target.measure::<T>()?);
    let near = config.flow.near(&source, &target)?;
    let mut objective = near.settings().objective(near.source(), near.target())?;
    let flow = near.settings().flow()?;
    let quantity = objective.quantity();
    let held_out = doing(observer, "measuring the start", || objective.held_out(near.source(), 0).value);
    let value_initial = near.value(quantity.factor * held_out);
    let (mut state, seconds) = match latest_checkpoint(place, near.source(), &config_sha256(config)?)? {
        Some(found) => (found.state, found.seconds),
        None => (FlowState::new(near.source().clone()), 0.0),
    };
    let mut recorder = Recorder::open(place, config, pair, &near, (state.step(), seconds))?;
    remove_unlisted_frames(place, |step| step < state.step())?;
    remove_checkpoints_before(place, state.step())?;

    let steps = config.flow.steps;
    observer.event(&Event::Began { unit: Unit::Steps, total: Some(steps), done: state.step() });
    let mut trouble = None;
    let stop = flow.run(&mut state, &mut objective, |record, state| {
        let record = &near.record(record);
        match recorder.record(record, quantity.factor, state, &near) {
            Ok(metrics) => observer.event(&Event::Metrics(&metrics)),
            Err(error) => {
                trouble = Some(error);
                return ControlFlow::Break(());
            }
        }
        let detail = format!("{} {:.3e}", quantity.symbol, quantity.factor * record.value);
        observer.event(&Event::Advanced { done: record.step, detail: &detail });
        match observer.stop_requested() && record.step < steps {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    observer.event(&Event::Ended);
    let unfinished = |what: String, error: StudyError| StudyError::Unfinished {
        what,
        folder: place.root().to_owned(),
        error: Box::new(error),
    };
    if let Some(error) = trouble {
        return Err(unfinished(format!("the flow stopped at step {}", state.step()), error));
    }
    match stop {
        StopReason::Interrupted => {
            recorder.checkpoint(&state)?;
            return Ok(Outcome::Interrupted { step: state.step(), steps });
        }
        StopReason::Diverged { step } => {
            recorder.flush()?;
            refuse!(
                "expected finite numbers, found the flow diverging at step {step}: take a smaller step-size than {}",
                config.flow.step_size
            );
        }
        StopReason::StepsDone | StopReason::Stationary | StopReason::Settled => {}
    }
    recorder.frame(&state)?;
    recorder.checkpoint(&state)?;
    observer.event(&Event::Safe("interrupted after the last step"));
    if observer.stop_requested() {
        return Ok(Outcome::Interrupted { step: state.step(), steps });
    }
    let results = Results {
        near: &near,
        flowed: state.particles(),
        quantity: &quantity,
        value_initial,
        value_final: near.value(quantity.factor * objective.held_out(state.particles(), 0).value),
        stop,
        steps: state.step(),
    };
    let summary = finish(place, config, pair, &results, &mut recorder, observer);
    let summary =
        summary.map_err(|error| unfinished("the flow is done, its summary is not".to_owned(), error))?;
    Ok(Outcome::Finished(Box::new(Finished { run: place.clone(), summary, _held: session.held() })))
}
