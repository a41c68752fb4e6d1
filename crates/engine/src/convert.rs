//! `convmv` gives files and folders new names in place.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use futures::{StreamExt, pin_mut};
use tokio_util::sync::CancellationToken;

use fichier_storage::{Entry, File, Location, Name, Relocation, RemoteExt, RemotePath, Result, StorageError};

use crate::{
    RunOptions, RunReport, Stats,
    events::Event,
    events::report::Verdict,
    plan::renaming::{SameName, no_new_name, rename_all},
    run::copy::{find_source, with_new_name},
    transfer::{limits::RunQuota, metadata::Furnished},
    walk_filtered,
};

/// Number of files handed to a remote at once. The remote splits them into calls.
const AT_ONCE: usize = 1000;

/// Gives the files below `target`, and their folders, the names that `options.transform` makes of theirs; when `target`
/// is a file, only that file.
///
/// The whole tree is listed first. A file never replaces another one: where its new name is taken, it keeps the old one
/// and counts as failed.
///
/// # Errors
/// There is nothing at `target`, or it can't be listed.
pub async fn convert_names(
    target: &Location,
    options: &RunOptions,
    stats: &Arc<Stats>,
    stop: &CancellationToken,
) -> Result<RunReport> {
    let allowance = RunQuota::new(options.limits);
    let mut convert = Convert {
        allowance,
        target,
        options,
        stats,
        stop,
        moves: Vec::new(),
        folders: BTreeMap::new(),
        furnished: Vec::new(),
        gone: HashSet::new(),
        report: RunReport::default(),
    };
    match find_source(target).await? {
        Entry::File(file) => {
            let place = Location { remote: target.remote.clone(), path: file.path.clone() };
            let to = with_new_name(&place, &file, options)?.path;
            if to != file.path {
                convert.moves.push(Move { file, to });
            }
        }
        Entry::Folder(_) => convert.look().await?,
    }
    convert.note_folder_metadata().await;
    convert.make_moves().await;
    convert.tidy_up().await;
    Ok(convert.report)
}

/// A file that gets another path.
struct Move {
    file: File,
    to: RemotePath,
}

struct Convert<'a> {
    allowance: RunQuota,
    target: &'a Location,
    options: &'a RunOptions,
    stats: &'a Stats,
    stop: &'a CancellationToken,
    moves: Vec<Move>,
    /// Each folder with its new path.
    folders: BTreeMap<RemotePath, RemotePath>,
    /// New folders with the metadata that they are to have.
    furnished: Vec<Furnished>,
    /// Old paths of files that have moved.
    gone: HashSet<RemotePath>,
    report: RunReport,
}

