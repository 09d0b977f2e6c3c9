//! What a person says about the images of a dataset: `[grey]`, `[rgb]`, `[size=28x28]`.

use std::fmt;

use wowflow::dataset::{ImageShape, LabeledDataset, Points};

use crate::resize::{ResizeError, Size, replaced, resize};

/// The channels that images are brought to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// One channel: of colours the luminance, `0.299 R + 0.587 G + 0.114 B` (ITU-R BT.601).
    Grey,
    /// Three channels: of grey three times the same.
    Rgb,
}

impl Colour {
    /// `grey` or `rgb`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Grey => "grey",
            Self::Rgb => "rgb",
        }
    }
}

/// What images are brought to; what is not said stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageOptions {
    /// Their size.
    pub size: Option<Size>,
    /// Their channels.
    pub colour: Option<Colour>,
}

impl ImageOptions {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads `grey`, `rgb` or `size=WxH` and adds it; whether it was one of them, or what was expected.
    pub(crate) fn set(&mut self, part: &str) -> Result<bool, String> {
        match (part.trim(), part.trim().strip_prefix("size=")) {
            ("grey" | "gray", _) => self.colour = Some(Colour::Grey),
            ("rgb", _) => self.colour = Some(Colour::Rgb),
            (_, Some(size)) => self.size = Some(size.parse()?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The same, and of another what this does not say.
    pub(crate) fn or(self, other: Self) -> Self {
        Self { size: self.size.or(other.size), colour: self.colour.or(other.colour) }
    }

    /// The dataset with its images brought to what is said.
    pub(crate) fn apply(&self, mut dataset: LabeledDataset) -> Result<LabeledDataset, ResizeError> {
        if let Some(colour) = self.colour {
            dataset = recoloured(&dataset, colour)?;
        }
        match self.size {
            Some(size) => resize(&dataset, size.width, size.height),
            None => Ok(dataset),
        }
    }
}

impl fmt::Display for ImageOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.size.map(|size| format!("size={size}"));
        let parts: Vec<String> =
            self.colour.map(|colour| colour.name().to_owned()).into_iter().chain(size).collect();
        f.write_str(&parts.join(","))
    }
}

fn recoloured(dataset: &LabeledDataset, colour: Colour) -> Result<LabeledDataset, ResizeError> {
    const LUMINANCE: [f64; 3] = [0.299, 0.587, 0.114];
    let Some(shape) = dataset.image_shape() else {
        return Err(ResizeError::NoColours { dim: dataset.dim() });
    };
    let channels = match colour {
        Colour::Grey => 1,
        Colour::Rgb => 3,
    };
    if shape.channels == channels {
        return Ok(dataset.clone());
    }
    let plane = shape.width * shape.height;
    let of = |row: usize| -> Vec<f64> {
        let values = dataset.row(row);
        match colour {
            Colour::Rgb => values.repeat(3),
            Colour::Grey => (0..plane)
                .map(|k| LUMINANCE.iter().enumerate().map(|(c, share)| share * values[c * plane + k]).sum())
                .collect(),
        }
    };
    let values = (0..dataset.len()).flat_map(of);
    let points = match dataset.points() {
        Points::F32(_) => Points::F32(values.map(|value| value as f32).collect()),
        Points::F64(_) => Points::F64(values.collect()),
    };
    replaced(dataset, points, ImageShape { channels, ..shape })
}

#[cfg(test)]
mod tests {
    use wowflow::dataset::Label;

    use super::*;

    #[test]
    fn colours_become_grey_and_grey_becomes_colours() {
        let shape = ImageShape { width: 2, height: 1, channels: 3 };
        let values = vec![1.0, 0.5, 0.0, 0.5, 0.0, 0.5];
        let data = LabeledDataset::new(Points::F64(values), 6, vec![Label::Int(4)])
            .and_then(|data| data.with_image_shape(shape))
            .and_then(|data| data.with_sample_weights(vec![2.0]))
            .unwrap();
        let apply = |text: &str, data: &LabeledDataset| {
            let mut options = ImageOptions::default();
            assert!(options.set(text).unwrap(), "{text}");
            options.apply(data.clone()).unwrap()
        };
        let grey = apply("grey", &data);
        assert!(
            grey.row(0).iter().zip([0.299, 0.5]).all(|(a, b)| (a - b).abs() < 1e-15),
            "{:?}",
            grey.row(0)
        );
        assert_eq!(grey.image_shape(), Some(ImageShape { channels: 1, ..shape }));
        assert_eq!((grey.label(0), grey.sample_weights()), (&Label::Int(4), Some(&[2.0][..])));
        let back = apply("rgb", &grey);
        assert_eq!((back.row(0), back.image_shape()), (grey.row(0).repeat(3), Some(shape)));
        assert_eq!((apply("rgb", &data), apply("gray", &grey)), (data.clone(), grey));
        assert_eq!(apply("size=1x1", &data).row(0), [0.75, 0.25, 0.25]);
        let mut options = ImageOptions::default();
        assert_eq!((options.set("blue"), options.set("test")), (Ok(false), Ok(false)));
        assert!(options.set("size=0x4").unwrap_err().contains("WIDTHxHEIGHT"));
        let points = LabeledDataset::new(Points::F64(vec![1.0]), 1, vec![Label::Int(0)]).unwrap();
        let error = recoloured(&points, Colour::Grey).unwrap_err().to_string();
        assert_eq!(error, "expected images to make grey or coloured, found points of dimension 1");
    }
}
