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

/// How many pieces of a stream may wait before the stream is held back. Small, since each piece is memory.
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
pub struct Hashing(Arc<Mutex<Desk>>);

impl fmt::Debug for Hashing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hashing").finish_non_exhaustive()
    }
}

/// The streams being hashed, and the threads that work on them.
#[derive(Default)]
struct Desk {
    streams: HashMap<Ticket, Hashed>,
    /// Streams with bytes that no thread works on.
    ready: VecDeque<Ticket>,
    next: Ticket,
    workers: usize,
    /// Whether a stream had to wait, so that one thread isn't enough.
    behind: bool,
    /// How many processors the machine has; asked for when one thread isn't enough.
    processors: Option<usize>,
}

/// Number of a stream.
type Ticket = u64;

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
        let side = if expected <= INLINE_BELOW {
            Side::Inline(WhirlpoolHasher::new())
        } else {
            Side::Desk(self.open())
        };
        (HashStream { inner, side, seen: 0, answer: Some(answer) }, receiver)
    }

    fn open(&self) -> Place {
        let mut desk = self.lock();
        let ticket = desk.next;
        desk.next += 1;
        desk.streams.insert(ticket, Hashed { hasher: Some(WhirlpoolHasher::new()), ..Hashed::default() });
        Place { hashing: self.clone(), ticket }
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_worker(&self, desk: &mut Desk) {
        desk.workers += 1;
        let hashing = self.clone();
        // The thread isn't waited for: it ends when nothing waits.
        tokio::task::spawn_blocking(move || {
            while let Some(mut round) = Round::take(&hashing) {
                round.hash();
            }
        });
    }
}

impl Desk {
    /// Returns how many threads there should be.
    fn wanted(&mut self) -> usize {
        if !self.behind {
            return 1;
        }
        *self.processors.get_or_insert_with(|| std::thread::available_parallelism().map_or(1, usize::from))
    }
}

/// The streams that one thread works on.
struct Round<'a> {
    hashing: &'a Hashing,
    taken: Vec<(Ticket, Option<WhirlpoolHasher>, VecDeque<Bytes>)>,
}

impl<'a> Round<'a> {
    /// Takes a share of the waiting streams. When nothing waits, returns `None` and counts one worker less.
    fn take(hashing: &'a Hashing) -> Option<Self> {
        let mut desk = hashing.lock();
        if desk.ready.is_empty() {
            desk.workers -= 1;
            desk.behind = false;
            return None;
        }
        let wanted = desk.wanted();
        let share = desk.ready.len().div_ceil(wanted).min(WhirlpoolHasher::lanes());
        let mut taken = Vec::with_capacity(share);
        while taken.len() < share
            && let Some(ticket) = desk.ready.pop_front()
        {
            let Some(stream) = desk.streams.get_mut(&ticket) else { continue };
            taken.push((ticket, stream.hasher.take(), std::mem::take(&mut stream.pieces)));
            // There is room for more.
            if let Some(waker) = stream.waiting.take() {
                waker.wake();
            }
        }
        if desk.workers < wanted && !desk.ready.is_empty() {
            hashing.start_worker(&mut desk);
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
        let mut desk = self.hashing.lock();
        for (ticket, hasher, _) in self.taken.drain(..) {
            desk.give_back(ticket, hasher);
        }
    }
}

impl Desk {
    fn give_back(&mut self, ticket: Ticket, hasher: Option<WhirlpoolHasher>) {
        // The stream may have been dropped.
        let Some(stream) = self.streams.get_mut(&ticket) else { return };
        stream.hasher = hasher;
        if stream.pieces.is_empty() {
            // The stream may be waiting for its checksum.
            if let Some(waker) = stream.waiting.take() {
                waker.wake();
            }
        } else {
            self.ready.push_back(ticket);
        }
    }
}

impl Drop for Round<'_> {
    fn drop(&mut self) {
        // Empty unless the thread panicked; then no one waits for it.
        if self.taken.is_empty() {
            return;
        }
        let mut desk = self.hashing.lock();
        desk.workers -= 1;
        for (ticket, ..) in self.taken.drain(..) {
            if let Some(waker) = desk.streams.remove(&ticket).and_then(|stream| stream.waiting) {
                waker.wake();
            }
        }
    }
}

/// A stream's entry among those being hashed, removed on drop.
struct Place {
    hashing: Hashing,
    ticket: Ticket,
}

/// The hashing thread panicked.
struct Lost;

impl Place {
    /// Waits until another piece may be handed over.
    fn poll_room(&self, context: &Context<'_>) -> Poll<Result<(), Lost>> {
        let mut desk = self.hashing.lock();
        let Some(stream) = desk.streams.get_mut(&self.ticket) else { return Poll::Ready(Err(Lost)) };
        if stream.pieces.len() < WAITING_PIECES {
            return Poll::Ready(Ok(()));
        }
        stream.waiting = Some(context.waker().clone());
        desk.behind = true;
        if desk.workers < desk.wanted() && !desk.ready.is_empty() {
            self.hashing.start_worker(&mut desk);
        }
        Poll::Pending
    }

    fn hand_over(&self, piece: Bytes) {
        let mut desk = self.hashing.lock();
        let Some(stream) = desk.streams.get_mut(&self.ticket) else { return };
        let is_first = stream.pieces.is_empty();
        stream.pieces.push_back(piece);
        if is_first && stream.hasher.is_some() {
            desk.ready.push_back(self.ticket);
            if desk.workers == 0 {
                self.hashing.start_worker(&mut desk);
            }
        }
    }

