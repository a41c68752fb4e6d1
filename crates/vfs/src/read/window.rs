//! How long the streams of a file are: they grow while reading is sequential.

use crate::cache::BLOCK;

/// Length of the first stream, and of one after a seek.
pub(super) const FIRST: u64 = (1 << 20) + (128 << 10);

/// How far a stream may be in front of its reader, and how far a skip forward waits for an open stream.
pub(crate) const AHEAD: u64 = 16 << 20;

/// The growth of the streams of one file.
#[derive(Debug, Clone)]
pub(super) struct Window {
    next: u64,
    longest: u64,
    /// Where the last stream ends.
    end: Option<u64>,
}

impl Window {
    pub(super) fn new(longest: u64) -> Self {
        Self { next: FIRST, longest, end: None }
    }

    /// Returns where the last stream ends.
    pub(super) fn end(&self) -> Option<u64> {
        self.end
    }

    /// Returns the blocks of a new stream that begins with this one, of a file with so many blocks.
    pub(super) fn stream_at(&mut self, start: u64, blocks: u64) -> std::ops::Range<u64> {
        let length = if self.end == Some(start) { self.next } else { FIRST };
        let length = length.min(self.longest);
        self.next = length.saturating_mul(2);
        let end = start.saturating_add((length / BLOCK).max(1)).min(blocks);
        self.end = Some(end);
        start..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [read-3]
    #[test]
    fn streams_grow_while_reading_goes_on_and_begin_small_after_a_seek() {
        let mut window = Window::new(8 << 20);
        let blocks = 1000;
        let mut at = 0;
        let mut lengths = Vec::new();
        for _ in 0..5 {
            let stream = window.stream_at(at, blocks);
            lengths.push(stream.end - stream.start);
            at = stream.end;
        }
        assert_eq!(lengths, [9, 18, 36, 64, 64]);
        assert_eq!(window.stream_at(900, blocks), 900..909);
        assert_eq!(window.stream_at(909, blocks), 909..927);
        assert_eq!(window.stream_at(995, blocks), 995..1000);
    }
}
