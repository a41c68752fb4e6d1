//! A remote in memory that differs from a file system wherever a remote may: two files may bear one name,
//! empty files are refused, nothing is copied, moved or linked. And it can be made to break its promises,
//! which the suite has to notice.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};

use super::{CHECKS, check, run};
use crate::{
    BatchLimit, ByteRange, ByteStream, Entry, Features, File, FileId, Folder, FolderIdentity, Outcome,
    PlaceId, Remote, RemoteInfo, RemotePath, Result, StorageError, Whirlpool, WriteBatch, WriteItem, collect,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    RemovesOldFirst,
    StoresTornFiles,
    IgnoresChecksums,
    ListsAsItComes,
    SaysRemovedTwice,
    RemovesFullFolders,
    FindsFirst,
    ReadsOneByteLess,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<(File, Bytes)>,
    folders: BTreeSet<RemotePath>,
    stored: u64,
}

#[derive(Debug)]
struct Memory {
    info: RemoteInfo,
    state: Mutex<State>,
    flaw: Flaw,
}

fn memory(flaw: Flaw) -> Arc<Memory> {
    let features = Features { duplicates: true, listed_checksums: true, ..Features::default() };
    let info = RemoteInfo {
        name: "memory:".into(),
        place: PlaceId::root(FolderIdentity::new("memory", &RandomState::new().hash_one(()).to_be_bytes())),
        encoding: String::new(),
        backend: "memory",
        features,
        batch: BatchLimit { files: 100, bytes: 1 << 20 },
        time_precision: None,
        skips_empty_files: false,
    };
    Arc::new(Memory { info, state: Mutex::default(), flaw })
}

impl State {
    fn make(&mut self, folder: &RemotePath) -> bool {
        let mut at = Some(folder.clone());
        let new = !folder.is_root() && !self.folders.contains(folder);
        while let Some(folder) = at.filter(|folder| !folder.is_root()) {
            at = folder.parent();
            self.folders.insert(folder);
        }
        new
    }

    fn remove(&mut self, file: &File) -> bool {
        let before = self.files.len();
        self.files.retain(|(kept, _)| kept.id != file.id);
        self.files.len() < before
    }

    fn there(&self, folder: &RemotePath) -> Result<()> {
        if folder.is_root() || self.folders.contains(folder) {
            Ok(())
        } else if self.files.iter().any(|(file, _)| file.path == *folder) {
            Err(StorageError::IsAFile(folder.clone()))
        } else {
            Err(StorageError::FolderNotFound(folder.clone()))
        }
    }
}

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn store(&self, folder: &RemotePath, item: WriteItem) -> Result<File> {
        let path = folder.join(&item.name);
        if item.size == 0 {
            return Err(StorageError::EmptyFile(path));
        }
        if self.flaw == Flaw::RemovesOldFirst {
            for old in &item.replaces {
                self.state().remove(old);
            }
        }
        let bytes = Bytes::from(collect(item.content.open().await?).await?);
        if bytes.len() as u64 != item.size && self.flaw != Flaw::StoresTornFiles {
            return Err(StorageError::SizeMismatch { path, expected: item.size, actual: bytes.len() as u64 });
        }
        let actual = Whirlpool::of(&bytes);
        if let Some(expected) = item.expected
            && expected != actual
            && self.flaw != Flaw::IgnoresChecksums
        {
            let (expected, actual) = (Box::new(expected), Box::new(actual));
            return Err(StorageError::Corrupted { path, expected, actual });
        }
        let mut state = self.state();
        state.stored += 1;
        let file = File {
            path,
            size: bytes.len() as u64,
            modified: None,
            whirlpool: Some(actual),
            id: Some(FileId::new(state.stored.to_string())),
            media_type: None,
            fingerprint: None,
        };
        for old in &item.replaces {
            state.remove(old);
        }
        state.files.push((file.clone(), bytes));
        Ok(file)
    }
}

#[async_trait]
impl Remote for Memory {
    fn info(&self) -> &RemoteInfo {
        &self.info
    }

    async fn place(&self, folder: &RemotePath) -> Result<PlaceId> {
        Ok(self.info.place.join(folder))
    }

    async fn list(&self, folder: &RemotePath) -> Result<Vec<Entry>> {
        let state = self.state();
        state.there(folder)?;
        let inside = |path: &RemotePath| path.parent().as_ref() == Some(folder);
        let files = state.files.iter().map(|(file, _)| file).filter(|file| inside(&file.path));
        let mut entries: Vec<_> = files.cloned().map(Entry::File).collect();
        let folders = state.folders.iter().filter(|path| inside(path));
        entries.extend(
            folders.map(|path| Entry::Folder(Folder { path: path.clone(), modified: None, id: None })),
        );
        if self.flaw != Flaw::ListsAsItComes {
            entries.sort_by(|a, b| a.path().cmp(b.path()));
        }
        Ok(entries)
    }

