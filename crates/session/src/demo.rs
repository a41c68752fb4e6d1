//! The built-in remote `demo:`: the emulated service inside this process, with its state on disk.
//!
//! Requests go over HTTP, as to the real service. Processes that use it at the same time each start their own
//! emulator on the same state.

use std::{path::Path, sync::Arc};

use fichier_config::Secret;
use fichier_emulator::{Emulator, Storage};
use fichier_remotes::{
    registry::{self, NoRemotes, OpenError, Opening, Settings},
    resources::{Resources, StateFolders},
};
use fichier_storage::Remote;

use crate::SessionError;

/// Name of the built-in remote.
pub const NAME: &str = "demo";

/// The emulated service of this process.
#[derive(Debug)]
pub(crate) struct Service {
    endpoint: String,
    api_key: Secret,
}

impl Service {
    /// Starts the emulated service. It runs until the program ends.
    ///
    /// # Errors
    /// The service can't be started.
    pub(crate) async fn start(directory: Option<&Path>) -> Result<Self, SessionError> {
        let Some(directory) = directory else {
            let source = "there is no home directory to keep its files in".into();
            return Err(SessionError::Demo { directory: None, source });
        };
        let failed = |source| SessionError::Demo { directory: Some(directory.to_owned()), source };
        let emulator = Emulator::builder()
            .storage(Storage::Directory(directory.to_owned()))
            // Other users of this machine reach its port, too.
            .private()
            .french_dates()
            .start()
            .await
            .map_err(|error| failed(error.into()))?;
        let service = Self { endpoint: emulator.endpoint().to_string(), api_key: emulator.api_key().into() };
        tokio::spawn(async move {
            let _emulator = emulator;
            std::future::pending::<()>().await;
        });
        Ok(service)
    }

    /// Opens the remote on the service. `settings` are the backend's options as the user set them; the service's
    /// address and key aren't among them.
    ///
    /// # Errors
    /// A value doesn't suit its option.
    pub(crate) async fn open(
        &self,
        settings: &Settings,
        resources: &Resources,
    ) -> Result<Arc<dyn Remote>, OpenError> {
        let mut settings = settings.clone();
        // The demo service has no limits, unless the user wants to see this program keep to them.
        for gap in ["call_gap", "list_gap", "folder_gap", "all_files_gap", "account_gap"] {
            if !settings.has(gap) {
                settings.set(gap, "0");
            }
        }
        settings.set("endpoint", self.endpoint.as_str());
        settings.set("api_key", self.api_key.clone());
        let resources = Resources { state: StateFolders::default(), ..resources.clone() };
        let opening = Opening {
            name: NAME,
            root: Path::new(""),
            settings: &settings,
            resources: &resources,
            resolver: &NoRemotes,
        };
        registry::open("fichier", opening).await
    }
}
