//! Experiment files: TOML, read key by key into what they ask for.

use std::path::Path;

use toml::{Table, Value};
use wowflow::auto::Auto;
use wowflow::compare::{MethodName, MethodSettings};
use wowflow::dataset::Precision;
use wowflow::kernel::{KernelName, KernelSettings};
use wowflow_data::{Prepared, SingleLoss, Size, choose_precision, common_dimension, finest_precision};

use super::config::{Config, NamedMethod, PairRule};
use super::keys::{Keys, number, range, texts, whole};
use crate::error::{Place, Result, StudyError, refuse, require};
use crate::record::SCHEMA;
use crate::text::slug;

/// More directions than this would fill the memory before they helped.
const MOST_DIRECTIONS: usize = 100_000;
/// Fewer pairs have no rank correlation with an interval.
const FEWEST_PAIRS: usize = 3;
/// All of them are drawn before the first is compared.
const MOST_PAIRS: usize = 1_000_000;

/// An experiment as it is written down; methods are resolved once the dimension of the datasets is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What it asks, for people.
    pub title: String,
    /// Names of the datasets.
    pub datasets: Vec<String>,
    /// The size that images are brought to.
    pub resize: Option<Size>,
    /// Precision of the samples; open: the finest of the datasets.
    pub precision: Option<Precision>,
    /// Seed of everything random.
    pub seed: u64,
    /// How pairs are drawn.
    pub pairs: PairRule,
    methods: Vec<(String, MethodSettings)>,
    references: Vec<usize>,
}

impl Request {
    /// Reads an experiment file.
    ///
    /// # Errors
    /// A file that cannot be read or is no such experiment.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(StudyError::io("read", path))?;
        Self::parse(&text).at(|| path.display().to_string())
    }

    /// Reads the text of an experiment file.
    ///
    /// # Errors
    /// A text that is no such experiment.
    pub fn parse(text: &str) -> Result<Self> {
        let file: Table = text.parse().map_err(|error| syntax(text, &error))?;
        let mut keys = Keys::new(&file, "");
        let title = keys.must("title", "a text", |value| value.as_str().map(str::to_owned))?;
        let datasets = keys.must("datasets", "a list of names of datasets", texts)?;
        if let Some(twice) = twice(&datasets) {
            refuse!("expected every one of datasets once, found {twice} twice");
        }
        let resize =
            keys.maybe("resize", "a size such as \"16x16\"", |value| value.as_str()?.parse().ok())?;
        let precision = keys.name("precision")?;
        let seed = keys
            .maybe("seed", "a whole number of at least 0", |value| u64::try_from(value.as_integer()?).ok())?;
        let directions = directions(&mut keys)?;
        let references = keys.must("references", "a list of names of methods", texts)?;
        let pairs = keys.must("pairs", "a table", Value::as_table)?;
        let tables = keys.must("methods", "a list of tables", |value| {
            value.as_array()?.iter().map(Value::as_table).collect::<Option<Vec<_>>>()
        })?;
        keys.finish()?;

        let pairs = rule(pairs)?;
        let methods = tables
            .iter()
            .enumerate()
            .map(|(index, table)| method(table, &format!("methods[{index}]."), directions));
        let methods = methods.collect::<Result<Vec<_>>>()?;
        let labels: Vec<String> = methods.iter().map(|(label, _)| label.clone()).collect();
        // Files are named after methods.
        let slugs: Vec<String> = labels.iter().map(|label| slug(label)).collect();
        if let Some(one) = twice(&slugs) {
            refuse!(
                "expected methods whose names differ in letters or digits, found {one} twice: give one a name"
            );
        }
        if let Some(twice) = twice(&references) {
            refuse!("expected every one of references once, found {twice} twice");
        }
        let find = |name: &String| {
            let at = labels.iter().position(|label| label == name);
            at.at(|| format!("expected names among {} in references, found {name}", labels.join(", ")))
        };
        let references = references.iter().map(find).collect::<Result<Vec<_>>>()?;
        require!(methods.len() > 1, "expected methods besides the references, found {}", methods.len());
        Ok(Self { title, datasets, resize, precision, seed: seed.unwrap_or(0), pairs, methods, references })
    }

    /// Everything resolved against the datasets.
    ///
    /// # Errors
    /// Datasets of different dimensions, options that a method does not have, a kernel whose bandwidth is left open.
    pub fn resolve(&self, datasets: &[Prepared]) -> Result<Config> {
        let dim = common_dimension(datasets)?;
        let one = |(label, settings): &(String, MethodSettings)| -> Result<NamedMethod> {
            let method = settings.resolve(dim).at(|| format!("method {label}"))?;
            require!(
                !method.measures_bandwidth(),
                "expected a bandwidth of {label}, one kernel for all pairs, found none: `wowflow distance` tells that of a pair"
            );
            Ok(NamedMethod { label: label.clone(), method })
        };
        let all: Vec<&Prepared> = datasets.iter().collect();
        let (usual, lost) = (finest_precision(datasets), SingleLoss::is_lost_near_one);
        let (precision, _) = choose_precision(self.precision.into(), usual, &all, lost)?;
        Ok(Config {
            schema: SCHEMA,
            title: self.title.clone(),
            datasets: datasets.iter().map(|prepared| prepared.name.clone()).collect(),
            resize: self.resize,
            precision,
            seed: self.seed,
            pairs: self.pairs,
            methods: self.methods.iter().map(one).collect::<Result<_>>()?,
            references: self.references.clone(),
        })
    }
}

