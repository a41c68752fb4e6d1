//! Copies and moves inside the root.

use std::{collections::BTreeSet, fs, io, path::Path, sync::Arc};

use fichier_storage::{File, Outcome, Relocation, RemotePath, Result, StorageError};
use futures::{StreamExt, stream};

use super::{
    confined::error_at,
    folders,
    links::{self, Seat},
    listing,
    options::LinkPolicy,
    partial::Partial,
    paths::{self, Identity, is_link_of, is_missing, rename_to_free_name},
    read,
    root::AT_ONCE,
    root::{Root, at_disk},
    write::{finish, settle},
};

/// Number of bytes that the kernel is asked to copy at once. A copy that is given up goes on for as many.
const STRIDE: u64 = 64 * 1024 * 1024;

pub(super) async fn copy(place: &Arc<Root>, batch: &[Relocation]) -> Vec<Outcome<File>> {
    let tasks = batch
        .iter()
        .cloned()
        .map(|item| async move { (item.replaces, copy_one(place, item.from, item.to).await.into()) });
    let mut copied: Vec<_> = stream::iter(tasks).buffered(AT_ONCE).collect().await;
    let touched: BTreeSet<_> = batch.iter().filter_map(|item| item.to.parent()).collect();
    settle(place, &Vec::from_iter(touched), &mut copied).await;
    copied.into_iter().map(|(_, outcome)| outcome).collect()
}

pub(super) async fn rename(place: &Arc<Root>, batch: &[Relocation]) -> Vec<Outcome<File>> {
    let mut renamed = Vec::with_capacity(batch.len());
    let mut touched = BTreeSet::new();
    for item in batch {
        renamed.push((item.replaces.clone(), rename_one(place, item).await.into()));
        // The new directory comes first: if one of two flushes is lost, a file that shows twice does no harm.
        touched.extend(item.to.parent());
        touched.extend(item.from.path.parent());
    }
    settle(place, &Vec::from_iter(touched), &mut renamed).await;
    renamed.into_iter().map(|(_, outcome)| outcome).collect()
}

async fn copy_one(place: &Arc<Root>, from: File, to: RemotePath) -> Result<File> {
    if place.options.links == LinkPolicy::Translate {
        let (at, link, new) = (place.clone(), from.path.clone(), to.clone());
        if let Some(copied) = at_disk(move || links::copy(&at, &link, &new)).await? {
            return Ok(copied);
        }
    }
    let (at, from_path) = (place.clone(), from.path.clone());
    let (mut partial, handle, metadata, target, to) = at_disk(move || {
        let system = at.tree.locate(&from.path)?;
        let (handle, metadata) = read::open(&from.path, &system, at.options.links == LinkPolicy::Follow)?;
        if at.options.check_updated && metadata.len() != from.size {
            let what = "(size changed since it was listed)";
            return Err(StorageError::SourceChanged { path: from.path, what });
        }
        folders::make(&at, &to.parent().unwrap_or_default())?;
        let target = at.tree.locate_to_change(&to)?;
        links::refuse_rival(&at, &to, &Seat::Itself(target.clone()))?;
        let partial = Partial::create(&target, metadata.len(), &at.options.downloads)
            .map_err(|error| error_at("write", &target, error))?;
        Ok((partial, handle, metadata, target, to))
    })
    .await?;
    let handle = Arc::new(handle);
    let mut copied = 0;
    loop {
        let (from, path) = (handle.clone(), target.clone());
        let step;
        (partial, step) = at_disk(move || {
            let step = partial.copy(&from, STRIDE).map_err(|error| error_at("copy to", path, error))?;
            Ok((partial, step))
        })
        .await?;
        copied += step;
        if step < STRIDE {
            break;
        }
    }
    let options = &place.options;
    let (sync, check, keeps_time) = (options.sync, options.check_updated, options.set_modified);
    at_disk(move || {
        let now = handle.metadata().map_err(|error| error_at("look at", &target, error))?;
        if check && (now.len() != metadata.len() || now.modified().ok() != metadata.modified().ok()) {
            return Err(StorageError::SourceChanged {
                path: from_path,
                what: "(changed while it was copied)",
            });
        }
        if copied != metadata.len() {
            return Err(StorageError::SizeMismatch { path: to, expected: metadata.len(), actual: copied });
        }
        let metadata = finish(partial, &to, &target, metadata.modified().ok().filter(|_| keeps_time), sync)?;
        Ok(listing::file(to, &metadata))
    })
    .await
}

