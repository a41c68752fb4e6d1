//! Reads booleans, sizes and durations in rclone's notation (measured on v1.75.2), and hides secrets.
//!
//! Flags, the configuration file and the options of backends are all read here, so that a value means the same
//! wherever it is written.

mod secret;

use std::time::Duration;

pub use secret::Secret;

/// Why a text is no value of its kind. The text itself isn't part of the error: it may have been meant for another
/// key, which is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The text isn't one of the words for yes and no.
    #[error("this must be true or false")]
    NotBool,
    /// The text isn't a size.
    #[error("this must be a size like 10M, 1.5G or off")]
    NotSize,
    /// The size is 8 EiB or more.
    #[error("this size is too large")]
    SizeTooLarge,
    /// The text isn't a duration.
    #[error("this must be a duration like 100ms, 1h30m, 2d or off")]
    NotDuration,
    /// The duration is longer than [`LONGEST_DURATION`].
    #[error("this duration is too long")]
    DurationTooLong,
}

/// Longest duration that is accepted: 1,000 years. Every clock can be set so far ahead.
pub const LONGEST_DURATION: Duration = Duration::from_secs(1_000 * 365 * 86_400);

/// Reads a boolean.
///
/// # Errors
/// The text isn't one of `1 t T TRUE true True` and `0 f F FALSE false False`.
pub fn parse_bool(text: &str) -> Result<bool, ValueError> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(ValueError::NotBool),
    }
}

/// Reads a size in bytes; `off` is `None`. **A number without a unit counts KiB**, as with rclone; `B` is bytes.
/// Units are powers of 1024 and may be written `M`, `m`, `Mi` or `MiB`.
///
/// ```
/// use fichier_notation::parse_size;
/// assert_eq!(parse_size("1.5G"), Ok(Some(1_610_612_736)));
/// assert_eq!(parse_size("1"), Ok(Some(1024)));
/// assert_eq!(parse_size("off"), Ok(None));
/// ```
///
/// # Errors
/// The text isn't a size, or the size is negative or 8 EiB or more.
pub fn parse_size(text: &str) -> Result<Option<u64>, ValueError> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let (text, binary) = match ["iB", "ib", "i"].iter().find_map(|suffix| text.strip_suffix(suffix)) {
        Some(text) => (text, true),
        None => (text, false),
    };
    let unit = text.chars().last().ok_or(ValueError::NotSize)?;
    let shift = match unit {
        '0'..='9' | '.' if !binary => 10,
        'b' | 'B' if !binary => 0,
        'k' | 'K' => 10,
        'm' | 'M' => 20,
        'g' | 'G' => 30,
        't' | 'T' => 40,
        'p' | 'P' => 50,
        'e' | 'E' => 60,
        _ => return Err(ValueError::NotSize),
    };
    let digits = if unit.is_alphabetic() { text.strip_suffix(unit).unwrap_or(text) } else { text };
    let number = decimal(digits).ok_or(ValueError::NotSize)?;
    let bytes = number * 2f64.powi(shift);
    if bytes >= 2f64.powi(63) {
        return Err(ValueError::SizeTooLarge);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    Ok(Some(bytes as u64))
}

