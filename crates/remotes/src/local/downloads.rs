//! Options for writing files from a network to the disk, from the flags for transfers.

use std::{num::NonZeroUsize, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Number of bytes that are gathered before they are written, where memory isn't limited more tightly.
const GATHERED: u64 = 256 * 1024;

/// Unit in bytes in which [`Bound`] counts: a semaphore has too few permits to count single bytes.
const UNIT: u64 = 1024;

/// Suffix of partial files, the same as rclone's.
pub const PARTIAL_SUFFIX: &str = ".partial";

/// Options for writing files from a network to the disk. Shared by all local remotes of a run.
#[derive(Debug, Clone)]
pub struct Downloads {
    /// Number of ranges of one large file that are read at once (`--multi-thread-streams`).
    pub streams: NonZeroUsize,
    /// Size in bytes from which a file is large (`--multi-thread-cutoff`).
    pub cutoff: u64,
    /// Size of such a range in bytes, at least 1. A file that is continued keeps the size it was started with.
    pub piece: u64,
    /// Whether files get their names at once, before they are whole (`--inplace`).
    pub in_place: bool,
    /// Suffix of the names of partial files (`--partial-suffix`).
    pub partial_suffix: String,
    /// Whether space is reserved on the disk before a file is written.
    pub reserve: bool,
    /// Number of files of a batch whose download is prepared ahead of their turn (`--transfers`).
    pub ahead: usize,
    /// Memory for bytes that were received and aren't on the disk yet (`--max-buffer-memory`).
    pub buffers: Buffers,
}

impl Default for Downloads {
    fn default() -> Self {
        Self {
            streams: const { NonZeroUsize::new(4).unwrap() },
            cutoff: 256 * 1024 * 1024,
            piece: 16 * 1024 * 1024,
            in_place: false,
            partial_suffix: PARTIAL_SUFFIX.to_owned(),
            reserve: true,
            ahead: 4,
            buffers: Buffers::default(),
        }
    }
}

/// Memory of all downloads together, for bytes that aren't on the disk yet.
#[derive(Debug, Clone, Default)]
pub struct Buffers(Option<Arc<Bound>>);

#[derive(Debug)]
struct Bound {
    units: Arc<Semaphore>,
    /// Number of units that one download takes at a time.
    window: u32,
}

/// Space in the buffers, given back when dropped.
#[derive(Debug)]
pub(super) struct Room {
    /// Number of bytes that fit.
    pub(super) bytes: u64,
    _units: Option<OwnedSemaphorePermit>,
}

impl Buffers {
    /// Limits the buffers to this number of bytes, at least 1 KiB. `None` means no limit: 256 KiB for each stream.
    #[must_use]
    pub fn of(most: Option<u64>) -> Self {
        Self(most.map(|most| {
            let units = u32::try_from((most / UNIT).max(1)).unwrap_or(u32::MAX);
            let all = usize::try_from(units).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
            let window = units.min(u32::try_from(GATHERED / UNIT).unwrap_or(u32::MAX));
            Arc::new(Bound { units: Arc::new(Semaphore::new(all)), window })
        }))
    }

    /// Waits for space. A caller that holds some must not wait for more.
    pub(super) async fn room(&self) -> Room {
        let Some(bound) = &self.0 else { return Room { bytes: GATHERED, _units: None } };
        // It fails only when the semaphore is closed, which never happens.
        let units = bound.units.clone().acquire_many_owned(bound.window).await.ok();
        Room { bytes: u64::from(bound.window) * UNIT, _units: units }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_bound_is_shared_by_all_who_gather() {
        let buffers = Buffers::of(Some(2 * GATHERED + 5));
        let (first, _second) = (buffers.room().await, buffers.clone().room().await);
        assert_eq!(first.bytes, GATHERED);
        assert!(buffers.room().now_or_never().is_none());
        drop(first);
        assert!(buffers.room().now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_bound_below_what_one_takes_makes_the_pieces_smaller() {
        let buffers = Buffers::of(Some(64 * 1024));
        let room = buffers.room().await;
        assert_eq!(room.bytes, 64 * 1024);
        assert!(buffers.room().now_or_never().is_none());
        assert_eq!(Buffers::of(Some(1)).room().await.bytes, 1024);
        assert_eq!(Buffers::of(Some(u64::MAX / 2)).room().await.bytes, GATHERED);
    }
}
