//! A change of names or times that the service isn't told yet.

use std::time::SystemTime;

use fichier_storage::{File, RemotePath};

/// A change that waits for the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// Make a folder.
    MakeFolder(RemotePath),
    /// Remove an empty folder.
    RemoveFolder(RemotePath),
    /// Remove all versions that a name had.
    Remove {
        /// Path of the name.
        path: RemotePath,
        /// The versions, as the service has them.
        files: Vec<File>,
    },
    /// Rename a file.
    Rename {
        /// Path that it had when it was renamed.
        path: RemotePath,
        /// The file, as the service has it.
        file: Vec<File>,
        /// Its new path.
        to: RemotePath,
        /// The versions that the new path had.
        replaces: Vec<File>,
    },
    /// Set the time of a file.
    SetTime {
        /// Path that it had then.
        path: RemotePath,
        /// The file, as the service has it.
        file: Vec<File>,
        /// Its new time.
        time: SystemTime,
    },
}

/// What can go to the service in one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    MakeFolder,
    RemoveFolder,
    Remove,
    Rename,
    SetTime,
}

impl Change {
    /// Returns what it is.
    pub(crate) fn kind(&self) -> ChangeKind {
        match self {
            Self::MakeFolder(_) => ChangeKind::MakeFolder,
            Self::RemoveFolder(_) => ChangeKind::RemoveFolder,
            Self::Remove { .. } => ChangeKind::Remove,
            Self::Rename { .. } => ChangeKind::Rename,
            Self::SetTime { .. } => ChangeKind::SetTime,
        }
    }

    /// Returns the path that it is about.
    pub(crate) fn path(&self) -> &RemotePath {
        match self {
            Self::MakeFolder(path) | Self::RemoveFolder(path) => path,
            Self::Remove { path, .. } | Self::Rename { path, .. } | Self::SetTime { path, .. } => path,
        }
    }

    /// Returns the paths that it touches.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &RemotePath> {
        let to = match self {
            Self::Rename { to, .. } => Some(to),
            _ => None,
        };
        std::iter::once(self.path()).chain(to)
    }

    /// Returns the paths whose names are decided by this change, whatever a listing says.
    pub(crate) fn decided(&self) -> impl Iterator<Item = &RemotePath> {
        let decides = !matches!(self, Self::SetTime { .. });
        self.paths().filter(move |_| decides)
    }

    /// Returns the versions that it acts on.
    pub(crate) fn files(&self) -> &[File] {
        match self {
            Self::Remove { files, .. } => files,
            Self::Rename { file, .. } | Self::SetTime { file, .. } => file,
            Self::MakeFolder(_) | Self::RemoveFolder(_) => &[],
        }
    }

    /// Returns the versions that it acts on, to change them: an earlier change has given them new places.
    pub(crate) fn files_mut(&mut self) -> Option<&mut Vec<File>> {
        match self {
            Self::Remove { files, .. } => Some(files),
            Self::Rename { file, .. } | Self::SetTime { file, .. } => Some(file),
            Self::MakeFolder(_) | Self::RemoveFolder(_) => None,
        }
    }

    /// Gives all paths in it other ones.
    pub(crate) fn move_paths(&mut self, moved: &dyn Fn(&RemotePath) -> RemotePath) {
        let moves = |files: &mut Vec<File>| files.iter_mut().for_each(|file| file.path = moved(&file.path));
        match self {
            Self::MakeFolder(path) | Self::RemoveFolder(path) => *path = moved(path),
            Self::Remove { path, files } => {
                *path = moved(path);
                moves(files);
            }
            Self::Rename { path, file, to, replaces } => {
                (*path, *to) = (moved(path), moved(to));
                moves(file);
                moves(replaces);
            }
            Self::SetTime { path, file, .. } => {
                *path = moved(path);
                moves(file);
            }
        }
    }

    /// Returns what was to be done, for messages.
    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Self::MakeFolder(_) => "make the folder",
            Self::RemoveFolder(_) => "remove the folder",
            Self::Remove { .. } => "remove",
            Self::Rename { .. } => "rename",
            Self::SetTime { .. } => "set the time of",
        }
    }
}
