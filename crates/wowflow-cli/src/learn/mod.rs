//! What needs classifiers: experiments of rows, methods and tries, run, recorded, put into tables and figures.

pub(crate) mod adapt;
pub(crate) mod along;
pub(crate) mod data;
pub(crate) mod distill;
pub(crate) mod execute;
pub(crate) mod experiment;
pub(crate) mod figures;
pub(crate) mod finish;
pub(crate) mod kept;
pub(crate) mod method;
pub(crate) mod outcome;
pub(crate) mod record;
pub(crate) mod table;
pub(crate) mod transfer;
