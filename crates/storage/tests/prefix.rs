//! A wrapper as an outside crate would write one: a folder of a remote, shown as a remote of its own. It uses only
//! the storage crate, and passes the conformance suite.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::{sync::Arc, time::SystemTime};

use async_trait::async_trait;
use fichier_storage::{
    Entry, Extensions, File, FileReader, Folder, FolderRelocation, Freshness, Gap, Listing, Outcome, PlaceId,
    Relocation, Remote, RemoteExt, RemoteInfo, RemotePath, Result, StorageError, WriteBatch, conformance,
    memory::MemoryRemote,
};

#[derive(Debug)]
struct Prefixed {
    inner: Arc<dyn Remote>,
    prefix: RemotePath,
    info: RemoteInfo,
}

impl Prefixed {
    async fn new(inner: Arc<dyn Remote>, prefix: RemotePath) -> Result<Self> {
        let info = RemoteInfo { place: inner.place(&prefix).await?, ..inner.info().clone() };
        Ok(Self { inner, prefix, info })
    }

    /// Returns the inner remote's form of a path of ours.
    fn below(&self, path: &RemotePath) -> RemotePath {
        self.prefix.join_path(path)
    }

    fn all_below(&self, paths: &[RemotePath]) -> Vec<RemotePath> {
        paths.iter().map(|path| self.below(path)).collect()
    }

    fn file_below(&self, file: &File) -> File {
        File { path: self.below(&file.path), ..file.clone() }
    }

    fn files_below(&self, files: &[File]) -> Vec<File> {
        files.iter().map(|file| self.file_below(file)).collect()
    }

    fn relocations_below(&self, batch: &[Relocation]) -> Vec<Relocation> {
        let below = |item: &Relocation| Relocation {
            from: self.file_below(&item.from),
            to: self.below(&item.to),
            replaces: self.files_below(&item.replaces),
        };
        batch.iter().map(below).collect()
    }

    /// Returns our form of a path of the inner remote.
    fn ours(&self, path: &RemotePath) -> RemotePath {
        path.relative_to(&self.prefix).unwrap_or_else(|| path.clone())
    }

    fn our_file(&self, file: File) -> File {
        File { path: self.ours(&file.path), ..file }
    }

    fn our_entry(&self, entry: Entry) -> Entry {
        match entry {
            Entry::File(file) => Entry::File(self.our_file(file)),
            Entry::Folder(mut folder) => {
                folder.path = self.ours(&folder.path);
                Entry::Folder(folder)
            }
        }
    }

    fn our_error(&self, error: StorageError) -> StorageError {
        use StorageError as E;
        match error {
            E::FolderNotFound(path) => E::FolderNotFound(self.ours(&path)),
            E::FileNotFound(path) => E::FileNotFound(self.ours(&path)),
            E::IsAFile(path) => E::IsAFile(self.ours(&path)),
            E::IsAFolder(path) => E::IsAFolder(self.ours(&path)),
            other => other,
        }
    }

    fn our_outcomes<T>(&self, outcomes: Vec<Outcome<T>>, change: impl Fn(T) -> T) -> Vec<Outcome<T>> {
        let ours = |outcome| match outcome {
            Outcome::Failed(error) => Outcome::Failed(self.our_error(error)),
            other => other.map(&change),
        };
        outcomes.into_iter().map(ours).collect()
    }
}

#[async_trait]
impl Remote for Prefixed {
    fn info(&self) -> &RemoteInfo {
        &self.info
    }

    async fn place(&self, folder: &RemotePath) -> Result<PlaceId> {
        self.inner.place(&self.below(folder)).await
    }

    async fn list(&self, folder: &RemotePath, age: Freshness) -> Result<Listing> {
        let listing = self.inner.list(&self.below(folder), age).await;
        let Listing { entries, gaps, links } = listing.map_err(|error| self.our_error(error))?;
        let gap = |gap: Gap| Gap { path: self.ours(&gap.path), error: gap.error };
        let entries = entries.into_iter().map(|entry| self.our_entry(entry)).collect();
        Ok(Listing { entries, gaps: gaps.into_iter().map(gap).collect(), links })
    }

    async fn find(&self, path: &RemotePath, age: Freshness) -> Result<Entry> {
        if path.is_root() {
            return Ok(Entry::Folder(Folder { path: path.clone(), modified: None, id: None }));
        }
        let found = self.inner.find(&self.below(path), age).await;
        found.map(|entry| self.our_entry(entry)).map_err(|error| self.our_error(error))
    }

