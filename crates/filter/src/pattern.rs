//! rclone's patterns for paths, and the regular expressions that they mean.
//!
//! `*` means anything but a slash, `**` anything, `?` one character but a slash, `[…]` one of several characters,
//! `{a,b}` one of several texts, `{{…}}` a regular expression; a backslash makes a character literal. A slash in
//! front ties the pattern to the root of the tree. The expressions are written the way rclone writes them, since
//! `--dump filters` shows them and equal ones count once.

use crate::FilterError;

/// State of the translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// The reader is in text, where the pattern's own signs count.
    Text,
    /// The reader is in `[…]`, with this number of open brackets. The content stays as it is, and a backslash means
    /// nothing.
    Brackets(usize),
    /// The reader is in `{{…`, which stays as it is.
    Expression,
    /// Just after `}}`: one more `}` still belongs to the expression.
    EndOfExpression,
}

/// Returns the regular expression that a pattern means.
///
/// # Errors
/// Brackets or braces don't match, or there are more than two stars in a row.
pub(crate) fn to_expression(pattern: &str, ignore_case: bool) -> Result<String, FilterError> {
    let (anchor, text) = match pattern.strip_prefix('/') {
        Some(rest) => ("^", rest),
        None => ("(^|/)", pattern),
    };
    let mut translation = Translation {
        pattern: text,
        out: format!("{}{anchor}", if ignore_case { "(?i)" } else { "" }),
        inside: Inside::Text,
        open_braces: 0,
        stars: 0,
        escaped: false,
    };
    let mut before = None;
    for character in text.chars() {
        translation.take(character, before)?;
        before = Some(character);
    }
    translation.finish()
}

struct Translation<'a> {
    /// The pattern as errors quote it: without the slash in front.
    pattern: &'a str,
    out: String,
    inside: Inside,
    open_braces: usize,
    stars: usize,
    escaped: bool,
}

