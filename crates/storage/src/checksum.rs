//! The Whirlpool checksum (ISO/IEC 10118-3): the only one that 1Fichier stores, for every file.

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
        Whirlpool::from_bytes(self.0.finalize().into())
    }
}
