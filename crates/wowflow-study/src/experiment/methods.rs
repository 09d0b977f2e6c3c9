//! What a method of an experiment comes to: how a source is transported, how a target is distilled.

use wowflow::auto::Auto;
use wowflow::flow::{self, BatchSettings, Settings};
use wowflow::functional::{BatchEstimator, FunctionalName, WithinAtomVariance};
use wowflow_learn::{Distiller, TransportMethod, in_short_steps, over_fresh_maps};

use super::method::MethodConfig;
use super::names::{MethodKind, Preset, TargetSpread};
use crate::error::{Result, refuse};

/// Steps of a distillation of samples as they are, in short steps.
const DISTILLING_STEPS: u64 = 1000;
/// The published number of steps of the OTDD flow, and its learning rate.
const OTDD: (u64, f64) = (5000, 1e-3);
/// The published number of steps of the product MMD flow, and its constant step.
const PRODUCT: (u64, f64) = (20_000, 10.0);
/// The learning rate of Distribution Matching.
const MATCHING_RATE: f64 = 1.0;

/// How a source is transported; `None` where it is not.
pub(super) fn transport(method: &MethodConfig) -> Option<TransportMethod> {
    let (steps, tau) = (method.steps, method.tau);
    match method.method {
        MethodKind::TargetOnly | MethodKind::Random | MethodKind::MeanMatching | MethodKind::MatchedSw => {
            None
        }
        MethodKind::Otdd => {
            Some(TransportMethod::Otdd { steps: steps.unwrap_or(OTDD.0), rate: tau.unwrap_or(OTDD.1) })
        }
        MethodKind::Product => Some(TransportMethod::Product {
            steps: steps.unwrap_or(PRODUCT.0),
            tau: tau.unwrap_or(PRODUCT.1),
        }),
        MethodKind::Geodesic => Some(TransportMethod::Geodesic),
        MethodKind::MmdSw => {
            let steps = steps.unwrap_or(flow::STEPS);
            Some(TransportMethod::Flow(match tau {
                Some(tau) => Settings::published(tau, steps),
                None => Settings { steps: steps.into(), ..Settings::default() },
            }))
        }
    }
}

/// How a target is distilled.
pub(super) fn distiller(method: &MethodConfig) -> Result<Distiller> {
    let batches =
        |estimator| method.target_batch.map(|size| BatchSettings { size, estimator: Auto::Given(estimator) });
    Ok(match method.method {
        MethodKind::Random => Distiller::Random,
        MethodKind::MeanMatching => Distiller::MeanMatching {
            steps: distilling_steps(method),
            rate: method.tau.unwrap_or(MATCHING_RATE),
            batch: method.target_batch,
        },
        MethodKind::MmdSw => {
            let published = method.preset == Some(Preset::Published);
            let usual = if published { TargetSpread::Kept } else { TargetSpread::Removed };
            let spread = method.spread.unwrap_or(usual);
            let debiased = !published && spread == TargetSpread::Kept;
            let estimator = if debiased { BatchEstimator::Debiased } else { BatchEstimator::Plain };
            let settings = match method.tau {
                Some(tau) => Settings::published(tau, distilling_steps(method)),
                None => short_steps(method),
            };
            let settings = Settings { target_batches: batches(estimator), ..settings };
            Distiller::Flow { settings, spread: spread.into() }
        }
        MethodKind::MatchedSw => {
            let functional = FunctionalName::MatchedSw.into();
            let target_batches = batches(BatchEstimator::Plain);
            let settings = Settings { functional, target_batches, ..short_steps(method) };
            Distiller::Flow { settings, spread: WithinAtomVariance::Included }
        }
        MethodKind::TargetOnly | MethodKind::Otdd | MethodKind::Product | MethodKind::Geodesic => {
            refuse!("expected a method that distils, found {}", method.method)
        }
    })
}

fn distilling_steps(method: &MethodConfig) -> u64 {
    method.steps.unwrap_or(if method.embed.is_some() { flow::STEPS } else { DISTILLING_STEPS })
}