    fn forget(&self, folder: &RemotePath) {
        self.inner.forget(&self.below(folder));
    }

    fn reader(&self, file: &File) -> Arc<dyn FileReader> {
        self.inner.reader(&self.file_below(file))
    }

    async fn write(&self, mut batch: WriteBatch) -> Vec<Outcome<File>> {
        batch.folder = self.below(&batch.folder);
        for item in &mut batch.items {
            item.replaces = self.files_below(&item.replaces);
        }
        self.our_outcomes(self.inner.write(batch).await, |file| self.our_file(file))
    }

    async fn copy(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        let outcomes = self.inner.copy(&self.relocations_below(batch)).await;
        self.our_outcomes(outcomes, |file| self.our_file(file))
    }

    async fn rename(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        let outcomes = self.inner.rename(&self.relocations_below(batch)).await;
        self.our_outcomes(outcomes, |file| self.our_file(file))
    }

    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>> {
        self.our_outcomes(self.inner.remove(&self.files_below(batch)).await, |()| ())
    }

    async fn remove_unchanged(&self, batch: &[File]) -> Vec<Outcome<()>> {
        self.our_outcomes(self.inner.remove_unchanged(&self.files_below(batch)).await, |()| ())
    }

    async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        self.our_outcomes(self.inner.make_folders(&self.all_below(batch)).await, |()| ())
    }

    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        self.our_outcomes(self.inner.remove_folders(&self.all_below(batch)).await, |()| ())
    }

    async fn rename_folders(&self, batch: &[FolderRelocation]) -> Vec<Outcome<()>> {
        let below = |item: &FolderRelocation| FolderRelocation {
            from: self.below(&item.from),
            to: self.below(&item.to),
        };
        let batch: Vec<_> = batch.iter().map(below).collect();
        self.our_outcomes(self.inner.rename_folders(&batch).await, |()| ())
    }

    async fn set_modified(&self, batch: &[(File, SystemTime)]) -> Vec<Outcome<()>> {
        let batch: Vec<_> = batch.iter().map(|(file, time)| (self.file_below(file), *time)).collect();
        self.our_outcomes(self.inner.set_modified(&batch).await, |()| ())
    }

    fn extensions(&self) -> Extensions<'_> {
        // The usage and the account are the whole remote's; the others take paths, and aren't passed on.
        let Extensions {
            usage,
            account,
            links: _,
            merge: _,
            metadata: _,
            public_files: _,
            fetches: _,
            old_versions: _,
            attributes: _,
            sharing: _,
            settings: _,
            scans: _,
            changes: _,
            examine: _,
        } = self.inner.extensions();
        Extensions { usage, account, ..Extensions::default() }
    }
}

async fn prefixed(inner: Arc<dyn Remote>, prefix: &str) -> Prefixed {
    Prefixed::new(inner, RemotePath::parse(prefix).unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrapper_conforms() {
    let inner = Arc::new(MemoryRemote::new("memory:"));
    conformance::run(Arc::new(prefixed(inner.clone(), "a/b").await)).await.unwrap();
    // A wrapper over a wrapper works, too.
    let twice = prefixed(Arc::new(prefixed(inner, "c").await), "d").await;
    conformance::run(Arc::new(twice)).await.unwrap();
}

#[tokio::test]
async fn two_ways_to_a_folder_are_one_place() {
    let inner = Arc::new(MemoryRemote::new("memory:"));
    let [a, b, both] = ["a", "b", "a/b"].map(|path| RemotePath::parse(path).unwrap());
    let wrapped = prefixed(inner.clone(), "a").await;
    assert_eq!(wrapped.place(&b).await.unwrap(), inner.place(&both).await.unwrap());
    assert!(wrapped.info().place.is_within(&inner.info().place));
    assert_eq!(wrapped.info().place, inner.place(&a).await.unwrap());
}

#[tokio::test]
async fn gaps_survive_a_wrapper() {
    let inner = Arc::new(MemoryRemote::new("memory:"));
    let wrapped = prefixed(inner.clone(), "a").await;
    wrapped.make_folders(&[RemotePath::parse("seen").unwrap()]).await;
    inner.hide(&RemotePath::parse("a/hidden").unwrap(), "permission denied");
    let listing = wrapped.list(&RemotePath::root(), Freshness::Known).await.unwrap();
    assert_eq!(listing.gaps[0].path.to_string(), "hidden");
    assert_eq!(wrapped.entries(&RemotePath::root()).await.unwrap().len(), 1);
}
