//! Outputs without what differs between machines and moments, so that the rest can be compared word by word.

use std::path::Path;

/// Keys of JSON whose value is a clock's, a machine's or a version's.
const MASKED: [&str; 10] = [
    "seconds", "machine", "revision", "version", "rustc", "started", "finished", "threads", "commit",
    "platform",
];

/// Below this a number is what rounding leaves of 0.
const NOTHING: f64 = 1e-9;

/// Replaces the folder of a test, checksums and clocks; numbers that are no integers keep so many digits.
pub(crate) fn stable(text: &str, folder: &Path, digits: usize) -> String {
    let program = env!("CARGO_BIN_EXE_wowflow");
    let mut text = text.replace("\r\n", "\n").replace(program, "wowflow");
    text = text.replace(&program.replace('\\', "\\\\"), "wowflow").replace("wowflow.exe", "wowflow");
    if cfg!(windows) {
        let escaped = folder.to_str().unwrap().replace('\\', "\\\\");
        text = text.replace(&escaped, "[folder]").replace(folder.to_str().unwrap(), "[folder]");
        text = text.replace("\\\\", "/").replace('\\', "/");
    }
    let text = text.replace(folder.to_str().unwrap(), "[folder]");
    let mut masked = Masked::default();
    let lines: Vec<String> =
        text.lines().map(|line| clocks(&checksums(&rounded(&built(&masked.line(line)), digits)))).collect();
    lines.join("\n")
}

/// Hides the values of JSON whose key says that they differ everywhere, also those of an array or an object, line by
/// line.
#[derive(Default)]
struct Masked {
    /// The indentation of the key whose values are being read.
    group: Option<usize>,
}

impl Masked {
    fn line(&mut self, line: &str) -> String {
        let comma = if line.ends_with(',') { "," } else { "" };
        let inner = line.trim_start();
        let indentation = line.len() - inner.len();
        if let Some(key) = self.group {
            if indentation == key {
                self.group = None;
            }
            let value = line.rfind("\": ").map_or(indentation, |key| key + 3);
            let number = line[value..].starts_with(|c: char| c.is_ascii_digit());
            return if number { format!("{}\"[time]\"{comma}", &line[..value]) } else { line.to_owned() };
        }
        let Some((head, tail)) = line.split_once("\": ") else { return line.to_owned() };
        let key = head.trim_start().trim_start_matches('"');
        if !key.split('_').any(|word| MASKED.contains(&word)) || tail.starts_with("null") {
            return line.to_owned();
        }
        if tail == "[" || tail == "{" {
            self.group = Some(indentation);
            return line.to_owned();
        }
        format!("{head}\": \"[{key}]\"{comma}")
    }
}

/// `by wowflow REVISION on MACHINE; `.
fn built(line: &str) -> String {
    let Some((head, tail)) = line.split_once("by wowflow ") else { return line.to_owned() };
    let rest = tail.split_once("; ").map_or("", |(_, rest)| rest);
    format!("{head}by wowflow [revision] on [machine]; {rest}")
}

/// Words of 32 and more hexadecimal digits.
fn checksums(line: &str) -> String {
    by_words(
        line,
        |c| c.is_ascii_alphanumeric(),
        |word| {
            let hexadecimal = word.len() >= 32 && word.chars().all(|c| c.is_ascii_hexdigit());
            if hexadecimal { "[checksum]".to_owned() } else { word.to_owned() }
        },
    )
}

/// Numbers with a point or an exponent, to so many digits.
fn rounded(line: &str, digits: usize) -> String {
    let after = digits - 1;
    // A sign belongs to a number behind an exponent alone, which `joined` looks after.
    let joined = line.replace("e-", "e\u{2212}").replace("e+", "e");
    let part = |c: char| c.is_alphanumeric() || "._\u{2212}".contains(c);
    let text = by_words(&joined, part, |word| {
        // A point at the end closes a sentence.
        let (number, rest) = word.split_at(word.trim_end_matches('.').len());
        let plain = number.replace('\u{2212}', "-");
        let counts = !number.starts_with(|c: char| !c.is_ascii_digit()) && number.contains(['.', 'e']);
        match plain.parse::<f64>() {
            Ok(value) if counts && value.abs() < NOTHING => format!("0{rest}"),
            Ok(value) if counts && number.contains('e') => format!("{value:.after$e}{rest}"),
            Ok(value) if counts => format!("{}{rest}", format!("{value:.after$e}").parse::<f64>().unwrap()),
            _ => word.to_owned(),
        }
    });
    text.replace('\u{2212}', "-")
}

/// `1.23 s`, `12 s`.
fn clocks(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let unit = words.get(at + 1).is_some_and(|next| next.trim_end_matches([',', '.', ';', ')']) == "s");
        let number = word.trim_start_matches('(');
        let open = &word[..word.len() - number.len()];
        let clock = unit && number.parse::<f64>().is_ok();
        found.push(if clock { format!("{open}[time]") } else { (*word).to_owned() });
    }
    found.join(" ")
}

/// A line whose words, the longest runs of what `part` allows, are changed.
fn by_words(line: &str, part: impl Fn(char) -> bool, change: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let word = part(first);
        let end = rest.find(|c| part(c) != word).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        out.push_str(&if word { change(run) } else { run.to_owned() });
        rest = after;
    }
    out
}

#[test]
fn numbers_keep_three_digits_and_other_words_stay() {
    let folder = Path::new("/tmp/x1");
    for (text, expected) in [
        ("W 0.123456 of 3, -12.3456.", "W 0.123 of 3, -12.3."),
        ("a 1.23456e-5 b 2.5e22 c 3.1e-17", "a 1.23e-5 b 2.50e22 c 0"),
        ("12345.678 8x8 3.2.1 v0.25 name_0.125 mnist:2", "12300 8x8 3.2.1 v0.25 name_0.125 mnist:2"),
        ("/tmp/x1/run took 1.25 s, (12 s)", "[folder]/run took [time] s, ([time] s)"),
        ("sum 0123456789abcdef0123456789abcdef0 faced 0.12345678901234567", "sum [checksum] faced 0.123"),
        (
            "made by wowflow 12ab-modified on x86, 2 threads; each",
            "made by wowflow [revision] on [machine]; each",
        ),
        ("  \"move_seconds\": 1.25,", "  \"move_seconds\": \"[move_seconds]\","),
        ("  \"seconds\": null", "  \"seconds\": null"),
        (
            "  \"seconds\": [\n    0.25,\n    null\n  ],\n  \"n\": 7",
            "  \"seconds\": [\n    \"[time]\",\n    null\n  ],\n  \"n\": 7",
        ),
        ("  \"value\": 1.0", "  \"value\": 1"),
    ] {
        assert_eq!(stable(text, folder, 3), expected);
    }
    assert_eq!(stable("93.75 of 0.051", folder, 1), "90 of 0.05");
}
