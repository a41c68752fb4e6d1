//! A remote that asks before it changes anything: `--interactive` as a wrapper, so that no command can forget
//! it.

use std::{fmt, sync::Arc, time::SystemTime};

use async_trait::async_trait;

use fichier_storage::{
    Entry, Extensions, File, FolderRelocation, LinkRequest, MergeFolders, Outcome, PublicLinks, Relocation,
    Remote, RemoteExt, RemotePath, Result, StorageError, WriteBatch, delegate_remote,
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

#[async_trait]
impl Remote for Interactive {
    delegate_remote!(inner: info, place, list, find, forget, reader);

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

    async fn rename_folders(&self, batch: &[FolderRelocation]) -> Vec<Outcome<()>> {
        let refused = self.allowed("move directory", batch.iter().map(|item| &item.from)).await;
        let outcomes = self.inner.rename_folders(&chosen(batch.iter().cloned(), &refused)).await;
        merged(refused, outcomes)
    }

    async fn set_modified(&self, batch: &[(File, SystemTime)]) -> Vec<Outcome<()>> {
        let paths = batch.iter().map(|(file, _)| &file.path);
        let refused = self.allowed("update modification time", paths).await;
        let outcomes = self.inner.set_modified(&chosen(batch.iter().cloned(), &refused)).await;
        merged(refused, outcomes)
    }

    fn extensions(&self) -> Extensions<'_> {
        let Extensions { usage, account, links, merge, metadata } = self.inner.extensions();
        Extensions {
            usage,
            account,
            links: links.map(|_| self as &dyn PublicLinks),
            merge: merge.map(|_| self as &dyn MergeFolders),
            metadata,
        }
    }
}

#[async_trait]
impl PublicLinks for Interactive {
    async fn link(&self, entry: &Entry, request: LinkRequest) -> Result<String> {
        self.allow("make public link", entry.path()).await?;
        self.inner.link(entry, request).await
    }
}

#[async_trait]
impl MergeFolders for Interactive {
    async fn merge_folders(&self, path: &RemotePath) -> Result<()> {
        self.allow("merge directories", path).await?;
        self.inner.merge_folders(path).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use fichier_storage::{Freshness, conformance, memory::MemoryRemote};

    use super::*;

    /// Answers with these in turn, then always yes.
    #[derive(Debug, Default)]
    struct Scripted(Mutex<Vec<Answer>>);

    #[async_trait]
    impl Asker for Scripted {
        async fn ask(&self, _question: Question<'_>) -> Answer {
            self.0.lock().unwrap().pop().unwrap_or(Answer::Yes)
        }
    }

    fn over(inner: MemoryRemote, mut answers: Vec<Answer>) -> Interactive {
        answers.reverse();
        Interactive::new(Arc::new(inner), Arc::new(Scripted(Mutex::new(answers))))
    }

    fn paths<const N: usize>(paths: [&str; N]) -> [RemotePath; N] {
        paths.map(|path| RemotePath::parse(path).unwrap())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn with_yes_to_all_it_is_the_remote_itself() {
        let remote = over(MemoryRemote::new("memory:"), Vec::new());
        conformance::run(Arc::new(remote)).await.unwrap();
    }

    #[tokio::test]
    async fn gaps_come_through() {
        let inner = MemoryRemote::new("memory:");
        inner.hide(&RemotePath::parse("hidden").unwrap(), "permission denied");
        let remote = over(inner, Vec::new());
        assert_eq!(remote.list(&RemotePath::root(), Freshness::Known).await.unwrap().gaps.len(), 1);
    }

    #[tokio::test]
    async fn each_item_has_its_own_answer_and_quitting_ends_the_asking() {
        let remote = over(MemoryRemote::new("memory:"), vec![Answer::Yes, Answer::No, Answer::Quit]);
        let made = remote.make_folders(&paths(["a", "b", "c", "d"])).await;
        let [Outcome::Done(()), Outcome::Failed(StorageError::Declined(_)), over @ ..] = &made[..] else {
            panic!("{made:?}")
        };
        assert!(matches!(over, [Outcome::Failed(StorageError::Quit), Outcome::NotTried]));
        assert_eq!(remote.entries(&RemotePath::root()).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn after_a_stop_not_even_what_was_allowed_is_done() {
        let remote = over(MemoryRemote::new("memory:"), vec![Answer::Yes, Answer::Stopped]);
        let made = remote.make_folders(&paths(["a", "b"])).await;
        assert!(matches!(made[..], [Outcome::NotTried, Outcome::Failed(StorageError::Canceled)]), "{made:?}");
        assert!(remote.entries(&RemotePath::root()).await.unwrap().is_empty());
    }
}
