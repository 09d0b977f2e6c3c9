//! The records of a flow: metrics by step, frames for pictures, the summary.

use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use wowflow::dataset::ImageShape;
use wowflow::functional::Quantity;
use wowflow::measure::Units;

use super::json::read_bytes;
use crate::error::RecordError;

/// One line of `metrics.jsonl`: the state observed at a step; step 0 is the initial state.
///
/// Numbers that are not finite are written as `null` and read back as NaN. Fields this version
/// does not know are kept in `extra`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricsRecord {
    /// Steps taken so far.
    pub step: u64,
    /// The recorded quantity at this state; `summary.json` names it and its unit.
    #[serde(deserialize_with = "null_is_nan")]
    pub value: f64,
    /// Standard error of `value` over draws of directions, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_standard_error: Option<f64>,
    /// Size of the step taken from this state.
    #[serde(deserialize_with = "null_is_nan")]
    pub step_size: f64,
    /// Root mean square of the velocity under the dataset's weights.
    #[serde(deserialize_with = "null_is_nan")]
    pub velocity_rms: f64,
    /// Seconds since the start, earlier parts of a resumed run included.
    #[serde(deserialize_with = "null_is_nan")]
    pub seconds: f64,
    /// Further fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl MetricsRecord {
    /// The record as one line of JSON, newline included.
    #[must_use]
    pub fn to_line(&self) -> String {
        // Keys are strings and the values plain numbers or JSON values: this cannot fail.
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }
}

/// What `frames/frames.json` says about the recorded arrays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FramesIndex {
    /// Version of the layout, [`SCHEMA`](super::SCHEMA).
    pub schema: u32,
    /// Coordinates a sample.
    pub dim: usize,
    /// Channels, height and width when the samples are images: the order in which a row is stored.
    pub image_shape: Option<[usize; 3]>,
    /// Row of the source, counted from 0, of every recorded row.
    pub source_rows: Vec<usize>,
    /// Class of every recorded row, an index into `labels`.
    pub classes: Vec<usize>,
    /// Labels of all source classes, recorded or not, with what they show where that is known.
    pub labels: Vec<String>,
    /// The target label each source class was matched to; known when the run has ended.
    pub new_labels: Option<Vec<String>>,
    /// Row of the target, counted from 0, of every recorded target row.
    pub target_rows: Vec<usize>,
    /// Class of every recorded target row, an index into `target_labels`.
    pub target_classes: Vec<usize>,
    /// Labels of all target classes, likewise.
    pub target_labels: Vec<String>,
    /// The units of all recorded samples, where they are not those of the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<FrameUnits>,
    /// Steps at which the samples were recorded, increasing.
    pub steps: Vec<u64>,
}

/// Units in which recorded samples are near 1: `x = centre + unit x'`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameUnits {
    /// The middle of each coordinate; none where samples were not moved.
    pub centre: Option<Vec<f64>>,
    /// One of these units.
    pub unit: f64,
}

impl FrameUnits {
    /// Those that a flow runs in.
    #[must_use]
    pub fn new(units: &Units) -> Self {
        Self { centre: units.centre().map(<[f64]>::to_vec), unit: units.unit() }
    }
}

impl FramesIndex {
    /// The image shape as the dataset knows it.
    #[must_use]
    pub fn shape(&self) -> Option<ImageShape> {
        self.image_shape.map(|[channels, height, width]| ImageShape { width, height, channels })
    }

    pub(super) fn check(&self, path: &Path) -> Result<(), RecordError> {
        let content = |expected: String, found: String| Err(RecordError::content(path, expected, found));
        if self.dim == 0 {
            return content("a dimension of at least 1".into(), "0".into());
        }
        let unfit = |shape: &ImageShape| shape.len() != self.dim || !matches!(shape.channels, 1 | 3);
        if let Some(shape) = self.shape().filter(unfit) {
            let expected = format!("an image shape of {} values in 1 or 3 channels", self.dim);
            return content(expected, shape.to_string());
        }
        let counts = [self.steps.len(), self.classes.len(), self.target_classes.len()];
        if counts.contains(&0) {
            let [steps, rows, targets] = counts;
            let found = format!("{steps} steps, {rows} rows and {targets} target rows");
            return content("at least one step, row and target row".into(), found);
        }
        let rows = [&self.source_rows, &self.target_rows].map(Vec::len);
        if rows != counts[1..] {
            return content(
                format!("{} and {} rows", counts[1], counts[2]),
                format!("{} and {}", rows[0], rows[1]),
            );
        }
        if let Some(pair) = self.steps.windows(2).find(|pair| pair[0] >= pair[1]) {
            return content("increasing steps".into(), format!("{} before {}", pair[0], pair[1]));
        }
        for (what, classes, labels) in
            [("source", &self.classes, &self.labels), ("target", &self.target_classes, &self.target_labels)]
        {
            if let Some(class) = classes.iter().find(|&&class| class >= labels.len()) {
                return content(format!("{what} classes below {}", labels.len()), class.to_string());
            }
        }
        if let Some(new) = self.new_labels.as_ref().filter(|new| new.len() != self.labels.len()) {
            return content(format!("{} new labels", self.labels.len()), new.len().to_string());
        }
        Ok(())
    }
}

