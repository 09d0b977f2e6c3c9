//! Differentiable augmentations of images: one of a list a draw, the same for all images it is applied to.
//!
//! Each is an affine map of an image. Geometric ones and cutout are sums of at most four pixels with a fill where
//! they reach outside; colour works on pixels and their means. Their list and ranges are those of the published
//! experiments; a square cut out covers at most a quarter of the image, pixels outside are the fill and nothing else.

use wowflow::dataset::ImageShape;
use wowflow::functional::FeatureMap;
use wowflow::rng::{Purpose, Reader, Stream};

/// A kind of augmentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Augmentation {
    /// Brightness by up to 0.5 either way, saturation by a factor of up to 2, contrast by 0.5 to 1.5.
    Colour,
    /// A shift of up to an eighth of the image along both axes, by whole pixels.
    Crop,
    /// A square of half the image's side, anywhere inside, filled.
    Cutout,
    /// Both axes by factors of 1/1.2 to 1.2 of their own about the centre, bilinear.
    Scale,
    /// A turn of up to 15 degrees about the centre, bilinear.
    Rotate,
    /// Left and right exchanged, in half of the draws.
    Flip,
}

impl Augmentation {
    /// All that leave the meaning of any picture: not flips, which digits and letters do not survive.
    pub const UPRIGHT: [Self; 5] = [Self::Colour, Self::Crop, Self::Cutout, Self::Scale, Self::Rotate];
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Colour, Self::Crop, Self::Cutout, Self::Scale, Self::Rotate, Self::Flip];
    /// Small moves of the picture, colours untouched.
    pub const GEOMETRIC: [Self; 3] = [Self::Crop, Self::Scale, Self::Rotate];
}

/// Which augmentations are drawn from, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AugmentationSet {
    /// [`Augmentation::UPRIGHT`].
    Upright,
    /// [`Augmentation::ALL`].
    All,
}

wowflow::named!(AugmentationSet, "set of augmentations", {
    Upright = "upright": "Colour, shifts, cutout, scale, rotation: what digits and letters survive.",
    All = "all": "The same and flips.",
});

impl AugmentationSet {
    /// The augmentations of the set.
    #[must_use]
    pub fn kinds(self) -> &'static [Augmentation] {
        match self {
            Self::Upright => &Augmentation::UPRIGHT,
            Self::All => &Augmentation::ALL,
        }
    }
}

/// Augmentations as a map of images, drawn anew every step.
///
/// ```
/// use wowflow::dataset::ImageShape;
/// use wowflow::functional::FeatureMap;
/// use wowflow_learn::{Augment, Augmentation};
/// let shape = ImageShape { width: 8, height: 8, channels: 1 };
/// let mut augment = Augment::new(shape, &Augmentation::UPRIGHT, vec![0.0], 1);
/// augment.draw(3);
/// assert_eq!(augment.forward(&[0.5; 128], 64).len(), 128);
/// ```
#[derive(Clone, Debug)]
pub struct Augment {
    shape: ImageShape,
    kinds: Vec<Augmentation>,
    /// Of every channel.
    fill: Vec<f32>,
    seed: u64,
    drawn: Drawn,
}

/// What was drawn.
#[derive(Clone, Debug)]
enum Drawn {
    /// Every pixel of a plane as a sum of pixels, and the share of the fill.
    Pixels { taps: Vec<[(u32, f32); 4]>, outside: Vec<f32> },
    /// `contrast(saturation(x + brightness))`.
    Colour { brightness: f32, saturation: f32, contrast: f32 },
}

impl Augment {
    /// Draws from `kinds` with a seed; pixels from outside and under a cutout have the value `fill` of their channel.
    ///
    /// In units of a mean and a deviation, 0 is grey: an edge would come in with every shift that no image has. Black
    /// is what digits and clothes have there ([`crate::Normalization::black`]).
    ///
    /// # Panics
    /// No kinds, or another number of fills than channels.
    #[must_use]
    pub fn new(shape: ImageShape, kinds: &[Augmentation], fill: Vec<f32>, seed: u64) -> Self {
        assert!(!kinds.is_empty(), "at least one kind of augmentation");
        assert_eq!(fill.len(), shape.channels, "a fill a channel");
        let drawn = Drawn::Colour { brightness: 0.0, saturation: 1.0, contrast: 1.0 };
        let mut augment = Self { shape, kinds: kinds.to_vec(), fill, seed, drawn };
        augment.draw(0);
        augment
    }

