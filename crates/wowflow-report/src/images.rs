//! Grids of small images: contact sheets, classes over time, and their animation.

use wowflow::dataset::ImageShape;

use crate::animation::{self, Timing};
use crate::canvas::{Align, Canvas, Text, shorten};
use crate::error::ReportError;
use crate::palette::{FRAME, INK, MUTED, Rgb};
use crate::picture::Picture;

const NAME: &str = "image grid";
/// Side a small image is enlarged towards, and the side beyond which a large one is reduced.
const USUAL_SIDE: usize = 56;
const LARGEST_SIDE: usize = 112;
const MARGIN: usize = 20;
const GAP: usize = 4;
const CLASS_GAP: usize = 10;
const EXAMPLES_GAP: usize = 28;
const LONGEST_LABEL: usize = 28;
/// Titles name datasets, which may be long paths.
const LONGEST_TITLE: usize = 90;

/// Rows of images with labels at the left, headings above, and examples set apart at the right.
///
/// The picture shows one image a cell, enlarged by a whole number (or, if large, averaged over
/// blocks of pixels) so that all of it is visible; a row may be shorter than others.
#[derive(Clone, Debug)]
pub struct ImageGrid<'a> {
    /// Written above the grid.
    pub title: String,
    /// Written at the top right, such as the step of an animation.
    pub caption: String,
    /// Layout of one image's values.
    pub shape: ImageShape,
    /// Values drawn black and white; what lies outside is clipped, what is no number drawn black.
    pub range: (f32, f32),
    /// One heading a column, or none.
    pub headings: Vec<String>,
    /// Heading of the examples.
    pub examples_heading: String,
    /// The rows from top to bottom.
    pub rows: Vec<ImageRow<'a>>,
}

/// One row of an [`ImageGrid`].
#[derive(Clone, Debug, Default)]
pub struct ImageRow<'a> {
    /// Written at the left; a row without label continues the class of the row above it.
    pub label: String,
    /// Images from left to right, each of as many values as the shape has.
    pub images: Vec<&'a [f32]>,
    /// Images set apart at the right.
    pub examples: Vec<&'a [f32]>,
}

/// A contact sheet: a row a class with its label, samples from left to right.
///
/// # Errors
/// No images, or one whose number of values is not that of `shape`.
pub fn contact_sheet(
    title: &str,
    shape: ImageShape,
    range: (f32, f32),
    rows: Vec<ImageRow<'_>>,
) -> Result<Picture, ReportError> {
    let (caption, examples_heading) = (String::new(), String::new());
    ImageGrid { title: title.to_owned(), caption, shape, range, headings: Vec::new(), examples_heading, rows }
        .draw()
}

impl ImageGrid<'_> {
    /// Draws the grid.
    ///
    /// # Errors
    /// No images, one whose number of values is not that of the shape, channels other than 1 or 3,
    /// an empty range of values, a number of headings that is not that of the columns, or a grid
    /// beyond 16384 pixels a side.
    pub fn draw(&self) -> Result<Picture, ReportError> {
        self.check()?;
        let layout = Layout::of(self);
        let mut canvas = Canvas::new(NAME, layout.width, layout.height)?;
        layout.captions(self, &mut canvas);
        for (row, &top) in self.rows.iter().zip(&layout.tops) {
            for (column, image) in row.images.iter().enumerate() {
                self.image(&mut canvas, &layout, layout.column(column), top, image);
            }
            for (column, image) in row.examples.iter().enumerate() {
                self.image(&mut canvas, &layout, layout.example(column), top, image);
            }
        }
        Ok(canvas.finish())
    }

    /// Animates grids of the same layout as a GIF that loops and rests on the last frame.
    ///
    /// # Errors
    /// No frames, a frame that cannot be drawn (see [`Self::draw`]), or frames of different sizes.
    pub fn animate(frames: &[Self]) -> Result<Vec<u8>, ReportError> {
        animation::encode(frames.len(), Timing::for_frames(frames.len()), |i| frames[i].draw())
    }

    fn check(&self) -> Result<(), ReportError> {
        let refuse = |expected: &str, found: String| Err(ReportError::picture(NAME, expected, found));
        if !matches!(self.shape.channels, 1 | 3) || self.shape.is_empty() {
            return refuse("images of at least one pixel in 1 or 3 channels", self.shape.to_string());
        }
        let (low, high) = self.range;
        if !(low.is_finite() && high.is_finite() && low < high) {
            return refuse("a range of values from low to high", format!("{low} to {high}"));
        }
        let columns = self.columns();
        if columns == 0 {
            return refuse("at least one image", "none".into());
        }
        if !self.headings.is_empty() && self.headings.len() != columns {
            return refuse(&format!("{columns} headings"), self.headings.len().to_string());
        }
        let images = self.rows.iter().flat_map(|row| row.images.iter().chain(&row.examples));
        match images.map(|image| image.len()).find(|&len| len != self.shape.len()) {
            Some(len) => {
                refuse(&format!("{} values an image of {}", self.shape.len(), self.shape), len.to_string())
            }
            None => Ok(()),
        }
    }

    fn columns(&self) -> usize {
        self.rows.iter().map(|row| row.images.len()).max().unwrap_or(0)
    }

    fn image(&self, canvas: &mut Canvas, layout: &Layout, left: usize, top: usize, values: &[f32]) {
        let colors = layout.zoom.colors(self.shape, self.range, values);
        canvas.image(left, top, layout.cell.0, &colors);
    }
}

