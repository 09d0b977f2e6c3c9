//! One case: what the manifest says, its arrays, and the comparison.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use wowflow::kernel::{Gaussian, InverseMultiquadric, Kernel, Laplace, Riesz};
use wowflow::measure::MeasureOverMeasures;
use wowflow_data::npy::read_npz;

/// Outputs by name.
pub(super) type Computed = HashMap<&'static str, Vec<f64>>;

/// `manifest.json`.
#[derive(Deserialize)]
pub(super) struct Manifest {
    pub(super) cases: Vec<Case>,
}

/// How close is close: `|v - e| <= abs + rel * max |e|`.
#[derive(Clone, Deserialize)]
pub(super) struct Tolerance {
    rel: f64,
    abs: f64,
}

/// A case of the manifest, with its arrays once loaded.
#[derive(Clone, Deserialize)]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) group: String,
    file: String,
    inputs: BTreeMap<String, Vec<usize>>,
    pub(super) outputs: BTreeMap<String, Vec<usize>>,
    tolerance: Tolerance,
    note: String,
    #[serde(skip)]
    arrays: HashMap<String, (Vec<usize>, Vec<f64>)>,
}

impl Manifest {
    pub(super) fn read(dir: &Path) -> Result<Self> {
        let path = dir.join("manifest.json");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not a manifest", path.display()))
    }
}

impl Case {
    /// The case with its arrays, each checked against the shape that the manifest states.
    pub(super) fn load(&self, dir: &Path) -> Result<Self> {
        let mut case = self.clone();
        for (name, array) in read_npz(dir.join(&self.file))? {
            let values = array.to_f64().with_context(|| format!("array `{name}` is not numeric"))?;
            case.arrays.insert(name, (array.shape, values));
        }
        for (name, shape) in self.inputs.iter().chain(&self.outputs) {
            let (found, _) = case.arrays.get(name).with_context(|| format!("array `{name}` is missing"))?;
            ensure!(found == shape, "array `{name}`: expected shape {shape:?}, found {found:?}");
        }
        Ok(case)
    }

    pub(super) fn array(&self, name: &str) -> Result<Vec<f64>> {
        Ok(self.arrays.get(name).with_context(|| format!("array `{name}` is missing"))?.1.clone())
    }

    pub(super) fn shape(&self, name: &str) -> Result<&[usize]> {
        Ok(&self.arrays.get(name).with_context(|| format!("array `{name}` is missing"))?.0)
    }

    pub(super) fn scalar(&self, name: &str) -> Result<f64> {
        let values = self.array(name)?;
        ensure!(values.len() == 1, "expected one number as `{name}`, found {}", values.len());
        Ok(values[0])
    }

    /// The kernel that the note names, with parameters `h` and `r`.
    pub(super) fn kernel(&self) -> Result<Kernel> {
        let name = self.note.strip_prefix("kernel: ").context("expected a note that names the kernel")?;
        let name = name.split(['.', ' ']).next().unwrap_or_default();
        let (h, r) = (self.scalar("h")?, self.scalar("r")?);
        Ok(match name {
            "gaussian" => Gaussian::new(h)?.into(),
            "laplace" => Laplace::new(h)?.into(),
            "imq" => InverseMultiquadric::new(h)?.into(),
            "riesz" => Riesz::new(r, 0.0)?.into(),
            other => bail!("expected gaussian, laplace, imq or riesz as the kernel, found `{other}`"),
        })
    }

    /// A weighted collection of measures packed as `x`, `x_sizes`, `x_weights`, `x_outer`.
    pub(super) fn packed(&self, name: &str) -> Result<MeasureOverMeasures<f64>> {
        let sizes: Vec<usize> = self.array(&format!("{name}_sizes"))?.iter().map(|&v| v as usize).collect();
        let (inner, outer) = (self.array(&format!("{name}_weights"))?, self.array(&format!("{name}_outer"))?);
        let dim = self.shape(name)?[1];
        Ok(MeasureOverMeasures::new(self.array(name)?, dim, &sizes, Some(&inner), Some(&outer))?)
    }

    /// Equal classes stored as an array of shape (classes, samples, dimension).
    pub(super) fn stacked(&self, name: &str) -> Result<MeasureOverMeasures<f64>> {
        let &[classes, samples, dim] = self.shape(name)? else {
            bail!("expected three axes in `{name}`, found {:?}", self.shape(name)?);
        };
        Ok(MeasureOverMeasures::uniform(self.array(name)?, dim, &vec![samples; classes])?)
    }

    pub(super) fn compare(&self, name: &str, found: &[f64], expected: &[f64]) -> Result<()> {
        ensure!(
            found.len() == expected.len(),
            "{name}: expected {} values, found {}",
            expected.len(),
            found.len()
        );
        let largest = expected.iter().fold(0.0f64, |m, e| m.max(e.abs()));
        let bound = self.tolerance.abs + self.tolerance.rel * largest;
        let wrong = |(f, e): (&f64, &f64)| (f - e).abs() > bound || f.is_nan();
        if let Some(at) = found.iter().zip(expected).position(wrong) {
            let (found, expected) = (found[at], expected[at]);
            bail!("{name}[{at}]: expected {expected:e} within {bound:e}, found {found:e}");
        }
        Ok(())
    }
}
