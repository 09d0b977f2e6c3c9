//! An experiment as a Markdown page: what was found beside what was published, and what differs.

use std::fmt::Write;

use super::accuracy_curve::{LEVELS, Reach};
use super::config::ExperimentConfig;
use super::method::MethodConfig;
use super::names::Task;
use super::outcome::{Cell, Difference, Outcome, Versus};
use super::stored::Template;
use crate::text::{counted, seconds};

/// The page; `origin` says where its numbers come from.
pub(super) fn markdown(config: &ExperimentConfig, outcome: &Outcome, origin: &str) -> String {
    let mut text = format!("# {}\n\n{}\n\n", config.title, described(config));
    for note in &config.notes {
        let _ = writeln!(text, "- {note}");
    }
    let mut told = Vec::new();
    for method in &config.methods {
        let Some(how) = &method.differs else { continue };
        let line = format!(
            "- {}: not the published protocol, {how}; values are shown, not compared\n",
            method.label()
        );
        if !told.contains(&line) {
            text += &line;
            told.push(line);
        }
    }
    let _ = write!(text, "- {origin}\n\n");
    text += &accuracies(config, &outcome.cells);
    if config.methods.iter().any(|method| !method.published.is_empty()) {
        text += "\nIn brackets the published mean and deviation; `+` and `-` where ours is significantly above or below it, `=` where it is not (Welch, 5 %, the means of our tries against the published runs, taken as 15 independent ones), `?` for a single try, `*` where the protocol is another one.\n";
    }
    text += "\nSeconds of a move on all threads, median over tries, and its steps:\n\n";
    text += &clocks(config, &outcome.cells);
    text += &reached(config, &outcome.reached);
    text += &differences(config, &outcome.differences);
    text
}

/// Differences between methods whose error is known.
fn differences(config: &ExperimentConfig, all: &[Versus]) -> String {
    let known: Vec<&Versus> = all.iter().filter(|versus| versus.difference.interval.is_some()).collect();
    if known.is_empty() {
        return String::new();
    }
    let mut text = "\nDifferences between methods on the same tries, in points, with 95 % intervals (paired t over tries). Each is judged by itself at 5 %: where nothing differs, one in twenty is marked all the same.\n\n".to_owned();
    let name = &config.row_name;
    let _ = writeln!(text, "| {name} | method | less | difference | |\n| --- | --- | --- | --- | --- |");
    for Versus { row, method, other, difference } in known {
        let [low, high] = difference.interval.unwrap_or([f64::NAN; 2]);
        let mark = if difference.significant == Some(true) { "significant" } else { "" };
        let value = difference.value;
        let _ =
            writeln!(text, "| {row} | {method} | {other} | {value:+.1} [{low:+.1}, {high:+.1}] | {mark} |");
    }
    text
}

/// When curves are first at the levels, beside the published ones.
fn reached(config: &ExperimentConfig, all: &[Reach]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let labels = config.labels();
    // Data of one's own were published nowhere.
    let any = all.iter().any(|reach| reach.published_steps.is_some());
    let (fewer, head) = if any {
        (", and how many times fewer steps that is than published", " published |")
    } else {
        ("", "")
    };
    let mut text = format!(
        "\nFirst steps at which the mean over tries has a share of right predictions, with the seconds of the move until then{fewer}:\n\n| {} | at least |{head} {} |\n",
        config.row_name,
        labels.join(" | ")
    );
    text += &"| --- ".repeat(labels.len() + 2 + usize::from(any));
    text += "|\n";
    for row in &config.rows {
        for level in LEVELS {
            let here: Vec<&Reach> = all.iter().filter(|r| r.row == *row && r.level == level).collect();
            let Some(first) = here.first() else { continue };
            let _ = write!(text, "| {row} | {:.1} % |", 100.0 * level);
            if any {
                let published =
                    first.published_steps.map_or("-".to_owned(), |steps| format!("{steps} steps"));
                let _ = write!(text, " {published} |");
            }
            for label in &labels {
                let found = here.iter().find(|reach| reach.method == *label);
                let _ = write!(text, " {} |", found.map_or("not run".to_owned(), |reach| in_steps(reach)));
            }
            text += "\n";
        }
    }
    text
}

