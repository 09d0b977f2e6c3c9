//! The pictures of a geodesic: samples on their way, and the classes with their coupling.

use anyhow::Result;
use wowflow::dataset::ImageShape;
use wowflow::ot::geometry::{Particle, VelocityPlan};
use wowflow::ot::labels::ClassLabels;
use wowflow::ot::wow::WowTransport;
use wowflow_report::{HeatMap, InterpolationRow, InterpolationSheet, Picture, ScatterFlow, ScatterPanel};

use super::{class_name, value_range};
use crate::load::Named;
use crate::run::checkpoint::Stored;

/// Most pairs of classes shown as images, the heaviest, and rows of images in all if pairs are few.
const PAIRS: usize = 20;
const ROWS: usize = 20;
/// Samples of a pair in the animation, and in the plane.
const IMAGES_A_PAIR: usize = 10;
const POINTS_A_PAIR: usize = 400;
/// Times of the animation, whatever times are written.
const FRAMES: usize = 25;

/// Samples of a pair of classes with where they start and end.
pub(crate) struct Group {
    label: String,
    mass: f64,
    moves: Vec<Move>,
    examples: Vec<Vec<f32>>,
}

struct Move {
    from: Vec<f32>,
    to: Vec<f32>,
}

impl Move {
    fn at(&self, t: f64) -> Vec<f32> {
        let along = |(x, y): (&f32, &f32)| {
            let (x, y) = (f64::from(*x), f64::from(*y));
            if t < 0.5 { (x + t * (y - x)) as f32 } else { (y - (1.0 - t) * (y - x)) as f32 }
        };
        self.from.iter().zip(&self.to).map(along).collect()
    }
}

fn single<T: Stored>(values: &[T]) -> Vec<f32> {
    values.iter().map(|v| v.to_f64() as f32).collect()
}

/// What of a curve is shown: its pairs of classes, with some of their heaviest particles.
pub(crate) fn groups<T: Stored>(
    plan: &VelocityPlan<'_, T>,
    (source, target): (&Named, &Named),
    images: bool,
) -> Vec<Group> {
    let mut particles: Vec<Vec<Particle<'_, T>>> = plan.pairs().iter().map(|_| Vec::new()).collect();
    plan.particles().for_each(|particle| particles[particle.pair].push(particle));
    let pairs = plan.pairs().iter().zip(particles);
    let group = |(pair, mut particles): (&wowflow::ot::geometry::ClassPair, Vec<Particle<'_, T>>)| {
        particles.sort_by(|a, b| b.mass.total_cmp(&a.mass));
        if images {
            // One way for each sample: what splits off it is lighter.
            let mut seen = std::collections::BTreeSet::new();
            particles.retain(|particle| seen.insert(particle.source));
        }
        particles.truncate(if images { IMAGES_A_PAIR } else { POINTS_A_PAIR });
        let moves = particles.iter().map(|p| Move { from: single(p.position), to: single(p.end) });
        Group {
            label: format!("{} -> {}", class_name(source, pair.source), class_name(target, pair.target)),
            mass: pair.mass,
            moves: moves.collect(),
            examples: Vec::new(),
        }
    };
    pairs.map(group).collect()
}

/// As [`groups`] for the curve without splits: classes of the source with those they are matched to.
pub(crate) fn barycentric_groups<T: Stored>(
    plan: &VelocityPlan<'_, T>,
    (source, target): (&Named, &Named),
    matching: &ClassLabels,
    images: bool,
) -> Result<Vec<Group>> {
    let (p, q) = (plan.source(), plan.target());
    let end = plan.barycentric(1.0)?;
    let most = if images { IMAGES_A_PAIR } else { POINTS_A_PAIR };
    let rows = |values: &[T], most: usize| values.chunks(p.dim()).take(most).map(single).collect::<Vec<_>>();
    let group = |class: usize| {
        let to = matching.target[class];
        let ways = rows(p.class_points(class), most).into_iter().zip(rows(end.class_points(class), most));
        Group {
            label: format!("{} -> {}", class_name(source, class), class_name(target, to)),
            mass: p.outer_weights()[class],
            moves: ways.map(|(from, to)| Move { from, to }).collect(),
            examples: if images { rows(q.class_points(to), 4) } else { Vec::new() },
        }
    };
    Ok((0..p.class_count()).map(group).collect())
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
pub(crate) fn images(
    title: &str,
    groups: &[Group],
    times: &[f64],
    shape: ImageShape,
) -> Result<(Picture, Vec<u8>)> {
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
pub(crate) fn plane(title: &str, groups: &[Group], targets: Vec<[f32; 2]>) -> Result<(Picture, Vec<u8>)> {
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
pub(crate) fn classes(
    (source, target): (&Named, &Named),
    transport: &WowTransport,
    note: String,
) -> Result<Picture> {
    let names = |named: &Named| (0..named.dataset.class_count()).map(|c| class_name(named, c)).collect();
    let map = HeatMap {
        title: format!("{} to {}", source.name, target.name),
        note,
        value_label: "W_2".into(),
        row_names: names(source),
        col_names: names(target),
        values: transport.class_costs.values().iter().map(|cost| cost.max(0.0).sqrt()).collect(),
        masses: Some(transport.outer.to_dense()),
        ..HeatMap::default()
    };
    Ok(map.draw()?)
}
