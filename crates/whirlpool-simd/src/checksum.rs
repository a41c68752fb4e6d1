//! The result of the hash function, as bytes and as text.

use std::{fmt, str::FromStr};

use digest::Digest as _;

use crate::Whirlpool;

/// A Whirlpool checksum: 64 bytes, written as 128 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum([u8; 64]);

impl Checksum {
    /// Makes a checksum of its 64 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Returns the 64 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// Returns the checksum of these bytes.
    ///
    /// ```
    /// let empty = whirlpool_simd::Checksum::of(b"");
    /// assert!(empty.to_string().starts_with("19fa61d75522a466"));
    /// ```
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Whirlpool::digest(bytes).into())
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", base16ct::HexDisplay(&self.0))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Whirlpool({self})")
    }
}

/// Error for a text that isn't a Whirlpool checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseChecksumError(String);

impl fmt::Display for ParseChecksumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a Whirlpool checksum (128 hexadecimal digits)", self.0)
    }
}

impl std::error::Error for ParseChecksumError {}

impl FromStr for Checksum {
    type Err = ParseChecksumError;

    fn from_str(text: &str) -> Result<Self, ParseChecksumError> {
        let mut bytes = [0; 64];
        match base16ct::mixed::decode(text, &mut bytes) {
            Ok(read) if read.len() == 64 => Ok(Self(bytes)),
            _ => Err(ParseChecksumError(text.chars().take(140).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "00", &"0".repeat(126), &"0".repeat(127), &"0".repeat(129), &"0".repeat(130)] {
            assert!(text.parse::<Checksum>().is_err(), "{text}");
        }
        for text in ["g".repeat(128), "é".repeat(64), format!(" {}", "0".repeat(127))] {
            assert!(text.parse::<Checksum>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(bytes in prop::collection::vec(any::<u8>(), 64)) {
            let sum = Checksum::from_bytes(bytes.try_into().unwrap());
            prop_assert_eq!(sum.to_string().parse(), Ok(sum));
            prop_assert_eq!(sum.to_string().to_uppercase().parse(), Ok(sum));
        }
    }
}
