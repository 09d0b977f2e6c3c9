//! Transfers, adaptations and distillations from plain values: experiments of one row.

use std::path::{Path, PathBuf};

use wowflow::auto::Auto;
use wowflow_data::Size;
use wowflow_learn::{Architecture, AugmentationSet};

use super::config::ExperimentConfig;
use super::method::{Embed, MethodConfig};
use super::names::{MethodKind, Preset, Task};
use super::stored::Template;
use crate::error::{Result, StudyError, require};

/// Trials of an experiment.
pub const TRIALS: u64 = 3;
/// Steps of our flow in a transfer: with few target samples it arrives in fewer than elsewhere.
const TRANSFER_STEPS: u64 = 100;
/// Samples a class that the few images of a target are enlarged to.
pub const ENLARGED: usize = 200;
/// Classifiers trained in each trial of a transfer.
pub const TRANSFER_RUNS: usize = 5;
/// Epochs of a training in a transfer.
pub const TRANSFER_EPOCHS: u64 = 50;
/// Steps between looks in an adaptation.
pub const LOOK_EVERY: u64 = 20;
/// Steps of the optimiser that the classifier of an adaptation is trained for.
pub const TRAINING_STEPS: u64 = 5000;
/// Samples a class of a distillation.
pub const PER_CLASS: usize = 10;
/// Samples of every target class a step of a distillation.
pub const DISTILLING_BATCH: usize = 256;
/// Networks trained in each trial of a distillation.
pub const DISTILLING_RUNS: usize = 2;
/// Epochs of a training in a distillation.
pub const DISTILLING_EPOCHS: u64 = 300;

/// A k-shot transfer: few samples of a target, enlarged by a source that moves there.
#[derive(Clone, Debug, PartialEq)]
pub struct TransferRequest {
    /// The dataset that moves.
    pub source: String,
    /// The dataset it moves to.
    pub target: String,
    /// The test set; `None`: samples of the target that are not drawn.
    pub test: Option<String>,
    /// The methods; none: target-only, mmd-sw and geodesic.
    pub methods: Vec<MethodKind>,
    /// Steps of every method that flows; open: 100 of mmd-sw, the published numbers of others.
    pub steps: Option<u64>,
    /// Of mmd-sw, the published flow with this constant step in place of ours.
    pub published_tau: Option<f64>,
    /// Of our mmd-sw, samples a class that few images are enlarged to; `None` does not.
    pub enlarge: Option<usize>,
    /// Classifiers trained in each trial.
    pub runs_per_trial: usize,
    /// Epochs of a training.
    pub epochs: u64,
    /// The size that images are brought to; `None`: that of the target.
    pub resize: Option<Size>,
    /// The network that is trained.
    pub network: Auto<Architecture>,
    /// Draws of the data and of the flow.
    pub trials: u64,
    /// Seed of everything random.
    pub seed: u64,
}

impl TransferRequest {
    /// Everything but the datasets as it usually is.
    #[must_use]
    pub fn new(source: &str, target: &str) -> Self {
        Self {
            source: source.to_owned(),
            target: target.to_owned(),
            test: None,
            methods: Vec::new(),
            steps: None,
            published_tau: None,
            enlarge: Some(ENLARGED),
            runs_per_trial: TRANSFER_RUNS,
            epochs: TRANSFER_EPOCHS,
            resize: None,
            network: Auto::Auto,
            trials: TRIALS,
            seed: 0,
        }
    }

    /// The experiment.
    ///
    /// # Errors
    /// Settings of methods that are not asked for.
    pub fn config(&self) -> Result<ExperimentConfig> {
        let usual = [MethodKind::TargetOnly, MethodKind::MmdSw, MethodKind::Geodesic];
        let mut methods = flows(or_usual(&self.methods, &usual), self.steps, self.published_tau)?;
        for method in methods.iter_mut().filter(|method| method.is_ours()) {
            (method.steps, method.enlarge) = (method.steps.or(Some(TRANSFER_STEPS)), self.enlarge);
        }
        Ok(ExperimentConfig {
            title: format!("Transfer from {} to {}", self.source, self.target),
            row_name: "target".to_owned(),
            rows: vec![self.target.clone()],
            source: Some(self.source.as_str().into()),
            test: self.test.as_deref().map(Template::from),
            resize: self.resize,
            network: self.network,
            trials: self.trials,
            runs_per_trial: self.runs_per_trial,
            epochs: Some(self.epochs),
            seed: self.seed,
            methods,
            ..ExperimentConfig::plain(Task::Transfer, Template::row())
        })
    }
}

