//! Over-relaxation of the alternating updates, chosen from how the error falls.

/// Fewest iterations between two looks at the rate.
const WINDOW: usize = 8;
/// Longest step.
const LARGEST: f64 = 1.995;

/// The factor `omega` by which updates are lengthened: `f <- f + omega (T f - f)`.
///
/// Near the solution the plain iteration shrinks errors by a rate `r`, and `omega = 2 / (1 + sqrt(1 - r))`
/// shrinks them by `omega - 1` (Young's theory of over-relaxation; for Sinkhorn: Thibault, Chizat, Dossal,
/// Papadakis 2021; Lehmann, von Renesse, Sambale, Uschmajew 2022). The rate is measured, over more iterations
/// the longer the step, since errors rise for some `1 / (2 - omega)` iterations before they fall; where they
/// go on growing, the step is taken back and the next ones are shorter.
pub(super) struct Relaxation {
    omega: f64,
    largest: f64,
    seen: usize,
    start: Option<f64>,
}

impl Relaxation {
    /// Plain updates until the rate is known.
    pub(super) fn new() -> Self {
        Self { omega: 1.0, largest: LARGEST, seen: 0, start: None }
    }

    pub(super) fn omega(&self) -> f64 {
        self.omega
    }

    /// Iterations between two looks at the rate.
    fn window(&self) -> usize {
        WINDOW.max((2.0 / (2.0 - self.omega)).ceil() as usize)
    }

    /// Takes note of the error that the last iteration found.
    pub(super) fn observe(&mut self, error: f64) {
        self.seen += 1;
        let window = self.window();
        if self.seen < window {
            return;
        }
        self.seen = 0;
        let omega = self.omega;
        let Some(start) = self.start.replace(error) else { return };
        let rate = (error / start).powf(1.0 / window as f64);
        if rate.is_nan() || rate >= 1.0 {
            if omega > 1.0 {
                // Half way back to 1, or twice as far from 2.
                self.largest = (0.5 * (1.0 + omega)).max(2.0 * (omega - 1.0));
                self.step(1.0);
            }
            return;
        }
        // The plain rate behind the one seen: (rate + omega - 1)^2 = plain omega^2 rate.
        let plain = (rate + omega - 1.0).powi(2) / (omega * omega * rate);
        if rate > omega - 1.0 && plain < 1.0 {
            let best = (2.0 / (1.0 + (1.0 - plain).sqrt())).min(self.largest);
            if best > omega {
                self.step(best);
            }
        }
    }

    /// Changes the step. The errors of the next window are no measure of it: at first they rise.
    fn step(&mut self, omega: f64) {
        self.omega = omega;
        self.start = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_linear_rate_is_met_by_its_best_step() {
        let mut relaxation = Relaxation::new();
        (0..2 * WINDOW).for_each(|k| relaxation.observe(0.96f64.powi(k as i32)));
        assert!((relaxation.omega() - 2.0 / (1.0 + 0.2)).abs() < 1e-9);
    }

    #[test]
    fn growing_errors_take_the_step_back_and_shorten_the_next() {
        let mut relaxation = Relaxation::new();
        let (mut error, mut largest) = (1.0, LARGEST);
        for _ in 0..5 {
            while relaxation.omega() == 1.0 {
                error *= 0.99;
                relaxation.observe(error);
            }
            let omega = relaxation.omega();
            assert!(omega <= largest);
            largest = (0.5 * (1.0 + omega)).max(2.0 * (omega - 1.0));
            // One window of growth is let pass.
            let window = relaxation.window();
            let mut grow = |relaxation: &mut Relaxation| {
                for _ in 0..window {
                    error *= 1.5;
                    relaxation.observe(error);
                }
            };
            grow(&mut relaxation);
            assert_eq!(relaxation.omega(), omega);
            grow(&mut relaxation);
            assert_eq!(relaxation.omega(), 1.0);
        }
    }

    #[test]
    fn long_steps_are_given_the_time_in_which_errors_rise() {
        let mut relaxation = Relaxation::new();
        (0..2 * WINDOW).for_each(|k| relaxation.observe(0.9995f64.powi(k as i32)));
        let (omega, window) = (relaxation.omega(), relaxation.window());
        assert!(omega > 1.95 && window > 40, "{omega} {window}");
        (0..window).for_each(|k| relaxation.observe(1.1f64.powi(k as i32)));
        (0..window).for_each(|k| relaxation.observe(0.96f64.powi(k as i32)));
        assert!(relaxation.omega() >= omega);
    }
}
