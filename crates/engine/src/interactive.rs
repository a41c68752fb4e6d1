//! A remote that asks before it changes anything: `--interactive` as a wrapper, so that no command can forget
//! it.

use std::{fmt, sync::Arc, time::SystemTime};

use async_trait::async_trait;

use fichier_storage::{
    AccountInfo, ByteRange, ByteStream, Entry, File, LinkRequest, Listing, Outcome, PlaceId, Relocation,
    Remote, RemoteInfo, RemotePath, Result, StorageError, Usage, WriteBatch, metadata::Metadata,
};

/// What is about to be done.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// As a verb phrase: `copy`, `delete`.
    pub action: &'static str,
    /// To what.
    pub path: &'a RemotePath,
}

/// What is to become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Yes,
    /// It is left.
    No,
    /// It is left, and so is everything else.
    Quit,
    /// Nobody is there to answer: it is left, and so is everything else.
    Nobody,
    /// The run was stopped meanwhile: it is left, and so is everything else.
    Stopped,
}

/// Asks somebody.
#[async_trait]
pub trait Asker: fmt::Debug + Send + Sync {
    /// Asks whether something is to be done. Questions may come from several tasks at once.
    async fn ask(&self, question: Question<'_>) -> Answer;
}

/// A remote that asks before it changes anything.
#[derive(Debug)]
pub struct Interactive {
    inner: Arc<dyn Remote>,
    asker: Arc<dyn Asker>,
}

impl Interactive {
    /// Wraps a remote.
    #[must_use]
    pub fn new(inner: Arc<dyn Remote>, asker: Arc<dyn Asker>) -> Self {
        Self { inner, asker }
    }

    async fn allow(&self, action: &'static str, path: &RemotePath) -> Result<()> {
        match self.asker.ask(Question { action, path }).await {
            Answer::Yes => Ok(()),
            Answer::No => {
                tracing::warn!(path = %path, "Skipped {action} as --interactive is set");
                Err(StorageError::Declined(path.clone()))
            }
            Answer::Quit => Err(StorageError::Quit),
            Answer::Nobody => Err(StorageError::Unanswered(path.clone())),
            Answer::Stopped => Err(StorageError::Canceled),
        }
    }

    /// Asks about each item; says which are allowed, and what becomes of the others.
    async fn allowed<T>(
        &self,
        action: &'static str,
        paths: impl Iterator<Item = &RemotePath>,
    ) -> Vec<Option<Outcome<T>>> {
        let mut refused = Vec::new();
        let mut over = false;
        for path in paths {
            if over {
                refused.push(Some(Outcome::NotTried));
                continue;
            }
            let answer = self.allow(action, path).await.err();
            over = answer.as_ref().is_some_and(|error| !matches!(error, StorageError::Declined(_)));
            if matches!(answer, Some(StorageError::Canceled)) {
                // After Ctrl-C nothing more is done, not even what was allowed and hasn't begun.
                for allowed in refused.iter_mut().filter(|refused| refused.is_none()) {
                    *allowed = Some(Outcome::NotTried);
                }
            }
            refused.push(answer.map(Outcome::Failed));
        }
        refused
    }
}

/// The items that weren't refused.
fn chosen<I, T>(items: impl IntoIterator<Item = I>, refused: &[Option<Outcome<T>>]) -> Vec<I> {
    items.into_iter().zip(refused).filter(|(_, refused)| refused.is_none()).map(|(item, _)| item).collect()
}

/// Puts the outcomes of the allowed items between those of the refused ones.
fn merged<T>(refused: Vec<Option<Outcome<T>>>, outcomes: Vec<Outcome<T>>) -> Vec<Outcome<T>> {
    let mut outcomes = outcomes.into_iter();
    refused
        .into_iter()
        .map(|refused| refused.or_else(|| outcomes.next()).unwrap_or(Outcome::NotTried))
        .collect()
}

// A wrapper that forgets a method would give the trait's own answer.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Remote for Interactive {
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

    async fn set_folder_metadata(&self, folder: &RemotePath, metadata: &Metadata) -> Result<()> {
        self.inner.set_folder_metadata(folder, metadata).await
    }

    async fn read(&self, file: &File, range: ByteRange) -> Result<ByteStream> {
        self.inner.read(file, range).await
    }

    async fn prepare(&self, file: &File) {
        self.inner.prepare(file).await;
    }

    async fn write(&self, batch: WriteBatch) -> Vec<Outcome<File>> {
        let WriteBatch { folder, items } = batch;
        let paths: Vec<_> = items.iter().map(|item| folder.join(&item.name)).collect();
        let refused = self.allowed("copy", paths.iter()).await;
        let items = chosen(items, &refused);
        let outcomes =
            if items.is_empty() { Vec::new() } else { self.inner.write(WriteBatch { folder, items }).await };
        merged(refused, outcomes)
    }

    async fn copy(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        let refused = self.allowed("copy", batch.iter().map(|item| &item.to)).await;
        let outcomes = self.inner.copy(&chosen(batch.iter().cloned(), &refused)).await;
        merged(refused, outcomes)
    }

    async fn rename(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        let refused = self.allowed("move", batch.iter().map(|item| &item.to)).await;
        let outcomes = self.inner.rename(&chosen(batch.iter().cloned(), &refused)).await;
        merged(refused, outcomes)
    }

    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>> {
        let refused = self.allowed("delete", batch.iter().map(|file| &file.path)).await;
        let outcomes = self.inner.remove(&chosen(batch.iter().cloned(), &refused)).await;
        merged(refused, outcomes)
    }

    async fn remove_unchanged(&self, batch: &[File]) -> Vec<Outcome<()>> {
        let refused = self.allowed("delete", batch.iter().map(|file| &file.path)).await;
        let outcomes = self.inner.remove_unchanged(&chosen(batch.iter().cloned(), &refused)).await;
        merged(refused, outcomes)
    }

    async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        let refused = self.allowed("make directory", batch.iter()).await;
        let outcomes = self.inner.make_folders(&chosen(batch.iter().cloned(), &refused)).await;
        merged(refused, outcomes)
    }

    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        let refused = self.allowed("remove directory", batch.iter()).await;
        let outcomes = self.inner.remove_folders(&chosen(batch.iter().cloned(), &refused)).await;
        merged(refused, outcomes)
    }

    async fn rename_folder(&self, from: &RemotePath, to: &RemotePath) -> Result<()> {
        self.allow("move directory", from).await?;
        self.inner.rename_folder(from, to).await
    }

    async fn merge_folders(&self, path: &RemotePath) -> Result<()> {
        self.allow("merge directories", path).await?;
        self.inner.merge_folders(path).await
    }

    async fn set_modified(&self, file: &File, time: SystemTime) -> Result<()> {
        self.allow("update modification time", &file.path).await?;
        self.inner.set_modified(file, time).await
    }

    async fn about(&self) -> Result<Usage> {
        self.inner.about().await
    }

    async fn account(&self) -> Result<AccountInfo> {
        self.inner.account().await
    }

    async fn link(&self, entry: &Entry, request: LinkRequest) -> Result<String> {
        self.allow("make public link", entry.path()).await?;
        self.inner.link(entry, request).await
    }

    fn unsupported(&self, operation: &'static str) -> StorageError {
        self.inner.unsupported(operation)
    }
}
