//! A method of an experiment: what it is called, its settings, what was published of it.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};
use wowflow_learn::{MmdFlow, Mover};

use super::experiment::Task;

/// A method by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MethodName {
    /// Nothing is moved: the few samples of the target alone.
    TargetOnly,
    /// The flow of the MMD with the Riesz kernel on SW_2.
    MmdSw,
    /// The flow of entropic OTDD, labels lifted to Gaussians (Alvarez-Melis and Fusi 2021).
    Otdd,
    /// The flow of the MMD with a product kernel on lifted samples (Hua et al. 2023).
    Product,
    /// The WoW geodesic, by exact transport.
    Geodesic,
}

/// Settings of a flow by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
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

    /// The method without its name, its rows and what was published of it.
    pub(crate) fn settings(&self) -> Self {
        Self { name: None, rows: None, differs: None, published: BTreeMap::new(), ..self.clone() }
    }

    /// Refuses options that the method does not have.
    pub(crate) fn check(&self, task: Task) -> Result<()> {
        let refuse = |given: bool, option: &str, methods: &str| {
            ensure!(!given, "expected {option} with {methods} only");
            Ok(())
        };
        let flows = [MethodName::MmdSw, MethodName::Otdd, MethodName::Product];
        if self.method != MethodName::MmdSw {
            refuse(self.preset.is_some(), "preset", "mmd-sw")?;
        }
        if !flows.contains(&self.method) {
            refuse(self.tau.is_some(), "tau", "mmd-sw, otdd and product")?;
            refuse(self.steps.is_some(), "steps", "mmd-sw, otdd and product")?;
        }
        if self.method != MethodName::TargetOnly {
            refuse(self.equal_steps, "equal-steps", "target-only")?;
        }
        if self.method == MethodName::TargetOnly && task == Task::Adaptation {
            bail!("expected a method that moves the source in an adaptation, found target-only");
        }
        if let Some(tau) = self.tau {
            ensure!(tau.is_finite() && tau > 0.0, "expected a positive tau, found {tau}");
        }
        let published = self.preset == Some(Preset::Published);
        ensure!(
            self.method != MethodName::MmdSw || published == self.tau.is_some(),
            "expected tau with preset published, and without it not: it is the constant step"
        );
        ensure!(!published || self.steps.is_some(), "expected steps with preset published, found none");
        Ok(())
    }

    /// How the source is moved; `None` where it is not.
    pub(crate) fn mover(&self, dim: usize) -> Option<Mover> {
        match self.method {
            MethodName::TargetOnly => None,
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
