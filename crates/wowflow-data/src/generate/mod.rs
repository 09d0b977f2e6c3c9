//! Seeded generators: small labeled datasets that need no file.

use thiserror::Error;
use wowflow::dataset::{DatasetError, LabeledDataset, Points};
use wowflow::rng::{Purpose, Reader, Stream};
use wowflow::text::shown;

mod generator;
mod glyphs;
mod noise;
mod plane;

pub use generator::{Generator, NoiseShape};
pub use glyphs::Alphabet;

/// Largest number of coordinates that is generated: 4 GiB in single precision.
const MAX_COORDINATES: usize = 1 << 30;

/// Why nothing was generated.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// A generator's name is followed by something it does not offer.
    #[error("expected {expected} after the generator `{generator}`, found {}", shown(found, 80))]
    Variant {
        /// The generator's name.
        generator: &'static str,
        /// The variants it offers.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// No samples were asked for.
    #[error("expected at least 1 sample a class from `{generator}`, found 0")]
    NoSamples {
        /// The generator asked.
        generator: Generator,
    },
    /// More samples were asked for than are ever generated.
    #[error("expected at most {expected} samples a class from `{generator}`, found {found}")]
    TooMany {
        /// The generator asked.
        generator: Generator,
        /// The most it generates.
        expected: usize,
        /// What was asked for.
        found: usize,
    },
    /// A sample has no coordinates, or more than are ever generated.
    #[error("expected 1 to {expected} coordinates a sample from `{generator}`, found {found}")]
    Dimension {
        /// The generator asked.
        generator: Generator,
        /// The most coordinates a sample may have.
        expected: usize,
        /// The dimension found.
        found: usize,
    },
    /// The dataset type refused the samples.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}

/// Generates `per_class` samples of every class, class after class.
///
/// A pure function of its arguments: sample `i` of class `c` depends on the generator, `c`, `i` and
/// `seed` alone, so that a smaller number gives the first samples of a larger one (but for
/// [`Generator::Rings`], whose points are equispaced). Images are in single precision, points of
/// the plane in double.
///
/// # Errors
/// No samples asked for, samples without coordinates, or more than 2^30 coordinates in all.
///
/// ```
/// use wowflow_data::generate::{Generator, generate};
/// let rings = generate(Generator::Rings, 80, 0)?;
/// assert_eq!((rings.len(), rings.dim(), rings.class_count()), (240, 2, 3));
/// # Ok::<(), wowflow_data::generate::GenerateError>(())
/// ```
pub fn generate(generator: Generator, per_class: usize, seed: u64) -> Result<LabeledDataset, GenerateError> {
    let (dim, classes) = (generator.dim(), generator.class_count());
    if per_class == 0 {
        return Err(GenerateError::NoSamples { generator });
    }
    let most = MAX_COORDINATES / classes;
    if dim == 0 || dim > most {
        return Err(GenerateError::Dimension { generator, expected: most, found: dim });
    }
    if per_class > most / dim {
        return Err(GenerateError::TooMany { generator, expected: most / dim, found: per_class });
    }
    let draws = |class: usize, sample: usize| {
        let address = generator.address() << 40 | (class as u64) << 32 | sample as u64;
        Stream::new(seed, Purpose::Generate, address)
    };
    let plane = |point: &dyn Fn(usize, usize, &mut Reader) -> [f64; 2]| {
        let sample = |class, i| point(class, i, &mut draws(class, i).reader());
        let points = (0..classes).flat_map(|class| (0..per_class).flat_map(move |i| sample(class, i)));
        Points::F64(points.collect())
    };
    let images = |draw: &dyn Fn(usize, Stream, &mut [f32])| {
        let mut values = vec![0.0; classes * per_class * dim];
        for (row, out) in values.chunks_mut(dim).enumerate() {
            let (class, sample) = (row / per_class, row % per_class);
            draw(class, draws(class, sample), out);
        }
        Points::F32(values)
    };
    let points = match generator {
        Generator::Rings => plane(&|class, i, _| plane::ring(class, i, per_class)),
        Generator::RingsSource => plane(&|_, _, draws| plane::ring_source(draws)),
        Generator::Gaussians => plane(&|class, _, draws| plane::gaussian(class, draws)),
        Generator::Moons => plane(&|class, _, draws| plane::moon(class, draws)),
        Generator::Noise(_) => images(&|_, stream, out| noise::fill(stream, out)),
        Generator::Glyphs(alphabet) => {
            images(&|class, stream, out| glyphs::draw(alphabet, class, &mut stream.reader(), out))
        }
    };
    let labels = (0..classes).flat_map(|class| (0..per_class).map(move |_| generator.label(class)));
    let data = LabeledDataset::new(points, dim, labels.collect())?;
    Ok(match generator.image_shape() {
        Some(shape) => data.with_image_shape(shape)?,
        None => data,
    })
}

#[cfg(test)]
mod tests;
