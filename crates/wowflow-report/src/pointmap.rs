//! A map of named points in the plane, such as datasets placed by multidimensional scaling.

use crate::canvas::{Align, Canvas, Text, Xy, shorten, wrapped};
use crate::error::ReportError;
use crate::labels::{Rectangle, place};
use crate::palette::{CLASS_COLORS, FRAME, GRID, INK, MUTED, class_color};
use crate::picture::Picture;
use crate::ticks::{self, Label};

const NAME: &str = "map";
const MARGIN: i32 = 20;
/// Longer and shorter side that the plot may have.
const LONG: f64 = 680.0;
const SHORT: f64 = 340.0;
const LEFT: i32 = 58;
const RADIUS: f32 = 5.0;
const LONGEST_NAME: usize = 28;

/// One point of a [`PointMap`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MapPoint {
    /// Coordinates.
    pub at: [f64; 2],
    /// Its name; empty for none.
    pub name: String,
    /// Its group, an index into [`PointMap::groups`], which sets its colour.
    pub group: usize,
}

/// Named points in the plane, with equal units on both axes; names are moved so that none covers
/// another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PointMap {
    /// Written above.
    pub title: String,
    /// Written below, such as the stress of the map.
    pub note: String,
    /// The points. Those that are not finite are not drawn, and the note says so.
    pub points: Vec<MapPoint>,
    /// Names of the groups, for the legend.
    pub groups: Vec<String>,
}

impl PointMap {
    /// Draws the map.
    ///
    /// ```
    /// use wowflow_report::{MapPoint, PointMap};
    /// let point = |x: f64, name: &str| MapPoint { at: [x, x * x], name: name.into(), group: 0 };
    /// let points = vec![point(0.0, "mnist"), point(1.0, "usps"), point(1.1, "kmnist")];
    /// let groups = vec!["grey".into()];
    /// let map = PointMap { title: "Datasets".into(), points, groups, ..PointMap::default() };
    /// assert!(map.draw()?.width() > 600);
    /// # Ok::<(), wowflow_report::ReportError>(())
    /// ```
    ///
    /// # Errors
    /// No finite point, or a group without a name.
    pub fn draw(&self) -> Result<Picture, ReportError> {
        if let Some(point) = self.points.iter().find(|point| point.group >= self.groups.len()) {
            return Err(ReportError::picture(
                NAME,
                format!("groups below {}", self.groups.len()),
                point.group.to_string(),
            ));
        }
        let shown: Vec<&MapPoint> =
            self.points.iter().filter(|point| point.at.iter().all(|x| x.abs() <= 1e150)).collect();
        if shown.is_empty() {
            return Err(ReportError::picture(NAME, "at least one finite point", "none"));
        }
        let view = View::of(&shown, MARGIN + Text::Title.height() + 10);
        let at: Vec<Xy> = shown.iter().map(|point| view.at(point.at)).collect();
        let names: Vec<String> = shown.iter().map(|point| shorten(&point.name, LONGEST_NAME)).collect();
        let size = if shown.len() > 60 { Text::Tiny } else { Text::Small };
        let places = view.places(&at, &names, size);
        let unnamed =
            names.iter().zip(&places).filter(|(name, place)| !name.is_empty() && place.is_none()).count();

        let width =
            (view.left + view.width + MARGIN).max(2 * MARGIN + Text::Title.width(&shorten(&self.title, 80)));
        let mut note = self.note.clone();
        for (count, what) in
            [(self.points.len() - shown.len(), "not finite"), (unnamed, "without room for a name")]
        {
            if count > 0 {
                note += &format!(" ({count} {} {what})", if count == 1 { "point" } else { "points" });
            }
        }
        let legend = self.legend_rows(width - view.left - MARGIN);
        let lines = wrapped(&note, width - view.left - MARGIN, Text::Small);
        let below = view.top + view.height + 32;
        let height = below + 20 * (legend.len() + lines.len()) as i32 + MARGIN - 6;
        let mut canvas = Canvas::new(NAME, width as usize, height as usize)?;
        canvas.text(MARGIN, MARGIN - 4, &shorten(&self.title, 80), Text::Title, Align::Left, INK);
        view.axes(&mut canvas);
        for (index, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
            let Some(place) = places[index] else { continue };
            if place.apart {
                let area = place.area;
                let end = |at: f32, low: f32, length: f32| at.clamp(low, low + length);
                let to = (end(at[index].0, area.left, area.width), end(at[index].1, area.top, area.height));
                canvas.line(&[at[index], to], 1.0, FRAME, 1.0);
            }
            let (x, y) = (place.area.left.round() as i32, place.area.top.round() as i32);
            canvas.text(x, y, name, size, Align::Left, INK);
        }
        for (point, &at) in shown.iter().zip(&at) {
            canvas.discs(&[at], RADIUS, class_color(point.group), 0.95);
        }
        for (row, entries) in legend.iter().enumerate() {
            let y = below + 20 * row as i32;
            for &(x, group) in entries {
                let x = view.left + x;
                canvas.discs(&[((x + 6) as f32, (y + 8) as f32)], RADIUS, class_color(group), 0.95);
                let name = shorten(&self.groups[group], LONGEST_NAME);
                canvas.text(x + 16, y, &name, Text::Small, Align::Left, INK);
            }
        }
        for (index, line) in lines.iter().enumerate() {
            let y = below + 20 * (legend.len() + index) as i32;
            canvas.text(view.left, y, line, Text::Small, Align::Left, MUTED);
        }
        Ok(canvas.finish())
    }

