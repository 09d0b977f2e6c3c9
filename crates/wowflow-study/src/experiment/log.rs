//! The repetitions that are there: in the log of a run, and in earlier results.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::config::ExperimentConfig;
use super::repetition::Repetition;
use crate::error::{Result, refuse, require};
use crate::record::{LineLog, RunDir, lines_of, read_lines, read_sealed, write_bytes};

/// What becomes of repetitions whose settings the experiment no longer has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outdated {
    /// They are an error.
    #[default]
    Refused,
    /// They go to a file of their own.
    SetAside,
}

/// The log of a run directory.
pub(super) fn log_of(run: &RunDir) -> PathBuf {
    run.log("repetitions")
}

/// The finished repetitions in the log of a run.
pub(super) fn finished(run: &RunDir, config: &ExperimentConfig) -> Result<Vec<Repetition>> {
    let (kept, outdated) = split(config, logged(&log_of(run))?)?;
    if let Some(first) = outdated.first() {
        refuse!(
            "expected repetitions of this experiment in {}, found others: {}",
            run.root().display(),
            first.place()
        );
    }
    Ok(kept)
}

/// The finished repetitions in the log of a run and in earlier results, which the log then has too.
pub(super) fn gathered(
    run: &RunDir,
    results: &Path,
    config: &ExperimentConfig,
    outdated: Outdated,
) -> Result<Vec<Repetition>> {
    let mut records = logged(&log_of(run))?;
    let before = records.clone();
    for record in earlier(results)? {
        match records.iter_mut().find(|known| known.same_place(&record)) {
            None => records.push(record),
            Some(known) if known.shorter_than(&record) => *known = record,
            Some(_) => {}
        }
    }
    let (kept, mut others) = split(config, records)?;
    let aside = run.log("outdated");
    if aside.exists() {
        let known = read_lines(&aside, |_, _: &Repetition| Ok(()))?;
        others.retain(|record| !known.contains(record));
    }
    if let Some(first) = others.first() {
        require!(
            outdated == Outdated::SetAside,
            "expected repetitions with the settings of this experiment, found {} others in {} or {}, the first of {}: set them aside, or go on in other folders",
            others.len(),
            run.root().display(),
            results.display(),
            first.place()
        );
        let mut log = LineLog::open(&aside)?;
        others.iter().try_for_each(|record| log.append(record))?;
    }
    if kept != before || !others.is_empty() {
        write_bytes(&log_of(run), &lines_of(&kept)?)?;
    }
    Ok(kept)
}

/// The repetitions of a log. One that was made anew with more trainings takes the place of what was there.
fn logged(path: &Path) -> Result<Vec<Repetition>> {
    let lines = read_lines(path, |earlier: &[Repetition], record: &Repetition| {
        require!(
            earlier.iter().all(|known| !known.same_place(record) || known.shorter_than(record)),
            "expected every repetition once, or again with more trainings, found {} twice",
            record.place()
        );
        Ok(())
    })?;
    let mut records: Vec<Repetition> = Vec::new();
    for record in lines {
        records.retain(|fewer| !fewer.same_place(&record));
        records.push(record);
    }
    Ok(records)
}

/// The repetitions of results, none where there are no results.
fn earlier(results: &Path) -> Result<Vec<Repetition>> {
    #[derive(Deserialize)]
    struct Earlier {
        repetitions: Vec<Repetition>,
    }
    if !results.exists() {
        return Ok(Vec::new());
    }
    // Those of earlier versions have no checksum.
    Ok(read_sealed::<Earlier>(results, "the results of an experiment")?.0.repetitions)
}

