//! Bytes that come in any pieces, put together to groups of blocks; and the threads that work on them.

use std::{num::NonZero, sync::LazyLock, thread::available_parallelism};

use bytes::Bytes;
use fichier_storage::{ByteStream, Result, StorageError};
use futures::StreamExt as _;

/// How many blocks are sealed or opened by one job: enough that handing it to a thread costs little.
pub(super) const GROUP_BLOCKS: u64 = 4;

/// What is done where it is asked for, since a thread would cost more.
const SMALL: usize = 16 * 1024;

/// How many jobs of a stream run at once. Each holds a group in memory.
pub(super) static JOBS: LazyLock<usize> =
    LazyLock::new(|| available_parallelism().map_or(2, NonZero::get).clamp(2, 8));

/// Puts the pieces of a stream together.
pub(super) struct Gatherer {
    source: ByteStream,
    /// What came and wasn't taken yet.
    rest: Bytes,
}

impl Gatherer {
    pub(super) fn new(source: ByteStream) -> Self {
        Self { source, rest: Bytes::new() }
    }

    /// Takes the next `count` bytes; fewer only when the stream ends.
    pub(super) async fn take(&mut self, count: usize) -> Result<Vec<u8>> {
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            if self.rest.is_empty() {
                match self.source.next().await {
                    Some(piece) => self.rest = piece?,
                    None => break,
                }
            }
            let length = self.rest.len().min(count - taken.len());
            taken.extend_from_slice(&self.rest.split_to(length));
        }
        Ok(taken)
    }
}

/// Does a job on `size` bytes, on a thread of its own if that is worth it.
pub(super) async fn work<T: Send + 'static>(
    size: usize,
    job: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    if size <= SMALL {
        return Ok(job());
    }
    tokio::task::spawn_blocking(job).await.map_err(|_| StorageError::Canceled)
}
