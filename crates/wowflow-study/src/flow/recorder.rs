//! What a flow leaves behind while it runs: metrics, frames, checkpoints.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::time::Instant;

use serde_json::Map;
use wowflow::dataset::LabeledDataset;
use wowflow::flow::{FlowState, Near, StepRecord};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::labels::nearest_neighbour_votes;
use wowflow::scalar::Scalar;
use wowflow_data::npy::{NpyArray, write_npy};

use super::config::Config;
use super::pair::{Pair, exact_distance};
use crate::error::{Result, StudyError};
use crate::record::{
    FrameUnits, FramesIndex, MetricsRecord, NpyScalar, RunDir, SCHEMA, Seal, Sealed, chained, config_sha256,
    file_sum, read_metrics, write_bytes, write_checkpoint, write_sealed,
};

/// Field of the metrics: how many samples of each class have their nearest neighbour in each class
/// of the target, row after row.
pub const VOTES: &str = "neighbour_votes";
/// Field of the metrics: the exact `W_{W2}^2` to the target.
const DISTANCE: &str = "wow2";

/// States kept for pictures.
const FRAMES: u64 = 60;
/// Most samples kept a class: enough for a row of images, or for a shape in the plane.
const IMAGES_A_CLASS: usize = 10;
const POINTS_A_CLASS: usize = 200;
/// Most classes kept.
const CLASSES: usize = 20;

/// Writes the records of one run.
pub(super) struct Recorder<'a> {
    run: &'a RunDir,
    config: &'a Config,
    config_hash: String,
    metrics: BufWriter<File>,
    frames: FramesIndex,
    /// Of what is recorded until now.
    seal: Seal,
    /// Lines of the metrics before that of the last state, and their checksum.
    before: (usize, String),
    shown: Vec<usize>,
    wanted: Vec<u64>,
    started: Instant,
    seconds_before: f64,
    /// Spent on looking at states.
    aside: f64,
    checkpointed: Option<u64>,
}

impl<'a> Recorder<'a> {
    /// Records of a run that stands at `step`, after `seconds_before`; what was recorded later than
    /// that, by a run that did not get to a checkpoint, is taken back.
    pub(super) fn open<T: Scalar>(
        run: &'a RunDir,
        config: &'a Config,
        pair: Pair<'_>,
        near: &Near<'_, T>,
        (step, seconds_before): (u64, f64),
    ) -> Result<Self> {
        let (source, target_data) = (&pair.source.dataset, &pair.target.dataset);
        let per_class = if source.image_shape().is_some() { IMAGES_A_CLASS } else { POINTS_A_CLASS };
        let shown = shown_rows(source, per_class);
        let target_shown = shown_rows(target_data, per_class);
        let class_of = |data: &LabeledDataset, rows: &[usize]| class_of_rows(data, rows);
        let shape = |data: &LabeledDataset| data.image_shape().map(|s| [s.channels, s.height, s.width]);
        let came_from = |data: &LabeledDataset, shown: &[usize]| {
            let rows = data.rows_by_class();
            shown.iter().map(|&index| data.source_row(rows[index])).collect()
        };
        let mut frames = FramesIndex {
            schema: SCHEMA,
            dim: source.dim(),
            image_shape: shape(source).or_else(|| shape(target_data)),
            source_rows: came_from(source, &shown),
            classes: class_of(source, &shown),
            labels: pair.source.labels_with_names(),
            new_labels: None,
            target_rows: came_from(target_data, &target_shown),
            target_classes: class_of(target_data, &target_shown),
            target_labels: pair.target.labels_with_names(),
            units: near.units().map(FrameUnits::new),
            steps: Vec::new(),
        };
        if step > 0 {
            frames.steps = run.read_frames_index()?.steps.into_iter().filter(|s| *s < step).collect();
        } else {
            write_npy(run.target(), &rows_of(near.target(), &target_shown))?;
        }
        let mut seal = Seal { target: file_sum(&run.target())?, ..Seal::default() };
        for frame in &frames.steps {
            seal.frames.push(file_sum(&run.frame(*frame))?);
        }
        let kept = if step > 0 { read_metrics(&run.metrics())? } else { Vec::new() };
        let kept: Vec<MetricsRecord> = kept.into_iter().filter(|record| record.step < step).collect();
        seal_lines(&mut seal, &kept);
        // First what holds before and after: a kill in between must not look like damage.
        if step > 0 {
            write_index(run, &frames, &seal)?;
        }
        write_bytes(&run.metrics(), lines_of(&kept).as_bytes())?;
        let metrics = OpenOptions::new().append(true).open(run.metrics());
        let metrics = metrics.map_err(StudyError::io("write", &run.metrics()))?;
        Ok(Self {
            run,
            config,
            config_hash: config_sha256(config)?,
            metrics: BufWriter::new(metrics),
            frames,
            before: (seal.lines, seal.metrics.clone()),
            seal,
            shown,
            wanted: frame_steps(config.flow.steps),
            started: Instant::now(),
            seconds_before,
            aside: 0.0,
            checkpointed: (step > 0).then_some(step),
        })
    }

