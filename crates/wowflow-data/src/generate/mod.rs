//! Seeded generators: small labeled datasets that need no file.

use std::fmt;

use thiserror::Error;
use wowflow::dataset::{DatasetError, ImageShape, Label, LabeledDataset, Points};
use wowflow::rng::{Purpose, Reader, Stream};

mod glyphs;
mod noise;
mod plane;

/// Largest number of coordinates that is generated: 4 GiB in single precision.
const MAX_COORDINATES: usize = 1 << 30;

/// A seeded source of labeled samples.
///
/// A generator's name is the first part of a dataset's name and its variant the second:
/// `gaussians`, `rings:source`, `noise:32x32x3`, `glyphs:letters`. [`fmt::Display`] prints what
/// [`Generator::parse`] reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generator {
    /// Three circles of radius 0.3 in the plane, the target of the first deck's experiment.
    ///
    /// Centres (0, 0), (-0.75, 0) and (-1.5, 0); the points are equispaced, so they depend on
    /// their number and not on the seed.
    Rings,
    /// Where the flow to [`Generator::Rings`] starts: three classes of `N((-0.3, 0), 0.01^2 I)`.
    RingsSource,
    /// Four Gaussian classes in the plane with different means and covariances.
    Gaussians,
    /// Two interleaved half circles of radius 1 in the plane, with noise of deviation 0.1.
    Moons,
    /// Ten classes of standard Gaussian noise `N(0, I)`, a source for flows to images.
    Noise(NoiseShape),
    /// Ten classes of 28x28 grey images of hand-drawn characters, white (1) on black (0).
    Glyphs(Alphabet),
}

/// How the coordinates of a noise sample are laid out.
///
/// Shapes of equal length hold the same numbers for the same seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoiseShape {
    /// As an image.
    Image(ImageShape),
    /// As a plain vector of this dimension.
    Flat(usize),
}

/// The characters that [`Generator::Glyphs`] draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// The digits 0 to 9, labeled by number.
    Digits,
    /// Ten capital letters unlike the digits, labeled by themselves.
    Letters,
}

/// Why nothing was generated.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// A generator's name is followed by something it does not offer.
    #[error("expected {expected} after the generator `{generator}`, found {found}")]
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
    /// The dataset type refused the samples.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}

const DIGITS: ImageShape = ImageShape { width: glyphs::SIDE, height: glyphs::SIDE, channels: 1 };
const NO_VARIANT: &str = "nothing";
const RINGS_VARIANTS: &str = "nothing or `source`";
const NOISE_VARIANTS: &str = "nothing, `WIDTHxHEIGHT`, `WIDTHxHEIGHTx3` or a dimension";
const GLYPHS_VARIANTS: &str = "`digits` or `letters`";

