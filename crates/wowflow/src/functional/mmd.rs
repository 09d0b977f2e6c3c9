//! `F(P) = 1/2 MMD_K^2(P, Q)` with a kernel on the sliced-Wasserstein distance, and its velocity.

use super::{Functional, FunctionalError};
use crate::directions::{Directions, Slicing};
use crate::kernel::{Base, Kernel};
use crate::linalg::{Mat, Output, Threads, matmul};
use crate::measure::MeasureOverMeasures;
use crate::ot::sliced::{Coefficients, PairLayout, PairSums, Profile, forces, pair_sums};
use crate::rng::{Purpose, Stream};
use crate::scalar::Scalar;

/// How many directions are drawn, of which kind, from which seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlicingPlan {
    /// Kind of directions.
    pub slicing: Slicing,
    /// Number of directions a step, `L`.
    pub count: usize,
    /// Seed of all draws.
    pub seed: u64,
}

/// Sliced distances between all classes, as matrices, row-major.
///
/// The entries are `SW_2^2`, or `SW_1` for a kernel that is a function of `SW_1`.
#[derive(Clone, Debug, PartialEq)]
pub struct PairDistances {
    /// `C_P x C_P`.
    pub source_source: Vec<f64>,
    /// `C_P x C_Q`.
    pub source_target: Vec<f64>,
    /// `C_Q x C_Q`.
    pub target_target: Vec<f64>,
}

/// Half the squared MMD to a fixed target, biased (V-statistic), all pairs on shared directions.
///
/// Made for particles of given class sizes and weights, which may then move; its methods panic when
/// given particles of other sizes, and use the weights it was made with.
///
/// Every step draws fresh directions; with them the Q-Q term changes too and is computed, so that
/// the value is the squared MMD of the `L`-slice geometry and never negative. Cost of a step:
/// `O((N + M) L (d + log n) + (C_P + C_Q)^2 L n)`.
///
/// ```
/// use wowflow::directions::Slicing;
/// use wowflow::functional::{Functional, MmdSw, SlicingPlan};
/// use wowflow::kernel::{Kernel, Riesz};
/// use wowflow::measure::MeasureOverMeasures;
/// let p = MeasureOverMeasures::uniform(vec![0.0, 0.0, 1.0, 0.0_f64], 2, &[1, 1])?;
/// let q = MeasureOverMeasures::uniform(vec![3.0, 1.0, 4.0, 1.0], 2, &[1, 1])?;
/// let plan = SlicingPlan { slicing: Slicing::Equispaced, count: 16, seed: 1 };
/// let mut mmd = MmdSw::new(&p, &q, Kernel::from(Riesz::new(1.0, 0.0)?), plan)?;
/// let mut velocity = vec![0.0; 4];
/// assert!(mmd.evaluate(&p, 0, &mut velocity) > 0.0);
/// assert!(velocity[0] < 0.0); // descending (minus the velocity) moves to the right
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct MmdSw<'q, T> {
    target: &'q MeasureOverMeasures<T>,
    kernel: Kernel,
    plan: SlicingPlan,
    layout: PairLayout,
    source_profile: Profile<T>,
    target_profile: Profile<T>,
}

impl<'q, T: Scalar> MmdSw<'q, T> {
    /// The functional for particles that have the sizes and weights of `source`.
    ///
    /// # Errors
    /// Different dimensions, no directions, or directions that do not exist in this dimension.
    pub fn new(
        source: &MeasureOverMeasures<T>,
        target: &'q MeasureOverMeasures<T>,
        kernel: Kernel,
        plan: SlicingPlan,
    ) -> Result<Self, FunctionalError> {
        if source.dim() != target.dim() {
            return Err(FunctionalError::Dimensions { source_dim: source.dim(), target_dim: target.dim() });
        }
        // Drawing one direction checks the slicing against the dimension before a flow starts.
        Directions::<T>::draw(plan.slicing, plan.count.min(1), source.dim(), plan.seed, 0)?;
        Ok(Self {
            target,
            kernel,
            plan,
            layout: PairLayout::new(source, target),
            source_profile: Profile::default(),
            target_profile: Profile::default(),
        })
    }

    /// The kernel.
    #[must_use]
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// The same functional with another kernel.
    #[must_use]
    pub fn with_kernel(self, kernel: Kernel) -> Self {
        Self { kernel, ..self }
    }

    /// The squared MMD of particles to the target on a draw of its own, apart from those of the
    /// steps: the same directions for every call with the same seed, so that values compare.
    pub fn mmd2_apart(&mut self, particles: &MeasureOverMeasures<T>) -> f64 {
        let stream = Stream::new(self.plan.seed, Purpose::Evaluation, 0);
        let directions = self.draw(particles.dim(), stream);
        let sums = self.sums(particles, &directions, self.kernel.base());
        2.0 * self.half_mmd2(particles, &sums)
    }

