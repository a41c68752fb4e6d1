//! Checksums of streams, computed on blocking threads while the streams are read.
//!
//! A hashing thread serves all streams that have bytes waiting, several at once in the lanes of the processor
//! ([`whirlpool_simd`]). That costs less than one after the other. One thread is enough as long as it keeps up. When
//! a stream is held back, the streams are divided among more threads, at most as many as the machine has processors.
//! A stream that waits for its source uses no thread.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use futures::Stream;
use tokio::sync::oneshot;

use crate::{Whirlpool, WhirlpoolHasher};

/// Number of pieces of a stream that may wait before the stream is held back. Small, since each piece is memory.
const WAITING_PIECES: usize = 4;

/// Files up to this size are hashed where they are read: a thread would cost more than the checksum.
const INLINE_BELOW: u64 = 32 * 1024;

/// Threads that compute checksums of streams. Clones share them.
///
/// ```
/// # use futures::{StreamExt, stream};
/// # #[tokio::main]
/// # async fn main() {
/// use fichier_storage::{Hashing, Whirlpool};
///
/// let source = stream::iter([Ok::<_, std::io::Error>("some ".into()), Ok("bytes".into())]);
/// let (mut hashed, sum) = Hashing::default().stream(source, 10);
/// while let Some(_bytes) = hashed.next().await {}
/// assert_eq!(sum.await.unwrap(), (10, Whirlpool::of(b"some bytes")));
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Hashing(Arc<Mutex<HashPool>>);

impl fmt::Debug for Hashing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hashing").finish_non_exhaustive()
    }
}

/// The streams being hashed, and the threads that work on them.
#[derive(Default)]
struct HashPool {
    streams: HashMap<StreamId, Hashed>,
    /// Streams with bytes that no thread works on.
    ready: VecDeque<StreamId>,
    next: StreamId,
    workers: usize,
    /// Whether a stream had to wait, so that one thread isn't enough.
    behind: bool,
    /// Number of processors of the machine; determined when one thread isn't enough.
    processors: Option<usize>,
}

/// Number of a stream.
type StreamId = u64;

/// One stream being hashed.
#[derive(Default)]
struct Hashed {
    /// `None` while a thread works with it.
    hasher: Option<WhirlpoolHasher>,
    pieces: VecDeque<Bytes>,
    waiting: Option<Waker>,
}

impl Hashing {
    /// Hashes a stream of about `expected` bytes while it is read. When the stream has ended without an error, the
    /// receiver gets how many bytes passed and their checksum. After an error, or when the stream is dropped early,
    /// it gets nothing.
    ///
    /// Must be polled in a Tokio runtime.
    pub fn stream<S, E>(
        &self,
        inner: S,
        expected: u64,
    ) -> (HashStream<S>, oneshot::Receiver<(u64, Whirlpool)>)
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
    {
        let (answer, receiver) = oneshot::channel();
        let state = if expected <= INLINE_BELOW {
            StreamState::Inline(WhirlpoolHasher::new())
        } else {
            StreamState::Pooled(self.open())
        };
        (HashStream { inner, state, seen: 0, answer: Some(answer) }, receiver)
    }

    fn open(&self) -> StreamSlot {
        let mut pool = self.lock();
        let id = pool.next;
        pool.next += 1;
        pool.streams.insert(id, Hashed { hasher: Some(WhirlpoolHasher::new()), ..Hashed::default() });
        StreamSlot { hashing: self.clone(), id }
    }

    fn lock(&self) -> MutexGuard<'_, HashPool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_worker(&self, pool: &mut HashPool) {
        pool.workers += 1;
        let hashing = self.clone();
        // The thread isn't waited for: it ends when nothing waits.
        tokio::task::spawn_blocking(move || {
            while let Some(mut job) = HashJob::take(&hashing) {
                job.hash();
            }
        });
    }
}

impl HashPool {
    /// Returns how many threads there should be.
    fn wanted(&mut self) -> usize {
        if !self.behind {
            return 1;
        }
        *self.processors.get_or_insert_with(|| std::thread::available_parallelism().map_or(1, usize::from))
    }
}

/// The streams that one thread works on.
struct HashJob<'a> {
    hashing: &'a Hashing,
    taken: Vec<(StreamId, Option<WhirlpoolHasher>, VecDeque<Bytes>)>,
}

