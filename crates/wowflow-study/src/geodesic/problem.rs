//! Two datasets that a geodesic is asked of, and the transport between them.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use wowflow::dataset::Precision;
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::geometry::{TIGHT, VelocityPlan, constant_speed, plan_uniqueness};
use wowflow::ot::wow::{KeepPlans, wow2_pow_observed};
use wowflow::scalar::Scalar;
use wowflow_data::{Prepared, bring_together};

use super::config::{Config, Request, Settings};
use super::solution::{Curve, Solution, end_points, spread};
use super::summary::{Speed, Summary, Unique, pairs};
use crate::error::{Result, require};
use crate::exact::Common;
use crate::observer::{Observer, doing, note, transports};
use crate::record::{Program, SCHEMA};

/// Pairs of classes of at most this many particles are checked for constant speed unasked.
const CHECKED: usize = 500;
/// The check costs a solve for every pair of neighbouring times; of many times it takes so many pairs.
const MOST_SEGMENTS: usize = 8;

/// Two datasets that a geodesic can be asked of.
///
/// ```
/// use wowflow::dataset::{Label, LabeledDataset, Points};
/// use wowflow_data::Prepared;
/// use wowflow_study::geodesic::{Problem, Settings};
/// let at = |x: f64| LabeledDataset::new(Points::F64(vec![x]), 1, vec![Label::Int(0)]);
/// let ends = [Prepared::in_memory("left", at(1.0)?), Prepared::in_memory("right", at(3.0)?)];
/// let way = Problem::new(ends, Settings::default())?.solve(&())?;
/// assert_eq!(way.summary().wow2, 4.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Problem {
    ends: [Prepared; 2],
    settings: Settings,
    common: Common,
}

impl Problem {
    /// From the first dataset to the second.
    ///
    /// # Errors
    /// Datasets of different dimensions or image shapes, classes that are too large, a check of a curve without splits.
    pub fn new(ends: [Prepared; 2], settings: Settings) -> Result<Self> {
        require!(
            !settings.barycentric || settings.check.given() != Some(true),
            "expected a check of the speed or a barycentric curve, found both: only the geodesic has constant speed"
        );
        let common = settings.exact.check(&ends)?;
        Ok(Self { ends, settings, common })
    }

    /// Loads both datasets.
    ///
    /// # Errors
    /// Datasets that cannot be read; what [`Self::new`] refuses.
    pub fn load(request: &Request, program: &Program) -> Result<Self> {
        let load = |name: &str| request.settings.exact.load(name, program);
        let mut ends = [load(&request.source)?, load(&request.target)?];
        bring_together(&mut ends)?;
        Self::new(ends, request.settings.clone())
    }

    /// The dataset at time 0.
    #[must_use]
    pub fn source(&self) -> &Prepared {
        &self.ends[0]
    }

    /// The dataset at time 1.
    #[must_use]
    pub fn target(&self) -> &Prepared {
        &self.ends[1]
    }

    /// Couples classes and samples exactly; says whether the way is the only one and its speed constant.
    ///
    /// # Errors
    /// Coordinates that are not finite in the precision, transports that cannot be solved.
    pub fn solve(self, observer: &dyn Observer) -> Result<Solution> {
        match self.common.precision {
            Precision::F32 => self.solve_in::<f32>(observer),
            Precision::F64 => self.solve_in::<f64>(observer),
        }
    }

