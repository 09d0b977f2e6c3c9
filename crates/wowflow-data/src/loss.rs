//! What single precision would lose.

use std::fmt;

/// Data of this size are single-precision numbers.
const NUMBERS: (f64, f64) = (1e-30, 1e30);

pub(crate) fn within(largest: f64, (low, high): (f64, f64)) -> bool {
    largest == 0.0 || (low..=high).contains(&largest)
}

/// What single precision would lose of datasets.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SingleLoss {
    /// Digits: rounding, of all that is added to it, is seen beside the range of a coordinate.
    Digits {
        /// The dataset.
        name: String,
        /// The coordinate, from 1; `None` for images, whose values share one unit.
        column: Option<usize>,
        /// Largest less smallest value.
        range: f64,
        /// The largest absolute value of any coordinate of the datasets.
        largest: f64,
    },
    /// Sizes: squares leave the range.
    Size {
        /// The largest absolute value.
        largest: f64,
    },
}

impl SingleLoss {
    /// Whether distances, which are computed near 1, would lose it too.
    #[must_use]
    pub fn is_lost_near_one(&self) -> bool {
        match self {
            Self::Digits { .. } => true,
            Self::Size { largest } => !within(*largest, NUMBERS),
        }
    }
}

impl fmt::Display for SingleLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { largest } => write!(f, "values up to {largest:.3e}"),
            Self::Digits { name, column, range, largest } => {
                let of = column.map_or("values".to_owned(), |column| format!("column {column}"));
                write!(f, "values up to {largest:.3e} beside {of} of {name} with a range of {range:.3e}")
            }
        }
    }
}
