//! The parts of a published set.

/// A part of a dataset that was published in several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Split {
    /// The training part, the one meant when none is named.
    #[default]
    Train,
    /// The test part.
    Test,
    /// The part for validation, where there is one.
    Val,
}

impl Split {
    /// Every part.
    pub const ALL: [Self; 3] = [Self::Train, Self::Test, Self::Val];

    /// `train`, `test` or `val`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
            Self::Val => "val",
        }
    }

    /// Every name that files and folders have for it.
    pub(crate) fn spellings(self) -> &'static [&'static str] {
        match self {
            Self::Train => &["train", "training"],
            Self::Test => &["test", "testing"],
            Self::Val => &["val", "valid", "validation", "dev"],
        }
    }
}
