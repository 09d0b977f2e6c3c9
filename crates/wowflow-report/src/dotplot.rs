//! Values of many entries side by side: a dot each, with its deviation, and a hollow one for what it is compared with.

use crate::canvas::{Align, Canvas, Text, Xy, shorten};
use crate::error::ReportError;
use crate::palette::{FRAME, GRID, INK, MUTED, PAPER, class_color};
use crate::picture::Picture;
use crate::ticks::{self, Label};

const NAME: &str = "dot plot";
const MARGIN: i32 = 20;
const PANELS_A_LINE: usize = 4;
/// Widths of one panel alone, of each of two, of each of more.
const WIDTHS: [i32; 3] = [420, 300, 210];
/// A title makes a figure at most so wide.
const WIDE: i32 = 900;
/// Between panels.
const GAP: i32 = 28;
/// Height of an entry.
const ENTRY: i32 = 28;
/// Above a panel, for its name.
const HEAD: i32 = 30;
/// Below a panel, for the numbers of its axis.
const FOOT: i32 = 34;
/// Names of entries are cut to so many characters.
const LONGEST: usize = 28;

/// A value, and how far others of its kind lie from it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dot {
    /// The value.
    pub value: f64,
    /// A deviation, drawn to both sides; `None` where there is a single value.
    pub deviation: Option<f64>,
}

impl Dot {
    /// From the lower to the upper end.
    fn ends(&self) -> (f64, f64) {
        let deviation = self.deviation.unwrap_or(0.0);
        (self.value - deviation, self.value + deviation)
    }

    fn is_finite(&self) -> bool {
        let (low, high) = self.ends();
        low.is_finite() && high.is_finite()
    }
}

/// The dots of one entry in one panel; what is not there is not drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DotPair {
    /// Filled.
    pub own: Option<Dot>,
    /// Hollow, below it.
    pub reference: Option<Dot>,
}

/// A panel: a pair of dots for every entry of its [`DotPlot`], on an axis of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DotPanel {
    /// Written above.
    pub name: String,
    /// One an entry.
    pub pairs: Vec<DotPair>,
}

/// Panels side by side over common entries: what a table says, to look at.
///
/// ```
/// use wowflow_report::{Dot, DotPair, DotPanel, DotPlot};
/// let pair = |own, reference| DotPair {
///     own: Some(Dot { value: own, deviation: Some(1.0) }),
///     reference: Some(Dot { value: reference, deviation: None }),
/// };
/// let figure = DotPlot {
///     title: "Accuracy, %".into(),
///     entries: vec!["random".into(), "flow".into()],
///     kinds: ["here".into(), "published".into()],
///     panels: vec![DotPanel { name: "p = 1".into(), pairs: vec![pair(55.9, 55.8), pair(64.2, 66.5)] }],
/// };
/// assert!(figure.draw()?.width() > 200);
/// # Ok::<(), wowflow_report::ReportError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DotPlot {
    /// Written above.
    pub title: String,
    /// Names of the entries, from the top.
    pub entries: Vec<String>,
    /// What filled and hollow dots are, for the legend.
    pub kinds: [String; 2],
    /// The panels, four a line.
    pub panels: Vec<DotPanel>,
}

impl DotPlot {
    /// Draws the panels.
    ///
    /// # Errors
    /// No panels, one without a dot or without a pair for every entry, or values that are not finite.
    pub fn draw(&self) -> Result<Picture, ReportError> {
        let refuse = |expected: String, found: String| Err(ReportError::picture(NAME, expected, found));
        if self.panels.is_empty() {
            return refuse("at least one panel".into(), "none".into());
        }
        for DotPanel { name, pairs } in &self.panels {
            if pairs.len() != self.entries.len() {
                let expected = format!("{} pairs in {name:?}", self.entries.len());
                return refuse(expected, pairs.len().to_string());
            }
            if dots(pairs).next().is_none() {
                return refuse(format!("at least one dot in {name:?}"), "none".into());
            }
            if let Some(dot) = dots(pairs).find(|dot| !dot.is_finite()) {
                return refuse(format!("finite values in {name:?}"), format!("{dot:?}"));
            }
        }
        let names: Vec<String> = self.entries.iter().map(|name| shorten(name, LONGEST)).collect();
        let gutter = names.iter().map(|name| Text::Small.width(name)).max().unwrap_or(0) + 14;
        let columns = self.panels.len().min(PANELS_A_LINE);
        let panel_width = WIDTHS[columns.min(WIDTHS.len()) - 1];
        let lines = self.panels.chunks(PANELS_A_LINE);
        let plot = ENTRY * names.len() as i32;
        let line_height = HEAD + plot + FOOT;
        let top = MARGIN + Text::Title.height();
        let width = (2 * MARGIN + gutter + columns as i32 * (panel_width + GAP)).max(self.least_width());
        let height = top + lines.len() as i32 * line_height + Text::Small.height() + MARGIN;
        let mut canvas = Canvas::new(NAME, width as usize, height as usize)?;
        let room = ((width - 2 * MARGIN) / Text::Title.width("0")) as usize;
        canvas.text(MARGIN, MARGIN - 6, &shorten(&self.title, room), Text::Title, Align::Left, INK);
        for (line, panels) in lines.enumerate() {
            let top = top + line as i32 * line_height + HEAD;
            for (entry, name) in names.iter().enumerate() {
                let y = top + ENTRY * entry as i32 + (ENTRY - Text::Small.height()) / 2;
                canvas.text(MARGIN + gutter - 14, y, name, Text::Small, Align::Right, INK);
            }
            for (column, panel) in panels.iter().enumerate() {
                let left = MARGIN + gutter + column as i32 * (panel_width + GAP);
                View::of(panel, (left, top), (panel_width, plot)).draw(&mut canvas, panel);
            }
        }
        self.legend(&mut canvas, height - MARGIN - Text::Small.height() + 6);
        Ok(canvas.finish())
    }

