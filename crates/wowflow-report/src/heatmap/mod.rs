//! A matrix as coloured cells, with names, numbers, a colour bar, marked cells and a tree of its rows.

mod layout;

use wowflow::embedding::{Dendrogram, Merge};

use crate::canvas::{Align, Canvas, Text, shorten, wrapped};
use crate::error::ReportError;
use crate::palette::{FRAME, INK, MUTED, class_color};
use crate::picture::Picture;
use crate::values::text_color;
use layout::{LONGEST_TITLE, Layout, Scale};

const NAME: &str = "heat map";
const MARGIN: i32 = 20;

/// A matrix of values, one coloured cell each, small ones pale and large ones dark.
///
/// Values that are not finite are left grey. A diagonal of zeros, that of a distance, is left white
/// and does not set the scale. Numbers are written into the cells when there is room.
#[derive(Clone, Debug, Default)]
pub struct HeatMap {
    /// Written above.
    pub title: String,
    /// Written below, in as many lines as it takes.
    pub note: String,
    /// What the values are, beside the colour bar.
    pub value_label: String,
    /// Names of the rows, in the order of `values`.
    pub row_names: Vec<String>,
    /// Names of the columns.
    pub col_names: Vec<String>,
    /// Values, row-major, as many as rows times columns.
    pub values: Vec<f64>,
    /// Values of the two ends of the scale; `None` takes the least and the largest.
    pub range: Option<(f64, f64)>,
    /// Rows from top to bottom, each once; `None` keeps their order.
    pub row_order: Option<Vec<usize>>,
    /// Columns from left to right, each once.
    pub col_order: Option<Vec<usize>>,
    /// Mass of a coupling in every cell, row-major: cells with mass get a frame, and where a row's
    /// mass is split the share of it in per cent.
    pub masses: Option<Vec<f64>>,
    /// A tree of the rows of a square matrix, drawn beside it; rows and columns take its order.
    pub tree: Option<Dendrogram>,
}

impl HeatMap {
    /// Draws the matrix.
    ///
    /// ```
    /// let picture = wowflow_report::HeatMap {
    ///     title: "W_2 between parts".into(),
    ///     row_names: vec!["train".into(), "test".into()],
    ///     col_names: vec!["train".into(), "test".into()],
    ///     values: vec![0.0, 1.5, 1.5, 0.0],
    ///     ..wowflow_report::HeatMap::default()
    /// }
    /// .draw()?;
    /// assert!(picture.width() > 200);
    /// # Ok::<(), wowflow_report::ReportError>(())
    /// ```
    ///
    /// # Errors
    /// No rows or columns, numbers of values or masses that do not fit them, an order that is none,
    /// a tree of another number of rows, no finite value, or a matrix beyond 16384 pixels a side.
    pub fn draw(&self) -> Result<Picture, ReportError> {
        let (row_order, col_order) = self.orders()?;
        let scale = Scale::of(self)?;
        let layout = Layout::of(self, &scale);
        let lines = wrapped(&self.note, layout.width - 2 * MARGIN, Text::Small);
        let height = layout.bottom + if lines.is_empty() { 0 } else { 8 + 19 * lines.len() as i32 } + MARGIN;
        let mut canvas = Canvas::new(NAME, layout.width as usize, height as usize)?;
        let title = shorten(&self.title, LONGEST_TITLE);
        canvas.text(MARGIN, MARGIN - 4, &title, Text::Title, Align::Left, INK);
        layout.names(self, &mut canvas, &row_order, &col_order);
        self.cells(&mut canvas, &layout, &scale, (&row_order, &col_order));
        if let Some(tree) = &self.tree {
            layout.tree(&mut canvas, tree, &row_order);
        }
        layout.bar(&mut canvas, &scale, &self.value_label);
        for (index, line) in lines.iter().enumerate() {
            let y = layout.bottom + 8 + 19 * index as i32;
            canvas.text(MARGIN, y, line, Text::Small, Align::Left, MUTED);
        }
        Ok(canvas.finish())
    }

