//! A file's checksum, compared as its bytes come in order.

use std::collections::BTreeMap;

use bytes::Bytes;
use fichier_storage::{Whirlpool, WhirlpoolHasher};

/// The checksum of a file as far as its bytes came in order.
#[derive(Debug)]
pub(super) struct Verification {
    expected: Whirlpool,
    hasher: WhirlpoolHasher,
    /// The first block that wasn't hashed.
    front: u64,
    blocks: u64,
    /// Blocks that came before their turn.
    early: BTreeMap<u64, Bytes>,
}

impl Verification {
    pub(super) fn new(expected: Whirlpool, blocks: u64) -> Self {
        Self { expected, hasher: WhirlpoolHasher::new(), front: 0, blocks, early: BTreeMap::new() }
    }

    /// Returns the block that is hashed next.
    pub(super) fn front(&self) -> u64 {
        self.front
    }

    /// Keeps a block until its turn comes, up to so many.
    pub(super) fn keep(&mut self, block: u64, bytes: &Bytes, most: usize) {
        if block > self.front && self.early.len() < most {
            self.early.insert(block, bytes.clone());
        }
    }

    /// Returns the block that is hashed next, if it came before its turn.
    pub(super) fn early(&mut self) -> Option<Bytes> {
        self.early.remove(&self.front)
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
