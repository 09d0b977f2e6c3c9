//! Datasets that a barycenter is asked of, and the iteration to it.

use std::ops::ControlFlow;
use std::time::Instant;

use wowflow::dataset::{ImageShape, Precision, Stored};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::geometry::{Barycenter, BarycenterOptions, Iteration, barycenter_observed};
use wowflow_data::{DatasetSpec, Prepared, bring_together};

use super::config::{Config, Request, Settings};
use super::solution::Solution;
use super::steps::Step;
use crate::error::{Place, Result, refuse, require};
use crate::observer::{Event, Observer, Unit};
use crate::record::{Program, SCHEMA};

/// Datasets that a barycenter can be asked of.
///
/// ```
/// use wowflow::dataset::{Label, LabeledDataset, Points};
/// use wowflow_data::Prepared;
/// use wowflow_study::barycenter::{Problem, Settings};
/// let at = |x: f64| LabeledDataset::new(Points::F64(vec![x]), 1, vec![Label::Int(0)]);
/// let both = vec![Prepared::in_memory("left", at(1.0)?), Prepared::in_memory("right", at(3.0)?)];
/// let settings = Settings { weights: vec![3.0, 1.0].into(), ..Settings::default() };
/// let mean = Problem::new(both, &settings)?.solve(&())?;
/// assert_eq!(mean.dataset().row(0), [1.5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Problem {
    datasets: Vec<Prepared>,
    shape: Option<ImageShape>,
    config: Config,
}

impl Problem {
    /// The barycenter of these datasets.
    ///
    /// # Errors
    /// No datasets, datasets of different dimensions or image shapes, classes that are too large, weights that are
    /// none, a start that is no dataset of positive weight, more classes than samples, a tolerance below 0.
    pub fn new(datasets: Vec<Prepared>, settings: &Settings) -> Result<Self> {
        let common = settings.exact.check(&datasets)?;
        let config = config(&datasets, settings, common.precision)?;
        Ok(Self { datasets, shape: common.shape, config })
    }

    /// Loads the datasets.
    ///
    /// # Errors
    /// Datasets that cannot be read; what [`Self::new`] refuses.
    pub fn load(request: &Request, program: &Program) -> Result<Self> {
        let load = |name: &String| request.settings.exact.load(name, program);
        let mut datasets = request.datasets.iter().map(load).collect::<Result<Vec<_>>>()?;
        bring_together(&mut datasets)?;
        Self::new(datasets, &request.settings)
    }

    /// The datasets.
    #[must_use]
    pub fn datasets(&self) -> &[Prepared] {
        &self.datasets
    }

    /// Iterates until the samples are at rest; an observer that asks to stop gets what is reached after the step.
    ///
    /// # Errors
    /// Coordinates that are not finite in the precision, transports that cannot be solved, classes matched to the same
    /// labels.
    pub fn solve(self, observer: &dyn Observer) -> Result<Solution> {
        match self.config.precision {
            Precision::F32 => self.solve_in::<f32>(observer),
            Precision::F64 => self.solve_in::<f64>(observer),
        }
    }

    fn solve_in<T: Stored>(self, observer: &dyn Observer) -> Result<Solution> {
        let started = Instant::now();
        let measures: Vec<MeasureOverMeasures<T>> =
            self.datasets.iter().map(Prepared::measure).collect::<std::result::Result<_, _>>()?;
        observer.event(&Event::Began { unit: Unit::Steps, total: Some(self.config.max_iterations), done: 0 });
        let reached = iterate(&self.config, &measures, observer);
        observer.event(&Event::Ended);
        let (mean, steps) = reached?;
        // In double precision, which holds the samples as they are.
        let mean = Barycenter {
            measure: mean.measure.cast()?,
            start: mean.start,
            objectives: mean.objectives,
            lower_bound: mean.lower_bound,
            movement: mean.movement,
            stop: mean.stop,
            transports: mean.transports,
        };
        let seconds = started.elapsed().as_secs_f64();
        Solution::new(self.config, self.datasets, self.shape, mean, steps, seconds)
    }
}