    fn solve_in<T: Scalar>(self, observer: &dyn Observer) -> Result<Solution> {
        let started = Instant::now();
        let (p, q) = (self.source().measure::<T>()?, self.target().measure::<T>()?);
        note(
            observer,
            &format!(
                "solving {} exact transports of up to {} x {} samples",
                p.class_count() * q.class_count(),
                largest(&p),
                largest(&q)
            ),
        );
        let count = p.class_count() * q.class_count();
        let transport = transports(observer, count, "coupling", |observe| {
            wow2_pow_observed(&p, &q, KeepPlans::Yes, &AtomicBool::new(false), observe)
        })?;
        let seconds_transport = started.elapsed().as_secs_f64();
        note(observer, &format!("W_W2^2 {:.6} in {seconds_transport:.1} s", transport.value));
        let unique =
            doing(observer, "looking for other ways", || plan_uniqueness(&p, &q, &transport, TIGHT))?;
        // From here on in double precision, which holds the samples of either as they are.
        let curve = Curve { p: p.cast()?, q: q.cast()?, transport };
        drop((p, q));
        let plan = curve.plan()?;
        let config = self.config(&plan);
        let speed = || constant_speed(&plan, &segments(&config.times));
        let check = config.check.then(|| doing(observer, "checking the speed", speed)).transpose()?;
        let ends = (self.source(), self.target());
        let summary = Summary {
            schema: SCHEMA,
            source: config.source.clone(),
            target: config.target.clone(),
            wow2: curve.transport.value,
            gap: curve.transport.gap,
            classes: pairs(&plan, &curve.transport, ends),
            unique: Unique::new(&unique, ends),
            constant_speed: check.as_ref().map(Speed::from),
            end_points: end_points(&plan)?,
            barycentric_spread: config.barycentric.then(|| spread(&plan)),
            times: Vec::new(),
            seconds_transport,
            seconds: started.elapsed().as_secs_f64(),
            pictures: Vec::new(),
        };
        drop(plan);
        Ok(Solution { config, ends: self.ends, shape: self.common.shape, curve, summary })
    }

    fn config(&self, plan: &VelocityPlan<'_, f64>) -> Config {
        let settings = &self.settings;
        let small = || plan.pairs().iter().all(|pair| pair.plan.atoms().len() <= CHECKED);
        Config {
            schema: SCHEMA,
            command: "geodesic".to_owned(),
            source: self.source().name.clone(),
            target: self.target().name.clone(),
            times: settings.times.values().to_vec(),
            barycentric: settings.barycentric,
            check: settings.check.or_else(|| !settings.barycentric && small()),
            precision: self.common.precision,
            seed: settings.exact.seed,
            exact_limit: settings.exact.limit,
        }
    }
}

fn largest<T: Scalar>(measure: &MeasureOverMeasures<T>) -> usize {
    (0..measure.class_count()).map(|class| measure.class_size(class)).max().unwrap_or(0)
}

/// Pieces of the curve to check, from 0 to 1 between neighbouring times.
fn segments(times: &[f64]) -> Vec<(f64, f64)> {
    let inner: Vec<f64> = times.iter().copied().filter(|t| 0.0 < *t && *t < 1.0).collect();
    let kept = inner.len().min(MOST_SEGMENTS - 1);
    let chosen = (0..kept).map(|k| inner[(2 * k + 1) * inner.len() / (2 * kept)]);
    let ends: Vec<f64> = std::iter::once(0.0).chain(chosen).chain([1.0]).collect();
    ends.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_times_are_checked_by_few_pieces_from_end_to_end() {
        assert_eq!(segments(&[0.5]), [(0.0, 0.5), (0.5, 1.0)]);
        assert_eq!(segments(&[0.0, 1.0]), [(0.0, 1.0)]);
        let many: Vec<f64> = (0..=100).map(|k| f64::from(k) / 100.0).collect();
        let pieces = segments(&many);
        assert_eq!((pieces.len(), pieces[0].0, pieces[7].1), (MOST_SEGMENTS, 0.0, 1.0));
    }

    #[test]
    fn a_check_of_a_curve_without_splits_is_refused() {
        let request = Request::new("rings:2", "rings:2");
        let settings = Settings { barycentric: true, check: true.into(), ..request.settings };
        let request = Request { settings, ..request };
        let text = Problem::load(&request, &Program::default()).unwrap_err().to_string();
        assert!(text.contains("found both"), "{text}");
    }
}
