//! What became of classes, in words.

use wowflow::ot::labels::ClassLabels;
use wowflow_data::Prepared;

/// Which class of a source went to which of a target.
pub(super) fn describe_matching(source: &Prepared, target: &Prepared, classes: &ClassLabels) -> String {
    let one = |(class, (&to, &elsewhere)): (usize, (&usize, &f64))| {
        let split =
            if elsewhere > 0.0 { format!(" ({:.0} % elsewhere)", 100.0 * elsewhere) } else { String::new() };
        format!("{} became {}{split}", source.label(class), target.label(to))
    };
    let all: Vec<String> = classes.target.iter().zip(&classes.ambiguity).enumerate().map(one).collect();
    all.join(", ")
}

/// The classes of a target that are the label of no sample, if there are some.
pub(super) fn unreached_classes(target: &Prepared, labels: &[usize]) -> Option<String> {
    let mut reached = vec![false; target.dataset.class_count()];
    labels.iter().for_each(|label| reached[*label] = true);
    let unreached = reached.iter().enumerate().filter(|(_, reached)| !**reached);
    let unreached: Vec<String> = unreached.map(|(class, _)| target.label(class)).collect();
    (!unreached.is_empty()).then(|| unreached.join(", "))
}
