//! The remote: each path is one of the member whose name it begins with.

use std::{sync::Arc, time::SystemTime};

use async_trait::async_trait;
use fichier_storage::{
    BatchLimit, Entry, Extensions, Features, File, FileReader, Folder, FolderIdentity, FolderRelocation,
    Freshness, Gap, HashKinds, Listing, NameLength, NameRules, Outcome, PlaceId, Relocation, Remote,
    RemoteExt as _, RemoteInfo, RemotePath, Result, StorageError, Times, Whirlpool, WriteBatch, WriteItem,
};
use futures::{FutureExt as _, future::BoxFuture};

use crate::readers::{NoReader, ShownReader};

use super::member::Member;

/// Folders of several remotes, side by side.
#[derive(Debug)]
pub(super) struct CombineRemote {
    /// Sorted by their names.
    pub(super) members: Vec<Member>,
    /// Where each member's folder lies, in their order.
    places: Vec<PlaceId>,
    /// Which folder the root is.
    root: FolderIdentity,
    info: RemoteInfo,
}

impl CombineRemote {
    /// Makes a remote of places on others. `name` is for messages, with its colon.
    ///
    /// # Errors
    /// It can't be said where one of the places is.
    pub(super) async fn new(name: String, mut members: Vec<Member>) -> Result<Self> {
        members.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let mut places = Vec::with_capacity(members.len());
        for member in &members {
            places.push(member.at.place().await?);
        }
        let shown: Vec<_> =
            members.iter().map(|member| format!("{}={}", member.name, member.at.shown())).collect();
        let root = FolderIdentity::new("combine", Whirlpool::of(shown.join("\n").as_bytes()).as_bytes());
        let infos: Vec<_> = members.iter().map(|member| member.at.remote.info()).collect();
        let info = combined(name, PlaceId::root(root.clone()), &infos);
        Ok(Self { members, places, root, info })
    }

    /// Returns the member that holds a path, and the path there; `None` for the root and for what no member holds.
    pub(super) fn member_of(&self, path: &RemotePath) -> Option<(&Member, RemotePath)> {
        self.members.iter().find_map(|member| Some((member, member.inner(path)?)))
    }

    fn folder_of(&self, path: &RemotePath) -> Result<(&Member, RemotePath)> {
        self.member_of(path).ok_or_else(|| StorageError::FolderNotFound(path.clone()))
    }

    pub(super) fn file_of(&self, file: &File) -> Result<(&Member, File)> {
        let none = || StorageError::FileNotFound(file.path.clone());
        let (member, path) = self.member_of(&file.path).ok_or_else(none)?;
        Ok((member, File { path, ..file.clone() }))
    }

    /// Returns the files on their remote, as far as they lie in the one that `member` does.
    fn files_of(&self, member: &Member, files: &[File]) -> Vec<File> {
        let inner = files.iter().filter_map(|file| self.file_of(file).ok());
        let same = inner.filter(|(other, _)| Arc::ptr_eq(&other.at.remote, &member.at.remote));
        same.map(|(_, file)| file).collect()
    }

    /// Where a file or folder shall be: in a member, and not in the place of one.
    fn target(&self, path: &RemotePath) -> Result<(&Member, RemotePath)> {
        let refused = || self.unsupported("hold anything beside the directories that it combines");
        self.member_of(path).filter(|_| path.depth() > 1).ok_or_else(refused)
    }

    /// A relocation on the remote that holds both ends.
    fn relocation(&self, item: &Relocation) -> Result<(&Member, Relocation)> {
        let (from, file) = self.file_of(&item.from)?;
        let (member, to) = self.target(&item.to)?;
        if !Arc::ptr_eq(&from.at.remote, &member.at.remote) {
            return Err(StorageError::AcrossFileSystems(item.from.path.clone()));
        }
        Ok((member, Relocation { from: file, to, replaces: self.files_of(member, &item.replaces) }))
    }

    fn folder_relocation(&self, item: &FolderRelocation) -> Result<(&Member, FolderRelocation)> {
        let (from, inner) = self.folder_of(&item.from)?;
        let (member, to) = self.target(&item.to)?;
        if item.from.depth() == 1 {
            return Err(self.unsupported("rename a directory that it combines"));
        }
        if !Arc::ptr_eq(&from.at.remote, &member.at.remote) {
            return Err(StorageError::AcrossFileSystems(item.from.clone()));
        }
        Ok((member, FolderRelocation { from: inner, to }))
    }

