//! Bytes on their way: streams, ranges, and things that can be read more than once.

use std::{pin::Pin, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};

use crate::{File, FileReader, Remote, Result};

/// A file's bytes as they come.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// Which bytes of a file to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ByteRange {
    /// The first byte, counted from 0.
    pub start: u64,
    /// The byte after the last; `None`: to the end.
    pub end: Option<u64>,
}

impl ByteRange {
    /// The whole file.
    pub const WHOLE: Self = Self { start: 0, end: None };

    /// How many bytes the range covers in a file of `size` bytes.
    #[must_use]
    pub fn length(&self, size: u64) -> u64 {
        self.end.unwrap_or(size).min(size).saturating_sub(self.start)
    }
}

/// Something whose bytes can be read from the start, again for each try.
#[async_trait]
pub trait Content: Send + Sync {
    /// Opens a new stream of all bytes. Cheap where it can be: what costs (a download token) waits for the
    /// first byte that is asked for.
    ///
    /// # Errors
    /// The source can't be read, or isn't what was announced any more.
    async fn open(&self) -> Result<ByteStream>;

    /// A reading by ranges, of which several may be open at once, where that is worth more than one stream from
    /// the start: where the bytes come over a network. `known` bytes are there already and won't be asked for.
    fn ranges(&self, _known: u64) -> Option<Arc<dyn Ranges>> {
        None
    }

    /// Gets ahead of need what the first byte will cost (a download token). What fails here is told by the
    /// reading itself.
    async fn prepare(&self) {}
}

/// One try at reading a file piece by piece, in any order. It ends when this and all its streams are dropped.
#[async_trait]
pub trait Ranges: Send + Sync {
    /// Opens a stream of the bytes of a range.
    ///
    /// # Errors
    /// The source can't be read, or isn't what was announced any more.
    async fn open(&self, range: ByteRange) -> Result<ByteStream>;
}

/// A file of a remote as content.
#[derive(Debug, Clone)]
pub struct RemoteContent {
    reader: Arc<dyn FileReader>,
    networked: bool,
}

impl RemoteContent {
    /// Takes a file as content. What reading it costs is shared by all that is read of it.
    #[must_use]
    pub fn new(remote: &dyn Remote, file: &File) -> Self {
        Self { reader: remote.reader(file), networked: remote.info().features.networked }
    }
}

#[async_trait]
impl Content for RemoteContent {
    async fn open(&self) -> Result<ByteStream> {
        self.reader.stream(ByteRange::WHOLE).await
    }

    fn ranges(&self, _known: u64) -> Option<Arc<dyn Ranges>> {
        self.networked.then(|| Arc::new(self.clone()) as Arc<dyn Ranges>)
    }

    async fn prepare(&self) {
        self.reader.prepare().await;
    }
}

#[async_trait]
impl Ranges for RemoteContent {
    async fn open(&self, range: ByteRange) -> Result<ByteStream> {
        self.reader.stream(range).await
    }
}

/// Bytes in memory as content, for small made-up files and tests.
#[derive(Debug, Clone)]
pub struct MemoryContent(pub Bytes);

#[async_trait]
impl Content for MemoryContent {
    async fn open(&self) -> Result<ByteStream> {
        let bytes = self.0.clone();
        Ok(stream::iter((!bytes.is_empty()).then_some(Ok(bytes))).boxed())
    }
}

/// All bytes of a stream in one piece: for small files.
///
/// # Errors
/// The stream's own.
pub async fn collect(mut stream: ByteStream) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(bytes)
}
