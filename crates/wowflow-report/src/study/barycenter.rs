//! The pictures of a barycenter: its samples beside those they are the mean of, and its objective.

use anyhow::Result;
use wowflow::dataset::ImageShape;
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::geometry::Stop;
use wowflow_report::{AxisScale, ImageGrid, ImageRow, LineChart, Picture, ScatterFlow, ScatterPanel, Series};

use super::average::Average;
use super::{class_name, value_range};
use crate::load::Named;
use crate::run::checkpoint::Stored;

/// Most classes shown, and columns aimed at.
const CLASSES: usize = 20;
const COLUMNS: usize = 15;
/// Most samples of a class shown side by side.
const SAMPLES: usize = 3;
const LONGEST_TITLE: usize = 80;
const LONGEST_HEADING: usize = 13;
/// Steps that the chart shows at least of an iteration that came to rest.
const FEWEST_STEPS: usize = 5;

fn single<T: Stored>(values: &[T]) -> Vec<f32> {
    values.iter().map(|v| v.to_f64() as f32).collect()
}

/// A title that names the datasets as fully as there is room.
fn title(datasets: &[Named]) -> String {
    let names: Vec<String> = datasets.iter().map(|named| named.name.clone()).collect();
    let texts = [names, headings(datasets)].map(|names| format!("barycenter of {}", names.join(", ")));
    let fits = texts.into_iter().find(|text| text.chars().count() <= LONGEST_TITLE);
    fits.unwrap_or_else(|| format!("barycenter of {} datasets", datasets.len()))
}

/// Names short enough for columns of images: the name or file without folder, part and count, after a
/// number where that leaves equal ones.
fn headings(datasets: &[Named]) -> Vec<String> {
    let short = |named: &Named| {
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
pub(crate) fn images<T: Stored>(
    average: &Average<'_, T>,
    measures: &[MeasureOverMeasures<T>],
    shape: ImageShape,
) -> Result<Picture> {
    let (mean, count, dim) = (&average.mean.measure, measures.len(), shape.len());
    let groups = (COLUMNS / (count + 2)).clamp(1, SAMPLES);
    let classes = mean.class_count().min(CLASSES);
    let middle = count.div_ceil(2);
    // One list of images a class; a missing one (all mass goes to other classes) and the room between
    // samples are white.
    let blank = vec![f32::INFINITY; dim];
    let image = |points: &[T], row: usize| single(&points[row * dim..(row + 1) * dim]);
    let row = |class: usize| -> Vec<Vec<f32>> {
        let partners: Vec<Vec<Option<usize>>> = (0..count).map(|k| average.partners(k, class)).collect();
        let partner = |k: usize, sample: usize| {
            let points = measures[k].class_points(average.matched[k][class]);
            partners[k][sample].map_or_else(|| blank.clone(), |row| image(points, row))
        };
        let group = |sample: usize| {
            let mut images: Vec<Vec<f32>> = (0..count).map(|k| partner(k, sample)).collect();
            images.insert(middle, image(mean.class_points(class), sample));
            if sample > 0 {
                images.insert(0, blank.clone());
            }
            images
        };
        (0..groups.min(mean.class_size(class))).flat_map(group).collect()
    };
    let rows: Vec<Vec<Vec<f32>>> = (0..classes).map(row).collect();
    let shown = rows.iter().flatten().filter(|image| image[0].is_finite());
    let range = value_range(shown.map(Vec::as_slice));
    let mut group = headings(average.datasets);
    group.insert(middle, "mean".into());
    let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
    group.push(String::new());
    let label = |class: usize| {
        let names: Vec<String> =
            (0..count).map(|k| class_name(&average.datasets[k], average.matched[k][class])).collect();
        names.join(" + ")
    };
    let rows = rows.iter().enumerate().map(|(class, images)| ImageRow {
        label: label(class),
        images: images.iter().map(Vec::as_slice).collect(),
        examples: Vec::new(),
    });
    let title = title(average.datasets);
    let grid = ImageGrid {
        title: match mean.class_count() {
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
    Ok(grid.draw()?)
}

/// Points in the plane: the barycenter amid all datasets, then a panel a dataset with the ways to the samples
/// it is matched to.
pub(crate) fn plane<T: Stored>(
    average: &Average<'_, T>,
    measures: &[MeasureOverMeasures<T>],
) -> Result<Picture> {
    let mean = &average.mean.measure;
    let classes = 0..mean.class_count();
    let place =
        |points: &[T], row: usize| [points[2 * row].to_f64() as f32, points[2 * row + 1].to_f64() as f32];
    let panel = |k: usize| {
        let measure = &measures[k];
        let mut frames = [Vec::new(), Vec::new()];
        for class in classes.clone() {
            let theirs = measure.class_points(average.matched[k][class]);
            for (row, partner) in average.partners(k, class).into_iter().enumerate() {
                let own = place(mean.class_points(class), row);
                frames[0].push(own);
                frames[1].push(partner.map_or(own, |row| place(theirs, row)));
            }
        }
        ScatterPanel {
            title: format!("to {}", average.datasets[k].name),
            note: String::new(),
            frames: frames.to_vec(),
            targets: (0..measure.sample_count()).map(|row| place(measure.points(), row)).collect(),
        }
    };
    let ways: Vec<ScatterPanel> = (0..measures.len()).map(panel).collect();
    let own = (0..mean.sample_count()).map(|row| place(mean.points(), row)).collect::<Vec<_>>();
    let amid = ScatterPanel {
        title: "barycenter".into(),
        note: String::new(),
        frames: vec![own.clone(), own],
        targets: ways.iter().flat_map(|panel| &panel.targets).copied().collect(),
    };
    let figure = ScatterFlow {
        title: title(average.datasets),
        classes: classes.clone().flat_map(|c| vec![c; mean.class_size(c)]).collect(),
        labels: average.labels.iter().map(ToString::to_string).collect(),
        steps: vec![0, 1],
        panels: std::iter::once(amid).chain(ways).collect(),
        ..ScatterFlow::default()
    };
    Ok(figure.trajectories()?)
}

/// The objective at every step over the bound that nothing gets below.
pub(crate) fn objective<T: Stored>(average: &Average<'_, T>) -> Result<Picture> {
    let mut objectives = average.mean.objectives.clone();
    if matches!(average.mean.stop, Stop::Converged | Stop::NoDecrease) {
        // What came to rest early stays where it is.
        objectives.resize(objectives.len().max(FEWEST_STEPS + 1), average.mean.objective());
    }
    let points: Vec<(f64, f64)> =
        objectives.iter().enumerate().map(|(step, &value)| (step as f64, value)).collect();
    let last = points.last().map_or(0.0, |point| point.0).max(1.0);
    let bound = average.mean.lower_bound;
    let chart = LineChart {
        title: title(average.datasets),
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
    Ok(chart.draw()?)
}