/// How pixels of an image become pixels of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Zoom {
    /// Each pixel becomes a square of this side.
    Enlarge(usize),
    /// Squares of this side are averaged into one pixel.
    Reduce(usize),
}

impl Zoom {
    fn of(shape: ImageShape) -> Self {
        let side = shape.width.max(shape.height);
        if side > LARGEST_SIDE {
            Self::Reduce(side.div_ceil(LARGEST_SIDE))
        } else {
            Self::Enlarge(((USUAL_SIDE + side / 2) / side).max(1))
        }
    }

    fn size(self, shape: ImageShape) -> (usize, usize) {
        match self {
            Self::Enlarge(by) => (shape.width * by, shape.height * by),
            Self::Reduce(by) => (shape.width.div_ceil(by), shape.height.div_ceil(by)),
        }
    }

    /// The pixels of an image as drawn, row after row.
    fn colors(self, shape: ImageShape, (low, high): (f32, f32), values: &[f32]) -> Vec<Rgb> {
        let level = |value: f32| (((value - low) / (high - low)).clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        let planes: Vec<&[f32]> = values.chunks_exact(shape.width * shape.height).collect();
        let channels = [0, 1, 2].map(|channel| planes[channel % planes.len()]);
        let (width, height) = self.size(shape);
        let mut colors = Vec::with_capacity(width * height);
        match self {
            Self::Enlarge(by) => {
                for y in 0..shape.height {
                    let start = colors.len();
                    for at in y * shape.width..(y + 1) * shape.width {
                        let color = channels.map(|plane| level(plane[at]));
                        colors.extend(std::iter::repeat_n(color, by));
                    }
                    for _ in 1..by {
                        colors.extend_from_within(start..start + width);
                    }
                }
            }
            Self::Reduce(by) => {
                for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                    let columns = x * by..((x + 1) * by).min(shape.width);
                    let rows = y * by..((y + 1) * by).min(shape.height);
                    let count = (columns.len() * rows.len()) as f32;
                    let mean = |plane: &[f32]| {
                        let row = |y: usize| &plane[y * shape.width..][columns.clone()];
                        rows.clone().flat_map(row).sum::<f32>() / count
                    };
                    colors.push(channels.map(|plane| level(mean(plane))));
                }
            }
        }
        colors
    }
}

/// Where everything lies.
struct Layout {
    zoom: Zoom,
    cell: (usize, usize),
    /// Distance from one column to the next: cells and headings must both fit.
    pitch: usize,
    left: usize,
    examples_left: usize,
    headings_top: usize,
    tops: Vec<usize>,
    width: usize,
    height: usize,
}

