//! Images on the way between two datasets: a row a sample, a column a time, or an animation.

use wowflow::dataset::ImageShape;

use crate::error::ReportError;
use crate::images::{ImageGrid, ImageRow};
use crate::picture::Picture;
use crate::ticks::number;

const NAME: &str = "interpolation";

/// Samples of one pair of classes on their way, such as those of a geodesic.
#[derive(Clone, Debug, Default)]
pub struct InterpolationRow<'a> {
    /// Written at the left, such as `3 -> 7`.
    pub label: String,
    /// Samples, each as its images at all times.
    pub paths: Vec<Vec<&'a [f32]>>,
    /// Images of the target, set apart at the right.
    pub examples: Vec<&'a [f32]>,
}

/// Images between a source at time 0 and a target at time 1.
///
/// ```
/// use wowflow::dataset::ImageShape;
/// use wowflow_report::{InterpolationRow, InterpolationSheet};
/// let (black, grey) = ([0.0f32; 4], [0.5f32; 4]);
/// let row = InterpolationRow { label: "3 -> 7".into(), paths: vec![vec![&black, &grey]], examples: vec![] };
/// let sheet = InterpolationSheet {
///     title: "digits to letters".into(),
///     shape: ImageShape { width: 2, height: 2, channels: 1 },
///     range: (0.0, 1.0),
///     times: vec![0.0, 0.5],
///     examples_heading: String::new(),
///     rows: vec![row],
/// };
/// assert!(sheet.draw()?.height() > 56 && sheet.animate()?.starts_with(b"GIF"));
/// # Ok::<(), wowflow_report::ReportError>(())
/// ```
#[derive(Clone, Debug)]
pub struct InterpolationSheet<'a> {
    /// Written above.
    pub title: String,
    /// Layout of one image's values.
    pub shape: ImageShape,
    /// Values drawn black and white.
    pub range: (f32, f32),
    /// The times, from left to right.
    pub times: Vec<f64>,
    /// Heading of the images set apart at the right.
    pub examples_heading: String,
    /// Pairs of classes from top to bottom.
    pub rows: Vec<InterpolationRow<'a>>,
}

impl InterpolationSheet<'_> {
    /// Draws all times side by side, one sample a row.
    ///
    /// # Errors
    /// No times or samples, a sample without an image at every time, or what [`ImageGrid::draw`]
    /// refuses.
    pub fn draw(&self) -> Result<Picture, ReportError> {
        self.check()?;
        let mut rows = Vec::new();
        for row in &self.rows {
            for (index, path) in row.paths.iter().enumerate() {
                // Examples fill the rows of their pair in turn, as evenly as they go.
                let share = row.examples.len().div_ceil(row.paths.len());
                let examples = row.examples.chunks(share.max(1)).nth(index).unwrap_or_default();
                let label = if index == 0 { row.label.clone() } else { String::new() };
                rows.push(ImageRow { label, images: path.clone(), examples: examples.to_vec() });
            }
        }
        let headings = self.times.iter().map(|&time| heading(time)).collect();
        self.grid(String::new(), headings, rows).draw()
    }

    /// Animates the samples, all of a pair in one row, as a GIF that loops and rests on the last time.
    ///
    /// # Errors
    /// As [`Self::draw`].
    pub fn animate(&self) -> Result<Vec<u8>, ReportError> {
        self.check()?;
        // Captions of one length, so that frames are of one size.
        let length = self.times.iter().map(|&time| heading(time).len()).max().unwrap_or(0);
        let frame = |time: usize| {
            let rows = self.rows.iter().map(|row| ImageRow {
                label: row.label.clone(),
                images: row.paths.iter().map(|path| path[time]).collect(),
                examples: row.examples.clone(),
            });
            let rows = rows.collect();
            self.grid(format!("{:<length$}", heading(self.times[time])), Vec::new(), rows)
        };
        ImageGrid::animate(&(0..self.times.len()).map(frame).collect::<Vec<_>>())
    }

    fn grid<'b>(&self, caption: String, headings: Vec<String>, rows: Vec<ImageRow<'b>>) -> ImageGrid<'b> {
        ImageGrid {
            title: self.title.clone(),
            caption,
            shape: self.shape,
            range: self.range,
            headings,
            examples_heading: self.examples_heading.clone(),
            rows,
        }
    }

    fn check(&self) -> Result<(), ReportError> {
        let refuse = |expected: String, found: String| Err(ReportError::picture(NAME, expected, found));
        if let Some(time) = self.times.iter().find(|time| !time.is_finite()) {
            return refuse("finite times".into(), time.to_string());
        }
        if self.times.is_empty() || self.rows.is_empty() {
            let found = format!("{} times and {} pairs of classes", self.times.len(), self.rows.len());
            return refuse("at least one time and one pair of classes".into(), found);
        }
        if let Some(row) = self.rows.iter().find(|row| row.paths.is_empty()) {
            return refuse(format!("at least one sample of {:?}", row.label), "none".into());
        }
        let paths = self.rows.iter().flat_map(|row| &row.paths);
        match paths.map(Vec::len).find(|&len| len != self.times.len()) {
            Some(len) => refuse(format!("{} images a sample", self.times.len()), len.to_string()),
            None => Ok(()),
        }
    }
}

