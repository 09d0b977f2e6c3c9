//! What an experiment can choose among, by name: tasks, methods, presets.

use wowflow::functional::WithinAtomVariance;

/// What is asked of the methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Train on few samples of the target and the transported source, test on the target's test set.
    Transfer,
    /// How a classifier of the target sees the source on its way.
    Adaptation,
    /// Distil the target to few samples a class, train on these, test on the target's test set.
    Distillation,
}

wowflow::named!(Task, "task", {
    Transfer = "transfer": "Train on few samples of the target and the transported source.",
    Adaptation = "adaptation": "How a classifier of the target sees the source on its way.",
    Distillation = "distillation": "Train on few samples a class that stand for the target.",
});

/// A kind of method, before its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodKind {
    /// Nothing is moved: the few samples of the target alone.
    TargetOnly,
    /// The flow of the MMD with the Riesz kernel on `SW_2`.
    MmdSw,
    /// The flow of entropic OTDD, labels lifted to Gaussians (Alvarez-Melis and Fusi 2021).
    Otdd,
    /// The flow of the MMD with a product kernel on lifted samples (Hua et al. 2023).
    Product,
    /// The WoW geodesic, by exact transport.
    Geodesic,
    /// Samples of the target as they are, the start of the other distillations.
    Random,
    /// Distribution Matching: mean features, class by class (Zhao and Bilen 2023).
    MeanMatching,
    /// Sliced distances of features, class by class: distribution matching beyond means.
    MatchedSw,
}

wowflow::named!(MethodKind, "method", {
    TargetOnly = "target-only": "Nothing is moved: the few samples of the target alone.",
    MmdSw = "mmd-sw": "The flow of the MMD with the Riesz kernel on SW_2.",
    Otdd = "otdd": "The flow of entropic OTDD, labels lifted to Gaussians (Alvarez-Melis and Fusi 2021).",
    Product = "product": "The flow of the MMD with a product kernel on lifted samples (Hua et al. 2023).",
    Geodesic = "geodesic": "The WoW geodesic, by exact transport.",
    Random = "random": "Samples of the target as they are, the start of the other distillations.",
    MeanMatching = "mean-matching":
        "Distribution Matching: mean features, class by class (Zhao and Bilen 2023).",
    MatchedSw = "matched-sw":
        "Sliced distances of features, class by class: distribution matching beyond means.",
});

impl MethodKind {
    /// Whether it transports a source in steps.
    #[must_use]
    pub fn flows(self) -> bool {
        matches!(self, Self::MmdSw | Self::Otdd | Self::Product)
    }

    /// Whether a task has it.
    #[must_use]
    pub fn fits(self, task: Task) -> bool {
        match self {
            Self::MmdSw => true,
            Self::TargetOnly => task == Task::Transfer,
            Self::Geodesic | Self::Otdd | Self::Product => task != Task::Distillation,
            Self::Random | Self::MeanMatching | Self::MatchedSw => task == Task::Distillation,
        }
    }
}

/// Settings of a flow by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// Adaptive steps, structured directions: what [`wowflow::flow::Settings`] leaves open.
    #[default]
    Ours,
    /// Those of the published experiments: [`wowflow::flow::Settings::published`].
    Published,
}

wowflow::named!(Preset, "preset", {
    Ours = "ours": "Adaptive steps, structured directions.",
    Published = "published": "500 independent directions, a constant step, momentum 0.9.",
});

/// What becomes of the spread of the target's classes in a distillation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetSpread {
    /// It counts, as published.
    Kept,
    /// It does not: a class is compared with the best approximation by as many samples.
    Removed,
}

wowflow::named!(TargetSpread, "spread", {
    Kept = "kept": "It counts, as published.",
    Removed = "removed": "A class is compared with the best approximation by as many samples.",
});

impl From<TargetSpread> for WithinAtomVariance {
    fn from(spread: TargetSpread) -> Self {
        match spread {
            TargetSpread::Kept => Self::Included,
            TargetSpread::Removed => Self::Excluded,
        }
    }
}
