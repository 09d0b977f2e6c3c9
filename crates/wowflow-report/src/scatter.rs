//! Points moving in the plane: their paths in one figure, or an animation; one panel or several.

use crate::animation::{self, MOST_FRAMES, Timing, evenly};
use crate::canvas::{Align, Canvas, Text, Xy, shorten};
use crate::error::ReportError;
use crate::legend::{Legend, entry};
use crate::palette::{FRAME, GRID, INK, MUTED, Rgb, TARGET, class_color};
use crate::picture::Picture;
use crate::ticks::{self, Label};

const NAME: &str = "scatter figure";
const MARGIN: i32 = 20;
const PANEL_GAP: i32 = 16;
const TICK_ROOM: i32 = 44;
const LEGEND: i32 = 24;
/// Panels stand side by side up to this many, then in rows.
const PANELS_A_ROW: usize = 5;
/// Panels reach beyond start and target by at most this part of their extent; what leaves is counted.
const ROOM: f32 = 0.5;
/// Frames whose positions an animation shows as fading tails.
const TAIL: usize = 6;

/// Points of labeled classes moving in the plane towards target points.
///
/// All panels show the same classes at the same steps, on the same axes with equal units.
#[derive(Clone, Debug, Default)]
pub struct ScatterFlow {
    /// Written above the panels.
    pub title: String,
    /// Class of every moving point, an index into `labels`.
    pub classes: Vec<usize>,
    /// Labels of the classes.
    pub labels: Vec<String>,
    /// The step of every frame.
    pub steps: Vec<u64>,
    /// What an animation writes above every frame; when empty, its step.
    pub captions: Vec<String>,
    /// The panels from left to right.
    pub panels: Vec<ScatterPanel>,
}

/// One panel of a [`ScatterFlow`].
#[derive(Clone, Debug, Default)]
pub struct ScatterPanel {
    /// Written above the panel, such as the name of a kernel.
    pub title: String,
    /// Written within the panel, such as a final value.
    pub note: String,
    /// Positions of all moving points, one list a step. Points that are not finite are not drawn.
    pub frames: Vec<Vec<[f32; 2]>>,
    /// Positions of the target's points.
    pub targets: Vec<[f32; 2]>,
}

impl ScatterFlow {
    /// Draws the paths of all points, coloured by class, over the target's points in grey: an open
    /// circle where a point starts, a disc where it ends.
    ///
    /// # Errors
    /// No panels, steps or points; numbers of frames, points or labels that do not fit together; or
    /// no finite point at all.
    pub fn trajectories(&self) -> Result<Picture, ReportError> {
        let sheet = Sheet::new(self)?;
        let style = Style::of(self.classes.len(), sheet.panel);
        let mut canvas = sheet.canvas(self, &[Mark::Start, Mark::End, Mark::Target], style)?;
        let order = self.interleaved();
        for (index, panel) in self.panels.iter().enumerate() {
            let view = sheet.view(index);
            view.clip(&mut canvas);
            for &point in &order {
                let path = panel.frames.iter().map(|frame| view.at(frame[point]));
                let path: Vec<Xy> = path.take_while(|&p| finite(p)).collect();
                canvas.line(&path, style.line, class_color(self.classes[point]), style.alpha);
            }
            for (frame, mark) in [(panel.frames.first(), Mark::Start), (panel.frames.last(), Mark::End)] {
                for &point in frame.iter().flat_map(|_| &order) {
                    let at = frame.map(|frame| view.at(frame[point]));
                    mark.draw(&mut canvas, at.as_slice(), style.radius, class_color(self.classes[point]));
                }
            }
            canvas.unclip();
            let gone = panel.frames.last().map_or(0, |frame| view.outside(frame));
            view.notes(&mut canvas, &panel.note, gone);
        }
        Ok(canvas.finish())
    }

