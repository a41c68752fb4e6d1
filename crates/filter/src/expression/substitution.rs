//! Replacement of what an expression matches, in the notation of Go.

use regex_automata::{meta::Regex, nfa::thompson::WhichCaptures, util::captures::Captures};

use super::{ExpressionError, build};

/// A regular expression with the text that replaces its matches.
///
/// ```
/// use fichier_filter::Substitution;
/// let turned = Substitution::new(r"(\w+)-(?P<last>\w+)", "${last}_$1")?;
/// assert_eq!(turned.apply("holiday-2024.jpg"), "2024_holiday.jpg");
/// # Ok::<(), fichier_filter::ExpressionError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Substitution {
    regex: Regex,
    template: Vec<Part>,
}

/// A part of a replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// Text that the group of this number matched.
    Numbered(usize),
    /// Text that the group of this name matched.
    Named(String),
}

impl Substitution {
    /// Parses an expression and its replacement: `$1`, `$name` and `${name}` mean groups, `$$` a `$`.
    ///
    /// # Errors
    /// Go would refuse the expression, or it takes more than 10 MiB when compiled.
    pub fn new(expression: &str, replacement: &str) -> Result<Self, ExpressionError> {
        Ok(Self { regex: build(expression, WhichCaptures::All)?, template: template(replacement) })
    }

    /// Returns the text with all matches replaced.
    #[must_use]
    pub fn apply(&self, text: &str) -> String {
        let (mut replaced, mut end) = (String::with_capacity(text.len()), 0);
        for captures in self.regex.captures_iter(text) {
            let Some(whole) = captures.get_match() else { continue };
            replaced.push_str(&text[end..whole.start()]);
            for part in &self.template {
                part.write(&captures, text, &mut replaced);
            }
            end = whole.end();
        }
        replaced.push_str(&text[end..]);
        replaced
    }
}

impl Part {
    fn write(&self, captures: &Captures, text: &str, to: &mut String) {
        let group = match self {
            Self::Text(text) => return to.push_str(text),
            Self::Numbered(number) => captures.get_group(*number),
            Self::Named(name) => captures.get_group_by_name(name),
        };
        to.push_str(group.map_or("", |span| &text[span.range()]));
    }
}

/// Parses a replacement. A `$` that doesn't begin a reference stays as it is, as in Go.
fn template(replacement: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = replacement;
    while let Some((text, after)) = rest.split_once('$') {
        parts.push(Part::Text(text.to_owned()));
        if let Some(after) = after.strip_prefix('$') {
            parts.push(Part::Text("$".to_owned()));
            rest = after;
        } else if let Some((part, after)) = reference(after) {
            parts.push(part);
            rest = after;
        } else {
            parts.push(Part::Text("$".to_owned()));
            rest = after;
        }
    }
    parts.push(Part::Text(rest.to_owned()));
    parts.retain(|part| *part != Part::Text(String::new()));
    parts
}

/// Reads the reference that follows a `$`, and returns it with the text after it.
fn reference(text: &str) -> Option<(Part, &str)> {
    let word =
        |text: &str| text.find(|sign: char| !sign.is_alphanumeric() && sign != '_').unwrap_or(text.len());
    let (name, after) = match text.strip_prefix('{') {
        Some(inside) => {
            let (name, after) = inside.split_at(word(inside));
            (name, after.strip_prefix('}')?)
        }
        None => text.split_at(word(text)),
    };
    if name.is_empty() {
        return None;
    }
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    let part = match name.parse() {
        Ok(number) if is_number => Part::Numbered(number),
        _ => Part::Named(name.to_owned()),
    };
    Some((part, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(expression: &str, replacement: &str, text: &str) -> String {
        Substitution::new(expression, replacement).unwrap().apply(text)
    }

    // Measured on rclone 1.75.2, except for the last ones, which are from Go's documentation.
    #[test]
    fn replacements_are_those_of_go() {
        for (expression, replacement, expected) in [
            ("(n)(e)", "$2$1", "Oen.txt"),
            ("(?P<q>n)", "${q}_$1x", "On_e.txt"),
            ("n", "$$", "O$e.txt"),
            ("n", "$9", "Oe.txt"),
            ("n", "$", "O$e.txt"),
            ("", "x", "xOxnxex.xtxxxtx"),
            ("n*", "-", "-O-e-.-t-x-t-"),
            ("^", "x", "xOne.txt"),
            ("e$", "x", "One.txt"),
            (r"\bt", "T", "One.Txt"),
            ("n", "", "Oe.txt"),
            ("n", "${1", "O${1e.txt"),
            ("(n)", "${1}0", "On0e.txt"),
            ("(?U)t.*", "-", "One.-x-"),
            ("(?i)(o)|(n)", "<$1|$2>", "<O|><|n>e.txt"),
        ] {
            assert_eq!(replaced(expression, replacement, "One.txt"), expected, "{expression} {replacement}");
        }
    }

    #[test]
    fn groups_keep_their_numbers() {
        assert_eq!(replaced("(?:a)(b)(?i)(?P<c>C)((d))", "$1$2$c$3$4", "abcd"), "bccdd");
        assert_eq!(replaced("(a)|b", "[$1]", "abc"), "[a][]c");
        assert_eq!(replaced("(a){2}", "$1", "aab"), "ab");
    }
}
