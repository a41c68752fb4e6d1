//! Work that may wait for the disk.

use crate::{Result, VfsError};

/// Runs something on a thread that may wait for the disk.
pub(crate) async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    // It fails only when the runtime ends, or if the work panics.
    tokio::task::spawn_blocking(work).await.map_err(|_| VfsError::ShutDown)
}
