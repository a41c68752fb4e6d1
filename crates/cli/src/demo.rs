//! The built-in remote `demo:`: the emulated service inside this process, with its state on disk.
//!
//! It is spoken to over HTTP as the real service is. Processes that use it at the same time each start their
//! own emulator on the same state.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::Context as _;

use fichier_emulator::{Emulator, Storage};
use fichier_remotes::{
    network::Network,
    registry::{self, Opening},
};
use fichier_storage::Remote;

use crate::directories::Directories;

/// The name of the built-in remote.
pub(crate) const NAME: &str = "demo";

/// The emulated service of this process.
pub(crate) struct Service {
    endpoint: String,
    api_key: String,
}

impl Service {
    /// Starts the emulated service. It runs until the program ends.
    ///
    /// # Errors
    /// It can't be started.
    pub(crate) async fn start(directories: &Directories) -> anyhow::Result<Self> {
        let state = directories
            .data
            .as_ref()
            .context("there is no home directory to keep the demo service's files in")?
            .join("demo");
        let emulator = Emulator::builder()
            .storage(Storage::Directory(state.clone()))
            .start()
            .await
            .with_context(|| format!("can't start the demo service in {}", state.display()))?;
        let service =
            Self { endpoint: emulator.endpoint().to_string(), api_key: emulator.api_key().to_owned() };
        tokio::spawn(async move {
            let _emulator = emulator;
            std::future::pending::<()>().await;
        });
        Ok(service)
    }

    /// Opens the remote on the service. `settings` are the backend's options as the user set them; where the service
    /// is and who one is there isn't theirs to say.
    ///
    /// # Errors
    /// A value doesn't suit its option.
    pub(crate) async fn open(
        &self,
        settings: &BTreeMap<String, String>,
        network: &Network,
    ) -> anyhow::Result<Arc<dyn Remote>> {
        let mut settings = settings.clone();
        // The demo service has no limits, unless somebody wants to see us keep to them.
        for gap in ["call_gap", "list_gap", "folder_gap", "all_files_gap", "account_gap"] {
            settings.entry(gap.to_owned()).or_insert_with(|| "0".to_owned());
        }
        settings.insert("endpoint".to_owned(), self.endpoint.clone());
        settings.insert("api_key".to_owned(), self.api_key.clone());
        let network = Network { memory: None, gates: None, ..network.clone() };
        let opening = Opening { name: NAME, root: Path::new(""), settings: &settings, network: &network };
        Ok(registry::open("fichier", opening).await?)
    }
}
