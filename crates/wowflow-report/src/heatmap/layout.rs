//! Where the parts of a heat map lie, and what surrounds its cells: names, tree, colour bar.

use wowflow::embedding::Dendrogram;

use super::{HeatMap, MARGIN, NAME};
use crate::canvas::{Align, Canvas, Text, Xy, shorten};
use crate::error::ReportError;
use crate::palette::{FRAME, INK, MUTED, PAPER, Rgb};
use crate::ticks::{self, Label, Tick};
use crate::values::{Unit, value_color};

/// Side that the longer side of the matrix is given, as far as whole cells of a good size allow.
const USUAL_SIDE: i32 = 720;
const CELLS: std::ops::RangeInclusive<i32> = 4..=58;
const LONGEST_NAME: usize = 28;
pub(super) const LONGEST_TITLE: usize = 100;
pub(super) const TREE: i32 = 110;
const BAR: i32 = 18;
/// Cells without a value.
pub(super) const NO_VALUE: Rgb = [222, 222, 222];

/// Height of the colour bar beside a matrix.
fn bar_height(matrix: i32) -> i32 {
    matrix.clamp(120, 420)
}

/// What the colours stand for.
pub(super) struct Scale {
    low: f64,
    high: f64,
    pub(super) unit: Unit,
    /// Whether the diagonal is one of zeros, which is left white.
    blank: bool,
}

impl Scale {
    pub(super) fn of(map: &HeatMap) -> Result<Self, ReportError> {
        let cols = map.col_names.len();
        let blank = map.row_names.len() == cols && (0..cols).all(|i| map.values[i * cols + i] == 0.0);
        let shown = |at: &usize| map.values[*at].is_finite() && !(blank && at / cols == at % cols);
        let mut values: Vec<f64> = (0..map.values.len()).filter(shown).map(|at| map.values[at]).collect();
        if values.is_empty() {
            // A single cell of a distance.
            values.extend(map.values.iter().copied().filter(|value| value.is_finite()));
        }
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if low > high {
            return Err(ReportError::picture(NAME, "at least one finite value", "none"));
        }
        let unit = Unit::of(high.abs().max(low.abs()));
        let (low, high) = match map.range {
            Some((low, high)) if low.is_finite() && high.is_finite() && low < high => (low, high),
            Some((low, high)) => {
                return Err(ReportError::picture(
                    NAME,
                    "a range of values from low to high",
                    format!("{low} to {high}"),
                ));
            }
            None if low < high => (low, high),
            None if low == 0.0 => (-1.0, 1.0),
            None => (low - 0.5 * low.abs(), high + 0.5 * high.abs()),
        };
        Ok(Self { low, high, unit, blank })
    }

    fn place(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// The colour of a cell.
    pub(super) fn color(&self, row: usize, col: usize, value: f64) -> Rgb {
        match value {
            v if !v.is_finite() => NO_VALUE,
            _ if self.blank && row == col => PAPER,
            v => value_color(self.place(v)),
        }
    }
}

/// Where everything lies.
pub(super) struct Layout {
    pub(super) cell: i32,
    pub(super) left: i32,
    pub(super) top: i32,
    /// Number of rows and columns.
    rows: i32,
    cols: i32,
    tree: i32,
    /// Size of names and how many rows or columns share a name that is written.
    names: Text,
    every: usize,
    /// Whether names of columns fit above their columns.
    upright: bool,
    /// Ticks of the colour bar and the width of their texts.
    ticks: Vec<Tick>,
    tick_room: i32,
    /// Size of the numbers in the cells, if they fit.
    pub(super) numbers: Option<Text>,
    pub(super) width: i32,
    pub(super) bottom: i32,
}

impl Layout {
    pub(super) fn of(map: &HeatMap, scale: &Scale) -> Self {
        let (rows, cols) = map.shape();
        let (rows, cols) = (rows as i32, cols as i32);
        let cell = (USUAL_SIDE / rows.max(cols)).clamp(*CELLS.start(), *CELLS.end());
        let names = if cell >= 16 { Text::Small } else { Text::Tiny };
        let every = (names.height() as usize).div_ceil(cell as usize);
        let longest = |all: &[String]| {
            all.iter().map(|name| names.width(&shorten(name, LONGEST_NAME))).max().unwrap_or(0)
        };
        let upright = longest(&map.col_names) + 6 <= cell;
        let left = MARGIN + longest(&map.row_names) + 9;
        let mut top = MARGIN + if map.title.is_empty() { 0 } else { Text::Title.height() + 10 };
        top += 8 + if upright { names.height() } else { longest(&map.col_names) };
        let tree = if map.tree.is_some() { TREE + 12 } else { 0 };
        let ticks = ticks::linear(scale.low, scale.high, (bar_height(rows * cell) / 60) as usize);
        let tick_room = ticks.iter().map(|tick| match &tick.label {
            Label::Number(text) => Text::Small.width(text),
            _ => 0,
        });
        let tick_room = 8 + tick_room.max().unwrap_or(0) + 10;
        let content = left + cols * cell + tree + 28 + BAR + tick_room + Text::Small.height() + MARGIN;
        let title = Text::Title.width(&shorten(&map.title, LONGEST_TITLE)) + 2 * MARGIN;
        let bottom = top + (rows * cell).max(120);
        Self {
            cell,
            left,
            top,
            rows,
            cols,
            tree,
            names,
            every,
            upright,
            ticks,
            tick_room,
            numbers: map.number_size(scale, cell),
            width: content.max(title),
            bottom,
        }
    }