/// Repetitions that are the experiment's, and others.
fn split(config: &ExperimentConfig, records: Vec<Repetition>) -> Result<(Vec<Repetition>, Vec<Repetition>)> {
    let (mut kept, mut others) = (Vec::new(), Vec::new());
    for record in records {
        let methods = config.methods_of(&record.row);
        let settings = match methods.iter().find(|method| method.label() == record.method) {
            Some(method) if config.rows.contains(&record.row) => Some(config.fingerprint(method)?),
            _ => None,
        };
        let ours = settings.as_ref() == Some(&record.settings) && record.trial < config.trials;
        if ours { kept.push(record) } else { others.push(record) }
    }
    Ok((kept, others))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::repetition::tests::repetition;
    use super::*;

    fn experiment(epochs: u64) -> ExperimentConfig {
        let text = r#"
            title = "A"
            task = "transfer"
            row-name = "k"
            rows = ["1", "5"]
            source = "gaussians:4"
            target = "gaussians:{row}"
            tries = 2
            epochs = EPOCHS
            methods = [{ method = "target-only" }, { method = "geodesic" }]
        "#;
        ExperimentConfig::parse(&text.replace("EPOCHS", &epochs.to_string())).unwrap()
    }

    fn made(experiment: &ExperimentConfig, row: &str, trial: u64) -> Repetition {
        let settings = experiment.fingerprint(&experiment.methods[0]).unwrap();
        Repetition { settings, ..repetition(row, "target-only", trial, &[0.1 + 0.2, 1.0 / 3.0]) }
    }

    #[test]
    fn results_stand_in_for_a_log_that_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (run, results) = (RunDir::new(folder.path()), folder.path().join("a.json"));
        let experiment = experiment(3);
        let mut log = LineLog::open(&log_of(&run)).unwrap();
        log.append(&made(&experiment, "5", 1)).unwrap();
        let refused = Outdated::Refused;
        assert_eq!(gathered(&run, &results, &experiment, refused).unwrap().len(), 1);
        let earlier = [made(&experiment, "1", 0), made(&experiment, "5", 1)];
        std::fs::write(&results, json!({ "title": "A", "repetitions": earlier }).to_string()).unwrap();
        let expected = [made(&experiment, "5", 1), made(&experiment, "1", 0)];
        assert_eq!(gathered(&run, &results, &experiment, refused).unwrap(), expected);
        std::fs::remove_file(&results).unwrap();
        assert_eq!(finished(&run, &experiment).unwrap(), expected);

        std::fs::write(&results, "{}").unwrap();
        let error = gathered(&run, &results, &experiment, refused).unwrap_err().to_string();
        assert!(
            error.contains("expected the results of an experiment in") && error.contains("`repetitions`"),
            "{error}"
        );
    }

    #[test]
    fn other_settings_are_refused_or_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let (run, results) = (RunDir::new(folder.path()), folder.path().join("a.json"));
        let (then, now) = (experiment(3), experiment(4));
        let mut log = LineLog::open(&log_of(&run)).unwrap();
        log.append(&made(&then, "1", 0)).unwrap();
        log.append(&made(&now, "1", 1)).unwrap();
        let earlier = json!({ "repetitions": [made(&then, "5", 0), made(&now, "5", 2)] });
        std::fs::write(&results, earlier.to_string()).unwrap();
        let error = gathered(&run, &results, &now, Outdated::Refused).unwrap_err().to_string();
        assert!(error.contains("found 3 others") && error.contains("target-only in row 1, try 0"), "{error}");
        assert!(finished(&run, &now).unwrap_err().to_string().contains("found others"));

        let kept = gathered(&run, &results, &now, Outdated::SetAside).unwrap();
        assert_eq!(kept, [made(&now, "1", 1)]);
        // They are refused no longer, though the results still have them, and kept once.
        assert_eq!(gathered(&run, &results, &now, Outdated::Refused).unwrap(), kept);
        assert_eq!(gathered(&run, &results, &now, Outdated::SetAside).unwrap(), kept);
        let aside = std::fs::read_to_string(run.log("outdated")).unwrap();
        assert_eq!(aside.lines().count(), 3);
    }

    #[test]
    fn more_trainings_take_the_place_of_fewer() {
        let folder = tempfile::tempdir().unwrap();
        let (run, results) = (RunDir::new(folder.path()), folder.path().join("a.json"));
        let experiment = experiment(3);
        let of = |count: usize| {
            let whole = made(&experiment, "1", 0);
            Repetition { accuracies: vec![0.5; count], ..whole }
        };
        let mut log = LineLog::open(&log_of(&run)).unwrap();
        log.append(&of(1)).unwrap();
        log.append(&of(2)).unwrap();
        assert_eq!(gathered(&run, &results, &experiment, Outdated::Refused).unwrap(), [of(2)]);
        for (there, kept) in [(1, 2), (3, 3)] {
            std::fs::write(&results, json!({ "repetitions": [of(there)] }).to_string()).unwrap();
            assert_eq!(gathered(&run, &results, &experiment, Outdated::Refused).unwrap(), [of(kept)]);
            assert_eq!(finished(&run, &experiment).unwrap(), [of(kept)]);
        }
    }

    #[test]
    fn a_repetition_is_there_once() {
        let folder = tempfile::tempdir().unwrap();
        let (run, experiment) = (RunDir::new(folder.path()), experiment(3));
        let mut log = LineLog::open(&log_of(&run)).unwrap();
        log.append(&made(&experiment, "1", 0)).unwrap();
        log.append(&made(&experiment, "1", 0)).unwrap();
        let error = finished(&run, &experiment).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("row 1, try 0 twice"), "{error}");
    }
}