impl Layout {
    fn of(grid: &ImageGrid<'_>) -> Self {
        let zoom = Zoom::of(grid.shape);
        let cell = zoom.size(grid.shape);
        let small = |text: &str| Text::Small.width(text) as usize;
        let heading = grid.headings.iter().map(|text| small(text) + 8).max().unwrap_or(0);
        let pitch = (cell.0 + GAP).max(heading);
        let labels =
            grid.rows.iter().map(|row| small(&shorten(&row.label, LONGEST_LABEL))).max().unwrap_or(0);
        let left = MARGIN + if labels > 0 { labels + 12 } else { 0 };
        let columns = grid.columns();
        let mut right = left + (columns - 1) * pitch + cell.0.max(heading.saturating_sub(8));
        let examples_left = right + EXAMPLES_GAP;
        let examples = grid.rows.iter().map(|row| row.examples.len()).max().unwrap_or(0);
        if examples > 0 {
            let block = examples * (cell.0 + GAP) - GAP;
            right = examples_left + block.max(small(&grid.examples_heading));
        }
        let mut top = MARGIN;
        let mut title = Text::Title.width(&shorten(&grid.title, LONGEST_TITLE)) as usize;
        if !grid.caption.is_empty() {
            title += 24 + small(&grid.caption);
        }
        if title > 0 {
            top += Text::Title.height() as usize + 12;
        }
        let headings_top = top;
        if !grid.headings.is_empty() || examples > 0 {
            top += Text::Small.height() as usize + 4;
        }
        let mut tops = Vec::with_capacity(grid.rows.len());
        for (index, row) in grid.rows.iter().enumerate() {
            let continued = row.label.is_empty() && labels > 0;
            top += match index {
                0 => 0,
                _ if continued || labels == 0 => GAP,
                _ => CLASS_GAP,
            };
            tops.push(top);
            top += cell.1;
        }
        let width = (right.max(MARGIN + title)) + MARGIN;
        Self { zoom, cell, pitch, left, examples_left, headings_top, tops, width, height: top + MARGIN }
    }

    fn column(&self, column: usize) -> usize {
        self.left + column * self.pitch
    }

    fn example(&self, column: usize) -> usize {
        self.examples_left + column * (self.cell.0 + GAP)
    }

