//! Blocks of a file that were read of late, in memory.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

/// The last blocks that came, up to a number.
#[derive(Debug, Default)]
pub(super) struct Memory {
    blocks: HashMap<u64, Bytes>,
    order: VecDeque<u64>,
}

impl Memory {
    /// Keeps a block, and drops the oldest beyond `most`.
    pub(super) fn put(&mut self, block: u64, bytes: Bytes, most: usize) {
        if self.blocks.insert(block, bytes).is_none() {
            self.order.push_back(block);
        }
        while self.order.len() > most.max(1) {
            if let Some(oldest) = self.order.pop_front() {
                self.blocks.remove(&oldest);
            }
        }
    }

    /// Returns a block that is kept.
    pub(super) fn get(&self, block: u64) -> Option<Bytes> {
        self.blocks.get(&block).cloned()
    }

    /// Drops all blocks.
    pub(super) fn clear(&mut self) {
        self.blocks.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go() {
        let mut memory = Memory::default();
        for block in [1, 2, 1, 3] {
            memory.put(block, Bytes::from_static(b"x"), 2);
        }
        assert_eq!([1, 2, 3].map(|block| memory.get(block).is_some()), [false, true, true]);
        memory.clear();
        assert!(memory.get(3).is_none());
    }
}
