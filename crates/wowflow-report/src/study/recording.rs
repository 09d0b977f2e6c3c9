//! What a run directory recorded, read whole and checked: the frames, the target, the names.

use std::path::Path;

use wowflow_data::DataError;
use wowflow_data::npy::{NpyArray, NpyData, read_npy};
use wowflow_study::record::{FramesIndex, RecordError, RunDir};

use crate::error::ReportError;

/// The recorded samples of a run.
pub(crate) struct Recording {
    pub(crate) index: FramesIndex,
    /// Source and target by name.
    pub(crate) name: String,
    /// Steps of `frames`.
    pub(crate) steps: Vec<u64>,
    /// Row-major samples, one array a step; all finite.
    pub(crate) frames: Vec<Vec<f32>>,
    /// Row-major samples of the target.
    pub(crate) target: Vec<f32>,
    /// The step from which samples were no longer finite.
    pub(crate) diverged: Option<u64>,
}

impl Recording {
    /// Reads frames up to the first that holds a number that is not finite.
    pub(crate) fn read(run: &RunDir) -> Result<Self, ReportError> {
        let index = run.read_frames_index()?;
        let names = run.read_names()?;
        let mut steps = Vec::with_capacity(index.steps.len());
        let mut frames = Vec::with_capacity(index.steps.len());
        let mut diverged = None;
        for &step in &index.steps {
            let path = run.frame(step);
            let frame = read_rows(&path, "the samples of a step", index.classes.len(), index.dim)?;
            if let Some(found) = frame.iter().find(|v| !v.is_finite()) {
                if frames.is_empty() {
                    return Err(ReportError::content(&path, "finite numbers", found.to_string()));
                }
                diverged = Some(step);
                break;
            }
            steps.push(step);
            frames.push(frame);
        }
        let path = run.target();
        let target = read_rows(&path, "the samples of the target", index.target_classes.len(), index.dim)?;
        if let Some(found) = target.iter().find(|v| !v.is_finite()) {
            return Err(ReportError::content(&path, "finite numbers", found.to_string()));
        }
        let name = format!("{} to {}", names.source, names.target);
        Ok(Self { index, name, steps, frames, target, diverged })
    }

    /// One sample of a frame.
    pub(crate) fn row(&self, frame: usize, row: usize) -> &[f32] {
        &self.frames[frame][row * self.index.dim..(row + 1) * self.index.dim]
    }

    /// One sample of the target.
    pub(crate) fn target_row(&self, row: usize) -> &[f32] {
        &self.target[row * self.index.dim..(row + 1) * self.index.dim]
    }

    /// How a class is called: its label, and its new label once known.
    pub(crate) fn class_name(&self, class: usize) -> String {
        match &self.index.new_labels {
            Some(new) => format!("{} -> {}", self.index.labels[class], new[class]),
            None => self.index.labels[class].clone(),
        }
    }

    /// Recorded target rows of the class that a source class was matched to.
    pub(crate) fn matched_targets(&self, class: usize) -> Vec<usize> {
        let Some(new) = &self.index.new_labels else { return Vec::new() };
        let matched = self.index.target_labels.iter().position(|label| *label == new[class]);
        let rows = self.index.target_classes.iter().enumerate();
        rows.filter(|&(_, &class)| Some(class) == matched).map(|(row, _)| row).collect()
    }

    /// At most `wanted` frames, the first and the last among them, at steps spaced ever wider:
    /// evenly on a logarithmic scale that begins at a twentieth of the run.
    ///
    /// The rule looks at steps alone. Rules that measure how far the samples moved crowd their
    /// choice where momentum swings to and fro.
    pub(crate) fn key_frames(&self, wanted: usize) -> Vec<usize> {
        let last = self.frames.len() - 1;
        if last < wanted {
            return (0..=last).collect();
        }
        let (begin, end) = (self.steps[0] as f64, self.steps[last] as f64);
        let unit = (end - begin) / 20.0;
        let mut chosen = vec![0];
        for key in 1..wanted - 1 {
            let part = key as f64 / (wanted - 1) as f64;
            let step = begin + unit * (21f64.powf(part) - 1.0);
            // Every key frame is later than the one before and leaves frames for those to come.
            let earliest = chosen[chosen.len() - 1] + 1;
            let latest = last - (wanted - 1 - key);
            let off = |i: usize| (self.steps[i] as f64 - step).abs();
            chosen.extend((earliest..=latest).min_by(|&i, &j| off(i).total_cmp(&off(j))));
        }
        chosen.push(last);
        chosen
    }
}