/// Everything that is left open becomes a number, but for the start, which the iteration chooses.
fn config(data: &[Prepared], settings: &Settings, precision: Precision) -> Result<Config> {
    let datasets: Vec<String> = data.iter().map(|named| named.name.clone()).collect();
    let start = match settings.start.clone().given() {
        None => None,
        Some(name) => {
            let place = |name: &str| datasets.iter().position(|known| known == name);
            // As it is called, or as it may be written.
            let at = place(&name)
                .or_else(|| name.parse::<DatasetSpec>().ok().and_then(|spec| place(&spec.to_string())));
            Some(at.at(|| {
                format!("expected one of the datasets as start, found {name}: {}", datasets.join(", "))
            })?)
        }
    };
    let weights = settings.weights.clone().or_else(|| vec![1.0 / data.len() as f64; data.len()]);
    require!(
        weights.len() == data.len(),
        "expected {} weights, one a dataset, found {}",
        data.len(),
        weights.len()
    );
    let good = weights.iter().all(|w| w.is_finite() && *w >= 0.0) && weights.iter().sum::<f64>() > 0.0;
    let found = || weights.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    require!(good, "expected finite weights of at least 0 with a positive sum, found {}", found());
    if let Some(at) = start {
        require!(
            weights[at] != 0.0,
            "expected a dataset of positive weight as start, found {}",
            datasets[at]
        );
    }
    let classes = settings.classes.given();
    let samples: usize = data.iter().map(|named| named.dataset.len()).sum();
    if let Some(found) = classes {
        require!(
            (1..=samples).contains(&found),
            "expected at least one class and at most as many as all datasets have samples, {samples}, found {found}"
        );
    }
    let tolerance = settings.tolerance;
    if tolerance.is_nan() || tolerance < 0.0 {
        refuse!("expected a tolerance of at least 0, found {tolerance}");
    }
    Ok(Config {
        schema: SCHEMA,
        command: "barycenter".to_owned(),
        datasets,
        weights,
        classes,
        start,
        tolerance,
        max_iterations: settings.max_iterations,
        precision,
        seed: settings.exact.seed,
        exact_limit: settings.exact.limit,
    })
}

/// The fixed-point iteration with its progress.
fn iterate<T: Stored>(
    config: &Config,
    measures: &[MeasureOverMeasures<T>],
    observer: &dyn Observer,
) -> Result<(Barycenter<T>, Vec<Step>)> {
    let options = BarycenterOptions {
        classes: config.classes,
        start: config.start,
        tolerance: config.tolerance,
        max_iterations: usize::try_from(config.max_iterations).unwrap_or(usize::MAX),
    };
    let started = Instant::now();
    let mut steps = Vec::new();
    let observe = |iteration: Iteration| {
        let Iteration { step, objective, movement } = iteration;
        let detail = format!("objective {objective:.6e}");
        observer.event(&Event::Advanced { done: step as u64, detail: &detail });
        steps.push(Step { step, objective, movement, seconds: started.elapsed().as_secs_f64() });
        if observer.stop_requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let datasets: Vec<&MeasureOverMeasures<T>> = measures.iter().collect();
    let mean = barycenter_observed(&datasets, Some(&config.weights), &options, observe)?;
    Ok((mean, steps))
}

#[cfg(test)]
mod tests {
    use wowflow::ot::geometry::Stop;

    use super::*;

    fn refused(settings: Settings) -> String {
        let request = Request { settings, ..Request::new(["rings:3", "moons:3"]) };
        Problem::load(&request, &Program::default()).unwrap_err().to_string()
    }

    #[test]
    fn a_start_is_named_as_it_is_called_or_written() {
        let settings = Settings { start: " moons:3".to_owned().into(), ..Settings::default() };
        let request = Request { settings, ..Request::new(["rings:3", "moons:3"]) };
        assert_eq!(Problem::load(&request, &Program::default()).unwrap().config.start, Some(1));
        let unknown = Settings { start: "rings:4".to_owned().into(), ..Settings::default() };
        assert!(
            refused(unknown).starts_with("expected one of the datasets as start, found rings:4: rings:3")
        );
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let default = Settings::default;
        let weights = |weights: &[f64]| weights.to_vec().into();
        let rings = || "rings:3".to_owned().into();
        for (settings, words) in [
            (
                Settings { weights: weights(&[1.0]), ..default() },
                "expected 2 weights, one a dataset, found 1",
            ),
            (Settings { weights: weights(&[1.0, -1.0]), ..default() }, "positive sum, found 1,-1"),
            (Settings { weights: weights(&[0.0, 1.0]), start: rings(), ..default() }, "of positive weight"),
            (Settings { classes: 16.into(), ..default() }, "as all datasets have samples, 15, found 16"),
            (Settings { tolerance: f64::NAN, ..default() }, "expected a tolerance of at least 0, found NaN"),
        ] {
            let text = refused(settings);
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn a_stop_keeps_what_is_reached() {
        struct Stopping;
        impl Observer for Stopping {
            fn event(&self, _event: &Event<'_>) {}
            fn stop_requested(&self) -> bool {
                true
            }
        }
        let request = Request::new(["rings:3", "moons:3"]);
        let reached = super::super::solve(&request, &Program::default(), &Stopping).unwrap();
        assert_eq!((reached.barycenter().stop, reached.steps().len()), (Stop::Interrupted, 1));
    }
}
