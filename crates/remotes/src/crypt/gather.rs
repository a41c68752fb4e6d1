//! Collects bytes from pieces of any size into groups of blocks, and runs the threads that work on them.

use std::{num::NonZero, sync::LazyLock, thread::available_parallelism};

use bytes::Bytes;
use fichier_storage::{ByteStream, Result, StorageError};
use futures::StreamExt as _;

/// Number of blocks that one job seals or opens: enough that passing it to a thread costs little.
pub(super) const GROUP_BLOCKS: u64 = 4;

/// Size in bytes up to which a job runs on the calling task, since a thread would cost more.
const SMALL: usize = 16 * 1024;

/// Number of jobs of a stream that run at once. Each holds a group in memory.
pub(super) static JOBS: LazyLock<usize> =
    LazyLock::new(|| available_parallelism().map_or(2, NonZero::get).clamp(2, 8));

/// Joins the pieces of a stream.
pub(super) struct Gatherer {
    source: ByteStream,
    /// Bytes that came and weren't taken yet.
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

/// Runs a job on `size` bytes, on a thread of its own if that is worth it.
pub(super) async fn work<T: Send + 'static>(
    size: usize,
    job: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    if size <= SMALL {
        return Ok(job());
    }
    tokio::task::spawn_blocking(job).await.map_err(|_| StorageError::Canceled)
}
