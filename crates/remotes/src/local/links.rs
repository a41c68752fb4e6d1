//! Symbolic links as small files (`--links`): `name` that leads to `target` is a file `name.rclonelink` that holds
//! `target`, and such a file becomes a link again when it is written.
//!
//! A link may lead anywhere, and one from elsewhere can't be trusted. So none is followed: nothing is read or written
//! through one, and no folder is made behind one.

use std::{fs, io, path::Path, sync::Arc, time::SystemTime};

use bytes::Bytes;
use fichier_storage::{
    ByteRange, ByteStream, File, Name, Relocation, RemotePath, Result, StorageError, WriteItem,
    metadata::Metadata,
};
use futures::{StreamExt, stream};

use super::{
    confined::{Spot, error_at, shown},
    folders, listing, metadata,
    options::LinkPolicy,
    paths,
    root::{Root, at_disk},
};

/// Suffix of the names of links.
pub(super) const SUFFIX: &str = ".rclonelink";

/// Longest target in bytes: no system takes a longer one.
const LONGEST: u64 = 32 * 1024;

/// Form of something on the disk, now or later.
pub(super) enum Seat {
    /// An ordinary file or directory.
    Itself(Spot),
    /// A symbolic link, which has the name without the suffix.
    Link(Spot),
}

/// Returns where a path is on the disk that is only looked at or read.
pub(super) fn seat(place: &Root, path: &RemotePath) -> Result<Seat> {
    match place.options.links {
        LinkPolicy::Translate => seat_to_change(place, path),
        _ => place.tree.locate(path).map(Seat::Itself),
    }
}

/// Returns where a path is on the disk, or will be, that is changed, made or removed.
pub(super) fn seat_to_change(place: &Root, path: &RemotePath) -> Result<Seat> {
    let itself = place.tree.locate_to_change(path)?;
    let Some(link) = without_suffix(place, path) else { return Ok(Seat::Itself(itself)) };
    let link = place.tree.locate_to_change(&link)?;
    let is_link = fs::symlink_metadata(&link).is_ok_and(|there| there.is_symlink());
    if !is_link && fs::symlink_metadata(&itself).is_ok() {
        return Ok(Seat::Itself(itself));
    }
    Ok(Seat::Link(link))
}

/// Returns the path that a link has on the disk, if this is the path of one.
fn without_suffix(place: &Root, path: &RemotePath) -> Option<RemotePath> {
    if place.options.links != LinkPolicy::Translate {
        return None;
    }
    let name = path.name()?;
    let name = name.as_bytes().strip_suffix(SUFFIX.as_bytes())?;
    Some(path.parent()?.join(&Name::new(name).ok()?))
}

/// Checks that no link is in a folder's place or on the way to it.
pub(super) fn refuse_on_the_way(place: &Root, folder: &RemotePath) -> Result<()> {
    if place.options.links != LinkPolicy::Translate {
        return Ok(());
    }
    let mut on_the_way = folder.clone();
    while !on_the_way.is_root() {
        let path = place.tree.named(&on_the_way)?;
        if fs::symlink_metadata(&path).is_ok_and(|there| there.is_symlink()) {
            let link = |name: Name| Name::new([name.as_bytes(), SUFFIX.as_bytes()].concat()).ok();
            let rival = on_the_way.name().and_then(link);
            return Err(match rival {
                Some(rival) => StorageError::OnePlace { path: on_the_way, rival, folder: true },
                None => StorageError::IsAFile(on_the_way),
            });
        }
        on_the_way = on_the_way.parent().unwrap_or_default();
    }
    Ok(())
}

