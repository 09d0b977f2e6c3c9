//! The pictures of a geodesic: samples on their way, and the classes with their coupling.

use wowflow::dataset::ImageShape;
use wowflow_data::Prepared;
use wowflow_study::geodesic::{ClassMoves, Move, Solution, Ways};
use wowflow_study::record::Attachment;

use super::{point, sample, value_range};
use crate::error::ReportError;
use crate::heatmap::HeatMap;
use crate::interpolation::{InterpolationRow, InterpolationSheet};
use crate::picture::Picture;
use crate::scatter::{ScatterFlow, ScatterPanel};

/// Most pairs of classes shown as images, the heaviest, and rows of images in all if pairs are few.
const PAIRS: usize = 20;
const ROWS: usize = 20;
/// Samples of a pair in the animation, and in the plane.
const IMAGES_A_PAIR: usize = 10;
const POINTS_A_PAIR: usize = 400;
/// Images of the target beside those that move towards it without splitting.
const EXAMPLES: usize = 4;
/// Times of the animation, whatever times are written.
const FRAMES: usize = 25;

/// `geodesic.png` and `geodesic.gif` of images and of points in the plane, and `classes.png`.
///
/// ```
/// use wowflow_study::geodesic::{Request, solve};
/// use wowflow_study::record::Program;
/// let way = solve(&Request::new("rings:source:6", "rings:6"), &Program::default(), &())?;
/// let pictures = wowflow_report::study::geodesic::pictures(&way)?;
/// let names: Vec<&str> = pictures.iter().map(|picture| &picture.name[..]).collect();
/// assert_eq!(names, ["geodesic.png", "geodesic.gif", "classes.png"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Samples that end at coordinates that are not finite; more classes than a picture holds.
pub fn pictures(way: &Solution) -> Result<Vec<Attachment>, ReportError> {
    let (source, target, shape) = (way.source(), way.target(), way.image_shape());
    let remark = if way.config().barycentric { ", without splits" } else { "" };
    let title = format!("{} to {}{remark}", source.name, target.name);
    let moving = match shape {
        Some(shape) => {
            let groups = groups(way, IMAGES_A_PAIR, Ways::Heaviest)?;
            Some(images(&title, &groups, &way.config().times, shape)?)
        }
        None if source.dataset.dim() == 2 => {
            let rows = target.dataset.rows_by_class();
            let targets = rows.into_iter().map(|row| point(&target.dataset, row)).collect();
            Some(plane(&title, &groups(way, POINTS_A_PAIR, Ways::All)?, targets)?)
        }
        None => None,
    };
    let mut pictures = Vec::new();
    let mut add = |name: &str, bytes: Vec<u8>| pictures.push(Attachment { name: name.to_owned(), bytes });
    if let Some((picture, animation)) = moving {
        add("geodesic.png", picture.to_png()?);
        add("geodesic.gif", animation);
    }
    add("classes.png", classes(way)?.to_png()?);
    Ok(pictures)
}

/// Samples of a pair of classes as they are shown.
struct Group {
    label: String,
    mass: f64,
    moves: Vec<Move>,
    examples: Vec<Vec<f32>>,
}

/// What of a way is shown: its pairs of classes, with some of their samples.
fn groups(way: &Solution, most: usize, ways: Ways) -> Result<Vec<Group>, ReportError> {
    let (source, target) = (way.source(), way.target());
    let with_examples = way.config().barycentric && way.image_shape().is_some();
    let examples = |class: usize| {
        let rows = target.dataset.class_rows(class).iter().take(EXAMPLES);
        rows.map(|&row| sample(&target.dataset, row)).collect()
    };
    let group = |pair: ClassMoves| Group {
        label: format!("{} -> {}", source.class_name(pair.source), target.class_name(pair.target)),
        mass: pair.mass,
        moves: pair.moves,
        examples: if with_examples { examples(pair.target) } else { Vec::new() },
    };
    Ok(way.moves(most, ways)?.into_iter().map(group).collect())
}

/// The heaviest groups, in their order.
fn heaviest(groups: &[Group]) -> Vec<&Group> {
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by(|&a, &b| groups[b].mass.total_cmp(&groups[a].mass));
    order.truncate(PAIRS);
    order.sort_unstable();
    order.into_iter().map(|at| &groups[at]).collect()
}

