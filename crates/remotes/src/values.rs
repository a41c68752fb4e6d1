//! Parses the values of options.

use std::{collections::BTreeMap, fmt, time::Duration};

use fichier_encoding::Encoding;
use fichier_notation::{Secret, ValueError, parse_bool, parse_duration, parse_size};

use crate::backend::{BackendSpec, OptionKind, OptionSpec};

/// Values that were set for a remote: by flags, the environment, a connection string or the configuration file, of
/// which the winners were chosen already.
///
/// Every value is hidden until it is read as what its option declares, since it isn't known before that which of them
/// are secrets. Passwords are in the clear.
///
/// ```
/// use fichier_remotes::registry::Settings;
///
/// let settings = Settings::from_iter([("api_key", "KEY"), ("cdn", "true")]);
/// assert_eq!(format!("{settings:?}"), r#"{"api_key", "cdn"}"#);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, Secret>);

impl Settings {
    /// Sets an option, in place of an earlier value.
    pub fn set(&mut self, option: &str, value: impl Into<Secret>) {
        self.0.insert(option.to_owned(), value.into());
    }

    /// Removes the value of an option.
    pub fn unset(&mut self, option: &str) {
        self.0.remove(option);
    }

    /// Checks whether an option has a value.
    #[must_use]
    pub fn has(&self, option: &str) -> bool {
        self.0.contains_key(option)
    }
}

impl<K: Into<String>, V: Into<Secret>> FromIterator<(K, V)> for Settings {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(values: I) -> Self {
        Self(values.into_iter().map(|(option, value)| (option.into(), value.into())).collect())
    }
}

/// Shows which options are set, not their values.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Error about a value that doesn't suit its option. The value itself isn't kept, since it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("option {option}: {reason}")]
pub struct InvalidValue {
    /// Name of the option.
    pub option: &'static str,
    /// What is wrong, as a clause.
    pub reason: String,
}

/// Values chosen for a remote: what was set, or the defaults.
pub struct Chosen<'a> {
    backend: &'static BackendSpec,
    settings: &'a Settings,
}

impl fmt::Debug for Chosen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values aren't shown: some are secrets.
        f.debug_struct("Chosen").field("backend", &self.backend.name).finish_non_exhaustive()
    }
}

impl<'a> Chosen<'a> {
    /// Collects the values for a remote of a backend.
    #[must_use]
    pub fn new(backend: &'static BackendSpec, settings: &'a Settings) -> Self {
        Self { backend, settings }
    }

    /// Returns a text; `None` if nothing, or nothing but an empty text, is set and there is no default.
    ///
    /// # Errors
    /// The backend has no such option, or declares it to be a secret.
    pub fn text(&self, option: &str) -> Result<Option<String>, InvalidValue> {
        self.read(option, |spec, text| match spec.sensitive {
            true => Err("it is a secret and is read as one".to_owned()),
            false => Ok(text.to_owned()),
        })
    }

    /// Returns a secret; `None` if nothing, or nothing but an empty text, is set.
    ///
    /// # Errors
    /// The backend has no such option.
    pub fn secret(&self, option: &str) -> Result<Option<Secret>, InvalidValue> {
        self.read(option, |_, text| Ok(Secret::new(text)))
    }

    /// Returns whether a switch is on.
    ///
    /// # Errors
    /// What is set is neither true nor false.
    pub fn flag(&self, option: &str) -> Result<bool, InvalidValue> {
        Ok(self.read(option, |_, text| switch(text))?.unwrap_or(false))
    }

    /// Returns whether a switch is on, or the word in its place.
    ///
    /// # Errors
    /// What is set is neither true nor false, nor one of the words.
    pub fn flag_or(&self, option: &str) -> Result<Result<bool, &'static str>, InvalidValue> {
        let read = self.read(option, |spec, text| match spec.kind {
            OptionKind::BoolOr(words) => switch_or(words, text),
            _ => switch(text).map(Ok),
        });
        Ok(read?.unwrap_or(Ok(false)))
    }

    /// Returns an encoding.
    ///
    /// # Errors
    /// The value isn't an encoding.
    pub fn encoding(&self, option: &str) -> Result<Option<Encoding>, InvalidValue> {
        self.read(option, |_, text| encoding(text))
    }

    /// Returns a duration.
    ///
    /// # Errors
    /// The value isn't a duration.
    pub fn duration(&self, option: &str) -> Result<Option<Duration>, InvalidValue> {
        self.read(option, |_, text| duration(text))
    }

    /// Returns a size in bytes.
    ///
    /// # Errors
    /// The value isn't a size.
    pub fn size(&self, option: &str) -> Result<Option<u64>, InvalidValue> {
        self.read(option, |_, text| size(text))
    }

    /// Returns a count of at least 1.
    ///
    /// # Errors
    /// The value isn't such a count.
    pub fn count(&self, option: &str) -> Result<Option<usize>, InvalidValue> {
        self.read(option, |_, text| count(text))
    }

    /// Returns one of the option's words.
    ///
    /// # Errors
    /// The value is none of them.
    pub fn choice(&self, option: &str) -> Result<Option<&'static str>, InvalidValue> {
        self.read(option, |spec, text| choice(spec.kind, text))
    }

    fn read<T>(
        &self,
        option: &str,
        read: impl FnOnce(&'static OptionSpec, &str) -> Result<T, String>,
    ) -> Result<Option<T>, InvalidValue> {
        let Some(spec) = self.backend.option(option) else {
            // A mistake in a backend: it asks for an option that it doesn't declare.
            let reason = format!("{} has no option {option:?}", self.backend.name);
            return Err(InvalidValue { option: "unknown", reason });
        };
        let set = self.settings.0.get(option).map(Secret::expose).filter(|text| !text.is_empty());
        let text = set.unwrap_or(spec.default);
        if text.is_empty() {
            return Ok(None);
        }
        read(spec, text).map(Some).map_err(|reason| InvalidValue { option: spec.name, reason })
    }
}

