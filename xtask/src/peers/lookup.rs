//! Fields of a JSON value by path, with errors that name the path.

use anyhow::{Context, Result};
use serde_json::Value;

/// The value at a path such as `/steps/given/ms`.
pub(crate) fn at<'v>(value: &'v Value, path: &str) -> Result<&'v Value> {
    value.pointer(path).with_context(|| format!("expected a field `{path}`, found none"))
}

pub(crate) fn number(value: &Value, path: &str) -> Result<f64> {
    let found = at(value, path)?;
    found.as_f64().with_context(|| format!("expected a number at `{path}`, found {found}"))
}

pub(crate) fn whole(value: &Value, path: &str) -> Result<u64> {
    let found = at(value, path)?;
    found.as_u64().with_context(|| format!("expected a whole number at `{path}`, found {found}"))
}

pub(crate) fn text<'v>(value: &'v Value, path: &str) -> Result<&'v str> {
    let found = at(value, path)?;
    found.as_str().with_context(|| format!("expected a text at `{path}`, found {found}"))
}

pub(crate) fn list<'v>(value: &'v Value, path: &str) -> Result<&'v [Value]> {
    let found = at(value, path)?;
    Ok(found.as_array().with_context(|| format!("expected a list at `{path}`, found {found}"))?)
}

/// The whole numbers of a row that say which size it is about.
pub(crate) fn size(row: &Value, parts: &[&str]) -> Result<Vec<u64>> {
    parts.iter().map(|part| whole(row, &format!("/{part}"))).collect()
}

/// The row of a size.
pub(crate) fn row<'v>(rows: &'v [Value], parts: &[&str], wanted: &[u64]) -> Result<&'v Value> {
    rows.iter()
        .find(|row| size(row, parts).is_ok_and(|found| found == wanted))
        .with_context(|| format!("expected a row with {} = {}, found none", parts.join(", "), joined(wanted)))
}

/// `10, 200, 10, 784, 500`
pub(crate) fn joined(size: &[u64]) -> String {
    size.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}
