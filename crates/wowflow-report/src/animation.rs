//! Animated pictures: one palette for all frames, and only what changed in each.

use std::borrow::Cow;
use std::collections::BTreeSet;

use gif::{DisposalMethod, Encoder, Frame, Repeat};

use crate::error::ReportError;
use crate::palette::{PAPER, Rgb};
use crate::picture::Picture;

const NAME: &str = "animation";
/// Index 0 stands for "as before"; colours start at 1.
const SAME: u8 = 0;
const MAX_COLORS: usize = 255;
/// Frames beyond which files grow and nothing is gained.
pub(crate) const MOST_FRAMES: usize = 48;
/// Ways to write an animation, from finest to smallest: noise hardly packs, so that animations of
/// noisy images would otherwise reach tens of megabytes.
const QUALITIES: [Quality; 3] = [
    Quality { greys: 64, colors: MAX_COLORS, tolerance: 0 },
    Quality { greys: 32, colors: 160, tolerance: 9 },
    Quality { greys: 16, colors: 96, tolerance: 18 },
];
/// A finer quality is kept if it needs no more than this for a frame.
const BYTES_A_FRAME: usize = 70_000;
/// Bits a channel keeps when there are too many colours to list.
const BITS: u32 = 5;

/// At most `wanted` of `count` positions, evenly spaced, with both ends.
pub(crate) fn evenly(count: usize, wanted: usize) -> Vec<usize> {
    if count <= wanted {
        return (0..count).collect();
    }
    (0..wanted).map(|i| (i * (count - 1) + (wanted - 1) / 2) / (wanted - 1)).collect()
}

/// How much detail an animation keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Quality {
    /// Shades, if all frames are grey.
    greys: usize,
    /// Colours, if there are more than fit.
    colors: usize,
    /// A pixel within this of its wanted colour is left as it is, except in the last frame.
    tolerance: u8,
}

/// How long frames stay, in hundredths of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    /// Every frame but the first and the last.
    pub(crate) frame: u16,
    /// The first.
    pub(crate) first: u16,
    /// The last.
    pub(crate) last: u16,
}

impl Timing {
    /// About six seconds for the whole, with a rest at both ends.
    pub(crate) fn for_frames(count: usize) -> Self {
        let frame = (600 / count.max(1)).clamp(5, 30) as u16;
        Self { frame, first: 60.max(frame), last: 200 }
    }
}

/// Encodes `count` frames of equal size as a GIF that loops for ever.
///
/// `draw(i)` gives frame `i` and is called several times for each: once to find the colours, then
/// once for each quality tried.
pub(crate) fn encode(
    count: usize,
    timing: Timing,
    mut draw: impl FnMut(usize) -> Result<Picture, ReportError>,
) -> Result<Vec<u8>, ReportError> {
    let mut census = Census::new();
    let mut size = None;
    for index in 0..count {
        let picture = draw(index)?;
        let found = (picture.width(), picture.height());
        let expected = *size.get_or_insert(found);
        if found != expected {
            return Err(ReportError::picture(
                NAME,
                format!("frames of {}x{} pixels", expected.0, expected.1),
                format!("{}x{} in frame {}", found.0, found.1, index + 1),
            ));
        }
        census.add(&picture);
    }
    let Some((width, height)) = size else {
        return Err(ReportError::picture(NAME, "at least one frame", "none"));
    };
    let (Ok(screen_width), Ok(screen_height)) = (u16::try_from(width), u16::try_from(height)) else {
        return Err(ReportError::picture(
            NAME,
            "frames of at most 65535 pixels a side",
            format!("{width}x{height}"),
        ));
    };
    let failed = |error: gif::EncodingError| {
        ReportError::picture(NAME, "frames the format can hold", error.to_string())
    };
    let mut bytes = Vec::new();
    for quality in QUALITIES {
        let palette = census.palette(quality);
        let colors = palette.colors();
        bytes.clear();
        let mut encoder =
            Encoder::new(&mut bytes, screen_width, screen_height, &colors.concat()).map_err(failed)?;
        encoder.set_repeat(Repeat::Infinite).map_err(failed)?;
        let mut shown: Vec<u8> = Vec::new();
        for index in 0..count {
            let mut wanted = palette.indices(&draw(index)?);
            let delay = match index {
                _ if index + 1 == count => timing.last,
                0 => timing.first,
                _ => timing.frame,
            };
            if index + 1 < count {
                keep_similar(&shown, &mut wanted, &colors, quality.tolerance);
            }
            let frame = difference(&shown, &wanted, width, height);
            encoder.write_frame(&Frame { delay, ..frame }).map_err(failed)?;
            shown = wanted;
        }
        drop(encoder);
        if bytes.len() <= count * BYTES_A_FRAME {
            break;
        }
    }
    Ok(bytes)
}