/// What the values of a flow are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FunctionalRecord {
    /// The functional that descends, as it is typed: `mmd-sw`.
    pub name: String,
    /// How the recorded quantity is written: `MMD^2`.
    pub symbol: String,
    /// Its unit, in that of the samples: `1`, `length`, `length^2`, `mixed`.
    pub unit: String,
}

impl FunctionalRecord {
    /// Of a functional by name and what it is recorded as.
    #[must_use]
    pub fn new(name: String, quantity: &Quantity) -> Self {
        Self { name, symbol: quantity.symbol.clone(), unit: quantity.unit() }
    }
}

/// A source class and the target class it was matched to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassMatch {
    /// Label in the source.
    pub source: String,
    /// What the class shows, where the label does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_name: Option<String>,
    /// Label in the target.
    pub target: String,
    /// What that class shows, where the label does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_name: Option<String>,
    /// Share of the mass of the class that goes to other classes than this one; NaN (`null`) when unknown.
    #[serde(deserialize_with = "null_is_nan")]
    pub ambiguity: f64,
}

/// The content of `summary.json`: how a run ended.
///
/// Numbers that are not finite are written as `null` and read back as NaN, or as none where optional.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of the layout, [`SCHEMA`](super::SCHEMA).
    pub schema: u32,
    /// What the values are.
    pub functional: FunctionalRecord,
    /// The recorded quantity at step 0, on directions apart from those of the steps.
    #[serde(deserialize_with = "null_is_nan")]
    pub value_initial: f64,
    /// The same at the last step, on the same directions.
    #[serde(deserialize_with = "null_is_nan")]
    pub value_final: f64,
    /// `W_{W2}^2` to the target at step 0, where computed.
    pub wow2_initial: Option<f64>,
    /// `W_{W2}^2` to the target at the last step, where computed.
    pub wow2_final: Option<f64>,
    /// Steps taken.
    pub steps: u64,
    /// Seconds taken.
    #[serde(deserialize_with = "null_is_nan")]
    pub seconds: f64,
    /// Why the run stopped.
    pub stop_reason: String,
    /// New labels of the flowed classes.
    pub classes: Vec<ClassMatch>,
    /// File names of the pictures, the one to open first at the front.
    pub pictures: Vec<String>,
    /// Further fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Reads metrics, one record a line, in the order of the file.
///
/// A last line without a newline that is not a full record is dropped: it was being written when
/// the run was killed.
///
/// # Errors
/// The file is missing or unreadable, or a line before that is not a record.
pub fn read_metrics(path: &Path) -> Result<Vec<MetricsRecord>, RecordError> {
    let bytes = read_bytes(path, "metrics")?;
    let mut records = Vec::new();
    for (number, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(line) {
            Ok(record) => records.push(record),
            Err(_) if !line.ends_with(b"\n") => {}
            Err(error) => {
                let expected = format!("a metrics record on line {}", number + 1);
                return Err(RecordError::content(path, expected, strip_position(&error)));
            }
        }
    }
    Ok(records)
}

/// The parser's message without its own line number, which counts within one record only.
fn strip_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

