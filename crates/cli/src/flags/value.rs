//! Parsers for values of flags in rclone's notation.

use std::time::Duration;

use fichier_notation::{parse_duration, parse_size};
use fichier_storage::HashKind;

/// Parses a duration: `500ms`, `1m30s`, `2d`; a plain number counts seconds, `off` is none.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(time) => Ok(time.unwrap_or(Duration::ZERO)),
        Err(error) => Err(format!("{text:?}: {error}")),
    }
}

/// A limit, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unlimited<T>(pub(crate) Option<T>);

/// Parses a size in bytes: `10M`, `1.5G`; a plain number counts KiB, `off` is no limit.
pub(crate) fn size(text: &str) -> Result<Unlimited<u64>, String> {
    parse_size(text).map(Unlimited).map_err(|error| format!("{text:?}: {error}"))
}

/// Parses a duration, of which zero and `off` mean no limit.
pub(crate) fn optional_duration(text: &str) -> Result<Unlimited<Duration>, String> {
    Ok(Unlimited(Some(duration(text)?).filter(|time| !time.is_zero())))
}

/// Parses the name of a checksum: `md5`, `SHA-1`, `whirlpool`.
pub(crate) fn hash_kind(text: &str) -> Result<HashKind, String> {
    text.parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1.5d"), Ok(Duration::from_secs(129_600)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        assert_eq!(duration("off"), Ok(Duration::ZERO));
        for wrong in ["", "x", "5q", "1..2s", "-3s", "s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