    /// Names of the kinds that are there, with their places in the legend.
    fn shown(&self) -> impl Iterator<Item = (usize, &String)> {
        let there = |kind: usize| {
            let mut pairs = self.panels.iter().flat_map(|panel| &panel.pairs);
            pairs.any(|pair| [pair.own, pair.reference][kind].is_some())
        };
        self.kinds.iter().enumerate().filter(move |(kind, _)| there(*kind))
    }

    fn least_width(&self) -> i32 {
        let legend = self.shown().map(|(_, name)| Text::Small.width(name) + 60).sum::<i32>();
        2 * MARGIN + legend.max(Text::Title.width(&self.title).min(WIDE))
    }

    fn legend(&self, canvas: &mut Canvas, y: i32) {
        let mut x = MARGIN;
        for (kind, name) in self.shown() {
            let middle = (y + Text::Small.height() / 2) as f32;
            mark(canvas, kind, (x as f32 + 16.0, middle), (x as f32, x as f32 + 32.0));
            canvas.text(x + 40, y, name, Text::Small, Align::Left, MUTED);
            x += Text::Small.width(name) + 60;
        }
    }
}

fn dots(pairs: &[DotPair]) -> impl Iterator<Item = Dot> {
    pairs.iter().flat_map(|pair| [pair.own, pair.reference]).flatten()
}

/// A dot with its deviation from end to end.
fn mark(canvas: &mut Canvas, kind: usize, at: Xy, (low, high): (f32, f32)) {
    canvas.line(&[(low, at.1), (high, at.1)], 2.0, class_color(kind), 0.5);
    if kind == 0 {
        canvas.discs(&[at], 4.5, class_color(kind), 1.0);
    } else {
        canvas.discs(&[at], 4.0, PAPER, 1.0);
        canvas.circles(&[at], 4.0, 1.5, class_color(kind), 1.0);
    }
}

/// A panel's place and axis.
struct View {
    left: i32,
    top: i32,
    width: i32,
    height: i32,
    low: f64,
    high: f64,
}