    /// Animates the points with short tails as a GIF that loops and rests on the last frame; of more
    /// than 48 steps it shows 48, evenly chosen.
    ///
    /// # Errors
    /// As [`Self::trajectories`].
    pub fn animation(&self) -> Result<Vec<u8>, ReportError> {
        let sheet = Sheet::new(self)?;
        let style = Style::of(self.classes.len(), sheet.panel);
        let shown = evenly(self.steps.len(), MOST_FRAMES);
        let mut members = vec![Vec::new(); self.labels.len()];
        for (point, &class) in self.classes.iter().enumerate() {
            members[class].push(point);
        }
        let backdrop = sheet.canvas(self, &[Mark::End, Mark::Target], style)?;
        animation::encode(shown.len(), Timing::for_frames(shown.len()), |now| {
            let time = shown[now];
            let mut canvas = backdrop.clone();
            sheet.caption(&mut canvas, &self.caption(time));
            for (index, panel) in self.panels.iter().enumerate() {
                let view = sheet.view(index);
                view.clip(&mut canvas);
                for (class, points) in members.iter().enumerate() {
                    let at = |time: usize| points.iter().map(move |&p| view.at(panel.frames[time][p]));
                    for age in (0..TAIL.min(now)).rev() {
                        let (from, to) = (shown[now - age - 1], shown[now - age]);
                        let pieces = at(from).zip(at(to)).map(|(a, b)| [a, b]);
                        let pieces: Vec<[Xy; 2]> = pieces.filter(|p| p.iter().all(|&p| finite(p))).collect();
                        let alpha = 0.5 * (1.0 - age as f32 / TAIL as f32);
                        canvas.lines(pieces.iter().map(|p| &p[..]), 1.2, class_color(class), alpha);
                    }
                    let points: Vec<Xy> = at(time).collect();
                    Mark::End.draw(&mut canvas, &points, style.radius, class_color(class));
                }
                canvas.unclip();
                let note = if now + 1 == shown.len() { panel.note.as_str() } else { "" };
                view.notes(&mut canvas, note, view.outside(&panel.frames[time]));
            }
            Ok(canvas.finish())
        })
    }

    fn caption(&self, time: usize) -> String {
        self.captions.get(time).cloned().unwrap_or_else(|| format!("step {}", self.steps[time]))
    }

    /// The points, one of each class in turn, so that no class covers the others.
    fn interleaved(&self) -> Vec<usize> {
        let mut seen = vec![0usize; self.labels.len()];
        let mut order: Vec<(usize, usize)> = Vec::with_capacity(self.classes.len());
        for (point, &class) in self.classes.iter().enumerate() {
            order.push((seen[class], point));
            seen[class] += 1;
        }
        order.sort_unstable();
        order.into_iter().map(|(_, point)| point).collect()
    }

    fn check(&self) -> Result<(), ReportError> {
        let refuse = |expected: String, found: String| Err(ReportError::picture(NAME, expected, found));
        if self.panels.is_empty() || self.steps.is_empty() || self.classes.is_empty() {
            let found =
                [(self.panels.len(), "panels"), (self.steps.len(), "steps"), (self.classes.len(), "points")]
                    .map(|(count, what)| format!("{count} {what}"));
            return refuse("at least one panel, one step and one point".into(), found.join(", "));
        }
        if let Some(class) = self.classes.iter().find(|&&class| class >= self.labels.len()) {
            return refuse(format!("classes below {}", self.labels.len()), class.to_string());
        }
        if !self.captions.is_empty() && self.captions.len() != self.steps.len() {
            return refuse(format!("{} captions", self.steps.len()), self.captions.len().to_string());
        }
        for panel in &self.panels {
            if panel.frames.len() != self.steps.len() {
                return refuse(
                    format!("{} frames a panel", self.steps.len()),
                    panel.frames.len().to_string(),
                );
            }
            if let Some(frame) = panel.frames.iter().find(|frame| frame.len() != self.classes.len()) {
                return refuse(format!("{} points a frame", self.classes.len()), frame.len().to_string());
            }
        }
        Ok(())
    }
}

fn finite((x, y): Xy) -> bool {
    x.is_finite() && y.is_finite()
}

/// What a point is drawn as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Start,
    End,
    Target,
}

impl Mark {
    /// Draws the mark at all finite places.
    fn draw(self, canvas: &mut Canvas, at: &[Xy], radius: f32, color: Rgb) {
        let at: Vec<Xy> = at.iter().copied().filter(|&p| finite(p)).collect();
        match self {
            Self::Start => canvas.circles(&at, radius, 1.0, color, 0.55),
            Self::End => canvas.discs(&at, radius, color, 0.9),
            Self::Target => canvas.discs(&at, radius, TARGET, 1.0),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::End => "end",
            Self::Target => "target",
        }
    }
}