    fn shape(&self) -> (usize, usize) {
        (self.row_names.len(), self.col_names.len())
    }

    /// Rows and columns in the order they are drawn in, after every complaint about the data.
    fn orders(&self) -> Result<(Vec<usize>, Vec<usize>), ReportError> {
        let refuse = |expected: String, found: String| Err(ReportError::picture(NAME, expected, found));
        let (rows, cols) = self.shape();
        if rows == 0 || cols == 0 {
            return refuse("at least one row and one column".into(), format!("{rows} x {cols}"));
        }
        if self.values.len() != rows * cols {
            return refuse(format!("{rows} x {cols} values"), self.values.len().to_string());
        }
        if let Some(masses) = self.masses.as_ref().filter(|masses| masses.len() != rows * cols) {
            return refuse(format!("{rows} x {cols} masses"), masses.len().to_string());
        }
        let mut given = (self.row_order.as_ref(), self.col_order.as_ref());
        if let Some(tree) = &self.tree {
            if (rows, tree.order.len(), tree.merges.len() + 1) != (cols, rows, rows) {
                let found = format!("{} leaves and {} merges", tree.order.len(), tree.merges.len());
                return refuse(format!("a tree of {rows} rows and {cols} columns, as many"), found);
            }
            let later = |(k, merge): (usize, &Merge)| merge.left.max(merge.right) >= rows + k;
            if tree.merges.iter().enumerate().any(later) {
                return refuse("merges of clusters that are there".into(), format!("{:?}", tree.merges));
            }
            if given != (None, None) {
                return refuse("a tree or an order of its own".into(), "both".into());
            }
            given = (Some(&tree.order), Some(&tree.order));
        }
        let order = |given: Option<&Vec<usize>>, count: usize| -> Result<Vec<usize>, ReportError> {
            let Some(order) = given else { return Ok((0..count).collect()) };
            let mut sorted = order.clone();
            sorted.sort_unstable();
            if sorted.iter().copied().eq(0..count) {
                return Ok(order.clone());
            }
            let expected = format!("an order of {count} rows or columns, each once");
            Err(ReportError::picture(NAME, expected, format!("{order:?}")))
        };
        Ok((order(given.0, rows)?, order(given.1, cols)?))
    }

    fn cells(
        &self,
        canvas: &mut Canvas,
        layout: &Layout,
        scale: &Scale,
        (row_order, col_order): (&[usize], &[usize]),
    ) {
        let cols = self.col_names.len();
        let cell = layout.cell;
        let size = layout.numbers;
        // Lines between cells cost space that small ones do not have.
        let side = if cell >= 10 { cell - 1 } else { cell };
        for (at_row, &row) in row_order.iter().enumerate() {
            let total: f64 =
                self.masses.iter().flat_map(|masses| &masses[row * cols..(row + 1) * cols]).sum();
            for (at_col, &col) in col_order.iter().enumerate() {
                let value = self.values[row * cols + col];
                let (x, y) = (layout.left + at_col as i32 * cell, layout.top + at_row as i32 * cell);
                let color = scale.color(row, col, value);
                canvas.rect(x, y, side, side, color);
                let mass = self.masses.as_ref().map_or(0.0, |masses| masses[row * cols + col]);
                let share = if mass > 0.0 && total > 0.0 { mass / total } else { 0.0 };
                let split = share > 0.0 && share < 0.995;
                let middle = (x + side / 2, y + side / 2);
                if let Some(size) = size.filter(|_| value.is_finite()) {
                    let lifted = if split { 7 } else { 0 };
                    let top = middle.1 - size.height() / 2 - lifted;
                    let ink = text_color(color);
                    canvas.text(middle.0, top, &scale.unit.write(value), size, Align::Center, ink);
                    if split {
                        let text = percent(share);
                        canvas.text(middle.0, middle.1 + 3, &text, Text::Tiny, Align::Center, ink);
                    }
                }
                if share > 0.0 {
                    mark(canvas, (x, y), side, share, size.is_some());
                }
            }
        }
        canvas.frame(
            layout.left - 1,
            layout.top - 1,
            col_order.len() as i32 * cell + 1,
            row_order.len() as i32 * cell + 1,
            FRAME,
        );
    }

