//! Columns that may say the same as the labels, compared with them row by row.

use std::collections::{BTreeMap, BTreeSet};

use super::refusal::unclear;
use super::roles::Roles;
use super::survey::Survey;
use super::{Table, WORD};
use crate::error::DataError;

/// How the groups of a column lie to those of the labels.
#[derive(PartialEq)]
struct Groups {
    /// Whether they are the same groups.
    same: bool,
    /// Whether some of them have several samples.
    repeat: bool,
}

/// Leaves out what says the same as the labels in other words or numbers.
///
/// # Errors
/// A column named like one of labels that groups samples otherwise than the label does; text that is no label; numbers
/// that group samples as the labels do, by chance or as their code.
pub(super) fn settle(roles: &mut Roles, table: &Table<'_>, survey: &Survey) -> Result<(), DataError> {
    for &code in &roles.codes {
        if !groups(roles.label, code, table, survey)?.same {
            let expected = "one column of labels: say which by [label=COLUMN,drop=COLUMN] after the name";
            let [label, code] = [roles.label, code].map(|k| roles.name(k));
            let found = format!("columns {label} and {code} that group samples differently");
            return Err(DataError::format(table.file, expected, found));
        }
    }
    for words in std::mem::take(&mut roles.words) {
        if !groups(roles.label, words, table, survey)?.same {
            return Err(roles.text(words, &survey.columns[words], table.file));
        }
        roles.left_out.insert(words);
    }
    for &suspect in &roles.suspects {
        let Groups { same, repeat } = groups(roles.label, suspect, table, survey)?;
        if same && repeat {
            let [label, suspect] = [roles.label, suspect].map(|k| roles.name(k));
            let choices = format!("[drop={}] or [drop=none]", suspect.trim_matches('`'));
            let found = format!("column {suspect} that groups samples as the labels in {label} do");
            return Err(unclear(table.file, "coordinates or codes of labels", found, &choices));
        }
    }
    Ok(())
}

fn groups(label: usize, other: usize, table: &Table<'_>, survey: &Survey) -> Result<Groups, DataError> {
    let mut pairs: BTreeSet<(String, String)> = BTreeSet::new();
    table.each(|record, _| {
        let (label, other) = (record[label].to_owned(), record[other].to_owned());
        let size = (WORD + label.len() + other.len()) as u64;
        if pairs.insert((label, other)) {
            table.budget.take(size, table.file)?;
        }
        Ok(())
    })?;
    let (mut labels, mut others) = (BTreeMap::new(), BTreeMap::new());
    for (label, other) in &pairs {
        *labels.entry(label).or_insert(0) += 1;
        *others.entry(other).or_insert(0) += 1;
    }
    let same = labels.values().chain(others.values()).all(|count| *count == 1);
    Ok(Groups { same, repeat: 2 * pairs.len() <= survey.rows && pairs.len() > 1 })
}
