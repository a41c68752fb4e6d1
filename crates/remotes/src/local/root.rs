//! State that every operation of a local remote needs, and access to the disk.

use std::path::PathBuf;

use fichier_storage::{Hashing, RemotePath, Result};

use super::{
    buffer_pool::Reused,
    confined::error_at,
    mounts::{Mounts, Points},
    options::LocalOptions,
    paths::Tree,
};

/// Number of items of a batch that are worked on at once.
pub(super) const AT_ONCE: usize = 4;

/// State that every operation needs.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) tree: Tree,
    /// Mounts of the system when the remote was opened.
    pub(super) mounts: Mounts,
    /// Where parts of file systems were mounted in the tree then.
    pub(super) points: Points,
    pub(super) options: LocalOptions,
    /// Computes the checksums of files that are received.
    pub(super) hashing: Hashing,
    /// Buffers for files that are read.
    pub(super) buffer_pool: Reused,
}

impl Root {
    /// Returns a path as messages name it: in full where the root is that of the whole file system, otherwise relative
    /// to the root.
    pub(super) fn shown(&self, path: &RemotePath) -> String {
        let root = self.tree.root();
        let above = if root.parent().is_none() { root.display().to_string() } else { String::new() };
        format!("{above}{path}")
    }
}

impl Root {
    /// Whether a part of some file system is mounted at a path, maybe a single file.
    pub(super) fn is_mounted(&self, path: &RemotePath) -> bool {
        let below =
            |named: PathBuf| named.strip_prefix(self.tree.root()).is_ok_and(|path| self.points.has(path));
        !self.points.is_empty() && self.tree.named(path).is_ok_and(below)
    }
}

/// Runs a job that waits for the disk, away from the runtime's own threads. When the future is dropped, the
/// job still ends, and what it would have handed over is dropped.
pub(super) async fn at_disk<T: Send + 'static>(
    job: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let failed = |error| error_at("work on", "the local file system", std::io::Error::other(error));
    tokio::task::spawn_blocking(job).await.map_err(failed)?
}