fn in_steps(reach: &Reach) -> String {
    let (Some(steps), Some(clock)) = (reach.steps, reach.seconds) else { return "never".to_owned() };
    let ratio = reach.published_steps.filter(|_| steps > 0.0).map(|theirs| theirs / steps);
    let fewer = ratio.map_or(String::new(), |ratio| format!(", {ratio:.0} times fewer"));
    let unit = if steps == 1.0 { "step" } else { "steps" };
    format!("{steps} {unit}, {}{fewer}", seconds(clock))
}

fn described(config: &ExperimentConfig) -> String {
    let length = match (config.epochs, config.training_steps) {
        (Some(1), _) => "1 epoch".to_owned(),
        (Some(epochs), _) => format!("{epochs} epochs"),
        (None, steps) => format!("{} steps", steps.unwrap_or_default()),
    };
    // Where there are several rows, the head of their column says what stands for them.
    let of = |text: &Template| match config.rows.as_slice() {
        [row] => text.in_row(row),
        _ => text.as_str().to_owned(),
    };
    let test = config.test.as_ref().map_or("what is left of the target".to_owned(), of);
    let tested = match config.task {
        Task::Transfer | Task::Distillation => format!(", tested on {test}"),
        Task::Adaptation => String::new(),
    };
    format!(
        "Accuracy in percent, mean ± deviation over {} of {}. {} {}{tested}; network {}, {length}, batches of {}; seed {}.",
        counted(config.trials, "try", "tries"),
        counted(config.runs_per_trial as u64, "training", "trainings"),
        config
            .source
            .as_ref()
            .map_or("Distilled from".to_owned(), |source| format!("From {} to", of(source))),
        of(&config.target),
        config.network,
        config.batch,
        config.seed
    )
}

fn head(config: &ExperimentConfig) -> String {
    let labels = config.labels();
    let row = format!("| {} | {} |\n", config.row_name, labels.join(" | "));
    row + &"| --- ".repeat(labels.len() + 1) + "|\n"
}

/// A table of cells, those that are run and those that are not.
fn body(
    config: &ExperimentConfig,
    cells: &[Cell],
    unrun: impl Fn(&MethodConfig, &str) -> String,
    one: impl Fn(&Cell) -> String,
) -> String {
    let mut text = head(config);
    for row in &config.rows {
        let _ = write!(text, "| {row} |");
        for label in config.labels() {
            let methods = config.methods_of(row);
            let method = methods.iter().find(|method| method.label() == label);
            let cell = cells.iter().find(|cell| cell.row == *row && cell.method == label);
            let found = match (method, cell) {
                (None, _) => "-".to_owned(),
                (Some(method), None) => unrun(method, row),
                (_, Some(cell)) => one(cell),
            };
            let _ = write!(text, " {found} |");
        }
        text += "\n";
    }
    text
}

fn accuracies(config: &ExperimentConfig, cells: &[Cell]) -> String {
    let unrun = |method: &MethodConfig, row: &str| match method.published.get(row) {
        Some([mean, deviation]) => format!("not run ({mean} ± {deviation})"),
        None => "not run".to_owned(),
    };
    body(config, cells, unrun, |cell| {
        let deviation = cell.deviation.map_or(String::new(), |deviation| format!(" ± {deviation:.1}"));
        let fewer = if cell.trials < config.trials as usize {
            format!(", {}", counted(cell.trials as u64, "try", "tries"))
        } else {
            String::new()
        };
        let fewer = if cell.runs < cell.trials * config.runs_per_repetition() {
            format!("{fewer}, {} in all", counted(cell.runs as u64, "training", "trainings"))
        } else {
            fewer
        };
        let mark = cell.against_published.as_ref().map_or(" *", mark);
        let published =
            cell.published.map_or(String::new(), |[mean, dev]| format!(" ({mean} ± {dev}{mark})"));
        format!("{:.1}{deviation}{published}{fewer}", cell.mean)
    })
}

fn mark(difference: &Difference) -> &'static str {
    match difference.significant {
        None => " ?",
        Some(false) => " =",
        Some(true) if difference.value > 0.0 => " +",
        Some(true) => " -",
    }
}