    /// Hands each item of a list to the remote of its member: one list for each remote, in the items' order.
    async fn each<'a, I, T>(
        &'a self,
        items: Vec<Result<(&'a Member, I)>>,
        act: impl Fn(Arc<dyn Remote>, Vec<I>) -> BoxFuture<'static, Vec<Outcome<T>>> + Send,
    ) -> Vec<Outcome<T>> {
        let mut outcomes: Vec<_> = items.iter().map(|_| Outcome::NotTried).collect();
        let mut lists: Vec<(Arc<dyn Remote>, Part<'_, I>)> = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            match item {
                Ok((member, item)) => {
                    let remote = &member.at.remote;
                    match lists.iter_mut().find(|(known, _)| Arc::ptr_eq(known, remote)) {
                        Some((_, list)) => list.push((index, member, item)),
                        None => lists.push((remote.clone(), vec![(index, member, item)])),
                    }
                }
                Err(error) => outcomes[index] = Outcome::Failed(error),
            }
        }
        for (remote, list) in lists {
            let (places, items): (Vec<_>, Vec<_>) =
                list.into_iter().map(|(index, member, item)| ((index, member), item)).unzip();
            for ((index, member), outcome) in places.into_iter().zip(act(remote, items).await) {
                outcomes[index] = member.shown_outcome(outcome);
            }
        }
        outcomes
    }

    async fn relocate(
        &self,
        batch: &[Relocation],
        act: impl Fn(Arc<dyn Remote>, Vec<Relocation>) -> BoxFuture<'static, Vec<Outcome<File>>> + Send,
    ) -> Vec<Outcome<File>> {
        let items = batch.iter().map(|item| self.relocation(item)).collect();
        let outcomes = self.each(items, act).await;
        let at = |(outcome, item): (Outcome<File>, &Relocation)| {
            outcome.map(|file| File { path: item.to.clone(), ..file })
        };
        outcomes.into_iter().zip(batch).map(at).collect()
    }
}

/// The items of a list for one remote, each with its place in the list and its member.
type Part<'a, I> = Vec<(usize, &'a Member, I)>;

/// What several remotes are and can do side by side.
fn combined(name: String, place: PlaceId, infos: &[&RemoteInfo]) -> RemoteInfo {
    let every = |can: fn(&Features) -> bool| infos.iter().all(|info| can(&info.features));
    let any = |can: fn(&Features) -> bool| infos.iter().any(|info| can(&info.features));
    let encodings: Vec<_> = infos.iter().map(|info| info.names.encoding.as_str()).collect();
    let suffix = infos.first().and_then(|info| info.names.link_suffix);
    RemoteInfo {
        name,
        place,
        backend: "combine",
        features: Features {
            // Each member does it for what lies within its remote; what can't be done there is sent.
            server_side_copy: any(|can| can.server_side_copy),
            server_side_move: any(|can| can.server_side_move),
            folder_move: every(|can| can.folder_move),
            duplicates: any(|can| can.duplicates),
            empty_files: every(|can| can.empty_files),
            read_only: every(|can| can.read_only),
            networked: any(|can| can.networked),
            // A file of the root would be no member's.
            public_links: false,
            composite: true,
        },
        // Each kind that all of them give.
        hashes: infos.iter().map(|info| info.hashes).reduce(HashKinds::shared).unwrap_or_default(),
        times: Times {
            precision: infos
                .iter()
                .map(|info| info.times.precision)
                .try_fold(std::time::Duration::ZERO, |coarsest, precision| {
                    precision.map(|precision| precision.max(coarsest))
                }),
            settable: infos.iter().all(|info| info.times.settable),
        },
        names: NameRules {
            encoding: encodings.join(" "),
            longest: infos.iter().filter_map(|info| info.names.longest).min_by_key(|length| match length {
                NameLength::Bytes(length) | NameLength::Characters(length) => *length,
            }),
            case_insensitive: infos.iter().any(|info| info.names.case_insensitive),
            link_suffix: suffix.filter(|_| infos.iter().all(|info| info.names.link_suffix == suffix)),
        },
        batch: BatchLimit {
            files: infos.iter().map(|info| info.batch.files).min().unwrap_or(1),
            bytes: infos.iter().map(|info| info.batch.bytes).min().unwrap_or(0),
        },
        skips_empty_files: infos.iter().any(|info| info.skips_empty_files),
    }
}

#[async_trait]
impl Remote for CombineRemote {
    fn info(&self) -> &RemoteInfo {
        &self.info
    }

    async fn place(&self, folder: &RemotePath) -> Result<PlaceId> {
        let Some((member, inner)) = self.member_of(folder) else { return Ok(self.info.place.join(folder)) };
        let place = member.at.remote.place(&inner).await.map_err(|error| member.shown_error(error))?;
        let shown = self.members.iter().zip(&self.places).find(|(other, _)| other.name == member.name);
        Ok(match shown {
            Some((_, shown)) => place.shown_in(&self.root, &member.name, shown),
            None => place,
        })
    }

    async fn list(&self, folder: &RemotePath, age: Freshness) -> Result<Listing> {
        if folder.is_root() {
            let folders = self.members.iter().map(|member| folder_at(member.root()));
            return Ok(folders.collect::<Vec<_>>().into());
        }
        let (member, inner) = self.folder_of(folder)?;
        let listing = member.at.remote.list(&inner, age).await;
        let Listing { entries, gaps } = listing.map_err(|error| member.shown_error(error))?;
        let gap = |gap: Gap| Gap { path: member.shown(&gap.path), error: member.shown_error(gap.error) };
        Ok(Listing {
            entries: entries.into_iter().map(|entry| member.shown_entry(entry)).collect(),
            gaps: gaps.into_iter().map(gap).collect(),
        })
    }

