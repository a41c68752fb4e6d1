//! Walking a tree: one folder at a time, parents before children, in the order of the names.
//!
//! Memory holds one folder's listing and the folders still to be visited, never the tree.

use futures::{Stream, stream};

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
    let remote = start.remote.clone();
    let open = vec![(start.path.clone(), 0_usize)];
    stream::unfold((remote, open), move |(remote, mut open)| async move {
        let (folder, depth) = open.pop()?;
        let listing = match remote.list(&folder).await {
            Ok(entries) => {
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
        Some((listing, (remote, open)))
    })
}
