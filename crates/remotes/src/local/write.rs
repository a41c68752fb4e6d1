//! Storing files.

use std::{io, path::Path, sync::Arc, time::SystemTime};

use bytes::Bytes;
use fichier_storage::{
    ByteStream, File, HashStream, Outcome, RemotePath, Result, StorageError, WriteBatch, WriteItem,
};
use futures::{StreamExt, stream};

use super::{AT_ONCE, LinkPolicy, Place, at_disk, folders, listing, partial::Partial, paths, read};

/// How many bytes are gathered before the disk is visited.
const GATHERED: usize = 1024 * 1024;

pub(super) async fn write(place: &Arc<Place>, batch: WriteBatch) -> Vec<Outcome<File>> {
    let WriteBatch { folder, items } = batch;
    if items.is_empty() {
        return Vec::new();
    }
    let make = || {
        let (place, folder) = (place.clone(), folder.clone());
        at_disk(move || folders::make(&place, &folder))
    };
    if let Err(error) = make().await {
        let mut outcomes = vec![Outcome::Failed(error)];
        for _ in 1..items.len() {
            // Each item gets an error of its own; errors can't be shared out.
            outcomes.push(make().await.map_or_else(Outcome::Failed, |_| Outcome::NotTried));
        }
        return outcomes;
    }
    let tasks = items.into_iter().map(|item| {
        let path = folder.join(&item.name);
        async move {
            let replaces = item.replaces.clone();
            (replaces, store(place, path, item).await.into())
        }
    });
    let mut stored: Vec<(Vec<File>, Outcome<File>)> = stream::iter(tasks).buffered(AT_ONCE).collect().await;
    settle(place, &[folder], &mut stored).await;
    stored.into_iter().map(|(_, outcome)| outcome).collect()
}

/// What follows when files have taken their places: their names are brought to the disk, and only then the
/// versions that they stand for go.
pub(super) async fn settle(
    place: &Arc<Place>,
    folders: &[RemotePath],
    stored: &mut [(Vec<File>, Outcome<File>)],
) {
    if place.options.sync && stored.iter().any(|(_, outcome)| outcome.is_done()) {
        let (at, folders) = (place.clone(), folders.to_vec());
        let flushed = at_disk(move || folders.iter().try_for_each(|folder| flush(&at, folder))).await;
        if let Err(error) = flushed {
            let text = error.to_string();
            for (_, outcome) in stored.iter_mut().filter(|(_, outcome)| outcome.is_done()) {
                let source = io::Error::other(text.clone());
                *outcome = Outcome::Failed(StorageError::io("flush", "the directory", source));
            }
            return;
        }
    }
    for (replaces, outcome) in stored {
        let Outcome::Done(file) = outcome else { continue };
        let old: Vec<RemotePath> =
            replaces.iter().map(|old| old.path.clone()).filter(|old| *old != file.path).collect();
        if old.is_empty() {
            continue;
        }
        let (at, new) = (place.clone(), file.path.clone());
        let removed = at_disk(move || {
            old.iter()
                .filter(|old| !is_same_name(&at, old, &new))
                .try_for_each(|old| folders::remove_file(&at, old).map(|_gone_now_or_before| ()))
        });
        if let Err(error) = removed.await {
            *outcome = Outcome::Failed(error);
        }
    }
}

fn flush(place: &Place, folder: &RemotePath) -> Result<()> {
    let path = place.tree.locate(folder)?;
    match paths::flush_folder(&path) {
        // A directory that is gone has no names to lose.
        Err(error) if !paths::is_missing(&error) => Err(StorageError::io("flush", path, error)),
        _ => Ok(()),
    }
}

/// Whether two paths differ in case alone and mean one file: removing the old would remove the new.
fn is_same_name(place: &Place, old: &RemotePath, new: &RemotePath) -> bool {
    let lower = |path: &RemotePath| path.to_string().to_lowercase();
    let identity = |path| paths::Identity::of(&place.tree.locate(path).ok()?).ok();
    lower(old) == lower(new) && identity(old).is_some_and(|old| Some(old) == identity(new))
}