/// Where a shown colour is as good as the wanted one, wants the shown one.
fn keep_similar(shown: &[u8], wanted: &mut [u8], colors: &[Rgb], tolerance: u8) {
    if tolerance == 0 {
        return;
    }
    for (&shown, wanted) in shown.iter().zip(wanted) {
        let (old, new) = (colors[usize::from(shown)], colors[usize::from(*wanted)]);
        if old.iter().zip(&new).all(|(a, b)| a.abs_diff(*b) <= tolerance) {
            *wanted = shown;
        }
    }
}

/// The smallest rectangle that turns `shown` into `wanted`; everything if nothing was shown.
fn difference(shown: &[u8], wanted: &[u8], width: usize, height: usize) -> Frame<'static> {
    let changed = |x: usize, y: usize| shown.get(y * width + x) != Some(&wanted[y * width + x]);
    let rows = (0..height).filter(|&y| (0..width).any(|x| changed(x, y)));
    let (mut top, mut bottom, mut left, mut right) = (height, 0, width, 0);
    for y in rows {
        (top, bottom) = (top.min(y), bottom.max(y + 1));
        for x in (0..width).filter(|&x| changed(x, y)) {
            (left, right) = (left.min(x), right.max(x + 1));
        }
    }
    if top >= bottom {
        // A frame needs a pixel even when nothing moved.
        (top, bottom, left, right) = (0, 1, 0, 1);
    }
    let mut buffer = Vec::with_capacity((bottom - top) * (right - left));
    for y in top..bottom {
        for x in left..right {
            buffer.push(if changed(x, y) { wanted[y * width + x] } else { SAME });
        }
    }
    Frame {
        left: left as u16,
        top: top as u16,
        width: (right - left) as u16,
        height: (bottom - top) as u16,
        transparent: Some(SAME),
        dispose: DisposalMethod::Keep,
        buffer: Cow::Owned(buffer),
        ..Frame::default()
    }
}

/// What colours occur: an exact list while it is short, a coarse histogram in any case.
struct Census {
    grey: bool,
    exact: Option<BTreeSet<Rgb>>,
    counts: Vec<u64>,
}

impl Census {
    fn new() -> Self {
        Self { grey: true, exact: Some(BTreeSet::new()), counts: vec![0; 1 << (3 * BITS)] }
    }

    fn add(&mut self, picture: &Picture) {
        self.grey &= picture.is_grey();
        let mut last = None;
        for &pixel in picture.pixels() {
            self.counts[bin(pixel)] += 1;
            // Runs of one colour are the rule in figures.
            if last != Some(pixel) {
                if let Some(colors) = &mut self.exact {
                    colors.insert(pixel);
                    if colors.len() > MAX_COLORS {
                        self.exact = None;
                    }
                }
                last = Some(pixel);
            }
        }
    }

    fn palette(&self, quality: Quality) -> Palette {
        match &self.exact {
            _ if self.grey => Palette::Grey(quality.greys),
            Some(colors) => Palette::Exact(colors.iter().copied().collect()),
            None => Palette::coarse(&self.counts, quality.colors),
        }
    }
}

/// A way to write colours as indices from 1 to 255.
enum Palette {
    /// This many evenly spaced shades from black to white.
    Grey(usize),
    /// All colours that occur, sorted.
    Exact(Vec<Rgb>),
    /// Representative colours, and the one to use for every bin of the histogram.
    Coarse { colors: Vec<Rgb>, of_bin: Vec<u8> },
}

impl Palette {
    /// The colour of every index; that of index 0 is never seen.
    fn colors(&self) -> Vec<Rgb> {
        let colors = match self {
            Self::Grey(greys) => (0..*greys).map(|i| [shade(i, *greys); 3]).collect(),
            Self::Exact(colors) | Self::Coarse { colors, .. } => colors.clone(),
        };
        [&[PAPER], colors.as_slice()].concat()
    }

    fn indices(&self, picture: &Picture) -> Vec<u8> {
        let index = |&pixel: &Rgb| match self {
            Self::Grey(greys) => 1 + ((usize::from(pixel[0]) * (greys - 1) + 127) / 255) as u8,
            Self::Exact(colors) => 1 + colors.binary_search(&pixel).unwrap_or(0) as u8,
            Self::Coarse { of_bin, .. } => of_bin[bin(pixel)],
        };
        picture.pixels().iter().map(index).collect()
    }

