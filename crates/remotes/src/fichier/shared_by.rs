//! The folders that another account shares with this one, for reading.

use std::{sync::Arc, time::SystemTime};

use async_trait::async_trait;
use fichier_storage::{
    Extensions, Features, File, FolderRelocation, Outcome, Relocation, Remote, RemoteExt as _, RemoteInfo,
    RemotePath, WriteBatch, delegate_remote,
};

use super::FichierRemote;

/// What a refusal says can't be done.
const CHANGE: &str = "change directories that another account shares (they are read only here)";

/// Folders that another account shares with this one.
#[derive(Debug)]
pub(super) struct SharedByRemote {
    inner: Arc<FichierRemote>,
    info: RemoteInfo,
}

impl SharedByRemote {
    /// A remote over one whose client lists the other account's folders.
    pub(super) fn new(inner: FichierRemote) -> Self {
        let mut info = inner.info().clone();
        info.features = Features {
            read_only: true,
            server_side_copy: false,
            server_side_move: false,
            folder_move: false,
            ..info.features
        };
        Self { inner: Arc::new(inner), info }
    }
}

#[async_trait]
impl Remote for SharedByRemote {
    delegate_remote!(inner: place, list, find, forget, reader);

    fn info(&self) -> &RemoteInfo {
        &self.info
    }

    async fn write(&self, batch: WriteBatch) -> Vec<Outcome<File>> {
        self.all_unsupported(&batch.items, CHANGE)
    }

    async fn copy(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        self.all_unsupported(batch, CHANGE)
    }

    async fn rename(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        self.all_unsupported(batch, CHANGE)
    }

    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>> {
        self.all_unsupported(batch, CHANGE)
    }

    async fn remove_unchanged(&self, batch: &[File]) -> Vec<Outcome<()>> {
        self.all_unsupported(batch, CHANGE)
    }

    async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        self.all_unsupported(batch, CHANGE)
    }

    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        self.all_unsupported(batch, CHANGE)
    }

    async fn rename_folders(&self, batch: &[FolderRelocation]) -> Vec<Outcome<()>> {
        self.all_unsupported(batch, CHANGE)
    }

    async fn set_modified(&self, batch: &[(File, SystemTime)]) -> Vec<Outcome<()>> {
        self.all_unsupported(batch, CHANGE)
    }

    /// The account isn't the user's, nothing can be changed, and links may be hidden.
    fn extensions(&self) -> Extensions<'_> {
        Extensions::default()
    }
}
