//! Which line names the columns of a table, which column has the labels, and which are coordinates.

use std::collections::BTreeSet;
use std::path::Path;

use csv::StringRecord;

use super::cells::number;
use super::dialect::Dialect;
use super::names;
use super::survey::{Column, Survey};
use crate::bounded::Budget;
use crate::error::DataError;
use crate::table_options::{ColumnName, TableOptions};

/// Shortest run of numbers that is a header for certain.
const RUN: usize = 4;

/// What becomes of each column.
#[derive(Debug)]
pub(super) struct Roles {
    /// Names, where there are any.
    pub(super) names: Option<Vec<String>>,
    /// Whether the first record is one of names.
    pub(super) header: bool,
    pub(super) label: usize,
    pub(super) weight: Option<usize>,
    /// What the samples are called.
    pub(super) identifier: Option<usize>,
    /// Columns that are no coordinates, without the label and the weight.
    pub(super) left_out: BTreeSet<usize>,
    /// Those of them that must say the same as the label.
    pub(super) codes: Vec<usize>,
}

impl Roles {
    /// A column as messages call it.
    pub(super) fn name(&self, column: usize) -> String {
        called(self.names.as_deref(), column)
    }

    /// The columns of coordinates.
    pub(super) fn coordinates(&self, count: usize) -> impl Iterator<Item = usize> {
        (0..count).filter(|&k| k != self.label && self.weight != Some(k) && !self.left_out.contains(&k))
    }
}

fn called(names: Option<&[String]>, column: usize) -> String {
    match names.map(|names| names[column].as_str()) {
        Some("") | None => (column + 1).to_string(),
        Some(name) => format!("`{name}`"),
    }
}

/// Refuses what the content leaves open, with the ways to say it.
fn unclear(file: &Path, what: &str, found: String, choices: &str) -> DataError {
    DataError::format(file, format!("{what}: say which by {choices} after the name"), found)
}

/// Names of the columns, and whether they are the first record.
fn named(
    survey: &Survey,
    dialect: Dialect,
    comment: Option<StringRecord>,
    options: &TableOptions,
    file: &Path,
) -> Result<(Option<Vec<String>>, bool), DataError> {
    let Survey { first, columns, rows } = survey;
    let (count, short) = (columns.len(), first.len() + 1 == columns.len());
    let names = |record: &StringRecord| -> Vec<String> {
        // R leaves out the name of its column of row names.
        let skipped = std::iter::repeat_n("", count.saturating_sub(record.len()));
        skipped.chain(record).map(str::to_owned).collect()
    };
    if first.len() != count && !(short && options.header != Some(false)) {
        let found = format!("{} at line {}", first.len(), first.position().map_or(1, csv::Position::line));
        return Err(DataError::format(file, format!("{count} columns"), found));
    }
    match options.header {
        Some(true) => return Ok((Some(names(first)), true)),
        Some(false) => return Ok((None, false)),
        None if short => return Ok((Some(names(first)), true)),
        None => {}
    }
    if let Some(comment) = comment.filter(|comment| comment.len() == count && count > 1) {
        return Ok((Some(names(&comment)), false));
    }
    let value = |cell: &str| number(cell, dialect.decimal_comma);
    let is_name = |cell: &str| !cell.is_empty() && value(cell).is_none();
    let pairs = || first.iter().zip(columns);
    // Names above numbers. A cell that is a number in a row of names would be a strange one.
    let above = pairs().any(|(cell, column)| is_name(cell) && column.is_numeric());
    let numbers: Vec<f64> = first.iter().filter_map(value).collect();
    if numbers.is_empty() && (above || *rows == 0 && count > 1) {
        return Ok((Some(names(first)), true));
    }
    // `y` may be a label itself.
    if first.iter().any(names::is_label) {
        return Ok((Some(names(first)), true));
    }
    let run =
        numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0) && numbers.iter().all(|v| v.fract() == 0.0);
    let written = first.iter().any(|cell| value(cell).is_some() && cell.contains(['.', ',']));
    if run && numbers.len() > 2 && !written && *rows > 0 {
        let fractions =
            pairs().any(|(cell, column)| value(cell).is_some() && column.is_numeric() && column.has_points());
        let next = pairs().filter(|(cell, _)| value(cell).is_some());
        // A table of numbers that count on from line to line has no header.
        let goes_on = next
            .clone()
            .all(|(cell, column)| column.is_whole() && value(cell).is_some_and(|v| v < column.high()));
        if fractions || numbers.len() >= RUN && !goes_on {
            return Ok((Some(names(first)), true));
        }
        if numbers[0] == 0.0 && !goes_on {
            let found = format!("{:?} at line 1", first.iter().collect::<Vec<_>>());
            return Err(unclear(
                file,
                "a first line of names or of data",
                found,
                "[header=yes] or [header=no]",
            ));
        }
    }
    Ok((None, false))
}

