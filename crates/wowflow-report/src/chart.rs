//! Line charts: curves against the step with readable axes.

use crate::canvas::{Align, Canvas, Text, Xy, shorten};
use crate::dashes::dashes;
use crate::error::ReportError;
use crate::palette::{FRAME, GRID, INK, MUTED, PAPER, Rgb, class_color};
use crate::picture::Picture;
use crate::ticks::{self, Label, Tick};

const NAME: &str = "line chart";
const WIDTH: usize = 900;
const HEIGHT: usize = 550;
const LEFT: i32 = 96;
const RIGHT: i32 = 28;
const TOP: i32 = 56;
const BOTTOM: i32 = 66;
/// Right end of a plot without a legend beside it.
const FULL: i32 = WIDTH as i32 - RIGHT;
/// A logarithmic axis shows at most this many decades; smaller values are drawn at its foot.
const MOST_DECADES: f64 = 16.0;

/// How values are spread over an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AxisScale {
    /// Equal distances are equal differences.
    #[default]
    Linear,
    /// Equal distances are equal ratios. Values of 0 or less are drawn at the foot of the axis, and
    /// the axis says so; without a positive value the axis is linear and says so.
    Log,
}

/// One curve of a [`LineChart`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Points (x, y), joined in order; those that are not finite leave a gap.
    pub points: Vec<(f64, f64)>,
    /// Lower and upper end of an uncertainty band, one pair a point.
    pub band: Option<Vec<(f64, f64)>>,
    /// The place of another curve: this one is dashed, in that one's colour.
    pub dashed_like: Option<usize>,
}

/// Curves over a common x axis, 900 x 550 pixels, with a legend when there are several.
///
/// ```
/// use wowflow_report::{AxisScale, LineChart, Series};
/// let points = (0..50).map(|i| (f64::from(i), 0.8f64.powi(i))).collect();
/// let chart = LineChart {
///     title: "MMD² to the target".into(),
///     x_label: "step".into(),
///     y_label: "MMD²".into(),
///     x_scale: AxisScale::Linear,
///     y_scale: AxisScale::Log,
///     series: vec![Series { name: "riesz".into(), points, ..Series::default() }],
/// };
/// let picture = chart.draw()?;
/// assert_eq!((picture.width(), picture.height()), (900, 550));
/// # Ok::<(), wowflow_report::ReportError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LineChart {
    /// Written above the chart.
    pub title: String,
    /// Below the x axis.
    pub x_label: String,
    /// Beside the y axis.
    pub y_label: String,
    /// Scale of the x axis.
    pub x_scale: AxisScale,
    /// Scale of the y axis.
    pub y_scale: AxisScale,
    /// The curves, the first drawn last.
    pub series: Vec<Series>,
}

/// An axis as drawn.
struct Axis {
    scale: AxisScale,
    low: f64,
    high: f64,
    /// What the axis has to say about values it cannot show.
    note: String,
}

impl Axis {
    /// Fits an axis to values; with room, the ends are moved outwards.
    fn fit(wanted: AxisScale, values: &[f64], room: bool) -> Self {
        let extent = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
        };
        if wanted == AxisScale::Log {
            let (low, high) = extent(&mut values.iter().copied().filter(|&v| v > 0.0));
            if low <= high {
                let least = high * 10f64.powf(-MOST_DECADES);
                let below = values.iter().filter(|&&v| v <= 0.0 || v < least).count();
                let low = low.max(least);
                // Room of a twentieth of the axis, at least a tenth of a decade.
                let decades = (high / low).log10();
                let room = if room || decades <= 0.0 { (decades * 0.05).max(0.1) } else { 0.0 };
                let low = low * 10f64.powf(-room);
                let note = match below {
                    0 => String::new(),
                    1 => "1 value below the axis, drawn at its foot".into(),
                    n => format!("{n} values below the axis, drawn at its foot"),
                };
                return Self { scale: AxisScale::Log, low, high: high * 10f64.powf(room), note };
            }
        }
        let (mut low, mut high) = extent(&mut values.iter().copied());
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        let room = match (high > low, room) {
            (true, true) => (high - low) * 0.05,
            (true, false) => 0.0,
            (false, true) => (low.abs() * 0.1).max(1e-3),
            (false, false) => 1.0,
        };
        let note =
            if wanted == AxisScale::Log { "linear axis: no positive value".into() } else { String::new() };
        Self { scale: AxisScale::Linear, low: low - room, high: high + room, note }
    }

    /// Place on the axis, 0 at the foot and 1 at the top.
    fn place(&self, value: f64) -> f64 {
        let place = match self.scale {
            AxisScale::Linear => (value - self.low) / (self.high - self.low),
            AxisScale::Log if value <= self.low => 0.0,
            AxisScale::Log => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        place.clamp(0.0, 1.0)
    }

    /// Ticks, of which a linear axis has about `wanted`.
    fn ticks(&self, wanted: usize) -> Vec<Tick> {
        match self.scale {
            AxisScale::Linear => ticks::linear(self.low, self.high, wanted),
            AxisScale::Log => ticks::logarithmic(self.low, self.high, 8),
        }
    }
}

