//! Content that counts its bytes into the run's [`Stats`] as they are read, in one stream or in several.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::Stream;
use tokio::time::Sleep;

use fichier_storage::{ByteRange, ByteStream, Content, Ranges, RemotePath, Result};

use crate::{
    Bandwidth, Stats,
    transfer::bandwidth::{Directions, Gates},
};

/// Content that counts its bytes.
#[derive(Clone)]
pub(crate) struct MeteredContent {
    pub(crate) inner: Arc<dyn Content>,
    /// Path relative to the run's root.
    pub(crate) path: RemotePath,
    pub(crate) size: u64,
    pub(crate) stats: Arc<Stats>,
    pub(crate) bandwidth: Option<Bandwidth>,
    pub(crate) ways: Directions,
    pub(crate) tally: Arc<Tally>,
}

/// Bytes that the tries at one file have added to the run's counters: at most one try counts.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    /// Number of the try that began last.
    latest: Option<u64>,
    /// Number of bytes that it has read, and that were there before, once it has read all.
    whole: Option<(u64, u64)>,
}

impl Tally {
    /// Records that a try has begun: what an earlier one has read will be read again.
    fn begin(&self, attempt: u64, stats: &Stats) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.latest = Some(attempt);
        if let Some((bytes, known)) = counted.whole.take() {
            stats.take_back(bytes, known);
        }
    }

    /// Records that a try has ended. Returns whether what it has read counts.
    fn end(&self, attempt: u64, seen: u64, known: u64, size: u64) -> bool {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = counted.latest == Some(attempt) && seen + known >= size;
        if counts {
            counted.whole = Some((seen, known));
        }
        counts
    }

    /// Subtracts what was counted: the file was read, but wasn't stored.
    pub(crate) fn take_back(&self, stats: &Stats) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.latest = None;
        if let Some((bytes, known)) = counted.whole.take() {
            stats.take_back(bytes, known);
        }
    }
}

impl MeteredContent {
    /// Makes a try that begins with its first byte.
    fn attempt(&self, known: u64) -> Arc<Attempt> {
        Arc::new(Attempt {
            path: self.path.clone(),
            size: self.size,
            known,
            stats: self.stats.clone(),
            tally: self.tally.clone(),
            running: OnceLock::new(),
            seen: AtomicU64::new(0),
            gates: Gates::default(),
        })
    }

    fn metered(&self, inner: ByteStream, attempt: Arc<Attempt>) -> ByteStream {
        let (bandwidth, ways) = (self.bandwidth.clone(), self.ways);
        Box::pin(MeteredStream { inner, attempt, bandwidth, ways, pause: None })
    }
}

#[async_trait]
impl Content for MeteredContent {
    async fn open(&self) -> Result<ByteStream> {
        Ok(self.metered(self.inner.open().await?, self.attempt(0)))
    }

    fn ranges(&self, known: u64) -> Option<Arc<dyn Ranges>> {
        let inner = self.inner.ranges(known)?;
        Some(Arc::new(MeteredRanges { inner, content: self.clone(), attempt: self.attempt(known) }))
    }

    async fn prepare(&self) {
        self.inner.prepare().await;
    }
}

/// A reader of ranges that counts as one transfer.
struct MeteredRanges {
    inner: Arc<dyn Ranges>,
    content: MeteredContent,
    attempt: Arc<Attempt>,
}

#[async_trait]
impl Ranges for MeteredRanges {
    async fn open(&self, range: ByteRange) -> Result<ByteStream> {
        Ok(self.content.metered(self.inner.open(range).await?, self.attempt.clone()))
    }
}

/// One try at a file, by one stream or by several.
struct Attempt {
    path: RemotePath,
    size: u64,
    /// Number of bytes that were there before.
    known: u64,
    stats: Arc<Stats>,
    tally: Arc<Tally>,
    /// Set when the first byte is asked for: a batch opens its files long before their turn comes.
    running: OnceLock<u64>,
    seen: AtomicU64,
    /// Rates for this file alone.
    gates: Gates,
}

impl Attempt {
    fn begin(&self) -> u64 {
        *self.running.get_or_init(|| {
            let id = self.stats.begin(self.path.clone(), self.size, self.known);
            self.tally.begin(id, &self.stats);
            id
        })
    }

    fn advance(&self, bytes: u64) {
        self.seen.fetch_add(bytes, Ordering::Relaxed);
        self.stats.advance(self.begin(), bytes);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(id) = self.running.get() {
            // A reader that knows the length may stop without polling for the end.
            let seen = self.seen.load(Ordering::Relaxed);
            self.stats.end(*id, self.tally.end(*id, seen, self.known, self.size));
        }
    }
}