fn read_rows(path: &Path, what: &'static str, rows: usize, dim: usize) -> Result<Vec<f32>, ReportError> {
    let NpyArray { shape, data } = read_npy(path).map_err(|error| match error {
        DataError::Io { error, .. } if error.kind() == std::io::ErrorKind::NotFound => {
            ReportError::Record(RecordError::Missing { what, path: path.to_owned() })
        }
        error => ReportError::Array(error),
    })?;
    match data {
        NpyData::F32(values) if shape == [rows, dim] => Ok(values),
        data => {
            let expected = format!("a float32 array of shape {:?}", [rows, dim]);
            Err(ReportError::content(path, expected, format!("{} of shape {shape:?}", data.type_name())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wowflow_study::record::SCHEMA;

    fn recording(positions: &[f32]) -> Recording {
        let index = FramesIndex {
            schema: SCHEMA,
            dim: 1,
            image_shape: None,
            source_rows: vec![0],
            classes: vec![0],
            labels: vec!["a".into()],
            new_labels: Some(vec!["y".into()]),
            target_rows: vec![0, 1, 2],
            target_classes: vec![0, 1, 1],
            target_labels: vec!["x".into(), "y".into()],
            units: None,
            steps: (0..positions.len() as u64).collect(),
        };
        Recording {
            name: "a to b".into(),
            steps: index.steps.clone(),
            frames: positions.iter().map(|&x| vec![x]).collect(),
            target: vec![0.0, 1.0, 2.0],
            diverged: None,
            index,
        }
    }

    #[test]
    fn key_frames_are_spaced_ever_wider() {
        let mut recording = recording(&[0.0; 301]);
        assert_eq!(recording.key_frames(8), [0, 8, 21, 40, 70, 117, 189, 300]);
        // Recorded steps of a resumed run need not begin at 0, nor be regular.
        recording.steps.iter_mut().for_each(|step| *step = *step * *step + 1000);
        let chosen = recording.key_frames(8);
        assert_eq!((chosen.len(), chosen[0], chosen[7]), (8, 0, 300));
        let gaps: Vec<u64> =
            chosen.windows(2).map(|w| recording.steps[w[1]] - recording.steps[w[0]]).collect();
        assert!(gaps.windows(2).all(|w| w[0] < w[1]), "{gaps:?}");
    }

    #[test]
    fn key_frames_are_distinct_however_few_frames_there_are() {
        for count in 1..12 {
            let mut recording = recording(&vec![0.0; count]);
            // All but the first frame at the very end, the hardest case for distinct choices.
            for (i, step) in recording.steps.iter_mut().enumerate().skip(1) {
                *step = 1000 + i as u64;
            }
            let chosen = recording.key_frames(8);
            assert_eq!(chosen.len(), count.min(8));
            assert!(chosen.windows(2).all(|w| w[0] < w[1]), "{chosen:?}");
            assert_eq!((chosen[0], chosen[chosen.len() - 1]), (0, count - 1));
        }
        assert_eq!(recording(&[0.0; 20]).key_frames(2), [0, 19]);
    }

    #[test]
    fn targets_of_a_class_are_those_of_its_new_label() {
        let mut recording = recording(&[0.0]);
        assert_eq!(recording.matched_targets(0), [1, 2]);
        assert_eq!(recording.class_name(0), "a -> y");
        recording.index.new_labels = None;
        assert!(recording.matched_targets(0).is_empty());
        assert_eq!(recording.class_name(0), "a");
    }
}
