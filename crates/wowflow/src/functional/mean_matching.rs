//! Distribution Matching: the squared distance of mean features, class by class.

use super::batches::by_weight;
use super::feature_map::FeatureMap;
use super::{Evaluation, Functional, FunctionalError, Quantity, same_classes, same_space};
use crate::measure::MeasureOverMeasures;
use crate::rng::{Purpose, Stream};
use crate::scalar::Scalar;

/// `F(P) = sum_c |mean phi_c(mu_c) - mean phi_c(nu_c)|^2` with a map drawn for every class and step (Zhao and Bilen
/// 2023); class `c` of the source is matched with class `c` of the target.
///
/// The velocity is the WoW gradient, `2 / w_c J^T (difference of means)`: `C` times `n` times the Euclidean
/// gradient for uniform weights and `n` samples in every class. A step of the published code, which follows the
/// Euclidean one with `tau`, is one of `tau / (C n)` here.
#[derive(Clone, Debug)]
pub struct MeanMatching<'q, T, M> {
    target: &'q MeasureOverMeasures<T>,
    batch: Option<usize>,
    map: M,
    seed: u64,
    curvatures: Vec<f64>,
}

impl<'q, T: Scalar, M: FeatureMap<T>> MeanMatching<'q, T, M> {
    /// The functional, on so many samples of every target class a step, drawn with replacement, or on all of them.
    ///
    /// # Errors
    /// Different dimensions or numbers of classes; batches of no samples.
    #[inline(never)]
    pub fn new(
        source: &MeasureOverMeasures<T>,
        target: &'q MeasureOverMeasures<T>,
        batch: Option<usize>,
        map: M,
        seed: u64,
    ) -> Result<Self, FunctionalError> {
        same_space(source, target)?;
        same_classes(source, target)?;
        if batch == Some(0) {
            return Err(FunctionalError::EmptyBatches);
        }
        Ok(Self { target, batch, map, seed, curvatures: vec![0.0; source.sample_count()] })
    }
}

/// Samples of a class, drawn independently by weight.
fn batch_of<T: Scalar>(target: &MeasureOverMeasures<T>, class: usize, size: usize, stream: Stream) -> Vec<T> {
    let (own, dim, mut reader) = (target.class_points(class), target.dim(), stream.reader());
    let picked = match target.class_weights(class) {
        None => (0..size).map(|_| reader.below(target.class_size(class))).collect(),
        Some(weights) => by_weight(weights, size, &mut reader),
    };
    picked.into_iter().flat_map(|i| &own[i * dim..(i + 1) * dim]).copied().collect()
}

/// The mean of rows by weight.
fn mean<T: Scalar>(rows: &[T], k: usize, weights: Option<&[f64]>) -> Vec<f64> {
    let uniform = k as f64 / rows.len() as f64;
    let mut mean = vec![0.0; k];
    for (i, row) in rows.chunks_exact(k).enumerate() {
        let weight = weights.map_or(uniform, |weights| weights[i]);
        mean.iter_mut().zip(row).for_each(|(m, x)| *m += weight * x.to_f64());
    }
    mean
}

impl<T: Scalar, M: FeatureMap<T>> Functional<T> for MeanMatching<'_, T, M> {
    #[inline(never)]
    fn evaluate(&mut self, particles: &MeasureOverMeasures<T>, step: u64, velocity: &mut [T]) -> Evaluation {
        let Self { target, batch, map, seed, curvatures } = self;
        let (dim, classes) = (particles.dim(), particles.class_count());
        let k = map.feature_dim(dim);
        let mut value = 0.0;
        for class in 0..classes {
            let draw = step * classes as u64 + class as u64;
            map.draw(draw);
            let theirs = match *batch {
                None => mean(&map.forward(target.class_points(class), dim), k, target.class_weights(class)),
                Some(size) => {
                    let drawn = batch_of(target, class, size, Stream::new(*seed, Purpose::Batches, draw));
                    mean(&map.forward(&drawn, dim), k, None)
                }
            };
            let features = map.forward(particles.class_points(class), dim);
            let ours = mean(&features, k, particles.class_weights(class));
            let difference: Vec<f64> = ours.iter().zip(&theirs).map(|(x, y)| x - y).collect();
            value += difference.iter().map(|x| x * x).sum::<f64>();
            let factor = 2.0 / particles.outer_weights()[class];
            let one = difference.iter().map(|x| T::from_f64(factor * x));
            let cotangents: Vec<T> =
                std::iter::repeat_n(one, particles.class_size(class)).flatten().collect();
            let range = particles.class_range(class);
            let pulled = map.backward(&cotangents);
            let square = |row: &[T]| row.iter().map(|v| v.to_f64() * v.to_f64()).sum::<f64>();
            let length = square(&cotangents[..k]);
            for (curvature, row) in curvatures[range.clone()].iter_mut().zip(pulled.chunks_exact(dim)) {
                *curvature = if length > 0.0 { factor * square(row) / length } else { 0.0 };
            }
            velocity[range.start * dim..range.end * dim].copy_from_slice(&pulled);
        }
        Evaluation { value, standard_error: None }
    }

    /// That of the features, `2 / w_c`, times `|J^T v|^2 / |v|^2`, for all samples of a class moving together.
    fn curvatures(&self) -> &[f64] {
        &self.curvatures
    }

    fn quantity(&self) -> Quantity {
        Quantity {
            symbol: "sum of squared distances of means".to_owned(),
            factor: 1.0,
            length_power: Some(2.0),
        }
    }

    fn lower_bound(&self) -> Option<f64> {
        Some(0.0)
    }
}