/// Sizes that keep a crowd readable.
#[derive(Clone, Copy)]
struct Style {
    radius: f32,
    line: f32,
    alpha: f32,
}

impl Style {
    fn of(points: usize, panel: i32) -> Self {
        let crowd = (points as f32 / 60.0).max(1.0).sqrt();
        let size = panel as f32 / 420.0;
        Self {
            radius: (3.6 * size.sqrt() / crowd.sqrt()).clamp(1.3, 3.6),
            line: (1.2 / crowd.sqrt()).clamp(0.6, 1.2),
            alpha: (0.6 / crowd.sqrt()).clamp(0.2, 0.6),
        }
    }
}

/// Where panels, titles and legends lie, and the region of the plane that panels show.
struct Sheet {
    columns: usize,
    panel: i32,
    /// Pixels from the top of one row of panels to the next.
    pitch: i32,
    panels_top: i32,
    width: i32,
    height: i32,
    low: [f32; 2],
    span: f32,
    legend: Legend,
}

impl Sheet {
    fn new(flow: &ScatterFlow) -> Result<Self, ReportError> {
        flow.check()?;
        let (low, span) = limits(flow)?;
        let count = flow.panels.len();
        let rows = count.div_ceil(PANELS_A_ROW);
        let columns = count.div_ceil(rows);
        let panel = match columns {
            1 => 520,
            2 => 420,
            3 => 360,
            _ => 290,
        };
        let titles = if flow.panels.iter().any(|panel| !panel.title.is_empty()) { 22 } else { 0 };
        let pitch = panel + 28 + titles;
        let panels_top = MARGIN + Text::Title.height() + 12 + titles;
        let across = columns as i32 * (panel + PANEL_GAP) - PANEL_GAP;
        let marks = [Mark::Start, Mark::End, Mark::Target].map(|mark| entry(mark.name())).iter().sum();
        let legend = Legend::new(&flow.classes, &flow.labels, marks, across);
        Ok(Self {
            columns,
            panel,
            pitch,
            panels_top,
            width: 2 * MARGIN + TICK_ROOM + across,
            height: panels_top + rows as i32 * pitch - titles + 8 + LEGEND + legend.below() + MARGIN - 8,
            low,
            span,
            legend,
        })
    }

    fn view(&self, index: usize) -> View<'_> {
        let column = (index % self.columns) as i32;
        let row = (index / self.columns) as i32;
        let left = MARGIN + TICK_ROOM + column * (self.panel + PANEL_GAP);
        View { sheet: self, left, top: self.panels_top + row * self.pitch }
    }

    /// What all frames share: title, panels with ticks and targets, and the legend.
    fn canvas(&self, flow: &ScatterFlow, marks: &[Mark], style: Style) -> Result<Canvas, ReportError> {
        let mut canvas = Canvas::new(NAME, self.width as usize, self.height as usize)?;
        let left = MARGIN + TICK_ROOM;
        let right = self.width - MARGIN;
        let captions = (0..flow.steps.len()).map(|time| Text::Small.width(&flow.caption(time)));
        let room = right - left - captions.max().unwrap_or(0) - 16;
        let title = shorten(&flow.title, (room / Text::Title.width("0")).max(0) as usize);
        canvas.text(left, MARGIN - 4, &title, Text::Title, Align::Left, INK);
        for (index, panel) in flow.panels.iter().enumerate() {
            let view = self.view(index);
            view.axes(&mut canvas, &panel.title);
            view.clip(&mut canvas);
            view.targets(&mut canvas, panel, style.radius);
            canvas.unclip();
        }
        self.legend(marks, &mut canvas);
        Ok(canvas)
    }

    fn caption(&self, canvas: &mut Canvas, text: &str) {
        canvas.text(self.width - MARGIN, MARGIN - 2, text, Text::Small, Align::Right, INK);
    }

    /// The marks to the left, the classes beside them, or below where they take more room.
    fn legend(&self, marks: &[Mark], canvas: &mut Canvas) {
        let y = self.height - MARGIN - Text::Small.height() + 4 - self.legend.below();
        let middle = (y + Text::Small.height() / 2) as f32;
        let left = MARGIN + TICK_ROOM;
        let mut x = left;
        for &mark in marks {
            mark.draw(canvas, &[((x + 5) as f32, middle)], 4.0, MUTED);
            canvas.text(x + 15, y, mark.name(), Text::Small, Align::Left, MUTED);
            x += entry(mark.name());
        }
        self.legend.draw(canvas, (left, self.width - MARGIN), y);
    }
}

