//! How files that come over a network are brought to the disk: what the flags of transfers say about it.

use std::{num::NonZeroUsize, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many bytes are gathered before the disk is visited, where memory isn't bounded more tightly.
const GATHERED: u64 = 256 * 1024;

/// What [`Bound`] counts in: a semaphore has too few permits to count single bytes.
const UNIT: u64 = 1024;

/// The suffix of partial files that rclone gives them, too.
pub const PARTIAL_SUFFIX: &str = ".partial";

/// How files that come over a network are brought to the disk. Shared by all local remotes of a run.
#[derive(Debug, Clone)]
pub struct Downloads {
    /// How many ranges of one large file are read at once (`--multi-thread-streams`).
    pub streams: NonZeroUsize,
    /// From how many bytes on a file is large (`--multi-thread-cutoff`).
    pub cutoff: u64,
    /// How many bytes such a range has, at least 1. A file that is gone on with keeps those it was begun with.
    pub piece: u64,
    /// Whether files get their names at once, before they are whole (`--inplace`).
    pub in_place: bool,
    /// How the names of partial files end (`--partial-suffix`).
    pub partial_suffix: String,
    /// Whether room is set aside on the disk before a file is written.
    pub reserve: bool,
    /// For how many files of a batch the way to their bytes is got ahead of their turn (`--transfers`).
    pub ahead: usize,
    /// The memory for what has come and isn't on the disk yet (`--max-buffer-memory`).
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

/// The memory of all downloads together, for bytes that aren't on the disk yet.
#[derive(Debug, Clone, Default)]
pub struct Buffers(Option<Arc<Bound>>);

#[derive(Debug)]
struct Bound {
    units: Arc<Semaphore>,
    /// What one download takes at a time.
    window: u32,
}

/// Room in the buffers, given back when dropped.
#[derive(Debug)]
pub(super) struct Room {
    /// How many bytes fit.
    pub(super) bytes: u64,
    _units: Option<OwnedSemaphorePermit>,
}

impl Buffers {
    /// At most so many bytes, at least 1 KiB; `None`: as many as it takes, 256 KiB for each stream.
    #[must_use]
    pub fn of(most: Option<u64>) -> Self {
        Self(most.map(|most| {
            let units = u32::try_from((most / UNIT).max(1)).unwrap_or(u32::MAX);
            let all = usize::try_from(units).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
            let window = units.min(u32::try_from(GATHERED / UNIT).unwrap_or(u32::MAX));
            Arc::new(Bound { units: Arc::new(Semaphore::new(all)), window })
        }))
    }

    /// Waits for room. Whoever has got it must not wait for more while he holds it.
    pub(super) async fn room(&self) -> Room {
        let Some(bound) = &self.0 else { return Room { bytes: GATHERED, _units: None } };
        // It fails only when the semaphore is closed, which nobody does.
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
