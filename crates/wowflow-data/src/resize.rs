//! Images brought to another size, so that datasets of different sizes can be compared.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use wowflow::dataset::{DatasetError, ImageShape, LabeledDataset, Points};

/// Why images were not resized.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ResizeError {
    /// The samples are no images.
    #[error("expected images to resize, found points of dimension {dim}")]
    NoImages {
        /// Coordinates a sample.
        dim: usize,
    },
    /// The samples have no channels.
    #[error("expected images to make grey or coloured, found points of dimension {dim}")]
    NoColours {
        /// Coordinates a sample.
        dim: usize,
    },
    /// A side without pixels.
    #[error("expected a size of at least 1x1, found {width}x{height}")]
    NoPixels {
        /// Pixels from left to right.
        width: usize,
        /// Pixels from top to bottom.
        height: usize,
    },
    /// What came out is no dataset.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}

/// A size of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Pixels from left to right.
    pub width: usize,
    /// Pixels from top to bottom.
    pub height: usize,
}

/// Images of more pixels a side than this are a slip.
const LARGEST_SIDE: usize = 4096;

impl FromStr for Size {
    type Err = String;

    /// Reads `16x9`.
    fn from_str(text: &str) -> Result<Self, String> {
        let side = |digits: &str| digits.parse().ok().filter(|side| (1..=LARGEST_SIDE).contains(side));
        let sides = text.split_once('x').and_then(|(width, height)| Some((side(width)?, side(height)?)));
        let (width, height) = sides.ok_or_else(|| {
            format!("expected WIDTHxHEIGHT with sides from 1 to {LARGEST_SIDE}, found `{text}`")
        })?;
        Ok(Self { width, height })
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// The same images, labels and weights with images of `width x height` pixels.
///
/// Bilinear, with pixels as squares: an enlarged image is interpolated between the centres of pixels, a reduced
/// one is averaged over what each new pixel covers, under a hat two new pixels wide. The same size changes
/// nothing, a constant image stays constant, and no value leaves the range of its neighbours.
///
/// ```
/// use wowflow::dataset::{ImageShape, Label, LabeledDataset, Points};
/// let row = LabeledDataset::new(Points::F32(vec![0.0, 1.0]), 2, vec![Label::Int(7)])?
///     .with_image_shape(ImageShape { width: 2, height: 1, channels: 1 })?;
/// let wide = wowflow_data::resize(&row, 4, 1)?;
/// assert_eq!(wide.points(), &Points::F32(vec![0.0, 0.25, 0.75, 1.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Samples that are no images, or a size without pixels.
pub fn resize(dataset: &LabeledDataset, width: usize, height: usize) -> Result<LabeledDataset, ResizeError> {
    let Some(shape) = dataset.image_shape() else { return Err(ResizeError::NoImages { dim: dataset.dim() }) };
    if width == 0 || height == 0 {
        return Err(ResizeError::NoPixels { width, height });
    }
    let resized = ImageShape { width, height, ..shape };
    if resized == shape {
        return Ok(dataset.clone());
    }
    let (across, down) = (taps(shape.width, width), taps(shape.height, height));
    let pixels = |plane: usize| {
        let size = shape.width * shape.height;
        plane_resized(&dataset.points().to_vec(plane * size..(plane + 1) * size), shape.width, &across, &down)
    };
    let planes = (0..dataset.len() * shape.channels).flat_map(pixels);
    let points = match dataset.points() {
        Points::F32(_) => Points::F32(planes.map(|value| value as f32).collect()),
        Points::F64(_) => Points::F64(planes.collect()),
    };
    replaced(dataset, points, resized)
}

/// The same labels, weights and names with other images.
pub(crate) fn replaced(
    dataset: &LabeledDataset,
    points: Points,
    shape: ImageShape,
) -> Result<LabeledDataset, ResizeError> {
    Ok(dataset.embedded(points, shape.len())?.with_image_shape(shape)?)
}

/// Planes of one size, one after the other, brought to another as [`resize()`] does it.
pub(crate) fn planes_resized(planes: &[f32], from: Size, to: Size) -> Vec<f32> {
    if from == to {
        return planes.to_vec();
    }
    let (across, down) = (taps(from.width, to.width), taps(from.height, to.height));
    let resized = |plane: &[f32]| {
        let plane: Vec<f64> = plane.iter().map(|&value| value.into()).collect();
        plane_resized(&plane, from.width, &across, &down)
    };
    let planes = planes.chunks_exact(from.width * from.height);
    planes.flat_map(resized).map(|value| value as f32).collect()
}

/// For every new pixel of a side, the old ones that it is made of: the first, and their shares.
fn taps(from: usize, to: usize) -> Vec<(usize, Vec<f64>)> {
    let scale = from as f64 / to as f64;
    let reach = scale.max(1.0);
    let of = |new: usize| {
        let center = (new as f64 + 0.5) * scale - 0.5;
        let first = (center - reach).ceil().max(0.0) as usize;
        let last = ((center + reach).floor() as usize).min(from - 1);
        let hats: Vec<f64> =
            (first..=last).map(|old| (1.0 - (old as f64 - center).abs() / reach).max(0.0)).collect();
        let total: f64 = hats.iter().sum();
        (first, hats.into_iter().map(|hat| hat / total).collect())
    };
    (0..to).map(of).collect()
}

fn plane_resized(
    plane: &[f64],
    width: usize,
    across: &[(usize, Vec<f64>)],
    down: &[(usize, Vec<f64>)],
) -> Vec<f64> {
    let blend = |values: &mut dyn Iterator<Item = f64>, shares: &[f64]| -> f64 {
        values.zip(shares).map(|(value, share)| value * share).sum()
    };
    let rows = plane.chunks_exact(width).flat_map(|row| {
        across.iter().map(|(first, shares)| blend(&mut row[*first..].iter().copied(), shares))
    });
    let rows: Vec<f64> = rows.collect();
    let count = across.len();
    let pixel = |(first, shares): &(usize, Vec<f64>), x: usize| {
        blend(&mut rows[first * count + x..].iter().step_by(count).copied(), shares)
    };
    down.iter().flat_map(|taps| (0..count).map(move |x| pixel(taps, x))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!("16x9".parse(), Ok(Size { width: 16, height: 9 }));
        for bad in ["16", "0x3", "3x", "x", "3x4x5", "-1x2", "5000x1", "3 x 4"] {
            assert!(bad.parse::<Size>().is_err(), "{bad}");
        }
    }
    use wowflow::dataset::Label;

    fn images(width: usize, height: usize, channels: usize, pixel: impl Fn(usize) -> f64) -> LabeledDataset {
        let shape = ImageShape { width, height, channels };
        let values = (0..2 * shape.len()).map(pixel).collect();
        let labels = vec![Label::Int(1), Label::Int(0)];
        LabeledDataset::new(Points::F64(values), shape.len(), labels)
            .and_then(|data| data.with_image_shape(shape))
            .and_then(|data| data.with_sample_weights(vec![1.0, 2.0]))
            .and_then(|data| data.with_class_weights(vec![0.25, 0.75]))
            .unwrap()
    }

    #[test]
    fn ramps_stay_ramps_inside_and_constants_everywhere() {
        // Value x of the pixel's left edge plus 10 a channel, in one image of two.
        let (width, height) = (8, 6);
        let data = images(width, height, 2, |k| (k % width) as f64 + 10.0 * (k / (width * height)) as f64);
        for (to_width, to_height) in [(16, 12), (4, 3), (5, 7), (8, 9)] {
            let found = resize(&data, to_width, to_height).unwrap();
            let shape = ImageShape { width: to_width, height: to_height, channels: 2 };
            assert_eq!((found.image_shape(), found.len()), (Some(shape), 2));
            let scale = width as f64 / to_width as f64;
            for row in 0..2 {
                for (k, value) in found.row(row).into_iter().enumerate() {
                    let (x, plane) = (k % to_width, k / (to_width * to_height));
                    let center = (x as f64 + 0.5) * scale - 0.5;
                    let base = 10.0 * (2 * row + plane) as f64;
                    let inside = center >= scale.max(1.0) && center <= 7.0 - scale.max(1.0);
                    // Reduced by a fraction, the hat is not quite even on the grid.
                    let slack = if scale.fract() == 0.0 || scale < 1.0 { 1e-12 } else { 0.05 };
                    assert!(!inside || (value - base - center).abs() < slack, "{value} {center}");
                    assert!((base..=base + 7.0).contains(&value));
                }
            }
        }
        let flat = resize(&images(5, 3, 1, |_| 0.3), 7, 2).unwrap();
        assert!((0..2).all(|row| flat.row(row).iter().all(|value| (value - 0.3).abs() < 1e-15)));
    }

    #[test]
    fn labels_weights_and_equal_sizes_are_kept() {
        let data = images(3, 2, 1, |k| k as f64);
        assert_eq!(resize(&data, 3, 2).unwrap(), data);
        let found = resize(&data, 1, 1).unwrap();
        assert_eq!((found.label(0), found.label(1)), (&Label::Int(1), &Label::Int(0)));
        assert_eq!(found.sample_weights(), Some(&[1.0, 2.0][..]));
        assert_eq!(found.class_weights(), Some(&[0.25, 0.75][..]));
        assert!((found.row(0)[0] - 2.5).abs() < 1e-12);
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let points = LabeledDataset::new(Points::F32(vec![0.0; 4]), 2, vec![Label::Int(0); 2]).unwrap();
        assert_eq!(resize(&points, 2, 1), Err(ResizeError::NoImages { dim: 2 }));
        let none = resize(&images(2, 2, 1, |_| 0.0), 0, 3);
        assert_eq!(none, Err(ResizeError::NoPixels { width: 0, height: 3 }));
    }
}
