//! A method of an experiment: what it is called, its settings, what was published of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};
use wowflow::functional::{BatchEstimator, MiniBatches, WithinAtomVariance};
use wowflow_learn::{Distiller, MmdFlow, Mover};

use super::experiment::Task;
use crate::args::learn::{AugmentName, MethodName};

/// What becomes of the spread of the target's classes, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SpreadName {
    /// It counts, as published.
    Kept,
    /// It does not: a class is compared with the best approximation by as many samples.
    Removed,
}

/// The network whose features a distillation compares: in files `true`, `"fixed"` or the path of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "EmbedKey", into = "EmbedKey")]
pub(crate) enum Embed {
    /// A random one, drawn anew at every step.
    Fresh,
    /// A random one, the same at every step.
    Fixed,
    /// A trained one.
    File(PathBuf),
}

/// How it is written in files.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum EmbedKey {
    Flag(bool),
    Text(String),
}

impl FromStr for Embed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("expected fresh, fixed or the path of a network, found nothing".to_owned()),
            "fresh" => Ok(Self::Fresh),
            "fixed" => Ok(Self::Fixed),
            path => Ok(Self::File(path.into())),
        }
    }
}

impl TryFrom<EmbedKey> for Embed {
    type Error = String;

    fn try_from(key: EmbedKey) -> Result<Self, String> {
        match key {
            EmbedKey::Flag(true) => Ok(Self::Fresh),
            EmbedKey::Flag(false) => Err("expected embed = true or none at all, found false".to_owned()),
            EmbedKey::Text(text) => text.parse(),
        }
    }
}

impl From<Embed> for EmbedKey {
    fn from(embed: Embed) -> Self {
        match embed {
            Embed::Fresh => Self::Flag(true),
            Embed::Fixed => Self::Text("fixed".to_owned()),
            Embed::File(path) => Self::Text(path.to_string_lossy().into_owned()),
        }
    }
}

/// Settings of a flow by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Preset {
    /// Those of `wowflow flow`: adaptive steps, structured directions.
    #[default]
    Ours,
    /// Those of the published experiments: 500 independent directions, a constant step, momentum 0.9.
    Published,
}

/// Steps of a flow where nothing else is said.
pub(crate) const USUAL_STEPS: u64 = 300;
/// Those of a distillation of samples as they are, in short steps.
const DISTILLING_STEPS: u64 = 1000;
/// The published numbers of steps of the OTDD flow and of the product MMD flow.
const LIFTED_STEPS: (u64, u64) = (5000, 20_000);

/// A method with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct MethodSpec {
    pub(crate) method: MethodName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// The rows it takes part in; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) preset: Option<Preset>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tau: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) steps: Option<u64>,
    /// Samples of every target class a step, of a distillation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target_batch: Option<usize>,
    /// Augmentations of a distillation, one a step for both sides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) augment: Option<AugmentName>,
    /// Compare features of a network in place of samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) embed: Option<Embed>,
    /// Whether distilled images are brought into the range of the target's values in the end; absent: where samples are
    /// compared as they are, but not with preset published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) clip: Option<bool>,
    /// Of a distillation by mmd-sw; published is kept, ours removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) spread: Option<SpreadName>,
    /// In a transfer, the few samples of the target are enlarged to so many a class by small shifts, turns and scales
    /// of their own before the source moves there, or before the target alone is trained on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) enlarge: Option<usize>,
    /// As many steps of the optimiser as on target and source together.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) equal_steps: bool,
    /// How it differs from what was published; its values are then shown, not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) differs: Option<String>,
    /// Published mean and deviation by row, in percent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) published: BTreeMap<String, [f64; 2]>,
}

impl MethodSpec {
    /// A method with its usual settings.
    pub(crate) fn usual(method: MethodName) -> Self {
        Self {
            method,
            name: None,
            rows: None,
            preset: None,
            tau: None,
            steps: None,
            target_batch: None,
            augment: None,
            embed: None,
            clip: None,
            spread: None,
            enlarge: None,
            equal_steps: false,
            differs: None,
            published: BTreeMap::new(),
        }
    }

    /// What the method is called in tables.
    pub(crate) fn label(&self) -> String {
        let typed = clap::ValueEnum::to_possible_value(&self.method).map(|v| v.get_name().to_owned());
        self.name.clone().or(typed).unwrap_or_default()
    }

    /// The file of the network whose features are compared.
    pub(crate) fn network_file(&self) -> Option<&Path> {
        match &self.embed {
            Some(Embed::File(path)) => Some(path),
            Some(Embed::Fresh | Embed::Fixed) | None => None,
        }
    }

    /// Whether this is the flow with our settings.
    pub(crate) fn is_ours(&self) -> bool {
        self.method == MethodName::MmdSw && self.preset != Some(Preset::Published)
    }

