//! How far distances agree with a reference: a panel a method, with correlations and seconds.

use wowflow::stats::correlation::{Coefficient, Correlations};

use crate::canvas::{Align, Canvas, Text, Xy, shorten};
use crate::error::ReportError;
use crate::palette::{CLASS_COLORS, FRAME, GRID, INK, MUTED, class_color};
use crate::picture::Picture;
use crate::ticks::{self, Label};

const NAME: &str = "agreement figure";
const MARGIN: i32 = 20;
const PANELS_A_ROW: usize = 4;
/// Room left of a panel for the texts of its ticks.
const TICK_ROOM: i32 = 62;
/// Room above a panel: its name and two lines of correlations.
const HEAD: i32 = 60;
/// Room below a panel: ticks and the seconds.
const FOOT: i32 = 46;

/// Distances by one method against a reference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgreementPanel {
    /// The method.
    pub name: String,
    /// Reference and distance of every pair of datasets. Those that are not finite are left out and
    /// counted.
    pub points: Vec<(f64, f64)>,
    /// Group of every pair, an index into [`Agreement::groups`]; empty if there are none.
    pub groups: Vec<usize>,
    /// What was computed from the points, with intervals.
    pub correlations: Option<Correlations>,
    /// Written below, such as the seconds a pair took.
    pub note: String,
}

/// Panels of methods against one reference, each on axes of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Agreement {
    /// Written above.
    pub title: String,
    /// The reference, below the panels.
    pub reference: String,
    /// Names of the groups, for the legend.
    pub groups: Vec<String>,
    /// The panels, row after row.
    pub panels: Vec<AgreementPanel>,
}

impl Agreement {
    /// Draws the panels, one alone larger than several.
    ///
    /// ```
    /// use wowflow::stats::correlation::{Bootstrap, correlations};
    /// use wowflow_report::{Agreement, AgreementPanel};
    /// let points: Vec<(f64, f64)> = (0..20).map(|i| (f64::from(i), f64::from(i * i % 90))).collect();
    /// let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    /// let correlations = correlations(&x, &y, &Bootstrap::default()).ok();
    /// let name = "s-OTDD".into();
    /// let panels = vec![AgreementPanel { name, points, correlations, ..AgreementPanel::default() }];
    /// let figure = Agreement { reference: "exact OTDD".into(), panels, ..Agreement::default() };
    /// assert!(figure.draw()?.width() > 500);
    /// # Ok::<(), wowflow_report::ReportError>(())
    /// ```
    ///
    /// # Errors
    /// No panels, one without a finite point, or groups that do not fit.
    pub fn draw(&self) -> Result<Picture, ReportError> {
        let refuse = |expected: String, found: String| Err(ReportError::picture(NAME, expected, found));
        if self.panels.is_empty() {
            return refuse("at least one panel".into(), "none".into());
        }
        for panel in &self.panels {
            if !panel.points.iter().any(finite) {
                return refuse(format!("a finite point of {:?}", panel.name), "none".into());
            }
            if !panel.groups.is_empty() && panel.groups.len() != panel.points.len() {
                return refuse(
                    format!("{} groups of {:?}", panel.points.len(), panel.name),
                    panel.groups.len().to_string(),
                );
            }
            if let Some(group) = panel.groups.iter().find(|&&group| group >= self.groups.len()) {
                return refuse(format!("groups below {}", self.groups.len()), group.to_string());
            }
        }
        let sheet = Sheet::of(self);
        let mut canvas = Canvas::new(NAME, sheet.width as usize, sheet.height as usize)?;
        let room = (sheet.width - 2 * MARGIN) / Text::Title.width("0");
        canvas.text(MARGIN, MARGIN - 4, &shorten(&self.title, room as usize), Text::Title, Align::Left, INK);
        for (index, panel) in self.panels.iter().enumerate() {
            let view = sheet.view(index, panel);
            view.axes(&mut canvas);
            view.texts(&mut canvas, panel, &self.reference);
            for (group, points) in view.by_group(panel) {
                canvas.discs(&points, sheet.radius, class_color(group), 0.75);
            }
        }
        sheet.legend(&mut canvas, &self.groups);
        Ok(canvas.finish())
    }
}

fn finite((x, y): &(f64, f64)) -> bool {
    x.abs() <= 1e150 && y.abs() <= 1e150
}

/// `name 0.93 [0.88, 0.96]`.
fn with_interval(name: &str, of: &Coefficient) -> String {
    format!("{name} {:.2} [{:.2}, {:.2}]", of.value, of.low, of.high)
}

/// Where the panels lie.
struct Sheet {
    columns: usize,
    panel: i32,
    top: i32,
    width: i32,
    height: i32,
    radius: f32,
    legend: Vec<(i32, i32, usize)>,
}

