//! A remote in memory, for tests of every crate, and the shortest example of a backend.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher, RandomState},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};

use crate::{
    BatchLimit, ByteRange, ByteStream, Entry, Extensions, Features, File, FileId, FileReader, Folder,
    FolderIdentity, FolderRelocation, Freshness, Gap, HashKinds, Listing, NameRules, Outcome, PlaceId,
    Relocation, Remote, RemoteExt, RemoteInfo, RemotePath, Result, StorageError, Times, Usage, UsageOf,
    Whirlpool, WriteBatch, WriteItem, collect,
};

/// A remote in memory. It has all features, unless [some](MemoryRemote::with_features) are taken from it.
///
/// ```
/// use fichier_storage::{Remote, RemoteExt, RemotePath, memory::MemoryRemote};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let remote = MemoryRemote::new("memory:");
/// let folder = RemotePath::parse("a/b")?;
/// assert!(remote.make_folders(&[folder.clone()]).await.iter().all(|outcome| outcome.is_done()));
/// assert_eq!(remote.entries(&RemotePath::parse("a")?).await?[0].path(), &folder);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MemoryRemote {
    info: RemoteInfo,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<Stored>,
    folders: BTreeSet<RemotePath>,
    /// Paths that can't be looked at, and why.
    hidden: BTreeMap<RemotePath, String>,
    /// How many files were ever stored: the number of the last one.
    count: u64,
}

#[derive(Debug, Clone)]
struct Stored {
    file: File,
    bytes: Bytes,
}

impl MemoryRemote {
    /// Makes an empty remote. `name` is for messages, with its colon.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let unique = RandomState::new().hash_one(());
        let info = RemoteInfo {
            name: name.into(),
            place: PlaceId::root(FolderIdentity::new("memory", &unique.to_be_bytes())),
            backend: "memory",
            features: Features {
                server_side_copy: true,
                server_side_move: true,
                folder_move: true,
                empty_files: true,
                ..Features::default()
            },
            hashes: HashKinds::LISTED_WHIRLPOOL,
            times: Times { precision: Some(Duration::from_nanos(1)), settable: true },
            names: NameRules::default(),
            batch: BatchLimit { files: 100, bytes: 1 << 20 },
            skips_empty_files: false,
        };
        Self { info, state: Arc::default() }
    }

    /// Changes the features.
    #[must_use]
    pub fn with_features(mut self, change: impl FnOnce(&mut Features)) -> Self {
        change(&mut self.info.features);
        self
    }

    /// Changes which times are kept.
    #[must_use]
    pub fn with_times(mut self, times: Times) -> Self {
        self.info.times = times;
        self
    }

    /// Makes a path unreadable: a gap in the listing of its folder.
    pub fn hide(&self, path: &RemotePath, why: impl Into<String>) {
        self.state().hidden.insert(path.clone(), why.into());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks that a file can be stored at a path.
    fn admit(&self, path: &RemotePath, size: u64) -> Result<()> {
        if size == 0 && !self.info.features.empty_files {
            return Err(StorageError::EmptyFile(path.clone()));
        }
        if self.info.features.duplicates {
            return Ok(());
        }
        if self.state().folders.contains(path) {
            return Err(StorageError::IsAFolder(path.clone()));
        }
        Ok(())
    }

    async fn store(&self, folder: &RemotePath, item: WriteItem) -> Result<File> {
        let path = folder.join(&item.name);
        self.admit(&path, item.size)?;
        let bytes = Bytes::from(collect(item.content.open().await?).await?);
        if bytes.len() as u64 != item.size {
            return Err(StorageError::SizeMismatch { path, expected: item.size, actual: bytes.len() as u64 });
        }
        let actual = Whirlpool::of(&bytes);
        if let Some(expected) = item.expected.filter(|expected| *expected != actual) {
            let (expected, actual) = (Box::new(expected), Box::new(actual));
            return Err(StorageError::Corrupted { path, expected, actual });
        }
        let modified = self.info.times.precision.and(item.modified.or_else(|| Some(SystemTime::now())));
        let mut state = self.state();
        state.make(folder, self.info.features.duplicates)?;
        let file = File {
            path,
            size: bytes.len() as u64,
            modified,
            whirlpool: Some(actual),
            id: None,
            media_type: None,
            fingerprint: None,
            seconds_ahead: 0,
        };
        Ok(state.put(file, bytes, &item.replaces, self.info.features.duplicates))
    }

    fn relocate(&self, item: &Relocation, moves: bool) -> Result<File> {
        let duplicates = self.info.features.duplicates;
        let mut state = self.state();
        let found = state.files.iter().find(|stored| stored.file.id == item.from.id).cloned();
        let Stored { file, bytes } =
            found.ok_or_else(|| StorageError::FileNotFound(item.from.path.clone()))?;
        if !duplicates && state.folders.contains(&item.to) {
            return Err(StorageError::IsAFolder(item.to.clone()));
        }
        state.make(&item.to.parent().unwrap_or_default(), duplicates)?;
        if moves {
            state.remove(&file);
        }
        let replaces: Vec<_> = item.replaces.iter().filter(|old| old.id != file.id).cloned().collect();
        Ok(state.put(File { path: item.to.clone(), ..file }, bytes, &replaces, duplicates))
    }
}