    /// Rows of the legend: the place of each entry and its group. Groups without a colour of their
    /// own have none.
    fn legend_rows(&self, width: i32) -> Vec<Vec<(i32, usize)>> {
        if !(2..=CLASS_COLORS).contains(&self.groups.len()) {
            return Vec::new();
        }
        let mut rows: Vec<Vec<(i32, usize)>> = vec![Vec::new()];
        let mut x = 0;
        for (group, name) in self.groups.iter().enumerate() {
            let entry = 16 + Text::Small.width(&shorten(name, LONGEST_NAME)) + 20;
            if x > 0 && x + entry > width {
                rows.push(Vec::new());
                x = 0;
            }
            if let Some(row) = rows.last_mut() {
                row.push((x, group));
            }
            x += entry;
        }
        rows
    }
}

/// The part of the plane that is shown and where.
struct View {
    left: i32,
    top: i32,
    width: i32,
    height: i32,
    low: [f64; 2],
    high: [f64; 2],
    /// Pixels of a unit, on both axes.
    scale: f64,
}

impl View {
    fn of(points: &[&MapPoint], top: i32) -> Self {
        let mut low = [f64::INFINITY; 2];
        let mut high = [f64::NEG_INFINITY; 2];
        for point in points {
            for axis in 0..2 {
                low[axis] = low[axis].min(point.at[axis]);
                high[axis] = high[axis].max(point.at[axis]);
            }
        }
        let span = (high[0] - low[0]).max(high[1] - low[1]);
        let span = if span > 0.0 { span } else { low[0].abs().max(low[1].abs()).max(1.0) };
        // Room for names, and a plot that is not too flat.
        let wanted = [0, 1].map(|axis| (high[axis] - low[axis] + 0.2 * span).max(1.2 * span * SHORT / LONG));
        for axis in 0..2 {
            let middle = 0.5 * (low[axis] + high[axis]);
            (low[axis], high[axis]) = (middle - 0.5 * wanted[axis], middle + 0.5 * wanted[axis]);
        }
        let scale = LONG / (1.2 * span);
        let side = |axis: usize| (wanted[axis] * scale).round() as i32;
        Self { left: LEFT, top, width: side(0), height: side(1), low, high, scale }
    }

    fn at(&self, point: [f64; 2]) -> Xy {
        let x = f64::from(self.left) + (point[0] - self.low[0]) * self.scale;
        let y = f64::from(self.top + self.height) - (point[1] - self.low[1]) * self.scale;
        (x as f32, y as f32)
    }

    fn places(&self, at: &[Xy], names: &[String], size: Text) -> Vec<Option<crate::labels::Place>> {
        let sizes: Vec<(f32, f32)> =
            names.iter().map(|name| (size.width(name) as f32, size.height() as f32)).collect();
        let sheet = Rectangle {
            left: (self.left + 3) as f32,
            top: (self.top + 2) as f32,
            width: (self.width - 6) as f32,
            height: (self.height - 4) as f32,
        };
        place(at, &sizes, RADIUS, sheet)
    }

