//! From the text of a value to the value.

use std::{collections::BTreeMap, fmt, time::Duration};

use fichier_encoding::Encoding;

use super::{BackendSpec, OptionKind, OptionSpec};

/// What was set for a remote: by flags, the environment, a connection string or the configuration file,
/// already weighed against each other.
pub trait Settings: Sync {
    /// The text that was set for an option, secrets in the clear; `None` if nothing was.
    fn get(&self, option: &str) -> Option<String>;
}

impl Settings for BTreeMap<String, String> {
    fn get(&self, option: &str) -> Option<String> {
        BTreeMap::get(self, option).cloned()
    }
}

/// A value that doesn't suit its option. The value itself isn't kept, since it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("option {option}: {reason}")]
pub struct InvalidValue {
    /// The option.
    pub option: &'static str,
    /// What is wrong, as a clause.
    pub reason: String,
}

/// The values chosen for a remote: what was set, or the defaults.
pub struct Chosen<'a> {
    backend: &'static BackendSpec,
    settings: &'a dyn Settings,
}

impl fmt::Debug for Chosen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the values: some are secrets.
        f.debug_struct("Chosen").field("backend", &self.backend.name).finish_non_exhaustive()
    }
}

impl<'a> Chosen<'a> {
    /// The values for a remote of a backend.
    #[must_use]
    pub fn new(backend: &'static BackendSpec, settings: &'a dyn Settings) -> Self {
        Self { backend, settings }
    }

    /// A text; `None` if nothing, or nothing but an empty text, is set and there is no default.
    ///
    /// # Errors
    /// The backend has no such option.
    pub fn text(&self, option: &str) -> Result<Option<String>, InvalidValue> {
        self.read(option, |_, text| Ok(text.to_owned()))
    }

    /// Whether a switch is on.
    ///
    /// # Errors
    /// What is set is neither true nor false.
    pub fn flag(&self, option: &str) -> Result<bool, InvalidValue> {
        Ok(self.read(option, |_, text| switch(text))?.unwrap_or(false))
    }

    /// Whether a switch is on, or the word in its place.
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

    /// An encoding.
    ///
    /// # Errors
    /// What is set is none.
    pub fn encoding(&self, option: &str) -> Result<Option<Encoding>, InvalidValue> {
        self.read(option, |_, text| encoding(text))
    }

    /// A length of time.
    ///
    /// # Errors
    /// What is set is none.
    pub fn duration(&self, option: &str) -> Result<Option<Duration>, InvalidValue> {
        self.read(option, |_, text| duration(text))
    }

    /// A number of bytes.
    ///
    /// # Errors
    /// What is set is none.
    pub fn size(&self, option: &str) -> Result<Option<u64>, InvalidValue> {
        self.read(option, |_, text| size(text))
    }

    /// A number of things, at least 1.
    ///
    /// # Errors
    /// What is set is none.
    pub fn count(&self, option: &str) -> Result<Option<usize>, InvalidValue> {
        self.read(option, |_, text| count(text))
    }

    /// One of the option's words.
    ///
    /// # Errors
    /// What is set is none of them.
    pub fn choice(&self, option: &str) -> Result<Option<&'static str>, InvalidValue> {
        self.read(option, |spec, text| choice(spec.kind, text))
    }

    fn read<T>(
        &self,
        option: &str,
        read: impl FnOnce(&'static OptionSpec, &str) -> Result<T, String>,
    ) -> Result<Option<T>, InvalidValue> {
        let Some(spec) = self.backend.option(option) else {
            // A slip in a backend: it asks for what it doesn't declare.
            let reason = format!("{} has no option {option:?}", self.backend.name);
            return Err(InvalidValue { option: "unknown", reason });
        };
        let text = self.settings.get(option).filter(|text| !text.is_empty());
        let text = text.unwrap_or_else(|| spec.default.to_owned());
        if text.is_empty() {
            return Ok(None);
        }
        read(spec, &text).map(Some).map_err(|reason| InvalidValue { option: spec.name, reason })
    }
}