/// A domain adaptation: how a classifier of a target sees a source on its way there.
#[derive(Clone, Debug, PartialEq)]
pub struct AdaptRequest {
    /// The dataset that moves.
    pub source: String,
    /// The dataset it moves to.
    pub target: String,
    /// The methods; none: mmd-sw and geodesic.
    pub methods: Vec<MethodKind>,
    /// Steps of every method that flows; open: 300 of mmd-sw, the published numbers of others.
    pub steps: Option<u64>,
    /// Of mmd-sw, the published flow with this constant step in place of ours.
    pub published_tau: Option<f64>,
    /// Steps between looks.
    pub look_every: u64,
    /// Steps of the optimiser that the classifier is trained for.
    pub training_steps: u64,
    /// A trained classifier in place of one trained on the target.
    pub classifier: Option<PathBuf>,
    /// Where the classifier of the first trial is written.
    pub save_classifier: Option<PathBuf>,
    /// The size that images are brought to; `None`: that of the target.
    pub resize: Option<Size>,
    /// The network that is trained.
    pub network: Auto<Architecture>,
    /// Draws of the data and of the flow.
    pub trials: u64,
    /// Seed of everything random.
    pub seed: u64,
}

impl AdaptRequest {
    /// Everything but the datasets as it usually is.
    #[must_use]
    pub fn new(source: &str, target: &str) -> Self {
        Self {
            source: source.to_owned(),
            target: target.to_owned(),
            methods: Vec::new(),
            steps: None,
            published_tau: None,
            look_every: LOOK_EVERY,
            training_steps: TRAINING_STEPS,
            classifier: None,
            save_classifier: None,
            resize: None,
            network: Auto::Auto,
            trials: TRIALS,
            seed: 0,
        }
    }

    /// The experiment; paths of classifiers become absolute.
    ///
    /// # Errors
    /// Settings of methods that are not asked for.
    pub fn config(&self) -> Result<ExperimentConfig> {
        let methods = or_usual(&self.methods, &[MethodKind::MmdSw, MethodKind::Geodesic]);
        Ok(ExperimentConfig {
            title: format!("Adaptation of {} to {}", self.source, self.target),
            row_name: "target".to_owned(),
            rows: vec![self.target.clone()],
            source: Some(self.source.as_str().into()),
            resize: self.resize,
            network: self.network,
            trials: self.trials,
            training_steps: Some(self.training_steps),
            seed: self.seed,
            look_every: Some(self.look_every),
            classifier: self.classifier.as_deref().map(absolute).transpose()?,
            save_classifier: self.save_classifier.as_deref().map(absolute).transpose()?,
            methods: flows(methods, self.steps, self.published_tau)?,
            ..ExperimentConfig::plain(Task::Adaptation, Template::row())
        })
    }
}

/// A distillation: few samples a class that stand for a dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct DistillRequest {
    /// The dataset.
    pub dataset: String,
    /// Samples of every class; classes that have fewer are taken whole.
    pub per_class: usize,
    /// The test set; `None`: a fifth of the dataset, held out.
    pub test: Option<String>,
    /// The methods; none: random and matched-sw.
    pub methods: Vec<MethodKind>,
    /// Augmentations of both sides of a step.
    pub augment: Option<AugmentationSet>,
    /// Compare features of a network in place of samples.
    pub embed: Option<Embed>,
    /// Samples of every class of the dataset a step; `None` takes all.
    pub target_batch: Option<usize>,
    /// Steps of the flow; open: 1000, with `embed` 300.
    pub steps: Option<u64>,
    /// Networks trained in each trial.
    pub runs_per_trial: usize,
    /// Epochs of a training.
    pub epochs: u64,
    /// The size that images are brought to; `None` leaves them.
    pub resize: Option<Size>,
    /// The network that is trained.
    pub network: Auto<Architecture>,
    /// Draws of the data and of the flow.
    pub trials: u64,
    /// Seed of everything random.
    pub seed: u64,
}

impl DistillRequest {
    /// Everything but the dataset as it usually is.
    #[must_use]
    pub fn new(dataset: &str) -> Self {
        Self {
            dataset: dataset.to_owned(),
            per_class: PER_CLASS,
            test: None,
            methods: Vec::new(),
            augment: None,
            embed: None,
            target_batch: Some(DISTILLING_BATCH),
            steps: None,
            runs_per_trial: DISTILLING_RUNS,
            epochs: DISTILLING_EPOCHS,
            resize: None,
            network: Auto::Auto,
            trials: TRIALS,
            seed: 0,
        }
    }

