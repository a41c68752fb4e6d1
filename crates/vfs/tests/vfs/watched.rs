//! A remote that counts its calls, and that fails, waits or lies when it is told to.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use async_trait::async_trait;
use bytes::Bytes;
use fichier_storage::{
    Blame, ByteRange, ByteStream, Entry, Extensions, File, FileReader, FolderRelocation, Freshness, Listing,
    Outcome, PlaceId, Relocation, Remote, RemoteInfo, RemotePath, Result, Retry, StorageError, WriteBatch,
    memory::MemoryRemote,
};
use futures::{StreamExt as _, stream};
use tokio::sync::Semaphore;

/// What a fault does to calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The call fails, and another try may help.
    Passing,
    /// The call fails for good.
    Lasting,
    /// The call fails since the key is refused.
    Refused,
    /// The call is done, and its answer is lost: the caller never gets it.
    Unanswered,
    /// The bytes of a stream are wrong.
    WrongBytes,
    /// A stream ends early.
    Cut,
}

/// What is counted and what is to fail.
#[derive(Debug, Default)]
pub(crate) struct Control {
    calls: Mutex<BTreeMap<&'static str, u64>>,
    faults: Mutex<Vec<(&'static str, Fault, u64)>>,
    /// Calls of this kind wait for a permit.
    gates: Mutex<BTreeMap<&'static str, Arc<Semaphore>>>,
}

#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) inner: MemoryRemote,
    info: RemoteInfo,
    control: Arc<Control>,
    /// How often a file was stored at each path.
    pub(crate) stored: Mutex<BTreeMap<String, u64>>,
}

impl Watched {
    pub(crate) fn new(inner: MemoryRemote) -> Arc<Self> {
        Self::with_info(inner, |_| {})
    }

    pub(crate) fn with_info(inner: MemoryRemote, change: impl FnOnce(&mut RemoteInfo)) -> Arc<Self> {
        let mut info = inner.info().clone();
        change(&mut info);
        Arc::new(Self { inner, info, control: Arc::default(), stored: Mutex::default() })
    }

    /// Returns how many calls of a kind there were.
    pub(crate) fn count(&self, kind: &str) -> u64 {
        self.control.calls.lock().unwrap().get(kind).copied().unwrap_or(0)
    }

    /// Returns how many calls there were in all, without those that cost nothing.
    pub(crate) fn total(&self) -> u64 {
        let calls = self.control.calls.lock().unwrap();
        calls.iter().filter(|(kind, _)| **kind != "reader").map(|(_, count)| count).sum()
    }

    /// Lets the next calls of a kind fail.
    pub(crate) fn fail(&self, kind: &'static str, fault: Fault, times: u64) {
        self.control.faults.lock().unwrap().push((kind, fault, times));
    }

    pub(crate) fn heal(&self) {
        self.control.faults.lock().unwrap().clear();
    }

    /// Lets calls of a kind wait until they are let go.
    pub(crate) fn hold(&self, kind: &'static str) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        self.control.gates.lock().unwrap().insert(kind, gate.clone());
        gate
    }

    async fn enter(&self, kind: &'static str) -> Result<Option<Fault>> {
        self.control.enter(kind).await
    }

    async fn leave<T>(fault: Option<Fault>, answer: T) -> T {
        if fault == Some(Fault::Unanswered) {
            std::future::pending::<()>().await;
        }
        answer
    }
}

impl Control {
    fn count(&self, kind: &'static str) {
        *self.calls.lock().unwrap().entry(kind).or_default() += 1;
    }

    async fn enter(&self, kind: &'static str) -> Result<Option<Fault>> {
        self.count(kind);
        let gate = self.gates.lock().unwrap().get(kind).cloned();
        if let Some(gate) = gate {
            gate.acquire().await.unwrap().forget();
        }
        // As a call would: others come in between.
        tokio::task::yield_now().await;
        match self.fault(kind) {
            Some(Fault::Passing) => Err(error(Retry::Worthwhile)),
            Some(Fault::Lasting) => Err(error(Retry::Useless)),
            Some(Fault::Refused) => Err(error(Retry::Fatal)),
            fault => Ok(fault),
        }
    }

    fn fault(&self, kind: &'static str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let at = faults.iter().position(|(of, _, left)| *of == kind && *left > 0)?;
        faults[at].2 -= 1;
        Some(faults[at].1)
    }
}

pub(crate) fn error(retry: Retry) -> StorageError {
    StorageError::Service {
        action: "do it".into(),
        retry,
        blame: Blame::Service,
        hint: None,
        source: "a fault of the test".into(),
    }
}

