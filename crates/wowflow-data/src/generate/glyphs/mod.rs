//! Hand-drawn characters: deforms stroke descriptions and renders them with a soft pen.

use wowflow::rng::Reader;

use super::Alphabet;
use strokes::{Piece, Variant};

mod strokes;

pub(super) const CLASSES: usize = 10;
/// Pixels from left to right and from top to bottom.
pub(super) const SIDE: usize = 28;

/// Height of a character in pixels before its deformation, as in MNIST.
const HEIGHT: f64 = 20.0;
/// Empty frame, in pixels, that no ink enters.
const MARGIN: f64 = 1.0;
/// Straight pieces a curve has between two of its points.
const CURVE_STEPS: usize = 6;
/// Pieces a line is cut into, so that it bends with the wobble.
const LINE_STEPS: usize = 8;

type Point = [f64; 2];

/// How one sample departs from its description.
struct Hand {
    wobble: Wobble,
    /// Rows of the linear part: unit square to pixels.
    linear: [Point; 2],
    /// Where the middle of the character goes, in pixels.
    middle: Point,
    /// Half the pen's width in pixels.
    radius: f64,
    /// Width in pixels of the pen's edge, from full ink to none.
    edge: f64,
}

impl Hand {
    fn new(draws: &mut Reader) -> Self {
        let wobble = Wobble::new(draws);
        let (slant, turn) = (0.18 * draws.normal(), 0.09 * draws.normal());
        let scale = [draws.range(0.72, 1.08) * HEIGHT, draws.range(0.85, 1.06) * HEIGHT];
        let (sin, cos) = turn.sin_cos();
        // Scale, then slant (up goes right), then turn.
        let (xx, xy, yy) = (scale[0], -slant * scale[1], scale[1]);
        let linear = [[cos * xx, cos * xy - sin * yy], [sin * xx, sin * xy + cos * yy]];
        let centre = SIDE as f64 / 2.0;
        let middle = [0.0; 2].map(|_: f64| centre + draws.range(-1.2, 1.2));
        Self { wobble, linear, middle, radius: draws.range(0.8, 1.75), edge: draws.range(0.9, 1.4) }
    }

    fn apply(&self, point: Point) -> Point {
        let [x, y] = self.wobble.apply(point);
        self.linear.map(|[a, b]| a * x + b * y)
    }
}

/// A smooth random displacement of the unit square: joined strokes stay joined.
struct Wobble {
    waves: [Wave; 5],
}

struct Wave {
    frequency: Point,
    phase: f64,
    amplitude: Point,
}

impl Wobble {
    fn new(draws: &mut Reader) -> Self {
        let waves = std::array::from_fn(|octave| {
            let frequency = 3.5 + 1.6 * octave as f64;
            let (sin, cos) = draws.range(0.0, std::f64::consts::TAU).sin_cos();
            let phase = draws.range(0.0, std::f64::consts::TAU);
            // Fewer wrinkles than bends: the amplitude falls with the frequency.
            let size = 0.14 / frequency;
            Wave {
                frequency: [frequency * cos, frequency * sin],
                phase,
                amplitude: [size * draws.normal(), size * draws.normal()],
            }
        });
        Self { waves }
    }

    fn apply(&self, [x, y]: Point) -> Point {
        let mut moved = [x, y];
        for Wave { frequency, phase, amplitude } in &self.waves {
            let height = (frequency[0] * x + frequency[1] * y + phase).sin();
            moved[0] += amplitude[0] * height;
            moved[1] += amplitude[1] * height;
        }
        moved
    }
}

/// The letter of a class.
pub(super) fn letter(class: usize) -> char {
    strokes::LETTERS[class].0
}

/// Draws one sample of a class into `out`, `SIDE * SIDE` values in [0, 1], black first.
pub(super) fn draw(alphabet: Alphabet, class: usize, draws: &mut Reader, out: &mut [f32]) {
    let variants: &[Variant] = match alphabet {
        Alphabet::Digits => strokes::DIGITS[class],
        Alphabet::Letters => strokes::LETTERS[class].1,
    };
    let hand = Hand::new(draws);
    let variant = variants[draws.below(variants.len())];
    let mut lines: Vec<Vec<Point>> = variant
        .iter()
        .map(|piece| flatten(piece).into_iter().map(|point| hand.apply(point)).collect())
        .collect();
    place(&mut lines, &hand);
    render(&lines, &hand, out);
}