/// Reads a duration; `off` is `None`, which means no end. A number without a unit counts seconds. Units of Go may be
/// combined (`ns us µs ms s m h`); `d w M y` (a month has 30 days, a year 365) can't.
///
/// rclone also accepts times (`2024-01-31`) as the duration since then; these need a clock and aren't read here.
///
/// ```
/// use std::time::Duration;
/// use fichier_notation::parse_duration;
/// assert_eq!(parse_duration("1h30m"), Ok(Some(Duration::from_secs(5400))));
/// assert_eq!(parse_duration("2d"), Ok(Some(Duration::from_secs(172_800))));
/// ```
///
/// # Errors
/// The text isn't a duration, or the duration is negative, which no option of this program can use.
pub fn parse_duration(text: &str) -> Result<Option<Duration>, ValueError> {
    if text == "off" {
        return Ok(None);
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    let (number, unit) = match text.chars().last() {
        Some('d') => (text.strip_suffix('d'), 86_400.0),
        Some('w') => (text.strip_suffix('w'), 7.0 * 86_400.0),
        Some('M') => (text.strip_suffix('M'), 30.0 * 86_400.0),
        Some('y') => (text.strip_suffix('y'), 365.0 * 86_400.0),
        Some('0'..='9' | '.') => (Some(text), 1.0),
        _ => (None, 1.0),
    };
    let seconds = match number {
        Some(number) => decimal(number).map(|number| number * unit),
        None => combined_seconds(text),
    };
    let seconds = seconds.ok_or(ValueError::NotDuration)?;
    let time = Duration::try_from_secs_f64(seconds).ok().filter(|time| *time <= LONGEST_DURATION);
    time.map(Some).ok_or(ValueError::DurationTooLong)
}

fn combined_seconds(mut text: &str) -> Option<f64> {
    let mut seconds = 0.0;
    loop {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number = decimal(&text[..end])?;
        let rest = &text[end..];
        let length = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        seconds += number
            * match &rest[..length] {
                "ns" => 1e-9,
                "us" | "µs" | "μs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return None,
            };
        text = &rest[length..];
        if text.is_empty() {
            return Some(seconds);
        }
    }
}

/// Reads a number that isn't negative, "inf" or "nan". It may lack digits on one side of its point.
fn decimal(text: &str) -> Option<f64> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == '+') {
        return None;
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn booleans_are_those_of_rclone() {
        for text in ["yes", "on", "", "tRUE", "y", "2", " true"] {
            assert_eq!(parse_bool(text), Err(ValueError::NotBool), "{text}");
        }
        assert_eq!(["t", "True", "0", "F"].map(parse_bool), [Ok(true), Ok(true), Ok(false), Ok(false)]);
    }

    // Results of `--max-size` of v1.75.2.
    #[test]
    fn sizes_are_those_of_rclone() {
        for (text, bytes) in [
            ("1", 1024),
            ("0", 0),
            ("10M", 10 << 20),
            ("10k", 10240),
            ("10Ki", 10240),
            ("10KiB", 10240),
            ("1mib", 1 << 20),
            ("10B", 10),
            ("10b", 10),
            ("1T", 1 << 40),
            ("2p", 2 << 50),
            ("1E", 1 << 60),
            ("1Eib", 1 << 60),
            ("1e3", 1_024_000),
            (".5M", 524_288),
            ("1.M", 1 << 20),
            ("1.1K", 1126),
            (".5", 512),
            ("5.", 5120),
            ("+5", 5120),
        ] {
            assert_eq!(parse_size(text), Ok(Some(bytes)), "{text}");
        }
        assert_eq!(parse_size("OFF"), Ok(None));
        for text in [
            "", " 10M", "10KB", "10MM", "100MB", "0x10", "inf", "nan", "1MIB", "1mb", "10iB", "10i", "10BiB",
            "-5", "-1", "M", "iB", "i",
        ] {
            assert_eq!(parse_size(text), Err(ValueError::NotSize), "{text}");
        }
        assert_eq!(parse_size("16E"), Err(ValueError::SizeTooLarge));
    }

    // Results of `--min-age` of v1.75.2.
    #[test]
    fn durations_are_those_of_rclone() {
        for (text, nanoseconds) in [
            ("1", 1_000_000_000),
            ("1.5", 1_500_000_000),
            ("1h30m", 5_400_000_000_000),
            ("100ms", 100_000_000),
            ("2d", 172_800_000_000_000),
            ("1w", 604_800_000_000_000),
            ("1M", 2_592_000_000_000_000),
            ("1m", 60_000_000_000),
            ("1y", 31_536_000_000_000_000),
            ("1.5d", 129_600_000_000_000),
            ("1us", 1_000),
            ("1µs", 1_000),
            ("1ns", 1),
            ("0", 0),
            ("+1h", 3_600_000_000_000),
            (".5s", 500_000_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Some(Duration::from_nanos(nanoseconds))), "{text}");
        }
        assert_eq!(parse_duration("off"), Ok(None));
        for text in ["", "1h30", "2d12h", "1h 30m", "1d1h", "1D", "1w2d", "h", "-1h", "1x", "s1", "dd", "1dd"]
        {
            assert_eq!(parse_duration(text), Err(ValueError::NotDuration), "{text}");
        }
        assert_eq!(parse_duration("1e300y"), Err(ValueError::DurationTooLong));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_readers(text in "[0-9.+eKMGimsbBhd -]{0,8}|.*") {
            let _ = parse_bool(&text);
            if let Ok(Some(bytes)) = parse_size(&text) {
                prop_assert!(bytes < 1 << 63);
            }
            let _ = parse_duration(&text);
        }

        #[test]
        fn whole_bytes_are_exact(bytes in 0u64..1 << 53) {
            prop_assert_eq!(parse_size(&format!("{bytes}B")), Ok(Some(bytes)));
        }
    }
}
