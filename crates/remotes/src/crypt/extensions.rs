//! What the inner remote can do beside storing files, with the paths that are shown.

use std::sync::Arc;

use async_trait::async_trait;
use fichier_storage::{
    ChangeWatch, ChangedFolders, Changes, Entry, File, FileMetadata, Folder, LinkRequest, MergeFolders,
    PublicLinks, RemoteExt as _, RemotePath, Result, metadata::Metadata,
};

use super::{paths::Paths, remote::CryptRemote};

#[async_trait]
impl PublicLinks for CryptRemote {
    async fn link(&self, entry: &Entry, request: LinkRequest) -> Result<String> {
        let stored = match entry {
            Entry::File(file) => Entry::File(self.stored_file(file)?),
            Entry::Folder(folder) => {
                Entry::Folder(Folder { path: self.paths.folder(&folder.path)?, ..folder.clone() })
            }
        };
        self.inner.link(&stored, request).await.map_err(|error| self.our_error(error))
    }
}

#[async_trait]
impl MergeFolders for CryptRemote {
    async fn merge_folders(&self, path: &RemotePath) -> Result<()> {
        let merged = self.inner.merge_folders(&self.paths.folder(path)?).await;
        merged.map_err(|error| self.our_error(error))
    }
}

#[async_trait]
impl FileMetadata for CryptRemote {
    async fn metadata(&self, file: &File) -> Result<Metadata> {
        let metadata = self.inner.metadata(&self.stored_file(file)?).await;
        metadata.map_err(|error| self.our_error(error))
    }

    async fn folder_metadata(&self, folder: &RemotePath) -> Result<Metadata> {
        let metadata = self.inner.folder_metadata(&self.paths.folder(folder)?).await;
        metadata.map_err(|error| self.our_error(error))
    }

    async fn set_folder_metadata(&self, folder: &RemotePath, metadata: &Metadata) -> Result<()> {
        let set = self.inner.set_folder_metadata(&self.paths.folder(folder)?, metadata).await;
        set.map_err(|error| self.our_error(error))
    }
}

impl Changes for CryptRemote {
    fn watch(&self) -> Box<dyn ChangeWatch> {
        let inner = self.inner.extensions().changes.map(Changes::watch);
        Box::new(CryptWatch { inner, paths: self.paths.clone() })
    }
}

/// A watch of the inner remote that tells decrypted paths.
#[derive(Debug)]
struct CryptWatch {
    inner: Option<Box<dyn ChangeWatch>>,
    paths: Arc<Paths>,
}

#[async_trait]
impl ChangeWatch for CryptWatch {
    async fn changed(&mut self) -> Result<ChangedFolders> {
        let Some(inner) = &mut self.inner else { return Ok(ChangedFolders::default()) };
        let ChangedFolders { folders, elsewhere } = inner.changed().await?;
        // What isn't encrypted, or lies elsewhere, isn't shown here.
        let folders = folders.iter().filter_map(|folder| self.paths.shown_folder(folder)).collect();
        let mut ours = ChangedFolders::default();
        ours.add(ChangedFolders { folders, elsewhere });
        Ok(ours)
    }
}
