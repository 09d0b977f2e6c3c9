//! Hand-drawn characters: deforms stroke descriptions and renders them with a soft pen.

use std::f64::consts::TAU;

use wowflow::rng::Reader;

use strokes::{Piece, Variant};

mod strokes;

/// The characters that [`Generator::Glyphs`](crate::generate::Generator::Glyphs) draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// The digits 0 to 9, labeled by number.
    Digits,
    /// Ten capital letters unlike the digits, labeled by themselves.
    Letters,
}

impl Alphabet {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "digits" => Some(Self::Digits),
            "letters" => Some(Self::Letters),
            _ => None,
        }
    }
}

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

/// How an alphabet is written. The two differ in style as well as in shape, as two collections of
/// images do.
struct Style {
    /// Half the pen's width in pixels, thinnest and thickest.
    pen: [f64; 2],
    /// Largest slope of a wave of the wobble: its amplitude times its angular frequency.
    wobble: f64,
}

/// Digits: a pen and a steady hand.
const PEN: Style = Style { pen: [0.8, 1.3], wobble: 0.28 };
/// Letters: a marker and a loose hand.
const MARKER: Style = Style { pen: [1.7, 2.6], wobble: 0.45 };

type Point = [f64; 2];

/// How one sample departs from its description.
struct Hand {
    wobble: Wobble,
    /// Rows of the map from the box of the strokes, of height 1, to pixels.
    linear: [Point; 2],
    /// Where the middle of the character goes, in pixels.
    middle: Point,
    /// Half the pen's width in pixels.
    radius: f64,
    /// Width in pixels of the pen's edge, from full ink to none.
    edge: f64,
}

impl Hand {
    fn new(draws: &mut Reader, style: &Style) -> Self {
        let wobble = Wobble::new(draws, style.wobble);
        let [thin, thick] = style.pen;
        // Right-handed writing leans to the right more often than to the left.
        let (slant, turn) = (draws.range(-0.25, 0.4), draws.range(-0.16, 0.16));
        let scale = [draws.range(0.75, 1.1) * HEIGHT, draws.range(0.85, 1.06) * HEIGHT];
        let (sin, cos) = turn.sin_cos();
        // Scale, then slant (up goes right), then turn.
        let (xx, xy, yy) = (scale[0], -slant * scale[1], scale[1]);
        let linear = [[cos * xx, cos * xy - sin * yy], [sin * xx, sin * xy + cos * yy]];
        let centre = SIDE as f64 / 2.0;
        let middle = [0.0; 2].map(|_: f64| centre + draws.range(-1.5, 1.5));
        Self { wobble, linear, middle, radius: draws.range(thin, thick), edge: draws.range(0.9, 1.4) }
    }

    fn apply(&self, point: Point) -> Point {
        let [x, y] = self.wobble.apply(point);
        self.linear.map(|[a, b]| a * x + b * y)
    }
}

/// A smooth random displacement of the plane: joined strokes stay joined.
struct Wobble {
    waves: [Wave; 5],
}

struct Wave {
    /// Angular frequency, in radians a height.
    frequency: Point,
    phase: f64,
    amplitude: Point,
}

