//! The parts of a repetition that draw random numbers, each with a seed of its own that derives from the trial's.

use wowflow_learn::subseed;

/// A part that draws random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The flow of a transfer or an adaptation; that of a distillation draws from the same address.
    Move,
    /// The trainings of a transfer or a distillation, or the first parameters of an adaptation's classifier.
    Network,
    /// The small shifts, turns and scales that enlarge the target of a transfer.
    Enlargement,
    /// The order of the examples in the training of an adaptation's classifier.
    TrainingOrder,
    /// A generated test set: with the seed of its target it would have the same samples.
    TestSet,
    /// The augmentations of a distillation.
    Augmentation,
    /// The random networks whose features a distillation compares.
    Features,
}

impl Part {
    /// The seed of this part in a trial.
    ///
    /// Two numbers stand for two parts each, and stay, since others would change every published number. 3: of one
    /// task there is only one of the two. 4: a distillation with a generated test set has both, but they draw for
    /// different purposes ([`wowflow::rng::Purpose`]), so that no random number is used twice. 6 and more are free; 6
    /// is taken in [`wowflow_learn::distill`], for samples that settings are measured on.
    pub(super) fn seed(self, trial_seed: u64) -> u64 {
        let index = match self {
            Self::Move => 1,
            Self::Network => 2,
            Self::Enlargement | Self::TrainingOrder => 3,
            Self::TestSet | Self::Augmentation => 4,
            Self::Features => 5,
        };
        subseed(trial_seed, index)
    }
}
