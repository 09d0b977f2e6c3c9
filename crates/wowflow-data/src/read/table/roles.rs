//! Which line names the columns of a table, which column has the labels, and which are coordinates.

use std::collections::BTreeSet;
use std::path::Path;

use csv::StringRecord;
use unicode_normalization::UnicodeNormalization;

use super::cells::number;
use super::dialect::Dialect;
use super::label::{Candidates, stems};
use super::names;
use super::refusal::{called, shown, unclear};
use super::survey::{Column, Survey};
use crate::bounded::Budget;
use crate::error::DataError;
use crate::read::labels::is_missing;
use crate::table_options::{ColumnName, TableOptions};

/// Shortest run of numbers that is a header for certain.
const RUN: usize = 4;
/// Samples from which on whole numbers that all differ are strange.
const MANY: usize = 10;

/// What becomes of each column.
#[derive(Debug)]
pub(super) struct Roles {
    /// Names, where there are any.
    pub(super) names: Option<Vec<String>>,
    /// Whether the first record is one of names.
    pub(super) header: bool,
    pub(super) label: usize,
    pub(super) weight: Option<usize>,
    /// Columns that are no coordinates, without the label and the weight.
    pub(super) left_out: BTreeSet<usize>,
    /// That of them which says what samples are called.
    pub(super) identifier: Option<usize>,
    /// Those of them that must say the same as the label.
    pub(super) codes: Vec<usize>,
    /// Columns that are left out if they say the same as the label, and refused otherwise: text.
    pub(super) words: Vec<usize>,
    /// Columns that are refused if they say the same as the label: whole numbers from 0 or 1 on.
    pub(super) suspects: Vec<usize>,
}

impl Roles {
    /// A column as messages call it.
    pub(super) fn name(&self, column: usize) -> String {
        called(self.names.as_deref(), column)
    }

    /// A column that is left out by whose words samples are called: an identifier rather than words that differ, and these
    /// rather than an index.
    fn identifier(&self, survey: &Survey) -> Option<usize> {
        let names = self.names.as_ref()?;
        let rank = |k: usize| match &names[k] {
            name if names::is_index(name) => 2,
            name if names::is_identifier(name) => 0,
            _ => 1,
        };
        let told = |k: &usize| {
            let column = &survey.columns[*k];
            let named = names::is_identifier(&names[*k]) || column.is_text() && column.is_unique(survey.rows);
            named && !column.is_empty() && !self.codes.contains(k)
        };
        self.left_out.iter().copied().filter(told).min_by_key(|&k| rank(k))
    }

    /// The columns of coordinates.
    pub(super) fn coordinates(&self, count: usize) -> impl Iterator<Item = usize> {
        (0..count).filter(|&k| k != self.label && self.weight != Some(k) && !self.left_out.contains(&k))
    }
}

/// Names of the columns, and whether they are the first record.
fn named(
    survey: &Survey,
    dialect: &Dialect,
    comment: Option<StringRecord>,
    options: &TableOptions,
    file: &Path,
) -> Result<(Option<Vec<String>>, bool), DataError> {
    let Survey { first, columns, rows } = survey;
    let (count, short) = (columns.len(), first.len() + 1 == columns.len());
    let names = |record: &StringRecord| -> Vec<String> {
        // R leaves out the name of its column of row names. A separator that ends the lines of data makes a last column.
        let missing = std::iter::repeat_n("", count.saturating_sub(record.len()));
        let (before, behind) = if columns.last().is_some_and(Column::is_empty) {
            (None, Some(missing))
        } else {
            (Some(missing), None)
        };
        let all = before.into_iter().flatten().chain(record).chain(behind.into_iter().flatten());
        // One word in two spellings of Unicode is one name.
        all.map(|name| dialect.text(name).nfc().collect()).collect()
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
    let value = |cell: &str| number(cell, dialect);
    let is_name = |cell: &str| !is_missing(cell) && value(cell).is_none();
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
            return Err(unclear_header(first, file));
        }
    }
    let rises = numbers.len() > 2 && numbers.windows(2).all(|pair| pair[0] < pair[1]);
    let lacked = pairs().any(|(cell, column)| is_name(cell) && column.is_text() && column.lacks(cell));
    // Wavelengths or years beside a name: a line of data hardly rises, with a word where there are numbers or others.
    match rises {
        true if above || lacked && numbers.len() >= RUN => return Ok((Some(names(first)), true)),
        _ if above || rises && lacked => return Err(unclear_header(first, file)),
        _ => {}
    }
    Ok((None, false))
}

fn unclear_header(first: &StringRecord, file: &Path) -> DataError {
    let found = format!("{:?} at line 1", first.iter().take(6).collect::<Vec<_>>());
    unclear(file, "a first line of names or of data", found, "[header=yes] or [header=no]")
}

