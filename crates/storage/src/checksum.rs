//! The Whirlpool checksum (ISO/IEC 10118-3): the only one that 1Fichier keeps, for every file.

use std::fmt;

use whirlpool_simd::Digest as _;
pub use whirlpool_simd::{Checksum as Whirlpool, ParseChecksumError as ParseWhirlpoolError};

/// Computes a [`Whirlpool`] piece by piece.
#[derive(Clone, Default)]
pub struct WhirlpoolHasher(whirlpool_simd::Whirlpool);

impl fmt::Debug for WhirlpoolHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WhirlpoolHasher")
    }
}

impl WhirlpoolHasher {
    /// Returns a hasher that has read no bytes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next bytes to the checksum.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Adds one piece to each hasher, several at once where the processor is faster that way.
    pub(crate) fn update_many<'a>(pieces: impl IntoIterator<Item = (&'a mut Self, &'a [u8])>) {
        whirlpool_simd::update_many(pieces.into_iter().map(|(hasher, bytes)| (&mut hasher.0, bytes)));
    }

    /// Returns how many hashers [`WhirlpoolHasher::update_many`] can serve in the time that one takes.
    pub(crate) fn lanes() -> usize {
        whirlpool_simd::Implementation::fastest().lanes()
    }

    /// Returns the checksum of all bytes that were added.
    #[must_use]
    pub fn finish(self) -> Whirlpool {
        Whirlpool::from_bytes(self.0.finalize().into())
    }
}