    fn captions(&self, grid: &ImageGrid<'_>, canvas: &mut Canvas) {
        let right = (self.width - MARGIN) as i32;
        let title = shorten(&grid.title, LONGEST_TITLE);
        canvas.text(MARGIN as i32, MARGIN as i32 - 4, &title, Text::Title, Align::Left, INK);
        canvas.text(right, MARGIN as i32 - 2, &grid.caption, Text::Small, Align::Right, INK);
        let top = self.headings_top as i32;
        let middle = (self.cell.0 / 2) as i32;
        for (column, heading) in grid.headings.iter().enumerate() {
            canvas.text(self.column(column) as i32 + middle, top, heading, Text::Small, Align::Center, MUTED);
        }
        let bottom = self.tops.last().map_or(top, |&top| (top + self.cell.1) as i32);
        let examples = grid.rows.iter().map(|row| row.examples.len()).max().unwrap_or(0);
        if examples > 0 {
            let left = self.examples_left as i32;
            canvas.text(left, top, &grid.examples_heading, Text::Small, Align::Left, MUTED);
            let line = left - EXAMPLES_GAP as i32 / 2;
            canvas.rect(line, top, 1, bottom - top, FRAME);
        }
        // A label stands at the middle of all rows of its class.
        let label_right = self.left as i32 - 12;
        let mut index = 0;
        while index < grid.rows.len() {
            let following = &grid.rows[index + 1..];
            let rows = 1 + following.iter().take_while(|row| row.label.is_empty()).count();
            let bottom = self.tops[index + rows - 1] + self.cell.1;
            let y = ((self.tops[index] + bottom) as i32 - Text::Small.height()) / 2;
            let label = shorten(&grid.rows[index].label, LONGEST_LABEL);
            canvas.text(label_right, y, &label, Text::Small, Align::Right, INK);
            index += rows;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TINY: ImageShape = ImageShape { width: 2, height: 1, channels: 1 };

    fn grid(shape: ImageShape, rows: Vec<ImageRow<'_>>) -> ImageGrid<'_> {
        ImageGrid {
            title: "Title".into(),
            caption: String::new(),
            shape,
            range: (0.0, 1.0),
            headings: Vec::new(),
            examples_heading: "target".into(),
            rows,
        }
    }

    fn row<'a>(label: &str, images: &[&'a [f32]], examples: &[&'a [f32]]) -> ImageRow<'a> {
        ImageRow { label: label.into(), images: images.to_vec(), examples: examples.to_vec() }
    }

    #[test]
    fn pixels_of_an_image_are_blocks_of_its_values() {
        let rows =
            vec![row("a", &[&[0.0, 0.5], &[1.0, -3.0]], &[]), row("b", &[&[9.0, 0.25]], &[&[0.75, 0.0]])];
        let grid = grid(TINY, rows);
        let layout = Layout::of(&grid);
        let picture = grid.draw().unwrap();
        assert_eq!((picture.width(), picture.height()), (layout.width, layout.height));
        assert_eq!(layout.zoom, Zoom::Enlarge(28));
        let block = |left: usize, top: usize| {
            let values: Vec<u8> = (0..28 * 28)
                .map(|i| picture.pixels()[(top + i / 28) * picture.width() + left + i % 28][0])
                .collect();
            assert!(values.iter().all(|&value| value == values[0]));
            values[0]
        };
        let pair = |left: usize, top: usize| (block(left, top), block(left + 28, top));
        assert_eq!(pair(layout.column(0), layout.tops[0]), (0, 128));
        assert_eq!(pair(layout.column(1), layout.tops[0]), (255, 0));
        assert_eq!(pair(layout.column(0), layout.tops[1]), (255, 64));
        assert_eq!(pair(layout.example(0), layout.tops[1]), (191, 0));
    }

    #[test]
    fn colour_planes_and_stated_ranges_are_respected() {
        let shape = ImageShape { width: 1, height: 1, channels: 3 };
        let mut grid = grid(shape, vec![row("", &[&[-1.0, 0.0, 1.0]], &[])]);
        grid.range = (-1.0, 1.0);
        let picture = grid.draw().unwrap();
        let layout = Layout::of(&grid);
        assert_eq!(picture.pixels()[layout.tops[0] * picture.width() + layout.left], [0, 128, 255]);
    }

    #[test]
    fn large_images_are_averaged_over_blocks() {
        let shape = ImageShape { width: 300, height: 1, channels: 1 };
        let values: Vec<f32> = (0..300).map(|i| if i % 3 == 0 { 0.6 } else { 0.0 }).collect();
        let zoom = Zoom::of(shape);
        assert_eq!((zoom, zoom.size(shape)), (Zoom::Reduce(3), (100, 1)));
        assert_eq!(zoom.colors(shape, (0.0, 1.0), &values), [[51; 3]; 100]);
    }

    #[test]
    fn long_titles_and_labels_do_not_stretch_the_picture_without_end() {
        let image: &[f32] = &[0.0, 1.0];
        let long = "path/".repeat(400);
        let mut grid = grid(TINY, vec![row(&long, &[image], &[])]);
        grid.title = long.clone();
        let width = grid.draw().unwrap().width();
        assert!((500..1200).contains(&width), "{width}");
    }

    #[test]
    fn sheets_that_make_no_sense_are_refused() {
        let image: &[f32] = &[0.0, 1.0];
        let message = |grid: &ImageGrid<'_>| grid.draw().unwrap_err().to_string();
        assert_eq!(
            message(&grid(TINY, vec![])),
            "expected at least one image for the image grid, found none"
        );
        let mut headed = grid(TINY, vec![row("", &[image], &[])]);
        headed.headings = vec!["0".into(), "1".into()];
        assert_eq!(message(&headed), "expected 1 headings for the image grid, found 2");
        headed.headings.clear();
        headed.range = (1.0, 1.0);
        assert!(message(&headed).ends_with("found 1 to 1"));
        let short = grid(TINY, vec![row("", &[&image[..1]], &[])]);
        assert_eq!(message(&short), "expected 2 values an image of 2x1x1 for the image grid, found 1");
        let two = ImageShape { width: 1, height: 1, channels: 2 };
        assert!(message(&grid(two, vec![row("", &[image], &[])])).ends_with("found 1x1x2"));
    }

    #[test]
    fn an_animation_shows_its_frames() {
        let values = [[0.0f32, 1.0], [1.0, 0.0]];
        let frames: Vec<_> = values.iter().map(|image| grid(TINY, vec![row("a", &[image], &[])])).collect();
        let shown = animation::decode(&ImageGrid::animate(&frames).unwrap());
        assert_eq!(shown.len(), 2);
        for ((_, shown), frame) in shown.iter().zip(&frames) {
            let exact = frame.draw().unwrap();
            assert!(shown.pixels().iter().zip(exact.pixels()).all(|(a, b)| a[0].abs_diff(b[0]) <= 2));
        }
    }
}
