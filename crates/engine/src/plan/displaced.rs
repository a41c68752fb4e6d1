//! What has to make way during a run.

use fichier_storage::{File, RemotePath};

/// What has stepped aside.
#[derive(Debug, Clone)]
pub(crate) struct DisplacedEntry {
    /// Where it was.
    pub(crate) place: RemotePath,
    /// Where it is.
    pub(crate) now: RemotePath,
    /// The versions of a file, as they are now; `None`: a folder.
    pub(crate) files: Option<Vec<File>>,
}
