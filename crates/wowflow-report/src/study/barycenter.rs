//! The pictures of a barycenter: its samples beside those they are the mean of, and its objective.

use wowflow::dataset::ImageShape;
use wowflow::ot::geometry::Stop;
use wowflow_data::Prepared;
use wowflow_study::barycenter::Solution;
use wowflow_study::record::Attachment;

use super::{point, sample, value_range};
use crate::chart::{AxisScale, LineChart, Series};
use crate::error::ReportError;
use crate::images::{ImageGrid, ImageRow};
use crate::picture::Picture;
use crate::scatter::{ScatterFlow, ScatterPanel};

/// Most classes shown, and columns aimed at.
const CLASSES: usize = 20;
const COLUMNS: usize = 15;
/// Most samples of a class shown side by side.
const SAMPLES: usize = 3;
const LONGEST_TITLE: usize = 80;
const LONGEST_HEADING: usize = 13;
/// Steps that the chart shows at least of an iteration that came to rest.
const FEWEST_STEPS: usize = 5;

/// `barycenter.png` of images and of points in the plane, and `objective.png`.
///
/// ```
/// use wowflow_study::barycenter::{Request, solve};
/// use wowflow_study::record::Program;
/// let mean = solve(&Request::new(["rings:6", "moons:6"]), &Program::default(), &())?;
/// let pictures = wowflow_report::study::barycenter::pictures(&mean)?;
/// let names: Vec<&str> = pictures.iter().map(|picture| &picture.name[..]).collect();
/// assert_eq!(names, ["barycenter.png", "objective.png"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// More classes than a picture holds.
pub fn pictures(mean: &Solution) -> Result<Vec<Attachment>, ReportError> {
    let picture = match mean.image_shape() {
        Some(shape) => Some(images(mean, shape)?),
        None if mean.dataset().dim() == 2 => Some(plane(mean)?),
        None => None,
    };
    let pictures = picture.into_iter().map(|picture| ("barycenter.png", picture));
    let attached =
        |(name, picture): (&str, Picture)| Ok(Attachment { name: name.to_owned(), bytes: picture.to_png()? });
    pictures.chain([("objective.png", objective(mean)?)]).map(attached).collect()
}

/// A title that names the datasets as fully as there is room.
fn title(datasets: &[Prepared]) -> String {
    let names: Vec<String> = datasets.iter().map(|named| named.name.clone()).collect();
    let texts = [names, headings(datasets)].map(|names| format!("barycenter of {}", names.join(", ")));
    let fits = texts.into_iter().find(|text| text.chars().count() <= LONGEST_TITLE);
    fits.unwrap_or_else(|| format!("barycenter of {} datasets", datasets.len()))
}

/// Names short enough for columns of images: the name or file without folder, part and count, after a
/// number where that leaves equal ones.
fn headings(datasets: &[Prepared]) -> Vec<String> {
    let short = |named: &Prepared| {
        let file = named.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let plain = file.split(['[', '.']).next().unwrap_or_default();
        let words: Vec<&str> = plain.split(':').filter(|word| word.parse::<usize>().is_err()).collect();
        words.last().map_or(String::new(), |word| (*word).to_owned())
    };
    let names: Vec<String> = datasets.iter().map(short).collect();
    let repeated = |name: &String| names.iter().filter(|other| *other == name).count() > 1;
    let heading = |(k, name): (usize, &String)| {
        let name: String = if repeated(name) { format!("{} {name}", k + 1) } else { name.clone() };
        if name.chars().count() <= LONGEST_HEADING {
            return name;
        }
        name.chars().take(LONGEST_HEADING - 2).chain(['.', '.']).collect()
    };
    names.iter().enumerate().map(heading).collect()
}