async fn rename_one(place: &Arc<Root>, item: &Relocation) -> Result<File> {
    if place.options.links == LinkPolicy::Translate {
        let (at, step) = (place.clone(), item.clone());
        if let Some(renamed) = at_disk(move || links::rename(&at, &step)).await? {
            return Ok(renamed);
        }
    }
    let (at, from, to) = (place.clone(), item.from.path.clone(), item.to.clone());
    at_disk(move || {
        let source = at.tree.locate_to_change(&from)?;
        let there = match fs::symlink_metadata(&source) {
            Err(error) if is_missing(&error) => return Err(StorageError::FileNotFound(from)),
            there => there.map_err(|error| error_at("look at", &source, error))?,
        };
        let is_followed = there.is_symlink() && at.options.links == LinkPolicy::Follow;
        if let Some(what) = paths::changed_into(&there).filter(|_| !is_followed) {
            return Err(StorageError::SourceChanged { path: from, what });
        }
        folders::make(&at, &to.parent().unwrap_or_default())?;
        let target = at.tree.locate_to_change(&to)?;
        links::refuse_rival(&at, &to, &Seat::Itself(target.clone()))?;
        if is_followed && !leads_there_from(&target, &source) {
            return Err(StorageError::AcrossFileSystems(to));
        }
        listing::refuse_special(&to, &target)?;
        match fs::rename(&source, &target) {
            Ok(()) => {
                remove_other_name(&source, &target).map_err(|error| error_at("remove", &source, error))?;
            }
            // This is a move across a mount that shows the same directory: the file is where it has to be.
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices && is_one_name(&source, &target) => {}
            // The bytes would have to be copied, which is for the caller to decide: they count, and take time.
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                return Err(StorageError::AcrossFileSystems(to));
            }
            Err(error) => {
                return Err(match fs::symlink_metadata(&target) {
                    Ok(taken) if taken.is_dir() => StorageError::IsAFolder(to),
                    _ => error_at("rename", &source, error),
                });
            }
        }
        let metadata = fs::metadata(&target).map_err(|error| error_at("look at", &target, error))?;
        Ok(listing::file(to, &metadata))
    })
    .await
}

/// Removes the old name of a renamed file. The system keeps it where both were names of one file already.
fn remove_other_name(source: &Path, target: &Path) -> io::Result<()> {
    let (Ok(old), Ok(new)) = (fs::symlink_metadata(source), fs::symlink_metadata(target)) else {
        return Ok(());
    };
    if is_link_of(&old, &new) && !is_one_name(source, target) { fs::remove_file(source) } else { Ok(()) }
}

/// Whether a link would lead from its new place to where it leads now.
fn leads_there_from(new: &Path, link: &Path) -> bool {
    let leads_to = fs::read_link(link).ok().and_then(|target| Some(new.parent()?.join(target)));
    leads_to.is_some_and(|there| {
        Identity::of(link).is_ok_and(|now| Identity::of(&there).is_ok_and(|then| then == now))
    })
}

/// Whether two paths are one name in one directory; also where only the case differs, since some systems ignore it.
fn is_one_name(left: &Path, right: &Path) -> bool {
    let folder = |path: &Path| Identity::of(path.parent()?).ok();
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().to_lowercase());
    name(left) == name(right) && folder(left).is_some_and(|left| Some(left) == folder(right))
}

/// Moves a directory with all it holds. Across disks it can't be done in one step, and is refused.
pub(super) fn rename_folder(place: &Root, from: &RemotePath, to: &RemotePath) -> Result<()> {
    let named = (place.tree.named(from)?, place.tree.named(to)?);
    let source = place.tree.locate_to_change(from)?;
    match fs::metadata(&source) {
        Ok(there) if there.is_dir() => {}
        Ok(_) => return Err(StorageError::IsAFile(from.clone())),
        Err(error) if is_missing(&error) => return Err(StorageError::FolderNotFound(from.clone())),
        Err(error) => return Err(error_at("look at", &source, error)),
    }
    if to.is_within(from) && to != from {
        let into_itself = io::Error::new(io::ErrorKind::InvalidInput, "a directory can't move into itself");
        return Err(error_at("move", &source, into_itself));
    }
    // Asked for before parents are made, so that a refusal changes nothing.
    let target = place.tree.locate_to_change(to)?;
    let taken = fs::symlink_metadata(&target).is_ok();
    // Where case doesn't count, a new spelling of the name finds the directory itself.
    let respelt = taken && is_itself(&named.0, &named.1);
    if taken && !respelt {
        return Err(StorageError::AlreadyExists(to.clone()));
    }
    let across = || StorageError::Unsupported {
        remote: named.0.display().to_string(),
        operation: "move directories to another disk at once",
    };
    if !paths::may_share_file_system(&source, &named.1) {
        return Err(across());
    }
    folders::make(place, &to.parent().unwrap_or_default())?;
    let target = place.tree.locate_to_change(to)?;
    let renamed = if respelt { fs::rename(&source, &target) } else { rename_to_free_name(&source, &target) };
    renamed.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => {
            StorageError::AlreadyExists(to.clone())
        }
        io::ErrorKind::CrossesDevices => across(),
        _ => error_at("move", &source, error),
    })
}

/// Checks whether two names that differ only in spelling mean one directory.
fn is_itself(source: &std::path::Path, target: &std::path::Path) -> bool {
    let lower = |path: &std::path::Path| path.to_string_lossy().to_lowercase();
    let identity = |path| Identity::of(path).ok();
    lower(source) == lower(target) && identity(source).is_some() && identity(source) == identity(target)
}
