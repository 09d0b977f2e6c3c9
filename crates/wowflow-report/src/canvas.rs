//! A white sheet to draw lines, discs, text and images on, in pixel coordinates from the top left.

use tiny_skia::{Color, FillRule, LineJoin, Mask, Paint, PathBuilder, Pixmap, Rect, Stroke, Transform};

use crate::error::ReportError;
use crate::letters::for_ink;
use crate::palette::{PAPER, Rgb};
use crate::picture::Picture;

pub(crate) use crate::letters::{Text, shorten, wrapped};

/// Largest side of a picture: beyond it neither GIF nor most viewers follow.
const MAX_SIDE: usize = 16_384;

/// Which point of a text the given position is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Center,
    Right,
}

impl Align {
    fn start(self, x: i32, width: i32) -> i32 {
        match self {
            Self::Left => x,
            Self::Center => x - width / 2,
            Self::Right => x - width,
        }
    }
}

/// A position or a size in pixels.
pub(crate) type Xy = (f32, f32);

/// The sheet.
#[derive(Clone)]
pub(crate) struct Canvas {
    pixmap: Pixmap,
    clip: Option<Mask>,
}

impl Canvas {
    /// A white sheet of the given size; `picture` names it in errors.
    pub(crate) fn new(picture: &'static str, width: usize, height: usize) -> Result<Self, ReportError> {
        let side = 1..=MAX_SIDE;
        let pixmap = (side.contains(&width) && side.contains(&height))
            .then(|| Pixmap::new(width as u32, height as u32))
            .flatten();
        let Some(mut pixmap) = pixmap else {
            let expected = format!("a picture of at most {MAX_SIDE} pixels a side");
            return Err(ReportError::picture(picture, expected, format!("{width}x{height}")));
        };
        pixmap.fill(Color::from_rgba8(PAPER[0], PAPER[1], PAPER[2], 255));
        Ok(Self { pixmap, clip: None })
    }

    /// Restricts lines, discs and polygons to a rectangle until [`Self::unclip`].
    pub(crate) fn clip(&mut self, left: f32, top: f32, width: f32, height: f32) {
        let mut mask = Mask::new(self.pixmap.width(), self.pixmap.height());
        if let (Some(mask), Some(rect)) = (&mut mask, Rect::from_xywh(left, top, width, height)) {
            mask.fill_path(&PathBuilder::from_rect(rect), FillRule::Winding, false, Transform::identity());
        }
        self.clip = mask;
    }

    /// Lifts the restriction.
    pub(crate) fn unclip(&mut self) {
        self.clip = None;
    }

    /// Fills a rectangle of whole pixels.
    pub(crate) fn rect(&mut self, left: i32, top: i32, width: i32, height: i32, color: Rgb) {
        let rect = Rect::from_xywh(left as f32, top as f32, width as f32, height as f32);
        if let Some(rect) = rect {
            let mut paint = paint(color, 1.0);
            paint.anti_alias = false;
            self.pixmap.fill_rect(rect, &paint, Transform::identity(), None);
        }
    }

    /// Draws a frame one pixel wide just inside a rectangle.
    pub(crate) fn frame(&mut self, left: i32, top: i32, width: i32, height: i32, color: Rgb) {
        self.rect(left, top, width, 1, color);
        self.rect(left, top + height - 1, width, 1, color);
        self.rect(left, top, 1, height, color);
        self.rect(left + width - 1, top, 1, height, color);
    }

    /// Joins points by straight lines; fewer than two draw nothing.
    pub(crate) fn line(&mut self, points: &[Xy], width: f32, color: Rgb, alpha: f32) {
        self.lines([points], width, color, alpha);
    }