/// The square region to show: all starts and targets with some room, more where points go within it.
fn limits(flow: &ScatterFlow) -> Result<([f32; 2], f32), ReportError> {
    let anchors = flow
        .panels
        .iter()
        .flat_map(|panel| panel.targets.iter().chain(panel.frames.first().into_iter().flatten()));
    let everything = flow.panels.iter().flat_map(|panel| panel.frames.iter().flatten());
    let Some((mut low, mut high)) = extent(anchors.chain([])).or_else(|| extent(everything.clone())) else {
        return Err(ReportError::picture(NAME, "a finite point", "none"));
    };
    if let Some((all_low, all_high)) = extent(everything) {
        let room = ROOM * (high[0] - low[0]).max(high[1] - low[1]);
        for axis in 0..2 {
            low[axis] = all_low[axis].clamp(low[axis] - room, low[axis]);
            high[axis] = all_high[axis].clamp(high[axis], high[axis] + room);
        }
    }
    let mut span = (high[0] - low[0]).max(high[1] - low[1]);
    if span <= 0.0 {
        // All points in one place: show it amid a region of its own size.
        span = low[0].abs().max(low[1].abs()).max(1.0);
    }
    let span = span * 1.1;
    Ok(([0, 1].map(|axis| (low[axis] + high[axis] - span) / 2.0), span))
}

fn extent<'a>(points: impl Iterator<Item = &'a [f32; 2]>) -> Option<([f32; 2], [f32; 2])> {
    // Far beyond this, differences would overflow.
    let usable = |p: &&[f32; 2]| p.iter().all(|v| v.abs() < 1e30);
    points.filter(usable).fold(None, |extent, p| {
        let (low, high) = extent.unwrap_or((*p, *p));
        Some(([low[0].min(p[0]), low[1].min(p[1])], [high[0].max(p[0]), high[1].max(p[1])]))
    })
}

/// One panel's place on the sheet.
#[derive(Clone, Copy)]
struct View<'a> {
    sheet: &'a Sheet,
    left: i32,
    top: i32,
}