impl Generator {
    /// Every generator as one writes it, for help texts and lists in errors.
    #[must_use]
    pub const fn names() -> &'static [&'static str] {
        &[
            "rings",
            "rings:source",
            "gaussians",
            "moons",
            "noise",
            "noise:WIDTHxHEIGHT",
            "noise:WIDTHxHEIGHTx3",
            "noise:DIMENSION",
            "glyphs:digits",
            "glyphs:letters",
        ]
    }

    /// Reads a generator's name and variant; `None` when `name` is no generator's.
    ///
    /// # Errors
    /// The generator does not offer the variant; the message lists those it does.
    ///
    /// ```
    /// use wowflow_data::generate::{Alphabet, Generator};
    /// assert_eq!(Generator::parse("glyphs", Some("digits"))?, Some(Generator::Glyphs(Alphabet::Digits)));
    /// assert_eq!(Generator::parse("mnist", None)?, None);
    /// assert!(Generator::parse("rings", Some("square")).is_err());
    /// # Ok::<(), wowflow_data::generate::GenerateError>(())
    /// ```
    pub fn parse(name: &str, variant: Option<&str>) -> Result<Option<Self>, GenerateError> {
        let (generator, expected, parsed) = match (name, variant) {
            ("rings", None) => ("rings", RINGS_VARIANTS, Some(Self::Rings)),
            ("rings", Some(variant)) => {
                ("rings", RINGS_VARIANTS, (variant == "source").then_some(Self::RingsSource))
            }
            ("gaussians", _) => ("gaussians", NO_VARIANT, variant.is_none().then_some(Self::Gaussians)),
            ("moons", _) => ("moons", NO_VARIANT, variant.is_none().then_some(Self::Moons)),
            ("noise", None) => ("noise", NOISE_VARIANTS, Some(Self::Noise(NoiseShape::Image(DIGITS)))),
            ("noise", Some(variant)) => {
                ("noise", NOISE_VARIANTS, NoiseShape::parse(variant).map(Self::Noise))
            }
            ("glyphs", _) => ("glyphs", GLYPHS_VARIANTS, variant.and_then(Alphabet::parse).map(Self::Glyphs)),
            _ => return Ok(None),
        };
        match parsed {
            Some(parsed) => Ok(Some(parsed)),
            None => {
                let found = variant.map_or_else(|| "nothing".to_owned(), |variant| format!("`{variant}`"));
                Err(GenerateError::Variant { generator, expected, found })
            }
        }
    }

    /// Samples a class when a dataset's name gives no number.
    #[must_use]
    pub fn default_count(self) -> usize {
        match self {
            Self::Rings | Self::RingsSource => 80,
            Self::Gaussians | Self::Moons | Self::Noise(_) | Self::Glyphs(_) => 100,
        }
    }

    /// Number of classes, `C`.
    #[must_use]
    pub fn class_count(self) -> usize {
        match self {
            Self::Rings | Self::RingsSource => plane::RING_CENTRES.len(),
            Self::Gaussians => plane::GAUSSIANS.len(),
            Self::Moons => 2,
            Self::Noise(_) => noise::CLASSES,
            Self::Glyphs(_) => glyphs::CLASSES,
        }
    }

    /// Coordinates a sample, `d`.
    #[must_use]
    pub fn dim(self) -> usize {
        match self {
            Self::Rings | Self::RingsSource | Self::Gaussians | Self::Moons => 2,
            Self::Noise(NoiseShape::Flat(dim)) => dim,
            Self::Noise(NoiseShape::Image(shape)) => shape.len(),
            Self::Glyphs(_) => DIGITS.len(),
        }
    }

    /// The layout of a sample, if it is an image.
    #[must_use]
    pub fn image_shape(self) -> Option<ImageShape> {
        match self {
            Self::Noise(NoiseShape::Image(shape)) => Some(shape),
            Self::Glyphs(_) => Some(DIGITS),
            Self::Rings | Self::RingsSource | Self::Gaussians | Self::Moons => None,
            Self::Noise(NoiseShape::Flat(_)) => None,
        }
    }

    /// Address of the generator's draws; never reused, so that no two generators share numbers.
    fn address(self) -> u64 {
        match self {
            Self::Rings => 0,
            Self::RingsSource => 1,
            Self::Gaussians => 2,
            Self::Moons => 3,
            Self::Noise(_) => 4,
            Self::Glyphs(Alphabet::Digits) => 5,
            Self::Glyphs(Alphabet::Letters) => 6,
        }
    }

    fn label(self, class: usize) -> Label {
        match self {
            Self::Glyphs(Alphabet::Letters) => Label::Text(glyphs::letter(class).to_string()),
            _ => Label::Int(class as i64),
        }
    }
}

impl fmt::Display for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rings => f.write_str("rings"),
            Self::RingsSource => f.write_str("rings:source"),
            Self::Gaussians => f.write_str("gaussians"),
            Self::Moons => f.write_str("moons"),
            Self::Noise(shape) => write!(f, "noise:{shape}"),
            Self::Glyphs(Alphabet::Digits) => f.write_str("glyphs:digits"),
            Self::Glyphs(Alphabet::Letters) => f.write_str("glyphs:letters"),
        }
    }
}

impl NoiseShape {
    fn parse(text: &str) -> Option<Self> {
        let sizes: Option<Vec<usize>> = text.split('x').map(parse_size).collect();
        let (shape, len) = match sizes?[..] {
            [dim] => (Self::Flat(dim), Some(dim)),
            [width, height] => {
                let shape = ImageShape { width, height, channels: 1 };
                (Self::Image(shape), width.checked_mul(height))
            }
            [width, height, channels @ (1 | 3)] => {
                let len = width.checked_mul(height).and_then(|len| len.checked_mul(channels));
                (Self::Image(ImageShape { width, height, channels }), len)
            }
            _ => return None,
        };
        (len? <= MAX_COORDINATES / noise::CLASSES).then_some(shape)
    }
}

/// A positive decimal number without sign.
fn parse_size(text: &str) -> Option<usize> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|&size| digits && size > 0)
}

impl fmt::Display for NoiseShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flat(dim) => write!(f, "{dim}"),
            Self::Image(ImageShape { width, height, channels: 1 }) => write!(f, "{width}x{height}"),
            Self::Image(shape) => write!(f, "{shape}"),
        }
    }
}

impl Alphabet {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "digits" => Some(Self::Digits),
            "letters" => Some(Self::Letters),
            _ => None,
        }
    }
}

/// Generates `per_class` samples of every class, class after class.
///
/// A pure function of its arguments: sample `i` of class `c` depends on the generator, `c`, `i` and
/// `seed` alone, so that a smaller number gives the first samples of a larger one (but for
/// [`Generator::Rings`], whose points are equispaced). Images are in single precision, points of
/// the plane in double.
///
/// # Errors
/// No samples asked for, or more than 2^30 coordinates in all.
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
    // A shape that was not parsed may have no coordinates, or more than fit; `LabeledDataset` refuses the first.
    let expected = MAX_COORDINATES / dim.saturating_mul(classes).max(1);
    if per_class > expected {
        return Err(GenerateError::TooMany { generator, expected, found: per_class });
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
        for (row, out) in values.chunks_mut(dim.max(1)).enumerate() {
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