impl Sheet {
    fn of(figure: &Agreement) -> Self {
        let count = figure.panels.len();
        let rows = count.div_ceil(PANELS_A_ROW);
        let columns = count.div_ceil(rows);
        let panel = match columns {
            1 => 520,
            2 => 400,
            3 => 320,
            _ => 270,
        };
        let top = MARGIN + if figure.title.is_empty() { 0 } else { Text::Title.height() + 8 };
        let width = 2 * MARGIN + columns as i32 * (TICK_ROOM + panel);
        let mut height = top + rows as i32 * (HEAD + panel + FOOT) + 4;
        // Entries of the legend in rows.
        let mut legend = Vec::new();
        if (2..=CLASS_COLORS).contains(&figure.groups.len()) {
            let mut x = MARGIN;
            for (group, name) in figure.groups.iter().enumerate() {
                let entry = 16 + Text::Small.width(&shorten(name, 40)) + 20;
                if x > MARGIN && x + entry > width - MARGIN {
                    x = MARGIN;
                    height += 20;
                }
                legend.push((x, height, group));
                x += entry;
            }
            height += 20;
        }
        let points = figure.panels.iter().map(|panel| panel.points.len()).max().unwrap_or(0);
        let radius = (4.5 * (60.0 / points.max(60) as f32).sqrt()).max(1.5);
        Self { columns, panel, top, width, height: height + MARGIN - 6, radius, legend }
    }

    fn view(&self, index: usize, panel: &AgreementPanel) -> View {
        let (row, column) = ((index / self.columns) as i32, (index % self.columns) as i32);
        let left = MARGIN + TICK_ROOM + column * (TICK_ROOM + self.panel);
        let top = self.top + HEAD + row * (HEAD + self.panel + FOOT);
        let points = panel.points.iter().copied().filter(finite);
        let (x, y) = (limits(points.clone().map(|p| p.0)), limits(points.map(|p| p.1)));
        View { left, top, side: self.panel, x, y }
    }

    fn legend(&self, canvas: &mut Canvas, groups: &[String]) {
        for &(x, y, group) in &self.legend {
            canvas.discs(&[((x + 6) as f32, (y + 8) as f32)], 4.5, class_color(group), 0.9);
            canvas.text(x + 16, y, &shorten(&groups[group], 40), Text::Small, Align::Left, INK);
        }
    }
}

/// The range of an axis with some room at both ends.
fn limits(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(f64::NEG_INFINITY, f64::max);
    let room = match high - low {
        0.0 if low == 0.0 => 1.0,
        0.0 => 0.5 * low.abs(),
        span => 0.06 * span,
    };
    (low - room, high + room)
}

/// One panel on the sheet.
struct View {
    left: i32,
    top: i32,
    side: i32,
    x: (f64, f64),
    y: (f64, f64),
}

impl View {
    fn at(&self, (x, y): (f64, f64)) -> Xy {
        let along = |value: f64, (low, high): (f64, f64)| (value - low) / (high - low) * f64::from(self.side);
        let (right, up) = (along(x, self.x), along(y, self.y));
        ((f64::from(self.left) + right) as f32, (f64::from(self.top + self.side) - up) as f32)
    }

    /// The finite points of each group.
    fn by_group(&self, panel: &AgreementPanel) -> Vec<(usize, Vec<Xy>)> {
        let mut groups: Vec<(usize, Vec<Xy>)> = Vec::new();
        for (index, point) in panel.points.iter().enumerate().filter(|(_, point)| finite(point)) {
            let group = panel.groups.get(index).copied().unwrap_or(0);
            match groups.iter_mut().find(|(of, _)| *of == group) {
                Some((_, points)) => points.push(self.at(*point)),
                None => groups.push((group, vec![self.at(*point)])),
            }
        }
        groups
    }

    fn axes(&self, canvas: &mut Canvas) {
        let bottom = self.top + self.side;
        let half = Text::Small.height() / 2;
        let wanted = if self.side > 350 { 6 } else { 4 };
        for tick in ticks::linear(self.x.0, self.x.1, wanted) {
            let x = self.at((tick.value, self.y.0)).0.round() as i32;
            canvas.rect(x, self.top, 1, self.side, GRID);
            canvas.rect(x, bottom, 1, 4, FRAME);
            if let Label::Number(text) = &tick.label {
                canvas.text(x, bottom + 6, text, Text::Small, Align::Center, MUTED);
            }
        }
        for tick in ticks::linear(self.y.0, self.y.1, wanted) {
            let y = self.at((self.x.0, tick.value)).1.round() as i32;
            canvas.rect(self.left, y, self.side, 1, GRID);
            canvas.rect(self.left - 4, y, 4, 1, FRAME);
            if let Label::Number(text) = &tick.label {
                canvas.text(self.left - 7, y - half, text, Text::Small, Align::Right, MUTED);
            }
        }
        canvas.frame(self.left, self.top, self.side, self.side, FRAME);
    }

