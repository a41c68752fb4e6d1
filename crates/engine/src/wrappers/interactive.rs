//! A remote that asks before it changes anything: `--interactive` as a wrapper, so that no command can forget
//! it.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    future::ready,
    mem::take,
    pin::pin,
    sync::Arc,
    task::Poll,
    time::SystemTime,
};

use async_trait::async_trait;
use futures::{
    FutureExt as _,
    future::{BoxFuture, join},
    poll,
};
use tokio::sync::mpsc;

use super::fetches_of;
use crate::RunError;
use fichier_storage::{
    Entry, Extensions, FetchFromWeb, FetchRequest, FetchResult, FetchTask, File, FolderRelocation,
    LinkRequest, MergeFolders, Outcome, PublicLinks, Relocation, Remote, RemoteExt, RemotePath, Result,
    StorageError, WriteBatch, delegate_remote,
};

/// What is about to be done.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// As a verb phrase: `copy`, `delete`.
    pub action: &'static str,
    /// To what, as messages name it.
    pub path: &'a str,
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
        let shown = self.inner.info().shown(path);
        match self.asker.ask(Question { action, path: &shown }).await {
            Answer::Yes => Ok(()),
            Answer::No => {
                tracing::warn!(path = %shown, "Skipped {action} as --interactive is set");
                Err(RunError::Declined(path.clone()).into())
            }
            Answer::Quit => Err(RunError::Quit.into()),
            Answer::Nobody => Err(RunError::Unanswered(path.clone()).into()),
            Answer::Stopped => Err(StorageError::Canceled),
        }
    }

    /// Asks all questions of an item, up to the first that isn't answered with yes.
    async fn allow_all(&self, questions: Vec<(&'static str, RemotePath)>) -> Result<()> {
        for (action, path) in questions {
            self.allow(action, &path).await?;
        }
        Ok(())
    }

    /// Asks about each item and does what is allowed, in this order.
    ///
    /// What was allowed is done while the next question stands, so that it isn't left undone when the asking ends there.
    /// Items that need no more questions, since all of a kind were allowed, go together.
    async fn each<'a, I: Send, T: Send>(
        &'a self,
        items: Vec<Asked<I>>,
        act: impl Fn(Vec<I>) -> BoxFuture<'a, Vec<Outcome<T>>> + Send,
    ) -> Vec<Outcome<T>> {
        let count = items.len();
        let (allowed, mut to_do) = mpsc::unbounded_channel::<Vec<(usize, I)>>();
        let asking = async move {
            let (mut refused, mut together) = (Vec::new(), Vec::new());
            let mut over = false;
            for (index, Asked { questions, item }) in items.into_iter().enumerate() {
                if over {
                    break;
                }
                let mut answer = pin!(self.allow_all(questions));
                let answer = match poll!(answer.as_mut()) {
                    Poll::Ready(answer) => answer,
                    Poll::Pending => {
                        // The receiver below waits until this end is gone.
                        let _received = allowed.send(take(&mut together));
                        answer.await
                    }
                };
                match answer {
                    Ok(()) => together.push((index, item)),
                    Err(error) => {
                        over = !RunError::is_declined(&error);
                        refused.push((index, Outcome::Failed(error)));
                    }
                }
            }
            let _received = allowed.send(together);
            refused
        };
        let doing = async move {
            let mut done = Vec::new();
            while let Some(mut items) = to_do.recv().await {
                // What was allowed meanwhile goes along.
                while let Ok(more) = to_do.try_recv() {
                    items.extend(more);
                }
                if !items.is_empty() {
                    let (indices, items): (Vec<_>, Vec<_>) = items.into_iter().unzip();
                    done.extend(indices.into_iter().zip(act(items).await));
                }
            }
            done
        };
        let (refused, done) = join(asking, doing).await;
        let mut outcomes: BTreeMap<_, _> = refused.into_iter().chain(done).collect();
        (0..count).map(|index| outcomes.remove(&index).unwrap_or(Outcome::NotTried)).collect()
    }

    /// Asks about relocations. Where one is made of what another one replaces, they are done together after the last
    /// answer, since only the remote knows the order.
    async fn relocate<'a>(
        &'a self,
        items: Vec<Asked<Relocation>>,
        act: impl Fn(Vec<Relocation>) -> BoxFuture<'a, Vec<Outcome<File>>> + Send,
    ) -> Vec<Outcome<File>> {
        let replaced: HashSet<_> =
            items.iter().flat_map(|asked| &asked.item.replaces).map(|file| &file.path).collect();
        if !items.iter().any(|asked| replaced.contains(&asked.item.from.path)) {
            return self.each(items, act).await;
        }
        let (questions, items): (Vec<_>, Vec<_>) =
            items.into_iter().map(|Asked { questions, item }| (Asked { questions, item: () }, item)).unzip();
        let allow = |items: Vec<()>| ready(items.into_iter().map(Outcome::Done).collect()).boxed();
        let answers: Vec<Outcome<()>> = self.each(questions, allow).await;
        if answers.iter().any(|answer| matches!(answer, Outcome::Failed(StorageError::Canceled))) {
            return items.iter().map(|_| Outcome::NotTried).collect();
        }
        let allowed =
            items.into_iter().zip(&answers).filter(|(_, answer)| matches!(answer, Outcome::Done(())));
        let mut done = act(allowed.map(|(item, _)| item).collect()).await.into_iter();
        let outcome = |answer| match answer {
            Outcome::Failed(error) => Outcome::Failed(error),
            Outcome::NotTried => Outcome::NotTried,
            Outcome::Done(()) | Outcome::DoneBefore(()) => done.next().unwrap_or(Outcome::NotTried),
        };
        answers.into_iter().map(outcome).collect()
    }
}

