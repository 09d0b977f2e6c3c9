//! Changes to valid content: bits, lengths, numbers, blocks, words; all of them drawn from one seed.

/// Numbers at which readers break.
const NUMBERS: [u64; 20] = [
    0,
    1,
    2,
    7,
    8,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0x8000,
    0xffff,
    0x10000,
    1 << 24,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 32,
    i64::MAX as u64,
    u64::MAX,
];

/// Words that mean something to some reader of text.
const WORDS: [&str; 44] = [
    "0",
    "-0",
    "1",
    "-1",
    "1e999",
    "-1e308",
    "1e-320",
    "nan",
    "inf",
    "NaN",
    "null",
    "true",
    "0x10",
    "1_000",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775807",
    "-9223372036854775808",
    "4294967295",
    "2147483648",
    "0.1",
    "1.",
    ".5",
    "+3",
    "00",
    "\"",
    "'",
    ",",
    ";",
    "\t",
    " ",
    "|",
    "#",
    ":",
    "[",
    "]",
    "{",
    "}",
    "\n",
    "\r\n",
    "\u{1b}[31m",
    "\u{202e}",
    "e\u{301}",
    "\u{0}",
];

/// Longest block that is repeated, and longest result of repeating.
const BLOCK: usize = 64;
const REPEATED: usize = 1 << 14;
/// A long run, now and then: what compression makes small.
const RUN: usize = 1 << 21;

/// Draws numbers and changes content; with `changes` off it draws the same kinds of valid content.
pub(crate) struct Mutator {
    state: u64,
    /// One layer in so many is changed; none where there is no number.
    changes: Option<usize>,
}

impl Mutator {
    pub(crate) fn new(seed: u64, changes: bool) -> Self {
        let mut mutator = Self { state: seed, changes: None };
        // Deep layers are reached where the outer ones are whole.
        let rare = [2, 2, 5, 15][mutator.below(4)];
        mutator.changes = changes.then_some(rare);
        mutator
    }

    /// The next number of the sequence SplitMix64.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, 0 if there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    /// A layer of a file, changed or not.
    pub(crate) fn touch(&mut self, mut layer: Vec<u8>) -> Vec<u8> {
        let Some(rare) = self.changes.filter(|_| !layer.is_empty()) else { return layer };
        if !self.one_in(rare) {
            return layer;
        }
        for _ in 0..=self.below(3) {
            self.change(&mut layer);
        }
        layer
    }

    /// The same of text; it stays UTF-8 in most cases.
    pub(crate) fn text(&mut self, text: &str) -> String {
        String::from_utf8_lossy(&self.touch(text.as_bytes().to_vec())).into_owned()
    }

    /// The head of one layer and the tail of another of the same format.
    pub(crate) fn spliced(&mut self, layer: Vec<u8>, other: &[u8]) -> Vec<u8> {
        if self.changes.is_none() || !self.one_in(8) {
            return layer;
        }
        let (head, tail) = (self.below(layer.len() + 1), self.below(other.len() + 1));
        [&layer[..head], &other[tail..]].concat()
    }

    fn change(&mut self, layer: &mut Vec<u8>) {
        // Headers are where it hurts.
        let reach = if self.one_in(2) { layer.len().min(160) } else { layer.len() };
        let at = self.below(reach);
        let rest = layer.len() - at;
        match self.below(12) {
            _ if layer.is_empty() => {
                layer.extend_from_slice(&NUMBERS[self.below(NUMBERS.len())].to_le_bytes());
            }
            0 | 1 => layer[at] ^= 1 << self.below(8),
            2 => layer[at] = self.next() as u8,
            3 | 4 => {
                let width = [1, 2, 4, 8][self.below(4)].min(rest);
                let number = NUMBERS[self.below(NUMBERS.len())];
                let bytes = if self.one_in(2) {
                    number.to_le_bytes()
                } else {
                    number.rotate_left(8 * width as u32).to_le_bytes()
                };
                layer[at..at + width].copy_from_slice(&bytes[..width]);
            }
            5 => layer.truncate(at),
            6 => {
                let end = at + self.below(rest.min(BLOCK) + 1);
                layer.drain(at..end);
            }
            7 => {
                let block = layer[at..at + 1 + self.below(rest.min(BLOCK))].to_vec();
                let times = if self.one_in(4) { self.below(REPEATED / block.len()) } else { self.below(4) };
                layer.splice(at..at, block.repeat(times));
            }
            8 => {
                let block = layer[at..at + self.below(rest.min(BLOCK) + 1)].to_vec();
                let to = self.below(layer.len() - block.len() + 1);
                layer[to..to + block.len()].copy_from_slice(&block);
            }
            9 => {
                let word = self.pick(&WORDS).as_bytes();
                layer.splice(at..at, word.iter().copied());
            }
            10 => self.other_number(layer, at),
            _ if self.one_in(100) => {
                let (byte, length) = (layer[at], self.below(RUN));
                layer.splice(at..at, std::iter::repeat_n(byte, length));
            }
            _ => {
                let insert = self.below(8);
                let bytes = self.bytes(insert);
                layer.splice(at..at, bytes);
            }
        }
    }

    /// Puts another number where the next one stands in digits.
    fn other_number(&mut self, layer: &mut Vec<u8>, from: usize) {
        let part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'e');
        let Some(start) = layer[from..].iter().position(u8::is_ascii_digit).map(|k| from + k) else { return };
        let end = layer[start..].iter().position(|byte| !part(byte)).map_or(layer.len(), |k| start + k);
        let word = self.pick(&WORDS[..25]).as_bytes();
        layer.splice(start..end, word.iter().copied());
    }
}
