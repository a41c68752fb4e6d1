//! What the inner remote can do beside storing files, with the paths that the encrypted one shows.

use std::sync::Arc;

use async_trait::async_trait;
use fichier_storage::{
    AttributeChange, Attributes, ChangeWatch, ChangedFolders, Changes, Entry, File, FileAttributes,
    FileMetadata, Folder, FolderSharing, LinkRequest, ListedAttributes, MergeFolders, Outcome, PublicLinks,
    RemoteExt as _, RemotePath, Result, Scan, ScanFiles, Sharing, SharingChange, metadata::Metadata,
};

use super::{paths::Paths, remote::CryptRemote, sorted::Sorted};

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

#[async_trait]
impl FileAttributes for CryptRemote {
    async fn listed_attributes(&self, files: &[File]) -> Vec<Option<ListedAttributes>> {
        let Ok(inner) = self.inner.file_attributes() else { return vec![None; files.len()] };
        // Only what was listed is asked for, and that has a name here; what hasn't is known nowhere.
        let stored = files.iter().map(|file| self.stored_file(file).unwrap_or_else(|_| file.clone()));
        inner.listed_attributes(&stored.collect::<Vec<_>>()).await
    }

    async fn attributes(&self, file: &File) -> Result<Attributes> {
        let attributes = self.inner.file_attributes()?.attributes(&self.stored_file(file)?).await;
        attributes.map_err(|error| self.our_error(error))
    }

    async fn set_attributes(&self, batch: &[File], change: &AttributeChange) -> Vec<Outcome<()>> {
        let Ok(inner) = self.inner.file_attributes() else {
            return self.all_unsupported(batch, "keep attributes of files");
        };
        let mut sorted = Sorted::default();
        for file in batch {
            sorted.add(self.stored_file(file));
        }
        let outcomes = inner.set_attributes(&sorted.good, change).await;
        self.our_outcomes(sorted.join(outcomes))
    }
}

#[async_trait]
impl FolderSharing for CryptRemote {
    async fn sharing(&self, folder: &RemotePath) -> Result<Sharing> {
        let sharing = self.inner.folder_sharing()?.sharing(&self.paths.folder(folder)?).await;
        sharing.map_err(|error| self.our_error(error))
    }

    async fn share(&self, folder: &RemotePath, change: &SharingChange) -> Result<Option<String>> {
        let shared = self.inner.folder_sharing()?.share(&self.paths.folder(folder)?, change).await;
        shared.map_err(|error| self.our_error(error))
    }
}

#[async_trait]
impl ScanFiles for CryptRemote {
    async fn scan(&self, file: &File) -> Result<Scan> {
        let scan = self.inner.file_scans()?.scan(&self.stored_file(file)?).await;
        scan.map_err(|error| self.our_error(error))
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
