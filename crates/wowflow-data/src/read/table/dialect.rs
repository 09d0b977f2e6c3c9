//! How the cells of a line are kept apart, and how numbers are written in them.

use crate::table_options::Separator;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) separator: Separator,
    pub(super) decimal_comma: bool,
    /// Whether thousands are parted by the other of comma and point.
    pub(super) grouped: bool,
    /// What stands around cells.
    pub(super) quote: u8,
    /// Whether a backslash stands before quotes within cells.
    pub(super) escape: bool,
    /// What a comment begins with.
    pub(super) comment: u8,
}

impl Dialect {
    /// A cell that is no number, as it was before it was written.
    pub(super) fn text(&self, cell: &str) -> String {
        // Within quotes this is done.
        if self.escape { cell.replace("\\\"", "\"") } else { cell.to_owned() }
    }
}