impl View {
    fn of(panel: &DotPanel, (left, top): (i32, i32), (width, height): (i32, i32)) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for dot in dots(&panel.pairs) {
            low = low.min(dot.ends().0);
            high = high.max(dot.ends().1);
        }
        let room = if high > low { (high - low) * 0.06 } else { (low.abs() * 0.1).max(1e-3) };
        Self { left, top, width, height, low: low - room, high: high + room }
    }

    fn x(&self, value: f64) -> f32 {
        self.left as f32 + ((value - self.low) / (self.high - self.low)) as f32 * self.width as f32
    }

    fn draw(&self, canvas: &mut Canvas, panel: &DotPanel) {
        let bottom = self.top + self.height;
        let middle = self.left + self.width / 2;
        let name = shorten(&panel.name, (self.width / Text::Small.width("0")) as usize);
        canvas.text(middle, self.top - 22, &name, Text::Small, Align::Center, INK);
        for entry in 0..panel.pairs.len() as i32 {
            canvas.rect(self.left, self.top + ENTRY * entry + ENTRY / 2, self.width, 1, GRID);
        }
        for tick in ticks::linear(self.low, self.high, 4) {
            let x = self.x(tick.value).round() as i32;
            canvas.rect(x, self.top, 1, self.height, GRID);
            canvas.rect(x, bottom, 1, 6, FRAME);
            if let Label::Number(text) = &tick.label {
                canvas.text(x, bottom + 8, text, Text::Small, Align::Center, INK);
            }
        }
        canvas.frame(self.left, self.top, self.width, self.height + 1, FRAME);
        for (entry, pair) in panel.pairs.iter().enumerate() {
            let middle = (self.top + ENTRY * entry as i32 + ENTRY / 2) as f32;
            // The hollow one first, so that it never hides the filled one.
            for (kind, dot, y) in [(1, pair.reference, middle + 6.0), (0, pair.own, middle - 3.0)] {
                if let Some(dot) = dot {
                    let (low, high) = dot.ends();
                    mark(canvas, kind, (self.x(dot.value), y), (self.x(low), self.x(high)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::palette::Rgb;

    fn own(value: f64, deviation: Option<f64>) -> DotPair {
        DotPair { own: Some(Dot { value, deviation }), reference: None }
    }

    fn plot(pairs: Vec<DotPair>) -> DotPlot {
        DotPlot {
            title: "t".into(),
            entries: (0..pairs.len()).map(|entry| format!("entry {entry}")).collect(),
            kinds: ["here".into(), "published".into()],
            panels: vec![DotPanel { name: "p".into(), pairs }],
        }
    }

    /// Mean column of the pixels of a colour between two rows.
    fn column(picture: &Picture, color: Rgb, rows: std::ops::Range<i32>) -> Option<f64> {
        let width = picture.width();
        let found: Vec<f64> = (rows.start as usize * width..rows.end as usize * width)
            .filter(|&at| picture.pixels()[at] == color)
            .map(|at| (at % width) as f64)
            .collect();
        (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
    }

    #[test]
    fn equal_differences_are_equal_distances_and_a_higher_value_is_further_right() {
        let picture = plot(vec![own(1.0, None), own(2.0, None), own(3.0, None)]).draw().unwrap();
        let top = MARGIN + Text::Title.height() + HEAD;
        let at: Vec<f64> = (0..3)
            .map(|entry| {
                column(&picture, class_color(0), top + ENTRY * entry..top + ENTRY * (entry + 1)).unwrap()
            })
            .collect();
        assert!(at[0] + 50.0 < at[1] && at[1] + 50.0 < at[2], "{at:?}");
        assert!((at[0] + at[2] - 2.0 * at[1]).abs() < 1.5, "{at:?}");
    }

    #[test]
    fn only_kinds_that_are_there_are_in_the_legend_and_a_reference_alone_is_drawn() {
        let top = MARGIN + Text::Title.height() + HEAD;
        let body = top..top + ENTRY;
        let alone = DotPair { own: None, reference: Some(Dot { value: 1.0, deviation: Some(0.5) }) };
        let plotted = plot(vec![alone]);
        assert_eq!(plotted.shown().map(|(kind, _)| kind).collect::<Vec<_>>(), [1]);
        let picture = plotted.draw().unwrap();
        assert!(column(&picture, class_color(1), body.clone()).is_some());
        assert_eq!(column(&picture, class_color(0), 0..picture.height() as i32), None);
        let both = DotPair { own: own(2.0, None).own, ..alone };
        assert_eq!(plot(vec![both]).shown().count(), 2);
        assert_eq!(
            plot(vec![own(1.0, None)]).shown().map(|(_, name)| name.as_str()).collect::<Vec<_>>(),
            ["here"]
        );
    }

    #[test]
    fn a_deviation_widens_the_axis_and_is_drawn_to_both_sides() {
        let of = |deviation| {
            View::of(&DotPanel { name: String::new(), pairs: vec![own(5.0, deviation)] }, (0, 0), (80, 9))
        };
        let (narrow, wide) = (of(None), of(Some(2.0)));
        assert!(narrow.low > 4.0 && wide.low < 3.0 && wide.high > 7.0);
        assert!((wide.x(5.0) - 40.0).abs() < 1e-3);
    }

    #[test]
    fn panels_beyond_four_go_to_a_new_line_and_titles_have_room() {
        let mut figure = plot(vec![own(1.0, None)]);
        let size = |figure: &DotPlot| figure.draw().map(|p| (p.width() as i32, p.height() as i32)).unwrap();
        let one = size(&figure);
        figure.panels = vec![figure.panels[0].clone(); 4];
        let four = size(&figure);
        assert_eq!(four, (one.0 + 4 * (WIDTHS[2] + GAP) - WIDTHS[0] - GAP, one.1));
        figure.panels.push(figure.panels[0].clone());
        assert_eq!(size(&figure), (four.0, four.1 + HEAD + ENTRY + FOOT));
        figure.panels.truncate(1);
        figure.title = "Transfer of a dataset with a long name to another: accuracy".into();
        assert_eq!(size(&figure).0, 2 * MARGIN + Text::Title.width(&figure.title));
    }

    #[test]
    fn what_cannot_be_drawn_is_named() {
        let text = |figure: &DotPlot| figure.draw().unwrap_err().to_string();
        let mut figure = plot(vec![own(1.0, None)]);
        figure.panels[0].pairs.push(own(2.0, None));
        assert!(text(&figure).contains("1 pairs in \"p\""), "{}", text(&figure));
        figure.panels[0].pairs = vec![DotPair::default()];
        assert!(text(&figure).contains("at least one dot in \"p\""), "{}", text(&figure));
        figure.panels[0].pairs = vec![own(f64::NAN, None)];
        assert!(text(&figure).contains("finite values in \"p\""), "{}", text(&figure));
        figure.panels.clear();
        assert!(text(&figure).contains("at least one panel"), "{}", text(&figure));
    }
}