    async fn find(&self, path: &RemotePath, age: Freshness) -> Result<Entry> {
        if path.is_root() {
            return Ok(folder_at(path.clone()));
        }
        let Some((member, inner)) = self.member_of(path) else {
            return Err(StorageError::FileNotFound(path.clone()));
        };
        if path.depth() == 1 {
            return Ok(folder_at(path.clone()));
        }
        let found = member.at.remote.find(&inner, age).await;
        found.map(|entry| member.shown_entry(entry)).map_err(|error| member.shown_error(error))
    }

    fn forget(&self, folder: &RemotePath) {
        if let Some((member, inner)) = self.member_of(folder) {
            member.at.remote.forget(&inner);
        }
    }

    fn reader(&self, file: &File) -> Arc<dyn FileReader> {
        match self.file_of(file) {
            Ok((member, inner)) => Arc::new(ShownReader {
                inner: member.at.remote.reader(&inner),
                stored: inner.path,
                path: file.path.clone(),
            }),
            Err(_) => Arc::new(NoReader(file.path.clone())),
        }
    }

    async fn write(&self, batch: WriteBatch) -> Vec<Outcome<File>> {
        let Some((member, folder)) = self.member_of(&batch.folder) else {
            return self.all_unsupported(&batch.items, "hold files beside the directories that it combines");
        };
        let paths: Vec<_> = batch.items.iter().map(|item| batch.folder.join(&item.name)).collect();
        let inner = |item: WriteItem| WriteItem { replaces: self.files_of(member, &item.replaces), ..item };
        let items = batch.items.into_iter().map(inner).collect();
        let outcomes = member.at.remote.write(WriteBatch { folder, items }).await;
        let shown = |(outcome, path): (Outcome<File>, RemotePath)| {
            member.shown_outcome(outcome).map(|file| File { path, ..file })
        };
        outcomes.into_iter().zip(paths).map(shown).collect()
    }

    async fn copy(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        self.relocate(batch, |remote, items| async move { remote.copy(&items).await }.boxed()).await
    }

    async fn rename(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        self.relocate(batch, |remote, items| async move { remote.rename(&items).await }.boxed()).await
    }

    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>> {
        let items = batch.iter().map(|file| self.file_of(file)).collect();
        self.each(items, |remote, files| async move { remote.remove(&files).await }.boxed()).await
    }

    async fn remove_unchanged(&self, batch: &[File]) -> Vec<Outcome<()>> {
        let items = batch.iter().map(|file| self.file_of(file)).collect();
        self.each(items, |remote, files| async move { remote.remove_unchanged(&files).await }.boxed()).await
    }

    async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        let refused = || self.unsupported("make directories beside those that it combines");
        let items = batch.iter().map(|folder| self.member_of(folder).ok_or_else(refused));
        let items = items.collect();
        let mut outcomes = self
            .each(items, |remote, folders| async move { remote.make_folders(&folders).await }.boxed())
            .await;
        for (outcome, folder) in outcomes.iter_mut().zip(batch) {
            if folder.is_root() {
                *outcome = Outcome::DoneBefore(());
            }
        }
        outcomes
    }

    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        let item = |folder: &RemotePath| match self.folder_of(folder) {
            Ok((_, inner)) if inner.is_root() => {
                Err(self.unsupported("remove the root of a remote that it combines"))
            }
            Err(_) if folder.is_root() => Err(self.unsupported("remove its root")),
            inner => inner,
        };
        let items = batch.iter().map(item).collect();
        self.each(items, |remote, folders| async move { remote.remove_folders(&folders).await }.boxed()).await
    }

    async fn rename_folders(&self, batch: &[FolderRelocation]) -> Vec<Outcome<()>> {
        let items = batch.iter().map(|item| self.folder_relocation(item)).collect();
        self.each(items, |remote, items| async move { remote.rename_folders(&items).await }.boxed()).await
    }

    async fn set_modified(&self, batch: &[(File, SystemTime)]) -> Vec<Outcome<()>> {
        let item = |(file, time): &(File, SystemTime)| {
            self.file_of(file).map(|(member, file)| (member, (file, *time)))
        };
        let items = batch.iter().map(item).collect();
        self.each(items, |remote, items| async move { remote.set_modified(&items).await }.boxed()).await
    }

    fn extensions(&self) -> Extensions<'_> {
        let have = |can: fn(&Extensions<'_>) -> bool| {
            self.members.iter().any(|member| can(&member.at.remote.extensions()))
        };
        Extensions {
            usage: have(|can| can.usage.is_some()).then_some(self as _),
            // Whose it is has no answer where there are several.
            account: None,
            links: have(|can| can.links.is_some()).then_some(self as _),
            merge: have(|can| can.merge.is_some()).then_some(self as _),
            metadata: have(|can| can.metadata.is_some()).then_some(self as _),
            public_files: None,
            fetches: None,
            old_versions: have(|can| can.old_versions.is_some()).then_some(self as _),
            changes: have(|can| can.changes.is_some()).then_some(self as _),
        }
    }
}

fn folder_at(path: RemotePath) -> Entry {
    Entry::Folder(Folder { path, modified: None, id: None })
}
