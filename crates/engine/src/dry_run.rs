//! A remote that reads as the real one and changes nothing: `--dry-run` as a wrapper, so that no command
//! can forget it.

use std::{sync::Arc, time::SystemTime};

use async_trait::async_trait;

use fichier_storage::{
    AccountInfo, ByteRange, ByteStream, Entry, File, LinkRequest, Listing, Outcome, PlaceId, Relocation,
    Remote, RemoteInfo, RemotePath, Result, Usage, WriteBatch,
};

/// A remote that says what it would do instead of doing it.
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

fn skipped_with_size(path: &RemotePath, action: &str, size: u64) {
    tracing::warn!(path = %path, size, "Skipped {action} as --dry-run is set (size {size})");
}

fn relocate(batch: &[Relocation], action: &str) -> Vec<Outcome<File>> {
    batch
        .iter()
        .map(|item| {
            skipped_with_size(&item.to, action, item.from.size);
            Outcome::Done(File { path: item.to.clone(), ..item.from.clone() })
        })
        .collect()
}

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
                let path = batch.folder.join(&item.name);
                skipped_with_size(&path, "copy", item.size);
                Outcome::Done(File {
                    path,
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
        relocate(batch, "server-side copy")
    }

    async fn rename(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        relocate(batch, "move")
    }

    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>> {
        batch
            .iter()
            .map(|file| {
                skipped_with_size(&file.path, "delete", file.size);
                Outcome::Done(())
            })
            .collect()
    }

    async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        batch
            .iter()
            .map(|path| {
                skipped(path, "make directory");
                Outcome::Done(())
            })
            .collect()
    }

    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        batch
            .iter()
            .map(|path| {
                skipped(path, "remove directory");
                Outcome::Done(())
            })
            .collect()
    }

    async fn rename_folder(&self, from: &RemotePath, _to: &RemotePath) -> Result<()> {
        skipped(from, "directory move");
        Ok(())
    }

    async fn merge_folders(&self, path: &RemotePath) -> Result<()> {
        skipped(path, "merge directories");
        Ok(())
    }

    async fn set_modified(&self, file: &File, _time: SystemTime) -> Result<()> {
        skipped(&file.path, "set modification time");
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
}
