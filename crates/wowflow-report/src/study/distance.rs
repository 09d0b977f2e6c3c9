//! Pictures of comparisons: classes against classes, datasets against datasets, datasets on a map.

use wowflow::embedding::{DistanceMatrix, SmacofOptions, average_linkage, classical_mds, smacof};
use wowflow_data::{DatasetSpec, Source};
use wowflow_study::StudyError;
use wowflow_study::distance::{Compared, Finished};

use crate::error::ReportError;
use crate::heatmap::HeatMap;
use crate::picture::Picture;
use crate::pointmap::{MapPoint, PointMap};

/// The costs between the classes of two datasets, with the mass of the coupling marked; without costs, the mass.
///
/// # Errors
/// A method that compares no classes.
pub fn classes(compared: &Compared) -> Result<Picture, ReportError> {
    let (method, classes) = (&compared.config.method, &compared.classes);
    let value_label = match method.class_cost() {
        Some(cost) => cost.to_owned(),
        None => "share of mass".to_owned(),
    };
    let flat = |rows: &Option<Vec<Vec<f64>>>| rows.as_ref().map(|rows| rows.concat());
    let masses = flat(&classes.coupling);
    let [row_names, col_names] = classes.shown.clone();
    let result = format!("{} = {:.6}: {}.", compared.distance, compared.value, compared.certainty);
    let figure = HeatMap {
        title: format!("{} to {}: {}", compared.left, compared.right, compared.distance),
        note: format!("{} {result}", compared.config.describe()),
        value_label,
        row_names,
        col_names,
        values: flat(&classes.costs).or_else(|| masses.clone()).unwrap_or_default(),
        masses,
        ..HeatMap::default()
    };
    figure.draw()
}

/// The matrix of distances in the order of its tree, which stands beside it.
///
/// # Errors
/// Distances that are not finite.
pub fn heat_map(finished: &Finished) -> Result<Picture, ReportError> {
    let (config, matrix) = (&finished.config, &finished.matrix);
    let (names, symbol) = (&config.datasets, config.method.symbol());
    let distances = DistanceMatrix::new(names.len(), matrix.clone()).map_err(StudyError::from)?;
    let figure = HeatMap {
        title: format!("{symbol} between {} datasets", names.len()),
        note: format!(
            "{} Tree by average linkage; neighbours as near as turning its branches allows.",
            config.describe()
        ),
        value_label: symbol,
        row_names: names.clone(),
        col_names: names.clone(),
        values: matrix.clone(),
        tree: Some(average_linkage(&distances)),
        ..HeatMap::default()
    };
    figure.draw()
}

/// The datasets in the plane, as far apart as they are up to the stress; parts of one dataset share a colour.
///
/// # Errors
/// Distances that are not finite.
pub fn map(finished: &Finished) -> Result<Picture, ReportError> {
    let (config, matrix) = (&finished.config, &finished.matrix);
    let (names, symbol) = (&config.datasets, config.method.symbol());
    let distances = DistanceMatrix::new(names.len(), matrix.clone()).map_err(StudyError::from)?;
    let start = classical_mds(&distances, 2).map_err(StudyError::from)?;
    let placed = smacof(&distances, &start, &SmacofOptions::default()).map_err(StudyError::from)?;
    let mut groups: Vec<String> = Vec::new();
    let mut points = Vec::with_capacity(names.len());
    for (name, at) in names.iter().zip(placed.coordinates.chunks_exact(2)) {
        let source = source_of(name);
        let group = groups.iter().position(|known| *known == source).unwrap_or_else(|| {
            groups.push(source);
            groups.len() - 1
        });
        points.push(MapPoint { at: [at[0], at[1]], name: name.clone(), group });
    }
    let figure = PointMap {
        title: format!("Datasets by {symbol}"),
        note: format!(
            "{} Multidimensional scaling (SMACOF): distances on the map are off by {:.1} % (stress).",
            config.describe(),
            100.0 * placed.stress
        ),
        points,
        groups,
    };
    figure.draw()
}

/// What a name is a part of: `mnist` of `mnist[test]:100`.
fn source_of(name: &str) -> String {
    match name.parse::<DatasetSpec>() {
        Err(_) => name.to_owned(),
        Ok(spec) => match spec.source() {
            Source::Generator(generator) => generator.to_string(),
            Source::Named(set) => set.to_string(),
            Source::Path(path) => path.display().to_string(),
        },
    }
}