impl LineChart {
    /// Draws the chart.
    ///
    /// # Errors
    /// No series, no finite point, a band without one pair a point, or a curve like one that is not there.
    pub fn draw(&self) -> Result<Picture, ReportError> {
        for series in &self.series {
            if let Some(band) = series.band.as_ref().filter(|band| band.len() != series.points.len()) {
                let expected = format!("a band of {} pairs for {:?}", series.points.len(), series.name);
                return Err(ReportError::picture(NAME, expected, band.len().to_string()));
            }
            if let Some(like) = series.dashed_like.filter(|like| *like >= self.series.len()) {
                let expected = format!("{:?} dashed like one of {} curves", series.name, self.series.len());
                return Err(ReportError::picture(NAME, expected, like.to_string()));
            }
        }
        let finite = |&&(x, y): &&(f64, f64)| x.is_finite() && y.is_finite();
        let points: Vec<(f64, f64)> =
            self.series.iter().flat_map(|series| series.points.iter().filter(finite).copied()).collect();
        if points.is_empty() {
            return Err(ReportError::picture(NAME, "at least one finite point", "none"));
        }
        let x_axis = Axis::fit(self.x_scale, &points.iter().map(|p| p.0).collect::<Vec<_>>(), false);
        let bands = self.series.iter().filter_map(|series| series.band.as_ref()).flatten();
        let ends = bands.flat_map(|&(low, high)| [low, high]).filter(|v| v.is_finite());
        // A band may reach 0 where its curve does not: on a log axis it is cut, not counted.
        let ends: Vec<f64> = ends.filter(|&v| self.y_scale == AxisScale::Linear || v > 0.0).collect();
        let values: Vec<f64> = points.iter().map(|p| p.1).chain(ends).collect();
        let y_axis = Axis::fit(self.y_scale, &values, true);

        let mut canvas = Canvas::new(NAME, WIDTH, HEIGHT)?;
        let plot_height = HEIGHT as i32 - TOP - BOTTOM;
        let y_at = |y: f64| (TOP + plot_height) as f32 - y_axis.place(y) as f32 * plot_height as f32;
        let legend = self.legend(&|x| LEFT as f32 + x_axis.place(x) as f32 * (FULL - LEFT) as f32, &y_at);
        let right = legend.as_ref().map_or(FULL, |legend| legend.plot_right);
        let plot_width = right - LEFT;
        let x_at = |x: f64| LEFT as f32 + x_axis.place(x) as f32 * plot_width as f32;

        self.axes(&mut canvas, right, (&x_axis, &y_axis), &x_at, &y_at);
        canvas.clip(LEFT as f32, TOP as f32 - 2.0, plot_width as f32, plot_height as f32 + 4.0);
        for (index, series) in self.series.iter().enumerate().rev() {
            let color = series.color(index);
            if let Some(band) = &series.band {
                for run in runs(series, |i| band[i].0.is_finite() && band[i].1.is_finite()) {
                    let upper = run.clone().map(|i| (x_at(series.points[i].0), y_at(band[i].1)));
                    let lower = run.rev().map(|i| (x_at(series.points[i].0), y_at(band[i].0)));
                    canvas.polygon(&upper.chain(lower).collect::<Vec<Xy>>(), color, series.shade());
                }
            }
            for run in runs(series, |_| true) {
                let line: Vec<Xy> =
                    run.map(|i| (x_at(series.points[i].0), y_at(series.points[i].1))).collect();
                if let [only] = line[..] {
                    canvas.discs(&[only], 3.5, color, 1.0);
                }
                series.stroke(&mut canvas, &line, 2.0, color);
            }
        }
        canvas.unclip();
        if let Some(legend) = &legend {
            self.draw_legend(&mut canvas, legend);
        }
        Ok(canvas.finish())
    }

