//! Pictures of comparisons: classes against classes, datasets against datasets, datasets on a map.

use anyhow::Result;
use wowflow::embedding::{DistanceMatrix, SmacofOptions, average_linkage, classical_mds, smacof};
use wowflow_data::{DatasetSpec, Source};
use wowflow_report::{HeatMap, MapPoint, Picture, PointMap};

use super::config::CompareConfig;

/// The costs between the classes of two datasets, with the mass of the coupling marked; without costs, the mass.
pub(crate) fn classes(
    names: (&str, &str),
    labels: (Vec<String>, Vec<String>),
    (costs, masses): (Option<Vec<f64>>, Option<Vec<f64>>),
    config: &CompareConfig,
    result: &str,
) -> Result<Picture> {
    let method = &config.method;
    let value_label = match method.class_cost() {
        Some(cost) => cost.to_owned(),
        None => "share of mass".to_owned(),
    };
    let values = costs.or_else(|| masses.clone()).unwrap_or_default();
    let figure = HeatMap {
        title: format!("{} to {}: {}", names.0, names.1, method.symbol()),
        note: format!("{} {result}", config.in_words()),
        value_label,
        row_names: labels.0,
        col_names: labels.1,
        values,
        masses,
        ..HeatMap::default()
    };
    Ok(figure.draw()?)
}

/// The matrix of distances in the order of its tree, which stands beside it.
pub(crate) fn heat_map(config: &CompareConfig, matrix: &[f64]) -> Result<Picture> {
    let (names, symbol) = (&config.datasets, config.method.symbol());
    let distances = DistanceMatrix::new(names.len(), matrix.to_vec())?;
    let figure = HeatMap {
        title: format!("{symbol} between {} datasets", names.len()),
        note: format!(
            "{} Tree by average linkage; neighbours as near as turning its branches allows.",
            config.in_words()
        ),
        value_label: symbol,
        row_names: names.clone(),
        col_names: names.clone(),
        values: matrix.to_vec(),
        tree: Some(average_linkage(&distances)),
        ..HeatMap::default()
    };
    Ok(figure.draw()?)
}

/// The datasets in the plane, as far apart as they are up to the stress; parts of one dataset share a colour.
pub(crate) fn map(config: &CompareConfig, matrix: &[f64]) -> Result<Picture> {
    let (names, symbol) = (&config.datasets, config.method.symbol());
    let distances = DistanceMatrix::new(names.len(), matrix.to_vec())?;
    let start = classical_mds(&distances, 2)?;
    let placed = smacof(&distances, &start, &SmacofOptions::default())?;
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
            config.in_words(),
            100.0 * placed.stress
        ),
        points,
        groups,
    };
    Ok(figure.draw()?)
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
