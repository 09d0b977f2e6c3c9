//! What columns are called.

/// Names of columns of labels.
const LABELS: [&str; 19] = [
    "label",
    "labels",
    "label(s)",
    "class",
    "classes",
    "class_label",
    "class_labels",
    "class_name",
    "classlabel",
    "target",
    "targets",
    "species",
    "digit",
    "category",
    "cluster",
    "cell_type",
    "celltype",
    "diagnosis",
    "variety",
];

/// Names that decide between columns that may be labels by what stands in them.
const WEAK_LABELS: [&str; 12] = [
    "type",
    "kind",
    "group",
    "outcome",
    "quality",
    "survived",
    "response",
    "result",
    "genre",
    "breed",
    "condition",
    "grade",
];

/// Names of columns that tell samples apart.
const IDENTIFIERS: [&str; 26] = [
    "id",
    "ids",
    "index",
    "idx",
    "row",
    "rows",
    "row_id",
    "rowid",
    "row_number",
    "rownames",
    "sample_id",
    "sampleid",
    "uuid",
    "guid",
    "key",
    "file",
    "filename",
    "file_name",
    "path",
    "image",
    "image_path",
    "image_id",
    "level_0",
    "id_number",
    "idnumber",
    "#",
];

/// Names of columns that number samples where they count them.
const ROW_NUMBERS: [&str; 14] = [
    "no",
    "nr",
    "num",
    "number",
    "n°",
    "obs",
    "observation",
    "case",
    "sample",
    "subject",
    "patient",
    "record",
    "serial_no",
    "sample_number",
];

/// Names of columns that say which part of a dataset a sample belongs to.
const PARTS: [&str; 7] = ["split", "fold", "folds", "kfold", "cv_fold", "subset", "partition"];

/// Beginnings of names that programs give to columns in turn, the last of which may have the labels.
const GENERIC: [&str; 9] = ["", "v", "x", "c", "col", "column", "var", "field", "attr"];

/// A name as names are compared: lower case, words joined by `_`.
pub(super) fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-', '.'], "_")
}

pub(super) fn is_label(name: &str) -> bool {
    LABELS.contains(&plain(name).as_str())
}

/// What stands behind the name of a column in those of its codes and its words: `class_id`, `species_name`.
const FORMS: [&str; 9] = ["id", "idx", "code", "num", "index", "encoded", "no", "name", "text"];

/// A plain name without the form that ends it.
fn without_form(name: &str) -> Option<&str> {
    FORMS.iter().find_map(|form| name.strip_suffix(form)).map(|stem| stem.trim_end_matches('_'))
}

/// Whether a name begins or ends with a word for labels, or is one in another form: `true_label`, `cluster_id`.
pub(super) fn is_of_label(name: &str) -> bool {
    let name = plain(name);
    if without_form(&name).is_some_and(|stem| LABELS.contains(&stem)) {
        return true;
    }
    let word = |word: Option<&str>| {
        word.is_some_and(|word| matches!(word, "label" | "class" | "target" | "species"))
    };
    word(name.split('_').next()) || word(name.split('_').next_back())
}

/// A label where no better one stands.
pub(super) fn is_weak_label(name: &str) -> bool {
    plain(name) == "y"
}

/// A label if what stands in the column may be one.
pub(super) fn may_be_label(name: &str) -> bool {
    WEAK_LABELS.contains(&plain(name).as_str())
}

/// Whether labels are to be expected under a name.
pub(super) fn is_any_label(name: &str) -> bool {
    [is_label, is_of_label, is_weak_label, may_be_label].iter().any(|is| is(name))
}

/// What tells samples apart, or numbers them.
pub(super) fn is_identifier(name: &str) -> bool {
    let word = plain(name);
    let joined = name.trim().ends_with("Id") || name.trim().len() > 2 && name.trim().ends_with("ID");
    let ending = word.ends_with("_id") || joined && name != name.to_uppercase();
    IDENTIFIERS.contains(&word.as_str()) || is_index(name) || ending && !is_of_label(name)
}

/// The index that pandas writes: without a name, or under the name that it reads such a column with.
pub(super) fn is_index(name: &str) -> bool {
    let name = plain(name);
    name.is_empty() || name.starts_with("unnamed:")
}

/// What numbers samples if it counts them.
pub(super) fn is_row_number(name: &str) -> bool {
    ROW_NUMBERS.contains(&plain(name).as_str())
}

pub(super) fn is_part(name: &str) -> bool {
    PARTS.contains(&plain(name).as_str())
}

pub(super) fn is_weight(name: &str) -> bool {
    matches!(plain(name).as_str(), "sample_weight" | "sample_weights")
}

/// What stands before the number that ends a name; `None` without one.
pub(super) fn stem(name: &str) -> Option<String> {
    let stem = name.trim().trim_end_matches(|c: char| c.is_ascii_digit());
    (stem.len() < name.trim().len()).then(|| plain(stem).trim_end_matches('_').to_owned())
}

/// Whether programs give names of such a stem to columns whatever stands in them.
pub(super) fn is_generic(stem: &str) -> bool {
    GENERIC.contains(&stem)
}

/// Whether a name says that its column numbers the labels of another.
pub(super) fn is_code_of(name: &str, label: &str) -> bool {
    let (name, label) = (plain(name), plain(label));
    let rest = name.strip_prefix(&label).or_else(|| name.strip_suffix(&label));
    let stem = |name| without_form(name).filter(|stem| !stem.is_empty());
    is_label(&name)
        || matches!(name.as_str(), "code" | "y")
        || rest.is_some_and(|rest| FORMS.contains(&rest.trim_matches('_')))
        || stem(&name).is_some() && stem(&name) == stem(&label)
}