impl<'a> HashJob<'a> {
    /// Takes a share of the waiting streams. When nothing waits, returns `None` and counts one worker less.
    fn take(hashing: &'a Hashing) -> Option<Self> {
        let mut pool = hashing.lock();
        if pool.ready.is_empty() {
            pool.workers -= 1;
            pool.behind = false;
            return None;
        }
        let wanted = pool.wanted();
        let share = pool.ready.len().div_ceil(wanted).min(WhirlpoolHasher::lanes());
        let mut taken = Vec::with_capacity(share);
        while taken.len() < share
            && let Some(id) = pool.ready.pop_front()
        {
            let Some(stream) = pool.streams.get_mut(&id) else { continue };
            taken.push((id, stream.hasher.take(), std::mem::take(&mut stream.pieces)));
            // There is room for more.
            if let Some(waker) = stream.waiting.take() {
                waker.wake();
            }
        }
        if pool.workers < wanted && !pool.ready.is_empty() {
            hashing.start_worker(&mut pool);
        }
        Some(Self { hashing, taken })
    }

    fn hash(&mut self) {
        loop {
            let mut pieces = Vec::with_capacity(self.taken.len());
            for (_, hasher, waiting) in &mut self.taken {
                if let (Some(hasher), Some(piece)) = (hasher.as_mut(), waiting.pop_front()) {
                    pieces.push((hasher, piece));
                }
            }
            if pieces.is_empty() {
                break;
            }
            WhirlpoolHasher::update_many(
                pieces.iter_mut().map(|(hasher, piece)| (&mut **hasher, &piece[..])),
            );
        }
        let mut pool = self.hashing.lock();
        for (id, hasher, _) in self.taken.drain(..) {
            pool.give_back(id, hasher);
        }
    }
}

impl HashPool {
    fn give_back(&mut self, id: StreamId, hasher: Option<WhirlpoolHasher>) {
        // The stream may have been dropped.
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.hasher = hasher;
        if stream.pieces.is_empty() {
            // The stream may be waiting for its checksum.
            if let Some(waker) = stream.waiting.take() {
                waker.wake();
            }
        } else {
            self.ready.push_back(id);
        }
    }
}

impl Drop for HashJob<'_> {
    fn drop(&mut self) {
        // Empty unless the thread panicked; then no one waits for it.
        if self.taken.is_empty() {
            return;
        }
        let mut pool = self.hashing.lock();
        pool.workers -= 1;
        for (id, ..) in self.taken.drain(..) {
            if let Some(waker) = pool.streams.remove(&id).and_then(|stream| stream.waiting) {
                waker.wake();
            }
        }
    }
}

/// A stream's entry among those being hashed, removed on drop.
struct StreamSlot {
    hashing: Hashing,
    id: StreamId,
}

/// The hashing thread panicked.
struct WorkerGone;

impl StreamSlot {
    /// Waits until another piece may be handed over.
    fn poll_room(&self, context: &Context<'_>) -> Poll<Result<(), WorkerGone>> {
        let mut pool = self.hashing.lock();
        let Some(stream) = pool.streams.get_mut(&self.id) else { return Poll::Ready(Err(WorkerGone)) };
        if stream.pieces.len() < WAITING_PIECES {
            return Poll::Ready(Ok(()));
        }
        stream.waiting = Some(context.waker().clone());
        pool.behind = true;
        if pool.workers < pool.wanted() && !pool.ready.is_empty() {
            self.hashing.start_worker(&mut pool);
        }
        Poll::Pending
    }

    fn hand_over(&self, piece: Bytes) {
        let mut pool = self.hashing.lock();
        let Some(stream) = pool.streams.get_mut(&self.id) else { return };
        let is_first = stream.pieces.is_empty();
        stream.pieces.push_back(piece);
        if is_first && stream.hasher.is_some() {
            pool.ready.push_back(self.id);
            if pool.workers == 0 {
                self.hashing.start_worker(&mut pool);
            }
        }
    }

    /// Waits for the checksum of all pieces that were handed over.
    fn poll_sum(&self, context: &Context<'_>) -> Poll<Result<Whirlpool, WorkerGone>> {
        let mut pool = self.hashing.lock();
        let Some(stream) = pool.streams.get_mut(&self.id) else { return Poll::Ready(Err(WorkerGone)) };
        if stream.pieces.is_empty()
            && let Some(hasher) = stream.hasher.take()
        {
            return Poll::Ready(Ok(hasher.finish()));
        }
        stream.waiting = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        self.hashing.lock().streams.remove(&self.id);
    }
}

