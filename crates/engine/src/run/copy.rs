//! `copy`, `sync` and `move`: the public functions, from one location to another.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use fichier_storage::{Entry, File, Location, RemoteExt, RemotePath, Result, StorageError};

use crate::{
    Bearer, RunOptions, RunReport, Stats,
    plan::Pair,
    plan::lie::Lie,
    plan::overlap,
    plan::places::Places,
    plan::renaming::no_new_name,
    plan::visit::refuse_file_on_the_way,
    run::{Run, mode::Mode},
    transfer::Batch,
};

/// Copies the contents of the folder `from` into the folder `to`; when `from` is a file, that file into the
/// folder `to`. Removes nothing but old versions.
///
/// Failures of single files are logged, counted and reported; they don't stop the rest, unless they are
/// fatal. `stop` ends the run early.
///
/// # Errors
/// The run couldn't begin: the source doesn't exist, or it is the destination itself.
pub async fn copy(
    from: &Location,
    to: &Location,
    options: &RunOptions,
    stats: &Arc<Stats>,
    stop: &CancellationToken,
) -> Result<RunReport> {
    into_folder(Mode::Copy, from, to, options, stats, stop).await
}

/// Copies the file `from` to the path `to`; when `from` is a folder, its contents into the folder `to`.
///
/// # Errors
/// As [`copy`].
pub async fn copy_to(
    from: &Location,
    to: &Location,
    options: &RunOptions,
    stats: &Arc<Stats>,
    stop: &CancellationToken,
) -> Result<RunReport> {
    to_path(Mode::Copy, from, to, options, stats, stop).await
}

/// Makes the folder `to` hold just what the folder `from` holds; when `from` is a file, copies it into `to`
/// and leaves the rest.
///
/// Files that only the destination has are removed last, and only if everything succeeded.
///
/// # Errors
/// As [`copy`].
pub async fn sync(
    from: &Location,
    to: &Location,
    options: &RunOptions,
    stats: &Arc<Stats>,
    stop: &CancellationToken,
) -> Result<RunReport> {
    into_folder(Mode::Sync, from, to, options, stats, stop).await
}

/// Does the same as [`copy`], and removes from the source what the destination has got.
///
/// # Errors
/// As [`copy`].
pub async fn move_into(
    from: &Location,
    to: &Location,
    options: &RunOptions,
    stats: &Arc<Stats>,
    stop: &CancellationToken,
) -> Result<RunReport> {
    into_folder(Mode::Move, from, to, options, stats, stop).await
}

/// Does the same as [`copy_to`], and removes from the source what the destination has got.
///
/// # Errors
/// As [`copy`].
pub async fn move_to(
    from: &Location,
    to: &Location,
    options: &RunOptions,
    stats: &Arc<Stats>,
    stop: &CancellationToken,
) -> Result<RunReport> {
    to_path(Mode::Move, from, to, options, stats, stop).await
}

async fn into_folder(
    mode: Mode,
    from: &Location,
    to: &Location,
    options: &RunOptions,
    stats: &Arc<Stats>,
    stop: &CancellationToken,
) -> Result<RunReport> {
    refuse_read_only(mode, from, to)?;
    if let Entry::File(file) = find_source_of(mode, from, to).await? {
        let Some(name) = file.path.name() else {
            return Err(StorageError::FileNotFound(file.path));
        };
        let target = Location { remote: to.remote.clone(), path: to.path.join(&name) };
        return one_file(mode, from, file, &target, options, stats, stop).await;
    }
    let lie = overlap::of_folders(mode, from, to, options).await?;
    if lie == Lie::Same {
        tracing::error!("Nothing to do as source and destination are the same");
        return Ok(RunReport::default());
    }
    Ok(Run::new(mode, from, to, lie, options, stats, stop).run().await)
}

/// Refuses a run that would change a read-only remote, before anything is read.
fn refuse_read_only(mode: Mode, from: &Location, to: &Location) -> Result<()> {
    let is_fixed = |end: &Location| end.remote.info().features.read_only;
    if is_fixed(to) {
        return Err(to.remote.unsupported("be changed: it is read-only, so nothing can be stored there"));
    }
    if mode == Mode::Move && is_fixed(from) {
        return Err(from
            .remote
            .unsupported("be changed: it is read-only, so its files can be copied, but not moved"));
    }
    Ok(())
}

async fn to_path(
    mode: Mode,
    from: &Location,
    to: &Location,
    options: &RunOptions,
    stats: &Arc<Stats>,
    stop: &CancellationToken,
) -> Result<RunReport> {
    refuse_read_only(mode, from, to)?;
    match find_source_of(mode, from, to).await? {
        Entry::File(file) => one_file(mode, from, file, to, options, stats, stop).await,
        Entry::Folder(_) => into_folder(mode, from, to, options, stats, stop).await,
    }
}