    /// Whether distilled images are clipped. Values out of the range are mostly noise of the directions, but what
    /// features of networks ask for too; published flows leave them.
    pub(crate) fn clips(&self) -> bool {
        let published = self.preset == Some(Preset::Published);
        self.clip.unwrap_or(self.method != MethodName::Random && self.embed.is_none() && !published)
    }

    /// The method without its name, its rows and what was published of it.
    pub(crate) fn settings(&self, task: Task) -> Self {
        // Repetitions from before images were clipped are those of methods that do not clip.
        let clip = (task == Task::Distillation && self.clips()).then_some(true);
        Self { name: None, rows: None, clip, differs: None, published: BTreeMap::new(), ..self.clone() }
    }

    /// Goes up when the numbers of a method change for the same settings: earlier repetitions are then others.
    pub(crate) fn generation(&self, task: Task) -> u32 {
        u32::from(task == Task::Distillation && (self.method == MethodName::MatchedSw || self.is_ours()))
    }

    /// Refuses options that the method does not have.
    pub(crate) fn check(&self, task: Task) -> Result<()> {
        use MethodName::{Geodesic, MatchedSw, MeanMatching, MmdSw, Otdd, Product, Random, TargetOnly};
        let refuse = |given: bool, option: &str, methods: &str| {
            ensure!(!given, "expected {option} with {methods} only");
            Ok(())
        };
        let distils = task == Task::Distillation;
        let fits = match self.method {
            MmdSw => true,
            TargetOnly => task == Task::Transfer,
            Geodesic | Otdd | Product => !distils,
            Random | MeanMatching | MatchedSw => distils,
        };
        ensure!(fits, "expected a method of this task, found {}", self.label());
        if self.method != MmdSw {
            refuse(self.preset.is_some(), "preset", "mmd-sw")?;
            refuse(self.spread.is_some(), "spread", "mmd-sw")?;
        }
        if !matches!(self.method, MmdSw | Otdd | Product | MeanMatching) {
            refuse(self.tau.is_some(), "tau", "methods that flow with a constant step")?;
        }
        if !matches!(self.method, MmdSw | Otdd | Product | MeanMatching | MatchedSw) {
            refuse(self.steps.is_some(), "steps", "methods that flow")?;
        }
        let compares = distils && self.method != Random;
        if !compares {
            refuse(self.augment.is_some(), "augment", "distillations that move samples")?;
            refuse(self.embed.is_some(), "embed", "distillations that move samples")?;
            refuse(self.target_batch.is_some(), "target-batch", "distillations that move samples")?;
            refuse(self.clip.is_some(), "clip", "distillations that move samples")?;
            refuse(self.spread.is_some(), "spread", "distillations by mmd-sw")?;
        }
        refuse(self.enlarge.is_some() && task != Task::Transfer, "enlarge", "transfers")?;
        refuse(self.enlarge == Some(0), "enlarge of at least 1", "transfers")?;
        refuse(self.equal_steps && self.method != TargetOnly, "equal-steps", "target-only")?;
        if let Some(tau) = self.tau {
            ensure!(tau.is_finite() && tau > 0.0, "expected a positive tau, found {tau}");
        }
        let published = self.preset == Some(Preset::Published);
        ensure!(
            self.method != MmdSw || published == self.tau.is_some(),
            "expected tau with preset published, and without it not: it is the constant step"
        );
        ensure!(!published || self.steps.is_some(), "expected steps with preset published, found none");
        Ok(())
    }

    /// How a target is distilled.
    pub(crate) fn distiller(&self, dim: usize) -> Result<Distiller> {
        let batches = |estimator| self.target_batch.map(|size| MiniBatches { size, estimator });
        Ok(match self.method {
            MethodName::Random => Distiller::Random,
            MethodName::MeanMatching => Distiller::MeanMatching {
                steps: self.distilling_steps(),
                rate: self.tau.unwrap_or(1.0),
                batch: self.target_batch,
            },
            MethodName::MmdSw => {
                let published = self.preset == Some(Preset::Published);
                let usual = if published { SpreadName::Kept } else { SpreadName::Removed };
                let spread = match self.spread.unwrap_or(usual) {
                    SpreadName::Kept => WithinAtomVariance::Included,
                    SpreadName::Removed => WithinAtomVariance::Excluded,
                };
                let debiased = !published && spread == WithinAtomVariance::Included;
                let estimator = if debiased { BatchEstimator::Debiased } else { BatchEstimator::Plain };
                let mut settings = match self.tau {
                    Some(tau) => MmdFlow::published(tau, self.distilling_steps()),
                    None => self.short_steps(dim),
                };
                settings.batches = batches(estimator);
                Distiller::MmdSw(settings, spread)
            }
            MethodName::MatchedSw => {
                let mut settings = self.short_steps(dim);
                settings.batches = batches(BatchEstimator::Plain);
                Distiller::MatchedSw(settings)
            }
            other => bail!("expected a method that distils, found {other:?}"),
        })
    }