fn all<T>(count: usize, error_kind: &StorageError) -> Vec<Outcome<T>> {
    (0..count).map(|_| Outcome::Failed(error(error_kind.retry()))).collect()
}

#[async_trait]
impl Remote for Watched {
    fn info(&self) -> &RemoteInfo {
        &self.info
    }

    async fn place(&self, folder: &RemotePath) -> Result<PlaceId> {
        self.inner.place(folder).await
    }

    async fn list(&self, folder: &RemotePath, age: Freshness) -> Result<Listing> {
        let fault = self.enter("list").await?;
        let listing = self.inner.list(folder, age).await;
        Self::leave(fault, listing).await
    }

    async fn find(&self, path: &RemotePath, age: Freshness) -> Result<Entry> {
        self.enter("find").await?;
        self.inner.find(path, age).await
    }

    fn forget(&self, folder: &RemotePath) {
        self.inner.forget(folder);
    }

    fn reader(&self, file: &File) -> Arc<dyn FileReader> {
        self.control.count("reader");
        Arc::new(WatchedReader { inner: self.inner.reader(file), control: self.control.clone() })
    }

    async fn write(&self, batch: WriteBatch) -> Vec<Outcome<File>> {
        let count = batch.items.len();
        match self.enter("write").await {
            Ok(fault) => {
                let outcomes = self.inner.write(batch).await;
                for file in outcomes.iter().filter_map(|outcome| match outcome {
                    Outcome::Done(file) => Some(file),
                    _ => None,
                }) {
                    *self.stored.lock().unwrap().entry(file.path.to_string()).or_default() += 1;
                }
                Self::leave(fault, outcomes).await
            }
            Err(error) => all(count, &error),
        }
    }

    async fn copy(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        self.inner.copy(batch).await
    }

    async fn rename(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        match self.enter("rename").await {
            Ok(fault) => Self::leave(fault, self.inner.rename(batch).await).await,
            Err(error) => all(batch.len(), &error),
        }
    }

    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>> {
        self.remove_unchanged(batch).await
    }

    async fn remove_unchanged(&self, batch: &[File]) -> Vec<Outcome<()>> {
        match self.enter("remove").await {
            Ok(fault) => Self::leave(fault, self.inner.remove(batch).await).await,
            Err(error) => all(batch.len(), &error),
        }
    }

    async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        match self.enter("make_folders").await {
            Ok(fault) => Self::leave(fault, self.inner.make_folders(batch).await).await,
            Err(error) => all(batch.len(), &error),
        }
    }

    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        match self.enter("remove_folders").await {
            Ok(fault) => Self::leave(fault, self.inner.remove_folders(batch).await).await,
            Err(error) => all(batch.len(), &error),
        }
    }

    async fn rename_folders(&self, batch: &[FolderRelocation]) -> Vec<Outcome<()>> {
        match self.enter("rename_folders").await {
            Ok(fault) => Self::leave(fault, self.inner.rename_folders(batch).await).await,
            Err(error) => all(batch.len(), &error),
        }
    }

    async fn set_modified(&self, batch: &[(File, SystemTime)]) -> Vec<Outcome<()>> {
        match self.enter("set_modified").await {
            Ok(fault) => Self::leave(fault, self.inner.set_modified(batch).await).await,
            Err(error) => all(batch.len(), &error),
        }
    }

    fn extensions(&self) -> Extensions<'_> {
        self.inner.extensions()
    }
}

#[derive(Debug)]
struct WatchedReader {
    inner: Arc<dyn FileReader>,
    control: Arc<Control>,
}

#[async_trait]
impl FileReader for WatchedReader {
    async fn stream(&self, range: ByteRange) -> Result<ByteStream> {
        let fault = self.control.enter("stream").await?;
        let bytes = fichier_storage::collect(self.inner.stream(range).await?).await?;
        let pieces: Vec<Result<Bytes>> = match fault {
            Some(Fault::WrongBytes) => vec![Ok(bytes.iter().map(|byte| byte ^ 1).collect())],
            Some(Fault::Cut) => {
                let half = Bytes::copy_from_slice(&bytes[..bytes.len() / 2]);
                vec![Ok(half), Err(error(Retry::Worthwhile))]
            }
            Some(Fault::Unanswered) => return Ok(stream::pending().boxed()),
            _ => bytes.chunks(64 << 10).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect(),
        };
        Ok(stream::iter(pieces).boxed())
    }

    async fn prepare(&self) {}
}