    pub(super) fn names(&self, map: &HeatMap, canvas: &mut Canvas, row_order: &[usize], col_order: &[usize]) {
        let half = self.names.height() / 2;
        for (at, &row) in row_order.iter().enumerate().step_by(self.every) {
            let y = self.top + at as i32 * self.cell + self.cell / 2 - half;
            let name = shorten(&map.row_names[row], LONGEST_NAME);
            canvas.text(self.left - 8, y, &name, self.names, Align::Right, INK);
        }
        for (at, &col) in col_order.iter().enumerate().step_by(self.every) {
            let x = self.left + at as i32 * self.cell + self.cell / 2;
            let name = shorten(&map.col_names[col], LONGEST_NAME);
            if self.upright {
                canvas.text(x, self.top - 6 - 2 * half, &name, self.names, Align::Center, INK);
            } else {
                let middle = self.top - 7 - self.names.width(&name) / 2;
                canvas.text_upwards(x - half, middle, &name, self.names, INK);
            }
        }
    }

    pub(super) fn tree(&self, canvas: &mut Canvas, tree: &Dendrogram, order: &[usize]) {
        let base = (self.left + self.cols * self.cell + 6) as f32;
        let highest = tree.merges.iter().map(|merge| merge.height).fold(0.0, f64::max);
        let unit = if highest > 0.0 { f64::from(TREE - 6) / highest } else { 0.0 };
        let mut nodes: Vec<Xy> = vec![(base, 0.0); order.len()];
        for (at, &row) in order.iter().enumerate() {
            nodes[row].1 = self.top as f32 + (at as f32 + 0.5) * self.cell as f32;
        }
        for merge in &tree.merges {
            let (a, b) = (nodes[merge.left], nodes[merge.right]);
            let x = base + (merge.height * unit) as f32;
            canvas.line(&[a, (x, a.1), (x, b.1), b], 1.5, MUTED, 1.0);
            nodes.push((x, (a.1 + b.1) / 2.0));
        }
    }

    pub(super) fn bar(&self, canvas: &mut Canvas, scale: &Scale, label: &str) {
        let left = self.left + self.cols * self.cell + self.tree + 28;
        let height = bar_height(self.rows * self.cell);
        for down in 0..height {
            let place = 1.0 - f64::from(down) / f64::from(height - 1);
            canvas.rect(left, self.top + down, BAR, 1, value_color(place));
        }
        canvas.frame(left - 1, self.top - 1, BAR + 2, height + 2, FRAME);
        for tick in &self.ticks {
            let y = self.top + ((1.0 - scale.place(tick.value)) * f64::from(height - 1)).round() as i32;
            canvas.rect(left + BAR + 1, y, 4, 1, FRAME);
            if let Label::Number(text) = &tick.label {
                let middle = y - Text::Small.height() / 2;
                canvas.text(left + BAR + 8, middle, text, Text::Small, Align::Left, INK);
            }
        }
        let mut label = label.to_owned();
        if scale.unit.power != 0 && self.numbers.is_some() {
            label += &format!(" (cells x 1e{})", scale.unit.power);
        }
        let room = (self.bottom - self.top) / Text::Small.width("0");
        let label = shorten(&label, room as usize);
        let middle = self.top + (height.max(Text::Small.width(&label))) / 2;
        canvas.text_upwards(left + BAR + self.tick_room, middle, &label, Text::Small, INK);
    }
}