/// Checks that a file wouldn't replace a link, or a link anything else: the two are never matched with each other, so
/// nobody has asked to replace one by the other.
pub(super) fn refuse_rival(place: &Root, path: &RemotePath, seat: &Seat) -> Result<()> {
    let (system, is_rival): (_, fn(&fs::Metadata) -> bool) = match seat {
        Seat::Itself(_) if place.options.links != LinkPolicy::Translate => return Ok(()),
        Seat::Itself(system) => (system, fs::Metadata::is_symlink),
        Seat::Link(system) => (system, |there| !there.is_symlink()),
    };
    let Ok(there) = fs::symlink_metadata(system) else { return Ok(()) };
    let Some(name) = path.name().filter(|_| is_rival(&there)) else { return Ok(()) };
    let rival = match seat {
        Seat::Itself(_) => Name::new([name.as_bytes(), SUFFIX.as_bytes()].concat()).ok(),
        Seat::Link(_) => without_suffix(place, path).and_then(|path| path.name()),
    };
    let (path, rival) = (path.clone(), rival.unwrap_or(name));
    Err(StorageError::OnePlace { path, rival, folder: there.is_dir() })
}

/// Returns a link as the file that represents it. Anything else counts as missing.
pub(super) fn file(path: RemotePath, system: &Path) -> io::Result<File> {
    let metadata = fs::symlink_metadata(system)?;
    if !metadata.is_symlink() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let target = paths::link_target(system)?;
    Ok(File {
        path,
        size: target.len() as u64,
        modified: metadata.modified().ok(),
        whirlpool: None,
        id: None,
        media_type: None,
        // The fingerprint is that of the link's own inode: a new target makes a new link.
        fingerprint: listing::fingerprint(&metadata),
        seconds_ahead: 0,
    })
}

/// Streams the target of a link as the bytes of its file.
pub(super) fn stream(place: &Arc<Root>, file: &File, range: ByteRange) -> ByteStream {
    let (place, path, size) = (place.clone(), file.path.clone(), file.size);
    let read = at_disk(move || {
        // The file is opened only now: a handle for each file that waits for its turn would be too many.
        let (Seat::Link(system) | Seat::Itself(system)) = seat(&place, &path)?;
        let target = paths::link_target(&system).map_err(|error| error_at("read", &system, error))?;
        let actual = target.len() as u64;
        if actual != size {
            return Err(StorageError::SizeMismatch { path, expected: size, actual });
        }
        let bytes = Bytes::from(target);
        let end = usize::try_from(range.start + range.length(size)).unwrap_or(usize::MAX);
        let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(bytes.len());
        Ok(bytes.slice(start..end.clamp(start, bytes.len())))
    });
    stream::once(read).boxed()
}

/// Makes a link from the bytes of its file.
pub(super) async fn store(
    place: &Arc<Root>,
    path: RemotePath,
    system: Spot,
    item: WriteItem,
) -> Result<File> {
    if item.size == 0 || item.size > LONGEST {
        return Err(no_target(&system, "an empty text or one this long is no target of a link"));
    }
    let (content, sum) = place.hashing.stream(item.content.open().await?, item.size);
    let (mut content, mut target) = (content, Vec::new());
    while let Some(chunk) = content.next().await {
        target.extend_from_slice(&chunk?);
        if target.len() as u64 > item.size {
            break;
        }
    }
    let actual = target.len() as u64;
    if actual != item.size {
        return Err(StorageError::SizeMismatch { path, expected: item.size, actual });
    }
    let mut whirlpool = None;
    if let Some(expected) = item.expected {
        let (_, actual) = sum.await.map_err(|_| StorageError::Unverified(path.clone()))?;
        if actual != expected {
            let (expected, actual) = (Box::new(expected), Box::new(actual));
            return Err(StorageError::Corrupted { path, expected, actual });
        }
        whirlpool = Some(actual);
    }
    let modified = metadata::modified(&item.metadata).or(item.modified);
    let modified = modified.filter(|_| place.options.set_modified);
    at_disk(move || {
        make(&path, &system, &target, (modified, &item.metadata))?;
        let made = file(path, &system).map_err(|error| error_at("look at", &system, error))?;
        Ok(File { whirlpool, ..made })
    })
    .await
}

