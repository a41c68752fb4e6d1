//! `rmdirs`: removes folders that hold nothing, or only such folders.

use std::{collections::BTreeMap, sync::Arc};

use fichier_filter::Filter;
use futures::{StreamExt, pin_mut};
use tokio_util::sync::CancellationToken;

use fichier_storage::{Entry, Location, RemotePath, Result, StorageError};

use crate::{RunReport, Stats, events::Event, events::report::Verdict, walk_filtered};

/// Options for removing empty folders.
#[derive(Debug, Clone)]
pub struct EmptyFolders {
    /// Whether the place itself stays.
    pub leave_root: bool,
    /// Name of the place in messages.
    pub name: String,
    /// Depth in folders to which to look; `None`: no limit.
    pub max_depth: Option<usize>,
    /// Filter for entries that count. Others are ignored.
    pub filter: Arc<Filter>,
}

/// Removes the folders below `target` that hold nothing or only such folders.
///
/// Failures of single items are logged, counted and reported; they don't stop the rest, unless they are fatal.
///
/// # Errors
/// There is nothing at `target`, or it can't be listed.
pub async fn remove_empty_folders(
    target: &Location,
    which: &EmptyFolders,
    stats: &Stats,
    stop: &CancellationToken,
) -> Result<RunReport> {
    let mut report = RunReport::default();
    let below = |path: &RemotePath| path.relative_to(&target.path).unwrap_or_else(|| path.clone());
    // Each folder seen, and whether it may be removed.
    let mut folders = BTreeMap::from([(RemotePath::root(), !which.leave_root)]);
    let tree = walk_filtered(target, which.max_depth, &which.filter);
    pin_mut!(tree);
    let mut first = true;
    while let Some(listing) = tree.next().await {
        if stop.is_cancelled() {
            return Ok(report);
        }
        match listing {
            Ok(listing) => {
                for entry in listing.entries {
                    match entry {
                        Entry::Folder(folder) => {
                            folders.insert(below(&folder.path), true);
                        }
                        Entry::File(file) => keep_all_above(&mut folders, &below(&file.path)),
                    }
                }
            }
            Err(error) if first => {
                return match error.source {
                    StorageError::IsAFile(_) => Ok(report),
                    error => Err(error),
                };
            }
            // Folders below a listing that failed are unknown. Their parents stay, since the remote wouldn't remove a
            // folder that isn't empty.
            Err(error) => {
                if report.fail(stats, &below(&error.folder), error.source) == Verdict::Stop {
                    stop.cancel();
                }
            }
        }
        first = false;
    }
    let mut levels: BTreeMap<usize, Vec<RemotePath>> = BTreeMap::new();
    for (path, may_go) in folders {
        if may_go {
            levels.entry(path.depth()).or_default().push(path);
        }
    }
    for (level, paths) in levels.into_iter().rev() {
        if stop.is_cancelled() {
            break;
        }
        tracing::debug!("removing {} level {level} directories", paths.len());
        let full: Vec<_> = paths.iter().map(|path| target.path.join_path(path)).collect();
        for (path, outcome) in paths.iter().zip(target.remote.remove_folders(&full).await) {
            match outcome.into_result() {
                Ok(()) if path.is_root() => stats.note(path, &Event::RootDeleted(&which.name)),
                Ok(()) => stats.note(path, &Event::FolderDeleted),
                // Files that the filters leave out keep their folder.
                Err(StorageError::FolderNotEmpty(_)) if !which.filter.is_inactive() => {
                    tracing::debug!(path = %path, "left, since it isn't empty");
                }
                Err(error) => {
                    if report.fail(stats, path, error) == Verdict::Stop {
                        stop.cancel();
                    }
                }
            }
        }
    }
    Ok(report)
}

fn keep_all_above(folders: &mut BTreeMap<RemotePath, bool>, file: &RemotePath) {
    let mut above = file.parent();
    while let Some(folder) = above {
        above = folder.parent();
        folders.insert(folder, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RemotePath {
        RemotePath::parse(text).unwrap()
    }

    #[test]
    fn a_file_keeps_all_folders_above_it() {
        let mut folders: BTreeMap<_, _> =
            ["", "a", "a/b", "a/b/c", "a/x"].into_iter().map(|text| (path(text), true)).collect();
        keep_all_above(&mut folders, &path("a/b/file"));
        let going: Vec<_> = folders.iter().filter(|(_, go)| **go).map(|(path, _)| path.to_string()).collect();
        assert_eq!(going, ["a/b/c", "a/x"]);
    }

    #[test]
    fn a_root_that_stays_anyway_does_not_hide_folders_on_the_way() {
        let mut folders = BTreeMap::from([(path(""), false), (path("a"), true), (path("a/b"), true)]);
        keep_all_above(&mut folders, &path("a/b/file"));
        assert!(folders.values().all(|may_go| !may_go));
    }
}
