//! A remote that reads as the real one and changes nothing: `--dry-run` as a wrapper, so that no command can forget it.
//! The run's events say and count what would be done.

use std::{sync::Arc, time::SystemTime};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use fichier_storage::{
    AccountChange, AccountDetails, AccountSettings, AttributeChange, Attributes, Entry, Examination, Examine,
    Extensions, FetchFromWeb, FetchRequest, FetchResult, FetchTask, File, FileAttributes, FileMetadata,
    FolderRelocation, FolderSharing, LinkRequest, ListedAttributes, MergeFolders, Outcome, PlannedCall,
    PublicLinks, Relocation, Remote, RemoteExt as _, RemotePath, Result, Scan, ScanFiles, Sharing,
    SharingChange, WriteBatch, delegate_remote, metadata::Metadata,
};

use super::{fetches_of, sharing_verb};
use crate::{RunError, say_skipped};

/// A remote that makes no change, and answers as if it had.
#[derive(Debug)]
pub struct DryRun {
    inner: Arc<dyn Remote>,
}

impl DryRun {
    /// Wraps a remote.
    #[must_use]
    pub fn new(inner: Arc<dyn Remote>) -> Self {
        Self { inner }
    }
}

fn skipped(path: &RemotePath, action: &str) {
    say_skipped(&path.to_string(), action, None);
}

fn relocate(batch: &[Relocation]) -> Vec<Outcome<File>> {
    let moved = |item: &Relocation| File { path: item.to.clone(), ..item.from.clone() };
    batch.iter().map(|item| Outcome::Done(moved(item))).collect()
}

fn done<T>(batch: &[T]) -> Vec<Outcome<()>> {
    batch.iter().map(|_| Outcome::Done(())).collect()
}

#[async_trait]
impl Remote for DryRun {
    delegate_remote!(inner: info, place, list, find, forget, reader);

    async fn write(&self, batch: WriteBatch) -> Vec<Outcome<File>> {
        batch
            .items
            .iter()
            .map(|item| {
                Outcome::Done(File {
                    path: batch.folder.join(&item.name),
                    size: item.size,
                    modified: item.modified,
                    whirlpool: item.expected,
                    id: None,
                    media_type: None,
                    fingerprint: None,
                    seconds_ahead: 0,
                })
            })
            .collect()
    }

    async fn copy(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        relocate(batch)
    }

    async fn rename(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        relocate(batch)
    }

    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>> {
        done(batch)
    }

    async fn remove_unchanged(&self, batch: &[File]) -> Vec<Outcome<()>> {
        done(batch)
    }

    async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        done(batch)
    }

    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        done(batch)
    }

    async fn rename_folders(&self, batch: &[FolderRelocation]) -> Vec<Outcome<()>> {
        done(batch)
    }

    async fn set_modified(&self, batch: &[(File, SystemTime)]) -> Vec<Outcome<()>> {
        done(batch)
    }

    fn extensions(&self) -> Extensions<'_> {
        let Extensions {
            usage,
            account,
            links,
            merge,
            metadata,
            public_files,
            fetches,
            old_versions,
            attributes,
            sharing,
            settings,
            scans,
            changes,
            examine,
        } = self.inner.extensions();
        Extensions {
            usage,
            account,
            links: links.map(|_| self as &dyn PublicLinks),
            merge: merge.map(|_| self as &dyn MergeFolders),
            metadata: metadata.map(|_| self as &dyn FileMetadata),
            public_files,
            fetches: fetches.map(|_| self as &dyn FetchFromWeb),
            old_versions,
            attributes: attributes.map(|_| self as &dyn FileAttributes),
            sharing: sharing.map(|_| self as &dyn FolderSharing),
            settings: settings.map(|_| self as &dyn AccountSettings),
            scans: scans.map(|_| self as &dyn ScanFiles),
            changes,
            examine: examine.map(|_| self as &dyn Examine),
        }
    }
}

#[async_trait]
impl FileAttributes for DryRun {
    async fn listed_attributes(&self, files: &[File]) -> Vec<Option<ListedAttributes>> {
        match self.inner.file_attributes() {
            Ok(inner) => inner.listed_attributes(files).await,
            Err(_) => vec![None; files.len()],
        }
    }

