//! Patterns for other texts than paths, such as the names of remotes.

use crate::{FilterError, expression::Expression, pattern};

/// A pattern in the language of filters, for a text that isn't a path.
#[derive(Debug)]
pub struct TextPattern(Expression);

impl TextPattern {
    /// Parses a pattern. It fits a text if it fits a part of it, or with `whole` only if it fits all of it.
    ///
    /// # Errors
    /// Brackets or braces don't match, or the expression in them is wrong.
    pub fn new(pattern: &str, whole: bool) -> Result<Self, FilterError> {
        let anchored = pattern::to_expression(&format!("/{pattern}"), false)?;
        let bare = anchored.strip_prefix('^').and_then(|rest| rest.strip_suffix('$'));
        let source = match bare {
            Some(bare) if !whole => bare.to_owned(),
            _ => anchored,
        };
        let expression = Expression::new(source.clone()).map_err(|error| FilterError::Expression {
            pattern: pattern.to_owned(),
            expression: source,
            source: error,
        })?;
        Ok(Self(expression))
    }

    /// Checks whether the pattern fits a text.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        self.0.matches(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_a_part_or_the_whole() {
        for (pattern, text, part, whole) in [
            ("box", "dropbox", true, false),
            ("*box", "dropbox", true, true),
            ("Mi?", "Mid", true, true),
            ("", "", true, true),
            ("{a,b}", "b", true, true),
            ("?", "", false, false),
        ] {
            for (is_whole, expected) in [(false, part), (true, whole)] {
                let fits = TextPattern::new(pattern, is_whole).unwrap().fits(text);
                assert_eq!(fits, expected, "{pattern:?} {text:?} {is_whole}");
            }
        }
        assert!(TextPattern::new("{{[}}", false).is_err());
        assert!(TextPattern::new("{a", true).is_err());
    }
}
