//! A folder of the combined remote, and the place on another remote that it shows.

use fichier_storage::{Entry, File, Folder, Location, Name, Outcome, RemotePath, StorageError};

/// A folder of the combined remote, and the place that it shows.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// Name of the folder.
    pub(super) name: Name,
    /// Place that it shows.
    pub(super) at: Location,
}

impl Member {
    /// Returns the path of this folder.
    pub(super) fn root(&self) -> RemotePath {
        RemotePath::root().join(&self.name)
    }

    /// Returns the path on the member's remote of a path of the combined one; `None` if another folder holds it.
    pub(super) fn inner(&self, path: &RemotePath) -> Option<RemotePath> {
        path.relative_to(&self.root()).map(|below| self.at.path.join_path(&below))
    }

    /// Returns the path as the combined remote shows it.
    pub(super) fn shown(&self, inner: &RemotePath) -> RemotePath {
        let below = inner.relative_to(&self.at.path).unwrap_or_default();
        self.root().join_path(&below)
    }

    pub(super) fn shown_file(&self, file: File) -> File {
        File { path: self.shown(&file.path), ..file }
    }

    pub(super) fn shown_entry(&self, entry: Entry) -> Entry {
        match entry {
            Entry::File(file) => Entry::File(self.shown_file(file)),
            Entry::Folder(folder) => Entry::Folder(Folder { path: self.shown(&folder.path), ..folder }),
        }
    }

    pub(super) fn shown_error(&self, error: StorageError) -> StorageError {
        error.with_paths(|path| self.shown(path))
    }

    pub(super) fn shown_outcome<T>(&self, outcome: Outcome<T>) -> Outcome<T> {
        match outcome {
            Outcome::Failed(error) => Outcome::Failed(self.shown_error(error)),
            other => other,
        }
    }
}
