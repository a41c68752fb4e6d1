//! A remote that reads as the real one and changes nothing: `--dry-run` as a wrapper, so that no command
//! can forget it. What would be done is said where it is counted: by the run's events.

use std::{sync::Arc, time::SystemTime};

use async_trait::async_trait;

use fichier_storage::{
    AccountInfo, ByteRange, ByteStream, Entry, File, LinkRequest, Listing, Outcome, PlaceId, Relocation,
    Remote, RemoteInfo, RemotePath, Result, StorageError, Usage, WriteBatch, metadata::Metadata,
};

/// A remote that does nothing of what it is asked to change, and answers as if it had.
#[derive(Debug)]
pub struct DryRun {
    inner: Arc<dyn Remote>,
}

impl DryRun {
    /// Wraps a remote.
    #[must_use]
    pub fn new(inner: Arc<dyn Remote>) -> Self {
        Self { inner }
    }
}

fn skipped(path: &RemotePath, action: &str) {
    tracing::warn!(path = %path, "Skipped {action} as --dry-run is set");
}

fn relocate(batch: &[Relocation]) -> Vec<Outcome<File>> {
    let moved = |item: &Relocation| File { path: item.to.clone(), ..item.from.clone() };
    batch.iter().map(|item| Outcome::Done(moved(item))).collect()
}

fn done<T>(batch: &[T]) -> Vec<Outcome<()>> {
    batch.iter().map(|_| Outcome::Done(())).collect()
}

// A wrapper that forgets a method would give the trait's own answer.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Remote for DryRun {
    fn info(&self) -> &RemoteInfo {
        self.inner.info()
    }

    async fn place(&self, folder: &RemotePath) -> Result<PlaceId> {
        self.inner.place(folder).await
    }

    async fn list(&self, folder: &RemotePath) -> Result<Vec<Entry>> {
        self.inner.list(folder).await
    }

    async fn list_with_gaps(&self, folder: &RemotePath) -> Result<Listing> {
        self.inner.list_with_gaps(folder).await
    }

    async fn find(&self, path: &RemotePath) -> Result<Entry> {
        self.inner.find(path).await
    }

    async fn metadata(&self, file: &File) -> Result<Vec<(String, String)>> {
        self.inner.metadata(file).await
    }

    async fn folder_metadata(&self, folder: &RemotePath) -> Result<Metadata> {
        self.inner.folder_metadata(folder).await
    }

    async fn set_folder_metadata(&self, _folder: &RemotePath, _metadata: &Metadata) -> Result<()> {
        Ok(())
    }

    async fn read(&self, file: &File, range: ByteRange) -> Result<ByteStream> {
        self.inner.read(file, range).await
    }

    async fn prepare(&self, file: &File) {
        self.inner.prepare(file).await;
    }

    async fn write(&self, batch: WriteBatch) -> Vec<Outcome<File>> {
        batch
            .items
            .iter()
            .map(|item| {
                Outcome::Done(File {
                    path: batch.folder.join(&item.name),
                    size: item.size,
                    modified: item.modified,
                    whirlpool: item.expected,
                    id: None,
                    media_type: None,
                    fingerprint: None,
                })
            })
            .collect()
    }

    async fn copy(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        relocate(batch)
    }

    async fn rename(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        relocate(batch)
    }

    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>> {
        done(batch)
    }

    async fn remove_unchanged(&self, batch: &[File]) -> Vec<Outcome<()>> {
        done(batch)
    }

    async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        done(batch)
    }

    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        done(batch)
    }

    async fn rename_folder(&self, _from: &RemotePath, _to: &RemotePath) -> Result<()> {
        Ok(())
    }

    async fn merge_folders(&self, path: &RemotePath) -> Result<()> {
        skipped(path, "merge directories");
        Ok(())
    }

    async fn set_modified(&self, _file: &File, _time: SystemTime) -> Result<()> {
        Ok(())
    }

    async fn about(&self) -> Result<Usage> {
        self.inner.about().await
    }

    async fn account(&self) -> Result<AccountInfo> {
        self.inner.account().await
    }

    async fn link(&self, entry: &Entry, _request: LinkRequest) -> Result<String> {
        skipped(entry.path(), "public link");
        Ok(String::new())
    }

    fn unsupported(&self, operation: &'static str) -> StorageError {
        self.inner.unsupported(operation)
    }
}