impl Convert<'_> {
    /// Determines the new name of each file.
    async fn look(&mut self) -> Result<()> {
        let root = self.target.path.clone();
        self.folders.insert(root.clone(), root.clone());
        let tree = walk_filtered(self.target, self.options.max_depth, &self.options.filter);
        pin_mut!(tree);
        while let Some(listing) = tree.next().await {
            if self.stop.is_cancelled() {
                break;
            }
            let listing = match listing {
                Ok(listing) => listing,
                Err(error) if error.folder == root => return Err(error.source),
                Err(error) => {
                    self.fail(&error.folder, error.source);
                    continue;
                }
            };
            // Below a folder that gets no name, no file gets one.
            let Some(there) = self.folders.get(&listing.folder).cloned() else { continue };
            let renamed =
                rename_all(self.options.transform.as_ref(), listing.entries, SameName::Merged).await;
            for (path, why) in renamed.refused {
                let shown = self.shown(&path);
                self.fail(&path, no_new_name(shown, why));
            }
            for sourced in renamed.entries {
                let to = there.join(&sourced.name);
                match sourced.entry {
                    Entry::Folder(folder) => {
                        self.folders.insert(folder.path, to);
                    }
                    Entry::File(file) if file.path != to => self.moves.push(Move { file, to }),
                    Entry::File(_) => {}
                }
            }
        }
        Ok(())
    }

    /// Moves each file once its new name is free.
    async fn make_moves(&mut self) {
        for planned in &self.moves {
            self.stats.plan_transfer(planned.file.size);
        }
        let mut waiting = std::mem::take(&mut self.moves);
        let mut given: HashSet<RemotePath> = HashSet::new();
        while !waiting.is_empty() && !self.stop.is_cancelled() {
            if let Err(error) = self.allowance.check_hard_time() {
                self.fail(&self.target.path.clone(), error);
                return;
            }
            let held: HashSet<RemotePath> = waiting.iter().map(|planned| planned.file.path.clone()).collect();
            let (ready, later): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|planned| !held.contains(&planned.to));
            waiting = later;
            if ready.is_empty() {
                // These moves wait for each other.
                for planned in waiting {
                    self.fail(&planned.file.path, StorageError::AlreadyExists(self.shown(&planned.to)));
                }
                break;
            }
            let free = self.keep_free(ready, &mut given).await;
            for batch in free.chunks(AT_ONCE) {
                if self.stop.is_cancelled() {
                    break;
                }
                let gone = self.rename(batch).await;
                self.gone.extend(gone);
            }
        }
    }

    /// Drops moves from the list that lead to a path that is taken already, or that another move takes.
    async fn keep_free(&mut self, moves: Vec<Move>, given: &mut HashSet<RemotePath>) -> Vec<Move> {
        let mut by_folder: BTreeMap<RemotePath, Vec<Move>> = BTreeMap::new();
        for planned in moves {
            by_folder.entry(planned.to.parent().unwrap_or_default()).or_default().push(planned);
        }
        let mut free = Vec::new();
        for (folder, moves) in by_folder {
            let taken: BTreeSet<RemotePath> = match self.target.remote.entries(&folder).await {
                Ok(entries) => entries.iter().map(|entry| entry.path().clone()).collect(),
                Err(StorageError::FolderNotFound(_)) => BTreeSet::new(),
                Err(error) => {
                    self.fail(&folder, error);
                    continue;
                }
            };
            for planned in moves {
                let is_taken = |path: &RemotePath| taken.contains(path) && !self.gone.contains(path);
                let rival = self.rival(&planned, |path| given.contains(path) || is_taken(path));
                if let Some(rival) = rival {
                    let path = self.shown(&planned.to);
                    self.fail(&planned.file.path, StorageError::OnePlace { path, rival, folder: false });
                } else if is_taken(&planned.to) || given.contains(&planned.to) {
                    self.fail(&planned.file.path, StorageError::AlreadyExists(self.shown(&planned.to)));
                } else {
                    given.insert(planned.to.clone());
                    free.push(planned);
                }
            }
        }
        free
    }

    /// Returns the name of another file that has, or will have, the path of this move.
    fn rival(&self, planned: &Move, is_taken: impl Fn(&RemotePath) -> bool) -> Option<Name> {
        let (folder, name) = (planned.to.parent()?, planned.to.name()?);
        let is_other = |name: &Name| {
            let path = folder.join(name);
            path != planned.file.path && is_taken(&path)
        };
        self.target.remote.info().names.rivals(&name).into_iter().find(is_other)
    }

    /// Moves files at the remote. Returns the old paths of those that moved.
    async fn rename(&mut self, batch: &[Move]) -> Vec<RemotePath> {
        let step = |planned: &Move| Relocation {
            from: planned.file.clone(),
            to: planned.to.clone(),
            replaces: Vec::new(),
        };
        let steps: Vec<_> = batch.iter().map(step).collect();
        let mut gone = Vec::with_capacity(batch.len());
        for (planned, outcome) in batch.iter().zip(self.target.remote.rename(&steps).await) {
            match outcome.into_result() {
                Ok(file) => {
                    self.report.transferred += 1;
                    let from = self.shown(&planned.file.path);
                    let event = Event::NewName { file: &file, from: &from };
                    self.stats.note(&self.shown(&planned.to), &event);
                    gone.push(planned.file.path.clone());
                }
                Err(error) => self.fail(&planned.file.path, error),
            }
        }
        gone
    }

    /// Returns the folders that got another name, each with the new one.
    fn changed(&self) -> Vec<(RemotePath, RemotePath)> {
        let changed = self.folders.iter().filter(|(from, to)| from != to);
        changed.map(|(from, to)| (from.clone(), to.clone())).collect()
    }

    /// Notes the metadata of folders that get another name. A folder that becomes part of another one passes nothing on
    /// to it.
    async fn note_folder_metadata(&mut self) {
        if self.target.remote.extensions().metadata.is_none() || self.stats.dry_run().is_some() {
            return;
        }
        for (from, to) in self.changed() {
            if self.folders.contains_key(&to) {
                continue;
            }
            match self.target.remote.folder_metadata(&from).await {
                Ok(own) => self.furnished.push((to, self.options.of_folder(own))),
                Err(error) => tracing::warn!(path = %from, "its metadata can't be read: {error}"),
            }
        }
    }

    /// Removes folders that are empty under their old names, and makes them under their new ones.
    async fn tidy_up(&mut self) {
        if self.stop.is_cancelled() {
            return;
        }
        let changed = self.changed();
        let now: HashSet<_> = self.folders.values().collect();
        let mut old: Vec<_> =
            changed.iter().map(|(from, _)| from.clone()).filter(|from| !now.contains(from)).collect();
        // Inner folders first.
        old.reverse();
        if self.stats.dry_run().is_some() {
            old = self.emptied(old).await;
        }
        let mut new: BTreeSet<_> = match self.options.create_empty_folders {
            true => changed.iter().map(|(_, to)| to.clone()).collect(),
            false => BTreeSet::new(),
        };
        for (folder, outcome) in old.iter().zip(self.target.remote.remove_folders(&old).await) {
            match outcome.into_result() {
                Ok(()) => {
                    self.stats.note(&self.shown(folder), &Event::FolderDeleted);
                    new.extend(self.folders.get(folder).cloned());
                }
                Err(StorageError::FolderNotEmpty(_) | StorageError::FolderNotFound(_)) => {}
                Err(error) => self.fail(folder, error),
            }
        }
        let new: Vec<_> = new.into_iter().collect();
        for (folder, outcome) in new.iter().zip(self.target.remote.make_folders(&new).await) {
            if let Err(error) = outcome.into_result() {
                self.fail(folder, error);
            }
        }
        for (folder, wanted) in std::mem::take(&mut self.furnished).into_iter().rev() {
            match self.target.remote.set_folder_metadata(&folder, &wanted).await {
                // Nothing was to be put into it.
                Ok(()) | Err(StorageError::FolderNotFound(_) | StorageError::IsAFile(_)) => {}
                Err(error) => self.fail(&folder, error),
            }
        }
    }

    /// Returns which of the given folders would be empty in a dry run, the innermost first.
    async fn emptied(&self, folders: Vec<RemotePath>) -> Vec<RemotePath> {
        let mut emptied = Vec::new();
        let mut gone = self.gone.clone();
        for folder in folders {
            let entries = self.target.remote.entries(&folder).await;
            if entries.is_ok_and(|entries| entries.iter().all(|entry| gone.contains(entry.path()))) {
                gone.insert(folder.clone());
                emptied.push(folder);
            }
        }
        emptied
    }

    fn fail(&mut self, path: &RemotePath, error: StorageError) {
        let shown = self.shown(path);
        if self.report.fail(self.stats, &shown, error) == Verdict::Stop {
            self.stop.cancel();
        }
    }

    /// Returns a path as the user knows it.
    fn shown(&self, path: &RemotePath) -> RemotePath {
        path.relative_to(&self.target.path).filter(|path| !path.is_root()).unwrap_or_else(|| path.clone())
    }
}