    /// Splits the occurring colours by the median along their longest side until there are `limit` boxes.
    fn coarse(counts: &[u64], limit: usize) -> Self {
        let occurring: Vec<usize> = (0..counts.len()).filter(|&bin| counts[bin] > 0).collect();
        // Paper keeps a colour of its own, lest large areas turn off-white.
        let paper = bin(PAPER);
        let mut boxes = vec![occurring.into_iter().filter(|&bin| bin != paper).collect::<Vec<_>>()];
        while boxes.len() < limit - 1 {
            let weight = |bins: &[usize]| bins.iter().map(|&bin| counts[bin]).sum::<u64>() as f64;
            let urgency = |bins: &[usize]| f64::from(longest(bins).1) * weight(bins).sqrt();
            let widest = (0..boxes.len())
                .filter(|&i| boxes[i].len() > 1)
                .max_by(|&i, &j| urgency(&boxes[i]).total_cmp(&urgency(&boxes[j])));
            let Some(widest) = widest else { break };
            let (axis, _) = longest(&boxes[widest]);
            let half = weight(&boxes[widest]) / 2.0;
            boxes[widest].sort_by_key(|&bin| (center(bin)[axis], bin));
            let mut sum = 0.0;
            let before = boxes[widest].iter().position(|&bin| {
                sum += counts[bin] as f64;
                sum >= half
            });
            let cut = (before.unwrap_or(0) + 1).min(boxes[widest].len() - 1);
            let second = boxes[widest].split_off(cut);
            boxes.push(second);
        }
        let (mut colors, mut of_bin) = (vec![PAPER], vec![1; counts.len()]);
        for bins in boxes.iter().filter(|bins| !bins.is_empty()) {
            let total: u64 = bins.iter().map(|&bin| counts[bin]).sum();
            let mean = |axis: usize| {
                let sum: u64 = bins.iter().map(|&bin| u64::from(center(bin)[axis]) * counts[bin]).sum();
                ((sum + total / 2) / total) as u8
            };
            colors.push([mean(0), mean(1), mean(2)]);
            for &bin in bins {
                of_bin[bin] = colors.len() as u8;
            }
        }
        Self::Coarse { colors, of_bin }
    }
}

fn shade(index: usize, greys: usize) -> u8 {
    ((index * 255 + (greys - 1) / 2) / (greys - 1)) as u8
}

fn bin(pixel: Rgb) -> usize {
    pixel.iter().fold(0, |sum, &value| (sum << BITS) | usize::from(value >> (8 - BITS)))
}

/// The colour a bin stands for; the outermost bins stand for the full extremes.
fn center(bin: usize) -> Rgb {
    let levels = (1 << BITS) - 1;
    let channel = |shift: u32| (((bin >> shift) & levels) * 255 / levels) as u8;
    [channel(2 * BITS), channel(BITS), channel(0)]
}

/// The axis along which bins spread most, and how far.
fn longest(bins: &[usize]) -> (usize, u8) {
    let spread = |axis: usize| {
        let values = bins.iter().map(|&bin| center(bin)[axis]);
        values.clone().max().unwrap_or(0) - values.min().unwrap_or(0)
    };
    let spreads = [spread(0), spread(1), spread(2)];
    let axis = (0..3).fold(0, |best, axis| if spreads[axis] > spreads[best] { axis } else { best });
    (axis, spreads[axis])
}