impl State {
    /// Makes a folder with its parents; returns whether it is new.
    fn make(&mut self, folder: &RemotePath, duplicates: bool) -> Result<bool> {
        let mut at = Some(folder.clone());
        let new = !folder.is_root() && !self.folders.contains(folder);
        let mut missing = Vec::new();
        while let Some(folder) = at.filter(|folder| !folder.is_root()) {
            if !duplicates && self.files.iter().any(|stored| stored.file.path == folder) {
                return Err(StorageError::IsAFile(folder));
            }
            at = folder.parent();
            missing.push(folder);
        }
        self.folders.extend(missing);
        Ok(new)
    }

    /// Stores a file under a new number, and removes the files that it replaces.
    fn put(&mut self, file: File, bytes: Bytes, replaces: &[File], duplicates: bool) -> File {
        self.count += 1;
        let file = File { id: Some(FileId::new(self.count.to_string())), ..file };
        for old in replaces {
            self.remove(old);
        }
        if !duplicates {
            self.files.retain(|stored| stored.file.path != file.path);
        }
        self.files.push(Stored { file: file.clone(), bytes });
        file
    }

    fn remove(&mut self, file: &File) -> bool {
        let before = self.files.len();
        self.files.retain(|stored| stored.file.id != file.id);
        self.files.len() < before
    }

    fn there(&self, folder: &RemotePath) -> Result<()> {
        if folder.is_root() || self.folders.contains(folder) {
            Ok(())
        } else if self.files.iter().any(|stored| stored.file.path == *folder) {
            Err(StorageError::IsAFile(folder.clone()))
        } else {
            Err(StorageError::FolderNotFound(folder.clone()))
        }
    }

    fn list(&self, folder: &RemotePath) -> Result<Listing> {
        self.there(folder)?;
        let inside =
            |path: &RemotePath| path.parent().as_ref() == Some(folder) && !self.hidden.contains_key(path);
        let files = self.files.iter().map(|stored| &stored.file).filter(|file| inside(&file.path));
        let mut entries: Vec<_> = files.cloned().map(Entry::File).collect();
        entries.extend(self.folders.iter().filter(|path| inside(path)).map(folder_at));
        entries.sort_by(|left, right| left.path().cmp(right.path()));
        let hidden = self.hidden.iter().filter(|(path, _)| path.parent().as_ref() == Some(folder));
        let gap = |(path, why): (&RemotePath, &String)| Gap { path: path.clone(), error: unseen(path, why) };
        Ok(Listing { entries, gaps: hidden.map(gap).collect() })
    }

    fn find(&self, path: &RemotePath) -> Result<Entry> {
        if let Some(why) = self.hidden.get(path) {
            return Err(unseen(path, why));
        }
        if let Some(stored) = self.files.iter().rfind(|stored| stored.file.path == *path) {
            return Ok(Entry::File(stored.file.clone()));
        }
        self.there(path).map_err(|_| StorageError::FileNotFound(path.clone()))?;
        Ok(folder_at(path))
    }

    fn remove_folder(&mut self, folder: &RemotePath) -> Result<()> {
        if !self.folders.contains(folder) {
            return Err(StorageError::FolderNotFound(folder.clone()));
        }
        let below = |path: &RemotePath| path != folder && path.is_within(folder);
        if self.files.iter().any(|stored| below(&stored.file.path)) || self.folders.iter().any(below) {
            return Err(StorageError::FolderNotEmpty(folder.clone()));
        }
        self.folders.remove(folder);
        Ok(())
    }

    fn rename_folder(&mut self, FolderRelocation { from, to }: &FolderRelocation) -> Result<()> {
        if !self.folders.contains(from) {
            return Err(StorageError::FolderNotFound(from.clone()));
        }
        if to.is_within(from) {
            return Err(StorageError::Overlap { from: from.clone(), to: to.clone() });
        }
        if self.find(to).is_ok() {
            return Err(StorageError::AlreadyExists(to.clone()));
        }
        self.make(&to.parent().unwrap_or_default(), false)?;
        let moved = |path: &RemotePath| path.relative_to(from).map(|below| to.join_path(&below));
        for stored in &mut self.files {
            if let Some(path) = moved(&stored.file.path) {
                stored.file.path = path;
            }
        }
        self.folders = self.folders.iter().map(|path| moved(path).unwrap_or_else(|| path.clone())).collect();
        Ok(())
    }
}

