//! The Whirlpool checksum (ISO/IEC 10118-3): the only one that 1Fichier stores, for every file.

use std::{
    fmt,
    pin::Pin,
    str::FromStr,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::Stream;
use whirlpool_simd::Digest as _;

/// A Whirlpool checksum: 64 bytes, shown as 128 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Whirlpool([u8; 64]);

impl Whirlpool {
    /// Takes the 64 bytes of a checksum.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// The checksum of these bytes.
    ///
    /// ```
    /// let empty = fichier_storage::Whirlpool::of(b"");
    /// assert!(empty.to_string().starts_with("19fa61d75522a466"));
    /// ```
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = WhirlpoolHasher::new();
        hasher.update(bytes);
        hasher.finish()
    }
}

impl fmt::Display for Whirlpool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Whirlpool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Whirlpool({self})")
    }
}

/// Text that isn't a Whirlpool checksum.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a Whirlpool checksum (128 hexadecimal digits)")]
pub struct ParseWhirlpoolError(String);

impl FromStr for Whirlpool {
    type Err = ParseWhirlpoolError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseWhirlpoolError(text.chars().take(140).collect());
        let digits = text.as_bytes();
        if digits.len() != 128 {
            return Err(wrong());
        }
        let mut bytes = [0; 64];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |d: u8| char::from(d).to_digit(16);
            let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else {
                return Err(wrong());
            };
            *byte = u8::try_from(high << 4 | low).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

/// Computes a [`Whirlpool`] piece by piece.
#[derive(Clone, Default)]
pub struct WhirlpoolHasher(whirlpool_simd::Whirlpool);

impl fmt::Debug for WhirlpoolHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WhirlpoolHasher")
    }
}

impl WhirlpoolHasher {
    /// A hasher that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum of all that was taken in.
    #[must_use]
    pub fn finish(self) -> Whirlpool {
        Whirlpool(self.0.finalize().into())
    }
}

/// How many chunks may wait for the hashing thread before the stream is held back. Small, since each chunk
/// is memory.
const WAITING_CHUNKS: usize = 4;

/// Files up to this size are hashed where they are read: a thread would cost more than the sum.
const INLINE_BELOW: u64 = 32 * 1024;

/// Hashes bytes beside their way through a stream, on a blocking thread, so that the runtime is never held
/// up by the checksum.
#[derive(Debug)]
pub struct HashStream<S> {
    inner: S,
    side: Side,
    seen: u64,
    answer: Option<tokio::sync::oneshot::Sender<(u64, Whirlpool)>>,
}

#[derive(Debug)]
enum Side {
    /// Until the first byte is asked for: a batch opens its files long before their turn comes, and a
    /// waiting file must not hold a thread.
    Waiting {
        expected: u64,
    },
    Inline(Option<WhirlpoolHasher>),
    Thread {
        chunks: Option<tokio_util::sync::PollSender<Bytes>>,
        result: tokio::task::JoinHandle<Whirlpool>,
    },
    Done,
}

impl Side {
    fn start(expected: u64) -> Self {
        if expected <= INLINE_BELOW {
            return Self::Inline(Some(WhirlpoolHasher::new()));
        }
        let (sender, mut waiting) = tokio::sync::mpsc::channel::<Bytes>(WAITING_CHUNKS);
        let result = tokio::task::spawn_blocking(move || {
            let mut hasher = WhirlpoolHasher::new();
            while let Some(chunk) = waiting.blocking_recv() {
                hasher.update(&chunk);
            }
            hasher.finish()
        });
        Self::Thread { chunks: Some(tokio_util::sync::PollSender::new(sender)), result }
    }
}

impl<S, E> HashStream<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    /// Wraps a stream of about `expected` bytes. When the stream has ended without an error, the receiver
    /// gets how many bytes passed and their checksum; after an error, or when the stream is dropped early,
    /// it gets nothing.
    ///
    /// Must be polled in a Tokio runtime.
    pub fn new(inner: S, expected: u64) -> (Self, tokio::sync::oneshot::Receiver<(u64, Whirlpool)>) {
        let (answer, receiver) = tokio::sync::oneshot::channel();
        let side = Side::Waiting { expected };
        (Self { inner, side, seen: 0, answer: Some(answer) }, receiver)
    }
}

