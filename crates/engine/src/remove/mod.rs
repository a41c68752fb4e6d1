//! `delete` and `purge`: removes files, and folders with all they hold.

pub(crate) mod empty_folders;

use std::sync::Arc;

use fichier_filter::Filter;
use futures::{StreamExt, pin_mut};
use tokio_util::sync::CancellationToken;

use fichier_storage::{Entry, File, Location, RemotePath, Result, StorageError};

use crate::{
    RunError, RunReport, Stats, events::Event, events::report::Verdict, run::copy::find_source,
    transfer::shown_below, walk_filtered,
};

/// Number of files handed to a remote at once. The remote splits them into calls.
const FILES_AT_ONCE: usize = 1000;

/// What a removal covers.
#[derive(Debug, Clone)]
pub enum Removal {
    /// Only files; folders stay.
    Files {
        /// Depth in folders to which to go; `None`: no limit.
        max_depth: Option<usize>,
        /// Files that are removed.
        filter: Arc<Filter>,
    },
    /// The folder with all it holds.
    Everything {
        /// Depth in folders to which to go; `None`: no limit. What lies deeper stays, and so do its parents.
        max_depth: Option<usize>,
    },
}

/// Removes the files below `target`, or everything.
///
/// Failures of single items are logged, counted and reported; they don't stop the rest, unless they are
/// fatal.
///
/// # Errors
/// There is nothing at `target`, or it can't be listed.
pub async fn remove(
    target: &Location,
    removal: Removal,
    stats: &Stats,
    stop: &CancellationToken,
) -> Result<RunReport> {
    let everything = matches!(removal, Removal::Everything { .. });
    let (max_depth, filter) = match removal {
        Removal::Files { max_depth, filter } => (max_depth, filter),
        Removal::Everything { max_depth } => (max_depth, Arc::default()),
    };
    let mut report = RunReport::default();
    let mut waiting: Vec<File> = Vec::new();
    let mut folders: Vec<RemotePath> = Vec::new();
    if !everything && let Entry::File(file) = find_source(target).await? {
        stats.plan_removals(1);
        remove_files(target, vec![file], &mut report, stats, stop).await;
        return Ok(report);
    }
    let tree = walk_filtered(target, max_depth, &filter);
    pin_mut!(tree);
    let mut first = true;
    while let Some(listing) = tree.next().await {
        if stop.is_cancelled() {
            break;
        }
        match listing {
            Ok(listing) => {
                folders.push(listing.folder);
                let before = waiting.len();
                waiting.extend(listing.entries.into_iter().filter_map(|entry| match entry {
                    Entry::File(file) => Some(file),
                    Entry::Folder(_) => None,
                }));
                stats.plan_removals((waiting.len() - before) as u64);
                if waiting.len() >= FILES_AT_ONCE {
                    remove_files(target, std::mem::take(&mut waiting), &mut report, stats, stop).await;
                }
            }
            Err(error) if first => return Err(target.named(error.source)),
            Err(error) => {
                if report.fail(stats, &shown(target, &error.folder), error.source) == Verdict::Stop {
                    stop.cancel();
                }
            }
        }
        first = false;
    }
    remove_files(target, waiting, &mut report, stats, stop).await;
    if everything && report.is_success() && !stop.is_cancelled() {
        remove_folders(target, folders, &mut report, stats).await;
    }
    Ok(report)
}

async fn remove_files(
    target: &Location,
    files: Vec<File>,
    report: &mut RunReport,
    stats: &Stats,
    stop: &CancellationToken,
) {
    if files.is_empty() || stop.is_cancelled() {
        return;
    }
    let outcomes = target.remote.remove(&files).await;
    for (file, outcome) in files.iter().zip(outcomes) {
        let path = shown_below(target, &file.path);
        let result = outcome.into_result();
        // When the run is being stopped, what failed may only have been cut short.
        let may_be_left = match &result {
            Ok(()) => false,
            Err(error) => {
                matches!(error, StorageError::NotTried | StorageError::Canceled)
                    || stop.is_cancelled() && !RunError::is_declined(error)
            }
        };
        if !may_be_left {
            stats.settle_removal();
        }
        match result {
            Ok(()) => stats.note(&path, &Event::Deleted(file)),
            Err(error) => {
                if report.fail(stats, &path, error) == Verdict::Stop {
                    stop.cancel();
                }
            }
        }
    }
}

/// Removes emptied folders, the deepest first.
async fn remove_folders(
    target: &Location,
    mut folders: Vec<RemotePath>,
    report: &mut RunReport,
    stats: &Stats,
) {
    folders.sort_by_key(|folder| std::cmp::Reverse(folder.depth()));
    // The remote's own root can be emptied, but not removed.
    folders.retain(|folder| !folder.is_root());
    let outcomes = target.remote.remove_folders(&folders).await;
    for (folder, outcome) in folders.iter().zip(outcomes) {
        match outcome.into_result() {
            Ok(()) if *folder == target.path => {
                stats.note(&RemotePath::root(), &Event::RootDeleted(&folder.to_string()));
            }
            Ok(()) => stats.note(&shown(target, folder), &Event::FolderDeleted),
            Err(error) => {
                report.fail(stats, &shown(target, folder), error);
            }
        }
    }
}

/// Returns a path as the user sees it: relative to the run's root.
fn shown(target: &Location, path: &RemotePath) -> RemotePath {
    path.relative_to(&target.path).unwrap_or_else(|| path.clone())
}
