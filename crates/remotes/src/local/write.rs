//! Stores files.

use std::{io, path::Path, sync::Arc, time::SystemTime};

use bytes::Bytes;
use fichier_storage::{
    ByteStream, Content, File, Outcome, RemotePath, Result, StorageError, Whirlpool, WriteBatch, WriteItem,
};
use futures::{FutureExt, StreamExt, stream};
use tokio::sync::watch;

use super::{
    confined::{Spot, error_at},
    downloads::Downloads,
    downloads::Room,
    folders,
    links::{self, Seat},
    listing, metadata,
    options::LinkPolicy,
    partial::Partial,
    paths, ranged, read,
    root::AT_ONCE,
    root::{Root, at_disk},
};

pub(super) async fn write(place: &Arc<Root>, batch: WriteBatch) -> Vec<Outcome<File>> {
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
            // Each item gets an error of its own; errors can't be shared.
            outcomes.push(make().await.map_or_else(Outcome::Failed, |_| Outcome::NotTried));
        }
        return outcomes;
    }
    // Kept open, so that it is opened once for all of them.
    let (at, of_all) = (place.clone(), folder.clone());
    let _open = at_disk(move || at.tree.enter_to_change(&of_all)).await;
    let turn = watch::Sender::new(0);
    let contents = items.iter().map(|item| item.content.clone()).collect();
    let preparing = prepare(contents, turn.subscribe(), place.options.downloads.ahead);
    let tasks = items.into_iter().enumerate().map(|(index, item)| {
        let (place, path, turn) = (place.clone(), folder.join(&item.name), turn.clone());
        let task = async move {
            turn.send_replace(index);
            let replaces = item.replaces.clone();
            (replaces, store(&place, path, item).await.into())
        };
        task.boxed()
    });
    let storing = stream::iter(tasks.collect::<Vec<_>>()).buffered(AT_ONCE).collect();
    let mut stored: Vec<(Vec<File>, Outcome<File>)> = tokio::select! {
        biased;
        stored = storing => stored,
        never = preparing => match never {},
    };
    settle(place, &[folder], &mut stored).await;
    stored.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Prepares the download of files whose turn comes soon, so that they needn't wait for it then. It doesn't end by
/// itself: the caller that stores the files ends it.
async fn prepare(
    contents: Vec<Arc<dyn Content>>,
    turn: watch::Receiver<usize>,
    ahead: usize,
) -> std::convert::Infallible {
    // The first ones do this themselves at once.
    let later = contents.into_iter().enumerate().skip(AT_ONCE).map(|(index, content)| {
        let mut turn = turn.clone();
        let prepared = async move {
            if turn.wait_for(|turn| turn + ahead >= index).await.is_ok() {
                content.prepare().await;
            }
        };
        prepared.boxed()
    });
    let later = if ahead > 0 { later.collect() } else { Vec::new() };
    stream::iter(later).buffered(ahead.max(1)).collect::<()>().await;
    std::future::pending().await
}

