//! What the members can do beside storing files, with the paths that the combined remote shows.

use std::sync::Arc;

use async_trait::async_trait;
use fichier_storage::{
    AttributeChange, Attributes, ChangeWatch, ChangedFolders, Changes, Entry, File, FileAttributes, FileId,
    FileMetadata, Folder, FolderSharing, LinkRequest, ListedAttributes, MergeFolders, OldVersions, Outcome,
    PublicLinks, Remote, RemoteExt as _, RemotePath, Result, Scan, ScanFiles, Sharing, SharingChange,
    StorageError, Usage, UsageOf, metadata::Metadata,
};
use futures::FutureExt as _;

use super::{member::Member, remote::CombineRemote};

#[async_trait]
impl UsageOf for CombineRemote {
    /// Adds up what the members say, each account or disk once. A number that one of them doesn't say isn't known.
    async fn usage(&self) -> Result<Usage> {
        let mut sum = Usage { total: Some(0), used: Some(0), free: Some(0), files: Some(0) };
        let mut asked: Vec<Arc<dyn Remote>> = Vec::new();
        for member in &self.members {
            let remote = &member.at.remote;
            if asked.iter().any(|other| other.info().place == remote.info().place) {
                continue;
            }
            asked.push(remote.clone());
            let usage = match remote.usage().await {
                Ok(usage) => usage,
                Err(StorageError::Unsupported { .. }) => Usage::default(),
                Err(error) => return Err(member.shown_error(error)),
            };
            let add = |a: Option<u64>, b: Option<u64>| a.zip(b).map(|(a, b)| a.saturating_add(b));
            sum = Usage {
                total: add(sum.total, usage.total),
                used: add(sum.used, usage.used),
                free: add(sum.free, usage.free),
                files: add(sum.files, usage.files),
            };
        }
        Ok(sum)
    }
}

#[async_trait]
impl PublicLinks for CombineRemote {
    async fn link(&self, entry: &Entry, request: LinkRequest) -> Result<String> {
        let (member, inner) = match entry {
            Entry::File(file) => {
                let (member, file) = self.file_of(file)?;
                (member, Entry::File(file))
            }
            Entry::Folder(folder) => {
                let found = self.member_of(&folder.path);
                let Some((member, path)) = found else { return Err(self.unsupported("share its root")) };
                (member, Entry::Folder(Folder { path, ..folder.clone() }))
            }
        };
        member.at.remote.link(&inner, request).await.map_err(|error| member.shown_error(error))
    }
}

#[async_trait]
impl MergeFolders for CombineRemote {
    async fn merge_folders(&self, path: &RemotePath) -> Result<()> {
        let Some((member, inner)) = self.member_of(path) else { return Ok(()) };
        if member.at.remote.extensions().merge.is_none() {
            return Ok(());
        }
        member.at.remote.merge_folders(&inner).await.map_err(|error| member.shown_error(error))
    }
}

#[async_trait]
impl FileMetadata for CombineRemote {
    async fn metadata(&self, file: &File) -> Result<Metadata> {
        let (member, file) = self.file_of(file)?;
        member.at.remote.metadata(&file).await.map_err(|error| member.shown_error(error))
    }

    async fn folder_metadata(&self, folder: &RemotePath) -> Result<Metadata> {
        let Some((member, inner)) = self.member_of(folder) else { return Ok(Metadata::new()) };
        member.at.remote.folder_metadata(&inner).await.map_err(|error| member.shown_error(error))
    }

    async fn set_folder_metadata(&self, folder: &RemotePath, metadata: &Metadata) -> Result<()> {
        let Some((member, inner)) = self.member_of(folder) else { return Ok(()) };
        if member.at.remote.extensions().metadata.is_none() {
            return Ok(());
        }
        let set = member.at.remote.set_folder_metadata(&inner, metadata).await;
        set.map_err(|error| member.shown_error(error))
    }
}

impl OldVersions for CombineRemote {
    fn should_have_gone(&self, file: &File) -> bool {
        let Ok((member, file)) = self.file_of(file) else { return false };
        member.at.remote.extensions().old_versions.is_some_and(|known| known.should_have_gone(&file))
    }

    fn replaced_by(&self, file: &File) -> Option<FileId> {
        let (member, file) = self.file_of(file).ok()?;
        member.at.remote.extensions().old_versions?.replaced_by(&file)
    }
}

