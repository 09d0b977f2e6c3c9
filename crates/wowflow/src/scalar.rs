//! The two element types of particle coordinates, `f32` and `f64`, behind one trait.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Mul, Sub};

pub(crate) mod sealed {
    use gemm_common::Parallelism;

    /// A product of the `gemm` crates: `dst = alpha dst + beta lhs rhs` with pointers, column strides and row
    /// strides; fastest where the columns of `dst` are contiguous.
    pub(crate) type Gemm<T> = unsafe fn(
        usize,
        usize,
        usize,
        *mut T,
        isize,
        isize,
        bool,
        *const T,
        isize,
        isize,
        *const T,
        isize,
        isize,
        T,
        T,
        bool,
        bool,
        bool,
        Parallelism,
    );

    /// What the matrix product needs to know of a type; naming it keeps the trait closed.
    pub trait Sealed: Sized {
        /// The fastest matrix product of this machine.
        fn gemm() -> Gemm<Self>;
    }
    impl Sealed for f32 {
        fn gemm() -> Gemm<Self> {
            gemm_f32::gemm::f32::get_gemm_fn()
        }
    }
    impl Sealed for f64 {
        fn gemm() -> Gemm<Self> {
            gemm_f64::gemm::f64::get_gemm_fn()
        }
    }
}

/// A coordinate type: `f32` (the default of the program) or `f64`.
///
/// Sums over particles or directions are kept in `f64` whatever the coordinate type. The trait is
/// sealed: no other type implements it.
pub trait Scalar:
    sealed::Sealed
    + Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + 'static
{
    /// A value with its position, as an integer whose order is (value, position).
    type SortKey: Copy + Ord + Default + Send + Sync + Debug;
    /// The additive identity.
    const ZERO: Self;
    /// Distance from 1 to the next larger number.
    const EPSILON: f64;
    /// Name as NumPy spells it, for messages and file headers.
    const NAME: &'static str;
    /// Rounds a double to this type.
    fn from_f64(value: f64) -> Self;
    /// Widens to a double, exactly.
    fn to_f64(self) -> f64;
    /// Whether the value is neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// `self * factor + term`, rounded once.
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// The nearest integer of a number in [0, 2^22], by its bits after adding a power of two; beyond
    /// that some number of at least 2^22.
    fn nearest(self) -> u32;
    /// The sort key of a finite value at a position; the two zeros are equal.
    fn sort_key(self, position: u32) -> Self::SortKey;
    /// The value and the position of a sort key.
    fn from_sort_key(key: Self::SortKey) -> (Self, u32);
}

impl Scalar for f32 {
    type SortKey = u64;
    const ZERO: Self = 0.0;
    const EPSILON: f64 = f32::EPSILON as f64;
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
    #[inline]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        self.mul_add(factor, term)
    }
    #[inline]
    fn nearest(self) -> u32 {
        const SHIFT: f32 = (1u32 << 23) as f32;
        (self + SHIFT).to_bits().wrapping_sub(SHIFT.to_bits())
    }
    #[inline]
    fn sort_key(self, position: u32) -> u64 {
        // Adding 0 turns -0 into 0; flipping the sign bit of positive numbers and all bits of
        // negative ones makes the order of the bits that of the values.
        let bits = (self + 0.0).to_bits();
        let ordered = bits ^ (((bits as i32 >> 31) as u32) | 1 << 31);
        u64::from(ordered) << 32 | u64::from(position)
    }
    #[inline]
    fn from_sort_key(key: u64) -> (Self, u32) {
        let ordered = (key >> 32) as u32;
        let bits = ordered ^ ((!(ordered as i32 >> 31)) as u32 | 1 << 31);
        (Self::from_bits(bits), key as u32)
    }
}

impl Scalar for f64 {
    type SortKey = u128;
    const ZERO: Self = 0.0;
    const EPSILON: f64 = f64::EPSILON;
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
    #[inline]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        self.mul_add(factor, term)
    }
    #[inline]
    fn nearest(self) -> u32 {
        const SHIFT: f64 = (1u64 << 52) as f64;
        (self + SHIFT).to_bits().wrapping_sub(SHIFT.to_bits()).min(u64::from(u32::MAX)) as u32
    }
    #[inline]
    fn sort_key(self, position: u32) -> u128 {
        let bits = (self + 0.0).to_bits();
        let ordered = bits ^ (((bits as i64 >> 63) as u64) | 1 << 63);
        u128::from(ordered) << 64 | u128::from(position)
    }
    #[inline]
    fn from_sort_key(key: u128) -> (Self, u32) {
        let ordered = (key >> 64) as u64;
        let bits = ordered ^ ((!(ordered as i64 >> 63)) as u64 | 1 << 63);
        (Self::from_bits(bits), key as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_integers() {
        for x in [0.0f64, 0.4, 0.6, 1.0, 1000.4, 4_194_304.0] {
            assert_eq!((x as f32).nearest(), x.round() as u32);
            assert_eq!(x.nearest(), x.round() as u32);
        }
        for x in [1e8f64, 1e30, f64::INFINITY] {
            assert!(x.nearest() >= 1 << 22 && (x as f32).nearest() >= 1 << 22);
        }
    }

    #[test]
    fn sort_keys_order_by_value_then_position() {
        fn check<T: Scalar>(values: &[f64]) {
            for (i, &x) in values.iter().enumerate() {
                let key = T::from_f64(x).sort_key(i as u32);
                let (back, position) = T::from_sort_key(key);
                assert_eq!((back.to_f64(), position), (T::from_f64(x).to_f64(), i as u32));
                for (j, &y) in values.iter().enumerate() {
                    let expected = x.total_cmp(&(y + 0.0)).then(i.cmp(&j));
                    let expected = if x == y { i.cmp(&j) } else { expected };
                    assert_eq!(key.cmp(&T::from_f64(y).sort_key(j as u32)), expected, "{x} {y}");
                }
            }
        }
        let values = [0.0, -0.0, 1.0, -1.0, 1e-40, -1e-40, 3.5e37, -3.5e37, 1.0];
        check::<f32>(&values);
        check::<f64>(&values);
    }
}
