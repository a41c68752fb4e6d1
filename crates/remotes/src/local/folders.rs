//! Makes and removes directories, and removes files.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use fichier_storage::{File, Outcome, RemotePath, Result, StorageError};

use super::{
    confined::error_at,
    links::{self, Seat},
    listing,
    options::LinkPolicy,
    partial,
    paths::{flush_folder, is_missing},
    root::Root,
};

/// Makes a directory with its parents. Returns whether it is new.
pub(super) fn make(place: &Root, folder: &RemotePath) -> Result<bool> {
    links::refuse_on_the_way(place, folder)?;
    match place.tree.changes_through_links() {
        true => make_plainly(place, folder),
        false => make_confined(place, folder),
    }
}

/// Makes a directory and its missing parents one by one, so that nobody can put a link there meanwhile.
fn make_confined(place: &Root, folder: &RemotePath) -> Result<bool> {
    if place.tree.enter_to_change(folder)?.is_dir() {
        return Ok(false);
    }
    if !folder.is_root() {
        refuse_file_above(place)?;
    }
    // The root and the way to it are as the user named them.
    let mut made = make_plainly(place, &RemotePath::root())?;
    let mut way: Vec<_> = std::iter::successors(Some(folder.clone()), RemotePath::parent).collect();
    way.retain(|folder| !folder.is_root());
    for folder in way.iter().rev() {
        let at = place.tree.locate_to_change(folder)?;
        made = match fs::create_dir(&at) {
            Ok(()) => true,
            Err(error) => match fs::symlink_metadata(&at) {
                // Another task was quicker, or it has always been there.
                Ok(there) if there.is_dir() => false,
                Ok(there) if there.is_symlink() => {
                    links::refuse_on_the_way(place, folder)?;
                    // It may be one that the user named.
                    if !place.tree.enter_to_change(folder)?.is_dir() {
                        return Err(StorageError::BehindLink(folder.clone()));
                    }
                    false
                }
                Ok(_) => return Err(StorageError::IsAFile(folder.clone())),
                Err(_) => return Err(error_at("make", &at, error)),
            },
        };
        if made
            && place.options.sync
            && let Some(parent) = at.parent()
        {
            flush_folder(parent).map_err(|error| error_at("flush", parent, error))?;
        }
    }
    Ok(made)
}

fn make_plainly(place: &Root, folder: &RemotePath) -> Result<bool> {
    let path = place.tree.named(folder)?;
    let mut missing: Vec<PathBuf> = Vec::new();
    let mut at: &Path = &path;
    loop {
        match fs::metadata(at) {
            Ok(there) if there.is_dir() => break,
            Ok(_) => return Err(in_the_way(folder, missing.len(), at)),
            // A file on the way: that shows further up.
            Err(error) if is_missing(&error) => missing.push(at.to_path_buf()),
            Err(error) => return Err(error_at("make", &path, error)),
        }
        match at.parent() {
            Some(parent) => at = parent,
            None => break,
        }
    }
    let mut made = false;
    for folder in missing.iter().rev() {
        made = match fs::create_dir(folder) {
            Ok(()) => true,
            // Another task was quicker.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => false,
            Err(error) => return Err(error_at("make", folder, error)),
        };
        if made
            && place.options.sync
            && let Some(parent) = folder.parent()
        {
            flush_folder(parent).map_err(|error| error_at("flush", parent, error))?;
        }
    }
    Ok(made)
}

/// Returns the error that a file stands where a folder is wanted, or this many folders further up.
fn in_the_way(folder: &RemotePath, above: usize, file: &Path) -> StorageError {
    let path = (0..above).try_fold(folder.clone(), |path, _| path.parent());
    match path.filter(|path| above == 0 || !path.is_root()) {
        Some(path) => StorageError::IsAFile(path),
        // The file has no path in this remote.
        None => StorageError::At {
            location: file.display().to_string(),
            problem: Box::new(StorageError::IsAFile(RemotePath::root())),
        },
    }
}

/// Returns an error if a file stands in the place of the remote's own directory, or of one of its parents.
pub(super) fn refuse_file_above(place: &Root) -> Result<()> {
    for (above, at) in place.tree.root().ancestors().enumerate() {
        match fs::metadata(at) {
            Ok(there) if there.is_dir() => break,
            Ok(_) => return Err(in_the_way(&RemotePath::root(), above + 1, at)),
            Err(error) if is_missing(&error) => {}
            // What it is doesn't matter to the caller.
            Err(_) => break,
        }
    }
    Ok(())
}