/// Stores one file in a folder that is there.
async fn store(place: &Arc<Place>, path: RemotePath, item: WriteItem) -> Result<File> {
    let target = place.tree.locate(&path)?;
    let content = item.content.open().await?;
    let (mut content, sum): (ByteStream, _) = match item.expected {
        Some(expected) => {
            let (hashed, sum) = HashStream::new(content, item.size);
            (hashed.boxed(), Some((expected, sum)))
        }
        None => (content, None),
    };
    let mut file = Growing { target: target.clone(), size: item.size, partial: None, gathered: Vec::new() };
    let (mut seen, mut waiting) = (0_u64, 0_usize);
    while let Some(chunk) = content.next().await {
        let chunk = chunk?;
        seen += chunk.len() as u64;
        if seen > item.size {
            break;
        }
        waiting += chunk.len();
        file.gathered.push(chunk);
        if waiting >= GATHERED {
            waiting = 0;
            file = at_disk(move || file.grow()).await?;
        }
    }
    if seen != item.size {
        return Err(StorageError::SizeMismatch { path, expected: item.size, actual: seen });
    }
    let mut whirlpool = None;
    if let Some((expected, sum)) = sum {
        let (_, actual) = sum.await.map_err(|_| StorageError::Unverified(path.clone()))?;
        if actual != expected {
            let (expected, actual) = (Box::new(expected), Box::new(actual));
            return Err(StorageError::Corrupted { path, expected, actual });
        }
        whirlpool = Some(actual);
    }
    let sync = place.options.sync;
    at_disk(move || {
        let partial = file.grow()?.partial()?;
        let metadata = finish(partial, &path, &target, item.modified, sync)?;
        // Getting its name has changed its fingerprint.
        let metadata = std::fs::symlink_metadata(&target).unwrap_or(metadata);
        let fingerprint = paths::fingerprint(&metadata);
        Ok(File { whirlpool, fingerprint, ..listing::file(path, &metadata) })
    })
    .await
}

/// Gives a whole file its name; a directory that has it already stays.
pub(super) fn finish(
    partial: Partial,
    path: &RemotePath,
    target: &Path,
    modified: Option<SystemTime>,
    sync: bool,
) -> Result<std::fs::Metadata> {
    partial.finish(target, modified, sync).map_err(|error| match target.symlink_metadata() {
        Ok(taken) if taken.is_dir() => StorageError::IsAFolder(path.clone()),
        _ => StorageError::io("write", target, error),
    })
}

/// A file that gets its bytes bit by bit. Its partial file is made with the first of them, so that a small
/// file costs one visit to the disk.
struct Growing {
    target: std::path::PathBuf,
    size: u64,
    partial: Option<Partial>,
    gathered: Vec<Bytes>,
}

impl Growing {
    fn grow(mut self) -> Result<Self> {
        let failed = |error| StorageError::io("write", &self.target, error);
        let mut partial = match self.partial.take() {
            Some(partial) => partial,
            None => Partial::create(&self.target, self.size).map_err(failed)?,
        };
        partial.write(&self.gathered).map_err(failed)?;
        self.gathered.clear();
        self.partial = Some(partial);
        Ok(self)
    }

    fn partial(self) -> Result<Partial> {
        let missing = || StorageError::io("write", &self.target, io::ErrorKind::NotFound.into());
        self.partial.ok_or_else(missing)
    }
}

pub(super) fn set_modified(place: &Place, path: &RemotePath, time: SystemTime) -> Result<()> {
    let system = place.tree.locate(path)?;
    let (handle, _) = read::open(path, &system, place.options.links == LinkPolicy::Follow)?;
    handle.set_modified(time).map_err(|error| StorageError::io("set the time of", system, error))
}
