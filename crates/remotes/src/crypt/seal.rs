//! Encrypts what is stored, as it is read.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use fichier_storage::{ByteStream, Content, Hashing, RemotePath, Result, StorageError, Whirlpool};
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::oneshot;

use super::{
    content::{BLOCK, ContentKey, Nonce, as_usize},
    gather::{GROUP_BLOCKS, Gatherer, JOBS, work},
};

/// Content that is encrypted while it is read. Each opening makes a nonce of its own.
pub(super) struct SealedContent {
    pub(super) key: ContentKey,
    pub(super) hashing: Hashing,
    /// Path that errors name.
    pub(super) path: RemotePath,
    /// Size and, where it is known, checksum that the plain bytes must have.
    pub(super) size: u64,
    pub(super) expected: Option<Whirlpool>,
    pub(super) plain: Arc<dyn Content>,
    pub(super) seen: Arc<Seen>,
}

/// Checksum of the plain bytes, once all went through.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Option<Whirlpool>>);

impl Seen {
    pub(super) fn get(&self) -> Option<Whirlpool> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, sum: Whirlpool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sum);
    }
}

/// Consecutive plain blocks.
struct Group {
    first: u64,
    plain: Vec<u8>,
}

#[async_trait]
impl Content for SealedContent {
    async fn open(&self) -> Result<ByteStream> {
        let (key, nonce) = (self.key.clone(), Nonce::random());
        let header = stream::iter([Ok(nonce.header())]);
        let sealed = self.groups(self.plain.open().await?).map_ok(move |Group { first, plain }| {
            let key = key.clone();
            async move { work(plain.len(), move || Bytes::from(key.seal(nonce, first, &plain))).await }
        });
        Ok(header.chain(sealed.try_buffered(*JOBS)).boxed())
    }

    async fn prepare(&self) {
        self.plain.prepare().await;
    }
}

impl SealedContent {
    /// Reads the plain bytes in groups. The last one comes only after all are known to be right: a file that isn't
    /// whole, or isn't the announced one, never looks like a whole file.
    fn groups(&self, plain: ByteStream) -> impl Stream<Item = Result<Group>> + Send + use<> {
        let (hashed, sum) = self.hashing.stream(plain, self.size);
        let reading = Reading {
            source: Gatherer::new(hashed.boxed()),
            sum: Some(sum),
            read: 0,
            path: self.path.clone(),
            size: self.size,
            expected: self.expected,
            seen: self.seen.clone(),
        };
        stream::try_unfold(reading, |mut reading| async move {
            Ok(reading.next().await?.map(|group| (group, reading)))
        })
    }
}

/// State of a stream of plain bytes.
struct Reading {
    source: Gatherer,
    /// `None` when everything is read.
    sum: Option<oneshot::Receiver<(u64, Whirlpool)>>,
    read: u64,
    path: RemotePath,
    size: u64,
    expected: Option<Whirlpool>,
    seen: Arc<Seen>,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Group>> {
        const GROUP: usize = as_usize(GROUP_BLOCKS * BLOCK);
        if self.sum.is_none() {
            return Ok(None);
        }
        let first = self.read / BLOCK;
        let plain = self.source.take(GROUP).await?;
        self.read += plain.len() as u64;
        if self.read > self.size || (self.read < self.size && plain.len() < GROUP) {
            return Err(self.other_size());
        }
        if self.read == self.size {
            if !self.source.take(1).await?.is_empty() {
                self.read += 1;
                return Err(self.other_size());
            }
            self.verify().await?;
        }
        Ok((!plain.is_empty()).then_some(Group { first, plain }))
    }

    /// Compares what was read with the checksum that it must have.
    async fn verify(&mut self) -> Result<()> {
        let Some(sum) = self.sum.take() else { return Ok(()) };
        let (_, actual) = sum.await.map_err(|_| StorageError::Canceled)?;
        if let Some(expected) = self.expected.filter(|expected| *expected != actual) {
            let (expected, actual) = (Box::new(expected), Box::new(actual));
            return Err(StorageError::Corrupted { path: self.path.clone(), expected, actual });
        }
        self.seen.set(actual);
        Ok(())
    }

    fn other_size(&self) -> StorageError {
        StorageError::SizeMismatch { path: self.path.clone(), expected: self.size, actual: self.read }
    }
}