fn twice(names: &[String]) -> Option<&String> {
    names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)).map(|(_, name)| name)
}

/// What is no TOML, with the line.
fn syntax(text: &str, error: &toml::de::Error) -> StudyError {
    let line = error.span().map(|span| 1 + text[..span.start.min(text.len())].matches('\n').count());
    let line = line.map_or(String::new(), |line| format!(" on line {line}"));
    StudyError::Refused(format!("expected TOML, found{line}: {}", error.message()))
}

fn directions(keys: &mut Keys<'_>) -> Result<Option<usize>> {
    let expected = format!("a whole number from 1 to {MOST_DIRECTIONS}");
    keys.maybe("directions", &expected, |value| whole(value, 1).filter(|count| *count <= MOST_DIRECTIONS))
}

fn rule(table: &Table) -> Result<PairRule> {
    let mut keys = Keys::new(table, "pairs.");
    let from_to = format!("a whole number from {FEWEST_PAIRS} to {MOST_PAIRS}");
    let either = "a whole number of at least 1 or a range such as [3, 10]";
    let rule = PairRule {
        count: keys.must("count", &from_to, |value| {
            whole(value, FEWEST_PAIRS).filter(|count| *count <= MOST_PAIRS)
        })?,
        classes: keys.must("classes", either, |value| range(value, 1))?,
        samples: keys.must("samples", either, |value| range(value, 1))?,
        same_set: keys
            .name("same-set")?
            .at(|| "expected one of disjoint, overlapping, never as pairs.same-set, found none".to_owned())?,
    };
    keys.finish()?;
    Ok(rule)
}

fn method(table: &Table, place: &str, common: Option<usize>) -> Result<(String, MethodSettings)> {
    let mut keys = Keys::new(table, place);
    let missing = || format!("expected the name of a distance as {place}method, found none");
    let name: MethodName = keys.name("method")?.at(missing)?;
    let label = keys.maybe("name", "a text with letters or digits", |value| {
        value.as_str().filter(|text| !slug(text).is_empty()).map(str::to_owned)
    })?;
    let own = directions(&mut keys)?;
    let count = "a whole number of at least 1";
    let settings = MethodSettings {
        name,
        directions: own.or(common.filter(|_| name.is_sliced())).into(),
        slicing: keys.name("slicing")?.into(),
        kernel: kernel(&mut keys)?,
        order: keys.maybe("order", "a number", number)?.into(),
        moments: keys.maybe("moments", count, |value| whole(value, 1))?.into(),
        functions: keys.maybe("functions", count, |value| whole(value, 1))?.into(),
        length: keys.maybe("length", "a number", number)?.into(),
        process: Auto::Auto,
        regularisation: keys.maybe("regularisation", "a number", number)?,
    };
    keys.finish()?;
    Ok((label.unwrap_or_else(|| name.to_string()), settings))
}

/// The kernel and its parameters, which stand beside the other options of a method; `None` if none is given.
fn kernel(keys: &mut Keys<'_>) -> Result<Option<KernelSettings>> {
    let name: Option<KernelName> = keys.name("kernel")?;
    let kernel = KernelSettings {
        name: name.unwrap_or_default(),
        bandwidth: keys
            .maybe("bandwidth", "a positive number", |value| {
                number(value).filter(|h| *h > 0.0 && h.is_finite())
            })?
            .into(),
        exponent: keys.maybe("exponent", "a number", number)?.into(),
        smoothing: keys.maybe("smoothing", "a number", number)?.into(),
    };
    Ok((name.is_some() || kernel != KernelSettings::default()).then_some(kernel))
}