    fn axes(&self, canvas: &mut Canvas) {
        let (right, bottom) = (self.left + self.width, self.top + self.height);
        let half = Text::Small.height() / 2;
        for (axis, pixels) in [(0, self.width), (1, self.height)] {
            // One step for both axes, that of the longer one.
            let wanted = (8.0 * f64::from(pixels) / LONG).round().max(2.0) as usize;
            for tick in ticks::linear(self.low[axis], self.high[axis], wanted) {
                let (x, y) = self.at([tick.value; 2]);
                let (x, y) = (x.round() as i32, y.round() as i32);
                let Label::Number(text) = &tick.label else { continue };
                if axis == 0 {
                    canvas.rect(x, self.top, 1, self.height, GRID);
                    canvas.rect(x, bottom, 1, 4, FRAME);
                    canvas.text(x, bottom + 7, text, Text::Small, Align::Center, MUTED);
                } else {
                    canvas.rect(self.left, y, self.width, 1, GRID);
                    canvas.rect(self.left - 4, y, 4, 1, FRAME);
                    canvas.text(self.left - 7, y - half, text, Text::Small, Align::Right, MUTED);
                }
            }
        }
        canvas.frame(self.left, self.top, right - self.left, bottom - self.top, FRAME);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::palette::Rgb;

    fn map(at: &[[f64; 2]]) -> PointMap {
        let point = |(i, &at): (usize, &[f64; 2])| MapPoint { at, name: format!("p{i}"), group: i % 2 };
        let points = at.iter().enumerate().map(point).collect();
        PointMap { title: "t".into(), note: "n".into(), points, groups: vec!["a".into(), "b".into()] }
    }

    fn color_at(map: &PointMap, picture: &Picture, at: [f64; 2]) -> Rgb {
        let shown: Vec<&MapPoint> = map.points.iter().collect();
        let (x, y) = View::of(&shown, MARGIN + Text::Title.height() + 10).at(at);
        picture.pixels()[y.round() as usize * picture.width() + x.round() as usize]
    }

    #[test]
    fn points_stand_where_they_are_on_equal_axes() {
        let at = [[0.0, 0.0], [4.0, 1.0], [2.0, -1.0]];
        let map = map(&at);
        let picture = map.draw().unwrap();
        for (point, at) in map.points.iter().zip(at) {
            let (found, expected) = (color_at(&map, &picture, at), class_color(point.group));
            assert!(found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) < 20), "{found:?} {expected:?}");
        }
        let shown: Vec<&MapPoint> = map.points.iter().collect();
        let view = View::of(&shown, 0);
        let (a, b, c) = (view.at([0.0, 0.0]), view.at([1.0, 0.0]), view.at([0.0, 1.0]));
        assert!((b.0 - a.0 - (a.1 - c.1)).abs() < 1e-3 && view.width > view.height);
    }

    #[test]
    fn points_of_any_size_and_number_are_drawn() {
        for at in [
            &[[0.0, 0.0]][..],
            &[[5.0, 5.0]; 9],
            &[[1e150, 0.0], [-1e150, 3.0]],
            &[[1e-300, 0.0], [0.0, 0.0]],
        ] {
            map(at).draw().unwrap();
        }
        let line: Vec<[f64; 2]> = (0..200).map(|i| [f64::from(i), 0.0]).collect();
        assert!(map(&line).draw().unwrap().height() < 1000);
    }

    #[test]
    fn what_cannot_be_drawn_is_refused_or_said() {
        let none = map(&[[f64::NAN, 0.0]]).draw().unwrap_err().to_string();
        assert_eq!(none, "expected at least one finite point for the map, found none");
        let mut wrong = map(&[[0.0, 0.0]]);
        wrong.groups.clear();
        assert!(wrong.draw().unwrap_err().to_string().contains("groups below 0"));
        let (whole, part) = (map(&[[0.0, 0.0]]), map(&[[0.0, 0.0], [f64::INFINITY, 0.0]]));
        assert_ne!(whole.draw().unwrap(), part.draw().unwrap());
    }
}
