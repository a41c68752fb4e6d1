//! A folder that a run still has to visit.

use fichier_storage::RemotePath;

use crate::plan::Obstacle;

/// A folder still to be visited.
pub(crate) struct PendingFolder {
    /// Path relative to the source's root.
    pub(crate) path: RemotePath,
    /// Path relative to the destination's root: names may be written in another way there.
    pub(crate) there: RemotePath,
    pub(crate) depth: usize,
    /// Whether the source has the folder.
    pub(crate) source: bool,
    /// Whether the destination has the folder; a new folder needs no listing.
    pub(crate) destination: bool,
    /// What has to stay is in its way at the destination: see [`FolderPair`](plan::FolderPair).
    pub(crate) blocked: Option<(Obstacle, RemotePath)>,
}

impl PendingFolder {
    /// Returns the folder where a run begins.
    pub(crate) fn root() -> Self {
        let root = RemotePath::root();
        Self { path: root.clone(), there: root, depth: 0, source: true, destination: true, blocked: None }
    }
}