fn clocks(config: &ExperimentConfig, cells: &[Cell]) -> String {
    body(
        config,
        cells,
        |_, _| "not run".to_owned(),
        |cell| match cell.steps {
            0 => "-".to_owned(),
            1 => format!("{}, 1 step", seconds(cell.move_seconds)),
            steps => format!("{}, {steps} steps", seconds(cell.move_seconds)),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::repetition::tests::repetition;
    use super::*;

    fn experiment() -> ExperimentConfig {
        let text = r#"
            title = "A"
            task = "transfer"
            row-name = "k"
            rows = ["1", "5"]
            source = "a"
            target = "b:{row}"
            tries = 3
            trainings = 2
            epochs = 1
            notes = ["N"]
            [[methods]]
            method = "target-only"
            published = { 1 = [26.0, 5.3], 5 = [38.5, 6.7] }
            [[methods]]
            method = "mmd-sw"
            name = "other"
            differs = "5 of 9 steps"
            published = { 1 = [40.5, 4.7] }
            [[methods]]
            method = "geodesic"
            rows = ["5"]
        "#;
        ExperimentConfig::parse(text).unwrap()
    }

    #[test]
    fn a_page_says_what_was_found_and_what_is_missing() {
        let mut records: Vec<_> = [[0.20, 0.22], [0.21, 0.23], [0.22, 0.24]]
            .iter()
            .enumerate()
            .map(|(at, found)| repetition("1", "target-only", at as u64, found))
            .collect();
        for (at, found) in [[0.40, 0.44], [0.41, 0.45]].iter().enumerate() {
            let moved = repetition("1", "other", at as u64, found);
            records.push(super::super::repetition::Repetition { steps: 5, move_seconds: 2.0, ..moved });
        }
        let experiment = experiment();
        let outcome = Outcome::of(&experiment, &records, None);
        let page = markdown(&experiment, &outcome, "O");
        for line in [
            "# A",
            "- N",
            "- other: not the published protocol, 5 of 9 steps; values are shown, not compared",
            "- O",
            "| k | target-only | other | geodesic |",
            // 22 less 26, with an error of sqrt(1/3 + 5.3^2/15).
            "| 1 | 22.0 ± 1.4 (26 ± 5.3 -) | 42.5 ± 2.4 (40.5 ± 4.7 *), 2 tries | - |",
            "| 5 | not run (38.5 ± 6.7) | not run | not run |",
            "| 1 | - | 2 s, 5 steps | - |",
            "| 5 | not run | not run | not run |",
            // Tries that agree to the last digit do not say how much others would.
            "| 1 | target-only | other | -21.0 [-21.0, -21.0] |  |",
        ] {
            assert!(page.lines().any(|found| found == line), "{line}\n{page}");
        }
        assert!(!page.contains("at least"), "no curves: {page}");
    }

    #[test]
    fn levels_stand_beside_the_published_steps() {
        let reach = |row: &str, method: &str, level, steps: Option<f64>| Reach {
            row: row.to_owned(),
            method: method.to_owned(),
            level,
            steps,
            seconds: steps.map(|steps| steps / 10.0),
            published_steps: Some(25_001.0).filter(|_| row == "1"),
        };
        let all = [
            reach("1", "other", 0.95, Some(20.0)),
            reach("1", "other", 0.99, None),
            reach("5", "geodesic", 0.999, Some(1.0)),
        ];
        let text = reached(&experiment(), &all);
        for line in [
            "| k | at least | published | target-only | other | geodesic |",
            "| 1 | 95.0 % | 25001 steps | not run | 20 steps, 2 s, 1250 times fewer | not run |",
            "| 1 | 99.0 % | 25001 steps | not run | never | not run |",
            "| 5 | 99.9 % | - | not run | not run | 1 step, 0.1 s |",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        let own = all.map(|reach| Reach { published_steps: None, ..reach });
        let text = reached(&experiment(), &own);
        for line in [
            "| k | at least | target-only | other | geodesic |",
            "| --- | --- | --- | --- | --- |",
            "| 1 | 95.0 % | not run | 20 steps, 2 s | not run |",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("published"), "{text}");
    }
}