/// All frames of a GIF as a viewer shows them, with their delays.
#[cfg(test)]
pub(crate) fn decode(bytes: &[u8]) -> Vec<(u16, Picture)> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut reader = options.read_info(bytes).unwrap();
    assert_eq!(reader.repeat(), Repeat::Infinite);
    let (width, height) = (usize::from(reader.width()), usize::from(reader.height()));
    let mut screen = vec![[0u8; 3]; width * height];
    let mut frames = Vec::new();
    while let Some(frame) = reader.read_next_frame().unwrap() {
        for (i, pixel) in frame.buffer.chunks_exact(4).enumerate() {
            let (x, y) = (i % usize::from(frame.width), i / usize::from(frame.width));
            if pixel[3] > 0 {
                let at = (usize::from(frame.top) + y) * width + usize::from(frame.left) + x;
                screen[at].copy_from_slice(&pixel[..3]);
            }
        }
        frames.push((frame.delay, Picture::new(width, height, screen.clone())));
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMING: Timing = Timing { frame: 10, first: 60, last: 200 };

    fn played(frames: &[Picture]) -> Vec<(u16, Picture)> {
        decode(&encode(frames.len(), TIMING, |i| Ok(frames[i].clone())).unwrap())
    }

    fn picture(color: impl Fn(usize, usize) -> Rgb) -> Picture {
        Picture::new(20, 16, (0..320).map(|i| color(i % 20, i / 20)).collect())
    }

    #[test]
    fn few_colours_come_back_exactly_frame_by_frame() {
        let frames: Vec<Picture> = (0..4)
            .map(|t| picture(|x, y| if x / 4 == t && y > 5 { [200, 10 * t as u8, 3] } else { PAPER }))
            .collect();
        let shown = played(&frames);
        assert_eq!(shown.iter().map(|(delay, _)| *delay).collect::<Vec<_>>(), vec![60, 10, 10, 200]);
        assert!(shown.iter().zip(&frames).all(|((_, shown), frame)| shown == frame));
    }

    #[test]
    fn greys_are_within_half_a_shade_and_extremes_exact() {
        let frames = [0, 50].map(|add| picture(|x, y| [((x + 16 * y) % 206 + add) as u8; 3]));
        for ((_, shown), frame) in played(&frames).iter().zip(&frames) {
            for (a, b) in shown.pixels().iter().zip(frame.pixels()) {
                assert!(a[0].abs_diff(b[0]) <= 2 && a[0] == a[1] && a[1] == a[2], "{a:?} {b:?}");
            }
        }
        let shown = played(&[picture(|x, _| [if x < 9 { 0 } else { 255 }; 3])]);
        assert_eq!((shown[0].1.pixels()[0], shown[0].1.pixels()[19]), ([0; 3], [255; 3]));
    }

    #[test]
    fn many_colours_are_close_and_paper_stays_white() {
        let frames: Vec<Picture> = (0..12)
            .map(|t| picture(|x, y| if y == 0 { PAPER } else { [x as u8 * 12, y as u8 * 15, t as u8 * 20] }))
            .collect();
        let mut total = 0u64;
        for ((_, shown), frame) in played(&frames).iter().zip(&frames) {
            assert!(shown.pixels()[..20].iter().all(|&pixel| pixel == PAPER));
            let pairs = shown.pixels().as_flattened().iter().zip(frame.pixels().as_flattened());
            total += pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>();
        }
        let mean = total as f64 / (12.0 * 320.0 * 3.0);
        assert!(mean < 14.0, "mean error {mean}");
    }

    #[test]
    fn noise_is_coarsened_to_fit_but_the_last_frame_stays_true() {
        let mut state = 1u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            [(state >> 56) as u8; 3]
        };
        let frames: Vec<Picture> =
            (0..3).map(|_| Picture::new(400, 400, (0..160_000).map(|_| noise()).collect())).collect();
        let bytes = encode(3, TIMING, |i| Ok(frames[i].clone())).unwrap();
        // Sixteen shades take four bits a pixel and the encoder's overhead, eight bits take twice that.
        assert!(bytes.len() < 3 * 130_000, "{}", bytes.len());
        let shown = decode(&bytes);
        let error = |i: usize| -> u8 {
            let pairs = shown[i].1.pixels().iter().zip(frames[i].pixels());
            pairs.map(|(a, b)| a[0].abs_diff(b[0])).max().unwrap()
        };
        assert!(error(2) <= 9 && error(1) <= 27, "{} {}", error(1), error(2));
    }

    #[test]
    fn positions_are_even_with_both_ends() {
        assert_eq!(evenly(3, 48), [0, 1, 2]);
        assert_eq!(evenly(101, 5), [0, 25, 50, 75, 100]);
        let chosen = evenly(61, 48);
        assert_eq!((chosen.len(), chosen[0], chosen[47]), (48, 0, 60));
        assert!(chosen.windows(2).all(|w| w[0] < w[1]));
    }

    #[test]
    fn a_frame_without_change_is_kept_and_no_frames_are_refused() {
        let still = picture(|x, _| [x as u8; 3]);
        let shown = played(&[still.clone(), still.clone(), still]);
        assert_eq!(shown.len(), 3);
        assert_eq!(shown[0].1, shown[2].1);
        assert!(matches!(
            encode(0, TIMING, |_| unreachable!()),
            Err(ReportError::Picture { picture: NAME, .. })
        ));
        let sizes = [Picture::new(1, 1, vec![PAPER]), Picture::new(2, 1, vec![PAPER; 2])];
        let text = encode(2, TIMING, |i| Ok(sizes[i].clone())).unwrap_err().to_string();
        assert_eq!(text, "expected frames of 1x1 pixels for the animation, found 2x1 in frame 2");
    }
}
