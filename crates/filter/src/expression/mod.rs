//! Regular expressions as rclone's users write them: in the syntax of Go, which differs a little from Rust's.
//!
//! In Go `\d`, `\w`, `\s` and `\b` are ASCII only, `[a&&b]` and `[a[b]` are plain sets of characters, a `{` that
//! doesn't begin a count means itself, `\Q…\E` quotes, and nested counts whose product is above 1,000 are refused. So
//! the syntax is parsed here, and Rust's engine gets the meaning.

mod class;
mod parser;
mod substitution;

use std::borrow::Cow;

use regex_automata::{meta::Regex, nfa::thompson::WhichCaptures, util::syntax};

pub use substitution::Substitution;

/// Why an expression can't be parsed, in Go's words, with the part that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {why}: `{part}`")]
pub struct ExpressionError {
    /// Message of Go about the mistake.
    pub why: &'static str,
    /// Part of the expression that is wrong.
    pub part: String,
}

/// A compiled regular expression.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    source: String,
    regex: Regex,
}

impl Expression {
    /// Parses and compiles an expression.
    ///
    /// # Errors
    /// Go would refuse it, or it takes more than 10 MiB when compiled.
    pub(crate) fn new(source: String) -> Result<Self, ExpressionError> {
        // Callers only ask whether it matches.
        let regex = build(&source, WhichCaptures::None)?;
        Ok(Self { source, regex })
    }

    /// Returns the expression as it was written.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Checks whether the expression matches somewhere in the text.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// Parses an expression and compiles it.
fn build(source: &str, captures: WhichCaptures) -> Result<Regex, ExpressionError> {
    let meaning = parser::parse(source)?;
    let config = Regex::config().nfa_size_limit(Some(10 << 20)).which_captures(captures);
    let built = Regex::builder().configure(config).syntax(syntax::Config::new()).build_from_hir(&meaning);
    built.map_err(|_| ExpressionError { why: "expression too large", part: source.to_owned() })
}

/// Returns bytes as Go's expressions see them: every byte that isn't UTF-8 becomes a `�` of its own.
pub(crate) fn readable(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() * 2);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(expression: &str, text: &str) -> bool {
        Expression::new(expression.to_owned()).unwrap().matches(text)
    }

    fn refused(expression: &str) -> String {
        Expression::new(expression.to_owned()).unwrap_err().to_string()
    }

    #[test]
    fn classes_of_letters_know_ascii_alone() {
        assert!(matches(r"^\d\w\s$", "1a "));
        assert!(!matches(r"^\d$", "١"));
        assert!(!matches(r"^\w$", "é"));
        assert!(matches(r"^\W$", "é"));
        assert!(matches(r"\bé\b", "aéa"));
        assert!(!matches(r"^[[:alpha:]]$", "é"));
        assert!(matches(r"^[[:^alpha:]]$", "é"));
        assert!(matches(r"^\pL\p{Greek}\PN\p{^Nd}$", "éαxy"));
    }

    #[test]
    fn sets_of_characters_know_no_operations() {
        assert!(matches("^[a&&b]$", "&"));
        assert!(matches("^[a[b]$", "["));
        assert!(matches("^[]a]$", "]"));
        assert!(matches("^[^]a]$", "b"));
        assert!(matches("^[a-]$", "-"));
        assert!(matches("^[--/]$", "."));
        assert!(matches(r"^[\]\d~~]$", "~"));
        assert!(matches("^[^a]$", "\n"));
        assert!(!matches("^.$", "\n"));
        assert!(matches("^[[:word:]-]$", "-"));
        assert!(matches("^[[:x]$", ":"));
    }

    #[test]
    fn braces_that_count_nothing_are_themselves() {
        assert!(matches("^a{,3}$", "a{,3}"));
        assert!(matches("^a{$", "a{"));
        assert!(matches("^a{x}$", "a{x}"));
        assert!(matches("^a{02}$", "a{02}"));
        assert!(matches("^a{2}b{1,}c{0,2}$", "aabbbc"));
        assert!(matches("^}]$", "}]"));
    }

    #[test]
    fn quotes_escapes_and_flags() {
        assert!(matches(r"^\Qa.*\E.$", "a.*x"));
        assert!(matches(r"\Q$", "a$b"));
        assert!(matches(r"^\x41\x{1F600}\101\a\_\-$", "A😀A\u{7}_-"));
        assert!(matches("(?i)^é[à-ü]$", "ÉÀ"));
        assert!(matches("(?i)^K$", "\u{212a}"));
        assert!(matches("^(?i:a)b$", "Ab"));
        assert!(!matches("^(?i:a)b$", "AB"));
        assert!(matches("^a(?i)b$", "aB"));
        assert!(matches("^(a(?i)b)c$", "aBc"));
        assert!(!matches("^(a(?i)b)c$", "aBC"));
        assert!(matches("(?s)^.$", "\n"));
        assert!(matches("(?m)^b$", "a\nb\nc"));
        assert!(matches("(?i-i)^a$", "a") && !matches("(?i-i)^a$", "A"));
        assert!(matches("(?P<n>a)(?<m>b)(?:c)()|", "abc"));
        assert!(matches("(?ii)^(|a)$", "A"));
        assert!(matches("^*a$", "a"));
        assert!(matches(r"^\Aa\z$", "a"));
        assert!(matches("a+?b??", "a"));
    }

    // Measured with rclone 1.75.2: its errors for `--include`.
    #[test]
    fn what_go_refuses_is_refused_in_its_words() {
        for (expression, error) in [
            (r"(^|/)\C$", r"invalid escape sequence: `\C`"),
            (r"(^|/)(\1)$", r"invalid escape sequence: `\1`"),
            (r"(^|/)(\x{110000})$", r"invalid escape sequence: `\x{110000`"),
            (r"(^|/)\x\／$", r"invalid escape sequence: `\x\／`"),
            ("(^|/)[z-a]$", "invalid character class range: `z-a`"),
            ("(^|/)[[:foo:]]$", "invalid character class range: `[:foo:]`"),
            (r"(^|/)(\p{Foo})$", r"invalid character class range: `\p{Foo}`"),
            ("(^|/)(a**)$", "invalid nested repetition operator: `**`"),
            ("(^|/)(*)$", "missing argument to repetition operator: `*`"),
            ("(^|/)(a{2,1})$", "invalid repeat count: `{2,1}`"),
            ("(^|/)(a{1001})$", "invalid repeat count: `{1001}`"),
            ("(^|/)((?=a))$", "invalid or unsupported Perl syntax: `(?=`"),
            ("(^|/)())$", "unexpected ): `(^|/)())$`"),
            ("(^|/)(()$", "missing closing ): `(^|/)(()$`"),
            ("(^|/)([a)$", "missing closing ]: `[a)$`"),
        ] {
            assert_eq!(refused(expression), format!("error parsing regexp: {error}"));
        }
        assert_eq!(refused("a\\"), "error parsing regexp: trailing backslash at end of expression: ``");
        assert!(refused("((a{100}){100}){100}").contains("invalid repeat count"));
        assert!(refused(&"(".repeat(2000)).contains("nests too deeply"));
    }

    #[test]
    fn bytes_that_are_no_text_are_one_character_each() {
        assert_eq!(readable(b"a\xff\xe2\x82z"), "a\u{fffd}\u{fffd}\u{fffd}z");
        assert!(matches("^a.{3}z$", &readable(b"a\xff\xe2\x82z")));
    }
}
