//! Drops from listings what the filters leave out.
//!
//! An entry that is left out isn't listed, compared, transferred or removed, and nothing below it costs a call.

use fichier_filter::{Exclusion, Filter};
use fichier_storage::{Entry, File, Remote, RemoteExt, RemotePath};

/// Filters for a tree on a remote.
#[derive(Clone, Copy)]
pub(crate) struct FilteredListing<'a> {
    pub(crate) filter: &'a Filter,
    pub(crate) remote: &'a dyn Remote,
    /// Folder to which paths are relative.
    pub(crate) root: &'a RemotePath,
}

impl FilteredListing<'_> {
    /// Returns the entries of `folder` that pass the filters.
    pub(crate) async fn sift(&self, folder: &RemotePath, entries: Vec<Entry>) -> Vec<Entry> {
        if self.filter.is_inactive() {
            return entries;
        }
        if self.filter.is_marked(&entries) {
            tracing::debug!(path = %self.shown(folder), "Excluded");
            return Vec::new();
        }
        let mut left = Vec::with_capacity(entries.len());
        for entry in entries {
            if self.takes(&entry).await {
                left.push(entry);
            } else {
                tracing::debug!(path = %self.shown(entry.path()), "Excluded");
            }
        }
        left
    }

    async fn takes(&self, entry: &Entry) -> bool {
        let path = self.shown(entry.path());
        match entry {
            Entry::File(file) => match self.check(&path, file).await {
                Ok(()) => true,
                Err(exclusion) => {
                    tracing::debug!(path = %path, "{exclusion}");
                    false
                }
            },
            Entry::Folder(folder) => self.takes_folder(&folder.path).await,
        }
    }

    async fn check(&self, path: &RemotePath, file: &File) -> Result<(), Exclusion> {
        self.filter.check_file(path, file)?;
        if !self.filter.asks_metadata() {
            return Ok(());
        }
        let metadata = self.remote.metadata(file).await.unwrap_or_else(|error| {
            tracing::error!(path = %path, "its metadata can't be read: {error}");
            Vec::new()
        });
        self.filter.check_metadata(&metadata)
    }

    /// Checks whether the filters take a folder, seen by itself.
    pub(crate) async fn takes_folder(&self, folder: &RemotePath) -> bool {
        self.filter.takes_folder(&self.shown(folder)) && !self.holds_mark(folder).await
    }

    /// Checks whether a folder holds a file that marks it as left out. That takes its listing, which is remembered for
    /// a later visit. A folder that can't be listed is taken: visiting it reports why.
    async fn holds_mark(&self, folder: &RemotePath) -> bool {
        for mark in self.filter.marks() {
            // A mark may lie further below.
            let Ok(place) = RemotePath::parse(mark) else { continue };
            let Some(parent) = place.parent() else { continue };
            let place = folder.join_path(&place);
            let Ok(entries) = self.remote.entries(&folder.join_path(&parent)).await else { continue };
            if entries.iter().filter_map(Entry::as_file).any(|file| file.path == place) {
                return true;
            }
        }
        false
    }

    /// Returns a path relative to the root.
    fn shown(&self, path: &RemotePath) -> RemotePath {
        path.relative_to(self.root).unwrap_or_else(|| path.clone())
    }
}