    fn axes(
        &self,
        canvas: &mut Canvas,
        right: i32,
        (x_axis, y_axis): (&Axis, &Axis),
        x_at: &dyn Fn(f64) -> f32,
        y_at: &dyn Fn(f64) -> f32,
    ) {
        let bottom = HEIGHT as i32 - BOTTOM;
        let half = Text::Small.height() / 2;
        for tick in y_axis.ticks(6) {
            let y = y_at(tick.value).round() as i32;
            match &tick.label {
                Label::None => canvas.rect(LEFT - 4, y, 4, 1, FRAME),
                Label::Number(text) => {
                    canvas.rect(LEFT, y, right - LEFT, 1, GRID);
                    canvas.rect(LEFT - 7, y, 7, 1, FRAME);
                    canvas.text(LEFT - 11, y - half, text, Text::Small, Align::Right, INK);
                }
                Label::Power(power) => {
                    canvas.rect(LEFT, y, right - LEFT, 1, GRID);
                    canvas.rect(LEFT - 7, y, 7, 1, FRAME);
                    let exponent = power.to_string();
                    let base_right = LEFT - 11 - Text::Tiny.width(&exponent);
                    canvas.text(base_right, y - half, "10", Text::Small, Align::Right, INK);
                    canvas.text(base_right, y - half - 3, &exponent, Text::Tiny, Align::Left, INK);
                }
            }
        }
        for tick in x_axis.ticks(8) {
            let x = x_at(tick.value).round() as i32;
            let length = if tick.label == Label::None { 4 } else { 7 };
            canvas.rect(x, bottom, 1, length, FRAME);
            match &tick.label {
                Label::None => {}
                Label::Number(text) => {
                    canvas.text(x, bottom + 9, text, Text::Small, Align::Center, INK);
                }
                Label::Power(power) => {
                    let base = x + Text::Small.width("10") / 2;
                    canvas.text(base, bottom + 9, "10", Text::Small, Align::Right, INK);
                    canvas.text(base, bottom + 6, &power.to_string(), Text::Tiny, Align::Left, INK);
                }
            }
        }
        canvas.rect(LEFT, TOP, 1, bottom - TOP, FRAME);
        canvas.rect(LEFT, bottom, right - LEFT, 1, FRAME);
        let longest = ((FULL - LEFT) / Text::Title.width("0")) as usize;
        canvas.text(LEFT, 20, &shorten(&self.title, longest), Text::Title, Align::Left, INK);
        let middle = (LEFT + right) / 2;
        canvas.text(middle, HEIGHT as i32 - 32, &self.x_label, Text::Small, Align::Center, INK);
        canvas.text_upwards(20, (TOP + bottom) / 2, &self.y_label, Text::Small, INK);
        let notes: Vec<&str> =
            [&x_axis.note, &y_axis.note].into_iter().filter(|n| !n.is_empty()).map(String::as_str).collect();
        canvas.text(FULL, HEIGHT as i32 - 32, &notes.join("; "), Text::Small, Align::Right, MUTED);
    }