/// Sees to it that a value suits an option's kind.
pub(super) fn check(spec: &OptionSpec, text: &str) -> Result<(), InvalidValue> {
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

/// The words that rclone takes for yes and no.
fn switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
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

/// The longest length of time that is accepted: 1,000 years. Every clock can be set so far ahead.
const LONGEST_DURATION: Duration = Duration::from_secs(1_000 * 365 * 86_400);

/// Numbers with units, one after the other: `1h30m`. A bare number is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no length of time like 400ms, 30s or 1h30m");
    let too_long = || format!("{text:?} is too long");
    let seconds = |number: f64| {
        let time = Duration::try_from_secs_f64(number).ok().filter(|time| *time <= LONGEST_DURATION);
        time.ok_or_else(too_long)
    };
    if let Some(number) = number(text) {
        return seconds(number);
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|sign: char| !sign.is_ascii_digit() && sign != '.').ok_or_else(wrong)?;
        let (amount, behind) = rest.split_at(digits);
        let end = behind.find(|sign: char| sign.is_ascii_digit() || sign == '.').unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        let unit = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "w" => 7.0 * 86_400.0,
            "M" => 30.0 * 86_400.0,
            "y" => 365.0 * 86_400.0,
            _ => return Err(wrong()),
        };
        let amount = number(amount).ok_or_else(wrong)?;
        total += seconds(amount * unit)?;
        if total > LONGEST_DURATION {
            return Err(too_long());
        }
        rest = behind;
    }
    if text.is_empty() { Err(wrong()) } else { Ok(total) }
}

/// A number with a binary unit: `16Mi`, `16M` and `16MiB` are the same. A bare number is KiB, as in rclone.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no size like 512B, 100Ki or 1.5G");
    let digits = text.find(|sign: char| !sign.is_ascii_digit() && sign != '.').unwrap_or(text.len());
    let (amount, unit) = text.split_at(digits);
    let power = match unit.strip_suffix("iB").or_else(|| unit.strip_suffix('i')).unwrap_or(unit) {
        "" => 1,
        "B" | "b" => 0,
        "K" | "k" => 1,
        "M" | "m" => 2,
        "G" | "g" => 3,
        "T" | "t" => 4,
        "P" | "p" => 5,
        _ => return Err(wrong()),
    };
    let bytes = number(amount).ok_or_else(wrong)? * 1024_f64.powi(power);
    if bytes >= 9.2e18 {
        return Err(wrong());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range, as seen above")]
    Ok(bytes as u64)
}

/// Digits with at most one point; no sign, no exponent, no words such as "inf".
fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_of_time_are_read() {
        for (text, milliseconds) in [
            ("400ms", 400),
            ("30s", 30_000),
            ("1h30m", 5_400_000),
            ("1.5", 1500),
            ("0", 0),
            ("1d", 86_400_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in [
            "",
            "s",
            "-1s",
            "1 s",
            "1x",
            "5m3",
            "inf",
            "1e3",
            "9999999999999999999999y",
            "1001y",
            "999y366d",
            ".",
        ] {
            assert!(duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in
            [("1", 1024), ("512B", 512), ("16Mi", 16 << 20), ("1.5G", 3 << 29), ("2KiB", 2048)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "-1", "x", "1X", "1Bi2", "99999999P"] {
            assert!(size(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_secret_is_in_no_message() {
        let none = BTreeMap::from([("file_password".to_owned(), "hunter2".to_owned())]);
        let chosen = Chosen::new(super::super::backend("fichier").unwrap(), &none);
        assert_eq!(chosen.text("file_password").unwrap().as_deref(), Some("hunter2"));
        assert!(!format!("{chosen:?}").contains("hunter2"));
        assert!(chosen.flag("no such option").is_err());
    }

    #[test]
    fn what_is_set_wins_over_the_default_and_nothing_means_the_default() {
        let backend = super::super::backend("fichier").unwrap();
        let set = BTreeMap::from([
            ("upload_batch".to_owned(), "7".to_owned()),
            ("empty_files".to_owned(), "Marker".to_owned()),
            ("call_gap".to_owned(), String::new()),
        ]);
        let chosen = Chosen::new(backend, &set);
        assert_eq!(chosen.count("upload_batch"), Ok(Some(7)));
        assert_eq!(chosen.choice("empty_files"), Ok(Some("marker")));
        assert_eq!(chosen.duration("call_gap"), Ok(Some(Duration::from_millis(400))));
        assert_eq!(chosen.duration("list_gap"), Ok(None));
        assert_eq!(chosen.flag("cdn"), Ok(false));
        let wrong = BTreeMap::from([("upload_batch".to_owned(), "0".to_owned())]);
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