impl Wobble {
    fn new(draws: &mut Reader, slope: f64) -> Self {
        let waves = std::array::from_fn(|octave| {
            let frequency = 3.5 + 1.6 * octave as f64;
            let [along, across] = [0.0; 2].map(|_: f64| draws.range(0.0, TAU).sin_cos());
            // Fewer wrinkles than bends: the amplitude falls with the frequency.
            let size = draws.range(0.0, slope / frequency);
            Wave {
                frequency: [frequency * along.1, frequency * along.0],
                phase: draws.range(0.0, TAU),
                amplitude: [size * across.1, size * across.0],
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
    let (variants, style): (&[Variant], Style) = match alphabet {
        Alphabet::Digits => (strokes::DIGITS[class], PEN),
        Alphabet::Letters => (strokes::LETTERS[class].1, MARKER),
    };
    let hand = Hand::new(draws, &style);
    let variant = variants[draws.below(variants.len())];
    let mut lines: Vec<Vec<Point>> = variant
        .iter()
        .map(|piece| flatten(piece).into_iter().map(|point| hand.apply(point)).collect())
        .collect();
    place(&mut lines, &hand);
    render(&lines, &hand, out);
}

/// The piece as a fine polyline in a box of height 1.
fn flatten(piece: &Piece) -> Vec<Point> {
    let (coordinates, steps) = match piece {
        Piece::Line(coordinates) => (coordinates, LINE_STEPS),
        Piece::Curve(coordinates) => (coordinates, CURVE_STEPS),
    };
    let points: Vec<Point> =
        coordinates.chunks_exact(2).map(|xy| [0, 1].map(|axis| f64::from(xy[axis]) / 100.0)).collect();
    let last = points.len() - 1;
    let closed = points[0] == points[last];
    let mut line = vec![points[0]];
    for (i, pair) in points.windows(2).enumerate() {
        let [b, c] = [pair[0], pair[1]];
        line.extend((1..=steps).map(|step| {
            let t = step as f64 / steps as f64;
            match piece {
                Piece::Line(_) => [0, 1].map(|axis| b[axis] + t * (c[axis] - b[axis])),
                Piece::Curve(_) => {
                    let before =
                        if i == 0 && closed { points[last - 1] } else { points[i.saturating_sub(1)] };
                    let after = if i + 1 == last && closed { points[1] } else { points[(i + 2).min(last)] };
                    catmull_rom([before, b, c, after], t)
                }
            }
        }));
    }
    line
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces() -> impl Iterator<Item = &'static Piece> {
        let letters = strokes::LETTERS.iter().map(|(_, variants)| variants);
        strokes::DIGITS.iter().chain(letters).flat_map(|variants| variants.iter()).flat_map(|v| v.iter())
    }

    #[test]
    fn strokes_are_points_in_pairs_that_are_passed_in_order() {
        for piece in pieces() {
            let (Piece::Line(coordinates) | Piece::Curve(coordinates)) = piece;
            assert!(coordinates.len() >= 4 && coordinates.len().is_multiple_of(2), "{coordinates:?}");
            assert!(coordinates.iter().all(|&c| c <= 100), "{coordinates:?}");
            let steps = if matches!(piece, Piece::Line(_)) { LINE_STEPS } else { CURVE_STEPS };
            let line = flatten(piece);
            assert_eq!(line.len(), steps * (coordinates.len() / 2 - 1) + 1);
            for (passed, named) in line.iter().step_by(steps).zip(coordinates.chunks_exact(2)) {
                let off = (0..2).map(|axis| (passed[axis] - f64::from(named[axis]) / 100.0).abs());
                assert!(off.fold(0.0, f64::max) < 1e-12, "{passed:?} {named:?}");
            }
        }
    }

    #[test]
    fn closed_curves_have_no_corner_where_they_close() {
        let round = flatten(&Piece::Curve(&[50, 0, 100, 50, 50, 100, 0, 50, 50, 0]));
        let leave = round[1][1] - round[0][1];
        let arrive = round[round.len() - 2][1] - round[0][1];
        assert!((leave - arrive).abs() < 1e-12, "{leave} {arrive}");
    }

    #[test]
    fn distance_to_a_segment_is_to_its_inside_or_its_ends() {
        let (a, b) = ([0.0, 0.0], [4.0, 0.0]);
        assert_eq!(squared_distance([1.0, 2.0], a, b), 4.0);
        assert_eq!(squared_distance([7.0, 4.0], a, b), 25.0);
        assert_eq!(squared_distance([-3.0, 0.0], a, b), 9.0);
        assert_eq!(squared_distance([3.0, 4.0], a, a), 25.0);
    }
}
