//! Names of choices: what the values of an enum are called on a command line, in files and in other languages.

use thiserror::Error;

use crate::text::shown;

/// A closed list of choices, each with one name and one sentence.
///
/// The name is the same everywhere: typed, stored and printed. [`crate::named`] implements this trait together with
/// [`std::fmt::Display`], [`std::str::FromStr`] and, with the feature `serde`, serialisation by name.
pub trait Named: Copy + PartialEq + 'static {
    /// What the list is a list of, such as `kind of directions`.
    const WHAT: &'static str;
    /// All choices, in the order in which they are shown.
    const ALL: &'static [Self];

    /// The name, in lower case with dashes.
    fn name(self) -> &'static str;

    /// One sentence on the choice.
    fn summary(self) -> &'static str;

    /// The choice of a name.
    ///
    /// # Errors
    /// A name that no choice has.
    fn from_name(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.iter().copied().find(|choice| choice.name() == text).ok_or_else(|| UnknownName {
            what: Self::WHAT,
            known: Self::ALL.iter().map(|choice| choice.name()).collect(),
            found: text.to_owned(),
        })
    }
}

/// Names in a sentence: `a`, `a or b`, `a, b or c`.
///
/// ```
/// use wowflow::name::either;
/// assert_eq!(either(&["riesz", "laplace"]), "riesz or laplace");
/// ```
#[must_use]
pub fn either(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A name that no choice has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected one of {} as {what}, found `{}`", known.join(", "), shown(found, 80))]
pub struct UnknownName {
    /// What the list is a list of.
    pub what: &'static str,
    /// The names that there are.
    pub known: Vec<&'static str>,
    /// What was given.
    pub found: String,
}

/// Implements [`Named`], `Display`, `FromStr` and serialisation by name for an enum without fields.
///
/// ```
/// use wowflow::name::Named;
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// enum Size { Small, Large }
/// wowflow::named!(Size, "size", { Small = "small": "A few.", Large = "large": "Many." });
/// assert_eq!("large".parse(), Ok(Size::Large));
/// assert_eq!(Size::Small.to_string(), "small");
/// assert!(Size::from_name("huge").is_err());
/// ```
#[macro_export]
macro_rules! named {
    ($type:ty, $what:literal, { $($variant:ident = $name:literal : $summary:literal),+ $(,)? }) => {
        impl $crate::name::Named for $type {
            const WHAT: &'static str = $what;
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
            fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary),+ }
            }
        }
        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad($crate::name::Named::name(*self))
            }
        }
        impl ::std::str::FromStr for $type {
            type Err = $crate::name::UnknownName;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::name::Named::from_name(text)
            }
        }
        $crate::__serde_by_name!($type);
    };
}

/// Serialisation of a [`Named`] enum by its name.
#[cfg(feature = "serde")]
#[doc(hidden)]
#[macro_export]
macro_rules! __serde_by_name {
    ($type:ty) => {
        impl $crate::__serde::Serialize for $type {
            fn serialize<S: $crate::__serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str($crate::name::Named::name(*self))
            }
        }
        impl<'de> $crate::__serde::Deserialize<'de> for $type {
            fn deserialize<D: $crate::__serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <::std::string::String as $crate::__serde::Deserialize>::deserialize(from)?;
                $crate::name::Named::from_name(&text).map_err($crate::__serde::de::Error::custom)
            }
        }
    };
}

/// Without the feature `serde` nothing is serialised.
#[cfg(not(feature = "serde"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __serde_by_name {
    ($type:ty) => {};
}