async fn one_file(
    mode: Mode,
    from: &Location,
    file: File,
    target: &Location,
    options: &RunOptions,
    stats: &Arc<Stats>,
    stop: &CancellationToken,
) -> Result<RunReport> {
    let source = Location { remote: from.remote.clone(), path: file.path.clone() };
    let target = &with_new_name(target, &file, options)?;
    if overlap::is_one_file(&source, target).await? {
        tracing::error!(path = %from.remote.info().shown(&file.path), "Nothing to do as source and destination are the same");
        return Ok(RunReport::default());
    }
    let (Some(folder), Some(name)) = (target.path.parent(), target.path.name()) else {
        return Err(target.named(StorageError::IsAFolder(target.path.clone())));
    };
    let root = Location { remote: target.remote.clone(), path: folder.clone() };
    overlap::of_files(&source, target, &root, options.backup.as_ref()).await?;
    let listed = match options.rules.unseen_destination {
        true => Ok(Vec::new()),
        false => target.remote.entries(&folder).await,
    };
    let places = Places::of(target, options.names.at(target), listed.iter().flatten());
    if let Some(rival) = places.rival(target, &name) {
        return Err(rival.of(RemotePath::root().join(&name)));
    }
    let existing = match listed {
        Ok(entries) => entries.into_iter().filter(|entry| entry.path() == &target.path).collect(),
        Err(StorageError::FolderNotFound(_)) => {
            refuse_file_on_the_way(&root).await?;
            Vec::new()
        }
        Err(error) => return Err(root.named(error.of_destination())),
    };
    let (files, folders): (Vec<_>, Vec<_>) =
        existing.into_iter().partition(|entry| entry.as_file().is_some());
    if files.is_empty() && !folders.is_empty() {
        return Err(target.named(StorageError::IsAFolder(target.path.clone())));
    }
    let mut existing: Vec<File> = files.into_iter().filter_map(|entry| entry.as_file().cloned()).collect();
    existing.sort_by_key(|file| std::cmp::Reverse(file.modified));
    let run = Run::new(mode, from, &root, Lie::Apart, options, stats, stop);
    let mut report = RunReport::default();
    let pair = Pair { wanted: name.clone(), name, source: file, existing };
    let shelf = run.shelf(&RemotePath::root()).await?;
    let jobs = run.decide_all(&folder, vec![pair], &shelf, &mut report).await;
    if !jobs.is_empty() {
        report.absorb(run.transfer.run(Batch { folder: folder.clone(), jobs }).await);
    }
    run.tell_doubles_in(&folder, target.path.name().as_ref(), &mut report).await;
    options.checksums.flush().await;
    Ok(report)
}

/// Returns the place of a single file with the new form of its name, whether that is the source's or was typed.
pub(crate) fn with_new_name(target: &Location, file: &File, options: &RunOptions) -> Result<Location> {
    let (Some(transform), Some(name), Some(folder)) =
        (&options.transform, target.path.name(), target.path.parent())
    else {
        return Ok(target.clone());
    };
    let shown = || file.path.name().map_or_else(RemotePath::root, |name| RemotePath::root().join(&name));
    let name = transform.apply(&name, Bearer::File).map_err(|why| no_new_name(shown(), why))?;
    Ok(Location { remote: target.remote.clone(), path: folder.join(&name) })
}

/// Finds the source of a run. Where nothing is, and an earlier move of a folder may have been interrupted between its
/// two calls, the error says so.
async fn find_source_of(mode: Mode, from: &Location, to: &Location) -> Result<Entry> {
    let error = match find_source(from).await {
        Err(error) if mode == Mode::Move => error,
        found => return found,
    };
    let is_missing = matches!(error.plain(), StorageError::FolderNotFound(_));
    let Some(between) = (if is_missing { half_moved(from, to).await } else { None }) else {
        return Err(error);
    };
    let (from, between, to) = (from.shown(), between.shown(), to.shown());
    Err(StorageError::HalfMoved { from, between, to, is_seen: false, problem: Box::new(error) })
}

/// Returns the place of a folder that a move left half done: in the new folder under its old name, or in the old folder
/// under its new name.
async fn half_moved(from: &Location, to: &Location) -> Option<Location> {
    let info = to.remote.info();
    if !(info.features.networked && info.features.folder_move && from.remote.info().has_paths_of(info)) {
        return None;
    }
    let [old, new] = [from, to].map(|end| end.path.parent().zip(end.path.name()));
    let ((old_parent, old_name), (new_parent, new_name)) = old.zip(new)?;
    if old_parent == new_parent || old_name == new_name {
        return None;
    }
    let folders = async |parent: &RemotePath| -> Vec<RemotePath> {
        let entries = to.remote.entries(parent).await.unwrap_or_default();
        entries.iter().filter(|entry| entry.as_file().is_none()).map(|entry| entry.path().clone()).collect()
    };
    let in_new = folders(&new_parent).await;
    if in_new.contains(&to.path) {
        return None;
    }
    let (moved, renamed) = (new_parent.join(&old_name), old_parent.join(&new_name));
    let path = match in_new.contains(&moved) {
        true => moved,
        false => folders(&old_parent).await.contains(&renamed).then_some(renamed)?,
    };
    Some(Location { remote: to.remote.clone(), path })
}

/// Finds the source of a run. Where nothing is, rclone calls that a missing directory.
pub(crate) async fn find_source(from: &Location) -> Result<Entry> {
    from.remote.entry(&from.path).await.map_err(|error| match error {
        StorageError::FileNotFound(path) => from.named(StorageError::FolderNotFound(path)),
        other => from.named(other),
    })
}
