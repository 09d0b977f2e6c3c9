//! One distance between two datasets, with what certifies it and which class goes where.

use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use wowflow::compare::{Certainty, Inner, Method, compare_observed};
use wowflow::dataset::Precision;
use wowflow::scalar::Scalar;
use wowflow_data::npy::{NpyArray, write_npz_to};
use wowflow_data::{DataError, Prepared, atomic, bring_together};

use super::config::{Config, Request};
use super::data::{Counts, check_size, measure};
use crate::error::{Result, StudyError};
use crate::observer::{Observer, doing, note, transports};
use crate::record::{Program, Provenance, RunProvenance, SCHEMA, config_sha256};

/// A distance between two datasets, as it is printed as JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// Version of the layout.
    pub schema: u32,
    /// One dataset.
    pub left: String,
    /// The other.
    pub right: String,
    /// How the distance is written.
    pub distance: String,
    /// The distance.
    pub value: f64,
    /// Its power, which the definition minimises or averages.
    pub power: f64,
    /// The exponent between the two.
    pub order: f64,
    /// How certain it is.
    pub certainty: Certainty,
    /// The method, nothing left open.
    pub method: Method,
    /// Precision of the samples.
    pub precision: Precision,
    /// Seed of everything random.
    pub seed: u64,
    /// Classes and samples of both.
    pub counts: [Counts; 2],
    /// Costs and masses between classes.
    pub classes: Classes,
    /// Where the time went.
    pub seconds: Seconds,
    /// Where the numbers come from.
    pub provenance: Provenance,
    /// The configuration.
    #[serde(skip)]
    pub config: Config,
}

/// Costs and masses between the classes of two datasets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Classes {
    /// Labels, in the order of rows.
    pub left: Vec<String>,
    /// Labels, in the order of columns.
    pub right: Vec<String>,
    /// What the classes show, where labels do not say.
    pub left_names: Option<Vec<String>>,
    /// The same of the other dataset.
    pub right_names: Option<Vec<String>>,
    /// What `costs` are; absent with them.
    pub cost: Option<&'static str>,
    /// Costs, a row a class of the left dataset; absent for methods that compare no classes.
    pub costs: Option<Vec<Vec<f64>>>,
    /// Mass that goes from class to class; absent for methods that couple nothing.
    pub coupling: Option<Vec<Vec<f64>>>,
    /// Labels with names, for people.
    #[serde(skip)]
    pub shown: [Vec<String>; 2],
}

/// Where the time went.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Seconds {
    /// Loading.
    pub load: f64,
    /// Comparing.
    pub compare: f64,
}

/// Loads two datasets and compares them; nothing is written.
///
/// # Errors
/// Data that cannot be read or do not fit, options that the method does not have, too little memory for it.
pub fn compare_pair(
    names: [&str; 2],
    request: &Request,
    program: &Program,
    observer: &dyn Observer,
) -> Result<Compared> {
    let started = Instant::now();
    let lookup = program.lookup(request.resize);
    let load =
        || Ok::<_, DataError>([lookup.load(names[0], request.seed)?, lookup.load(names[1], request.seed)?]);
    let mut datasets = doing(observer, "loading", load)?;
    bring_together(&mut datasets)?;
    let load = started.elapsed().as_secs_f64();
    let mut found = compare_prepared(&datasets, request, program, observer)?;
    found.seconds.load += load;
    Ok(found)
}

/// Compares two datasets that are there; nothing is written.
///
/// # Errors
/// As [`compare_pair`].
pub fn compare_prepared(
    datasets: &[Prepared; 2],
    request: &Request,
    program: &Program,
    observer: &dyn Observer,
) -> Result<Compared> {
    let config = Config::new(request, datasets)?;
    match config.precision {
        Precision::F32 => compare_in::<f32>(datasets, config, program, observer),
        Precision::F64 => compare_in::<f64>(datasets, config, program, observer),
    }
}

fn compare_in<T: Scalar>(
    datasets: &[Prepared; 2],
    mut config: Config,
    program: &Program,
    observer: &dyn Observer,
) -> Result<Compared> {
    let started = Instant::now();
    let [left, right] = datasets;
    let (p, q) = (measure::<T>(left, &config)?, measure::<T>(right, &config)?);
    check_size(&config.method, [&left.name, &right.name], p.sample_count(), q.sample_count())?;
    let counts = [Counts::new(left, &p), Counts::new(right, &q)];
    note(observer, &left.description);
    note(observer, &right.description);
    let [some, others] = [counts[0].describe(&left.name), counts[1].describe(&right.name)];
    note(observer, &format!("comparing {some} with {others} by {}", config.method.name()));
    let load = started.elapsed().as_secs_f64();

    let started = Instant::now();
    let solve =
        |observe: &(dyn Fn(usize) + Sync)| compare_observed(&p, &q, &config.method, config.seed, observe);
    let found = if config.method == Method::Wow(Inner::Exact) {
        transports(observer, p.class_count() * q.class_count(), "comparing", solve)
    } else {
        doing(observer, "comparing", || solve(&|_| ()))
    };
    let found = found?;
    let seconds = Seconds { load, compare: started.elapsed().as_secs_f64() };
    // With the bandwidth that was measured.
    config.method = found.method.clone();
    let rows = |values: Vec<f64>| values.chunks(q.class_count()).map(<[f64]>::to_vec).collect();
    let costs = found.classes.as_ref().map(|costs| rows(costs.values().to_vec()));
    let run = RunProvenance::new(program, config.seed, config_sha256(&config)?);
    Ok(Compared {
        schema: SCHEMA,
        left: left.name.clone(),
        right: right.name.clone(),
        distance: config.method.symbol(),
        value: found.value,
        power: found.power,
        order: found.order,
        certainty: found.certainty,
        precision: config.precision,
        seed: config.seed,
        counts,
        classes: Classes {
            left: left.labels(),
            right: right.labels(),
            left_names: left.class_names.clone(),
            right_names: right.class_names.clone(),
            cost: costs.as_ref().and_then(|_| config.method.class_cost()),
            costs,
            coupling: found.class_masses(&p, &q).map(rows),
            shown: [left.labels_with_names(), right.labels_with_names()],
        },
        seconds,
        provenance: Provenance::new(run, datasets),
        method: found.method,
        config,
    })
}

impl Compared {
    /// Writes costs and masses between classes as arrays, those that there are, with the labels of rows and columns,
    /// into a file that is not there yet.
    ///
    /// # Errors
    /// A file that is there, a place that cannot be written.
    pub fn write_plan(&self, path: &Path) -> Result<()> {
        let Classes { left, right, costs, coupling, .. } = &self.classes;
        let shape = [left.len(), right.len()];
        let matrix =
            |rows: &Option<Vec<Vec<f64>>>| rows.as_ref().map(|rows| NpyArray::f64(shape, rows.concat()));
        let (costs, coupling) = (matrix(costs), matrix(coupling));
        let labels = |labels: &Vec<String>| NpyArray::text([labels.len()], labels.clone());
        let (rows, cols) = (labels(left), labels(right));
        let arrays = [("class_costs", costs.as_ref()), ("class_coupling", coupling.as_ref())];
        let mut arrays: Vec<(&str, &NpyArray)> =
            arrays.into_iter().filter_map(|(name, array)| Some((name, array?))).collect();
        arrays.extend([("left_labels", &rows), ("right_labels", &cols)]);
        atomic::create(path, |file| write_npz_to(file, &arrays)).map_err(StudyError::io("write", path))
    }
}