    /// Pixels that come from places given by a function of (row, column) of the output.
    fn sampled(&self, place: impl Fn(f64, f64) -> (f64, f64)) -> Drawn {
        let (width, height) = (self.shape.width, self.shape.height);
        let (mut taps, mut outside) = (Vec::new(), Vec::new());
        for row in 0..height {
            for col in 0..width {
                let (y, x) = place(row as f64, col as f64);
                let (top, left) = (y.floor(), x.floor());
                let (dy, dx) = (y - top, x - left);
                let corners = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)];
                let mut inside = 0.0;
                let tap = corners.map(|(down, right)| {
                    let weight = (1.0 - (dy - down).abs()) * (1.0 - (dx - right).abs());
                    let (i, j) = (top + down, left + right);
                    if weight > 0.0 && i >= 0.0 && j >= 0.0 && i < height as f64 && j < width as f64 {
                        inside += weight;
                        ((i as usize * width + j as usize) as u32, weight as f32)
                    } else {
                        (0, 0.0)
                    }
                });
                taps.push(tap);
                outside.push((1.0 - inside) as f32);
            }
        }
        Drawn::Pixels { taps, outside }
    }

    fn drawn(&self, kind: Augmentation, reader: &mut Reader) -> Drawn {
        let (width, height) = (self.shape.width as f64, self.shape.height as f64);
        let (middle_y, middle_x) = ((height - 1.0) / 2.0, (width - 1.0) / 2.0);
        match kind {
            Augmentation::Colour => Drawn::Colour {
                brightness: reader.range(-0.5, 0.5) as f32,
                saturation: reader.range(0.0, 2.0) as f32,
                contrast: reader.range(0.5, 1.5) as f32,
            },
            Augmentation::Crop => {
                let mut shift = |side: f64| {
                    let most = (0.125 * side + 0.5).floor() as usize;
                    reader.below(2 * most + 1) as f64 - most as f64
                };
                let (down, right) = (shift(height), shift(width));
                self.sampled(|y, x| (y + down, x + right))
            }
            Augmentation::Cutout => {
                let (tall, wide) = ((0.5 * height).floor(), (0.5 * width).floor());
                let top = reader.below((height - tall) as usize + 1) as f64;
                let left = reader.below((width - wide) as usize + 1) as f64;
                let hidden = |y: f64, x: f64| y >= top && y < top + tall && x >= left && x < left + wide;
                self.sampled(|y, x| if hidden(y, x) { (-9.0, -9.0) } else { (y, x) })
            }
            Augmentation::Scale => {
                let (down, across) = (reader.range(1.0 / 1.2, 1.2), reader.range(1.0 / 1.2, 1.2));
                self.sampled(|y, x| (middle_y + (y - middle_y) * down, middle_x + (x - middle_x) * across))
            }
            Augmentation::Rotate => {
                let (sine, cosine) = reader.range(-15.0, 15.0).to_radians().sin_cos();
                self.sampled(|y, x| {
                    let (v, u) = (y - middle_y, x - middle_x);
                    (middle_y + cosine * v + sine * u, middle_x + cosine * u - sine * v)
                })
            }
            Augmentation::Flip => {
                let flips = reader.uniform() < 0.5;
                self.sampled(|y, x| (y, if flips { width - 1.0 - x } else { x }))
            }
        }
    }
}

/// `factor x + (1 - factor) mean`, the means those of pixels over channels.
fn saturate(image: &mut [f32], channels: usize, factor: f32) {
    let plane = image.len() / channels;
    for pixel in 0..plane {
        let mean = (0..channels).map(|c| image[c * plane + pixel]).sum::<f32>() / channels as f32;
        for c in 0..channels {
            let x = &mut image[c * plane + pixel];
            *x = factor * *x + (1.0 - factor) * mean;
        }
    }
}

/// The same with the mean of the whole image.
fn contrasted(image: &mut [f32], factor: f32) {
    let mean = (image.iter().map(|x| f64::from(*x)).sum::<f64>() / image.len() as f64) as f32;
    image.iter_mut().for_each(|x| *x = factor * *x + (1.0 - factor) * mean);
}

impl FeatureMap<f32> for Augment {
    fn feature_dim(&self, dim: usize) -> usize {
        dim
    }

    fn draw(&mut self, draw: u64) {
        let mut reader = Stream::new(self.seed, Purpose::Augment, draw).reader();
        let kind = self.kinds[reader.below(self.kinds.len())];
        self.drawn = self.drawn(kind, &mut reader);
    }

