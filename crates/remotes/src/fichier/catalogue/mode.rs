//! `--catalogue`: how far an earlier run's knowledge of the account is trusted.

use std::{fmt, str::FromStr, time::Duration};

/// How the catalogue on disk is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CatalogueMode {
    /// Folders that matter are listed once in this run, and kept.
    #[default]
    Verify,
    /// Folders that were listed within this time aren't listed again; `None`: however long ago.
    Trust(Option<Duration>),
    /// Nothing is read from disk and nothing is kept.
    Off,
}

/// Error about a text that names no mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of verify, trust, trust=AGE (trust=1h30m) and off")]
pub struct CatalogueModeError(String);

impl fmt::Display for CatalogueMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verify => f.write_str("verify"),
            Self::Trust(None) => f.write_str("trust"),
            Self::Trust(Some(age)) => write!(f, "trust={}ms", age.as_millis()),
            Self::Off => f.write_str("off"),
        }
    }
}

impl CatalogueMode {
    /// Words for the modes; an age may follow the second one after an equals sign.
    pub const WORDS: [&str; 3] = ["verify", "trust", "off"];
}

impl FromStr for CatalogueMode {
    type Err = CatalogueModeError;

    fn from_str(text: &str) -> Result<Self, CatalogueModeError> {
        let wrong = || CatalogueModeError(text.to_owned());
        match text.trim().split_once('=') {
            None if text.eq_ignore_ascii_case("verify") => Ok(Self::Verify),
            None if text.eq_ignore_ascii_case("trust") => Ok(Self::Trust(None)),
            None if text.eq_ignore_ascii_case("off") => Ok(Self::Off),
            Some((word, age)) if word.eq_ignore_ascii_case("trust") => {
                crate::values::duration(age).map(|age| Self::Trust(Some(age))).map_err(|_| wrong())
            }
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_to_use_it_are_read() {
        assert_eq!("verify".parse(), Ok(CatalogueMode::Verify));
        assert_eq!("Trust".parse(), Ok(CatalogueMode::Trust(None)));
        assert_eq!("trust=1h30m".parse(), Ok(CatalogueMode::Trust(Some(Duration::from_secs(5400)))));
        assert_eq!("off".parse(), Ok(CatalogueMode::Off));
        for text in ["verify", "trust", "trust=90m", "off"] {
            let usage: CatalogueMode = text.parse().unwrap();
            assert_eq!(usage.to_string().parse(), Ok(usage));
        }
        for text in ["", "on", "trust=", "trust=soon", "verify=1h", "off=1"] {
            assert!(text.parse::<CatalogueMode>().is_err(), "{text:?}");
        }
    }
}
