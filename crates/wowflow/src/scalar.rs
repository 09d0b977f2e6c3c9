//! The two element types of particle coordinates, `f32` and `f64`, behind one trait.

use std::fmt::Debug;

/// A coordinate type: `f32` (the default of the program) or `f64`.
///
/// Sums over particles or directions are kept in `f64` whatever the coordinate type.
pub trait Scalar: Copy + Debug + Default + PartialOrd + Send + Sync + 'static {
    /// The additive identity.
    const ZERO: Self;
    /// Name as NumPy spells it, for messages and file headers.
    const NAME: &'static str;
    /// Rounds a double to this type.
    fn from_f64(value: f64) -> Self;
    /// Widens to a double, exactly.
    fn to_f64(self) -> f64;
    /// Whether the value is neither infinite nor NaN.
    fn is_finite(self) -> bool;
}

impl Scalar for f32 {
    const ZERO: Self = 0.0;
    const NAME: &'static str = "float32";
    #[inline]
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    #[inline]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline]
    fn is_finite(self) -> bool {
        self.is_finite()
    }
}

impl Scalar for f64 {
    const ZERO: Self = 0.0;
    const NAME: &'static str = "float64";
    #[inline]
    fn from_f64(value: f64) -> Self {
        value
    }
    #[inline]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline]
    fn is_finite(self) -> bool {
        self.is_finite()
    }
}