fn folder_at(path: &RemotePath) -> Entry {
    Entry::Folder(Folder { path: path.clone(), modified: None, id: None })
}

fn unseen(path: &RemotePath, why: &str) -> StorageError {
    StorageError::unseen("look at", path.to_string(), io::Error::other(why.to_owned()))
}

#[async_trait]
impl Remote for MemoryRemote {
    fn info(&self) -> &RemoteInfo {
        &self.info
    }

    async fn place(&self, folder: &RemotePath) -> Result<PlaceId> {
        Ok(self.info.place.join(folder))
    }

    async fn list(&self, folder: &RemotePath, _age: Freshness) -> Result<Listing> {
        self.state().list(folder)
    }

    async fn find(&self, path: &RemotePath, _age: Freshness) -> Result<Entry> {
        self.state().find(path)
    }

    fn forget(&self, _folder: &RemotePath) {}

    fn reader(&self, file: &File) -> Arc<dyn FileReader> {
        Arc::new(MemoryReader { state: self.state.clone(), file: file.clone() })
    }

    async fn write(&self, batch: WriteBatch) -> Vec<Outcome<File>> {
        let mut outcomes = Vec::new();
        for item in batch.items {
            outcomes.push(self.store(&batch.folder, item).await.into());
        }
        outcomes
    }

    async fn copy(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        match self.info.features.server_side_copy {
            true => batch.iter().map(|item| self.relocate(item, false).into()).collect(),
            false => self.all_unsupported(batch, "copy on the server side"),
        }
    }

    async fn rename(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        match self.info.features.server_side_move {
            true => batch.iter().map(|item| self.relocate(item, true).into()).collect(),
            false => self.all_unsupported(batch, "move on the server side"),
        }
    }

    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>> {
        let mut state = self.state();
        let done = |removed| if removed { Outcome::Done(()) } else { Outcome::DoneBefore(()) };
        batch.iter().map(|file| done(state.remove(file))).collect()
    }

    async fn remove_unchanged(&self, batch: &[File]) -> Vec<Outcome<()>> {
        // A number always means the same content.
        self.remove(batch).await
    }

    async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        let mut state = self.state();
        let duplicates = self.info.features.duplicates;
        let made = |made: Result<bool>| match made {
            Ok(true) => Outcome::Done(()),
            Ok(false) => Outcome::DoneBefore(()),
            Err(error) => Outcome::Failed(error),
        };
        batch.iter().map(|folder| made(state.make(folder, duplicates))).collect()
    }

    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        let mut state = self.state();
        batch.iter().map(|folder| state.remove_folder(folder).into()).collect()
    }

    async fn rename_folders(&self, batch: &[FolderRelocation]) -> Vec<Outcome<()>> {
        match self.info.features.folder_move {
            true => batch.iter().map(|item| self.state().rename_folder(item).into()).collect(),
            false => self.all_unsupported(batch, "move directories"),
        }
    }

    async fn set_modified(&self, batch: &[(File, SystemTime)]) -> Vec<Outcome<()>> {
        if !self.info.times.settable {
            return self.all_unsupported(batch, "set modification times");
        }
        let mut state = self.state();
        let mut set = |file: &File, time| {
            let stored = state.files.iter_mut().find(|stored| stored.file.id == file.id);
            let stored = stored.ok_or_else(|| StorageError::FileNotFound(file.path.clone()))?;
            stored.file.modified = Some(time);
            Ok(())
        };
        batch.iter().map(|(file, time)| set(file, *time).into()).collect()
    }

    fn extensions(&self) -> Extensions<'_> {
        Extensions { usage: Some(self), ..Extensions::default() }
    }
}

#[async_trait]
impl UsageOf for MemoryRemote {
    async fn usage(&self) -> Result<Usage> {
        let state = self.state();
        let used = state.files.iter().map(|stored| stored.file.size).sum();
        Ok(Usage { total: None, used: Some(used), free: None, files: Some(state.files.len() as u64) })
    }
}

/// A reader of a file, as long as the file is there.
#[derive(Debug)]
struct MemoryReader {
    state: Arc<Mutex<State>>,
    file: File,
}

#[async_trait]
impl FileReader for MemoryReader {
    async fn stream(&self, range: ByteRange) -> Result<ByteStream> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let found = state.files.iter().find(|stored| stored.file.id == self.file.id);
        let bytes = &found.ok_or_else(|| StorageError::FileNotFound(self.file.path.clone()))?.bytes;
        let size = bytes.len() as u64;
        let start = range.start.min(size);
        // Both are at most the length of the bytes in memory.
        let [start, end] =
            [start, start + range.length(size)].map(|at| usize::try_from(at).unwrap_or(bytes.len()));
        Ok(stream::iter([Ok(bytes.slice(start..end))]).boxed())
    }

    async fn prepare(&self) {}
}