impl<S, E> Stream for HashStream<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Item = Result<Bytes, E>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Side::Waiting { expected } = this.side {
            this.side = Side::start(expected);
        }
        // Room at the hashing thread first, so that a chunk, once read, can always be handed on.
        if let Side::Thread { chunks: Some(chunks), .. } = &mut this.side
            && futures::ready!(chunks.poll_reserve(context)).is_err()
        {
            // The thread is gone only when it panicked or the runtime shuts down: no checksum then.
            this.side = Side::Done;
            this.answer = None;
        }
        if let Side::Thread { chunks: None, result } = &mut this.side {
            let sum = futures::ready!(Pin::new(result).poll(context));
            this.side = Side::Done;
            if let (Ok(sum), Some(answer)) = (sum, this.answer.take()) {
                let _receiver_may_be_gone = answer.send((this.seen, sum));
            }
            return Poll::Ready(None);
        }
        match futures::ready!(Pin::new(&mut this.inner).poll_next(context)) {
            Some(Ok(chunk)) => {
                this.seen += chunk.len() as u64;
                match &mut this.side {
                    Side::Inline(Some(hasher)) => hasher.update(&chunk),
                    Side::Thread { chunks: Some(chunks), .. } => {
                        let _reserved_above = chunks.send_item(chunk.clone());
                    }
                    _ => {}
                }
                Poll::Ready(Some(Ok(chunk)))
            }
            Some(Err(error)) => {
                this.side = Side::Done;
                this.answer = None;
                Poll::Ready(Some(Err(error)))
            }
            None => match &mut this.side {
                Side::Inline(hasher) => {
                    if let (Some(hasher), Some(answer)) = (hasher.take(), this.answer.take()) {
                        let _receiver_may_be_gone = answer.send((this.seen, hasher.finish()));
                    }
                    this.side = Side::Done;
                    Poll::Ready(None)
                }
                Side::Thread { chunks, .. } => {
                    *chunks = None;
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                Side::Done | Side::Waiting { .. } => Poll::Ready(None),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt, stream};

    use super::*;

    #[test]
    fn text_form_round_trips() {
        let sum = Whirlpool::of(b"The quick brown fox jumps over the lazy dog");
        assert!(sum.to_string().starts_with("b97de512e91e3828b40d2b0fdce9ceb3"));
        assert_eq!(sum.to_string().parse::<Whirlpool>().unwrap(), sum);
        assert_eq!(sum.to_string().to_uppercase().parse::<Whirlpool>().unwrap(), sum);
        assert!("19fa".parse::<Whirlpool>().is_err());
        assert!("zz".repeat(64).parse::<Whirlpool>().is_err());
    }

    #[tokio::test]
    async fn a_stream_is_hashed_on_its_way_inline_and_on_a_thread() {
        for expected in [10, 1 << 20] {
            let chunks: Vec<Bytes> = (0..50u8).map(|i| Bytes::from(vec![i; 1000])).collect();
            let whole = chunks.concat();
            let source = stream::iter(chunks).map(Ok::<_, std::io::Error>);
            let (hashed, sum) = HashStream::new(source, expected);
            let passed: Vec<Bytes> = hashed.map(Result::unwrap).collect().await;
            assert_eq!(passed.concat(), whole);
            assert_eq!(sum.await.unwrap(), (50_000, Whirlpool::of(&whole)));
        }
    }

    #[tokio::test]
    async fn a_stream_that_fails_has_no_checksum() {
        for expected in [10, 1 << 20] {
            let source = stream::iter([Ok(Bytes::from_static(b"a")), Err("cut")]);
            let (hashed, sum) = HashStream::new(source, expected);
            let passed: Vec<_> = hashed.collect().await;
            assert_eq!(passed.last(), Some(&Err("cut")));
            assert!(sum.await.is_err());
        }
    }
}
