//! The bytes of files: streams, ranges, and content that can be read more than once.

use std::{pin::Pin, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};

use crate::{File, FileReader, Remote, Result};

/// Stream of a file's bytes.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// A part of a file to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ByteRange {
    /// Position of the first byte, counted from 0.
    pub start: u64,
    /// Position after the last byte; `None` means the end of the file.
    pub end: Option<u64>,
}

impl ByteRange {
    /// The whole file.
    pub const WHOLE: Self = Self { start: 0, end: None };

    /// Returns how many bytes the range covers in a file of `size` bytes.
    #[must_use]
    pub fn length(&self, size: u64) -> u64 {
        self.end.unwrap_or(size).min(size).saturating_sub(self.start)
    }
}

/// Content that can be read from the start, again for each try.
#[async_trait]
pub trait Content: Send + Sync {
    /// Opens a new stream of all bytes. Opening is cheap where it can be: what costs something (a download token) is
    /// fetched when the first byte is asked for.
    ///
    /// # Errors
    /// The source can't be read, or isn't what was announced any more.
    async fn open(&self) -> Result<ByteStream>;

    /// Returns a reader of ranges, of which several may be open at once. `None` where one stream from the start does
    /// as well: ranges help where the bytes come over a network. `known` bytes are there already and won't be asked
    /// for.
    fn ranges(&self, _known: u64) -> Option<Arc<dyn Ranges>> {
        None
    }

    /// Fetches in advance what the first byte will need (a download token). An error here isn't reported: the read
    /// itself reports it.
    async fn prepare(&self) {}
}

/// One try at reading a file in pieces, in any order. It ends when this and all its streams are dropped.
#[async_trait]
pub trait Ranges: Send + Sync {
    /// Opens a stream of the bytes of a range.
    ///
    /// # Errors
    /// The source can't be read, or isn't what was announced any more.
    async fn open(&self, range: ByteRange) -> Result<ByteStream>;
}

/// A file of a remote, as content.
#[derive(Debug, Clone)]
pub struct RemoteContent {
    reader: Arc<dyn FileReader>,
    networked: bool,
}

impl RemoteContent {
    /// Makes content of a file. All reads of it share what reading costs.
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

/// Bytes in memory as content, for small generated files and tests.
#[derive(Debug, Clone)]
pub struct MemoryContent(pub Bytes);

#[async_trait]
impl Content for MemoryContent {
    async fn open(&self) -> Result<ByteStream> {
        let bytes = self.0.clone();
        Ok(stream::iter((!bytes.is_empty()).then_some(Ok(bytes))).boxed())
    }
}

/// Returns all bytes of a stream in one piece, for small files.
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
