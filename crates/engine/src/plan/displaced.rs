//! Entries of the destination that are renamed to make room during a run.

use fichier_storage::{File, RemotePath};

/// An entry of the destination that was renamed to make room.
#[derive(Debug, Clone)]
pub(crate) struct DisplacedEntry {
    /// Path where it was.
    pub(crate) place: RemotePath,
    /// Path where it is now.
    pub(crate) now: RemotePath,
    /// Versions of a file, as they are now; `None`: a folder.
    pub(crate) files: Option<Vec<File>>,
}
