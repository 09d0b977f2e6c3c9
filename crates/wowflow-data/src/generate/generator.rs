//! The generators' names, variants and sizes.

use std::fmt;

use wowflow::dataset::{ImageShape, Label};

use super::glyphs::{self, Alphabet};
use super::{GenerateError, noise, plane};

/// A seeded source of labeled samples.
///
/// A generator's name is the first part of a dataset's name and its variant the second:
/// `gaussians`, `rings:source`, `noise:32x32x3`, `glyphs:letters`. [`fmt::Display`] prints what
/// [`Generator::parse`] reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generator {
    /// Three circles of radius 0.3 in the plane, the target of the decks' synthetic experiment.
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
    /// Ten classes of noise: every coordinate is an independent `N(0, 1)`, a source for flows to images.
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

const GLYPH: ImageShape = ImageShape { width: glyphs::SIDE, height: glyphs::SIDE, channels: 1 };
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
            ("noise", None) => ("noise", NOISE_VARIANTS, Some(Self::Noise(NoiseShape::Image(GLYPH)))),
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

    /// Coordinates a sample, `d`; the largest number there is when they cannot be counted.
    #[must_use]
    pub fn dim(self) -> usize {
        match self {
            Self::Rings | Self::RingsSource | Self::Gaussians | Self::Moons => 2,
            Self::Noise(NoiseShape::Flat(dim)) => dim,
            Self::Noise(NoiseShape::Image(ImageShape { width, height, channels })) => {
                width.saturating_mul(height).saturating_mul(channels)
            }
            Self::Glyphs(_) => GLYPH.len(),
        }
    }

    /// The layout of a sample, if it is an image.
    #[must_use]
    pub fn image_shape(self) -> Option<ImageShape> {
        match self {
            Self::Noise(NoiseShape::Image(shape)) => Some(shape),
            Self::Glyphs(_) => Some(GLYPH),
            Self::Rings | Self::RingsSource | Self::Gaussians | Self::Moons => None,
            Self::Noise(NoiseShape::Flat(_)) => None,
        }
    }

    /// Address of the generator's draws; never reused, so that no two generators share numbers.
    pub(super) fn address(self) -> u64 {
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

    pub(super) fn label(self, class: usize) -> Label {
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
        match sizes?[..] {
            [dim] => Some(Self::Flat(dim)),
            [width, height] => Some(Self::Image(ImageShape { width, height, channels: 1 })),
            [width, height, channels @ (1 | 3)] => Some(Self::Image(ImageShape { width, height, channels })),
            _ => None,
        }
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