    /// Where the names of the curves go: to a corner where they cover none of them, or beside the plot.
    fn legend(&self, x_at: &dyn Fn(f64) -> f32, y_at: &dyn Fn(f64) -> f32) -> Option<Legend> {
        if self.series.len() < 2 {
            return None;
        }
        let names: Vec<String> = self.series.iter().map(|series| shorten(&series.name, 32)).collect();
        let text = names.iter().map(|name| Text::Small.width(name)).max().unwrap_or(0);
        let (width, height) = (text + 52, 20 * names.len() as i32 + 8);
        let (lefts, tops) = ([FULL - width - 8, LEFT + 8], [TOP + 8, HEIGHT as i32 - BOTTOM - height - 8]);
        let drawn: Vec<Xy> = self.series.iter().flat_map(|series| along(series, x_at, y_at)).collect();
        let covered = |&(left, top): &(i32, i32)| {
            let inside = |&&(x, y): &&Xy| {
                let (x, y) = (x as i32, y as i32);
                (left - 4..left + width + 4).contains(&x) && (top - 4..top + height + 4).contains(&y)
            };
            drawn.iter().filter(inside).count()
        };
        let corners = tops.iter().flat_map(|&top| lefts.map(|left| (left, top)));
        let corner = corners.min_by_key(covered)?;
        let beside = covered(&corner) > 0;
        let plot_right = if beside { FULL - width - 12 } else { FULL };
        let corner = if beside { (plot_right + 12, TOP) } else { corner };
        Some(Legend { names, corner, size: (width, height), plot_right })
    }

    fn draw_legend(&self, canvas: &mut Canvas, legend: &Legend) {
        let ((left, top), (width, height)) = (legend.corner, legend.size);
        canvas.rect(left, top, width, height, PAPER);
        canvas.frame(left, top, width, height, GRID);
        for (index, (name, series)) in legend.names.iter().zip(&self.series).enumerate() {
            let y = top + 4 + 20 * index as i32;
            let middle = (y + 10) as f32;
            let sample = [((left + 10) as f32, middle), ((left + 34) as f32, middle)];
            series.stroke(canvas, &sample, 2.5, series.color(index));
            canvas.text(left + 42, y + 2, name, Text::Small, Align::Left, INK);
        }
    }
}

/// The names of the curves and their place.
struct Legend {
    names: Vec<String>,
    corner: (i32, i32),
    size: (i32, i32),
    /// Right end of the plot.
    plot_right: i32,
}

impl Series {
    fn color(&self, index: usize) -> Rgb {
        class_color(self.dashed_like.unwrap_or(index))
    }

    /// Opacity of the band.
    fn shade(&self) -> f32 {
        if self.dashed_like.is_some() { 0.08 } else { 0.18 }
    }

    fn stroke(&self, canvas: &mut Canvas, line: &[Xy], width: f32, color: Rgb) {
        if self.dashed_like.is_some() {
            let dashes = dashes(line);
            canvas.lines(dashes.iter().map(Vec::as_slice), width, color, 1.0);
        } else {
            canvas.line(line, width, color, 1.0);
        }
    }
}

/// Places on a curve as drawn, a few a segment.
fn along(series: &Series, x_at: &dyn Fn(f64) -> f32, y_at: &dyn Fn(f64) -> f32) -> Vec<Xy> {
    const STOPS: usize = 16;
    let place = |i: usize| (x_at(series.points[i].0), y_at(series.points[i].1));
    let mut all = Vec::new();
    for run in runs(series, |_| true) {
        all.push(place(run.start));
        for i in run.start + 1..run.end {
            let (from, to) = (place(i - 1), place(i));
            all.extend((1..=STOPS).map(|stop| {
                let share = stop as f32 / STOPS as f32;
                (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1))
            }));
        }
    }
    all
}