fn null_is_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::layout::RunDir;
    use super::super::schema::SCHEMA;
    use super::*;

    fn record(step: u64, value: f64) -> MetricsRecord {
        MetricsRecord {
            step,
            value,
            value_standard_error: None,
            step_size: 0.5,
            velocity_rms: 1.0,
            seconds: 0.1,
            extra: Map::new(),
        }
    }

    fn index() -> FramesIndex {
        FramesIndex {
            schema: SCHEMA,
            dim: 2,
            image_shape: None,
            source_rows: vec![4, 2],
            classes: vec![0, 1],
            labels: vec!["a".into(), "b".into()],
            new_labels: None,
            target_rows: vec![0],
            target_classes: vec![0],
            target_labels: vec!["x".into()],
            units: None,
            steps: vec![0, 10],
        }
    }

    fn written(index: &FramesIndex) -> (tempfile::TempDir, RunDir) {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        fs::create_dir(run.frames()).unwrap();
        fs::write(run.frames_index(), serde_json::to_vec(index).unwrap()).unwrap();
        (folder, run)
    }

    #[test]
    fn numbers_that_are_not_finite_survive_as_nan() {
        let line = record(3, f64::INFINITY).to_line();
        assert!(line.contains("\"value\":null"), "{line}");
        let back: MetricsRecord = serde_json::from_str(&line).unwrap();
        assert!(back.value.is_nan());
        assert_eq!(back.step, 3);
    }

    #[test]
    fn a_torn_last_line_is_dropped_and_unknown_fields_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut second = record(1, 0.25);
        second.extra.insert("momentum".into(), 0.9.into());
        let torn = &record(2, 0.125).to_line()[..30];
        fs::write(&path, format!("{}{}{torn}", record(0, 0.5).to_line(), second.to_line())).unwrap();
        assert_eq!(read_metrics(&path).unwrap(), vec![record(0, 0.5), second]);
    }

    #[test]
    fn garbage_before_the_last_line_is_an_error_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        fs::write(&path, format!("{}nonsense\n{}", record(0, 0.5).to_line(), record(1, 0.5).to_line()))
            .unwrap();
        let text = read_metrics(&path).unwrap_err().to_string();
        assert!(text.starts_with("expected a metrics record on line 2 in "), "{text}");
        // A complete last line is no excuse either.
        fs::write(&path, "{\"step\":1}\n").unwrap();
        let text = read_metrics(&path).unwrap_err().to_string();
        assert!(text.ends_with("found missing field `value`"), "{text}");
    }

    #[test]
    fn the_index_comes_back_and_contradictions_are_named() {
        let (_folder, run) = written(&index());
        assert_eq!(run.read_frames_index().unwrap(), index());
        type Change = fn(&mut FramesIndex);
        let cases: [(Change, &str); 8] = [
            (|i| i.target_classes.clear(), "found 2 steps, 2 rows and 0 target rows"),
            (|i| i.schema = 1, "found 1"),
            (|i| i.image_shape = Some([1, 2, 2]), "found 2x2x1"),
            (|i| i.steps = vec![5, 5], "found 5 before 5"),
            (|i| i.classes[1] = 7, "found 7"),
            (|i| i.new_labels = Some(vec![]), "expected 2 new labels"),
            (|i| i.dim = 0, "found 0"),
            (|i| i.source_rows.clear(), "found 0 and 1"),
        ];
        for (change, message) in cases {
            let mut changed = index();
            change(&mut changed);
            let (_folder, run) = written(&changed);
            let text = run.read_frames_index().unwrap_err().to_string();
            assert!(text.contains(message) && text.contains("frames.json"), "{text}");
        }
    }

    #[test]
    fn a_summary_keeps_its_further_fields() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let mut summary = Summary {
            schema: SCHEMA,
            functional: FunctionalRecord {
                name: "mmd-sw".into(),
                symbol: "MMD^2".into(),
                unit: "length".into(),
            },
            value_initial: 1.0,
            value_final: 0.01,
            wow2_initial: Some(2.0),
            wow2_final: None,
            steps: 100,
            seconds: 1.5,
            stop_reason: "all steps taken".into(),
            classes: vec![ClassMatch {
                source: "A".into(),
                source_name: None,
                target: "3".into(),
                target_name: Some("three".into()),
                ambiguity: 0.1,
            }],
            pictures: vec!["images.png".into()],
            extra: Map::new(),
        };
        summary.extra.insert("seed".into(), 7.into());
        fs::write(run.summary(), serde_json::to_vec(&summary).unwrap()).unwrap();
        assert_eq!(run.read_summary().unwrap(), summary);
    }

    #[test]
    fn missing_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        assert!(matches!(run.read_metrics(), Err(RecordError::Missing { what: "metrics", .. })));
        assert!(matches!(run.read_summary(), Err(RecordError::Missing { .. })));
        let text = run.read_frames_index().unwrap_err().to_string();
        assert!(text.contains("frames.json, found no such file"), "{text}");
    }
}
