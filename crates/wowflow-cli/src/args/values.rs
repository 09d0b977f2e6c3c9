//! What options take: choices by name.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use wowflow::name::Named;

/// A choice by its name, as every front end calls it, each with its sentence in the help.
pub(crate) fn by_name<T: Named + Send + Sync>() -> impl TypedValueParser<Value = T> {
    let value = |choice: &T| {
        // As clap has sentences of its own.
        PossibleValue::new(choice.name()).help(choice.summary().trim_end_matches('.'))
    };
    PossibleValuesParser::new(T::ALL.iter().map(value)).try_map(|text| T::from_name(&text))
}
