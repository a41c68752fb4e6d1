//! The checksum that the service keeps of each file, by one of two implementations.

use std::str::FromStr;

use whirlpool::{Digest as _, Whirlpool};

use crate::error::ParseValueError;

/// Implementation that computes the checksums of uploads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Checksums {
    /// Code that no client here shares, so that each upload checks the client's checksum.
    #[default]
    Independent,
    /// The client's own code, several times as fast: for measuring clients, which then don't wait for the service.
    Fast,
}

impl FromStr for Checksums {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        match text {
            "independent" => Ok(Self::Independent),
            "fast" => Ok(Self::Fast),
            _ => Err(ParseValueError::new(text, "expected independent or fast")),
        }
    }
}

impl std::fmt::Display for Checksums {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Independent => "independent",
            Self::Fast => "fast",
        })
    }
}

/// Computes one checksum piece by piece.
pub(crate) enum Hasher {
    Independent(Whirlpool),
    Fast(whirlpool_simd::Whirlpool),
}

impl Hasher {
    pub(crate) fn new(checksums: Checksums) -> Self {
        match checksums {
            Checksums::Independent => Self::Independent(Whirlpool::new()),
            Checksums::Fast => Self::Fast(whirlpool_simd::Whirlpool::default()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Independent(hasher) => hasher.update(bytes),
            Self::Fast(hasher) => hasher.update(bytes),
        }
    }

    /// Returns the checksum in lower-case hexadecimal digits.
    pub(crate) fn finish(self) -> String {
        match self {
            Self::Independent(hasher) => base16ct::lower::encode_string(&hasher.finalize()),
            Self::Fast(hasher) => base16ct::lower::encode_string(&hasher.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_give_one_checksum() {
        for length in [0, 1, 63, 64, 1000] {
            let content = vec![7; length];
            let [independent, fast] = [Checksums::Independent, Checksums::Fast].map(|checksums| {
                let mut hasher = Hasher::new(checksums);
                content.chunks(100).for_each(|piece| hasher.update(piece));
                hasher.finish()
            });
            assert_eq!(independent, fast);
            assert_eq!(independent, base16ct::lower::encode_string(&Whirlpool::digest(&content)));
        }
    }

    #[test]
    fn names_are_read_as_they_are_shown() {
        for checksums in [Checksums::Independent, Checksums::Fast] {
            assert_eq!(checksums.to_string().parse::<Checksums>().unwrap(), checksums);
        }
        assert!("quick".parse::<Checksums>().is_err());
    }
}