    /// Draws many lines at once, which is faster; where they cross they do not add up.
    pub(crate) fn lines<'a>(
        &mut self,
        lines: impl IntoIterator<Item = &'a [Xy]>,
        width: f32,
        color: Rgb,
        alpha: f32,
    ) {
        let mut path = PathBuilder::new();
        for line in lines {
            trace(&mut path, line);
        }
        let stroke = Stroke { width, line_join: LineJoin::Round, ..Stroke::default() };
        self.stroke(path, &stroke, color, alpha);
    }

    /// Fills the region within points.
    pub(crate) fn polygon(&mut self, points: &[Xy], color: Rgb, alpha: f32) {
        let mut path = PathBuilder::new();
        trace(&mut path, points);
        path.close();
        self.fill(path, color, alpha);
    }

    /// Fills discs; where they overlap they do not add up.
    pub(crate) fn discs(&mut self, centers: &[Xy], radius: f32, color: Rgb, alpha: f32) {
        self.fill(circles(centers, radius), color, alpha);
    }

    /// Draws circles.
    pub(crate) fn circles(&mut self, centers: &[Xy], radius: f32, width: f32, color: Rgb, alpha: f32) {
        let stroke = Stroke { width, ..Stroke::default() };
        self.stroke(circles(centers, radius), &stroke, color, alpha);
    }

    fn stroke(&mut self, path: PathBuilder, stroke: &Stroke, color: Rgb, alpha: f32) {
        let Some(path) = path.finish() else { return };
        let (paint, clip) = (paint(color, alpha), self.clip.as_ref());
        self.pixmap.stroke_path(&path, &paint, stroke, Transform::identity(), clip);
    }

    fn fill(&mut self, path: PathBuilder, color: Rgb, alpha: f32) {
        let Some(path) = path.finish() else { return };
        let (paint, clip) = (paint(color, alpha), self.clip.as_ref());
        self.pixmap.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), clip);
    }

    /// Writes a line of text whose top is at `y`.
    pub(crate) fn text(&mut self, x: i32, y: i32, text: &str, size: Text, align: Align, color: Rgb) {
        let start = align.start(x, size.width(text));
        for_ink(text, size, |along, down, ink| self.blend(start + along, y + down, color, ink));
    }

    /// Writes text from bottom to top, its top edge at `x` and its middle at `y`.
    pub(crate) fn text_upwards(&mut self, x: i32, y: i32, text: &str, size: Text, color: Rgb) {
        let start = y + size.width(text) / 2;
        for_ink(text, size, |along, down, ink| self.blend(x + down, start - along, color, ink));
    }

    /// Copies `width` columns of colours to a place that must lie within the sheet.
    pub(crate) fn image(&mut self, left: usize, top: usize, width: usize, colors: &[Rgb]) {
        let sheet = self.pixmap.width() as usize;
        for (row, colors) in colors.chunks_exact(width).enumerate() {
            let at = ((top + row) * sheet + left) * 4;
            let pixels = self.pixmap.data_mut()[at..at + 4 * width].chunks_exact_mut(4);
            for (pixel, color) in pixels.zip(colors) {
                pixel[..3].copy_from_slice(color);
            }
        }
    }

    fn blend(&mut self, x: i32, y: i32, color: Rgb, ink: u8) {
        let (width, height) = (self.pixmap.width() as i32, self.pixmap.height() as i32);
        if ink == 0 || !(0..width).contains(&x) || !(0..height).contains(&y) {
            return;
        }
        let at = (y * width + x) as usize * 4;
        let pixel = &mut self.pixmap.data_mut()[at..at + 3];
        for (value, &wanted) in pixel.iter_mut().zip(&color) {
            let mixed = u32::from(*value) * (255 - u32::from(ink)) + u32::from(wanted) * u32::from(ink);
            *value = ((mixed + 127) / 255) as u8;
        }
    }

    /// The sheet as a picture.
    pub(crate) fn finish(self) -> Picture {
        let (width, height) = (self.pixmap.width() as usize, self.pixmap.height() as usize);
        // The sheet began opaque and stays so: premultiplied colours are the colours.
        let pixels = self.pixmap.data().chunks_exact(4).map(|p| [p[0], p[1], p[2]]).collect();
        Picture::new(width, height, pixels)
    }
}

fn paint(color: Rgb, alpha: f32) -> Paint<'static> {
    let mut paint = Paint::default();
    let alpha = (alpha.clamp(0.0, 1.0) * 255.0).round() as u8;
    paint.set_color_rgba8(color[0], color[1], color[2], alpha);
    paint
}

fn trace(path: &mut PathBuilder, points: &[Xy]) {
    if let Some((first, rest)) = points.split_first() {
        path.move_to(first.0, first.1);
        for &(x, y) in rest {
            path.line_to(x, y);
        }
    }
}

fn circles(centers: &[Xy], radius: f32) -> PathBuilder {
    let mut path = PathBuilder::new();
    for &(x, y) in centers {
        path.push_circle(x, y, radius);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::palette::INK;

    fn dark(picture: &Picture) -> Vec<(usize, usize)> {
        let at = |i: usize| (i % picture.width(), i / picture.width());
        (0..picture.pixels().len()).filter(|&i| picture.pixels()[i][0] < 128).map(at).collect()
    }

    #[test]
    fn text_stays_in_its_box_in_every_alignment_and_turned() {
        let text = "Mg 10";
        for size in [Text::Tiny, Text::Small, Text::Title] {
            let (w, h) = (size.width(text), size.height());
            for (align, left) in [(Align::Left, 100), (Align::Center, 100 - w / 2), (Align::Right, 100 - w)] {
                let mut canvas = Canvas::new("test", 200, 100).unwrap();
                canvas.text(100, 40, text, size, align, INK);
                let ink = dark(&canvas.finish());
                assert!(ink.len() > 20);
                let inside = |&(x, y): &(usize, usize)| {
                    (left..=left + w).contains(&(x as i32)) && (40..40 + h).contains(&(y as i32))
                };
                assert!(ink.iter().all(inside), "{size:?} {align:?}");
            }
            let mut canvas = Canvas::new("test", 200, 100).unwrap();
            canvas.text_upwards(30, 50, text, size, INK);
            let inside = |&(x, y): &(usize, usize)| {
                (30..30 + h).contains(&(x as i32)) && (50 - w / 2 - 1..=50 + w / 2 + 1).contains(&(y as i32))
            };
            assert!(dark(&canvas.finish()).iter().all(inside), "{size:?} turned");
        }
    }

    #[test]
    fn drawing_is_clipped_and_text_over_the_edge_is_harmless() {
        let mut canvas = Canvas::new("test", 40, 40).unwrap();
        canvas.clip(10.0, 10.0, 20.0, 20.0);
        canvas.discs(&[(20.0, 20.0)], 100.0, INK, 1.0);
        canvas.unclip();
        assert_eq!(dark(&canvas.finish()).len(), 400);
        let mut canvas = Canvas::new("test", 8, 8).unwrap();
        canvas.text(-3, -3, "\u{4e2d}W", Text::Title, Align::Left, INK);
        canvas.line(&[(1.0, 1.0)], 1.0, INK, 1.0);
        canvas.line(&[(f32::NAN, 1.0), (2.0, 2.0)], 1.0, INK, 1.0);
        assert_eq!((canvas.finish().width(), MAX_SIDE), (8, 16_384));
        assert!(Canvas::new("test", 0, 5).is_err() && Canvas::new("test", 5, 20_000).is_err());
    }
}
