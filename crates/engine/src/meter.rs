//! Content that counts its bytes into the run's [`Stats`] as they are read.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::Stream;

use fichier_storage::{ByteStream, Content, RemotePath, Result};

use crate::Stats;

/// Content that counts its bytes.
pub(crate) struct MeteredContent {
    pub(crate) inner: Arc<dyn Content>,
    /// The file, seen from the run's root.
    pub(crate) path: RemotePath,
    pub(crate) size: u64,
    pub(crate) stats: Arc<Stats>,
}

#[async_trait]
impl Content for MeteredContent {
    async fn open(&self) -> Result<ByteStream> {
        Ok(Box::pin(MeteredStream {
            inner: self.inner.open().await?,
            path: self.path.clone(),
            size: self.size,
            stats: self.stats.clone(),
            running: None,
            seen: 0,
        }))
    }
}

struct MeteredStream {
    inner: ByteStream,
    path: RemotePath,
    size: u64,
    stats: Arc<Stats>,
    /// Since the first byte was asked for: a batch opens its files long before their turn comes.
    running: Option<u64>,
    seen: u64,
}

impl Stream for MeteredStream {
    type Item = Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let id = *this.running.get_or_insert_with(|| this.stats.begin(this.path.clone(), this.size));
        let item = ready!(this.inner.as_mut().poll_next(context));
        if let Some(Ok(chunk)) = &item {
            this.seen += chunk.len() as u64;
            this.stats.advance(id, chunk.len() as u64);
        }
        Poll::Ready(item)
    }
}

impl Drop for MeteredStream {
    fn drop(&mut self) {
        if let Some(id) = self.running {
            // A reader that knows the length may stop without polling for the end.
            self.stats.end(id, self.seen >= self.size);
        }
    }
}
