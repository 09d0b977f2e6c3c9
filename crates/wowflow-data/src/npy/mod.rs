//! NumPy arrays on disk: `.npy` files and `.npz` archives, read and written.

mod decode;
mod encode;
mod header;
mod npz;

pub(crate) use decode::{memory_of, read_counted};
pub use decode::{read_npy, read_npy_from};
pub use encode::{write_npy, write_npy_to};
pub use npz::{arrays_sha256, read_npz, read_npz_from, write_npz, write_npz_to};
pub(crate) use npz::{entries, read_entries};

/// An array in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct NpyArray {
    /// Extent of every axis; empty for a single number.
    pub shape: Vec<usize>,
    /// The elements, as many as the product of the extents.
    pub data: NpyData,
}

/// The elements of an array, by type.
///
/// Reading narrows NumPy's types to these six: half precision becomes [`Self::F32`], integers other
/// than bytes [`Self::I64`], both kinds of strings [`Self::Text`].
#[derive(Clone, Debug, PartialEq)]
pub enum NpyData {
    /// Single precision (`<f4`).
    F32(Vec<f32>),
    /// Double precision (`<f8`).
    F64(Vec<f64>),
    /// Bytes (`|u1`), as pixels are stored.
    U8(Vec<u8>),
    /// Truth values (`|b1`).
    Bool(Vec<bool>),
    /// Whole numbers (`<i8`).
    I64(Vec<i64>),
    /// Strings (`<U`).
    Text(Vec<String>),
}

impl NpyData {
    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::U8(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The type as NumPy names it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::F32(_) => "float32",
            Self::F64(_) => "float64",
            Self::U8(_) => "uint8",
            Self::Bool(_) => "bool",
            Self::I64(_) => "int64",
            Self::Text(_) => "str",
        }
    }
}

impl NpyArray {
    /// An array of single-precision numbers.
    ///
    /// # Panics
    /// The number of elements differs from the product of the shape.
    #[must_use]
    pub fn f32(shape: impl Into<Vec<usize>>, data: Vec<f32>) -> Self {
        Self::checked(shape.into(), NpyData::F32(data))
    }

    /// An array of double-precision numbers.
    ///
    /// # Panics
    /// The number of elements differs from the product of the shape.
    #[must_use]
    pub fn f64(shape: impl Into<Vec<usize>>, data: Vec<f64>) -> Self {
        Self::checked(shape.into(), NpyData::F64(data))
    }

    /// An array of bytes.
    ///
    /// # Panics
    /// The number of elements differs from the product of the shape.
    #[must_use]
    pub fn u8(shape: impl Into<Vec<usize>>, data: Vec<u8>) -> Self {
        Self::checked(shape.into(), NpyData::U8(data))
    }

    /// An array of whole numbers.
    ///
    /// # Panics
    /// The number of elements differs from the product of the shape.
    #[must_use]
    pub fn i64(shape: impl Into<Vec<usize>>, data: Vec<i64>) -> Self {
        Self::checked(shape.into(), NpyData::I64(data))
    }

    /// An array of strings.
    ///
    /// # Panics
    /// The number of elements differs from the product of the shape.
    #[must_use]
    pub fn text(shape: impl Into<Vec<usize>>, data: Vec<String>) -> Self {
        Self::checked(shape.into(), NpyData::Text(data))
    }

    /// The numbers as doubles, truth values as 0 and 1; `None` for strings.
    #[must_use]
    pub fn to_f64(&self) -> Option<Vec<f64>> {
        match &self.data {
            NpyData::F32(values) => Some(values.iter().map(|&v| f64::from(v)).collect()),
            NpyData::F64(values) => Some(values.clone()),
            NpyData::U8(values) => Some(values.iter().map(|&v| f64::from(v)).collect()),
            NpyData::Bool(values) => Some(values.iter().map(|&v| f64::from(u8::from(v))).collect()),
            NpyData::I64(values) => Some(values.iter().map(|&v| v as f64).collect()),
            NpyData::Text(_) => None,
        }
    }

    /// The numbers as integers; `None` for strings and where a number is not whole.
    #[must_use]
    pub fn to_i64(&self) -> Option<Vec<i64>> {
        // Beyond 2^53 a double no longer names one whole number.
        let whole = |v: f64| (v.fract() == 0.0 && v.abs() <= 9_007_199_254_740_992.0).then_some(v as i64);
        match &self.data {
            NpyData::F32(values) => values.iter().map(|&v| whole(f64::from(v))).collect(),
            NpyData::F64(values) => values.iter().map(|&v| whole(v)).collect(),
            NpyData::U8(values) => Some(values.iter().map(|&v| i64::from(v)).collect()),
            NpyData::Bool(values) => Some(values.iter().map(|&v| i64::from(v)).collect()),
            NpyData::I64(values) => Some(values.clone()),
            NpyData::Text(_) => None,
        }
    }

    fn checked(shape: Vec<usize>, data: NpyData) -> Self {
        let (expected, found) = (element_count(&shape), data.len());
        assert_eq!(expected, Some(found), "expected as many elements as shape {shape:?} has, found {found}");
        Self { shape, data }
    }
}

/// The product of the extents, unless it overflows.
pub(crate) fn element_count(shape: &[usize]) -> Option<usize> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1usize, |count, &extent| count.checked_mul(extent))
}