/// Checks that a value suits an option's kind.
pub(crate) fn check(spec: &OptionSpec, text: &str) -> Result<(), InvalidValue> {
    let checked = match spec.kind {
        OptionKind::Text | OptionKind::Secret => spec.rule.map_or(Ok(()), |rule| rule(text)),
        OptionKind::Bool => switch(text).map(drop),
        OptionKind::BoolOr(words) => switch_or(words, text).map(drop),
        OptionKind::Encoding => encoding(text).map(drop),
        OptionKind::Duration => duration(text).map(drop),
        OptionKind::Size => size(text).map(drop),
        OptionKind::Count => count(text).map(drop),
        OptionKind::Choice(_) => choice(spec.kind, text).map(drop),
    };
    checked.map_err(|reason| InvalidValue { option: spec.name, reason })
}

fn switch(text: &str) -> Result<bool, String> {
    parse_bool(text).map_err(|_| format!("{text:?} is neither true nor false"))
}

fn switch_or(
    words: &'static [(&'static str, &'static str)],
    text: &str,
) -> Result<Result<bool, &'static str>, String> {
    match words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)) {
        Some((word, _)) => Ok(Err(*word)),
        None => switch(text).map(Ok).map_err(|wrong| {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            format!("{wrong}, nor {}", words.join(", "))
        }),
    }
}

fn encoding(text: &str) -> Result<Encoding, String> {
    text.parse().map_err(|error: fichier_encoding::ParseEncodingError| error.to_string())
}

fn choice(kind: OptionKind, text: &str) -> Result<&'static str, String> {
    let OptionKind::Choice(words) = kind else { return Err("it isn't a choice of words".into()) };
    let words = words.iter().map(|(word, _)| *word);
    words.clone().find(|word| word.eq_ignore_ascii_case(text)).ok_or_else(|| {
        let words: Vec<_> = words.collect();
        format!("{text:?} is none of {}", words.join(", "))
    })
}

fn count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| format!("{text:?} is no number from 1 on"))
}

/// Parses a duration. None of the options of this kind can be off.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    on(text, parse_duration(text))
}

fn size(text: &str) -> Result<u64, String> {
    on(text, parse_size(text))
}

fn on<T>(text: &str, read: Result<Option<T>, ValueError>) -> Result<T, String> {
    let value = read.map_err(|error| format!("{text:?}: {error}"))?;
    value.ok_or_else(|| format!("{text:?}: this can't be off"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_of_time_and_sizes_are_written_as_everywhere_but_cannot_be_off() {
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(size("1.5G"), Ok(3 << 29));
        assert_eq!(duration("off").unwrap_err(), "\"off\": this can't be off");
        assert_eq!(size("OFF").unwrap_err(), "\"OFF\": this can't be off");
        for text in ["", "-1", "x", "1d12h"] {
            assert!(duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_secret_is_in_no_message() {
        let set = Settings::from_iter([("file_password", "hunter2")]);
        let chosen = Chosen::new(crate::registry::backend("fichier").unwrap(), &set);
        let secret = chosen.secret("file_password").unwrap().unwrap();
        assert_eq!(secret.expose(), "hunter2");
        assert!(!format!("{chosen:?} {set:?} {secret:?} {secret}").contains("hunter2"));
        assert!(chosen.text("file_password").is_err(), "a secret can't be had as a plain text");
        assert!(chosen.flag("no such option").is_err());
    }

    #[test]
    fn what_is_set_wins_over_the_default_and_nothing_means_the_default() {
        let backend = crate::registry::backend("fichier").unwrap();
        let set = Settings::from_iter([("upload_batch", "7"), ("empty_files", "Marker"), ("call_gap", "")]);
        let chosen = Chosen::new(backend, &set);
        assert_eq!(chosen.count("upload_batch"), Ok(Some(7)));
        assert_eq!(chosen.choice("empty_files"), Ok(Some("marker")));
        assert_eq!(chosen.duration("call_gap"), Ok(Some(Duration::from_millis(400))));
        assert_eq!(chosen.duration("list_gap"), Ok(None));
        assert_eq!(chosen.flag("cdn"), Ok(false));
        let wrong = Settings::from_iter([("upload_batch", "0")]);
        let error = Chosen::new(backend, &wrong).count("upload_batch").unwrap_err();
        assert_eq!(error.to_string(), r#"option upload_batch: "0" is no number from 1 on"#);
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in ".{0,20}") {
            let _ = (duration(&text), size(&text), count(&text), switch(&text));
        }
    }
}