/// Removes a directory if it is empty.
pub(super) fn remove_folder(place: &Root, folder: &RemotePath) -> Result<()> {
    let path = place.tree.locate_to_change(folder)?;
    let mut removed = fs::remove_dir(&path);
    // As in rclone: a link to an empty directory is removed like the directory, if it isn't a file by --links. Where
    // links aren't followed, no listing has one: it was named by the user.
    if place.options.links != LinkPolicy::Translate
        && is_link(&path)
        && fs::metadata(&path).is_ok_and(|there| there.is_dir())
    {
        let is_empty = fs::read_dir(&path).is_ok_and(|mut lines| lines.next().is_none());
        removed = match is_empty {
            true => fs::remove_file(&path),
            false => Err(io::ErrorKind::DirectoryNotEmpty.into()),
        };
    }
    if removed.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::DirectoryNotEmpty)
        && place
            .tree
            .enter_to_change(folder)
            .is_ok_and(|open| remove_partial_files(place, &open).unwrap_or(false))
    {
        removed = fs::remove_dir(&path);
    }
    removed.map_err(|error| match error.kind() {
        io::ErrorKind::DirectoryNotEmpty => StorageError::FolderNotEmpty(folder.clone()),
        _ if is_missing(&error) => match fs::symlink_metadata(&path) {
            Ok(there) if there.is_file() => StorageError::IsAFile(folder.clone()),
            // A link in its place: what it points to isn't ours to remove.
            Ok(_) => error_at("remove", &path, error),
            Err(_) => StorageError::FolderNotFound(folder.clone()),
        },
        _ => error_at("remove", &path, error),
    })
}

/// Removes what is left of downloads from a directory that holds nothing else; no listing shows it. Returns whether the
/// directory is empty now.
fn remove_partial_files(place: &Root, folder: &Path) -> io::Result<bool> {
    let mut left = Vec::new();
    for line in fs::read_dir(folder)? {
        let path = line?.path();
        if partial::state(&path, &place.options.downloads.partial_suffix) != Some(partial::State::Resting) {
            return Ok(false);
        }
        left.push(path);
    }
    left.iter().try_for_each(fs::remove_file)?;
    Ok(true)
}

/// Removes a file if it still is the one that was seen: same device, inode, size and times.
pub(super) fn remove_unchanged(place: &Root, seen: &File) -> Result<Outcome<()>> {
    match listing::now(place, &seen.path)? {
        Some(now) if now.is_still(seen) => remove_file(place, &seen.path),
        Some(_) => Err(StorageError::SourceChanged {
            path: seen.path.clone(),
            what: "was changed after it was looked at, so it stays where it is",
        }),
        // It was read through a link that leads nowhere now, since its target was removed before it.
        None if leads_nowhere(place, &seen.path)? => remove_file(place, &seen.path),
        None => Ok(Outcome::DoneBefore(())),
    }
}

/// Checks whether a link that was followed is there and leads nowhere.
fn leads_nowhere(place: &Root, path: &RemotePath) -> Result<bool> {
    Ok(match links::seat(place, path)? {
        Seat::Itself(system) => place.options.links == LinkPolicy::Follow && is_link(&system),
        Seat::Link(_) => false,
    })
}

/// Removes a file, or a link in its place.
pub(super) fn remove_file(place: &Root, path: &RemotePath) -> Result<Outcome<()>> {
    let system = match links::seat_to_change(place, path)? {
        // With --links, a link isn't what has its plain name: that has gone.
        Seat::Itself(system) if place.options.links == LinkPolicy::Translate && is_link(&system) => {
            return Ok(Outcome::DoneBefore(()));
        }
        Seat::Link(system) if !is_link(&system) => return Ok(Outcome::DoneBefore(())),
        Seat::Itself(system) | Seat::Link(system) => system,
    };
    match fs::remove_file(&system) {
        Ok(()) => Ok(Outcome::Done(())),
        Err(error) if is_missing(&error) => Ok(Outcome::DoneBefore(())),
        Err(error) => Err(match fs::symlink_metadata(&system) {
            Ok(there) if there.is_dir() => StorageError::IsAFolder(path.clone()),
            _ => error_at("remove", &system, error),
        }),
    }
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink())
}