/// A row a class: samples of the barycenter amid the samples they are matched to.
fn images(mean: &Solution, shape: ImageShape) -> Result<Picture, ReportError> {
    let (measure, datasets) = (&mean.barycenter().measure, mean.datasets());
    let (count, dim) = (datasets.len(), shape.len());
    let groups = (COLUMNS / (count + 2)).clamp(1, SAMPLES);
    let classes = measure.class_count().min(CLASSES);
    let middle = count.div_ceil(2);
    // One list of images a class; a missing one (all mass goes to other classes) and the room between
    // samples are white.
    let blank = vec![f32::INFINITY; dim];
    let row = |class: usize| -> Vec<Vec<f32>> {
        let partners: Vec<Vec<Option<usize>>> = (0..count).map(|k| partner_rows(mean, k, class)).collect();
        let partner = |k: usize, at: usize| {
            partners[k][at].map_or_else(|| blank.clone(), |row| sample(&datasets[k].dataset, row))
        };
        let first = measure.class_range(class).start;
        let group = |at: usize| {
            let mut images: Vec<Vec<f32>> = (0..count).map(|k| partner(k, at)).collect();
            images.insert(middle, sample(mean.dataset(), first + at));
            if at > 0 {
                images.insert(0, blank.clone());
            }
            images
        };
        (0..groups.min(measure.class_size(class))).flat_map(group).collect()
    };
    let rows: Vec<Vec<Vec<f32>>> = (0..classes).map(row).collect();
    let shown = rows.iter().flatten().filter(|image| image[0].is_finite());
    let range = value_range(shown.map(Vec::as_slice));
    let mut group = headings(datasets);
    group.insert(middle, "mean".into());
    let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
    group.push(String::new());
    let label = |class: usize| {
        let name = |(k, data): (usize, &Prepared)| data.class_name(mean.matched(k, class));
        datasets.iter().enumerate().map(name).collect::<Vec<_>>().join(" + ")
    };
    let rows = rows.iter().enumerate().map(|(class, images)| ImageRow {
        label: label(class),
        images: images.iter().map(Vec::as_slice).collect(),
        examples: Vec::new(),
    });
    let title = title(datasets);
    let grid = ImageGrid {
        title: match measure.class_count() {
            all if all > classes => format!("{title}: {classes} of {all} classes"),
            _ => title,
        },
        caption: String::new(),
        shape,
        range,
        headings: group.iter().cycle().take(longest).cloned().collect(),
        examples_heading: String::new(),
        rows: rows.collect(),
    };
    grid.draw()
}

/// Rows of dataset `k` that the samples of a class go to, in the class it is matched to.
fn partner_rows(mean: &Solution, k: usize, class: usize) -> Vec<Option<usize>> {
    let rows = mean.datasets()[k].dataset.class_rows(mean.matched(k, class));
    mean.partners(k, class).into_iter().map(|at| Some(rows[at?])).collect()
}

/// Points in the plane: the barycenter amid all datasets, then a panel a dataset with the ways to the samples
/// it is matched to.
fn plane(mean: &Solution) -> Result<Picture, ReportError> {
    let (measure, datasets) = (&mean.barycenter().measure, mean.datasets());
    let classes = 0..measure.class_count();
    let own: Vec<[f32; 2]> = (0..mean.dataset().len()).map(|row| point(mean.dataset(), row)).collect();
    let panel = |(k, named): (usize, &Prepared)| {
        let partners = classes.clone().flat_map(|class| partner_rows(mean, k, class));
        let ends = partners.zip(&own).map(|(row, own)| row.map_or(*own, |row| point(&named.dataset, row)));
        let rows = named.dataset.rows_by_class().into_iter();
        ScatterPanel {
            title: format!("to {}", named.name),
            note: String::new(),
            frames: vec![own.clone(), ends.collect()],
            targets: rows.map(|row| point(&named.dataset, row)).collect(),
        }
    };
    let ways: Vec<ScatterPanel> = datasets.iter().enumerate().map(panel).collect();
    let amid = ScatterPanel {
        title: "barycenter".into(),
        note: String::new(),
        frames: vec![own.clone(), own.clone()],
        targets: ways.iter().flat_map(|panel| &panel.targets).copied().collect(),
    };
    let figure = ScatterFlow {
        title: title(datasets),
        classes: measure.class_of(),
        labels: mean.labels().iter().map(ToString::to_string).collect(),
        steps: vec![0, 1],
        panels: std::iter::once(amid).chain(ways).collect(),
        ..ScatterFlow::default()
    };
    figure.trajectories()
}

/// The objective at every step over the bound that nothing gets below.
fn objective(mean: &Solution) -> Result<Picture, ReportError> {
    let reached = mean.barycenter();
    let mut objectives = reached.objectives.clone();
    if matches!(reached.stop, Stop::Converged | Stop::NoDecrease) {
        // What came to rest early stays where it is.
        objectives.resize(objectives.len().max(FEWEST_STEPS + 1), reached.objective());
    }
    let points: Vec<(f64, f64)> =
        objectives.iter().enumerate().map(|(step, &value)| (step as f64, value)).collect();
    let last = points.last().map_or(0.0, |point| point.0).max(1.0);
    let bound = reached.lower_bound;
    let chart = LineChart {
        title: title(mean.datasets()),
        x_label: "step".into(),
        y_label: "sum of weighted W_W2^2".into(),
        x_scale: AxisScale::Linear,
        y_scale: AxisScale::Linear,
        series: vec![
            Series { name: "objective".into(), points, ..Series::default() },
            Series {
                name: "lower bound".into(),
                points: vec![(0.0, bound), (last, bound)],
                ..Series::default()
            },
        ],
    };
    chart.draw()
}