    /// Waits for the checksum of all pieces that were handed over.
    fn poll_sum(&self, context: &Context<'_>) -> Poll<Result<Whirlpool, Lost>> {
        let mut desk = self.hashing.lock();
        let Some(stream) = desk.streams.get_mut(&self.ticket) else { return Poll::Ready(Err(Lost)) };
        if stream.pieces.is_empty()
            && let Some(hasher) = stream.hasher.take()
        {
            return Poll::Ready(Ok(hasher.finish()));
        }
        stream.waiting = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.hashing.lock().streams.remove(&self.ticket);
    }
}

/// A stream that is hashed while it is read: see [`Hashing::stream`].
pub struct HashStream<S> {
    inner: S,
    side: Side,
    seen: u64,
    answer: Option<oneshot::Sender<(u64, Whirlpool)>>,
}

enum Side {
    Inline(WhirlpoolHasher),
    Desk(Place),
    /// All pieces were handed over, and are still being hashed.
    Ending(Place),
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
        self.side = Side::Done;
        self.answer = None;
    }

    fn answer(&mut self, sum: Whirlpool) {
        self.side = Side::Done;
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
        if let Side::Ending(place) = &this.side {
            match futures::ready!(place.poll_sum(context)) {
                Ok(sum) => this.answer(sum),
                Err(Lost) => this.give_up(),
            }
            return Poll::Ready(None);
        }
        if let Side::Desk(place) = &this.side {
            // Waits for room first, so that a piece that was read can always be handed on.
            if futures::ready!(place.poll_room(context)).is_err() {
                this.give_up();
            }
        }
        match futures::ready!(Pin::new(&mut this.inner).poll_next(context)) {
            Some(Ok(piece)) => {
                this.seen += piece.len() as u64;
                match &mut this.side {
                    Side::Inline(hasher) => hasher.update(&piece),
                    Side::Desk(place) if !piece.is_empty() => place.hand_over(piece.clone()),
                    Side::Desk(_) | Side::Ending(_) | Side::Done => {}
                }
                Poll::Ready(Some(Ok(piece)))
            }
            Some(Err(error)) => {
                this.give_up();
                Poll::Ready(Some(Err(error)))
            }
            None => match std::mem::replace(&mut this.side, Side::Done) {
                Side::Inline(hasher) => {
                    this.answer(hasher.finish());
                    Poll::Ready(None)
                }
                Side::Desk(place) | Side::Ending(place) => {
                    this.side = Side::Ending(place);
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                Side::Done => Poll::Ready(None),
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
    fn four_waiting(hashing: &Hashing) -> Vec<Place> {
        let places: Vec<_> = (0..4).map(|_| hashing.open()).collect();
        let mut desk = hashing.lock();
        for place in &places {
            desk.streams.get_mut(&place.ticket).unwrap().pieces.push_back(Bytes::from_static(b"bytes"));
            desk.ready.push_back(place.ticket);
        }
        places
    }

    async fn is_hashed(place: &Place) -> bool {
        let sum = std::future::poll_fn(|context| place.poll_sum(context)).await;
        sum.is_ok_and(|sum| sum == Whirlpool::of(b"bytes"))
    }

    #[tokio::test]
    async fn one_thread_takes_all_it_has_lanes_for_while_it_keeps_up() {
        let hashing = Hashing::default();
        let places = four_waiting(&hashing);
        hashing.lock().workers = 1;
        let mut round = Round::take(&hashing).unwrap();
        assert_eq!(round.taken.len(), WhirlpoolHasher::lanes().min(4));
        assert_eq!(hashing.lock().workers, 1);
        round.hash();
        while let Some(mut rest) = Round::take(&hashing) {
            rest.hash();
        }
        assert_eq!(hashing.lock().workers, 0);
        for place in &places {
            assert!(is_hashed(place).await);
        }
    }

    #[tokio::test]
    async fn one_thread_that_is_behind_leaves_half_to_another() {
        let hashing = Hashing::default();
        let places = four_waiting(&hashing);
        {
            let mut desk = hashing.lock();
            (desk.workers, desk.behind, desk.processors) = (1, true, Some(2));
        }
        let mut round = Round::take(&hashing).unwrap();
        assert_eq!(round.taken.len(), WhirlpoolHasher::lanes().min(2));
        // Only the thread that was started just now can hash these.
        for place in &places[2..] {
            assert!(is_hashed(place).await);
        }
        round.hash();
        for place in &places[..2] {
            assert!(is_hashed(place).await);
        }
    }

    #[tokio::test]
    async fn a_thread_that_panics_leaves_nobody_waiting() {
        let hashing = Hashing::default();
        let place = hashing.open();
        {
            let mut desk = hashing.lock();
            desk.workers = 1;
            desk.streams.get_mut(&place.ticket).unwrap().pieces.push_back(Bytes::from_static(b"bytes"));
            desk.ready.push_back(place.ticket);
        }
        drop(Round::take(&hashing).unwrap());
        assert!(matches!(place.poll_sum(&Context::from_waker(Waker::noop())), Poll::Ready(Err(Lost))));
        assert_eq!(hashing.lock().workers, 0);
    }
}