/// Finishes files that have their final names: flushes the names to the disk, and only then removes the versions that
/// they replace.
pub(super) async fn settle(
    place: &Arc<Root>,
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
                *outcome = Outcome::Failed(error_at("flush", "the directory", source));
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

fn flush(place: &Root, folder: &RemotePath) -> Result<()> {
    let path = place.tree.enter_to_change(folder)?;
    match paths::flush_folder(&path) {
        // A directory that is gone has no names to lose.
        Err(error) if !paths::is_missing(&error) => Err(error_at("flush", path, error)),
        _ => Ok(()),
    }
}

/// Checks whether two paths differ in case alone and mean one file: removing the old would remove the new.
fn is_same_name(place: &Root, old: &RemotePath, new: &RemotePath) -> bool {
    let lower = |path: &RemotePath| path.to_string().to_lowercase();
    let identity = |path| paths::Identity::of(&place.tree.named(path).ok()?).ok();
    lower(old) == lower(new) && identity(old).is_some_and(|old| Some(old) == identity(new))
}

/// Stores one file in a folder that exists.
async fn store(place: &Arc<Root>, path: RemotePath, item: WriteItem) -> Result<File> {
    let seat = links::seat_to_change(place, &path)?;
    links::refuse_rival(place, &path, &seat)?;
    let target = match seat {
        Seat::Itself(target) => target,
        Seat::Link(target) => return links::store(place, path, target, item).await,
    };
    let (got, whirlpool) = match ranged::get(place, &path, &target, &item).await? {
        Some((partial, whirlpool)) => (Got::Whole(partial), whirlpool),
        None => {
            let (growing, whirlpool) = get(place, &path, &target, &item).await?;
            (Got::Growing(growing), whirlpool)
        }
    };
    let sync = place.options.sync;
    let modified = metadata::modified(&item.metadata).or(item.modified);
    let (modified, special_bits) =
        (modified.filter(|_| place.options.set_modified), place.options.special_bits);
    let wanted = item.metadata;
    at_disk(move || {
        let partial = match got {
            Got::Whole(partial) => partial,
            Got::Growing(growing) => growing.whole()?,
        };
        metadata::set(partial.file(), &target, &wanted, special_bits);
        let metadata = finish(partial, &path, &target, modified, sync)?;
        // Getting its name has changed the file's fingerprint.
        let metadata = std::fs::symlink_metadata(&target).unwrap_or(metadata);
        let fingerprint = paths::fingerprint(&metadata);
        Ok(File { whirlpool, fingerprint, ..listing::file(path, &metadata) })
    })
    .await
}

/// A file of which all bytes are there.
enum Got {
    /// A file in its partial file.
    Whole(Partial),
    /// A file of which some bytes are still in memory.
    Growing(Growing),
}

/// Downloads a file in one stream, verified if its checksum is known.
async fn get(
    place: &Arc<Root>,
    path: &RemotePath,
    target: &Spot,
    item: &WriteItem,
) -> Result<(Growing, Option<Whirlpool>)> {
    let content = item.content.open().await?;
    let (mut content, sum): (ByteStream, _) = match item.expected {
        Some(expected) => {
            let (hashed, sum) = place.hashing.stream(content, item.size);
            (hashed.boxed(), Some((expected, sum)))
        }
        None => (content, None),
    };
    let downloads = &place.options.downloads;
    let mut room = Some(downloads.buffers.room().await);
    let mut file = Growing::new(target, item.size, downloads);
    let (mut seen, mut waiting) = (0_u64, 0_u64);
    while let Some(chunk) = content.next().await {
        let chunk = chunk?;
        seen += chunk.len() as u64;
        if seen > item.size {
            break;
        }
        waiting += chunk.len() as u64;
        file.gathered.push(chunk);
        if room.as_ref().is_some_and(|room| waiting >= room.bytes) {
            waiting = 0;
            file = at_disk(move || file.grow()).await?;
            // Not the next before this one is given back: other downloads wait, too.
            drop(room.take());
            room = Some(downloads.buffers.room().await);
        }
    }
    if seen != item.size {
        return Err(StorageError::SizeMismatch { path: path.clone(), expected: item.size, actual: seen });
    }
    let mut whirlpool = None;
    if let Some((expected, sum)) = sum {
        let (_, actual) = sum.await.map_err(|_| StorageError::Unverified(path.clone()))?;
        if actual != expected {
            let (expected, actual) = (Box::new(expected), Box::new(actual));
            return Err(StorageError::Corrupted { path: path.clone(), expected, actual });
        }
        whirlpool = Some(actual);
    }
    file.room = room;
    Ok((file, whirlpool))
}

/// Gives a whole file its name; a directory, device, pipe or socket of that name stays.
pub(super) fn finish(
    partial: Partial,
    path: &RemotePath,
    target: &Path,
    modified: Option<SystemTime>,
    sync: bool,
) -> Result<std::fs::Metadata> {
    listing::refuse_special(path, target)?;
    partial.finish(target, modified, sync).map_err(|error| match target.symlink_metadata() {
        Ok(taken) if taken.is_dir() => StorageError::IsAFolder(path.clone()),
        _ => error_at("write", target, error),
    })
}

/// A file that gets its bytes piece by piece. Its partial file is made with the first piece, so that a small file takes
/// one visit to the disk.
struct Growing {
    target: Spot,
    size: u64,
    downloads: Downloads,
    partial: Option<Partial>,
    gathered: Vec<Bytes>,
    /// Held until the last of the gathered bytes are written.
    room: Option<Room>,
}

impl Growing {
    fn new(target: &Spot, size: u64, downloads: &Downloads) -> Self {
        let (target, downloads) = (target.clone(), downloads.clone());
        Self { target, size, downloads, partial: None, gathered: Vec::new(), room: None }
    }

    fn grow(mut self) -> Result<Self> {
        let failed = |error| error_at("write", &self.target, error);
        let mut partial = match self.partial.take() {
            Some(partial) => partial,
            None => Partial::create(&self.target, self.size, &self.downloads).map_err(failed)?,
        };
        partial.write(&self.gathered).map_err(failed)?;
        self.gathered.clear();
        self.partial = Some(partial);
        Ok(self)
    }

    /// Returns the file with everything that was gathered.
    fn whole(self) -> Result<Partial> {
        let grown = self.grow()?;
        let missing = || error_at("write", &grown.target, io::ErrorKind::NotFound.into());
        grown.partial.ok_or_else(missing)
    }
}

pub(super) fn set_modified(place: &Root, path: &RemotePath, time: SystemTime) -> Result<()> {
    let system = match links::seat_to_change(place, path)? {
        Seat::Itself(system) => system,
        Seat::Link(system) => {
            let set = paths::set_link_modified(&system, time);
            return set.map_err(|error| error_at("set the time of", system, error));
        }
    };
    let (handle, _) = read::open(path, &system, place.options.links == LinkPolicy::Follow)?;
    handle.set_modified(time).map_err(|error| error_at("set the time of", system, error))
}
