//! Checkpoints: the whole state in one file, written aside and renamed.

use std::path::{Path, PathBuf};

use wowflow::dataset::{Precision, Stored};
use wowflow::flow::{FlowState, Memory};
use wowflow::measure::MeasureOverMeasures;
use wowflow_data::npy::{NpyArray, NpyData, arrays_sha256, read_npz, write_npz};

use super::layout::RunDir;
use crate::error::{Place, Result, StudyError, refuse, require};

/// A coordinate type that arrays on disk can hold.
pub trait NpyScalar: Stored {
    /// Which precision it is.
    const PRECISION: Precision;
    /// Values as an array.
    fn array(shape: Vec<usize>, values: Vec<Self>) -> NpyArray;
    /// The values of an array of this type.
    fn values(data: NpyData) -> Option<Vec<Self>>;
}

impl NpyScalar for f32 {
    const PRECISION: Precision = Precision::F32;
    fn array(shape: Vec<usize>, values: Vec<Self>) -> NpyArray {
        NpyArray::f32(shape, values)
    }
    fn values(data: NpyData) -> Option<Vec<Self>> {
        if let NpyData::F32(values) = data { Some(values) } else { None }
    }
}

impl NpyScalar for f64 {
    const PRECISION: Precision = Precision::F64;
    fn array(shape: Vec<usize>, values: Vec<Self>) -> NpyArray {
        NpyArray::f64(shape, values)
    }
    fn values(data: NpyData) -> Option<Vec<Self>> {
        if let NpyData::F64(values) = data { Some(values) } else { None }
    }
}

/// A state and the seconds it took to get there.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint<T> {
    /// The state.
    pub state: FlowState<T>,
    /// Seconds of the run until then.
    pub seconds: f64,
}

fn path_of(run: &RunDir, step: u64) -> PathBuf {
    run.checkpoints().join(format!("step-{step:08}.npz"))
}

/// The array that holds the checksum of the others.
const SUM: &str = "sha256";

/// Writes a state; the one before is removed once this one is safe.
pub(crate) fn write_checkpoint<T: NpyScalar>(
    run: &RunDir,
    state: &FlowState<T>,
    seconds: f64,
    config: &str,
) -> Result<()> {
    let particles = state.particles();
    let shape = vec![particles.sample_count(), particles.dim()];
    let points = T::array(shape.clone(), particles.points().to_vec());
    let memory = state.memory();
    let vectors = [vec![memory.vectors.len()], shape.clone()].concat();
    let vectors = T::array(vectors, memory.vectors.concat());
    let numbers = NpyArray::f64(vec![memory.numbers.len()], memory.numbers.clone());
    let reference = state.reference().map(|reference| T::array(shape, reference.to_vec()));
    let step = NpyArray::i64(vec![1], vec![state.step() as i64]);
    let time = NpyArray::f64(vec![1], vec![seconds]);
    let config = NpyArray::text(vec![1], vec![config.to_owned()]);
    let mut arrays = vec![
        ("points", &points),
        ("memory", &vectors),
        ("memory_numbers", &numbers),
        ("step", &step),
        ("seconds", &time),
        ("config", &config),
    ];
    arrays.extend(reference.as_ref().map(|reference| ("reference", reference)));
    let path = path_of(run, state.step());
    let sum = arrays_sha256(&arrays).map_err(StudyError::io("write", &path))?;
    let sum = NpyArray::text(vec![1], vec![sum]);
    arrays.push((SUM, &sum));
    write_npz(path, &arrays)?;
    remove_checkpoints_before(run, state.step())
}

/// Removes checkpoints earlier than that of `last`.
pub(crate) fn remove_checkpoints_before(run: &RunDir, last: u64) -> Result<()> {
    for (step, path) in list(run)? {
        if step < last {
            std::fs::remove_file(&path).map_err(StudyError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// Reads the latest state of a run whose particles started as `initial`; `None` when there is none.
pub(crate) fn latest_checkpoint<T: NpyScalar>(
    run: &RunDir,
    initial: &MeasureOverMeasures<T>,
    config: &str,
) -> Result<Option<Checkpoint<T>>> {
    let Some((_, path)) = list(run)?.pop() else {
        return Ok(None);
    };
    let sealed = run.read_provenance()?.1;
    read(&path, initial, config, sealed).at(|| format!("cannot resume from {}", path.display())).map(Some)
}

fn read<T: NpyScalar>(
    path: &Path,
    initial: &MeasureOverMeasures<T>,
    config: &str,
    sealed: bool,
) -> Result<Checkpoint<T>> {
    let mut arrays = read_npz(path)?;
    // Checkpoints of earlier versions have none.
    if let Some(at) = arrays.iter().position(|(name, _)| name == SUM) {
        let found = arrays.remove(at).1.data;
        let rest: Vec<(&str, &NpyArray)> = arrays.iter().map(|(name, array)| (&name[..], array)).collect();
        let sum = arrays_sha256(&rest).map_err(StudyError::io("read", path))?;
        require!(found == NpyData::Text(vec![sum]), "expected what the run wrote, found another content");
    } else {
        require!(!sealed, "expected what the run wrote, found no checksum");
    }
    let mut take = |name: &str| {
        let at = arrays.iter().position(|(found, _)| found == name);
        at.map(|at| arrays.swap_remove(at).1.data).at(|| format!("expected an array `{name}`, found none"))
    };
    match take("config")? {
        NpyData::Text(found) if found == [config] => {}
        _ => refuse!("expected a checkpoint of this configuration, found one of another"),
    }
    let Some(points) = T::values(take("points")?) else { refuse!("expected {} points", T::NAME) };
    let Some(vectors) = T::values(take("memory")?) else { refuse!("expected {} in the memory", T::NAME) };
    let NpyData::F64(numbers) = take("memory_numbers")? else { refuse!("expected numbers in the memory") };
    let (NpyData::I64(step), NpyData::F64(seconds)) = (take("step")?, take("seconds")?) else {
        refuse!("expected a whole number of steps and a number of seconds");
    };
    let mut particles = initial.clone();
    require!(
        points.len() == particles.points().len() && step.len() == 1 && seconds.len() == 1 && step[0] >= 0,
        "expected {} coordinates and one step, found {} coordinates and {step:?}",
        particles.points().len(),
        points.len(),
    );
    let reference = match take("reference").ok().map(T::values) {
        Some(None) => refuse!("expected {} in the reference", T::NAME),
        found => found.flatten(),
    };
    particles.points_mut().copy_from_slice(&points);
    let memory = Memory { vectors: vectors.chunks(points.len()).map(<[T]>::to_vec).collect(), numbers };
    let state = FlowState::restore(particles, memory, reference, step[0] as u64)?;
    Ok(Checkpoint { state, seconds: seconds[0] })
}

/// Checkpoints of a run, by step.
fn list(run: &RunDir) -> Result<Vec<(u64, PathBuf)>> {
    let folder = run.checkpoints();
    let entries = std::fs::read_dir(&folder).map_err(StudyError::io("read", &folder))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(StudyError::io("read", &folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let step = name.strip_prefix("step-").and_then(|rest| rest.strip_suffix(".npz"));
        if let Some(step) = step.and_then(|step| step.parse().ok()) {
            found.push((step, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}
