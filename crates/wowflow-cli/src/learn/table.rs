//! An experiment as a Markdown page: what was found beside what was published, and what differs.

use std::fmt::Write;

use wowflow_report::seconds;

use super::experiment::{Experiment, Task};
use super::outcome::{Cell, Difference, Versus};

/// The page.
pub(crate) fn markdown(experiment: &Experiment, cells: &[Cell], versus: &[Versus], machine: &str) -> String {
    let mut text = format!("# {}\n\n{}\n\n", experiment.title, in_words(experiment));
    for note in &experiment.notes {
        let _ = writeln!(text, "- {note}");
    }
    let differs =
        experiment.methods.iter().filter_map(|method| Some((method.label(), method.differs.clone()?)));
    for (method, how) in differs {
        let _ =
            writeln!(text, "- {method}: not the published protocol, {how}; values are shown, not compared");
    }
    let _ = write!(text, "- {machine}\n\n");
    text += &accuracies(experiment, cells);
    if experiment.methods.iter().any(|method| !method.published.is_empty()) {
        text += "\nIn brackets the published mean and deviation; `+` and `-` where ours is significantly above or below it (Welch, 5 %, our tries against 15 published runs), `=` where it is not, `?` where tries cannot tell.\n";
    }
    text += "\nSeconds of a move on all threads, median over tries, and its steps:\n\n";
    text += &clocks(experiment, cells);
    let known: Vec<&Versus> = versus.iter().filter(|versus| versus.difference.interval.is_some()).collect();
    if !known.is_empty() {
        text += "\nDifferences between methods on the same tries, in points, with 95 % intervals (paired t over tries):\n\n";
        let _ = writeln!(
            text,
            "| {} | method | less | difference | |\n| --- | --- | --- | --- | --- |",
            experiment.row_name
        );
        for Versus { row, method, other, difference } in known {
            let [low, high] = difference.interval.unwrap_or([f64::NAN; 2]);
            let mark = if difference.significant == Some(true) { "significant" } else { "" };
            let value = difference.value;
            let _ = writeln!(
                text,
                "| {row} | {method} | {other} | {value:+.1} [{low:+.1}, {high:+.1}] | {mark} |"
            );
        }
    }
    text
}

fn in_words(experiment: &Experiment) -> String {
    let length = match (experiment.epochs, experiment.training_steps) {
        (Some(epochs), _) => format!("{epochs} epochs"),
        (None, steps) => format!("{} steps", steps.unwrap_or_default()),
    };
    // Where there are several rows, the head of their column says what stands for them.
    let of = |text: &str| match experiment.rows.as_slice() {
        [row] => text.replace("{row}", row),
        _ => text.to_owned(),
    };
    let test = experiment.test.as_ref().map_or("what is left of the target".to_owned(), |test| of(test));
    let tested = match experiment.task {
        Task::Transfer | Task::Distillation => format!(", tested on {test}"),
        Task::Adaptation => String::new(),
    };
    format!(
        "Accuracy in percent, mean ± deviation over {} tries of {} trainings. {} {}{tested}; network {}, {length}, batches of {}; seed {}.",
        experiment.tries,
        experiment.trainings,
        experiment
            .source
            .as_ref()
            .map_or("Distilled from".to_owned(), |source| format!("From {} to", of(source))),
        of(&experiment.target),
        experiment.network,
        experiment.batch,
        experiment.seed
    )
}

fn head(experiment: &Experiment) -> String {
    let labels = experiment.labels();
    let row = format!("| {} | {} |\n", experiment.row_name, labels.join(" | "));
    row + &"| --- ".repeat(labels.len() + 1) + "|\n"
}

fn body(experiment: &Experiment, cells: &[Cell], one: impl Fn(&Cell) -> String) -> String {
    let mut text = head(experiment);
    for row in &experiment.rows {
        let _ = write!(text, "| {row} |");
        for label in experiment.labels() {
            let cell = cells.iter().find(|cell| cell.row == *row && cell.method == label);
            let found = match cell {
                Some(cell) => one(cell),
                None => unrun(experiment, row, &label),
            };
            let _ = write!(text, " {found} |");
        }
        text += "\n";
    }
    text
}

/// A cell without repetitions: not run, with what was published; or none at all.
fn unrun(experiment: &Experiment, row: &str, label: &str) -> String {
    let methods = experiment.methods_of(row);
    let Some(method) = methods.iter().find(|method| method.label() == label) else { return "-".to_owned() };
    let published = method.published.get(row);
    published.map_or("not run".to_owned(), |[mean, deviation]| format!("not run ({mean} ± {deviation})"))
}

fn accuracies(experiment: &Experiment, cells: &[Cell]) -> String {
    body(experiment, cells, |cell| {
        let deviation = cell.deviation.map_or(String::new(), |deviation| format!(" ± {deviation:.1}"));
        let fewer = if cell.tries < experiment.tries as usize {
            format!(", {} tries", cell.tries)
        } else {
            String::new()
        };
        let mark = cell.against_published.as_ref().map_or("", mark);
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

fn clocks(experiment: &Experiment, cells: &[Cell]) -> String {
    body(experiment, cells, |cell| match cell.steps {
        0 => "-".to_owned(),
        1 => seconds(cell.move_seconds),
        steps => format!("{}, {steps} steps", seconds(cell.move_seconds)),
    })
}