impl Translation<'_> {
    fn take(&mut self, character: char, before: Option<char>) -> Result<(), FilterError> {
        if std::mem::take(&mut self.escaped) {
            self.out.push(character);
            return Ok(());
        }
        match self.inside {
            Inside::EndOfExpression if character == '}' => {
                // The longest expression counts, so the braces that closed it before were a part of it.
                self.out.pop();
                self.out.push_str("})");
                return Ok(());
            }
            Inside::EndOfExpression => self.inside = Inside::Text,
            Inside::Expression => {
                if character == '}' && before == Some('}') {
                    self.out.pop();
                    self.out.push(')');
                    self.inside = Inside::EndOfExpression;
                } else {
                    self.out.push(character);
                }
                return Ok(());
            }
            Inside::Brackets(open) => {
                self.out.push(character);
                self.inside = match (character, open) {
                    ('[', open) => Inside::Brackets(open + 1),
                    (']', 1) => Inside::Text,
                    (']', open) => Inside::Brackets(open - 1),
                    (_, open) => Inside::Brackets(open),
                };
                return Ok(());
            }
            Inside::Text => {}
        }
        if character == '*' {
            self.stars += 1;
            return Ok(());
        }
        self.write_stars()?;
        self.text(character, before)
    }

    fn text(&mut self, character: char, before: Option<char>) -> Result<(), FilterError> {
        match character {
            '\\' => {
                self.out.push('\\');
                self.escaped = true;
            }
            '?' => self.out.push_str("[^/]"),
            '[' => {
                self.out.push('[');
                self.inside = Inside::Brackets(1);
            }
            ']' => return Err(self.mismatched("']'")),
            // The group that the first brace opened belongs to the expression.
            '{' if self.open_braces > 0 && before == Some('{') => {
                self.inside = Inside::Expression;
                self.open_braces -= 1;
            }
            '{' => {
                self.open_braces += 1;
                self.out.push('(');
            }
            '}' if self.open_braces == 0 => return Err(self.mismatched("'{' and '}'")),
            '}' => {
                self.open_braces -= 1;
                self.out.push(')');
            }
            ',' if self.open_braces > 0 => self.out.push('|'),
            '.' | '+' | '(' | ')' | '|' | '^' | '$' => self.out.extend(['\\', character]),
            plain => self.out.push(plain),
        }
        Ok(())
    }

    fn write_stars(&mut self) -> Result<(), FilterError> {
        match std::mem::take(&mut self.stars) {
            0 => {}
            1 => self.out.push_str("[^/]*"),
            2 => self.out.push_str(".*"),
            _ => return Err(FilterError::TooManyStars(self.pattern.to_owned())),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<String, FilterError> {
        self.write_stars()?;
        match self.inside {
            Inside::Brackets(_) => Err(self.mismatched("'[' and ']'")),
            _ if self.open_braces > 0 => Err(self.mismatched("'{' and '}'")),
            Inside::Expression => Err(self.mismatched("'{{' and '}}'")),
            Inside::Text | Inside::EndOfExpression => {
                self.out.push('$');
                Ok(self.out)
            }
        }
    }

    fn mismatched(&self, signs: &'static str) -> FilterError {
        FilterError::Mismatched { signs, pattern: self.pattern.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(pattern: &str) -> String {
        to_expression(pattern, false).unwrap()
    }

    // Measured with rclone 1.75.2: `--dump filters`.
    #[test]
    fn expressions_are_those_of_rclone() {
        for (pattern, expected) in [
            ("", "(^|/)$"),
            ("/", "^$"),
            ("*.jpg", r"(^|/)[^/]*\.jpg$"),
            ("/a/**/b?", "^a/.*/b[^/]$"),
            ("/a/{b,c}/*.txt", r"^a/(b|c)/[^/]*\.txt$"),
            ("{a{b}}", "(^|/)(a(b))$"),
            ("{{a}}}", "(^|/)(a})$"),
            ("{{a}}}}", "(^|/)(a}})$"),
            ("{{{a}}}", "(^|/)({a})$"),
            ("*.{{jpe?g}}", r"(^|/)[^/]*\.(jpe?g)$"),
            ("{{a}}*", "(^|/)(a)[^/]*$"),
            ("{{a}},{{b}}", "(^|/)(a),(b)$"),
            ("{/a,b}", "(^|/)(/a|b)$"),
            ("a//b///c", "(^|/)a//b///c$"),
            ("a\\", "(^|/)a\\$"),
            (r"\Q", r"(^|/)\Q$"),
            ("[*]*", "(^|/)[*][^/]*$"),
            ("[[]]", "(^|/)[[]]$"),
            ("a,b", "(^|/)a,b$"),
        ] {
            assert_eq!(expression(pattern), expected, "{pattern}");
        }
        assert_eq!(to_expression("/A*", true).unwrap(), "(?i)^A[^/]*$");
    }

    #[test]
    fn what_does_not_match_up_is_refused_in_the_words_of_rclone() {
        for (pattern, message) in [
            ("/***", "too many stars in \"***\""),
            ("a**b***", "too many stars in \"a**b***\""),
            ("a[b", "mismatched '[' and ']' in glob \"a[b\""),
            ("[\\", "mismatched '[' and ']' in glob \"[\\\\\""),
            ("a]", "mismatched ']' in glob \"a]\""),
            ("{a", "mismatched '{' and '}' in glob \"{a\""),
            ("}a{", "mismatched '{' and '}' in glob \"}a{\""),
            ("{{a}}b}", "mismatched '{' and '}' in glob \"{{a}}b}\""),
            ("{{a", "mismatched '{{' and '}}' in glob \"{{a\""),
            (r"\{{a}}", "mismatched '{' and '}' in glob \"\\\\{{a}}\""),
        ] {
            assert_eq!(to_expression(pattern, false).unwrap_err().to_string(), message);
        }
    }
}
