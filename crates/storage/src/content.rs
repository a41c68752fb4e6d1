//! Bytes on their way: streams, ranges, and things that can be read more than once.

use std::{pin::Pin, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};

use crate::{File, Remote, Result};

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
}

/// A file of a remote as content.
#[derive(Debug, Clone)]
pub struct RemoteContent {
    /// Where it is read from.
    pub remote: Arc<dyn Remote>,
    /// The file.
    pub file: File,
}

#[async_trait]
impl Content for RemoteContent {
    async fn open(&self) -> Result<ByteStream> {
        self.remote.read(&self.file, ByteRange::WHOLE).await
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
