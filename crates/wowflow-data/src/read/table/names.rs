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

/// Names of columns that tell samples apart.
const IDENTIFIERS: [&str; 22] = [
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
];

/// A name as names are compared: lower case, words joined by `_`.
pub(super) fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-', '.'], "_")
}

pub(super) fn is_label(name: &str) -> bool {
    LABELS.contains(&plain(name).as_str())
}

/// A label where no better one stands.
pub(super) fn is_weak_label(name: &str) -> bool {
    plain(name) == "y"
}

/// What tells samples apart, or numbers them.
pub(super) fn is_identifier(name: &str) -> bool {
    IDENTIFIERS.contains(&plain(name).as_str()) || is_index(name)
}

/// The index that pandas writes: without a name, or under the name that it reads such a column with.
pub(super) fn is_index(name: &str) -> bool {
    let name = plain(name);
    name.is_empty() || name.starts_with("unnamed:")
}

pub(super) fn is_weight(name: &str) -> bool {
    matches!(plain(name).as_str(), "sample_weight" | "sample_weights")
}

/// Whether a name says that its column numbers the labels of another.
pub(super) fn is_code_of(name: &str, label: &str) -> bool {
    let (name, label) = (plain(name), plain(label));
    let ending = name.strip_prefix(&label).or_else(|| name.strip_suffix(&label));
    is_label(&name)
        || matches!(name.as_str(), "code" | "y")
        || ending.is_some_and(|rest| {
            matches!(rest.trim_matches('_'), "id" | "idx" | "code" | "num" | "index" | "encoded" | "no")
        })
}
