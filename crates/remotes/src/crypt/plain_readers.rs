//! Readers of what is stored as it is, and of what can't be stored.

use std::sync::Arc;

use async_trait::async_trait;
use fichier_storage::{ByteRange, ByteStream, FileReader, RemotePath, Result, StorageError};
use futures::{StreamExt as _, TryStreamExt as _};

/// A reader of the stored bytes whose errors name the path that is shown.
#[derive(Debug)]
pub(super) struct ShownReader {
    pub(super) inner: Arc<dyn FileReader>,
    pub(super) stored: RemotePath,
    pub(super) path: RemotePath,
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

/// Stands for a file whose name can't be stored: there is none.
#[derive(Debug)]
pub(super) struct NoReader(pub(super) RemotePath);

#[async_trait]
impl FileReader for NoReader {
    async fn stream(&self, _range: ByteRange) -> Result<ByteStream> {
        Err(StorageError::FileNotFound(self.0.clone()))
    }

    async fn prepare(&self) {}
}
