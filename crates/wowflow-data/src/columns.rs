//! What tells the coordinates of a dataset apart.

/// How the coordinates of a dataset are told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Columns {
    /// By their place.
    #[default]
    Places,
    /// By the names of a header.
    Names(Vec<String>),
    /// By their place; those after the last are 0, as a sparse format leaves them out.
    Sparse {
        /// Whether the first was called 0. Where none was, the first is taken for 1: a feature 0 may be 0 everywhere.
        from_zero: bool,
    },
}