    /// The experiment; the path of a network becomes absolute.
    ///
    /// # Errors
    /// A working directory that is gone.
    pub fn config(&self) -> Result<ExperimentConfig> {
        let embed = match &self.embed {
            Some(Embed::File(path)) => Some(Embed::File(absolute(path)?)),
            other => other.clone(),
        };
        let method = |&kind: &MethodKind| match kind {
            MethodKind::Random => MethodConfig::usual(kind),
            _ => MethodConfig {
                target_batch: self.target_batch,
                augment: self.augment,
                embed: embed.clone(),
                steps: self.steps,
                ..MethodConfig::usual(kind)
            },
        };
        let methods = or_usual(&self.methods, &[MethodKind::Random, MethodKind::MatchedSw]);
        Ok(ExperimentConfig {
            title: format!("Distillation of {}", self.dataset),
            row_name: "samples a class".to_owned(),
            rows: vec![self.per_class.to_string()],
            per_class: Some(Template::row()),
            test: self.test.as_deref().map(Template::from),
            resize: self.resize,
            network: self.network,
            trials: self.trials,
            runs_per_trial: self.runs_per_trial,
            epochs: Some(self.epochs),
            seed: self.seed,
            methods: methods.iter().map(method).collect(),
            ..ExperimentConfig::plain(Task::Distillation, self.dataset.as_str().into())
        })
    }
}

fn or_usual<'m>(asked: &'m [MethodKind], usual: &'m [MethodKind]) -> &'m [MethodKind] {
    if asked.is_empty() { usual } else { asked }
}

/// Methods that transport a source, with the settings of those that flow.
fn flows(kinds: &[MethodKind], steps: Option<u64>, published_tau: Option<f64>) -> Result<Vec<MethodConfig>> {
    require!(
        steps.is_none() || kinds.iter().any(|kind| kind.flows()),
        "expected steps with a method that flows (mmd-sw, otdd, product), found none of them"
    );
    require!(
        published_tau.is_none() || kinds.contains(&MethodKind::MmdSw),
        "expected published-tau with the method mmd-sw, found others"
    );
    let method = |kind: &MethodKind| {
        let steps = steps.filter(|_| kind.flows());
        let tau = published_tau.filter(|_| *kind == MethodKind::MmdSw);
        MethodConfig { steps, tau, preset: tau.map(|_| Preset::Published), ..MethodConfig::usual(*kind) }
    };
    Ok(kinds.iter().map(method).collect())
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(StudyError::io("find", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_open_is_as_it_usually_is() {
        let transfer = TransferRequest::new("a", "b:5").config().unwrap();
        assert_eq!(transfer.labels(), ["target-only", "mmd-sw", "geodesic"]);
        assert_eq!((transfer.methods[1].steps, transfer.methods[1].enlarge), (Some(100), Some(200)));
        assert_eq!((transfer.methods[2].steps, transfer.target.in_row("b:5").as_str()), (None, "b:5"));
        let published = TransferRequest {
            published_tau: Some(1.0),
            steps: Some(9),
            methods: vec![MethodKind::MmdSw, MethodKind::Otdd],
            ..TransferRequest::new("a", "b:5")
        };
        let published = published.config().unwrap().methods;
        assert_eq!((published[0].preset, published[0].tau), (Some(Preset::Published), Some(1.0)));
        assert_eq!((published[0].enlarge, published[1].tau, published[1].steps), (None, None, Some(9)));
        let distill = DistillRequest { steps: Some(7), ..DistillRequest::new("a") }.config().unwrap();
        assert_eq!((distill.methods[0].steps, distill.methods[1].steps), (None, Some(7)));
        assert_eq!((distill.per_class("10").unwrap(), distill.methods[1].target_batch), (10, Some(256)));
        let adapt = AdaptRequest { classifier: Some("c".into()), ..AdaptRequest::new("a", "b") };
        assert!(adapt.config().unwrap().classifier.unwrap().is_absolute());
    }

    #[test]
    fn settings_without_a_method_that_has_them_are_refused() {
        let still = vec![MethodKind::TargetOnly, MethodKind::Geodesic];
        let request = TransferRequest { steps: Some(5), methods: still, ..TransferRequest::new("a", "b") };
        assert!(
            request.config().unwrap_err().to_string().contains("expected steps with a method that flows")
        );
        let request = AdaptRequest {
            published_tau: Some(1.0),
            methods: vec![MethodKind::Otdd],
            ..AdaptRequest::new("a", "b")
        };
        let text = request.config().unwrap_err().to_string();
        assert!(text.contains("expected published-tau with the method mmd-sw"), "{text}");
    }
}
