//! Errors in filters. The texts are rclone's, which people search for.

use crate::expression::ExpressionError;

/// Why a filter can't be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// A bracket or brace has no counterpart.
    #[error("mismatched {signs} in glob {}", quoted(pattern))]
    Mismatched {
        /// The pair of signs.
        signs: &'static str,
        /// The whole pattern.
        pattern: String,
    },
    /// The pattern has more than two stars in a row.
    #[error("too many stars in {}", quoted(.0))]
    TooManyStars(String),
    /// The regular expression in a pattern can't be parsed.
    #[error("bad glob pattern {} (regexp {}): {source}", quoted(pattern), quoted(expression))]
    Expression {
        /// The whole pattern.
        pattern: String,
        /// Regular expression that the pattern was translated to.
        expression: String,
        /// What is wrong with the expression.
        source: ExpressionError,
    },
    /// A rule of `--filter` begins with neither `+ ` nor `- `, and isn't `!`.
    #[error("malformed rule {}: it must begin with \"+ \" (take) or \"- \" (leave out), or be \"!\" (forget the rules before)", quoted(.0))]
    MalformedRule(String),
    /// A line has 64 KiB or more.
    #[error("line {0} is longer than 65535 bytes")]
    LineTooLong(usize),
    /// The value of `--hash-filter` has no slash.
    #[error("--hash-filter: no / found: expected K/N such as 1/3, or @/N for a share at random")]
    ShareWithoutSlash,
    /// A part of the value of `--hash-filter` isn't a number.
    #[error("--hash-filter: can't parse {which}={text:?}: it must be a whole number")]
    ShareNumber {
        /// Name of the part: `K` or `N`.
        which: char,
        /// Text of the part.
        text: String,
    },
    /// The number of shares in `--hash-filter` is zero.
    #[error("--hash-filter: N must be greater than 0")]
    ShareOfNone,
    /// The value of a flag can't be parsed.
    #[error("{flag}: {source}")]
    Flag {
        /// Name of the flag.
        flag: &'static str,
        /// What is wrong with the value.
        source: Box<FilterError>,
    },
    /// `--files-from` is used together with other filters.
    #[error(
        "the usage of {flag} overrides all other filters, it should be used alone or with {first} or {second}"
    )]
    NotAlone {
        /// Name of the flag.
        flag: &'static str,
        /// Name of one flag that it may be used with.
        first: &'static str,
        /// Name of another such flag.
        second: &'static str,
    },
}

/// Quotes a text as Go does: readable characters stay as they are.
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
