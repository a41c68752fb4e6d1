//! Walking a tree: one folder at a time, parents before children, in the order of the names.
//!
//! Memory holds one folder's listing and the folders still to be visited, never the tree.

use std::sync::Arc;

use fichier_filter::Filter;
use futures::{Stream, stream};

use crate::sift::Sieve;

use fichier_storage::{Entry, Location, RemotePath, Result, StorageError};

/// What a walk met in one folder.
#[derive(Debug)]
pub struct FolderListing {
    /// The folder, from the remote's root.
    pub folder: RemotePath,
    /// How deep it lies below the walk's start; 0 is the start itself.
    pub depth: usize,
    /// What it holds, sorted by name.
    pub entries: Vec<Entry>,
}

/// A folder that couldn't be listed. The walk goes on with the next one.
#[derive(Debug, thiserror::Error)]
#[error("{folder:?}: {source}")]
pub struct WalkError {
    /// The folder, from the remote's root.
    pub folder: RemotePath,
    /// Why.
    pub source: StorageError,
}

/// Walks the folder at `start` and what is below, at most `max_depth` folders deep (1: the folder alone;
/// `None`: all). A path that is a file, or isn't there, is the stream's first and only item, an error.
pub fn walk(
    start: &Location,
    max_depth: Option<usize>,
) -> impl Stream<Item = Result<FolderListing, WalkError>> + use<> {
    walk_filtered(start, max_depth, &Arc::default())
}

/// As [`walk`], without what the filter leaves out, as seen from `start`. What it leaves out isn't listed.
pub fn walk_filtered(
    start: &Location,
    max_depth: Option<usize>,
    filter: &Arc<Filter>,
) -> impl Stream<Item = Result<FolderListing, WalkError>> + use<> {
    let (start, filter) = (start.clone(), filter.clone());
    let open = vec![(start.path.clone(), 0_usize)];
    stream::unfold((start, filter, open), move |(start, filter, mut open)| async move {
        let (folder, depth) = open.pop()?;
        let listing = match start.remote.list(&folder).await {
            Ok(entries) => {
                let sieve = Sieve { filter: &filter, remote: &*start.remote, root: &start.path };
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
        Some((listing, (start, filter, open)))
    })
}