    async fn find(&self, path: &RemotePath) -> Result<Entry> {
        let state = self.state();
        let mut files = state.files.iter().map(|(file, _)| file).filter(|file| file.path == *path);
        let file = if self.flaw == Flaw::FindsFirst { files.next() } else { files.next_back() };
        if let Some(file) = file {
            return Ok(Entry::File(file.clone()));
        }
        state.there(path).map_err(|_| StorageError::FileNotFound(path.clone()))?;
        Ok(Entry::Folder(Folder { path: path.clone(), modified: None, id: None }))
    }

    async fn read(&self, file: &File, range: ByteRange) -> Result<ByteStream> {
        let state = self.state();
        let found = state.files.iter().find(|(kept, _)| kept.id == file.id);
        let (_, bytes) = found.ok_or_else(|| StorageError::FileNotFound(file.path.clone()))?;
        let mut length = usize::try_from(range.length(file.size)).unwrap();
        if self.flaw == Flaw::ReadsOneByteLess && range.start > 0 {
            length = length.saturating_sub(1);
        }
        let start = usize::try_from(range.start).unwrap().min(bytes.len());
        Ok(stream::iter([Ok(bytes.slice(start..start + length))]).boxed())
    }

    async fn write(&self, batch: WriteBatch) -> Vec<Outcome<File>> {
        if !batch.items.is_empty() {
            self.state().make(&batch.folder);
        }
        let mut outcomes = Vec::new();
        for item in batch.items {
            outcomes.push(self.store(&batch.folder, item).await.into());
        }
        outcomes
    }

    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>> {
        let mut state = self.state();
        let done = |removed| match removed || self.flaw == Flaw::SaysRemovedTwice {
            true => Outcome::Done(()),
            false => Outcome::DoneBefore(()),
        };
        batch.iter().map(|file| done(state.remove(file))).collect()
    }

    async fn remove_unchanged(&self, batch: &[File]) -> Vec<Outcome<()>> {
        self.remove(batch).await
    }

    async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        let mut state = self.state();
        let done = |made| if made { Outcome::Done(()) } else { Outcome::DoneBefore(()) };
        batch.iter().map(|folder| done(state.make(folder))).collect()
    }

    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        let mut state = self.state();
        let mut remove = |folder: &RemotePath| {
            if !state.folders.contains(folder) {
                return Err(StorageError::FolderNotFound(folder.clone()));
            }
            let below = |path: &RemotePath| path != folder && path.is_within(folder);
            let full =
                state.files.iter().any(|(file, _)| below(&file.path)) || state.folders.iter().any(below);
            if full && self.flaw != Flaw::RemovesFullFolders {
                return Err(StorageError::FolderNotEmpty(folder.clone()));
            }
            state.folders.remove(folder);
            Ok(())
        };
        batch.iter().map(|folder| remove(folder).into()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_that_keeps_its_promises_passes() {
    run(memory(Flaw::None)).await.unwrap();
}

#[tokio::test]
async fn each_check_stands_alone() {
    for check in CHECKS {
        check.run(memory(Flaw::None)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_promise_is_noticed() {
    for (flaw, noticed_by) in [
        (Flaw::RemovesOldFirst, "a_wrong_checksum_fails_and_keeps_the_old_version"),
        (Flaw::StoresTornFiles, "wrong_sizes_fail_alone_and_leave_nothing"),
        (Flaw::IgnoresChecksums, "a_wrong_checksum_fails_and_keeps_the_old_version"),
        (Flaw::ListsAsItComes, "listings_are_sorted_by_the_bytes_of_names"),
        (Flaw::SaysRemovedTwice, "removing_twice_is_no_failure"),
        (Flaw::RemovesFullFolders, "only_empty_folders_are_removed"),
        (Flaw::FindsFirst, "a_second_file_of_a_name_doubles_or_overwrites"),
        (Flaw::ReadsOneByteLess, "ranges"),
    ] {
        let failure = check(noticed_by).unwrap().run(memory(flaw)).await;
        assert_eq!(failure.map_err(|failure| failure.check), Err(noticed_by), "{flaw:?}");
        assert!(run(memory(flaw)).await.is_err(), "{flaw:?}");
    }
}
