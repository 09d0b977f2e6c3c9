//! Point sets in the plane: rings and their source, Gaussian classes, half circles.

use std::f64::consts::{PI, TAU};

use wowflow::rng::Reader;

pub(super) const RING_RADIUS: f64 = 0.3;
pub(super) const RING_CENTRES: [[f64; 2]; 3] = [[0.0, 0.0], [-0.75, 0.0], [-1.5, 0.0]];
pub(super) const SOURCE_MEAN: [f64; 2] = [-0.3, 0.0];
pub(super) const SOURCE_DEVIATION: f64 = 0.01;
pub(super) const MOON_DEVIATION: f64 = 0.1;

/// A Gaussian class: an ellipse turned against the x axis.
pub(super) struct Gaussian {
    pub(super) mean: [f64; 2],
    /// Standard deviations along the two axes of the ellipse.
    pub(super) deviations: [f64; 2],
    /// Angle from the x axis to the first axis of the ellipse.
    pub(super) angle: f64,
}

/// A round class, two long ones at right angles, a wide one: they differ in mean and covariance,
/// and neighbours touch.
pub(super) const GAUSSIANS: [Gaussian; 4] = [
    Gaussian { mean: [-2.0, 1.5], deviations: [0.5, 0.5], angle: 0.0 },
    Gaussian { mean: [2.0, 1.5], deviations: [1.0, 0.25], angle: PI / 4.0 },
    Gaussian { mean: [-1.5, -1.5], deviations: [1.0, 0.25], angle: -PI / 4.0 },
    Gaussian { mean: [1.5, -1.5], deviations: [0.8, 0.4], angle: 0.0 },
];

/// Point `i` of `count` on a ring, counter-clockwise from angle 0.
pub(super) fn ring(class: usize, i: usize, count: usize) -> [f64; 2] {
    let (sin, cos) = (TAU * i as f64 / count as f64).sin_cos();
    let [x, y] = RING_CENTRES[class];
    [x + RING_RADIUS * cos, y + RING_RADIUS * sin]
}

pub(super) fn ring_source(draws: &mut Reader) -> [f64; 2] {
    SOURCE_MEAN.map(|mean| mean + SOURCE_DEVIATION * draws.normal())
}

pub(super) fn gaussian(class: usize, draws: &mut Reader) -> [f64; 2] {
    let Gaussian { mean, deviations, angle } = &GAUSSIANS[class];
    let [u, v] = deviations.map(|deviation| deviation * draws.normal());
    let (sin, cos) = angle.sin_cos();
    [mean[0] + cos * u - sin * v, mean[1] + sin * u + cos * v]
}

/// The upper half of the unit circle, or the lower half of one shifted by (1, 0.5).
pub(super) fn moon(class: usize, draws: &mut Reader) -> [f64; 2] {
    let (sin, cos) = draws.range(0.0, PI).sin_cos();
    let [x, y] = if class == 0 { [cos, sin] } else { [1.0 - cos, 0.5 - sin] };
    [x + MOON_DEVIATION * draws.normal(), y + MOON_DEVIATION * draws.normal()]
}
