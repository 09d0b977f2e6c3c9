//! What a person says about a table where its content does not: `[label=species,drop=id+2,sep=;]`.

use std::fmt;

use crate::error::DataError;

/// A column of a table, by its name or by its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnName(pub String);

/// How columns are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separator {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
    /// `|`
    Pipe,
    /// Any number of spaces and tabs.
    Space,
}

impl Separator {
    pub(crate) const ALL: [Self; 5] = [Self::Tab, Self::Comma, Self::Semicolon, Self::Pipe, Self::Space];

    /// What stands after `sep=`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Comma => "comma",
            Self::Semicolon => "semicolon",
            Self::Tab => "tab",
            Self::Pipe => "pipe",
            Self::Space => "space",
        }
    }

    /// The byte between two columns; runs of white space are one space by then.
    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
            Self::Space => b' ',
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let known = |separator: &Self| separator.name() == text || text.as_bytes() == [separator.byte()];
        Self::ALL.into_iter().find(known)
    }
}

/// What is said of a table; what is not said is read off its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableOptions {
    /// The column of labels.
    pub label: Option<ColumnName>,
    /// The column of names of the samples, which is no coordinate.
    pub names: Option<ColumnName>,
    /// Columns that are no coordinates; `Some` and empty where there are none.
    pub drop: Option<Vec<ColumnName>>,
    /// What stands between columns.
    pub separator: Option<Separator>,
    /// Whether the first line names the columns.
    pub header: Option<bool>,
    /// Whether columns are told apart by their place, whatever their names.
    pub by_place: bool,
    /// Whether numbers have a decimal comma rather than a point.
    pub decimal_comma: Option<bool>,
}

impl TableOptions {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads `key=value` and adds it; `Err` has what was expected.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let column = |name: &str| ColumnName(name.to_owned());
        match key {
            "label" if !value.is_empty() => self.label = Some(column(value)),
            "names" if !value.is_empty() => self.names = Some(column(value)),
            "drop" if value == "none" => self.drop = Some(Vec::new()),
            "drop" if !value.is_empty() => self.drop = Some(value.split('+').map(column).collect()),
            "sep" => match Separator::parse(value) {
                Some(separator) => self.separator = Some(separator),
                None => {
                    let names = Separator::ALL.map(Separator::name).join(", ");
                    return Err(format!("sep= with one of {names}"));
                }
            },
            "columns" if value == "place" => self.by_place = true,
            "header" if matches!(value, "yes" | "no") => self.header = Some(value == "yes"),
            "decimal" if matches!(value, "comma" | "point") => self.decimal_comma = Some(value == "comma"),
            _ => return Err(KNOWN.to_owned()),
        }
        Ok(())
    }

    /// Refuses what is said of something that is no table.
    pub(crate) fn only_for_tables(&self, file: &std::path::Path) -> Result<(), DataError> {
        if self.is_empty() {
            return Ok(());
        }
        let found = format!("[{self}] for other data");
        Err(DataError::format(file, "options of tables for a CSV or TSV file only", found))
    }
}

/// All options, for messages.
pub(crate) const KNOWN: &str = "label=COLUMN, names=COLUMN, drop=COLUMN+COLUMN or none, sep=;, header=yes or no, decimal=comma or point, columns=place";

impl fmt::Display for TableOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names =
            |columns: &[ColumnName]| columns.iter().map(|c| c.0.as_str()).collect::<Vec<_>>().join("+");
        let yes_no = |yes: bool| if yes { "yes" } else { "no" };
        let parts = [
            self.label.as_ref().map(|column| format!("label={}", column.0)),
            self.names.as_ref().map(|column| format!("names={}", column.0)),
            self.drop.as_ref().map(|columns| match columns.as_slice() {
                [] => "drop=none".to_owned(),
                columns => format!("drop={}", names(columns)),
            }),
            self.separator.map(|separator| format!("sep={}", separator.name())),
            self.by_place.then(|| "columns=place".to_owned()),
            self.header.map(|header| format!("header={}", yes_no(header))),
            self.decimal_comma.map(|comma| format!("decimal={}", if comma { "comma" } else { "point" })),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(","))
    }
}
