//! The masses of samples, exact where they divide.

use crate::measure::MeasureOverMeasures;
use crate::scalar::Scalar;

/// The mass `w_c a_{c,i}` of every sample, class after class.
pub(super) fn masses<T: Scalar>(measure: &MeasureOverMeasures<T>) -> Vec<f64> {
    let mut masses = Vec::with_capacity(measure.sample_count());
    for (class, outer) in measure.outer_weights().iter().enumerate() {
        match measure.class_weights(class) {
            Some(weights) => masses.extend(weights.iter().map(|weight| outer * weight)),
            None => {
                let size = measure.class_size(class);
                masses.extend(std::iter::repeat_n(outer / size as f64, size));
            }
        }
    }
    masses
}