fn frame_times() -> Vec<f64> {
    (0..FRAMES).map(|k| k as f64 / (FRAMES - 1) as f64).collect()
}

/// Images at the given times, and an animation from 0 to 1.
fn images(
    title: &str,
    groups: &[Group],
    times: &[f64],
    shape: ImageShape,
) -> Result<(Picture, Vec<u8>), ReportError> {
    let shown = heaviest(groups);
    let title = if shown.len() < groups.len() {
        format!("{title}: {} of {} pairs of classes", shown.len(), groups.len())
    } else {
        title.to_owned()
    };
    let all = groups.iter().flat_map(|group| &group.moves).flat_map(|way| [&way.from[..], &way.to[..]]);
    let range = value_range(all);
    let at = |times: &[f64], paths: usize| -> Vec<Vec<Vec<Vec<f32>>>> {
        let path = |way: &Move| times.iter().map(|&t| way.at(t)).collect();
        shown.iter().map(|group| group.moves.iter().take(paths).map(path).collect()).collect()
    };
    let (still, moving) = (at(times, (ROWS / shown.len()).clamp(1, 4)), at(&frame_times(), IMAGES_A_PAIR));
    let sheet = InterpolationSheet {
        title,
        shape,
        range,
        times: times.to_vec(),
        examples_heading: "target".into(),
        rows: rows(&shown, &still),
    };
    let picture = sheet.draw()?;
    let sheet = InterpolationSheet { times: frame_times(), rows: rows(&shown, &moving), ..sheet };
    Ok((picture, sheet.animate()?))
}

fn rows<'a>(shown: &[&'a Group], images: &'a [Vec<Vec<Vec<f32>>>]) -> Vec<InterpolationRow<'a>> {
    let row = |(group, paths): (&&'a Group, &'a Vec<Vec<Vec<f32>>>)| InterpolationRow {
        label: group.label.clone(),
        paths: paths.iter().map(|path| path.iter().map(Vec::as_slice).collect()).collect(),
        examples: group.examples.iter().map(Vec::as_slice).collect(),
    };
    shown.iter().zip(images).map(row).collect()
}

/// Points in the plane: their ways, and an animation from 0 to 1.
fn plane(title: &str, groups: &[Group], targets: Vec<[f32; 2]>) -> Result<(Picture, Vec<u8>), ReportError> {
    let times = frame_times();
    let frame = |&t: &f64| {
        let moves = groups.iter().flat_map(|group| &group.moves);
        moves.map(|way| way.at(t)).map(|x| [x[0], x[1]]).collect::<Vec<_>>()
    };
    let panel =
        ScatterPanel { frames: times.iter().map(frame).collect(), targets, ..ScatterPanel::default() };
    let figure = ScatterFlow {
        title: title.to_owned(),
        classes: groups.iter().enumerate().flat_map(|(at, group)| vec![at; group.moves.len()]).collect(),
        labels: groups.iter().map(|group| group.label.clone()).collect(),
        steps: (0..FRAMES as u64).collect(),
        captions: times.iter().map(|t| format!("t = {t:.2}")).collect(),
        panels: vec![panel],
    };
    Ok((figure.trajectories()?, figure.animation()?))
}

/// Distances between all pairs of classes, with the coupling.
fn classes(way: &Solution) -> Result<Picture, ReportError> {
    let (source, target, transport) = (way.source(), way.target(), way.transport());
    let names =
        |data: &Prepared| (0..data.dataset.class_count()).map(|class| data.class_name(class)).collect();
    let map = HeatMap {
        title: format!("{} to {}", source.name, target.name),
        note: format!(
            "framed: classes that exchange mass, with its share in per cent where it splits; W_W2^2 = {:.4}",
            transport.value
        ),
        value_label: "W_2".into(),
        row_names: names(source),
        col_names: names(target),
        values: transport.class_costs.values().iter().map(|cost| cost.max(0.0).sqrt()).collect(),
        masses: Some(transport.outer.to_dense()),
        ..HeatMap::default()
    };
    map.draw()
}