    /// Seconds of this run so far, earlier parts included, without those spent on looking at states.
    pub(super) fn seconds(&self) -> f64 {
        self.seconds_before + self.started.elapsed().as_secs_f64() - self.aside
    }

    /// Records a state near 1, with a record in the units of the data; writes a checkpoint when one is due.
    pub(super) fn record<T: NpyScalar>(
        &mut self,
        record: &StepRecord,
        factor: f64,
        state: &FlowState<T>,
        near: &Near<'_, T>,
    ) -> Result<MetricsRecord> {
        let mut extra = Map::new();
        let asked = |every: u64| record.step.is_multiple_of(every) || record.step == self.config.flow.steps;
        let looking = Instant::now();
        if self.config.neighbours_every.is_some_and(asked) {
            let votes = nearest_neighbour_votes(state.particles(), near.target())?.votes;
            extra.insert(VOTES.into(), votes.into());
        }
        if self.config.distance_every.is_some_and(asked) {
            let (limit, seed) = (self.config.exact_limit, self.config.flow.seed);
            let distance = exact_distance(state.particles(), near.target(), limit, seed)?;
            extra.insert(DISTANCE.into(), near.squared(distance.value).into());
        }
        self.aside += looking.elapsed().as_secs_f64();
        if let Some(change) = record.change {
            extra.insert("value_change".into(), (factor * change.value).into());
            let error = factor * change.standard_error;
            extra.insert("value_change_standard_error".into(), error.into());
        }
        let line = MetricsRecord {
            step: record.step,
            value: factor * record.value,
            value_standard_error: record.standard_error.map(|error| factor * error),
            step_size: record.step_size,
            velocity_rms: record.velocity_rms,
            seconds: self.seconds(),
            extra,
        };
        let text = line.to_line();
        self.before = (self.seal.lines, self.seal.metrics.clone());
        self.seal.metrics = chained(&self.seal.metrics, text.as_bytes());
        self.seal.lines += 1;
        let written = self.metrics.write_all(text.as_bytes());
        written.map_err(StudyError::io("write", &self.run.metrics()))?;
        if self.wanted.binary_search(&record.step).is_ok() {
            self.frame(state)?;
        }
        if record.step > 0 && record.step.is_multiple_of(self.config.checkpoint_every) {
            self.checkpoint(state)?;
        }
        Ok(line)
    }

    /// Adds to the record of the last state what is asked of states along the flow: a flow that stopped early
    /// may not have been due.
    pub(super) fn complete<T: NpyScalar>(
        &mut self,
        flowed: &MeasureOverMeasures<T>,
        target: &MeasureOverMeasures<T>,
        distance: f64,
    ) -> Result<()> {
        self.flush()?;
        let mut records = read_metrics(&self.run.metrics())?;
        let Some(last) = records.last_mut() else { return Ok(()) };
        if self.config.neighbours_every.is_some() && !last.extra.contains_key(VOTES) {
            let votes = nearest_neighbour_votes(flowed, target)?.votes;
            last.extra.insert(VOTES.into(), votes.into());
        }
        if self.config.distance_every.is_some() && !last.extra.contains_key(DISTANCE) {
            last.extra.insert(DISTANCE.into(), distance.into());
        }
        // The last line changes: it is sealed again once it is written.
        seal_lines(&mut self.seal, &records[..records.len() - 1]);
        write_index(self.run, &self.frames, &self.seal)?;
        write_bytes(&self.run.metrics(), lines_of(&records).as_bytes())?;
        seal_lines(&mut self.seal, &records);
        write_index(self.run, &self.frames, &self.seal)
    }

    /// Writes a checkpoint of this state, unless the last one is of it.
    pub(super) fn checkpoint<T: NpyScalar>(&mut self, state: &FlowState<T>) -> Result<()> {
        if self.checkpointed == Some(state.step()) {
            return Ok(());
        }
        // Everything recorded up to the checkpoint must be on disk before the checkpoint is.
        self.sync()?;
        // Whoever goes on from it records its state again: that line is not sealed.
        let (lines, metrics) = self.before.clone();
        write_index(self.run, &self.frames, &Seal { lines, metrics, ..self.seal.clone() })?;
        write_checkpoint(self.run, state, self.seconds(), &self.config_hash)?;
        self.checkpointed = Some(state.step());
        Ok(())
    }

