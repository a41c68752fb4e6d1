//! A file's checksum, compared as its bytes come in order.

use fichier_storage::{Whirlpool, WhirlpoolHasher};

/// The checksum of a file as far as its bytes came in order.
#[derive(Debug)]
pub(super) struct Verification {
    expected: Whirlpool,
    hasher: WhirlpoolHasher,
    /// The first block that wasn't hashed.
    front: u64,
    blocks: u64,
}

impl Verification {
    pub(super) fn new(expected: Whirlpool, blocks: u64) -> Self {
        Self { expected, hasher: WhirlpoolHasher::new(), front: 0, blocks }
    }

    /// Returns the block that is hashed next.
    pub(super) fn front(&self) -> u64 {
        self.front
    }

    /// Hashes the next block.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.front += 1;
    }

    /// Returns whether the bytes are right; `None` as long as some are missing.
    pub(super) fn result(&self) -> Option<bool> {
        (self.front == self.blocks).then(|| self.hasher.clone().finish() == self.expected)
    }
}
