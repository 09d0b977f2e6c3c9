//! Cross entropy of scores and labels.

use wowflow::scalar::Scalar;

/// The mean cross entropy of a batch of scores (`N x classes`) with its gradient.
pub(crate) fn cross_entropy<T: Scalar>(scores: &[T], labels: &[usize], gradient: &mut [T]) -> f64 {
    let classes = scores.len() / labels.len();
    let share = 1.0 / labels.len() as f64;
    let rows = scores.chunks_exact(classes).zip(gradient.chunks_exact_mut(classes)).zip(labels);
    let mut total = 0.0;
    for ((scores, gradient), &label) in rows {
        let largest = scores.iter().fold(f64::NEG_INFINITY, |max, s| max.max(s.to_f64()));
        let sum: f64 = scores.iter().map(|s| (s.to_f64() - largest).exp()).sum();
        let log_sum = largest + sum.ln();
        total += log_sum - scores[label].to_f64();
        for (class, (g, s)) in gradient.iter_mut().zip(scores).enumerate() {
            let probability = (s.to_f64() - log_sum).exp();
            *g = T::from_f64(share * (probability - f64::from(u8::from(class == label))));
        }
    }
    total * share
}
