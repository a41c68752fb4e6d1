//! Readers for remotes that lie over others: of stored bytes as they are, and of files that can't exist.

use std::sync::Arc;

use async_trait::async_trait;
use fichier_storage::{ByteRange, ByteStream, FileReader, RemotePath, Result, StorageError};
use futures::{StreamExt as _, TryStreamExt as _};

/// A reader of the stored bytes whose errors name the path that is shown.
#[derive(Debug)]
pub(crate) struct ShownReader {
    pub(crate) inner: Arc<dyn FileReader>,
    pub(crate) stored: RemotePath,
    pub(crate) path: RemotePath,
}

#[async_trait]
impl FileReader for ShownReader {
    async fn stream(&self, range: ByteRange) -> Result<ByteStream> {
        let shown = |(stored, path): (RemotePath, RemotePath)| {
            move |error: StorageError| {
                error.with_paths(|about| if *about == stored { path.clone() } else { about.clone() })
            }
        };
        let paths = (self.stored.clone(), self.path.clone());
        let stream = self.inner.stream(range).await.map_err(shown(paths.clone()))?;
        Ok(stream.map_err(shown(paths)).boxed())
    }

    async fn prepare(&self) {
        self.inner.prepare().await;
    }
}

/// A reader of a file that can't exist, since nothing of its name can be stored.
#[derive(Debug)]
pub(crate) struct NoReader(pub(crate) RemotePath);

#[async_trait]
impl FileReader for NoReader {
    async fn stream(&self, _range: ByteRange) -> Result<ByteStream> {
        Err(StorageError::FileNotFound(self.0.clone()))
    }

    async fn prepare(&self) {}
}
