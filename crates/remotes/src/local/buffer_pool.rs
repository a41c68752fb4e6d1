//! A pool of buffers for files that are read: each is used again when its bytes are no longer needed.
//!
//! A piece of a file is filled on one thread and freed on another. Left to the allocator, each thread keeps some of
//! them, so that memory grows with the number of threads rather than that of pieces in use.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Number of buffers that are kept for later.
const KEPT: usize = 8;

/// Buffers of one remote; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Reused(Arc<Mutex<Vec<Vec<u8>>>>);

impl Reused {
    /// Returns an empty buffer with this capacity in bytes.
    pub(super) fn buffer(&self, capacity: usize) -> Vec<u8> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffer = kept.unwrap_or_default();
        buffer.reserve_exact(capacity);
        buffer
    }

    /// Returns the bytes in a buffer. The buffer comes back when the last of them is dropped.
    pub(super) fn share(&self, buffer: Vec<u8>) -> Bytes {
        Bytes::from_owner(Lent { buffer, home: self.clone() })
    }
}

struct Lent {
    buffer: Vec<u8>,
    home: Reused,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let mut kept = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_its_bytes_are_gone() {
        let buffer_pool = Reused::default();
        let mut buffer = buffer_pool.buffer(100);
        buffer.extend(b"abc");
        let place = buffer.as_ptr();
        let bytes = buffer_pool.share(buffer);
        let part = bytes.slice(1..);
        drop(bytes);
        assert_eq!(&part[..], b"bc");
        let other = buffer_pool.buffer(100);
        assert_ne!(other.as_ptr(), place);
        drop(part);
        let again = buffer_pool.buffer(100);
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        // No more are kept than make sense.
        drop((0..2 * KEPT).map(|_| buffer_pool.share(vec![1])).collect::<Vec<_>>());
        assert_eq!(buffer_pool.0.lock().unwrap().len(), KEPT);
    }
}