/// An item, and what is to be asked before it is done.
struct Asked<I> {
    questions: Vec<(&'static str, RemotePath)>,
    item: I,
}

impl<I> Asked<I> {
    fn new(action: &'static str, path: RemotePath, item: I) -> Self {
        Self { questions: vec![(action, path)], item }
    }
}

#[async_trait]
impl Remote for Interactive {
    delegate_remote!(inner: info, place, list, find, forget, reader);

    async fn write(&self, batch: WriteBatch) -> Vec<Outcome<File>> {
        let WriteBatch { folder, items } = batch;
        let items = items.into_iter().map(|item| Asked::new("copy", folder.join(&item.name), item));
        let write = |items| {
            let batch = WriteBatch { folder: folder.clone(), items };
            async move { self.inner.write(batch).await }.boxed()
        };
        self.each(items.collect(), write).await
    }

    async fn copy(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        let items = batch.iter().map(|item| Asked::new("copy", item.to.clone(), item.clone()));
        self.relocate(items.collect(), |items| async move { self.inner.copy(&items).await }.boxed()).await
    }

    async fn rename(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        let items = batch.iter().map(|item| {
            let mut asked = Asked::new("move", item.to.clone(), item.clone());
            asked.questions.extend(item.replaces.iter().map(|old| ("delete", old.path.clone())));
            asked
        });
        self.relocate(items.collect(), |items| async move { self.inner.rename(&items).await }.boxed()).await
    }

    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>> {
        let items = batch.iter().map(|file| Asked::new("delete", file.path.clone(), file.clone()));
        self.each(items.collect(), |items| async move { self.inner.remove(&items).await }.boxed()).await
    }

    async fn remove_unchanged(&self, batch: &[File]) -> Vec<Outcome<()>> {
        let items = batch.iter().map(|file| Asked::new("delete", file.path.clone(), file.clone()));
        self.each(items.collect(), |items| async move { self.inner.remove_unchanged(&items).await }.boxed())
            .await
    }

    async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        let items = batch.iter().map(|path| Asked::new("make directory", path.clone(), path.clone()));
        self.each(items.collect(), |items| async move { self.inner.make_folders(&items).await }.boxed()).await
    }

    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        let items = batch.iter().map(|path| Asked::new("remove directory", path.clone(), path.clone()));
        self.each(items.collect(), |items| async move { self.inner.remove_folders(&items).await }.boxed())
            .await
    }

    async fn rename_folders(&self, batch: &[FolderRelocation]) -> Vec<Outcome<()>> {
        let items = batch.iter().map(|item| Asked::new("move directory", item.from.clone(), item.clone()));
        self.each(items.collect(), |items| async move { self.inner.rename_folders(&items).await }.boxed())
            .await
    }

    async fn set_modified(&self, batch: &[(File, SystemTime)]) -> Vec<Outcome<()>> {
        let items = batch
            .iter()
            .map(|item| Asked::new("update modification time", item.0.path.clone(), item.clone()));
        self.each(items.collect(), |items| async move { self.inner.set_modified(&items).await }.boxed()).await
    }

    fn extensions(&self) -> Extensions<'_> {
        let Extensions {
            usage,
            account,
            links,
            merge,
            metadata,
            public_files,
            fetches,
            old_versions,
            changes,
        } = self.inner.extensions();
        Extensions {
            usage,
            account,
            links: links.map(|_| self as &dyn PublicLinks),
            merge: merge.map(|_| self as &dyn MergeFolders),
            metadata,
            public_files,
            fetches: fetches.map(|_| self as &dyn FetchFromWeb),
            old_versions,
            changes,
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
impl FetchFromWeb for Interactive {
    async fn fetch(&self, request: &FetchRequest) -> Result<u64> {
        let fetches = fetches_of(&*self.inner)?;
        self.allow("fetch files into", &request.folder).await?;
        fetches.fetch(request).await
    }

    async fn fetch_tasks(&self) -> Result<Vec<FetchTask>> {
        fetches_of(&*self.inner)?.fetch_tasks().await
    }

    async fn fetch_results(&self, task: u64) -> Result<Vec<FetchResult>> {
        fetches_of(&*self.inner)?.fetch_results(task).await
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
        let [Outcome::Done(()), Outcome::Failed(declined), over @ ..] = &made[..] else { panic!("{made:?}") };
        assert!(RunError::is_declined(declined));
        assert!(matches!(over, [Outcome::Failed(quit), Outcome::NotTried] if RunError::is_quit(quit)));
        assert_eq!(remote.entries(&RemotePath::root()).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn after_a_stop_what_was_allowed_is_done_and_nothing_more_is_asked() {
        let remote = over(MemoryRemote::new("memory:"), vec![Answer::Yes, Answer::Stopped]);
        let made = remote.make_folders(&paths(["a", "b", "c"])).await;
        let [Outcome::Done(()), Outcome::Failed(StorageError::Canceled), Outcome::NotTried] = made[..] else {
            panic!("{made:?}")
        };
        assert_eq!(remote.entries(&RemotePath::root()).await.unwrap().len(), 1);
    }
}
