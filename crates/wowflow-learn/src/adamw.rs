//! AdamW.

use crate::simd::dispatch256;

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019):
/// `x <- x - rate (m / (sqrt(v) + epsilon) + decay x)`, `m` and `v` corrected for their start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Learning rate.
    pub rate: f64,
    /// Decay of the first moment.
    pub first: f64,
    /// Decay of the second moment.
    pub second: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Weight decay.
    pub decay: f64,
}

impl Default for AdamW {
    /// The setting of the published experiments: rate 3e-4, decays 0.9 and 0.999, epsilon 1e-8, weight
    /// decay 1e-4.
    fn default() -> Self {
        Self { rate: 3e-4, first: 0.9, second: 0.999, epsilon: 1e-8, decay: 1e-4 }
    }
}

/// What the optimiser remembers.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    first: Vec<f32>,
    second: Vec<f32>,
    steps: i32,
}

impl Moments {
    pub(crate) fn new(parameters: usize) -> Self {
        Self { first: vec![0.0; parameters], second: vec![0.0; parameters], steps: 0 }
    }
}

impl AdamW {
    /// One step along a gradient.
    pub(crate) fn step(&self, parameters: &mut [f32], gradient: &[f32], moments: &mut Moments) {
        moments.steps += 1;
        let correct = |decay: f64| (1.0 / (1.0 - decay.powi(moments.steps))) as f32;
        let (correct_first, correct_second) = (correct(self.first), correct(self.second));
        let (first, second) = (self.first as f32, self.second as f32);
        let (rest_first, rest_second) = ((1.0 - self.first) as f32, (1.0 - self.second) as f32);
        let (rate, epsilon, decay) = (self.rate as f32, self.epsilon as f32, self.decay as f32);
        let (m, v) = (&mut moments.first, &mut moments.second);
        dispatch256(
            #[inline(always)]
            || {
                for (((x, &g), m), v) in parameters.iter_mut().zip(gradient).zip(m).zip(v) {
                    *m = first * *m + rest_first * g;
                    *v = second * *v + rest_second * (g * g);
                    let step = *m * correct_first / ((*v * correct_second).sqrt() + epsilon);
                    *x -= rate * (step + decay * *x);
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_steps_are_those_by_hand() {
        let optimiser = AdamW { rate: 0.1, decay: 0.5, ..AdamW::default() };
        let (mut x, mut moments) = ([1.0f32], Moments::new(1));
        optimiser.step(&mut x, &[2.0], &mut moments);
        // The first corrected step has length 1 whatever the gradient.
        assert!((x[0] - (1.0 - 0.1 * (1.0 + 0.5))).abs() < 1e-6, "{x:?}");
        optimiser.step(&mut x, &[-1.0], &mut moments);
        let m = (0.9 * 0.2 - 0.1) / (1.0 - 0.81);
        let v: f64 = (0.999 * 0.004 + 0.001) / (1.0 - 0.999 * 0.999);
        let expected = 0.85 - 0.1 * (m / v.sqrt() + 0.5 * 0.85);
        assert!((f64::from(x[0]) - expected).abs() < 1e-5, "{x:?} {expected}");
    }
}
