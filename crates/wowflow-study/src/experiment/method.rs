//! A method of an experiment: what it is called, its settings, what was published of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use wowflow::name::Named;
use wowflow_learn::AugmentationSet;

use super::names::{MethodKind, Preset, TargetSpread, Task};
use crate::error::{Result, StudyError, require};

/// The network whose features a distillation compares: in files `true`, `"fixed"` or the path of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "EmbedKey", into = "EmbedKey")]
pub enum Embed {
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

/// A method with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MethodConfig {
    /// What it is.
    pub method: MethodKind,
    /// What it is called in tables; absent: the name of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The rows it takes part in; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Vec<String>>,
    /// Of mmd-sw; absent: ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// The constant step of flows that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tau: Option<f64>,
    /// Steps of a flow; absent: a number that suits it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Samples of every target class a step, of a distillation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_batch: Option<usize>,
    /// Augmentations of a distillation, one a step for both sides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augment: Option<AugmentationSet>,
    /// Compare features of a network in place of samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embed: Option<Embed>,
    /// Whether distilled images are brought into the range of the target's values in the end; absent: where samples are
    /// compared as they are, but not with preset published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<bool>,
    /// Of a distillation by mmd-sw; published is kept, ours removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<TargetSpread>,
    /// In a transfer, the few samples of the target are enlarged to so many a class by small shifts, turns and scales
    /// of their own before the source moves there, or before the target alone is trained on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enlarge: Option<usize>,
    /// As many steps of the optimiser as on target and source together.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub equal_steps: bool,
    /// How it differs from what was published; its values are then shown, not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub differs: Option<String>,
    /// Published mean and deviation by row, in percent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub published: BTreeMap<String, [f64; 2]>,
}

impl MethodConfig {
    /// A method with its usual settings.
    #[must_use]
    pub fn usual(method: MethodKind) -> Self {
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
    #[must_use]
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.method.name().to_owned())
    }

    /// The file of the network whose features are compared.
    #[must_use]
    pub fn network_file(&self) -> Option<&Path> {
        match &self.embed {
            Some(Embed::File(path)) => Some(path),
            Some(Embed::Fresh | Embed::Fixed) | None => None,
        }
    }

    /// Whether this is the flow with our settings.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.method == MethodKind::MmdSw && self.preset != Some(Preset::Published)
    }

    /// Whether distilled images are clipped. Values out of the range are mostly noise of the directions, but what
    /// features of networks ask for too; published flows leave them.
    #[must_use]
    pub fn clips(&self) -> bool {
        let published = self.preset == Some(Preset::Published);
        self.clip.unwrap_or(self.method != MethodKind::Random && self.embed.is_none() && !published)
    }

    /// The method without its name, its rows and what was published of it.
    pub(super) fn settings(&self, task: Task) -> Self {
        // Repetitions from before images were clipped are those of methods that do not clip.
        let clip = (task == Task::Distillation && self.clips()).then_some(true);
        Self { name: None, rows: None, clip, differs: None, published: BTreeMap::new(), ..self.clone() }
    }

    /// Goes up when the numbers of a method change for the same settings: earlier repetitions are then others.
    pub(super) fn generation(&self, task: Task) -> u32 {
        u32::from(task == Task::Distillation && (self.method == MethodKind::MatchedSw || self.is_ours()))
    }

    /// Refuses options that the method does not have.
    pub(super) fn check(&self, task: Task) -> Result<()> {
        use MethodKind::{MatchedSw, MeanMatching, MmdSw, Otdd, Product, Random, TargetOnly};
        let refuse = |given: bool, option: &str, methods: &str| {
            require!(!given, "expected {option} with {methods} only");
            Ok::<_, StudyError>(())
        };
        let distils = task == Task::Distillation;
        let known: Vec<&str> =
            MethodKind::ALL.iter().filter(|kind| kind.fits(task)).map(|kind| kind.name()).collect();
        let known = known.join(", ");
        require!(
            self.method.fits(task),
            "expected one of {known} for this task, found {}",
            self.method.name()
        );
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
            require!(tau.is_finite() && tau > 0.0, "expected a positive tau, found {tau}");
        }
        let published = self.preset == Some(Preset::Published);
        require!(
            self.method != MmdSw || published == self.tau.is_some(),
            "expected tau with preset published, and without it not: it is the constant step"
        );
        require!(!published || self.steps.is_some(), "expected steps with preset published, found none");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_named_in_files_as_they_are_typed() {
        let read = |embed: &str| {
            toml::from_str::<MethodConfig>(&format!("method = \"matched-sw\"\nembed = {embed}"))
        };
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
        let ours = MethodConfig::usual(MethodKind::MatchedSw);
        let embedded = MethodConfig { embed: Some(Embed::Fresh), ..ours.clone() };
        let published =
            MethodConfig { preset: Some(Preset::Published), ..MethodConfig::usual(MethodKind::MmdSw) };
        assert!(ours.clips() && !embedded.clips() && !published.clips());
        assert!(!MethodConfig::usual(MethodKind::Random).clips());
        let told = MethodConfig { clip: Some(true), ..published.clone() };
        assert!(told.clips() && !MethodConfig { clip: Some(false), ..ours.clone() }.clips());
        // What does not clip is what it was before there was a choice; a transfer always clips.
        let distilled = |spec: &MethodConfig| spec.settings(Task::Distillation).clip;
        assert_eq!([&ours, &told, &published].map(distilled), [Some(true), Some(true), None]);
        assert_eq!(distilled(&MethodConfig { clip: Some(false), ..ours.clone() }), None);
        assert_eq!(ours.settings(Task::Transfer).clip, None);
    }
}