    fn texts(&self, canvas: &mut Canvas, panel: &AgreementPanel, reference: &str) {
        let (middle, bottom) = (self.left + self.side / 2, self.top + self.side);
        let fit = |text: &str, size: Text| shorten(text, ((self.side + 30) / size.width("0")) as usize);
        canvas.text(
            middle,
            self.top - HEAD + 4,
            &fit(&panel.name, Text::Title),
            Text::Title,
            Align::Center,
            INK,
        );
        if let Some(found) = &panel.correlations {
            let first = with_interval("Spearman", &found.spearman);
            canvas.text(middle, self.top - 35, &fit(&first, Text::Small), Text::Small, Align::Center, INK);
            let intervals = format!(
                "{}  {}",
                with_interval("Pearson", &found.pearson),
                with_interval("Kendall", &found.kendall)
            );
            let values = format!("Pearson {:.2}  Kendall {:.2}", found.pearson.value, found.kendall.value);
            let second = if Text::Small.width(&intervals) <= self.side { intervals } else { values };
            canvas.text(middle, self.top - 19, &second, Text::Small, Align::Center, MUTED);
        }
        let missing = panel.points.iter().filter(|point| !finite(point)).count();
        let note = match missing {
            0 => panel.note.clone(),
            count => format!("{} {count} without a value", panel.note).trim_start().to_owned(),
        };
        let below = if note.is_empty() { reference.to_owned() } else { format!("{reference}   ({note})") };
        canvas.text(middle, bottom + 24, &fit(below.trim(), Text::Small), Text::Small, Align::Center, INK);
    }
}

#[cfg(test)]
mod tests {
    use wowflow_study::text::seconds;

    use super::*;

    fn figure(panels: usize) -> Agreement {
        let coefficient = Coefficient { value: 0.934, low: 0.88, high: 0.961 };
        let (pearson, spearman, kendall) = (coefficient, coefficient, coefficient);
        let panel = AgreementPanel {
            name: "s-OTDD".into(),
            points: vec![(0.0, 10.0), (1.0, 30.0), (2.0, 20.0)],
            groups: vec![0, 1, 0],
            correlations: Some(Correlations { pearson, spearman, kendall, pairs: 3, resamples: 99 }),
            note: seconds(0.0123),
        };
        let groups = vec!["digits".into(), "clothes".into()];
        Agreement { title: "t".into(), reference: "OTDD".into(), groups, panels: vec![panel; panels] }
    }

    #[test]
    fn points_stand_in_their_panels() {
        for count in [1, 2, 3, 5] {
            let figure = figure(count);
            let sheet = Sheet::of(&figure);
            let picture = figure.draw().unwrap();
            assert_eq!((picture.width() as i32, picture.height() as i32), (sheet.width, sheet.height));
            for (index, panel) in figure.panels.iter().enumerate() {
                let view = sheet.view(index, panel);
                for (point, group) in panel.points.iter().zip(&panel.groups) {
                    let (x, y) = view.at(*point);
                    assert!(x as i32 > view.left && (x as i32) < view.left + view.side);
                    let found = picture.pixels()[y.round() as usize * picture.width() + x.round() as usize];
                    assert!(
                        found.iter().zip(class_color(*group)).all(|(a, b)| a.abs_diff(b) < 80),
                        "{found:?}"
                    );
                }
            }
        }
        assert_eq!(
            with_interval("r", &Coefficient { value: 0.934, low: 0.88, high: 0.961 }),
            "r 0.93 [0.88, 0.96]"
        );
        assert_eq!([0.0123, 3.44, 125.4].map(seconds), ["0.0123 s", "3.44 s", "125 s"]);
    }

    #[test]
    fn degenerate_values_are_drawn_and_bad_ones_refused() {
        let mut flat = figure(1);
        flat.panels[0].points = vec![(0.0, 5.0), (0.0, 5.0), (f64::NAN, 1.0)];
        flat.draw().unwrap();
        type Change = fn(&mut Agreement);
        let cases: [(Change, &str); 4] = [
            (|f| f.panels.clear(), "at least one panel"),
            (|f| f.panels[0].points = vec![(f64::NAN, 0.0)], "a finite point"),
            (|f| f.panels[0].groups = vec![0], "3 groups"),
            (|f| f.groups.truncate(1), "groups below 1"),
        ];
        for (change, message) in cases {
            let mut changed = figure(1);
            change(&mut changed);
            let text = changed.draw().unwrap_err().to_string();
            assert!(text.contains(message), "{text}");
        }
    }
}
