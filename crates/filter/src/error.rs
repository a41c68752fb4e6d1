//! Why filters can't be understood. The texts are rclone's, which people search for.

use crate::expression::ExpressionError;

/// Why filters can't be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Brackets or braces without their counterpart.
    #[error("mismatched {signs} in glob {}", quoted(pattern))]
    Mismatched {
        /// Which.
        signs: &'static str,
        /// Where.
        pattern: String,
    },
    /// More than two stars in a row.
    #[error("too many stars in {}", quoted(.0))]
    TooManyStars(String),
    /// A regular expression in a pattern that can't be understood.
    #[error("bad glob pattern {} (regexp {}): {source}", quoted(pattern), quoted(expression))]
    Expression {
        /// The pattern.
        pattern: String,
        /// What it stands for.
        expression: String,
        /// Why.
        source: ExpressionError,
    },
    /// A rule of `--filter` that begins with neither `+ ` nor `- `, nor is `!`.
    #[error("malformed rule {}: it must begin with \"+ \" (take) or \"- \" (leave out), or be \"!\" (forget the rules before)", quoted(.0))]
    MalformedRule(String),
    /// A line of 64 KiB or more.
    #[error("line {0} is longer than 65535 bytes")]
    LineTooLong(usize),
    /// No slash in `--hash-filter`.
    #[error("--hash-filter: no / found: expected K/N such as 1/3, or @/N for a share at random")]
    ShareWithoutSlash,
    /// A number in `--hash-filter` that is none.
    #[error("--hash-filter: can't parse {which}={text:?}: it must be a whole number")]
    ShareNumber {
        /// `K` or `N`.
        which: char,
        /// What stands there.
        text: String,
    },
    /// `--hash-filter` divides by nothing.
    #[error("--hash-filter: N must be greater than 0")]
    ShareOfNone,
    /// A flag's value that can't be understood.
    #[error("{flag}: {source}")]
    Flag {
        /// The flag.
        flag: &'static str,
        /// Why.
        source: Box<FilterError>,
    },
    /// `--files-from` and others at once.
    #[error(
        "the usage of {flag} overrides all other filters, it should be used alone or with {first} or {second}"
    )]
    NotAlone {
        /// The flag.
        flag: &'static str,
        /// One that it goes with.
        first: &'static str,
        /// Another one.
        second: &'static str,
    },
}

/// A text in quotes as Go writes it: what can be read stays as it is.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if control.is_ascii_control() => out.extend(control.escape_default()),
            plain => out.push(plain),
        }
    }
    out.push('"');
    out
}