    /// Puts what was recorded on disk.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.sync()?;
        write_index(self.run, &self.frames, &self.seal)
    }

    fn sync(&mut self) -> Result<()> {
        let synced = self.metrics.flush().and_then(|()| self.metrics.get_ref().sync_data());
        synced.map_err(StudyError::io("write", &self.run.metrics()))
    }

    /// Keeps this state for pictures, if it is not kept yet.
    pub(super) fn frame<T: Scalar>(&mut self, state: &FlowState<T>) -> Result<()> {
        if self.frames.steps.last() == Some(&state.step()) {
            return Ok(());
        }
        let path = self.run.frame(state.step());
        write_npy(&path, &rows_of(state.particles(), &self.shown))?;
        self.seal.frames.push(file_sum(&path)?);
        self.frames.steps.push(state.step());
        Ok(())
    }

    /// Notes the labels the classes were given.
    pub(super) fn set_new_labels(&mut self, labels: Vec<String>) {
        self.frames.new_labels = Some(labels);
    }
}

fn lines_of(records: &[MetricsRecord]) -> String {
    records.iter().map(MetricsRecord::to_line).collect()
}

fn seal_lines(seal: &mut Seal, records: &[MetricsRecord]) {
    seal.lines = records.len();
    seal.metrics =
        records.iter().fold(String::new(), |sum, record| chained(&sum, record.to_line().as_bytes()));
}

fn write_index(run: &RunDir, index: &FramesIndex, seal: &Seal) -> Result<()> {
    write_sealed(&run.frames_index(), &Sealed { index: index.clone(), seal: Some(seal.clone()) })
}

/// Steps at which states are kept: denser at the start, where the flow moves fastest.
fn frame_steps(steps: u64) -> Vec<u64> {
    if steps <= FRAMES {
        return (0..=steps).collect();
    }
    let at = |k: u64| (steps as f64 * (k as f64 / FRAMES as f64).powf(1.5)).round() as u64;
    let mut wanted: Vec<u64> = (0..=FRAMES).map(at).collect();
    wanted.dedup();
    wanted
}

/// Rows shown, as positions in class order (the order of the particles).
fn shown_rows(data: &LabeledDataset, per_class: usize) -> Vec<usize> {
    let mut rows = Vec::new();
    let mut start = 0;
    for class in 0..data.class_count() {
        let size = data.class_rows(class).len();
        if class < CLASSES {
            rows.extend(start..start + size.min(per_class));
        }
        start += size;
    }
    rows
}

fn class_of_rows(data: &LabeledDataset, rows: &[usize]) -> Vec<usize> {
    let sizes = (0..data.class_count()).map(|class| data.class_rows(class).len());
    let ends: Vec<usize> = sizes
        .scan(0, |end, size| {
            *end += size;
            Some(*end)
        })
        .collect();
    rows.iter().map(|row| ends.partition_point(|end| end <= row)).collect()
}

fn rows_of<T: Scalar>(measure: &MeasureOverMeasures<T>, rows: &[usize]) -> NpyArray {
    let dim = measure.dim();
    let row = |row: &usize| measure.points()[row * dim..(row + 1) * dim].iter().map(|v| v.to_f64() as f32);
    NpyArray::f32(vec![rows.len(), dim], rows.iter().flat_map(row).collect())
}

/// Removes frames later than the last one listed, left by a run that was killed.
pub(super) fn remove_unlisted_frames(run: &RunDir, kept: impl Fn(u64) -> bool) -> Result<()> {
    let folder = run.frames();
    for entry in fs::read_dir(&folder).map_err(StudyError::io("read", &folder))? {
        let path = entry.map_err(StudyError::io("read", &folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let step = name.strip_prefix("step-").and_then(|rest| rest.strip_suffix(".npy"));
        if step.and_then(|step| step.parse().ok()).is_some_and(|step| !kept(step)) {
            fs::remove_file(&path).map_err(StudyError::io("remove", &path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_start_at_the_beginning_and_end_at_the_end() {
        for steps in [1, 2, 10, 59, 60, 300, 100_000] {
            let wanted = frame_steps(steps);
            assert_eq!((wanted[0], wanted[wanted.len() - 1]), (0, steps));
            assert!(wanted.len() <= 61 && wanted.windows(2).all(|w| w[0] < w[1]));
        }
        assert_eq!(frame_steps(0), [0]);
        assert_eq!(frame_steps(60), (0..=60).collect::<Vec<_>>());
    }
}