/// Decides on all columns.
pub(super) fn roles(
    survey: &mut Survey,
    dialect: Dialect,
    comment: Option<StringRecord>,
    options: &TableOptions,
    file: &Path,
    budget: &Budget,
) -> Result<Roles, DataError> {
    let count = survey.columns.len();
    let (names, header) = named(survey, dialect, comment, options, file)?;
    if !header {
        for (column, cell) in survey.columns.iter_mut().zip(&survey.first) {
            column.add_first(cell, dialect.decimal_comma, file, budget)?;
        }
        survey.rows += 1;
    }
    let (columns, rows) = (&survey.columns, survey.rows);
    if rows == 0 {
        return Err(DataError::format(file, "at least one line of data", "none"));
    }
    let find = |wanted: &ColumnName| find(wanted, names.as_deref(), count, file);
    let dropped =
        options.drop.as_deref().unwrap_or_default().iter().map(find).collect::<Result<BTreeSet<_>, _>>()?;
    let name = |k: usize| names.as_ref().map_or("", |names| names[k].as_str());
    let weight = (0..count).find(|&k| names.is_some() && names::is_weight(name(k)) && !dropped.contains(&k));
    let mut left_out = dropped.clone();
    let identifier = options.names.as_ref().map(find).transpose()?;
    left_out.extend(identifier.filter(|k| !dropped.contains(k)));
    // A separator at the end of every line makes a column of nothing.
    left_out
        .extend((0..count).filter(|&k| columns[k].is_empty() && name(k).is_empty() && !dropped.contains(&k)));
    // Columns that number or name samples.
    if options.drop.is_none() && names.is_some() {
        for k in (0..count)
            .filter(|&k| names::is_identifier(name(k)) && !columns[k].is_empty() && identifier != Some(k))
        {
            let index = names::is_index(name(k)) && k == 0;
            if index || columns[k].is_unique(rows) {
                left_out.insert(k);
            } else if options.label.is_none() && !columns[k].is_text() {
                let found = format!("column {} with values that repeat", called(names.as_deref(), k));
                let choices = "[label=COLUMN], [drop=COLUMN] or [drop=none]";
                return Err(unclear(
                    file,
                    "an identifier that differs from sample to sample",
                    found,
                    choices,
                ));
            }
        }
    }
    let free = |k: &usize| !left_out.contains(k) && weight != Some(*k);
    let label = match &options.label {
        Some(wanted) => find(wanted)?,
        None => label(columns, rows, names.as_deref(), &free, file)?,
    };
    left_out.remove(&label);
    // Another column of labels is a code of the first.
    let codes: Vec<usize> = match options.drop {
        Some(_) => Vec::new(),
        None => (0..count)
            .filter(|k| *k != label && !left_out.contains(k) && weight != Some(*k) && names.is_some())
            .filter(|&k| names::is_code_of(name(k), name(label)) && !names::is_weak_label(name(k)))
            .collect(),
    };
    left_out.extend(&codes);
    let identifier = identifier.or_else(|| {
        let told =
            |k: &&usize| names.is_some() && names::is_identifier(name(**k)) && !columns[**k].is_empty();
        let index = |k: &&usize| names::is_index(name(**k));
        let found = || left_out.iter().filter(told);
        found().find(|k| !index(k)).or_else(|| found().next()).copied()
    });
    let roles = Roles { names, header, label, weight, identifier, left_out, codes };
    if options.drop.is_none()
        && !roles.header
        && roles.names.is_none()
        && label != 0
        && count > 2
        && columns[0].counts(rows)
    {
        let found = format!("column 1 with {rows} numbers that count the lines");
        return Err(unclear(file, "coordinates or a number of the line", found, "[drop=1] or [drop=none]"));
    }
    if let Some(k) = roles.coordinates(count).find(|&k| columns[k].is_text()) {
        let found = format!("text in column {}", roles.name(k));
        let choices = "[label=COLUMN] and [drop=COLUMN+COLUMN]";
        return Err(unclear(
            file,
            &format!("numbers beside the labels in column {}", roles.name(label)),
            found,
            choices,
        ));
    }
    Ok(roles)
}

