//! Content that counts its bytes into the run's [`Stats`] as they are read.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::Stream;
use tokio::time::Sleep;

use fichier_storage::{ByteStream, Content, RemotePath, Result};

use crate::{Bandwidth, Stats, bandwidth::Ways};

/// Content that counts its bytes.
pub(crate) struct MeteredContent {
    pub(crate) inner: Arc<dyn Content>,
    /// The file, seen from the run's root.
    pub(crate) path: RemotePath,
    pub(crate) size: u64,
    pub(crate) stats: Arc<Stats>,
    pub(crate) bandwidth: Option<Bandwidth>,
    pub(crate) ways: Ways,
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
            bandwidth: self.bandwidth.clone(),
            ways: self.ways,
            pause: None,
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
    bandwidth: Option<Bandwidth>,
    ways: Ways,
    /// Ends when what was read last has had its time.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Stream for MeteredStream {
    type Item = Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let id = *this.running.get_or_insert_with(|| this.stats.begin(this.path.clone(), this.size));
        if let Some(pause) = &mut this.pause {
            ready!(pause.as_mut().poll(context));
            this.pause = None;
        }
        let item = ready!(this.inner.as_mut().poll_next(context));
        if let Some(Ok(chunk)) = &item {
            this.seen += chunk.len() as u64;
            this.stats.advance(id, chunk.len() as u64);
            if let Some(bandwidth) = &this.bandwidth {
                let until = bandwidth.take(chunk.len() as u64, this.ways);
                this.pause = until.map(|until| Box::pin(tokio::time::sleep_until(until)));
            }
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