    /// The largest text in which all numbers fit their cells, if any.
    fn number_size(&self, scale: &Scale, cell: i32) -> Option<Text> {
        let finite = self.values.iter().filter(|value| value.is_finite());
        let texts: Vec<String> = finite.map(|value| scale.unit.write(*value)).collect();
        let fits = |size: &Text| {
            let widest = texts.iter().map(|text| size.width(text)).max().unwrap_or(0);
            // A share stands below its number.
            let tall = if self.masses.is_some() { 30 } else { size.height() + 4 };
            widest + 6 <= cell && tall <= cell
        };
        [Text::Small, Text::Tiny].into_iter().find(fits)
    }
}

fn percent(share: f64) -> String {
    if share < 0.01 { "<1%".into() } else { format!("{:.0}%", 100.0 * share) }
}

/// Marks a cell that holds mass: by a frame, the thicker the larger its share, or where no number
/// stands by a disc.
fn mark(canvas: &mut Canvas, (x, y): (i32, i32), side: i32, share: f64, numbers: bool) {
    let color = class_color(1);
    if numbers {
        let thickness = if share >= 0.5 { 3 } else { 1 + i32::from(share >= 0.1) };
        for inset in 0..thickness {
            canvas.frame(x + inset, y + inset, side - 2 * inset, side - 2 * inset, color);
        }
    } else {
        let center = (x as f32 + side as f32 / 2.0, y as f32 + side as f32 / 2.0);
        canvas.discs(&[center], (0.38 * side as f32 * share.sqrt() as f32).max(1.2), color, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::layout::{NO_VALUE, TREE};
    use super::*;
    use crate::palette::{PAPER, Rgb};
    use crate::values::value_color;
    use wowflow::embedding::{DistanceMatrix, average_linkage};

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|i| format!("n{i}")).collect()
    }

    fn map(rows: usize, cols: usize, values: Vec<f64>) -> HeatMap {
        HeatMap { row_names: names(rows), col_names: names(cols), values, ..HeatMap::default() }
    }

    /// The colour of a drawn cell near its upper left corner, inside of any frame.
    fn cell(map: &HeatMap, picture: &Picture, row: i32, col: i32) -> Rgb {
        let layout = Layout::of(map, &Scale::of(map).unwrap());
        let inset = if layout.cell > 12 { 5 } else { 0 };
        let (x, y) = (layout.left + col * layout.cell + inset, layout.top + row * layout.cell + inset);
        picture.pixels()[y as usize * picture.width() + x as usize]
    }

    #[test]
    fn cells_have_the_colours_of_their_values_in_the_order_asked_for() {
        let mut map = map(2, 3, vec![0.0, 1.0, 2.0, 3.0, f64::NAN, 4.0]);
        let picture = map.draw().unwrap();
        assert_eq!(cell(&map, &picture, 0, 0), value_color(0.0));
        assert_eq!(cell(&map, &picture, 0, 2), value_color(0.5));
        assert_eq!(cell(&map, &picture, 1, 1), NO_VALUE);
        (map.row_order, map.col_order) = (Some(vec![1, 0]), Some(vec![2, 0, 1]));
        map.range = Some((0.0, 8.0));
        let picture = map.draw().unwrap();
        assert_eq!(cell(&map, &picture, 0, 0), value_color(0.5));
        assert_eq!(cell(&map, &picture, 1, 2), value_color(0.125));
    }

    #[test]
    fn a_diagonal_of_zeros_is_blank_and_does_not_set_the_scale() {
        let distances = map(2, 2, vec![0.0, 7.0, 5.0, 0.0]);
        let picture = distances.draw().unwrap();
        assert_eq!(cell(&distances, &picture, 0, 0), PAPER);
        assert_eq!(cell(&distances, &picture, 1, 0), value_color(0.0));
        let biased = map(2, 2, vec![0.0, 7.0, 5.0, 1.0]);
        assert_eq!(cell(&biased, &biased.draw().unwrap(), 0, 0), value_color(0.0));
    }

    #[test]
    fn masses_are_framed_and_a_tree_orders_both_sides() {
        let mut marked = map(2, 2, vec![1.0, 2.0, 3.0, 4.0]);
        marked.masses = Some(vec![0.5, 0.0, 0.2, 0.3]);
        let layout = Layout::of(&marked, &Scale::of(&marked).unwrap());
        let picture = marked.draw().unwrap();
        let corner = |row: i32, col: i32| {
            let (x, y) = (layout.left + col * layout.cell, layout.top + row * layout.cell);
            picture.pixels()[y as usize * picture.width() + x as usize]
        };
        assert_eq!([corner(0, 0), corner(1, 0), corner(1, 1)], [class_color(1); 3]);
        assert_ne!(corner(0, 1), class_color(1));

        let at = [0.0f64, 9.0, 1.0];
        let values: Vec<f64> = at.iter().flat_map(|x| at.iter().map(move |y| (x - y).abs())).collect();
        let mut clustered = map(3, 3, values.clone());
        clustered.tree = Some(average_linkage(&DistanceMatrix::new(3, values).unwrap()));
        let picture = clustered.draw().unwrap();
        // Order 0, 2, 1: the near pair stands together.
        assert_eq!(cell(&clustered, &picture, 0, 1), value_color(0.0));
        let plain = HeatMap { tree: None, ..clustered.clone() }.draw().unwrap();
        assert_eq!(picture.width(), plain.width() + TREE as usize + 12);
        clustered.row_order = Some(vec![0, 1, 2]);
        assert!(clustered.draw().unwrap_err().to_string().contains("found both"));
    }

    #[test]
    fn matrices_of_any_size_are_drawn() {
        for (rows, cols) in [(1, 1), (1, 40), (200, 3), (300, 300)] {
            let picture = map(rows, cols, (0..rows * cols).map(|k| k as f64).collect()).draw().unwrap();
            assert!(picture.width() < 1500 && picture.height() < 1500);
        }
        for value in [0.0, -3.0, 1e-300, 1e300] {
            map(1, 2, vec![value; 2]).draw().unwrap();
        }
    }

    #[test]
    fn data_that_do_not_fit_together_are_refused() {
        type Change = fn(&mut HeatMap);
        let cases: [(Change, &str); 8] = [
            (
                |m| {
                    let merges = vec![Merge { left: 0, right: 2, height: 1.0 }];
                    m.tree = Some(Dendrogram { merges, order: vec![0, 1] });
                },
                "merges of clusters that are there",
            ),
            (|m| m.row_names.clear(), "found 0 x 2"),
            (|m| m.values.truncate(3), "expected 2 x 2 values for the heat map, found 3"),
            (|m| m.masses = Some(vec![1.0]), "expected 2 x 2 masses"),
            (|m| m.col_order = Some(vec![0, 0]), "found [0, 0]"),
            (|m| m.values = vec![f64::NAN; 4], "at least one finite value"),
            (|m| m.range = Some((2.0, 2.0)), "found 2 to 2"),
            (|m| m.tree = Some(Dendrogram { merges: vec![], order: vec![0] }), "found 1 leaves"),
        ];
        for (change, message) in cases {
            let mut changed = map(2, 2, vec![1.0, 2.0, 3.0, 4.0]);
            change(&mut changed);
            let text = changed.draw().unwrap_err().to_string();
            assert!(text.contains(message), "{text}");
        }
    }
}