/// Decides on all columns.
pub(super) fn roles(
    survey: &mut Survey,
    dialect: &Dialect,
    comment: Option<StringRecord>,
    options: &TableOptions,
    file: &Path,
    budget: &Budget,
) -> Result<Roles, DataError> {
    let count = survey.columns.len();
    let (names, header) = named(survey, dialect, comment, options, file)?;
    if !header {
        for (column, cell) in survey.columns.iter_mut().zip(&survey.first) {
            column.add_first(cell, dialect, file, budget)?;
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
    let chosen = options.label.as_ref().map(find).transpose()?;
    let name = |k: usize| names.as_ref().map_or("", |names| names[k].as_str());
    let weight = (0..count).find(|&k| names.is_some() && names::is_weight(name(k)) && !dropped.contains(&k));
    let mut left_out = dropped.clone();
    let named = options.names.as_ref().map(find).transpose()?;
    left_out.extend(named);
    // A separator at the end of every line makes a column of nothing. A label of nothing is said to be missing.
    let says_nothing = |k: &usize| columns[*k].is_empty() && !names::is_any_label(name(*k));
    left_out.extend((0..count).filter(says_nothing));
    // Columns that number or name samples, and those that would if their values did not come again.
    let mut identifiers = Vec::new();
    if options.drop.is_none() && names.is_some() {
        for k in (0..count).filter(|&k| !columns[k].is_empty() && chosen != Some(k) && named != Some(k)) {
            let index = names::is_index(name(k)) && k == 0;
            let is_number = names::is_row_number(name(k)) && columns[k].numbers_rows(rows);
            match names::is_identifier(name(k)) {
                true if index || columns[k].is_unique(rows) => _ = left_out.insert(k),
                true => identifiers.push(k),
                false if is_number => _ = left_out.insert(k),
                false => {}
            }
        }
        let part = (0..count).find(|&k| names::is_part(name(k)) && chosen != Some(k));
        if let Some(part) = part {
            let found = format!("column {}, which parts the samples", called(names.as_deref(), part));
            let choices = format!("[drop={}] or [drop=none]", name(part));
            return Err(unclear(file, "coordinates beside labels", found, &choices));
        }
    }
    let free = |k: &usize| !left_out.contains(k) && weight != Some(*k);
    let label = match chosen {
        Some(label) => label,
        None => {
            let free = (0..count).filter(|k| free(k) && !identifiers.contains(k)).collect();
            let names = names.as_deref();
            Candidates { columns, rows, names, free, file, stems: stems(names) }.label()?
        }
    };
    left_out.remove(&label);
    let mut roles = Roles {
        names,
        header,
        label,
        weight,
        left_out,
        identifier: named,
        codes: vec![],
        words: vec![],
        suspects: vec![],
    };
    if options.drop.is_none() {
        roles.beside_the_label(survey, &identifiers, file)?;
    } else if let Some(k) = roles.coordinates(count).find(|&k| columns[k].is_text()) {
        return Err(roles.text(k, &survey.columns[k], file));
    }
    roles.identifier = roles.identifier.or_else(|| roles.identifier(survey));
    Ok(roles)
}

impl Roles {
    /// What nobody spoke of: codes of the labels, words, numbers of samples.
    fn beside_the_label(
        &mut self,
        survey: &Survey,
        identifiers: &[usize],
        file: &Path,
    ) -> Result<(), DataError> {
        let (columns, rows) = (&survey.columns, survey.rows);
        let coordinates: Vec<usize> = self.coordinates(columns.len()).collect();
        let label = self.label;
        if let Some(names) = &self.names {
            let is_code =
                |k: &usize| names::is_code_of(&names[*k], &names[label]) && !names::is_weak_label(&names[*k]);
            self.codes = coordinates.iter().copied().filter(is_code).collect();
        }
        if let Some(&k) = coordinates
            .iter()
            .find(|k| identifiers.contains(k) && !self.codes.contains(k) && !columns[**k].is_text())
        {
            let found = format!("column {} with values that repeat", self.name(k));
            let choices = "[label=COLUMN], [drop=COLUMN] or [drop=none]";
            return Err(unclear(file, "an identifier that differs from sample to sample", found, choices));
        }
        self.left_out.extend(&self.codes);
        for k in coordinates.into_iter().filter(|k| !self.codes.contains(k)) {
            let column = &columns[k];
            // Not percents, dates, amounts, nor `np.float64(0.25)`.
            let fraction = column
                .word()
                .as_bytes()
                .windows(3)
                .any(|three| three[0].is_ascii_digit() && three[1] == b'.' && three[2].is_ascii_digit());
            let name = column.word().starts_with(char::is_alphabetic) && !fraction;
            if column.is_text() && name && rows > 3 && column.is_unique(rows) {
                self.left_out.insert(k);
            } else if column.is_text() {
                self.words.push(k);
            } else if column.runs() {
                self.suspects.push(k);
            }
        }
        let first = &columns[0];
        if label == 0 || self.left_out.contains(&0) || self.weight == Some(0) || columns.len() < 3 {
            return Ok(());
        }
        let found = match &self.names {
            None if first.counts(rows) => format!("column 1 with {rows} numbers that count the lines"),
            None if rows >= MANY
                && first.is_whole()
                && first.is_unique(rows)
                && self.coordinates(columns.len()).all(|k| k == 0 || !columns[k].is_whole()) =>
            {
                "column 1 with whole numbers that never come again, beside fractions".to_owned()
            }
            Some(names) if rows > RUN && first.numbers_rows(rows) && names::stem(&names[0]).is_none() => {
                format!("column {} with {rows} numbers that count the lines", self.name(0))
            }
            _ => return Ok(()),
        };
        let choices = format!("[drop={}] or [drop=none]", self.name(0).trim_matches('`'));
        Err(unclear(file, "coordinates or a number of the line", found, &choices))
    }

    /// Refuses text that stands where a coordinate would.
    pub(super) fn text(&self, column: usize, found: &Column, file: &Path) -> DataError {
        let found = format!("text in column {}, such as `{}`", self.name(column), shown(found.word()));
        let expected = format!("numbers beside the labels in column {}", self.name(self.label));
        let choices = "[label=COLUMN] and [drop=COLUMN+COLUMN]";
        DataError::format(
            file,
            format!("{expected}: write them as numbers, or say which by {choices} after the name"),
            found,
        )
    }
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
    let twice = names.unwrap_or_default().iter().filter(|name| *name == wanted).count() > 1;
    if twice {
        let found = format!("several columns `{wanted}`");
        return Err(DataError::format(file, "one column of a name: give its number, counted from 1", found));
    }
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
