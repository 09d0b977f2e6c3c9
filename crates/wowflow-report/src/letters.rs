//! Letters as ink: a smooth font for Latin text, GNU Unifont for all else of the basic plane, the number of a character
//! that neither has. Different texts look different.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, RasterizedChar, get_raster, get_raster_width};
use unifont::Glyph;

/// Rows of a glyph of Unifont.
const ROWS: usize = 16;
/// A pixel of a glyph that is drawn smaller is looked at in so many places along each side.
const SAMPLES: usize = 4;

/// A size of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    /// Exponents.
    Tiny,
    /// Ticks, labels, legends.
    Small,
    /// Titles.
    Title,
}

/// How a character is drawn.
enum Letter {
    Smooth(RasterizedChar),
    Plain(&'static Glyph),
}

impl Text {
    fn raster(self) -> RasterHeight {
        match self {
            Self::Small => RasterHeight::Size16,
            Self::Title => RasterHeight::Size20,
            Self::Tiny => RasterHeight::Size24,
        }
    }

    /// How many raster pixels make one pixel: exponents are the largest raster, halved.
    fn shrink(self) -> usize {
        if self == Self::Tiny { 2 } else { 1 }
    }

    /// Height of a line.
    pub(crate) fn height(self) -> i32 {
        (self.raster().val() / self.shrink()) as i32
    }

    /// Width of a text.
    pub(crate) fn width(self, text: &str) -> i32 {
        (drawn(text).map(|character| self.advance(character)).sum::<usize>() / 2) as i32
    }

    /// What a character takes, in half pixels.
    fn advance(self, character: char) -> usize {
        match self.letter(character) {
            Some(Letter::Plain(glyph)) => 2 * glyph.get_width() * self.plain_height() / ROWS,
            _ => 2 * get_raster_width(FontWeight::Regular, self.raster()) / self.shrink(),
        }
    }

    /// Height of a glyph of Unifont.
    fn plain_height(self) -> usize {
        (self.height() as usize).min(ROWS)
    }

    fn letter(self, character: char) -> Option<Letter> {
        let smooth = get_raster(character, FontWeight::Regular, self.raster()).map(Letter::Smooth);
        smooth.or_else(|| unifont::get_glyph(character).map(Letter::Plain))
    }
}

/// The characters that stand for those of a text: themselves, or `<1F600>` for one that no font has.
fn drawn(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(|character| {
        let known = Text::Small.letter(character).is_some();
        let number = if known { String::new() } else { format!("<{:X}>", u32::from(character)) };
        known.then_some(character).into_iter().chain(number.chars().collect::<Vec<_>>())
    })
}

/// What a text takes, in widths of a smooth letter.
fn columns(text: &str) -> f64 {
    f64::from(Text::Small.width(text)) / f64::from(Text::Small.width("0"))
}

/// `text` cut to `limit` columns, the cut shown by two dots.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    if columns(text) <= limit as f64 {
        return text.to_owned();
    }
    let ends = text.char_indices().map(|(at, character)| at + character.len_utf8());
    let end = ends.take_while(|&end| columns(&text[..end]) + 2.0 <= limit as f64).last().unwrap_or(0);
    format!("{}..", text[..end].trim_end())
}

/// Text broken between words into lines of at most `width` pixels; words that are longer are cut.
pub(crate) fn wrapped(text: &str, width: i32, size: Text) -> Vec<String> {
    let limit = (width / size.width("0")).max(1) as usize;
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = shorten(word, limit);
        match lines.last_mut() {
            Some(line) if columns(line) + 1.0 + columns(&word) <= limit as f64 => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// Calls `put(along, down, ink)` for every pixel of a text that is not blank.
pub(crate) fn for_ink(text: &str, size: Text, mut put: impl FnMut(i32, i32, u8)) {
    let mut place = 0;
    for character in drawn(text) {
        let left = (place / 2) as i32;
        let mut put = |along: usize, down: usize, ink: u8| put(left + along as i32, down as i32, ink);
        match size.letter(character) {
            Some(Letter::Smooth(glyph)) => smooth(&glyph, size.shrink(), &mut put),
            Some(Letter::Plain(glyph)) => plain(glyph, size, &mut put),
            None => {}
        }
        place += size.advance(character);
    }
}

fn smooth(glyph: &RasterizedChar, shrink: usize, put: &mut impl FnMut(usize, usize, u8)) {
    let pixel = |along: usize, down: usize| usize::from(glyph.pixel(along, down).unwrap_or(0));
    for down in 0..glyph.height() / shrink {
        for along in 0..glyph.width().div_ceil(shrink) {
            let parts = (0..shrink * shrink).map(|k| (k / shrink, k % shrink));
            let total: usize = parts.map(|(i, j)| pixel(along * shrink + j, down * shrink + i)).sum();
            put(along, down, (total / (shrink * shrink)) as u8);
        }
    }
}

/// A glyph of Unifont at its own size, in the middle of a taller line, and smaller in a lower one.
fn plain(glyph: &Glyph, size: Text, put: &mut impl FnMut(usize, usize, u8)) {
    let height = size.plain_height();
    let top = (size.height() as usize - height) / 2;
    let step = ROWS * SAMPLES / height;
    let width = glyph.get_width() * height / ROWS;
    for down in 0..height {
        for along in 0..width {
            // Both places in quarters of pixels of the glyph.
            let within =
                |place: usize, k: usize| (place * ROWS * SAMPLES / height + k * step / SAMPLES) / SAMPLES;
            let places =
                (0..SAMPLES * SAMPLES).map(|k| (within(along, k % SAMPLES), within(down, k / SAMPLES)));
            let ink =
                places.filter(|&(x, y)| x < glyph.get_width() && y < ROWS && glyph.get_pixel(x, y)).count();
            put(along, top + down, (ink * 255 / (SAMPLES * SAMPLES)) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a text has ink.
    fn ink(text: &str, size: Text) -> Vec<(i32, i32)> {
        let mut found = Vec::new();
        for_ink(text, size, |x, y, ink| {
            if ink > 100 {
                found.push((x, y));
            }
        });
        found
    }

    #[test]
    fn long_text_is_shortened_visibly() {
        assert_eq!(shorten("ankle boot", 10), "ankle boot");
        assert_eq!(shorten("ankle boots", 8), "ankle..");
        // 64 pixels beside 7 of a letter.
        assert_eq!(shorten("日本中国", 10), "日本中国");
        assert_eq!(shorten("日本中国", 9), "日本中..");
        let width = Text::Small.width("0123456789");
        assert_eq!(
            wrapped("one two three  fourteenfifteen", width, Text::Small),
            ["one two", "three", "fourteen.."]
        );
        assert!(wrapped(" ", width, Text::Small).is_empty());
    }

    #[test]
    fn different_names_look_different() {
        for size in [Text::Tiny, Text::Small, Text::Title] {
            let names = ["日本", "中国", "жук", "жак", "نحل", "αβ", "αγ", "😀", "😁", "?", "??", "ant"];
            let drawn = names.map(|name| ink(name, size));
            for (k, one) in drawn.iter().enumerate() {
                let (width, height) = (size.width(names[k]), size.height());
                assert!(one.len() > 5 && one.iter().all(|&(x, y)| x < width && y < height), "{}", names[k]);
                assert!(drawn[..k].iter().all(|other| other != one), "{} {size:?}", names[k]);
            }
        }
        assert_eq!(Text::Small.width("😀"), Text::Small.width("<1F600>"));
    }
}
