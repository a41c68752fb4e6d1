//! The questions about each kind of remote. The kinds are declared elsewhere; here are the types.

use std::fmt;
use std::sync::Arc;

use crate::connection::without_values;

/// Checks whether a value suits a question; the error is a clause that says what would.
pub type Check = Arc<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// A kind of remote.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Name, as in `type = fichier`.
    pub name: String,
    /// Description in a few words.
    pub description: String,
    /// Whether it has an account that can be asked for, to check a key.
    pub has_account: bool,
    /// Options of which at least one must be set before a remote can be opened; if empty, none must.
    pub needs_one_of: Vec<String>,
    /// Options, in the order in which they are asked.
    pub questions: Vec<Question>,
}

impl Provider {
    /// Returns the question for an option.
    #[must_use]
    pub fn question(&self, name: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.name == name)
    }
}

/// Group of a question: when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The question is always asked.
    Standard,
    /// Asked when the user wants the advanced options.
    Advanced,
    /// Asked after the advanced ones: options that rclone doesn't have.
    Own,
}

/// One of a few values that an option takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The value as stored.
    pub value: String,
    /// Meaning of the value.
    pub help: String,
}

/// One option of a kind of remote.
#[derive(Clone)]
pub struct Question {
    /// Name of the option in the file.
    pub name: String,
    /// Explanation of the option.
    pub help: String,
    /// rclone's name for its type: `string`, `bool`, `Duration`.
    pub kind: &'static str,
    /// Default value; empty if there is none.
    pub default: String,
    /// Whether a value is required.
    pub required: bool,
    /// When the question is asked.
    pub group: Group,
    /// Whether the value is a password, stored obscured.
    pub password: bool,
    /// Whether the value must not be shown: a key, or a password.
    pub sensitive: bool,
    /// Values to choose from; if empty, any that `check` accepts.
    pub choices: Vec<Choice>,
    /// Checks a value.
    pub check: Check,
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// How given passwords are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Obscuring {
    /// Obscured, unless they are obscured already.
    #[default]
    Unless,
    /// Obscured in any case.
    Always,
    /// Passwords are stored as they are.
    Never,
}

impl Question {
    /// Returns a value as it is stored in the file.
    #[must_use]
    pub fn stored(&self, value: &str, obscuring: Obscuring) -> String {
        let obscure = match obscuring {
            _ if !self.password || value.is_empty() => false,
            Obscuring::Never => false,
            Obscuring::Always => true,
            Obscuring::Unless => crate::reveal(value).is_err(),
        };
        if obscure { crate::obscure(value) } else { value.to_owned() }
    }

    /// Returns a stored value as it may be shown.
    #[must_use]
    pub fn shown(&self, stored: &str) -> String {
        if self.password && !stored.is_empty() {
            HIDDEN_PASSWORD.to_owned()
        } else if self.sensitive {
            shortened_key(stored)
        } else {
            without_values(stored)
        }
    }
}

/// Text that is shown instead of a password.
pub const HIDDEN_PASSWORD: &str = "*** ENCRYPTED ***";

/// How many characters of a key are shown, so that it can be recognised.
const SHOWN: usize = 4;

/// Returns a key as it may be shown: its last characters if it is long.
///
/// ```
/// assert_eq!(fichier_config::provider::shortened_key("0123456789abcdef"), "…cdef");
/// assert_eq!(fichier_config::provider::shortened_key("short"), "…");
/// ```
#[must_use]
pub fn shortened_key(key: &str) -> String {
    let count = key.chars().count();
    if key.is_empty() {
        String::new()
    } else if count < 4 * SHOWN {
        "…".to_owned()
    } else {
        format!("…{}", key.chars().skip(count - SHOWN).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(password: bool, sensitive: bool) -> Question {
        Question {
            name: "x".into(),
            help: String::new(),
            kind: "string",
            default: String::new(),
            required: false,
            group: Group::Standard,
            password,
            sensitive,
            choices: Vec::new(),
            check: Arc::new(|_| Ok(())),
        }
    }

    #[test]
    fn passwords_are_stored_obscured_once() {
        let password = question(true, true);
        let once = password.stored("hunter2", Obscuring::Unless);
        assert_eq!(crate::reveal(&once).unwrap().expose(), "hunter2");
        assert_eq!(password.stored(&once, Obscuring::Unless), once);
        let twice = password.stored(&once, Obscuring::Always);
        assert_eq!(crate::reveal(&twice).unwrap().expose(), once);
        assert_eq!(password.stored("hunter2", Obscuring::Never), "hunter2");
        assert_eq!(password.stored("", Obscuring::Always), "");
        assert_eq!(question(false, true).stored("hunter2", Obscuring::Always), "hunter2");
    }

    #[test]
    fn what_is_shown_gives_nothing_away() {
        assert_eq!(question(true, true).shown("abc"), HIDDEN_PASSWORD);
        assert_eq!(question(false, true).shown("0123456789abcdef"), "…cdef");
        assert_eq!(question(false, false).shown("abc"), "abc");
        assert_eq!(question(false, false).shown(":fichier,api_key=KEY:a"), ":fichier,api_key=…:a");
        assert_eq!(question(true, true).shown(""), "");
    }
}