struct MeteredStream {
    inner: ByteStream,
    attempt: Arc<Attempt>,
    bandwidth: Option<Bandwidth>,
    ways: Directions,
    /// Ends when the rates allow the next read.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Stream for MeteredStream {
    type Item = Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        this.attempt.begin();
        if let Some(pause) = &mut this.pause {
            ready!(pause.as_mut().poll(context));
            this.pause = None;
        }
        let item = ready!(this.inner.as_mut().poll_next(context));
        if let Some(Ok(chunk)) = &item {
            this.attempt.advance(chunk.len() as u64);
            if let Some(bandwidth) = &this.bandwidth {
                let until = bandwidth.take(chunk.len() as u64, this.ways, &this.attempt.gates);
                this.pause = until.map(|until| Box::pin(tokio::time::sleep_until(until)));
            }
        }
        Poll::Ready(item)
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;

    use fichier_storage::StorageError;

    use super::*;

    /// A file of zeros.
    struct Zeros(u64);

    #[async_trait]
    impl Content for Zeros {
        async fn open(&self) -> Result<ByteStream> {
            Ranges::open(self, ByteRange::WHOLE).await
        }

        fn ranges(&self, _known: u64) -> Option<Arc<dyn Ranges>> {
            Some(Arc::new(Self(self.0)))
        }
    }

    #[async_trait]
    impl Ranges for Zeros {
        async fn open(&self, range: ByteRange) -> Result<ByteStream> {
            let bytes = vec![0; usize::try_from(range.length(self.0)).unwrap()];
            Ok(futures::stream::iter([Ok::<_, StorageError>(bytes.into())]).boxed())
        }
    }

    fn metered(stats: &Arc<Stats>) -> MeteredContent {
        stats.plan_transfer(100);
        MeteredContent {
            inner: Arc::new(Zeros(100)),
            path: RemotePath::parse("f").unwrap(),
            size: 100,
            stats: stats.clone(),
            bandwidth: None,
            ways: Directions { up: false, down: true },
            tally: Arc::default(),
        }
    }

    async fn read(ranges: &Arc<dyn Ranges>, start: u64, end: u64) {
        let mut stream = ranges.open(ByteRange { start, end: Some(end) }).await.unwrap();
        stream.next().await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn several_ranges_are_one_transfer_and_what_was_there_before_is_not_counted() {
        let stats = Arc::new(Stats::default());
        let ranges = metered(&stats).ranges(40).unwrap();
        read(&ranges, 40, 60).await;
        let now = stats.snapshot();
        assert_eq!((now.bytes, now.total_bytes, now.running.len(), now.running[0].done), (20, 60, 1, 60));
        read(&ranges, 60, 100).await;
        drop(ranges);
        let now = stats.snapshot();
        assert_eq!((now.bytes, now.total_bytes, now.running.len()), (60, 60, 0));
    }

    #[tokio::test]
    async fn a_try_that_ends_early_is_forgotten_and_its_rest_is_still_to_come() {
        let stats = Arc::new(Stats::default());
        let ranges = metered(&stats).ranges(40).unwrap();
        read(&ranges, 40, 60).await;
        drop(ranges);
        let now = stats.snapshot();
        assert_eq!((now.bytes, now.total_bytes, now.running.len()), (0, 100, 0));
    }

    #[tokio::test]
    async fn of_several_tries_that_read_all_the_last_one_counts() {
        let stats = Arc::new(Stats::default());
        let content = metered(&stats);
        for _ in 0..3 {
            let mut stream = content.open().await.unwrap();
            stream.next().await.unwrap().unwrap();
        }
        let now = stats.snapshot();
        assert_eq!((now.bytes, now.total_bytes), (100, 100));
        // The second begins before the first has ended.
        let (mut first, mut second) = (content.open().await.unwrap(), content.open().await.unwrap());
        first.next().await.unwrap().unwrap();
        second.next().await.unwrap().unwrap();
        drop((first, second));
        assert_eq!(stats.snapshot().bytes, 100);
        content.tally.take_back(&stats);
        content.tally.take_back(&stats);
        let now = stats.snapshot();
        assert_eq!((now.bytes, now.total_bytes), (0, 100));
        let ranges = content.ranges(40).unwrap();
        read(&ranges, 40, 100).await;
        drop(ranges);
        assert_eq!((stats.snapshot().bytes, stats.snapshot().total_bytes), (60, 60));
        content.tally.take_back(&stats);
        assert_eq!((stats.snapshot().bytes, stats.snapshot().total_bytes), (0, 100));
    }
}