impl View<'_> {
    fn at(&self, point: [f32; 2]) -> Xy {
        let scale = self.sheet.panel as f32 / self.sheet.span;
        let x = self.left as f32 + (point[0] - self.sheet.low[0]) * scale;
        let y = (self.top + self.sheet.panel) as f32 - (point[1] - self.sheet.low[1]) * scale;
        // Far outside is as good as farther, and safe to draw; not a number stays so.
        (x.clamp(-1e5, 1e5), y.clamp(-1e5, 1e5))
    }

    fn outside(&self, points: &[[f32; 2]]) -> usize {
        let within = |point: &[f32; 2]| {
            (0..2).all(|i| (0.0..=self.sheet.span).contains(&(point[i] - self.sheet.low[i])))
        };
        points.iter().filter(|point| !within(point)).count()
    }

    fn clip(&self, canvas: &mut Canvas) {
        let side = self.sheet.panel as f32 - 2.0;
        canvas.clip(self.left as f32 + 1.0, self.top as f32 + 1.0, side, side);
    }

    fn targets(&self, canvas: &mut Canvas, panel: &ScatterPanel, radius: f32) {
        let at: Vec<Xy> = panel.targets.iter().map(|&target| self.at(target)).collect();
        Mark::Target.draw(canvas, &at, radius * 1.15, TARGET);
    }

    fn axes(&self, canvas: &mut Canvas, title: &str) {
        let Sheet { panel, low, span, .. } = *self.sheet;
        let (right, bottom) = (self.left + panel, self.top + panel);
        let title = shorten(title, (panel / Text::Small.width("0")) as usize);
        canvas.text(self.left + panel / 2, self.top - 20, &title, Text::Small, Align::Center, INK);
        let wanted = if panel > 400 { 6 } else { 4 };
        for (axis, &low) in low.iter().enumerate() {
            for tick in ticks::linear(f64::from(low), f64::from(low + span), wanted) {
                let Label::Number(text) = &tick.label else { continue };
                let (x, y) = self.at([tick.value as f32; 2]);
                let (x, y) = (x.round() as i32, y.round() as i32);
                if axis == 0 {
                    canvas.rect(x, self.top, 1, panel, GRID);
                    canvas.rect(x, bottom, 1, 4, FRAME);
                    canvas.text(x, bottom + 6, text, Text::Small, Align::Center, MUTED);
                } else {
                    canvas.rect(self.left, y, panel, 1, GRID);
                    if self.left == MARGIN + TICK_ROOM {
                        let middle = y - Text::Small.height() / 2;
                        canvas.rect(self.left - 4, y, 4, 1, FRAME);
                        canvas.text(self.left - 7, middle, text, Text::Small, Align::Right, MUTED);
                    }
                }
            }
        }
        canvas.frame(self.left, self.top, right - self.left, bottom - self.top, FRAME);
    }

    fn notes(&self, canvas: &mut Canvas, note: &str, outside: usize) {
        let top = self.top + 6;
        let room = (self.sheet.panel - 16) / Text::Small.width("0");
        canvas.text(self.left + 8, top, &shorten(note, room as usize), Text::Small, Align::Left, INK);
        if outside > 0 {
            let bottom = self.top + self.sheet.panel - Text::Small.height() - 4;
            let text = format!("{outside} outside");
            canvas.text(self.left + 8, bottom, &text, Text::Small, Align::Left, MUTED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes of one point each, moving from left to right over two steps.
    fn flow() -> ScatterFlow {
        let panel = ScatterPanel {
            title: "Riesz".into(),
            note: "0".into(),
            frames: vec![
                vec![[0.0, 0.0], [0.0, 1.0]],
                vec![[0.5, 0.0], [0.5, 1.0]],
                vec![[1.0, 0.0], [1.0, 1.0]],
            ],
            targets: vec![[1.0, 0.5]],
        };
        ScatterFlow {
            title: "Title".into(),
            classes: vec![0, 1],
            labels: vec!["a".into(), "b".into()],
            steps: vec![0, 5, 10],
            captions: Vec::new(),
            panels: vec![panel],
        }
    }

    fn color_at(picture: &Picture, (x, y): Xy) -> Rgb {
        picture.pixels()[y.round() as usize * picture.width() + x.round() as usize]
    }

    fn close(a: Rgb, b: Rgb) -> bool {
        a.iter().zip(&b).all(|(a, b)| a.abs_diff(*b) < 40)
    }

    #[test]
    fn points_end_where_they_end_and_targets_are_grey() {
        let flow = flow();
        let sheet = Sheet::new(&flow).unwrap();
        let picture = flow.trajectories().unwrap();
        assert_eq!((picture.width() as i32, picture.height() as i32), (sheet.width, sheet.height));
        let at = |point| color_at(&picture, sheet.view(0).at(point));
        assert!(close(at([1.0, 0.0]), class_color(0)) && close(at([1.0, 1.0]), class_color(1)));
        assert!(close(at([1.0, 0.5]), TARGET));
        // The path between is a line of the class colour on paper, the start an open circle.
        assert!(at([0.5, 0.0])[0] < 200 && at([0.5, 0.3]) == [255; 3]);
    }

    #[test]
    fn captions_stand_in_for_steps() {
        let mut flow = flow();
        assert_eq!(flow.caption(1), "step 5");
        flow.captions = ["t = 0", "t = 0.5", "t = 1"].map(Into::into).to_vec();
        assert_eq!(flow.caption(1), "t = 0.5");
        assert_eq!(animation::decode(&flow.animation().unwrap()).len(), 3);
    }

    #[test]
    fn an_animation_moves_the_points() {
        let flow = flow();
        let sheet = Sheet::new(&flow).unwrap();
        let frames = animation::decode(&flow.animation().unwrap());
        assert_eq!(frames.len(), 3);
        for (time, (_, picture)) in frames.iter().enumerate() {
            let here = color_at(picture, sheet.view(0).at(flow.panels[0].frames[time][0]));
            assert!(close(here, class_color(0)), "{time}: {here:?}");
        }
        let early = color_at(&frames[0].1, sheet.view(0).at([1.0, 0.0]));
        assert!(!close(early, class_color(0)), "{early:?}");
    }

    #[test]
    fn an_animation_of_many_steps_shows_some_of_them_and_the_last() {
        let mut flow = flow();
        flow.steps = (0..200).collect();
        flow.panels[0].frames =
            (0..200).map(|t| vec![[t as f32 / 199.0, 0.0], [t as f32 / 199.0, 1.0]]).collect();
        let sheet = Sheet::new(&flow).unwrap();
        let frames = animation::decode(&flow.animation().unwrap());
        assert_eq!(frames.len(), MOST_FRAMES);
        let end = color_at(&frames[MOST_FRAMES - 1].1, sheet.view(0).at([1.0, 0.0]));
        assert!(close(end, class_color(0)), "{end:?}");
    }

    #[test]
    fn panels_share_axes_and_stand_in_rows() {
        let mut many = flow();
        many.panels = (0..7)
            .map(|i| ScatterPanel { title: format!("kernel {i}"), ..flow().panels[0].clone() })
            .collect();
        let sheet = Sheet::new(&many).unwrap();
        assert_eq!(sheet.columns, 4);
        let (first, sixth) = (sheet.view(0).at([0.3, 0.3]), sheet.view(5).at([0.3, 0.3]));
        assert!((sixth.0 - first.0 - (sheet.panel + PANEL_GAP) as f32).abs() < 0.01);
        assert!((sixth.1 - first.1 - sheet.pitch as f32).abs() < 0.01);
        let picture = many.trajectories().unwrap();
        assert!(close(color_at(&picture, sheet.view(6).at([1.0, 1.0])), class_color(1)));
    }

    #[test]
    fn points_that_run_away_are_counted_and_do_not_set_the_axes() {
        let mut flow = flow();
        flow.panels[0].frames[2] = vec![[1e9, 0.0], [f32::NAN, 1.0]];
        let sheet = Sheet::new(&flow).unwrap();
        assert!(sheet.span < 2.0, "{}", sheet.span);
        assert_eq!(sheet.view(0).outside(&flow.panels[0].frames[2]), 2);
        assert_eq!(sheet.view(0).outside(&flow.panels[0].frames[1]), 0);
        flow.trajectories().unwrap();
        flow.animation().unwrap();
    }

    #[test]
    fn single_points_frames_and_classes_are_drawn() {
        for place in [[0.0, 0.0], [1e6, -3.0], [1e-20, 0.0]] {
            let panel = ScatterPanel { frames: vec![vec![place]], ..ScatterPanel::default() };
            let flow = ScatterFlow {
                classes: vec![0],
                labels: vec!["only".into()],
                steps: vec![0],
                panels: vec![panel],
                ..ScatterFlow::default()
            };
            let sheet = Sheet::new(&flow).unwrap();
            let picture = flow.trajectories().unwrap();
            assert!(close(color_at(&picture, sheet.view(0).at(place)), class_color(0)), "{place:?}");
            assert_eq!(animation::decode(&flow.animation().unwrap()).len(), 1);
        }
    }

    #[test]
    fn data_that_do_not_fit_together_are_refused() {
        type Change = fn(&mut ScatterFlow);
        let cases: [(Change, &str); 7] = [
            (|f| f.captions.push("t = 0".into()), "expected 3 captions"),
            (|f| f.panels.clear(), "found 0 panels, 3 steps, 2 points"),
            (|f| f.classes[1] = 2, "expected classes below 2"),
            (|f| f.steps.push(11), "expected 4 frames a panel"),
            (|f| f.panels[0].frames[1].truncate(1), "found 1"),
            (|f| f.classes.clear(), "0 points"),
            (
                |f| {
                    f.panels[0].targets.clear();
                    f.panels[0].frames = vec![vec![[f32::NAN; 2]; 2]; 3];
                },
                "expected a finite point",
            ),
        ];
        for (change, message) in cases {
            let mut changed = flow();
            change(&mut changed);
            let text = changed.trajectories().unwrap_err().to_string();
            assert!(text.contains(message) && text.contains("scatter figure"), "{text}");
            assert_eq!(changed.animation().unwrap_err().to_string(), text);
        }
    }
}
