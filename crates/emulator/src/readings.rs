//! Readings of the API document where it leaves open what the service does, so that clients can be tried with each.

use std::fmt;
use std::str::FromStr;

use crate::error::ParseValueError;

/// What `sent_before` and `sent_after` of `file/ls` do (section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Windows {
    /// They leave out what was sent in their own second.
    #[default]
    Exclusive,
    /// They bring what was sent in their own second.
    Inclusive,
    /// They do nothing.
    Ignored,
}

impl FromStr for Windows {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        match text {
            "exclusive" => Ok(Self::Exclusive),
            "inclusive" => Ok(Self::Inclusive),
            "ignored" => Ok(Self::Ignored),
            _ => Err(ParseValueError::new(text, "expected exclusive, inclusive or ignored")),
        }
    }
}

impl fmt::Display for Windows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exclusive => "exclusive",
            Self::Inclusive => "inclusive",
            Self::Ignored => "ignored",
        })
    }
}

/// What becomes of an uploaded file whose name is longer than the service stores (section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LongNames {
    /// Its end is cut off.
    #[default]
    Cut,
    /// The file is neither stored nor reported.
    Drop,
}

impl FromStr for LongNames {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        match text {
            "cut" => Ok(Self::Cut),
            "drop" => Ok(Self::Drop),
            _ => Err(ParseValueError::new(text, "expected cut or drop")),
        }
    }
}

impl fmt::Display for LongNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cut => "cut",
            Self::Drop => "drop",
        })
    }
}