#[async_trait]
impl FileAttributes for CombineRemote {
    async fn listed_attributes(&self, files: &[File]) -> Vec<Option<ListedAttributes>> {
        let items = files.iter().map(|file| self.file_of(file)).collect();
        let told = self.each(items, |remote, files: Vec<File>| {
            async move {
                match remote.file_attributes() {
                    Ok(inner) => {
                        inner.listed_attributes(&files).await.into_iter().map(Outcome::Done).collect()
                    }
                    Err(_) => files.iter().map(|_| Outcome::Done(None)).collect(),
                }
            }
            .boxed()
        });
        told.await.into_iter().map(|told| told.into_result().ok().flatten()).collect()
    }

    async fn attributes(&self, file: &File) -> Result<Attributes> {
        let (member, file) = self.file_of(file)?;
        let attributes = member.at.remote.file_attributes()?.attributes(&file).await;
        attributes.map_err(|error| member.shown_error(error))
    }

    async fn set_attributes(&self, batch: &[File], change: &AttributeChange) -> Vec<Outcome<()>> {
        let items = batch.iter().map(|file| self.file_of(file)).collect();
        self.each(items, |remote, files: Vec<File>| {
            let change = change.clone();
            async move {
                match remote.file_attributes() {
                    Ok(inner) => inner.set_attributes(&files, &change).await,
                    Err(_) => remote.all_unsupported(&files, "keep attributes of files"),
                }
            }
            .boxed()
        })
        .await
    }
}

#[async_trait]
impl FolderSharing for CombineRemote {
    async fn sharing(&self, folder: &RemotePath) -> Result<Sharing> {
        let Some((member, inner)) = self.member_of(folder) else { return Ok(Sharing::default()) };
        match member.at.remote.extensions().sharing {
            Some(sharing) => sharing.sharing(&inner).await.map_err(|error| member.shown_error(error)),
            None => Ok(Sharing::default()),
        }
    }

    async fn share(&self, folder: &RemotePath, change: &SharingChange) -> Result<Option<String>> {
        let found = self.member_of(folder);
        let Some((member, inner)) = found else { return Err(self.unsupported("share its root")) };
        let shared = member.at.remote.folder_sharing()?.share(&inner, change).await;
        shared.map_err(|error| member.shown_error(error))
    }
}

#[async_trait]
impl ScanFiles for CombineRemote {
    async fn scan(&self, file: &File) -> Result<Scan> {
        let (member, file) = self.file_of(file)?;
        let scan = member.at.remote.file_scans()?.scan(&file).await;
        scan.map_err(|error| member.shown_error(error))
    }
}

impl Changes for CombineRemote {
    fn watch(&self) -> Box<dyn ChangeWatch> {
        let mut watches: Vec<(Box<dyn ChangeWatch>, Vec<Member>)> = Vec::new();
        for member in &self.members {
            let same = |(_, others): &&mut (_, Vec<Member>)| {
                others.iter().any(|other| Arc::ptr_eq(&other.at.remote, &member.at.remote))
            };
            // One that doesn't watch tells nothing.
            match (watches.iter_mut().find(same), member.at.remote.extensions().changes) {
                (Some((_, members)), _) => members.push(member.clone()),
                (None, Some(changes)) => watches.push((changes.watch(), vec![member.clone()])),
                (None, None) => {}
            }
        }
        Box::new(CombineWatch(watches))
    }
}

/// Watches of the remotes that are combined, each with the folders that show it.
#[derive(Debug)]
struct CombineWatch(Vec<(Box<dyn ChangeWatch>, Vec<Member>)>);

#[async_trait]
impl ChangeWatch for CombineWatch {
    async fn changed(&mut self) -> Result<ChangedFolders> {
        let mut all = ChangedFolders::default();
        for (watch, members) in &mut self.0 {
            let ChangedFolders { folders, elsewhere } = watch.changed().await?;
            let shown = |folder: &RemotePath| {
                let holding = members.iter().filter(|member| folder.is_within(&member.at.path));
                holding.map(|member| member.shown(folder)).collect::<Vec<_>>()
            };
            all.add(ChangedFolders { folders: folders.iter().flat_map(shown).collect(), elsewhere });
        }
        Ok(all)
    }
}
