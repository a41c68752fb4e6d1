//! Lists what a path holds, folder by folder, for the commands that list.

use std::{pin::Pin, sync::Arc};

use fichier_engine::{FolderListing, WalkError};
use fichier_filter::Filter;
use fichier_storage::{Entry, File, Location, RemoteExt, RemotePath, StorageError};
use futures::{Stream, StreamExt as _};

use crate::{error_tally::ErrorTally, filtering};

/// An entry, and its path relative to the one that the user gave.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: RemotePath,
    pub(crate) entry: Entry,
}

impl Seen {
    /// Returns the path as printed.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.path.as_bytes()
    }

    /// Returns the file, if the entry is one.
    pub(crate) fn file(&self) -> Option<&File> {
        self.entry.as_file()
    }
}

type Folders = Pin<Box<dyn Stream<Item = Result<FolderListing, WalkError>>>>;

/// A listing that is going on.
pub(crate) struct Listing {
    location: Location,
    folders: Folders,
    started: bool,
    /// Whether a single file is listed: not with a filter, since the path acts as one itself.
    takes_file: bool,
}

impl Listing {
    /// Lists what is at `location` and passes the filter, at most `max_depth` folders deep. A file is listed
    /// alone, under its name; with a filter it is refused.
    pub(crate) fn new(location: &Location, max_depth: Option<usize>, filter: &Arc<Filter>) -> Self {
        let folders = fichier_engine::walk_filtered(location, max_depth, filter).boxed_local();
        Self { location: location.clone(), folders, started: false, takes_file: filter.is_inactive() }
    }

    /// Returns the next folder's entries, sorted by name; `None` at the end. A folder below that can't be listed is
    /// recorded as an error and left out.
    ///
    /// # Errors
    /// The path itself can't be listed, or is a file although there is a filter.
    pub(crate) async fn next_folder(
        &mut self,
        errors_seen: &mut ErrorTally,
    ) -> anyhow::Result<Option<Vec<Seen>>> {
        while let Some(listing) = self.folders.next().await {
            let first = !std::mem::replace(&mut self.started, true);
            match listing {
                Ok(folder) => {
                    let root = &self.location.path;
                    let seen = |entry: Entry| {
                        let path = entry.path().relative_to(root)?;
                        Some(Seen { path, entry })
                    };
                    return Ok(Some(folder.entries.into_iter().filter_map(seen).collect()));
                }
                Err(WalkError { source: StorageError::IsAFile(_), .. }) if first => {
                    if !self.takes_file {
                        return Err(filtering::single_file(&self.location.path.to_string()).into());
                    }
                    let entry = self.location.remote.entry(&self.location.path).await;
                    let entry = entry.map_err(|error| self.location.named(error))?;
                    let path = alone(&entry);
                    return Ok(Some(vec![Seen { path, entry }]));
                }
                Err(error) if first => return Err(self.location.named(error.source).into()),
                Err(error) => {
                    let path = error.folder.relative_to(&self.location.path).unwrap_or(error.folder);
                    errors_seen.note(&path.to_string(), &error.source);
                }
            }
        }
        Ok(None)
    }

    /// Returns the next folder's files.
    ///
    /// # Errors
    /// The path itself can't be listed.
    pub(crate) async fn next_files(
        &mut self,
        errors_seen: &mut ErrorTally,
    ) -> anyhow::Result<Option<Vec<(RemotePath, File)>>> {
        let Some(seen) = self.next_folder(errors_seen).await? else { return Ok(None) };
        let file = |seen: Seen| match seen.entry {
            Entry::File(file) => Some((seen.path, file)),
            Entry::Folder(_) => None,
        };
        Ok(Some(seen.into_iter().filter_map(file).collect()))
    }
}

/// Returns the path of an entry that is listed alone: its name.
fn alone(entry: &Entry) -> RemotePath {
    entry.name().map_or_else(RemotePath::root, |name| RemotePath::root().join(&name))
}
