//! Blocks of a file in memory: those that came and weren't read yet, and some that were read of late.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

/// How many blocks that were read stay.
const READ: usize = 16;

/// Blocks in memory.
#[derive(Debug, Default)]
pub(super) struct Memory {
    blocks: HashMap<u64, Bytes>,
    /// Blocks that weren't read yet, the oldest first.
    unread: VecDeque<u64>,
    /// Blocks that were read, the oldest first.
    read: VecDeque<u64>,
}

impl Memory {
    /// Keeps a block that came. Of those that weren't read, the oldest beyond `most` go.
    pub(super) fn put(&mut self, block: u64, bytes: Bytes, most: usize) {
        if self.blocks.insert(block, bytes).is_none() {
            self.unread.push_back(block);
        }
        while self.unread.len() > most.max(1) {
            if let Some(oldest) = self.unread.pop_front() {
                self.blocks.remove(&oldest);
            }
        }
    }

    /// Notes that a block was read. Of those that were, the oldest go.
    pub(super) fn note_read(&mut self, block: u64) {
        let Some(at) = self.unread.iter().position(|unread| *unread == block) else { return };
        self.unread.remove(at);
        self.read.push_back(block);
        if self.read.len() > READ
            && let Some(oldest) = self.read.pop_front()
        {
            self.blocks.remove(&oldest);
        }
    }

    /// Returns a block that is kept.
    pub(super) fn get(&self, block: u64) -> Option<Bytes> {
        self.blocks.get(&block).cloned()
    }

    /// Drops all blocks.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_goes_before_what_was_not() {
        let mut memory = Memory::default();
        let bytes = Bytes::from_static(b"x");
        for block in 0..40 {
            memory.put(block, bytes.clone(), 30);
        }
        assert!(memory.get(9).is_none() && memory.get(10).is_some());
        (10..40).for_each(|block| memory.note_read(block));
        memory.put(50, bytes, 30);
        let kept: Vec<u64> = (0..60).filter(|block| memory.get(*block).is_some()).collect();
        assert_eq!(kept, (24..40).chain([50]).collect::<Vec<_>>());
        memory.clear();
        assert!(memory.get(50).is_none());
    }
}
