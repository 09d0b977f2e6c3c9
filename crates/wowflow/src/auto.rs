//! What may be left open: a value, or "auto".

use std::fmt;
use std::str::FromStr;

/// A setting that is given, or left to a rule.
///
/// Every rule for what is left open stands in one place, [`crate::flow::Settings::resolve`] for flows; what a setting
/// resolves to is of type `T`. Typed and stored it is `auto` or the value.
///
/// ```
/// use wowflow::auto::Auto;
/// let open: Auto<usize> = "auto".parse()?;
/// assert_eq!(open.or(500), 500);
/// assert_eq!("20".parse::<Auto<usize>>()?.or(500), 20);
/// # Ok::<(), std::num::ParseIntError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Auto<T> {
    /// Left open.
    #[default]
    Auto,
    /// Given.
    Given(T),
}

/// How what is left open is written.
const WORD: &str = "auto";

impl<T> Auto<T> {
    /// The value, or what a rule says.
    pub fn or(self, rule: T) -> T {
        self.or_else(|| rule)
    }

    /// The value, or what a rule says, asked only where it is needed.
    pub fn or_else(self, rule: impl FnOnce() -> T) -> T {
        match self {
            Self::Auto => rule(),
            Self::Given(value) => value,
        }
    }

    /// What is given, changed.
    pub(crate) fn map(self, change: impl FnOnce(T) -> T) -> Self {
        match self {
            Self::Auto => Self::Auto,
            Self::Given(value) => Self::Given(change(value)),
        }
    }

    /// The value, if it is given.
    pub fn given(self) -> Option<T> {
        match self {
            Self::Auto => None,
            Self::Given(value) => Some(value),
        }
    }

    /// Whether it is left open.
    #[must_use]
    pub fn is_auto(&self) -> bool {
        matches!(self, Self::Auto)
    }
}

impl<T> From<T> for Auto<T> {
    fn from(value: T) -> Self {
        Self::Given(value)
    }
}

impl<T> From<Option<T>> for Auto<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Auto, Self::Given)
    }
}

impl<T: FromStr> FromStr for Auto<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        if text == WORD { Ok(Self::Auto) } else { text.parse().map(Self::Given) }
    }
}

impl<T: fmt::Display> fmt::Display for Auto<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad(WORD),
            Self::Given(value) => value.fmt(f),
        }
    }
}

#[cfg(feature = "serde")]
mod stored {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Auto, WORD};

    impl<T: Serialize> Serialize for Auto<T> {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            match self {
                Self::Auto => to.serialize_str(WORD),
                Self::Given(value) => value.serialize(to),
            }
        }
    }

    impl<'de, T: Deserialize<'de>> Deserialize<'de> for Auto<T> {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            #[derive(Deserialize)]
            enum Word {
                #[serde(rename = "auto")]
                Auto,
            }
            #[derive(Deserialize)]
            #[serde(untagged)]
            enum Either<T> {
                Word(Word),
                Given(T),
            }
            Ok(match Either::deserialize(from)? {
                Either::Word(Word::Auto) => Self::Auto,
                Either::Given(value) => Self::Given(value),
            })
        }
    }
}