    fn forward(&mut self, points: &[f32], dim: usize) -> Vec<f32> {
        assert_eq!(dim, self.shape.len(), "images of the shape that is augmented");
        let mut out = points.to_vec();
        match &self.drawn {
            Drawn::Pixels { taps, outside } => {
                let planes = out.chunks_exact_mut(taps.len()).zip(points.chunks_exact(taps.len()));
                for ((out, x), fill) in planes.zip(self.fill.iter().cycle()) {
                    for ((out, taps), outside) in out.iter_mut().zip(taps).zip(outside) {
                        let sum: f32 = taps.iter().map(|(at, weight)| weight * x[*at as usize]).sum();
                        *out = sum + outside * fill;
                    }
                }
            }
            Drawn::Colour { brightness, saturation, contrast } => {
                for image in out.chunks_exact_mut(dim) {
                    image.iter_mut().for_each(|x| *x += brightness);
                    saturate(image, self.shape.channels, *saturation);
                    contrasted(image, *contrast);
                }
            }
        }
        out
    }

    fn backward(&mut self, cotangents: &[f32]) -> Vec<f32> {
        match &self.drawn {
            Drawn::Pixels { taps, .. } => {
                let mut out = vec![0.0; cotangents.len()];
                let planes = out.chunks_exact_mut(taps.len()).zip(cotangents.chunks_exact(taps.len()));
                for (out, c) in planes {
                    for (taps, c) in taps.iter().zip(c) {
                        taps.iter().for_each(|(at, weight)| out[*at as usize] += weight * c);
                    }
                }
                out
            }
            // Both maps are symmetric.
            Drawn::Colour { saturation, contrast, .. } => {
                let mut out = cotangents.to_vec();
                for image in out.chunks_exact_mut(self.shape.len()) {
                    contrasted(image, *contrast);
                    saturate(image, self.shape.channels, *saturation);
                }
                out
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(step: u64, len: usize) -> Vec<f32> {
        let mut values = vec![0.0; len];
        Stream::new(17, Purpose::Test, step).normals(0, &mut values);
        values.into_iter().map(|x| x as f32).collect()
    }

    #[test]
    fn what_goes_back_is_the_transpose() {
        for (shape, kinds) in [
            (ImageShape { width: 9, height: 7, channels: 1 }, &Augmentation::ALL[..]),
            (ImageShape { width: 8, height: 8, channels: 3 }, &Augmentation::ALL[..]),
        ] {
            let dim = shape.len();
            for kind in kinds {
                for draw in 0..6 {
                    let mut augment = Augment::new(shape, &[*kind], vec![-0.3; shape.channels], 5);
                    augment.draw(draw);
                    let (x, v, c) = (noise(1, 2 * dim), noise(2, 2 * dim), noise(3, 2 * dim));
                    let moved: Vec<f32> = x.iter().zip(&v).map(|(x, v)| x + v).collect();
                    let (from, to) = (augment.forward(&x, dim), augment.forward(&moved, dim));
                    let dot = |a: &[f32], b: &[f32]| -> f64 {
                        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
                    };
                    let change: Vec<f32> = to.iter().zip(&from).map(|(a, b)| a - b).collect();
                    let (found, expected) = (dot(&augment.backward(&c), &v), dot(&c, &change));
                    assert!((found - expected).abs() < 1e-3, "{kind:?}: {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn cutout_hides_a_quarter_and_shifts_bring_the_fill_in() {
        let shape = ImageShape { width: 28, height: 28, channels: 1 };
        for draw in 0..20 {
            let mut cut = Augment::new(shape, &[Augmentation::Cutout], vec![-1.0], 1);
            cut.draw(draw);
            let hidden = cut.forward(&[1.0; 784], 784).iter().filter(|x| **x == -1.0).count();
            assert_eq!(hidden, 196);
            let mut crop = Augment::new(shape, &[Augmentation::Crop], vec![-1.0], 1);
            crop.draw(draw);
            let moved = crop.forward(&[1.0; 784], 784);
            assert!(moved.iter().all(|x| *x == 1.0 || *x == -1.0));
            assert!(moved.iter().filter(|x| **x == -1.0).count() <= 784 - 24 * 24);
        }
        let colours = ImageShape { channels: 3, ..shape };
        let mut cut = Augment::new(colours, &[Augmentation::Cutout], vec![-1.0, -2.0, -3.0], 1);
        cut.draw(1);
        for (channel, plane) in cut.forward(&[1.0; 2352], 2352).chunks(784).enumerate() {
            let filled = -1.0 - channel as f32;
            assert_eq!(plane.iter().filter(|x| **x == filled).count(), 196, "{channel}");
        }
        let mut turn = Augment::new(shape, &[Augmentation::Rotate], vec![0.0], 1);
        turn.draw(1);
        // Far inside, a constant stays what it is.
        assert!((turn.forward(&[1.0; 784], 784)[14 * 28 + 14] - 1.0).abs() < 1e-6);
    }
}
