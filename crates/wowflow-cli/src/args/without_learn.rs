//! The command line of what needs classifiers, in a program that was built without them: whatever is typed.

use std::ffi::OsString;

use clap::Args as ClapArgs;

pub(crate) const ADAPT_EXAMPLES: &str = MISSING;
pub(crate) const TRANSFER_EXAMPLES: &str = MISSING;
pub(crate) const DISTILL_EXAMPLES: &str = MISSING;
pub(crate) const REPRODUCE_EXAMPLES: &str = MISSING;

const MISSING: &str = "This program was built without the feature learn, which the command needs.";

pub(crate) type AdaptArgs = Whatever;
pub(crate) type TransferArgs = Whatever;
pub(crate) type DistillArgs = Whatever;
pub(crate) type ReproduceArgs = Whatever;

/// Nobody reads it: the command says what it lacks.
#[derive(Debug, ClapArgs)]
pub(crate) struct Whatever {
    /// Options of the command.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _typed: Vec<OsString>,
}
