//! Names of classes below a figure, each beside its colour.

use crate::canvas::{Align, Canvas, Text, shorten};
use crate::palette::{CLASS_COLORS, INK, class_color};

/// From line to line, and between entries.
const LINE: i32 = 20;
const GAP: i32 = 18;
/// Longest name.
const LONGEST: usize = 24;

/// Lines of classes with their names. The first line is shared with other entries: it has all of the classes or none.
pub(crate) struct Legend {
    lines: Vec<Vec<(usize, String)>>,
}

impl Legend {
    /// The classes that occur, in a width of which `taken` is not free on the first line; none where there is one class
    /// only, and where colours would come again.
    pub(crate) fn new(classes: &[usize], labels: &[String], taken: i32, width: i32) -> Self {
        let mut shown = classes.to_vec();
        shown.sort_unstable();
        shown.dedup();
        if shown.len() < 2 || shown.len() > CLASS_COLORS {
            return Self { lines: Vec::new() };
        }
        let named: Vec<(usize, String)> =
            shown.into_iter().map(|class| (class, shorten(&labels[class], LONGEST))).collect();
        if taken + room(&named) - GAP <= width {
            return Self { lines: vec![named] };
        }
        let mut lines = vec![Vec::new()];
        for name in named {
            match lines.last_mut() {
                Some(line) if has_room(line, &name, width) => line.push(name),
                _ => lines.push(vec![name]),
            }
        }
        Self { lines }
    }

    /// Height of the lines below the first.
    pub(crate) fn below(&self) -> i32 {
        self.lines.len().saturating_sub(1) as i32 * LINE
    }

    /// Draws the names between two sides, the first line with its top at `y` and to the right.
    pub(crate) fn draw(&self, canvas: &mut Canvas, (left, right): (i32, i32), y: i32) {
        for (number, line) in self.lines.iter().enumerate() {
            let y = y + number as i32 * LINE;
            let middle = (y + Text::Small.height() / 2) as f32;
            let mut x = if number == 0 { right + GAP - room(line) } else { left };
            for (class, name) in line {
                canvas.discs(&[((x + 5) as f32, middle)], 4.5, class_color(*class), 1.0);
                canvas.text(x + 15, y, name, Text::Small, Align::Left, INK);
                x += entry(name);
            }
        }
    }
}

/// Width of an entry and the gap to the next.
pub(crate) fn entry(name: &str) -> i32 {
    15 + Text::Small.width(name) + GAP
}

fn room(names: &[(usize, String)]) -> i32 {
    names.iter().map(|(_, name)| entry(name)).sum()
}

/// Whether a line below the first takes one name more.
fn has_room(line: &[(usize, String)], name: &(usize, String), width: i32) -> bool {
    !line.is_empty() && room(line) + entry(&name.1) - GAP <= width
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_that_occurs_has_its_name_in_lines_that_fit() {
        let labels: Vec<String> = (0..8).map(|class| format!("class {class} -> target {class}")).collect();
        let classes = [5, 0, 3, 0, 1, 2, 7];
        let wide = Legend::new(&classes, &labels, 100, 4000);
        assert_eq!((wide.lines.len(), wide.below()), (1, 0));
        let narrow = Legend::new(&classes, &labels, 100, 500);
        assert!(narrow.lines[0].is_empty() && narrow.lines.len() > 2);
        let drawn: Vec<usize> = narrow.lines.iter().flatten().map(|(class, _)| *class).collect();
        assert_eq!(drawn, [0, 1, 2, 3, 5, 7]);
        assert!(narrow.lines.iter().all(|line| room(line) - GAP <= 500));
        assert_eq!(narrow.below(), (narrow.lines.len() as i32 - 1) * LINE);
        assert!(Legend::new(&[4, 4], &labels, 0, 500).lines.is_empty());
    }
}
