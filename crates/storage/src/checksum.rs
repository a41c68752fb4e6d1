//! The Whirlpool checksum (ISO/IEC 10118-3): the only one that 1Fichier stores, for every file.

use std::{fmt, str::FromStr};

use whirlpool_simd::Digest as _;

/// A Whirlpool checksum: 64 bytes, shown as 128 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Whirlpool([u8; 64]);

impl Whirlpool {
    /// Takes the 64 bytes of a checksum.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// The checksum of these bytes.
    ///
    /// ```
    /// let empty = fichier_storage::Whirlpool::of(b"");
    /// assert!(empty.to_string().starts_with("19fa61d75522a466"));
    /// ```
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = WhirlpoolHasher::new();
        hasher.update(bytes);
        hasher.finish()
    }
}

impl fmt::Display for Whirlpool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Whirlpool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Whirlpool({self})")
    }
}

/// Text that isn't a Whirlpool checksum.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a Whirlpool checksum (128 hexadecimal digits)")]
pub struct ParseWhirlpoolError(String);

impl FromStr for Whirlpool {
    type Err = ParseWhirlpoolError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseWhirlpoolError(text.chars().take(140).collect());
        let digits = text.as_bytes();
        if digits.len() != 128 {
            return Err(wrong());
        }
        let mut bytes = [0; 64];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |d: u8| char::from(d).to_digit(16);
            let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else {
                return Err(wrong());
            };
            *byte = u8::try_from(high << 4 | low).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

/// Computes a [`Whirlpool`] piece by piece.
#[derive(Clone, Default)]
pub struct WhirlpoolHasher(whirlpool_simd::Whirlpool);

impl fmt::Debug for WhirlpoolHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WhirlpoolHasher")
    }
}

impl WhirlpoolHasher {
    /// A hasher that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Takes a piece into each hasher, several at once where the processor is faster so.
    pub(crate) fn update_many<'a>(pieces: impl IntoIterator<Item = (&'a mut Self, &'a [u8])>) {
        whirlpool_simd::update_many(pieces.into_iter().map(|(hasher, bytes)| (&mut hasher.0, bytes)));
    }

    /// How many hashers [`WhirlpoolHasher::update_many`] serves in the time of fewer.
    pub(crate) fn lanes() -> usize {
        whirlpool_simd::Implementation::fastest().lanes()
    }

    /// The checksum of all that was taken in.
    #[must_use]
    pub fn finish(self) -> Whirlpool {
        Whirlpool(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips() {
        let sum = Whirlpool::of(b"The quick brown fox jumps over the lazy dog");
        assert!(sum.to_string().starts_with("b97de512e91e3828b40d2b0fdce9ceb3"));
        assert_eq!(sum.to_string().parse::<Whirlpool>().unwrap(), sum);
        assert_eq!(sum.to_string().to_uppercase().parse::<Whirlpool>().unwrap(), sum);
        assert!("19fa".parse::<Whirlpool>().is_err());
        assert!("zz".repeat(64).parse::<Whirlpool>().is_err());
    }
}