/// Maximal runs of consecutive finite points that also satisfy `good`.
fn runs(series: &Series, good: impl Fn(usize) -> bool) -> Vec<std::ops::Range<usize>> {
    let usable =
        |i: usize| series.points.get(i).is_some_and(|&(x, y)| x.is_finite() && y.is_finite() && good(i));
    let mut runs = Vec::new();
    let mut start = 0;
    while start < series.points.len() {
        let end = (start..).find(|&i| !usable(i)).unwrap_or(start);
        if end > start {
            runs.push(start..end);
        }
        start = end + 1;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(scale: AxisScale, values: &[f64]) -> LineChart {
        let points = values.iter().enumerate().map(|(i, &v)| (i as f64, v)).collect();
        let series = vec![Series { name: "loss".into(), points, ..Series::default() }];
        let (title, x_label, y_label) = ("t".into(), "step".into(), "y".into());
        LineChart { title, x_label, y_label, x_scale: AxisScale::Linear, y_scale: scale, series }
    }

    /// Rows of pixels in which a colour occurs, from the top, within some columns.
    fn rows(picture: &Picture, color: Rgb, columns: std::ops::Range<usize>) -> Vec<usize> {
        let has = |y: &usize| columns.clone().any(|x| picture.pixels()[y * picture.width() + x] == color);
        (0..picture.height()).filter(has).collect()
    }

    #[test]
    fn a_falling_curve_falls_and_equal_ratios_are_equal_distances() {
        let picture = chart(AxisScale::Log, &[1.0, 1e-3, 1e-6]).draw().unwrap();
        let height = |x: usize| {
            let rows = rows(&picture, class_color(0), x..x + 1);
            rows[rows.len() / 2] as f64
        };
        let middle = (LEFT as usize + WIDTH - RIGHT as usize) / 2;
        let (start, half, end) =
            (height(LEFT as usize + 2), height(middle), height(WIDTH - RIGHT as usize - 3));
        assert!(start < half && half < end);
        assert!((half - (start + end) / 2.0).abs() <= 2.0, "{start} {half} {end}");
    }

    #[test]
    fn values_of_zero_or_less_sit_at_the_foot_of_a_log_axis_which_says_so() {
        let axis = Axis::fit(AxisScale::Log, &[1.0, 0.1, 0.0, -2.0], true);
        assert_eq!(
            (axis.scale, axis.note.as_str()),
            (AxisScale::Log, "2 values below the axis, drawn at its foot")
        );
        assert_eq!((axis.place(0.0), axis.place(-2.0)), (0.0, 0.0));
        assert!(axis.place(0.1) > 0.03 && axis.place(0.1) < axis.place(1.0) && axis.place(1.0) < 1.0);
        let axis = Axis::fit(AxisScale::Log, &[0.0, -1.0], true);
        assert_eq!((axis.scale, axis.note.as_str()), (AxisScale::Linear, "linear axis: no positive value"));
        let axis = Axis::fit(AxisScale::Log, &[1.0, 1e-300], true);
        assert_eq!(axis.note, "1 value below the axis, drawn at its foot");
        assert!(Axis::fit(AxisScale::Log, &[2.0, 1.0], true).note.is_empty());
    }

    #[test]
    fn a_logarithmic_x_axis_gives_equal_ratios_equal_distances_up_to_its_ends() {
        let axis = Axis::fit(AxisScale::Log, &[1.0, 10.0, 100.0], false);
        assert!((axis.place(1.0), axis.place(100.0)) == (0.0, 1.0) && (axis.place(10.0) - 0.5).abs() < 1e-12);
        let axis = Axis::fit(AxisScale::Log, &[3.0, 3.0], false);
        assert!((axis.place(3.0) - 0.5).abs() < 1e-12);
        let mut chart = chart(AxisScale::Linear, &[1.0, 2.0]);
        chart.series[0].points = vec![(1.0, 0.0), (10.0, 1.0), (100.0, 0.0)];
        chart.x_scale = AxisScale::Log;
        let picture = chart.draw().unwrap();
        let middle = (LEFT as usize + WIDTH - RIGHT as usize) / 2;
        let top = rows(&picture, class_color(0), LEFT as usize..WIDTH)[0];
        assert!(rows(&picture, class_color(0), middle - 3..middle + 3).contains(&top), "the peak is at 10");
    }

    #[test]
    fn degenerate_curves_are_drawn() {
        for scale in [AxisScale::Linear, AxisScale::Log] {
            for values in [&[0.5][..], &[0.5, 0.5, 0.5], &[0.0], &[0.0, 0.0], &[f64::NAN, 3.0, f64::INFINITY]]
            {
                let picture = chart(scale, values).draw().unwrap();
                let drawn = rows(&picture, class_color(0), LEFT as usize..WIDTH);
                assert!(!drawn.is_empty(), "{scale:?} {values:?}");
                // A constant runs well inside the frame, not along its edge.
                if values.len() == 3 && values[0] == 0.5 {
                    assert!(drawn[0] > TOP as usize + 50 && drawn[0] < HEIGHT - 120, "{drawn:?}");
                }
            }
        }
    }

    #[test]
    fn gaps_and_bands_are_checked() {
        let series = Series {
            name: "s".into(),
            points: vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 1.0), (3.0, 2.0)],
            band: Some(vec![(0.5, 1.5)]),
            dashed_like: None,
        };
        assert_eq!(runs(&series, |_| true), vec![0..1, 2..4]);
        let mut chart = chart(AxisScale::Linear, &[]);
        assert!(chart.draw().unwrap_err().to_string().ends_with("for the line chart, found none"));
        chart.series = vec![series];
        let text = chart.draw().unwrap_err().to_string();
        assert_eq!(text, "expected a band of 4 pairs for \"s\" for the line chart, found 1");
    }

    #[test]
    fn the_band_surrounds_its_curve_and_the_legend_avoids_the_curves() {
        let mut chart = chart(AxisScale::Linear, &[10.0, 10.0]);
        chart.series[0].band = Some(vec![(0.0, 12.0), (0.0, 12.0)]);
        chart.series.push(Series {
            name: "other".into(),
            points: vec![(0.0, 1.0), (1.0, 1.0)],
            ..Series::default()
        });
        let picture = chart.draw().unwrap();
        let shade = picture.pixels()[(HEIGHT / 2) * WIDTH + WIDTH / 2];
        assert!(shade[0] > 180 && shade[2] > shade[0], "{shade:?}");
        let line = rows(&picture, class_color(0), LEFT as usize + 5..LEFT as usize + 6);
        assert!(!line.is_empty() && line[0] > TOP as usize + 20);
    }

    #[test]
    fn a_legend_that_would_cover_curves_stands_beside_them() {
        let mut chart = chart(AxisScale::Linear, &[]);
        let right = |chart: &LineChart| {
            let spread = |v: f64| LEFT as f32 + v as f32 * (FULL - LEFT) as f32;
            let down = |v: f64| HEIGHT as f32 - BOTTOM as f32 - v as f32 * 400.0;
            chart.legend(&spread, &down).unwrap().plot_right
        };
        let level = |y: f64| Series { points: vec![(0.0, y), (1.0, y)], ..Series::default() };
        chart.series = vec![level(0.5), level(0.5)];
        assert_eq!(right(&chart), FULL);
        chart.series = (0..=10).map(|y| level(f64::from(y) / 10.0)).collect();
        assert!((LEFT..FULL).contains(&right(&chart)));
        let picture = chart.draw().unwrap();
        for index in 0..=10 {
            let beyond = right(&chart) as usize + 2..WIDTH - RIGHT as usize;
            assert!(!rows(&picture, class_color(index), beyond).is_empty(), "a sample of curve {index}");
        }
    }

    #[test]
    fn a_dashed_curve_has_gaps_and_the_colour_of_another() {
        let mut chart = chart(AxisScale::Linear, &[1.0, 1.0]);
        let points = vec![(0.0, 3.0), (1.0, 3.0)];
        let like = |other| Series { dashed_like: Some(other), points: points.clone(), ..Series::default() };
        chart.series.push(like(0));
        let picture = chart.draw().unwrap();
        let inside = LEFT as usize + 5..WIDTH - RIGHT as usize - 75;
        let drawn = rows(&picture, class_color(0), inside.clone());
        let inked = |y: usize| {
            inside.clone().filter(|x| picture.pixels()[y * WIDTH + x] == class_color(0)).count() as f64
                / inside.len() as f64
        };
        // The dashed one lies above; 7 of 12 pixels are inked.
        assert!((0.4..0.7).contains(&inked(drawn[0])), "{}", inked(drawn[0]));
        assert!(inked(drawn[drawn.len() - 1]) > 0.95);
        assert!(rows(&picture, class_color(1), inside).is_empty());
        chart.series[1] = like(2);
        let text = chart.draw().unwrap_err().to_string();
        assert_eq!(text, "expected \"\" dashed like one of 2 curves for the line chart, found 2");
    }
}