    fn distilling_steps(&self) -> u64 {
        self.steps.unwrap_or(if self.embed.is_some() { USUAL_STEPS } else { DISTILLING_STEPS })
    }

    /// How our distillations flow.
    fn short_steps(&self, dim: usize) -> MmdFlow {
        let usual = MmdFlow::usual(dim, self.distilling_steps());
        if self.embed.is_some() { usual.over_fresh_maps() } else { usual.in_short_steps() }
    }

    /// How the source is moved; `None` where it is not.
    pub(crate) fn mover(&self, dim: usize) -> Option<Mover> {
        match self.method {
            MethodName::TargetOnly
            | MethodName::Random
            | MethodName::MeanMatching
            | MethodName::MatchedSw => None,
            MethodName::Otdd => Some(Mover::Otdd {
                steps: self.steps.unwrap_or(LIFTED_STEPS.0),
                rate: self.tau.unwrap_or(1e-3),
            }),
            MethodName::Product => Some(Mover::Product {
                steps: self.steps.unwrap_or(LIFTED_STEPS.1),
                tau: self.tau.unwrap_or(10.0),
            }),
            MethodName::Geodesic => Some(Mover::Geodesic),
            MethodName::MmdSw => {
                let steps = self.steps.unwrap_or(USUAL_STEPS);
                let usual = || MmdFlow::usual(dim, steps);
                Some(Mover::MmdSw(self.tau.map_or_else(usual, |tau| MmdFlow::published(tau, steps))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distillations_take_short_steps_unless_published() {
        let plain = MethodSpec::usual(MethodName::MatchedSw);
        let expected = MmdFlow::usual(784, 1000).in_short_steps();
        assert_eq!(plain.distiller(784).unwrap(), Distiller::MatchedSw(expected));
        let embedded = MethodSpec { embed: Some(Embed::Fresh), ..plain };
        let expected = MmdFlow::usual(784, 300).over_fresh_maps();
        assert_eq!(embedded.distiller(784).unwrap(), Distiller::MatchedSw(expected));
        let mmd = MethodSpec { steps: Some(7), ..MethodSpec::usual(MethodName::MmdSw) };
        let expected = MmdFlow::usual(784, 7).in_short_steps();
        assert_eq!(mmd.distiller(784).unwrap(), Distiller::MmdSw(expected, WithinAtomVariance::Excluded));
        let published = MethodSpec { preset: Some(Preset::Published), tau: Some(1.0), ..mmd };
        let expected = MmdFlow::published(1.0, 7);
        assert_eq!(
            published.distiller(784).unwrap(),
            Distiller::MmdSw(expected, WithinAtomVariance::Included)
        );
    }

    #[test]
    fn networks_are_named_in_files_as_they_are_typed() {
        let read =
            |embed: &str| toml::from_str::<MethodSpec>(&format!("method = \"matched-sw\"\nembed = {embed}"));
        for (text, expected) in [
            ("true", Embed::Fresh),
            ("\"fixed\"", Embed::Fixed),
            ("\"a/b.safetensors\"", Embed::File("a/b.safetensors".into())),
        ] {
            let found = read(text).unwrap();
            assert_eq!(found.embed.as_ref(), Some(&expected));
            let written = toml::to_string(&found).unwrap();
            assert!(written.contains(&format!("embed = {text}")), "{written}");
        }
        for text in ["false", "\"\""] {
            assert!(read(text).unwrap_err().to_string().contains("expected"));
        }
        assert_eq!("fresh".parse(), Ok(Embed::Fresh));
    }

    #[test]
    fn plain_distillations_are_clipped_unless_published_or_told() {
        let ours = MethodSpec::usual(MethodName::MatchedSw);
        let embedded = MethodSpec { embed: Some(Embed::Fresh), ..ours.clone() };
        let published =
            MethodSpec { preset: Some(Preset::Published), ..MethodSpec::usual(MethodName::MmdSw) };
        assert!(ours.clips() && !embedded.clips() && !published.clips());
        assert!(!MethodSpec::usual(MethodName::Random).clips());
        let told = MethodSpec { clip: Some(true), ..published.clone() };
        assert!(told.clips() && !MethodSpec { clip: Some(false), ..ours.clone() }.clips());
        // What does not clip is what it was before there was a choice; a transfer always clips.
        let distilled = |spec: &MethodSpec| spec.settings(Task::Distillation).clip;
        assert_eq!([&ours, &told, &published].map(distilled), [Some(true), Some(true), None]);
        assert_eq!(distilled(&MethodSpec { clip: Some(false), ..ours.clone() }), None);
        assert_eq!(ours.settings(Task::Transfer).clip, None);
    }
}