    async fn attributes(&self, file: &File) -> Result<Attributes> {
        self.inner.file_attributes()?.attributes(file).await
    }

    async fn set_attributes(&self, batch: &[File], _change: &AttributeChange) -> Vec<Outcome<()>> {
        done(batch)
    }
}

#[async_trait]
impl FolderSharing for DryRun {
    async fn sharing(&self, folder: &RemotePath) -> Result<Sharing> {
        self.inner.folder_sharing()?.sharing(folder).await
    }

    async fn share(&self, folder: &RemotePath, change: &SharingChange) -> Result<Option<String>> {
        skipped(folder, sharing_verb(change));
        Ok(None)
    }
}

#[async_trait]
impl AccountSettings for DryRun {
    async fn account_details(&self) -> Result<AccountDetails> {
        self.inner.account_settings()?.account_details().await
    }

    fn known_account(&self) -> Option<AccountDetails> {
        self.inner.extensions().settings?.known_account()
    }

    async fn set_account(&self, _change: &AccountChange) -> Result<()> {
        say_skipped(&self.inner.info().name, "change of the account's settings", None);
        Ok(())
    }
}

/// A scan may remove what it finds infected.
#[async_trait]
impl ScanFiles for DryRun {
    async fn scan(&self, file: &File) -> Result<Scan> {
        skipped(&file.path, "scan");
        Err(RunError::Declined(file.path.clone()).into())
    }
}

#[async_trait]
impl FileMetadata for DryRun {
    async fn metadata(&self, file: &File) -> Result<Metadata> {
        self.inner.metadata(file).await
    }

    async fn folder_metadata(&self, folder: &RemotePath) -> Result<Metadata> {
        self.inner.folder_metadata(folder).await
    }

    async fn set_folder_metadata(&self, _folder: &RemotePath, _metadata: &Metadata) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl PublicLinks for DryRun {
    async fn link(&self, entry: &Entry, _request: LinkRequest) -> Result<String> {
        skipped(entry.path(), "public link");
        Ok(String::new())
    }
}

#[async_trait]
impl FetchFromWeb for DryRun {
    async fn fetch(&self, request: &FetchRequest) -> Result<u64> {
        for address in &request.addresses {
            skipped(&request.folder, &format!("fetch of {address}"));
        }
        Ok(0)
    }

    async fn fetch_tasks(&self) -> Result<Vec<FetchTask>> {
        fetches_of(&*self.inner)?.fetch_tasks().await
    }

    async fn fetch_results(&self, task: u64) -> Result<Vec<FetchResult>> {
        fetches_of(&*self.inner)?.fetch_results(task).await
    }
}

#[async_trait]
impl Examine for DryRun {
    fn planned_calls(&self) -> Vec<PlannedCall> {
        self.inner.extensions().examine.map(Examine::planned_calls).unwrap_or_default()
    }

    async fn examine(&self, _stop: &CancellationToken) -> Result<Examination> {
        skipped(&RemotePath::root(), "examine the service");
        Ok(Examination::default())
    }
}

#[async_trait]
impl MergeFolders for DryRun {
    async fn merge_folders(&self, path: &RemotePath) -> Result<()> {
        skipped(path, "merge directories");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use fichier_storage::{Freshness, RemoteExt, memory::MemoryRemote};

    use super::*;

    #[tokio::test]
    async fn it_answers_as_if_and_changes_nothing() {
        let inner = Arc::new(MemoryRemote::new("memory:"));
        let [kept, hidden, new] = ["kept", "hidden", "new"].map(|path| RemotePath::parse(path).unwrap());
        inner.make_folders(std::slice::from_ref(&kept)).await;
        inner.hide(&hidden, "permission denied");
        let dry = DryRun::new(inner.clone());
        assert!(dry.make_folders(std::slice::from_ref(&new)).await[0].is_done());
        assert!(dry.remove_folders(std::slice::from_ref(&kept)).await[0].is_done());
        dry.rename_folder(&kept, &new).await.unwrap();
        let listing = dry.list(&RemotePath::root(), Freshness::SinceStart).await.unwrap();
        assert_eq!((listing.entries.len(), listing.gaps.len()), (1, 1));
        assert_eq!(inner.entries(&RemotePath::root()).await.unwrap()[0].path(), &kept);
    }
}