/// A stream that is hashed while it is read: see [`Hashing::stream`].
pub struct HashStream<S> {
    inner: S,
    state: StreamState,
    seen: u64,
    answer: Option<oneshot::Sender<(u64, Whirlpool)>>,
}

enum StreamState {
    Inline(WhirlpoolHasher),
    Pooled(StreamSlot),
    /// All pieces were handed over, and are still being hashed.
    Ending(StreamSlot),
    Done,
}

impl<S: fmt::Debug> fmt::Debug for HashStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashStream")
            .field("inner", &self.inner)
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}

impl<S> HashStream<S> {
    /// Stops hashing. The receiver of the checksum gets an error.
    fn give_up(&mut self) {
        self.state = StreamState::Done;
        self.answer = None;
    }

    fn answer(&mut self, sum: Whirlpool) {
        self.state = StreamState::Done;
        if let Some(answer) = self.answer.take() {
            let _receiver_may_be_gone = answer.send((self.seen, sum));
        }
    }
}

impl<S, E> Stream for HashStream<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Item = Result<Bytes, E>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let StreamState::Ending(slot) = &this.state {
            match futures::ready!(slot.poll_sum(context)) {
                Ok(sum) => this.answer(sum),
                Err(WorkerGone) => this.give_up(),
            }
            return Poll::Ready(None);
        }
        if let StreamState::Pooled(slot) = &this.state {
            // Waits for room first, so that a piece that was read can always be handed on.
            if futures::ready!(slot.poll_room(context)).is_err() {
                this.give_up();
            }
        }
        match futures::ready!(Pin::new(&mut this.inner).poll_next(context)) {
            Some(Ok(piece)) => {
                this.seen += piece.len() as u64;
                match &mut this.state {
                    StreamState::Inline(hasher) => hasher.update(&piece),
                    StreamState::Pooled(slot) if !piece.is_empty() => slot.hand_over(piece.clone()),
                    StreamState::Pooled(_) | StreamState::Ending(_) | StreamState::Done => {}
                }
                Poll::Ready(Some(Ok(piece)))
            }
            Some(Err(error)) => {
                this.give_up();
                Poll::Ready(Some(Err(error)))
            }
            None => match std::mem::replace(&mut this.state, StreamState::Done) {
                StreamState::Inline(hasher) => {
                    this.answer(hasher.finish());
                    Poll::Ready(None)
                }
                StreamState::Pooled(slot) | StreamState::Ending(slot) => {
                    this.state = StreamState::Ending(slot);
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                StreamState::Done => Poll::Ready(None),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt, stream};
    use proptest::prelude::*;

    use super::*;

    #[tokio::test]
    async fn a_stream_is_hashed_on_its_way_inline_and_on_a_thread() {
        for expected in [10, 1 << 20] {
            let pieces: Vec<Bytes> = (0..50u8).map(|i| Bytes::from(vec![i; 1000])).collect();
            let whole = pieces.concat();
            let source = stream::iter(pieces).map(Ok::<_, std::io::Error>);
            let (hashed, sum) = Hashing::default().stream(source, expected);
            let passed: Vec<Bytes> = hashed.map(Result::unwrap).collect().await;
            assert_eq!(passed.concat(), whole);
            assert_eq!(sum.await.unwrap(), (50_000, Whirlpool::of(&whole)));
        }
    }

    #[tokio::test]
    async fn a_stream_that_fails_or_is_dropped_has_no_checksum() {
        for expected in [10, 1 << 20] {
            let hashing = Hashing::default();
            let source = stream::iter([Ok(Bytes::from_static(b"a")), Err("cut")]);
            let (hashed, sum) = hashing.stream(source, expected);
            let passed: Vec<_> = hashed.collect().await;
            assert_eq!(passed.last(), Some(&Err("cut")));
            assert!(sum.await.is_err());
            let (mut hashed, sum) =
                hashing.stream(stream::repeat(Ok::<_, ()>(Bytes::from_static(b"a"))), expected);
            hashed.next().await.unwrap().unwrap();
            drop(hashed);
            assert!(sum.await.is_err());
            assert!(hashing.lock().streams.is_empty());
        }
    }

    /// Returns a stream whose bytes are ready before they can be hashed, again and again.
    fn source(number: u8, pieces: &[usize]) -> (Vec<Bytes>, Vec<u8>) {
        let pieces: Vec<Bytes> = pieces.iter().map(|length| Bytes::from(vec![number; *length])).collect();
        let whole = pieces.concat();
        (pieces, whole)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn streams_side_by_side_get_their_own_checksums(
            streams in proptest::collection::vec(proptest::collection::vec(0..5000_usize, 0..40), 1..9),
        ) {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
            runtime.block_on(async {
                let hashing = Hashing::default();
                let tasks: Vec<_> = (0..)
                    .zip(&streams)
                    .map(|(number, pieces)| {
                        let (pieces, whole) = source(number, pieces);
                        let inner = stream::iter(pieces).map(Ok::<_, ()>);
                        let (hashed, sum) = hashing.stream(inner, u64::MAX);
                        tokio::spawn(async move {
                            let passed: Vec<_> = hashed.map(Result::unwrap).collect().await;
                            (passed.concat() == whole, sum.await.unwrap(), whole)
                        })
                    })
                    .collect();
                for task in tasks {
                    let (is_same, (seen, sum), whole) = task.await.unwrap();
                    assert!(is_same);
                    assert_eq!((seen, sum), (whole.len() as u64, Whirlpool::of(&whole)));
                }
                assert!(hashing.lock().streams.is_empty());
            });
        }
    }

    /// Returns four streams, each with a piece that no thread has taken.
    fn four_waiting(hashing: &Hashing) -> Vec<StreamSlot> {
        let places: Vec<_> = (0..4).map(|_| hashing.open()).collect();
        let mut pool = hashing.lock();
        for slot in &places {
            pool.streams.get_mut(&slot.id).unwrap().pieces.push_back(Bytes::from_static(b"bytes"));
            pool.ready.push_back(slot.id);
        }
        places
    }

    async fn is_hashed(slot: &StreamSlot) -> bool {
        let sum = std::future::poll_fn(|context| slot.poll_sum(context)).await;
        sum.is_ok_and(|sum| sum == Whirlpool::of(b"bytes"))
    }

    #[tokio::test]
    async fn one_thread_takes_all_it_has_lanes_for_while_it_keeps_up() {
        let hashing = Hashing::default();
        let places = four_waiting(&hashing);
        hashing.lock().workers = 1;
        let mut job = HashJob::take(&hashing).unwrap();
        assert_eq!(job.taken.len(), WhirlpoolHasher::lanes().min(4));
        assert_eq!(hashing.lock().workers, 1);
        job.hash();
        while let Some(mut rest) = HashJob::take(&hashing) {
            rest.hash();
        }
        assert_eq!(hashing.lock().workers, 0);
        for slot in &places {
            assert!(is_hashed(slot).await);
        }
    }

    #[tokio::test]
    async fn one_thread_that_is_behind_leaves_half_to_another() {
        let hashing = Hashing::default();
        let places = four_waiting(&hashing);
        {
            let mut pool = hashing.lock();
            (pool.workers, pool.behind, pool.processors) = (1, true, Some(2));
        }
        let mut job = HashJob::take(&hashing).unwrap();
        assert_eq!(job.taken.len(), WhirlpoolHasher::lanes().min(2));
        // Only the thread that was started just now can hash these.
        for slot in &places[2..] {
            assert!(is_hashed(slot).await);
        }
        job.hash();
        for slot in &places[..2] {
            assert!(is_hashed(slot).await);
        }
    }

    #[tokio::test]
    async fn a_thread_that_panics_leaves_nobody_waiting() {
        let hashing = Hashing::default();
        let slot = hashing.open();
        {
            let mut pool = hashing.lock();
            pool.workers = 1;
            pool.streams.get_mut(&slot.id).unwrap().pieces.push_back(Bytes::from_static(b"bytes"));
            pool.ready.push_back(slot.id);
        }
        drop(HashJob::take(&hashing).unwrap());
        assert!(matches!(slot.poll_sum(&Context::from_waker(Waker::noop())), Poll::Ready(Err(WorkerGone))));
        assert_eq!(hashing.lock().workers, 0);
    }
}
