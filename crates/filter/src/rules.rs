//! Lists of rules: the first one that matches decides; what none matches is included.

use std::collections::HashSet;

use crate::{FilterError, expression::Expression, folders, pattern};

/// A rule that includes or excludes what matches.
#[derive(Debug, Clone)]
struct Rule {
    takes: bool,
    expression: Expression,
}

/// Rules in their order, each only once.
#[derive(Debug, Clone, Default)]
struct RuleList {
    rules: Vec<Rule>,
    known: HashSet<(bool, String)>,
}

impl RuleList {
    /// Adds a rule for a pattern, unless there is an equal one.
    fn add(&mut self, takes: bool, pattern: &str, ignore_case: bool) -> Result<(), FilterError> {
        let source = pattern::to_expression(pattern, ignore_case)?;
        if self.known.contains(&(takes, source.clone())) {
            return Ok(());
        }
        let expression = Expression::new(source.clone()).map_err(|error| FilterError::Expression {
            pattern: pattern.strip_prefix('/').unwrap_or(pattern).to_owned(),
            expression: source.clone(),
            source: error,
        })?;
        self.rules.push(Rule { takes, expression });
        self.known.insert((takes, source));
        Ok(())
    }

    fn takes(&self, path: &str) -> bool {
        self.rules.iter().find(|rule| rule.expression.matches(path)).is_none_or(|rule| rule.takes)
    }

    /// Checks whether something known under several texts is included: the first rule that matches one of them
    /// decides.
    fn takes_any(&self, texts: &[String]) -> bool {
        let matches = |rule: &&Rule| texts.iter().any(|text| rule.expression.matches(text));
        self.rules.iter().find(matches).is_none_or(|rule| rule.takes)
    }

    fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.rules
            .iter()
            .map(|rule| format!("{} {}", if rule.takes { '+' } else { '-' }, rule.expression.source()))
    }
}

/// Rules for files, and those for folders that follow from them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    ignore_case: bool,
    files: RuleList,
    folders: RuleList,
}

impl Rules {
    /// Makes an empty list of rules.
    pub(crate) fn new(ignore_case: bool) -> Self {
        Self { ignore_case, ..Self::default() }
    }

    /// Adds a pattern that includes or excludes. One that ends in a slash is about folders.
    ///
    /// # Errors
    /// The pattern can't be parsed.
    pub(crate) fn add(&mut self, takes: bool, pattern: &str) -> Result<(), FilterError> {
        let names_folder = pattern.ends_with('/');
        // A folder is excluded with everything in it.
        let pattern = if names_folder && !takes { format!("{pattern}**") } else { pattern.to_owned() };
        let crosses_folders = pattern.contains("**");
        if !names_folder || crosses_folders {
            self.files.add(takes, &pattern, self.ignore_case)?;
            // A pattern that excludes files says nothing about folders, unless it excludes everything.
            if takes || pattern == "*" {
                for folder in folders::leading_to(&pattern) {
                    self.folders.add(takes, &folder, self.ignore_case)?;
                }
            }
        }
        if names_folder || crosses_folders {
            self.folders.add(takes, &pattern, self.ignore_case)?;
        }
        Ok(())
    }

    /// Adds a rule as `--filter` takes it: `+ pattern`, `- pattern`, or `!`, which drops the rules before it.
    ///
    /// # Errors
    /// The rule is none of these, or its pattern can't be parsed.
    pub(crate) fn add_signed(&mut self, rule: &str) -> Result<(), FilterError> {
        if rule == "!" {
            *self = Self::new(self.ignore_case);
            return Ok(());
        }
        match (rule.strip_prefix("+ "), rule.strip_prefix("- ")) {
            (Some(pattern), _) => self.add(true, pattern),
            (_, Some(pattern)) => self.add(false, pattern),
            _ => Err(FilterError::MalformedRule(rule.to_owned())),
        }
    }

    /// Checks whether there are no rules.
    pub(crate) fn is_empty(&self) -> bool {
        self.files.rules.is_empty() && self.folders.rules.is_empty()
    }

    /// Checks whether the file at a path, seen from the root, is included.
    pub(crate) fn take_file(&self, path: &str) -> bool {
        self.files.takes(path)
    }

    /// Checks whether something known under these texts is included.
    pub(crate) fn take_any(&self, texts: &[String]) -> bool {
        self.files.takes_any(texts)
    }

    /// Returns the rules for metadata as `--dump filters` shows them.
    pub(crate) fn metadata_lines(&self) -> impl Iterator<Item = String> + '_ {
        std::iter::once("--- Metadata filter rules ---".to_owned()).chain(self.files.lines())
    }

    /// Checks whether the folder at a path may hold something that is included.
    pub(crate) fn take_folder(&self, path: &str) -> bool {
        self.folders.rules.is_empty() || self.folders.takes(&format!("{path}/"))
    }

    /// Returns the rules as `--dump filters` shows them.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> + '_ {
        std::iter::once("--- File filter rules ---".to_owned())
            .chain(self.files.lines())
            .chain(std::iter::once("--- Directory filter rules ---".to_owned()))
            .chain(self.folders.lines())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(lines: &[&str]) -> Rules {
        let mut rules = Rules::new(false);
        for line in lines {
            rules.add_signed(line).unwrap();
        }
        rules
    }

    #[test]
    fn the_first_match_decides() {
        let rules = rules(&["+ a.txt", "- *.txt"]);
        assert!(rules.take_file("a.txt") && rules.take_file("x/a.txt") && rules.take_file("b.jpg"));
        assert!(!rules.take_file("b.txt"));
        assert!(rules.take_folder("x"));
    }

    #[test]
    fn an_exclamation_mark_forgets_what_was_before() {
        assert!(rules(&["- *", "!"]).is_empty());
    }

    // Measured with rclone 1.75.2: `--dump filters`.
    #[test]
    fn rules_for_folders_are_those_of_rclone() {
        let lines = |rule: &str| rules(&[rule]).lines().collect::<Vec<_>>().join("|");
        let (files, folders) = ("--- File filter rules ---", "--- Directory filter rules ---");
        for (rule, of_files, of_folders) in [
            ("- a/b/", "- (^|/)a/b/.*$", "- (^|/)a/b/.*$"),
            ("+ a**", "+ (^|/)a.*$", "+ (^|/)a.*/$|+ (^|/)a.*$"),
            ("- *", "- (^|/)[^/]*$", "- ^.*$"),
            ("- /**", "- ^.*$", "- ^.*$"),
            ("+ {{a}}/**", "+ (^|/)(a)/.*$", "+ ^.*$|+ (^|/)(a)/.*$"),
        ] {
            assert_eq!(lines(rule), format!("{files}|{of_files}|{folders}|{of_folders}"), "{rule}");
        }
        assert_eq!(lines("+ a/"), format!("{files}|{folders}|+ (^|/)a/$"));
        assert_eq!(lines("- a"), format!("{files}|- (^|/)a$|{folders}"));
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for rule in ["x", "#x", "+", "-a", ""] {
            assert_eq!(Rules::new(false).add_signed(rule), Err(FilterError::MalformedRule(rule.to_owned())));
        }
        let error = Rules::new(false).add(true, "/{{(}}").unwrap_err();
        let expected = "bad glob pattern \"{{(}}\" (regexp \"^(()$\"): \
            error parsing regexp: missing closing ): `^(()$`";
        assert_eq!(error.to_string(), expected);
    }
}
