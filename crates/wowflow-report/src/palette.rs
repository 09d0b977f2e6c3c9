//! The colours of figures: ink, paper, and a colour a class that colour-blind readers can tell apart.

/// Red, green, blue.
pub(crate) type Rgb = [u8; 3];

pub(crate) const PAPER: Rgb = [255, 255, 255];
pub(crate) const INK: Rgb = [34, 34, 34];
pub(crate) const MUTED: Rgb = [110, 110, 110];
pub(crate) const FRAME: Rgb = [150, 150, 150];
pub(crate) const GRID: Rgb = [232, 232, 232];
pub(crate) const TARGET: Rgb = [176, 176, 176];

/// Okabe and Ito's colours without yellow, which vanishes on white, and three dark ones to make ten.
const CLASSES: [Rgb; 10] = [
    [0, 114, 178],
    [213, 94, 0],
    [0, 158, 115],
    [204, 121, 167],
    [230, 159, 0],
    [86, 180, 233],
    [70, 70, 70],
    [120, 50, 20],
    [110, 112, 20],
    [70, 40, 130],
];

/// Number of classes with a colour of their own; further ones start over.
pub(crate) const CLASS_COLORS: usize = CLASSES.len();

/// The colour of a class or of a curve.
pub(crate) fn class_color(class: usize) -> Rgb {
    CLASSES[class % CLASSES.len()]
}
