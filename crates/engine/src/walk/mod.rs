//! Walks a tree: one folder at a time, parents before children, in the order of the names.
//!
//! Memory holds one folder's listing and the folders still to be visited, never the tree.

pub(crate) mod filtered;
pub(crate) mod pending;

use std::sync::Arc;

use fichier_filter::Filter;
use futures::{Stream, stream};

use crate::walk::filtered::FilteredListing;

use fichier_storage::{Entry, Freshness, Gap, Listing, Location, RemotePath, Result, StorageError};

/// Listing of one folder in a walk.
#[derive(Debug)]
pub struct FolderListing {
    /// Path of the folder, from the remote's root.
    pub folder: RemotePath,
    /// Depth below the walk's start; 0 is the start itself.
    pub depth: usize,
    /// Entries of the folder, sorted by name.
    pub entries: Vec<Entry>,
}

/// A folder that couldn't be listed, or something in one that couldn't be looked at. The walk goes on.
#[derive(Debug, thiserror::Error)]
#[error("{folder:?}: {source}")]
pub struct WalkError {
    /// Path of the folder, from the remote's root.
    pub folder: RemotePath,
    /// Cause of the error.
    pub source: StorageError,
}

/// Walks the folder at `start` and what is below, at most `max_depth` folders deep (1: the folder alone; `None`: no
/// limit). A path that is a file, or isn't there, is the stream's first and only item, an error.
pub fn walk(
    start: &Location,
    max_depth: Option<usize>,
) -> impl Stream<Item = Result<FolderListing, WalkError>> + use<> {
    walk_filtered(start, max_depth, &Arc::default())
}

/// Does the same as [`walk`], without what the filter leaves out, as seen from `start`. What it leaves out isn't
/// listed.
pub fn walk_filtered(
    start: &Location,
    max_depth: Option<usize>,
    filter: &Arc<Filter>,
) -> impl Stream<Item = Result<FolderListing, WalkError>> + use<> {
    let (start, filter) = (start.clone(), filter.clone());
    let open = vec![(start.path.clone(), 0_usize)];
    let gaps = Vec::new();
    stream::unfold((start, filter, open, gaps), move |(start, filter, mut open, mut gaps)| async move {
        if let Some(gap) = gaps.pop() {
            return Some((Err(gap), (start, filter, open, gaps)));
        }
        let (folder, depth) = open.pop()?;
        let listing = match start.remote.list(&folder, Freshness::SinceStart).await {
            Ok(Listing { entries, gaps: met, .. }) => {
                for Gap { path, error } in met.into_iter().rev() {
                    // A file that the service names but doesn't describe would be skipped silently.
                    let networked = start.remote.info().features.networked;
                    let from_start = path.relative_to(&start.path).filter(|_| path != folder);
                    if from_start.is_some_and(|path| !filter.takes_path(&path)) {
                        tracing::debug!(path = %start.remote.info().shown(&path), "Excluded: {error}");
                        continue;
                    }
                    if matches!(error, StorageError::Undecryptable { .. }) {
                        // As with rclone: it belongs to someone else, and this remote couldn't show it.
                        tracing::warn!(path = %start.remote.info().shown(&path), "left out: {error}");
                    } else if networked || matches!(error, StorageError::Unseen { .. }) {
                        gaps.push(WalkError { folder: path, source: error });
                    } else {
                        tracing::error!(path = %start.remote.info().shown(&path), "left out: {error}");
                    }
                }
                let sieve = FilteredListing { filter: &filter, remote: &*start.remote, root: &start.path };
                let entries = sieve.sift(&folder, entries).await;
                if max_depth.is_none_or(|most| depth + 1 < most) {
                    let mut below: Vec<_> = entries
                        .iter()
                        .rev()
                        .filter_map(|entry| Some((entry.as_folder()?.path.clone(), depth + 1)))
                        .collect();
                    // Folders of one name are one path, listed together.
                    below.dedup();
                    open.append(&mut below);
                }
                Ok(FolderListing { folder, depth, entries })
            }
            Err(source) => Err(WalkError { folder, source }),
        };
        Some((listing, (start, filter, open, gaps)))
    })
}
