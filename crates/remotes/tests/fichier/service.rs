//! An emulated service and remotes on it.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;

use fichier_emulator::{Builder, Control, Emulator, Tree};
use fichier_remotes::{
    fichier::{FichierOptions, FichierRemote},
    registry::{NoRemotes, Opening, Settings, open},
    resources::{Resources, StateFolders},
};
use fichier_storage::{
    Content, Entry, File, MemoryContent, Name, Remote, RemoteExt, RemotePath, WriteBatch, WriteItem,
};

/// An emulated service with one account.
pub(crate) struct Service {
    emulator: Emulator,
}

impl Service {
    /// Starts a service without limits, in memory.
    pub(crate) async fn start() -> Self {
        Self::start_with(|builder| builder).await
    }

    /// Starts a service set up by `change`.
    pub(crate) async fn start_with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let mut builder = Emulator::builder();
        // This lets all tests run with either reading of a call.
        if let Ok(way) = std::env::var("FICHIER_TEST_FOLDER_RENAME") {
            builder = builder.folder_rename(way.parse().unwrap());
        }
        Self { emulator: change(builder).start().await.unwrap() }
    }

    /// Returns the service's controls.
    pub(crate) fn control(&self) -> Control {
        self.emulator.control()
    }

    /// Returns what the account holds, its paths without a slash in front.
    pub(crate) fn tree(&self) -> Tree {
        let mut tree = self.control().tree().unwrap();
        let bare = |path: &mut String| *path = path.trim_start_matches('/').to_owned();
        tree.files.iter_mut().for_each(|file| bare(&mut file.path));
        tree.folders.iter_mut().for_each(|folder| bare(&mut folder.path));
        tree
    }

    /// Makes a remote that knows nothing yet.
    pub(crate) fn remote(&self) -> Arc<dyn Remote> {
        self.remote_with(&[])
    }

    /// Makes a remote with options.
    pub(crate) fn remote_with(&self, options: &[(&str, &str)]) -> Arc<dyn Remote> {
        self.open(options, &Resources::default())
    }

    /// Makes a remote that keeps what it learns in a directory.
    pub(crate) fn remote_remembering(&self, options: &[(&str, &str)], memory: &Path) -> Arc<dyn Remote> {
        self.open(
            options,
            &Resources {
                state: StateFolders { accounts: Some(memory.to_owned()), running: None },
                ..Resources::default()
            },
        )
    }

    /// Makes the resources of a user's remotes whose catalogue is kept in a directory.
    pub(crate) fn kept_in(memory: &Path) -> Resources {
        Resources {
            state: StateFolders { accounts: Some(memory.to_owned()), running: None },
            ..Resources::default()
        }
    }

    /// Makes a remote with the resources of a run.
    pub(crate) fn remote_on(&self, resources: &Resources, options: &[(&str, &str)]) -> Arc<dyn Remote> {
        self.open(options, resources)
    }

    /// Returns the endpoint and the key, for wire clients.
    pub(crate) fn access(&self) -> (fichier_api::Url, String) {
        (self.emulator.endpoint(), self.emulator.api_key().to_owned())
    }

    /// Makes a remote that takes `cap` results for a listing that was cut off.
    pub(crate) fn remote_capped(&self, cap: usize) -> Arc<dyn Remote> {
        self.remote_of(FichierOptions { listing_cap: cap, ..FichierOptions::default() })
    }

    /// A remote whose own changes stand for so long against listings.
    pub(crate) fn remote_lagging(&self, lag: Duration) -> Arc<dyn Remote> {
        self.remote_of(FichierOptions { listing_lag: lag, ..FichierOptions::default() })
    }

    fn remote_of(&self, options: FichierOptions) -> Arc<dyn Remote> {
        let client = fichier_api::Client::builder(fichier_api::ApiKey::new(self.emulator.api_key()))
            .endpoint(self.emulator.endpoint())
            .pacing(fichier_api::Pacing::off())
            .build()
            .unwrap();
        let account = fichier_storage::FolderIdentity::new("test", b"");
        Arc::new(FichierRemote::new(client, "test:", account, options))
    }

    fn open(&self, options: &[(&str, &str)], resources: &Resources) -> Arc<dyn Remote> {
        let endpoint = self.emulator.endpoint();
        let usual = [
            ("endpoint", endpoint.as_str()),
            ("api_key", self.emulator.api_key()),
            ("call_gap", "0"),
            ("folder_gap", "0"),
        ];
        let settings = Settings::from_iter(usual.iter().chain(options).copied());
        let opening = Opening {
            name: "test",
            root: Path::new(""),
            settings: &settings,
            resources,
            resolver: &NoRemotes,
        };
        let runtime = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| runtime.block_on(open("fichier", opening))).unwrap()
    }
}

/// Makes a path.
pub(crate) fn path(text: &str) -> RemotePath {
    RemotePath::parse(text).unwrap()
}

/// Makes a file to be written.
pub(crate) fn item(name: &[u8], bytes: &[u8]) -> WriteItem {
    let content: Arc<dyn Content> = Arc::new(MemoryContent(Bytes::copy_from_slice(bytes)));
    WriteItem {
        name: Name::new(name).unwrap(),
        size: bytes.len() as u64,
        modified: None,
        expected: None,
        content,
        replaces: Vec::new(),
        metadata: Vec::new(),
    }
}

/// Makes files to be written to a folder.
pub(crate) fn batch(folder: &str, files: &[(&str, &[u8])]) -> WriteBatch {
    let items = files.iter().map(|(name, bytes)| item(name.as_bytes(), bytes)).collect();
    WriteBatch { folder: path(folder), items }
}

/// Returns the files of a listing.
pub(crate) async fn files(remote: &Arc<dyn Remote>, folder: &str) -> Vec<File> {
    let entries = remote.entries(&path(folder)).await.unwrap();
    entries
        .into_iter()
        .filter_map(|entry| if let Entry::File(file) = entry { Some(file) } else { None })
        .collect()
}