/// The piece as a fine polyline on the unit square.
fn flatten(piece: &Piece) -> Vec<Point> {
    match piece {
        Piece::Line(points) => {
            let mut line = vec![points[0]];
            for pair in points.windows(2) {
                line.extend((1..=LINE_STEPS).map(|step| {
                    let t = step as f64 / LINE_STEPS as f64;
                    [0, 1].map(|axis| pair[0][axis] + t * (pair[1][axis] - pair[0][axis]))
                }));
            }
            line
        }
        Piece::Curve(points) => {
            let last = points.len() - 1;
            let closed = points[0] == points[last];
            let mut line = vec![points[0]];
            for i in 0..last {
                let before = if i > 0 {
                    points[i - 1]
                } else if closed {
                    points[last - 1]
                } else {
                    points[0]
                };
                let after = if i + 2 <= last {
                    points[i + 2]
                } else if closed {
                    points[1]
                } else {
                    points[last]
                };
                let ends = [before, points[i], points[i + 1], after];
                line.extend(
                    (1..=CURVE_STEPS).map(|step| catmull_rom(ends, step as f64 / CURVE_STEPS as f64)),
                );
            }
            line
        }
    }
}

/// The point at `t` in [0, 1] between the middle two of four points of a Catmull–Rom spline.
fn catmull_rom([a, b, c, d]: [Point; 4], t: f64) -> Point {
    [0, 1].map(|axis| {
        let (a, b, c, d) = (a[axis], b[axis], c[axis], d[axis]);
        let (linear, square, cube) = (c - a, 2.0 * a - 5.0 * b + 4.0 * c - d, 3.0 * (b - c) + d - a);
        b + 0.5 * t * (linear + t * (square + t * cube))
    })
}

/// Moves the strokes to the hand's middle, smaller where they would leave the frame.
fn place(lines: &mut [Vec<Point>], hand: &Hand) {
    let ink = hand.radius + hand.edge / 2.0;
    let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for point in lines.iter().flatten() {
        for axis in [0, 1] {
            low[axis] = low[axis].min(point[axis]);
            high[axis] = high[axis].max(point[axis]);
        }
    }
    let room = SIDE as f64 - 2.0 * (MARGIN + ink);
    let extent = (high[0] - low[0]).max(high[1] - low[1]);
    let shrink = (room / extent).min(1.0);
    for axis in [0, 1] {
        let half = shrink * (high[axis] - low[axis]) / 2.0;
        let reach = (room / 2.0 - half).max(0.0);
        let centre = SIDE as f64 / 2.0;
        let middle = hand.middle[axis].clamp(centre - reach, centre + reach);
        let from = (low[axis] + high[axis]) / 2.0;
        for point in lines.iter_mut().flatten() {
            point[axis] = middle + shrink * (point[axis] - from);
        }
    }
}

/// Inks every pixel by the distance of its centre to the nearest stroke.
fn render(lines: &[Vec<Point>], hand: &Hand, out: &mut [f32]) {
    let ink = hand.radius + hand.edge / 2.0;
    let mut nearest = [f64::INFINITY; SIDE * SIDE];
    for segment in lines.iter().flat_map(|line| line.windows(2)) {
        let (a, b) = (segment[0], segment[1]);
        let [columns, rows] = [0, 1].map(|axis| {
            let from = (a[axis].min(b[axis]) - ink - 0.5).floor().max(0.0) as usize;
            let to = (a[axis].max(b[axis]) + ink + 0.5).ceil().min(SIDE as f64) as usize;
            from..to
        });
        for row in rows {
            for column in columns.clone() {
                let squared = squared_distance([column as f64 + 0.5, row as f64 + 0.5], a, b);
                let entry = &mut nearest[row * SIDE + column];
                *entry = entry.min(squared);
            }
        }
    }
    for (value, squared) in out.iter_mut().zip(nearest) {
        let t = ((ink - squared.sqrt()) / hand.edge).clamp(0.0, 1.0);
        *value = (t * t * (3.0 - 2.0 * t)) as f32;
    }
}

/// From a point to the segment between `a` and `b`.
fn squared_distance(point: Point, a: Point, b: Point) -> f64 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let to = [point[0] - a[0], point[1] - a[1]];
    let length = along[0] * along[0] + along[1] * along[1];
    let t = if length > 0.0 { ((to[0] * along[0] + to[1] * along[1]) / length).clamp(0.0, 1.0) } else { 0.0 };
    let off = [to[0] - t * along[0], to[1] - t * along[1]];
    off[0] * off[0] + off[1] * off[1]
}
