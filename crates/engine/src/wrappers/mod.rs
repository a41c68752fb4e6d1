//! Wrappers around a remote: they ask, hold limits, or only say what would be done.

pub(crate) mod brakes;
pub(crate) mod dry_run;
pub(crate) mod interactive;

use fichier_storage::{FetchFromWeb, Remote, RemoteExt as _, Result, SharingChange};

/// Returns the part of a remote that lets the service fetch files, for a wrapper that passes that on.
///
/// # Errors
/// The remote can't do that.
fn fetches_of(remote: &dyn Remote) -> Result<&dyn FetchFromWeb> {
    remote.extensions().fetches.ok_or_else(|| remote.unsupported("fetch files from the web"))
}

/// What a change of how a folder is shared is called, as a verb phrase.
fn sharing_verb(change: &SharingChange) -> &'static str {
    match change {
        SharingChange::Share { .. } => "share directory",
        SharingChange::StopWith(_) | SharingChange::Stop => "stop sharing directory",
    }
}
