//! Determines the free and used space of a disk.
//!
//! Through `rustix`, which is safe, small and in the tree already (tempfile brings it); the standard library
//! has no such call. Windows has another one, which needs a crate of its own: not claimed there yet.

use fichier_storage::{Result, Usage};

use super::root::Root;

/// Whether this program can determine it on this system.
pub(super) const KNOWN: bool = cfg!(unix);

#[cfg(unix)]
pub(super) fn about(place: &Root) -> Result<Usage> {
    use fichier_storage::RemotePath;

    use super::{confined::error_at, paths::is_missing};

    let root = place.tree.named(&RemotePath::root())?;
    let mut at = root.as_path();
    loop {
        match rustix::fs::statvfs(at).map_err(std::io::Error::from) {
            Ok(told) => {
                let bytes = |blocks: u64| Some(blocks.saturating_mul(told.f_frsize));
                return Ok(Usage {
                    total: bytes(told.f_blocks),
                    used: bytes(told.f_blocks.saturating_sub(told.f_bfree)),
                    free: bytes(told.f_bavail),
                    files: None,
                });
            }
            // A root that isn't made yet will be where its parent is.
            Err(error) if is_missing(&error) && at.parent().is_some() => {
                at = at.parent().unwrap_or(at);
            }
            Err(error) => return Err(error_at("look at", at, error)),
        }
    }
}

#[cfg(not(unix))]
pub(super) fn about(_place: &Root) -> Result<Usage> {
    Ok(Usage::default())
}
