//! What the inner remote can do beside storing files, with the paths that the encrypted one shows.

use async_trait::async_trait;
use fichier_storage::{
    Entry, File, FileMetadata, Folder, LinkRequest, MergeFolders, PublicLinks, RemoteExt as _, RemotePath,
    Result, metadata::Metadata,
};

use super::remote::CryptRemote;

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