/// The column that a person names.
fn find(
    wanted: &ColumnName,
    names: Option<&[String]>,
    count: usize,
    file: &Path,
) -> Result<usize, DataError> {
    let ColumnName(wanted) = wanted;
    let by = |same: &dyn Fn(&str) -> bool| names.and_then(|names| names.iter().position(|name| same(name)));
    let found = by(&|name| name == wanted)
        .or_else(|| by(&|name| names::plain(name) == names::plain(wanted)))
        .or_else(|| wanted.parse::<usize>().ok().filter(|k| (1..=count).contains(k)).map(|k| k - 1));
    found.ok_or_else(|| {
        let known = match names {
            Some(names) => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
            None => format!("columns 1 to {count}, without names"),
        };
        let known: String = known.chars().take(200).collect();
        DataError::format(file, format!("a column `{wanted}`"), known)
    })
}

/// The column of labels, where nobody names it.
fn label(
    columns: &[Column],
    rows: usize,
    names: Option<&[String]>,
    free: &dyn Fn(&usize) -> bool,
    file: &Path,
) -> Result<usize, DataError> {
    const CHOICES: &str = "[label=COLUMN]";
    let all = || (0..columns.len()).filter(|k| free(k));
    let list = |some: &[usize]| some.iter().map(|&k| called(names, k)).collect::<Vec<_>>().join(" and ");
    let name = |k: usize| names.map_or("", |names| names[k].as_str());
    let with_name: Vec<usize> = all().filter(|&k| names::is_label(name(k))).collect();
    match with_name[..] {
        [] => {}
        [one] => return Ok(one),
        // The words say more than their codes.
        ref several => {
            let texts: Vec<usize> = several.iter().copied().filter(|&k| columns[k].is_text()).collect();
            if let [one] = texts[..] {
                return Ok(one);
            }
            return Err(unclear(file, "one column of labels", format!("columns {}", list(several)), CHOICES));
        }
    }
    let texts: Vec<usize> = all().filter(|&k| columns[k].is_text()).collect();
    let y = all().find(|&k| names::is_weak_label(name(k)));
    let beside = |letter: &str| all().any(|k| names::plain(name(k)) == letter);
    if let Some(y) = y
        && (!beside("x") || !beside("z") && texts.is_empty() && columns[y].is_whole())
    {
        return Ok(y);
    }
    match texts[..] {
        [] => {}
        [one] => return Ok(one),
        ref several => {
            return Err(unclear(
                file,
                "one column of labels",
                format!("text in columns {}", list(several)),
                CHOICES,
            ));
        }
    }
    let (Some(first), Some(last)) = (all().next(), all().next_back()) else {
        return Err(DataError::format(file, "a label and at least one coordinate a line", "neither"));
    };
    let grade = |k: usize| columns[k].looks_like_labels(rows);
    let pixels = || {
        all().filter(|&k| k != first).all(|k| columns[k].is_pixels())
            && all().filter(|&k| k != first).any(|k| columns[k].high() > columns[first].high())
    };
    match (grade(first), grade(last)) {
        _ if first == last => Ok(last),
        (0, 0) => {
            // Cells that are no numbers here and there are named where they stand.
            if !columns[last].is_numeric() {
                return Ok(last);
            }
            Err(unclear(
                file,
                "labels: whole numbers or text",
                "fractions at either end of a line".to_owned(),
                CHOICES,
            ))
        }
        (a, b) if b >= 1 && a <= 1 => Ok(last),
        (a, b) if b <= 1 && a >= 2 => Ok(first),
        (3, 2) if pixels() => Ok(first),
        (2, 3) => Ok(last),
        _ => {
            let found =
                format!("columns {} and {} that both may be", called(names, first), called(names, last));
            Err(unclear(file, "one column of labels", found, CHOICES))
        }
    }
}