/// How our distillations flow.
fn short_steps(method: &MethodConfig) -> Settings {
    let usual = Settings { steps: distilling_steps(method).into(), ..Settings::default() };
    if method.embed.is_some() { over_fresh_maps(usual) } else { in_short_steps(usual) }
}

#[cfg(test)]
mod tests {
    use wowflow::measure::MeasureOverMeasures;

    use super::super::method::Embed;
    use super::*;

    #[test]
    fn distillations_take_short_steps_unless_published() {
        let usual = |steps: u64| Settings { steps: steps.into(), ..Settings::default() };
        let matched = |settings: Settings| Distiller::Flow {
            settings: Settings { functional: FunctionalName::MatchedSw.into(), ..settings },
            spread: WithinAtomVariance::Included,
        };
        let plain = MethodConfig::usual(MethodKind::MatchedSw);
        assert_eq!(distiller(&plain).unwrap(), matched(in_short_steps(usual(1000))));
        let embedded = MethodConfig { embed: Some(Embed::Fresh), ..plain };
        assert_eq!(distiller(&embedded).unwrap(), matched(over_fresh_maps(usual(300))));
        let mmd = MethodConfig { steps: Some(7), ..MethodConfig::usual(MethodKind::MmdSw) };
        let expected =
            Distiller::Flow { settings: in_short_steps(usual(7)), spread: WithinAtomVariance::Excluded };
        assert_eq!(distiller(&mmd).unwrap(), expected);
        let published = MethodConfig { preset: Some(Preset::Published), tau: Some(1.0), ..mmd };
        let expected =
            Distiller::Flow { settings: Settings::published(1.0, 7), spread: WithinAtomVariance::Included };
        assert_eq!(distiller(&published).unwrap(), expected);
        assert!(distiller(&MethodConfig::usual(MethodKind::Geodesic)).is_err());
    }

    #[test]
    fn settings_come_to_what_experiments_were_run_with() {
        use wowflow::directions::Slicing;
        use wowflow::flow::{Decay, Scheme, StepSize};
        // 128 dimensions see all of 2048 directions, 784 in the published setting 500 of them.
        let of = |dim: usize| MeasureOverMeasures::uniform(vec![0.5_f32; dim], dim, &[1]).unwrap();
        let (p, q) = (of(784), of(784));
        let Some(TransportMethod::Flow(ours)) = transport(&MethodConfig::usual(MethodKind::MmdSw)) else {
            panic!("a flow")
        };
        let ours = ours.resolve(&p, &q).unwrap();
        assert_eq!((ours.steps, ours.directions, ours.slicing), (300, 2048, Slicing::Hadamard));
        assert_eq!((ours.step_size, ours.schedule), (StepSize::Adaptive(1.5), Decay::Constant));
        assert_eq!(ours.scheme, Scheme::heavy_ball(0.7, Decay::Linear).unwrap());
        let batched = MethodConfig { target_batch: Some(1), ..MethodConfig::usual(MethodKind::MmdSw) };
        let Distiller::Flow { settings, .. } = distiller(&batched).unwrap() else { panic!("a flow") };
        let short = settings.resolve(&p, &q).unwrap();
        assert_eq!((short.steps, short.step_size), (1000, StepSize::Adaptive(0.1)));
        assert_eq!((short.schedule, short.scheme), (Decay::Cosine, ours.scheme));
        assert_eq!(short.target_batches.unwrap().estimator, BatchEstimator::Plain);
        let published = MethodConfig { tau: Some(0.1), steps: Some(9), ..batched };
        let Distiller::Flow { settings, .. } = distiller(&published).unwrap() else { panic!("a flow") };
        let theirs = settings.resolve(&p, &q).unwrap();
        assert_eq!((theirs.directions, theirs.slicing), (500, Slicing::Gaussian));
        assert_eq!((theirs.step_size, theirs.schedule), (StepSize::Fixed(0.1), Decay::Constant));
        assert_eq!(theirs.scheme, Scheme::heavy_ball(0.9, Decay::Constant).unwrap());
    }
}