fn heading(time: f64) -> String {
    format!("t = {}", number(time, 3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::animation;

    const SHAPE: ImageShape = ImageShape { width: 2, height: 2, channels: 1 };

    fn images() -> Vec<[f32; 4]> {
        (0..3).map(|time| [time as f32 / 2.0; 4]).collect()
    }

    fn sheet(images: &[[f32; 4]]) -> InterpolationSheet<'_> {
        let path: Vec<&[f32]> = images.iter().map(|image| &image[..]).collect();
        let row =
            InterpolationRow { label: "3 -> 7".into(), paths: vec![path; 2], examples: vec![&images[2]] };
        InterpolationSheet {
            title: "A title wider than the images below it, of which the captions make it wider".into(),
            shape: SHAPE,
            range: (0.0, 1.0),
            times: vec![0.0, 0.123, 1.0],
            examples_heading: "target".into(),
            rows: vec![row; 2],
        }
    }

    #[test]
    fn columns_and_frames_are_times() {
        let images = images();
        let sheet = sheet(&images);
        let picture = sheet.draw().unwrap();
        // Four rows of black, grey and white images of side 56, and an example in the first row of each pair.
        let count = |value: u8| picture.pixels().iter().filter(|pixel| **pixel == [value; 3]).count();
        assert!(count(128) >= 4 * 56 * 56 && count(0) >= 4 * 56 * 56);
        assert!(count(255) > 6 * 56 * 56);
        let frames = animation::decode(&sheet.animate().unwrap());
        assert_eq!(frames.len(), 3);
        let shades = frames.iter().map(|(_, picture)| picture.pixels().iter().filter(|p| p[0] == 0).count());
        let shades: Vec<usize> = shades.collect();
        assert!(shades[0] >= 4 * 56 * 56 && shades[2] < 56 * 56, "{shades:?}");
        assert_eq!([0.0, 1.0 / 7.0, 1.0].map(heading), ["t = 0", "t = 0.143", "t = 1"]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let images = images();
        type Change = fn(&mut InterpolationSheet<'_>);
        let cases: [(Change, &str); 4] = [
            (|s| s.times.truncate(2), "expected 2 images a sample"),
            (|s| s.rows.clear(), "0 pairs"),
            (|s| s.rows[1].paths.clear(), "at least one sample"),
            (|s| s.times[0] = f64::NAN, "finite times"),
        ];
        for (change, message) in cases {
            let mut changed = sheet(&images);
            change(&mut changed);
            let text = changed.draw().unwrap_err().to_string();
            assert!(text.contains(message), "{text}");
            assert_eq!(changed.animate().unwrap_err().to_string(), text);
        }
    }
}