    /// The mean, over pairs of a source class and a target class, of `SW_2^2` or `SW_1`: what step
    /// sizes and bandwidths are measured in. On the same draw as [`Self::mmd2_apart`].
    pub fn typical_distance(&mut self, particles: &MeasureOverMeasures<T>, base: Base) -> f64 {
        let stream = Stream::new(self.plan.seed, Purpose::Evaluation, 0);
        let directions = self.draw(particles.dim(), stream);
        let sums = self.sums(particles, &directions, base);
        let (w, v) = (particles.outer_weights(), self.target.outer_weights());
        w.iter()
            .enumerate()
            .flat_map(|(c, wc)| v.iter().enumerate().map(move |(d, vd)| (c, d, wc * vd)))
            .map(|(c, d, weight)| weight * sums.source_target(c, d))
            .sum()
    }

    /// Sliced distances between all classes along given directions.
    pub fn distances(
        &mut self,
        particles: &MeasureOverMeasures<T>,
        directions: &Directions<T>,
        base: Base,
    ) -> PairDistances {
        let sums = self.sums(particles, directions, base);
        let (c, d) = (self.layout.source_count, self.layout.target_count());
        let matrix = |rows: usize, cols: usize, entry: &dyn Fn(usize, usize) -> f64| {
            (0..rows * cols).map(|k| entry(k / cols, k % cols)).collect()
        };
        PairDistances {
            source_source: matrix(c, c, &|i, j| sums.source_source(i, j)),
            source_target: matrix(c, d, &|i, j| sums.source_target(i, j)),
            target_target: matrix(d, d, &|i, j| sums.target_target(i, j)),
        }
    }

    /// `F(P)` and the velocity along given directions; see [`Functional::evaluate`].
    ///
    /// # Panics
    /// A velocity or directions of another size than the particles ask for.
    pub fn evaluate_along(
        &mut self,
        particles: &MeasureOverMeasures<T>,
        directions: &Directions<T>,
        velocity: &mut [T],
    ) -> f64 {
        let base = self.kernel.base();
        let sums = self.sums(particles, directions, base);
        let value = self.half_mmd2(particles, &sums);

        // dF/ds of a pair, divided by w_c a_{c,i}: the one place that knows the WoW factor. A pair
        // of source classes counts twice in the double sum, which cancels the 1/2 of F; the
        // distance itself changes by 2 (s_c - s_e) for SW_2^2 and by a sign for SW_1.
        let per_difference = match base {
            Base::SquaredSw2 => 2.0,
            Base::Sw1 => 1.0,
        };
        let (w, v, sources) =
            (particles.outer_weights(), self.target.outer_weights(), self.layout.source_count);
        let coefficients = Coefficients::new(&self.layout, |c, e| {
            per_difference
                * match e.checked_sub(sources) {
                    None => w[e] * self.kernel.derivative(sums.source_source(c, e)),
                    Some(d) => -v[d] * self.kernel.derivative(sums.source_target(c, d)),
                }
        });
        forces(&self.layout, &mut self.source_profile, &self.target_profile, base, &coefficients);

        let (samples, dim, count) = (particles.sample_count(), particles.dim(), directions.count());
        assert_eq!(velocity.len(), samples * dim, "one velocity a coordinate");
        let forces = Mat::row_major(&self.source_profile.values, count, samples).transposed();
        let scale = 1.0 / count as f64;
        matmul(velocity, Output::Overwrite, scale, forces, directions.as_mat(), Threads::Pool);
        value
    }

    fn draw(&self, dim: usize, stream: Stream) -> Directions<T> {
        Directions::draw_from(self.plan.slicing, self.plan.count, dim, stream)
            .expect("slicing and dimension were checked when the functional was made")
    }

    fn sums(
        &mut self,
        particles: &MeasureOverMeasures<T>,
        directions: &Directions<T>,
        base: Base,
    ) -> PairSums {
        assert!(self.layout.fits(particles), "particles of the sizes that the functional was made for");
        self.source_profile.fill(particles, directions);
        self.target_profile.fill(self.target, directions);
        pair_sums(&self.layout, &self.source_profile, &self.target_profile, directions.count(), base)
    }

    fn half_mmd2(&self, particles: &MeasureOverMeasures<T>, sums: &PairSums) -> f64 {
        let double_sum = |a: &[f64], b: &[f64], s: &dyn Fn(usize, usize) -> f64| -> f64 {
            a.iter()
                .enumerate()
                .map(|(i, wi)| {
                    let row: f64 = b.iter().enumerate().map(|(j, wj)| wj * self.kernel.value(s(i, j))).sum();
                    wi * row
                })
                .sum()
        };
        let (w, v) = (particles.outer_weights(), self.target.outer_weights());
        0.5 * double_sum(w, w, &|i, j| sums.source_source(i, j))
            + 0.5 * double_sum(v, v, &|i, j| sums.target_target(i, j))
            - double_sum(w, v, &|i, j| sums.source_target(i, j))
    }
}

impl<T: Scalar> Functional<T> for MmdSw<'_, T> {
    fn evaluate(&mut self, particles: &MeasureOverMeasures<T>, step: u64, velocity: &mut [T]) -> f64 {
        let stream = Stream::new(self.plan.seed, Purpose::Directions, step);
        let directions = self.draw(particles.dim(), stream);
        self.evaluate_along(particles, &directions, velocity)
    }
}
