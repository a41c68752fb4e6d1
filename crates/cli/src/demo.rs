//! The built-in remote `demo:`: the emulated service inside this process, with its state on disk.

use std::sync::Arc;

use fichier_storage::Remote;

use crate::{exit::Failure, flags::Environment};

/// The name of the built-in remote.
pub(crate) const NAME: &str = "demo";

/// Starts the emulated service and opens the remote on it.
///
/// # Errors
/// The service can't be started.
#[expect(clippy::unused_async, reason = "the service is started on the runtime")]
pub(crate) async fn open(_environment: &Environment) -> Result<Arc<dyn Remote>, Failure> {
    Err(Failure::other("the remote demo: isn't built in yet"))
}