/// Makes a link, in one step in which it replaces what has its name.
fn make(
    path: &RemotePath,
    system: &Path,
    target: &[u8],
    (modified, metadata): (Option<SystemTime>, &Metadata),
) -> Result<()> {
    if target.contains(&0) {
        return Err(no_target(system, "a text with a zero byte is no target of a link"));
    }
    let failed = |error| match fs::symlink_metadata(system) {
        Ok(taken) if taken.is_dir() => StorageError::IsAFolder(path.clone()),
        _ => error_at("make the link", system, error),
    };
    let beside = loop {
        let beside = system.with_file_name(format!(".link-{:08x}.partial", rand::random::<u32>()));
        match paths::make_link(target, &beside) {
            Ok(()) => break beside,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
    };
    metadata::set_link_owner(&beside, metadata);
    if let Some(modified) = modified
        && let Err(error) = paths::set_link_modified(&beside, modified)
    {
        tracing::warn!(path = %shown(system).display(), "can't set the modification time: {error}");
    }
    fs::rename(&beside, system).map_err(|error| {
        // The link has just been made here, so it can be removed.
        let _gone = fs::remove_file(&beside);
        failed(error)
    })
}

fn no_target(system: &Path, why: &'static str) -> StorageError {
    error_at("make the link", system, io::Error::new(io::ErrorKind::InvalidData, why))
}

/// Returns the place for a link that is copied or moved: as a link, under whatever name.
///
/// # Errors
/// Something other than a link is there.
fn free_place(place: &Root, to: &RemotePath) -> Result<Spot> {
    let new = place.tree.locate_to_change(&without_suffix(place, to).unwrap_or_else(|| to.clone()))?;
    refuse_rival(place, to, &Seat::Link(new.clone()))?;
    Ok(new)
}

/// Copies a link; `None` if it isn't one.
pub(super) fn copy(place: &Root, from: &RemotePath, to: &RemotePath) -> Result<Option<File>> {
    let Seat::Link(system) = seat(place, from)? else { return Ok(None) };
    let read = |error: io::Error| match paths::is_missing(&error) {
        true => StorageError::FileNotFound(from.clone()),
        false => error_at("read", &system, error),
    };
    let target = paths::link_target(&system).map_err(read)?;
    let modified = fs::symlink_metadata(&system).map_err(read)?.modified().ok();
    folders::make(place, &to.parent().unwrap_or_default())?;
    let new = free_place(place, to)?;
    let modified = modified.filter(|_| place.options.set_modified);
    make(to, &new, &target, (modified, &Metadata::new()))?;
    file(to.clone(), &new).map(Some).map_err(|error| error_at("look at", &new, error))
}

/// Moves a link; `None` if it isn't one.
pub(super) fn rename(place: &Root, item: &Relocation) -> Result<Option<File>> {
    let Seat::Link(system) = seat(place, &item.from.path)? else { return Ok(None) };
    match fs::symlink_metadata(&system) {
        Ok(_) => {}
        Err(error) if paths::is_missing(&error) => {
            return Err(StorageError::FileNotFound(item.from.path.clone()));
        }
        Err(error) => return Err(error_at("look at", &system, error)),
    }
    folders::make(place, &item.to.parent().unwrap_or_default())?;
    let new = free_place(place, &item.to)?;
    match fs::rename(&system, &new) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let copied = copy(place, &item.from.path, &item.to)?;
            fs::remove_file(&system).map_err(|error| error_at("remove", &system, error))?;
            return Ok(copied);
        }
        Err(error) => {
            return Err(match fs::symlink_metadata(&new) {
                Ok(taken) if taken.is_dir() => StorageError::IsAFolder(item.to.clone()),
                _ => error_at("rename", &system, error),
            });
        }
    }
    file(item.to.clone(), &new).map(Some).map_err(|error| error_at("look at", &new, error))
}
