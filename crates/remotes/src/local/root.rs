//! What every operation of a local remote needs, and the way to the disk.

use fichier_storage::{Hashing, RemotePath, Result};

use super::{buffer_pool::Reused, confined::error_at, mounts::Mounts, options::LocalOptions, paths::Tree};

/// How many items of a batch are worked on at once.
pub(super) const AT_ONCE: usize = 4;

/// What every operation needs to know.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) tree: Tree,
    /// What was mounted when the remote was opened.
    pub(super) mounts: Mounts,
    pub(super) options: LocalOptions,
    /// What computes the checksums of files that come.
    pub(super) hashing: Hashing,
    /// Buffers of files that go.
    pub(super) buffer_pool: Reused,
}

impl Root {
    /// A path as messages name it: in full where the root is that of the whole file system, else as seen from the root.
    pub(super) fn shown(&self, path: &RemotePath) -> String {
        let root = self.tree.root();
        let above = if root.parent().is_none() { root.display().to_string() } else { String::new() };
        format!("{above}{path}")
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
