//! What a method can have options for.

/// What a method can have options for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Has {
    /// Number and kind of directions.
    Slices,
    /// A kernel.
    Kernel,
    /// The exponent.
    Order,
    /// Moments of classes.
    Moments,
    /// Random functions.
    Functions,
    /// Entropic transport.
    Regularisation,
}
