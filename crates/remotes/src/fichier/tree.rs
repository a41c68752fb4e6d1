//! The account's tree: the [catalogue](super::catalogue) and the calls that fill it.
//!
//! Each folder is listed at most once in a run, its files in the same call; a path costs a listing for each
//! folder on the way that isn't known yet. What earlier runs knew is in [`earlier_runs`](super::earlier_runs).

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use fichier_api::{
    ApiError, Client, Endpoint, ErrorKind, FileItem, FileLink, FolderId, ListFiles, ListFolder, MakeFolder,
    MoveFolder, SubFolder, WireDate, french_time,
};
use fichier_storage::{
    Blame, Entry, File, FileId, Folder, Freshness, Gap, InvalidName, ListedAttributes, Name, RemotePath,
    Result, Retry, Sharing, StorageError, Whirlpool,
};

use super::{
    Dates, FichierOptions,
    account_state::{AccountState, Lengths, OldVersion, SavedState},
    batches::BatchLength,
    catalogue::earlier_runs::EarlierRuns,
    catalogue::{Catalogue, ContentsLost, KnownFile, KnownFolder, Marks},
    error::{failed, listing_failed, unconfirmed},
    folder_locks::{FolderGuard, FolderLocks},
    left_out::{Gaps, Unread},
    names::Names,
    shared_folders::{SharedFolders, sharing_in},
};

/// The account's tree.
#[derive(Debug)]
pub(super) struct Tree {
    client: Client,
    names: Names,
    /// With how many results a listing counts as cut off.
    cap: usize,
    pub(super) dates: Dates,
    catalogue: Mutex<Catalogue>,
    memory: Option<AccountState>,
    /// Characters that the service stores otherwise, whatever is done about it.
    refused_characters: Mutex<BTreeSet<char>>,
    /// Old versions that are to go in this run, or should have gone in an earlier one, each with the file that was moved
    /// to its place.
    old_versions: Mutex<HashMap<FileLink, Option<FileLink>>>,
    /// How many items a list may have.
    pub(super) lists: BatchLength,
    /// How many files an upload may have.
    pub(super) uploads: BatchLength,
    pub(super) earlier_runs: Option<EarlierRuns>,
    locks: FolderLocks,
    gaps: Gaps,
    /// How folders are shared, as listings of this run told it.
    shared: Mutex<SharedFolders>,
}

/// How fresh what is known has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// Of this age; [`Freshness::SinceStart`]: an earlier run's word will do, where it counts.
    Aged(Freshness),
    /// Of this run.
    Now,
}

impl Drop for Tree {
    fn drop(&mut self) {
        // The database ends when nobody tells it anything more.
        self.catalogue().tell(None);
        if let Some(memory) = &self.memory {
            memory.save(self.client.learned(), self.lengths());
        }
    }
}

/// What a listing brought, before it is in the catalogue.
#[derive(Debug, Default)]
struct Listing {
    files: Vec<FileItem>,
    folders: Vec<SubFolder>,
    /// How many files there are by the service's own count.
    count: Option<u64>,
    /// When it was asked for.
    asked: Option<SystemTime>,
    /// What can't be used of it.
    left_out: Vec<Unread>,
}

impl Listing {
    /// Whether there are more files by the service's own count than it told, readable or not. What can't be read is
    /// a gap, so nothing is lost where it is counted twice.
    fn lacks_files(&self) -> bool {
        let told = self.files.len() + self.left_out.len();
        self.count.is_some_and(|count| count > told as u64)
    }
}

impl Tree {
    pub(super) fn new(client: Client, names: Names, options: &FichierOptions) -> Self {
        Self {
            client,
            names,
            cap: options.listing_cap.max(1),
            dates: options.dates,
            catalogue: Mutex::default(),
            memory: None,
            refused_characters: Mutex::default(),
            old_versions: Mutex::default(),
            lists: BatchLength::new(None),
            uploads: BatchLength::of_uploads(options.upload_batch, None, 0),
            earlier_runs: None,
            locks: FolderLocks::default(),
            gaps: Gaps::default(),
            shared: Mutex::default(),
        }
    }

    /// Uses what earlier runs knew, and keeps what this one learns.
    pub(super) fn use_earlier_runs(&mut self, earlier_runs: Option<EarlierRuns>) {
        if let Some(earlier_runs) = &earlier_runs {
            let mut catalogue = self.catalogue();
            catalogue.tell(Some(earlier_runs.database().journal()));
            catalogue.spill_to(earlier_runs.database().spill_file());
        }
        self.earlier_runs = earlier_runs;
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// A known file as the storage layer sees it.
    pub(super) fn as_file(&self, file: &KnownFile, path: RemotePath) -> File {
        let (size, whirlpool) =
            if file.stands_for_empty { (0, Some(Whirlpool::of(b""))) } else { (file.size, file.whirlpool) };
        let (modified, seconds_ahead) = file.date.map(|date| self.dates.shown(date)).unzip();
        File {
            path,
            size,
            modified,
            whirlpool,
            id: Some(FileId::new(file.link.to_string())),
            media_type: file.media_type.clone(),
            fingerprint: None,
            seconds_ahead: seconds_ahead.unwrap_or_default(),
        }
    }

    fn as_folder(&self, folder: &KnownFolder, path: RemotePath) -> Folder {
        let modified = folder.date.map(|date| self.dates.shown(date).0);
        Folder { path, modified, id: Some(FileId::new(folder.id.to_string())) }
    }

    /// With how many results a listing counts as cut off.
    pub(super) fn cap(&self) -> usize {
        self.cap
    }

    /// Keeps what is learned in this memory, which knows already this.
    pub(super) fn remember_in(&mut self, memory: Option<AccountState>, kept: &SavedState, upload_cap: usize) {
        let lengths = kept.lengths();
        self.lists = BatchLength::new(lengths.list);
        self.uploads = BatchLength::of_uploads(upload_cap, lengths.upload, lengths.upload_taken);
        self.refused_characters().extend(kept.refused_characters());
        self.old_versions().extend(kept.old_versions().filter_map(|noted| {
            let new = noted.new.as_deref().and_then(|new| new.parse().ok());
            Some((noted.old.parse::<FileLink>().ok()?, new))
        }));
        self.memory = memory;
    }

    fn refused_characters(&self) -> MutexGuard<'_, BTreeSet<char>> {
        self.refused_characters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn old_versions(&self) -> MutexGuard<'_, HashMap<FileLink, Option<FileLink>>> {
        self.old_versions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a file is an old version that an earlier run, or this one, didn't come to remove.
    pub(super) fn is_old_version(&self, link: FileLink) -> bool {
        self.old_versions().contains_key(&link)
    }

    /// The file that was, or was to be, moved to the place of an old version.
    pub(super) fn replaced_by(&self, old: FileLink) -> Option<FileLink> {
        *self.old_versions().get(&old)?
    }

    /// Notes old versions before something takes their place, each with the file that is moved there: if the program ends
    /// before it has removed them, a later run does.
    pub(super) fn note_old_versions(&self, versions: &[(FileLink, Option<FileLink>)]) {
        let new: Vec<_> = {
            let mut known = self.old_versions();
            versions.iter().filter(|(old, new)| known.insert(*old, *new).is_none()).collect()
        };
        if let Some(memory) = self.memory.as_ref().filter(|_| !new.is_empty()) {
            memory.note_old_versions(new.into_iter().map(|(old, new)| OldVersion {
                old: old.to_string(),
                new: new.as_ref().map(ToString::to_string),
            }));
        }
    }

    /// Notes that old versions are gone, or that nothing takes their place.
    pub(super) fn forget_old_versions(&self, links: &[FileLink]) {
        if links.is_empty() {
            return;
        }
        let mut known = self.old_versions();
        for link in links {
            known.remove(link);
        }
        if let Some(memory) = &self.memory {
            memory.forget_old_versions(links.iter().map(ToString::to_string));
        }
    }

    /// A character of a stored name that the service is known to store otherwise.
    pub(super) fn refused_character(&self, stored: &str) -> Option<char> {
        let refused = self.refused_characters();
        stored.chars().find(|character| refused.contains(character))
    }

    /// Remembers for this account which characters the service stored otherwise.
    pub(super) fn refuse_characters(&self, asked: &str, stored: &str) {
        let altered = altered(asked, stored);
        self.refused_characters().extend(&altered);
        if let Some(memory) = self.memory.as_ref().filter(|_| !altered.is_empty()) {
            memory.refuse_characters(&altered);
        }
    }

    fn shared(&self) -> MutexGuard<'_, SharedFolders> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How a folder is shared; `None` if no listing of this run told it.
    pub(super) fn sharing(&self, folder: FolderId) -> Option<Sharing> {
        let shared = self.shared();
        shared.get(&folder).map(|sharing| sharing.as_deref().cloned().unwrap_or_default())
    }

    /// Notes how a folder is shared.
    pub(super) fn note_sharing(&self, folder: FolderId, sharing: Sharing) {
        let kept = (sharing != Sharing::default()).then(|| Box::new(sharing));
        self.shared().insert(folder, kept);
    }

    /// Forgets how a folder is shared, since that is about to change.
    pub(super) fn forget_sharing(&self, folder: FolderId) {
        self.shared().remove(&folder);
    }

    fn lengths(&self) -> Lengths {
        Lengths {
            list: self.lists.known_limit(),
            upload: self.uploads.known_limit(),
            upload_taken: self.uploads.longest_taken(),
        }
    }

    /// Keeps what was learned about the account, if there is a place for it.
    pub(super) fn remember(&self) {
        if let Some(memory) = &self.memory {
            memory.note(self.client.learned(), self.lengths());
        }
    }

    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// What is known, for a short look or note: never held across a call.
    pub(super) fn catalogue(&self) -> MutexGuard<'_, Catalogue> {
        self.catalogue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody else lists the folder, or makes a folder in it.
    pub(super) async fn lock(&self, folder: FolderId) -> FolderGuard<'_> {
        self.locks.alone(folder).await
    }

    /// ShrinkingBatches the folder, also when it was listed before: to learn what became of something whose answer was
    /// lost. Waits for the service's limit on listing one folder.
    pub(super) async fn refresh(&self, folder: FolderId, path: &RemotePath) -> Result<()> {
        let mut listing = match self.fetch(folder, path).await {
            Err(StorageError::FolderNotFound(_)) => self.fetch_what_its_parent_lists(folder, path).await,
            listing => listing,
        }
        .inspect_err(|_| self.remember())?;
        self.remember();
        if let Some(earlier_runs) = &self.earlier_runs {
            earlier_runs.place(listing.files.iter().map(|file| file.link));
        }
        let mut left_out = std::mem::take(&mut listing.left_out);
        self.without_loops(folder, &mut listing.folders, &mut left_out);
        let (files, folders) = self.decode(&listing, path, &mut left_out);
        for unread in &left_out {
            let Gap { path, error } = unread.gap(path, &self.names);
            tracing::error!(path = %path, "Left out: {error}");
        }
        {
            let mut catalogue = self.catalogue();
            catalogue.take_listing(folder, files, folders);
            catalogue.note_age(folder, listing.asked.unwrap_or_else(SystemTime::now));
            // What has gaps is listed anew by the next run.
            if left_out.is_empty() {
                catalogue.keep_listing(folder, listing.asked.unwrap_or_else(SystemTime::now));
            }
        }
        self.gaps.set(folder, left_out);
        if let Some(earlier_runs) = &self.earlier_runs {
            earlier_runs.database().let_catch_up().await;
        }
        Ok(())
    }

    /// Lists a folder once more of which the service says that it isn't there. That counts only if its parent doesn't
    /// list it any more: what is taken for missing is taken for empty, and filled beside what it holds.
    async fn fetch_what_its_parent_lists(&self, folder: FolderId, path: &RemotePath) -> Result<Listing> {
        let parent = self.catalogue().parent(folder).filter(|_| !folder.is_root());
        if let (Some(parent), Some(parent_path)) = (parent, path.parent()) {
            let listed = match Box::pin(self.refresh(parent, &parent_path)).await {
                Ok(()) => self.catalogue().sub_folders(parent).any(|child| child.id == folder),
                Err(StorageError::FolderNotFound(_)) => false,
                Err(error) => return Err(error),
            };
            if !listed {
                self.catalogue().note_folder_gone(folder);
                return Err(StorageError::FolderNotFound(path.clone()));
            }
        } else if !folder.is_root() {
            self.catalogue().note_folder_gone(folder);
            return Err(StorageError::FolderNotFound(path.clone()));
        } else if let Some(mail) = self.client.sharing_user() {
            return Err(StorageError::Service {
                action: format!("list what {mail} shares"),
                retry: Retry::Useless,
                blame: Blame::User,
                hint: Some("look whether the mail address is right".to_owned()),
                source: "there is no such account, or it shares nothing with yours".into(),
            });
        }
        match self.fetch(folder, path).await {
            Err(StorageError::FolderNotFound(_)) => Err(StorageError::Service {
                action: format!("list directory {path:?}"),
                retry: Retry::Worthwhile,
                blame: Blame::Service,
                hint: Some("try again in a minute".to_owned()),
                source: "the service says that it isn't there, and that it is".into(),
            }),
            listing => listing,
        }
    }

    async fn fetch(&self, folder: FolderId, path: &RemotePath) -> Result<Listing> {
        let told = |error: ApiError| listing_failed(path, error);
        let answer = self.client.list_folder(&ListFolder::with_files(folder)).await.map_err(told)?;
        self.note_sharing(folder, sharing_in(&answer));
        let Some(folders) = answer.sub_folders else {
            let what = "the answer doesn't tell its directories";
            return Err(told(self.client.named(ApiError::unusable(Endpoint::FolderLs, what))));
        };
        let mut listing = Listing {
            files: answer.items.unwrap_or_default(),
            folders,
            count: answer.file_count,
            asked: answer.asked,
            left_out: answer.left_out.into_iter().map(Unread::from).collect(),
        };
        if listing.files.len() >= self.cap || listing.lacks_files() {
            self.fetch_older(folder, path, &mut listing).await?;
        }
        Ok(listing)
    }

    /// Reads what a listing left out, in windows that go back in time: one at its cap, or one that says of more
    /// files than it tells.
    ///
    /// Whether `sent_before` includes its own second isn't known, so a window begins a second later than the
    /// oldest file seen, and what was seen already is left out. When a whole window lies in one second, the
    /// next one steps below it. An hour that comes twice or never by French time is asked for from its end on, since
    /// times in it don't tell what is older.
    async fn fetch_older(&self, folder: FolderId, path: &RemotePath, listing: &mut Listing) -> Result<()> {
        let mut seen: HashSet<FileLink> = listing.files.iter().map(|file| file.link).collect();
        // Where a listing is cut below the cap, its length is the cap.
        let cap = if listing.lacks_files() { listing.files.len().min(self.cap) } else { self.cap };
        // How many windows in a row have told nothing new.
        let mut in_vain = 0;
        loop {
            let oldest = listing.files.iter().filter_map(|file| file.date.as_ref()?.as_utc()).min();
            let Some(oldest) = oldest else { break };
            let starts = window_starts(oldest);
            let Some(before) = starts.get(in_vain) else { break };
            let ask = ListFiles { sent_before: Some(WireDate::from_utc(*before)), ..ListFiles::of(folder) };
            let window = self.client.list_files(&ask).await.map_err(|error| listing_failed(path, error))?;
            let window_is_cut = window.is_cut();
            listing.left_out.extend(window.left_out.into_iter().map(Unread::from));
            let window = window.items.unwrap_or_default();
            let full = window_is_cut || window.len() >= cap;
            let new: Vec<_> = window.into_iter().filter(|file| seen.insert(file.link)).collect();
            tracing::debug!(path = %path, new = new.len(), full, "read a window of a large folder");
            in_vain = if new.is_empty() { in_vain + 1 } else { 0 };
            listing.files.extend(new);
            if !full {
                break;
            }
        }
        match listing.count {
            Some(total) if listing.lacks_files() => {
                let seen = listing.files.len() as u64;
                Err(StorageError::IncompleteListing { path: path.clone(), seen, total })
            }
            _ => Ok(()),
        }
    }

    /// Takes out sub-folders that are the folder itself or one that it lies in: a walk would never end.
    fn without_loops(&self, folder: FolderId, folders: &mut Vec<SubFolder>, left_out: &mut Vec<Unread>) {
        let mut above = HashSet::from([FolderId::ROOT, folder]);
        {
            let catalogue = self.catalogue();
            let mut next = catalogue.parent(folder);
            while let Some(parent) = next.filter(|parent| above.insert(*parent)) {
                next = catalogue.parent(parent);
            }
        }
        folders.retain(|child| {
            let is_loop = above.contains(&child.id);
            if is_loop {
                left_out.push(Unread::new(&child.name, "the directory would lie in itself"));
            }
            !is_loop
        });
    }

    fn decode(
        &self,
        listing: &Listing,
        path: &RemotePath,
        left_out: &mut Vec<Unread>,
    ) -> (Vec<KnownFile>, Vec<KnownFolder>) {
        // Media types repeat: one text for all files of a folder that have it.
        let mut types: BTreeMap<&str, Arc<str>> = BTreeMap::new();
        let mut files = Vec::with_capacity(listing.files.len());
        for item in &listing.files {
            let media_type = item.content_type.as_deref().filter(|text| !text.is_empty());
            let media_type =
                media_type.map(|text| types.entry(text).or_insert_with(|| Arc::from(text)).clone());
            match known_file(&self.names, item, media_type) {
                Ok(file) => files.push(file),
                Err(error) => left_out.push(Unread::new(&item.filename, error.to_string())),
            }
        }
        let mut folders = Vec::with_capacity(listing.folders.len());
        for child in &listing.folders {
            match self.names.decode_folder(&child.name) {
                Ok(name) => {
                    let date = child.create_date.as_ref().and_then(WireDate::as_utc);
                    folders.push(KnownFolder { id: child.id, name, date });
                }
                Err(error) => left_out.push(Unread::new(&child.name, error.to_string())),
            }
        }
        tracing::trace!(path = %path, files = files.len(), folders = folders.len(), "read a listing");
        (files, folders)
    }

    /// What the listings of a path's folders left out.
    pub(super) fn gaps(&self, path: &RemotePath) -> Vec<Gap> {
        let folders = self.known(path);
        folders.into_iter().flat_map(|folder| self.gaps.of(folder, path, &self.names)).collect()
    }

    /// All folders that a path means, the first to be used for new things. Empty when there is none.
    async fn resolve_aged(&self, path: &RemotePath, age: Freshness) -> Result<Vec<FolderId>> {
        match self.walk(path, Age::Aged(age)).await {
            // A folder that an earlier run knew is gone.
            Err(StorageError::FolderNotFound(_)) if self.has_earlier_runs() => {
                self.walk(path, Age::Now).await
            }
            walked => walked,
        }
    }

    pub(super) async fn walk(&self, path: &RemotePath, sight: Age) -> Result<Vec<FolderId>> {
        let mut here = vec![FolderId::ROOT];
        let mut walked = RemotePath::root();
        for name in path.names() {
            let mut next = Vec::new();
            for folder in here {
                match sight {
                    Age::Aged(age) => self.load_aged(folder, &walked, age).await?,
                    Age::Now => self.load_anew(folder, &walked).await?,
                }
                next.extend(self.catalogue().folders_named(folder, &name));
            }
            if next.is_empty() {
                return Ok(next);
            }
            walked = walked.join(&name);
            here = next;
        }
        Ok(here)
    }

    /// The folders of a path as far as they are known, without a call.
    pub(super) fn known(&self, path: &RemotePath) -> Vec<FolderId> {
        let catalogue = self.catalogue();
        path.names().fold(vec![FolderId::ROOT], |here, name| {
            here.into_iter().flat_map(|folder| catalogue.folders_named(folder, &name)).collect()
        })
    }

    /// As [`Tree::walk`]; a missing folder is an error, and so is a file in its place.
    pub(super) async fn require(&self, path: &RemotePath) -> Result<Vec<FolderId>> {
        self.require_aged(path, Freshness::SinceStart).await
    }

    async fn require_aged(&self, path: &RemotePath, age: Freshness) -> Result<Vec<FolderId>> {
        let folders = self.resolve_aged(path, age).await?;
        if !folders.is_empty() {
            return Ok(folders);
        }
        match self.find(path, age).await {
            Ok(_) => Err(StorageError::IsAFile(path.clone())),
            Err(_) => Err(StorageError::FolderNotFound(path.clone())),
        }
    }

    /// The folders of a path, their contents known.
    pub(super) async fn require_loaded(&self, path: &RemotePath) -> Result<Vec<FolderId>> {
        self.require_loaded_aged(path, Freshness::SinceStart).await
    }

    async fn require_loaded_aged(&self, path: &RemotePath, age: Freshness) -> Result<Vec<FolderId>> {
        let folders = self.require_aged(path, age).await?;
        match self.load_all(&folders, path, age).await {
            Ok(()) => Ok(folders),
            Err(StorageError::FolderNotFound(_)) if self.has_earlier_runs() => {
                self.see(path).await?;
                let folders = self.require(path).await?;
                self.load_all(&folders, path, Freshness::SinceStart).await?;
                Ok(folders)
            }
            Err(error) => Err(error),
        }
    }

    async fn load_all(&self, folders: &[FolderId], path: &RemotePath, age: Freshness) -> Result<()> {
        for folder in folders {
            self.load_aged(*folder, path, age).await?;
        }
        Ok(())
    }

    /// The file or folder at a path.
    pub(super) async fn find(&self, path: &RemotePath, age: Freshness) -> Result<Entry> {
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else {
            return Ok(Entry::Folder(Folder { path: path.clone(), modified: None, id: None }));
        };
        let missing = || StorageError::FileNotFound(path.clone());
        let mut parents = self.resolve_aged(&parent, age).await?;
        if matches!(self.load_all(&parents, &parent, age).await, Err(StorageError::FolderNotFound(_)))
            && self.has_earlier_runs()
        {
            parents = self.see(&parent).await?;
        }
        let mut newest: Option<KnownFile> = None;
        for folder in &parents {
            let here = self.look(*folder, &parent, |catalogue| {
                let newest = catalogue.files_named(*folder, &name)?.max_by_key(|file| (file.date, file.link));
                Ok(newest.cloned())
            });
            let here = here.await?;
            if here.as_ref().map(|file| (file.date, file.link))
                > newest.as_ref().map(|file| (file.date, file.link))
            {
                newest = here;
            }
        }
        if let Some(file) = newest {
            return Ok(Entry::File(self.as_file(&file, path.clone())));
        }
        let catalogue = self.catalogue();
        let id = parents.iter().flat_map(|folder| catalogue.folders_named(*folder, &name)).next();
        let folder = id
            .and_then(|folder| Some(Entry::Folder(self.as_folder(catalogue.folder(folder)?, path.clone()))));
        drop(catalogue);
        // What can't be read isn't missing.
        let unread = || self.gaps(&parent).into_iter().find(|gap| gap.path == *path).map(|gap| gap.error);
        folder.ok_or_else(|| unread().unwrap_or_else(missing))
    }

    /// Looks at what a folder holds, once that is known. Should it be lost, the folder is listed again.
    pub(super) async fn look<T>(
        &self,
        folder: FolderId,
        path: &RemotePath,
        look: impl Fn(&mut Catalogue) -> Result<T, ContentsLost>,
    ) -> Result<T> {
        loop {
            self.load(folder, path).await?;
            if let Ok(seen) = look(&mut self.catalogue()) {
                return Ok(seen);
            }
        }
    }

    /// What a folder holds, sorted by name; of folders that share a path, the union.
    pub(super) async fn list(&self, path: &RemotePath, age: Freshness) -> Result<Vec<Entry>> {
        let folders = self.require_loaded_aged(path, age).await?;
        let mut entries = Vec::new();
        for folder in folders {
            let here = self.look(folder, path, |catalogue| {
                let files = catalogue
                    .files(folder)?
                    .map(|file| Entry::File(self.as_file(file, path.join(&file.name))));
                Ok(files.collect::<Vec<_>>())
            });
            entries.append(&mut here.await?);
            let catalogue = self.catalogue();
            let folders = catalogue.sub_folders(folder);
            entries.extend(folders.map(|child| Entry::Folder(self.as_folder(child, path.join(&child.name)))));
        }
        entries.sort_by(|left, right| order(left).cmp(&order(right)));
        Ok(entries)
    }

    /// The folder of a path, made if it isn't there, with its parents. Something is to be put into it, so all
    /// on the way is looked at in this run.
    pub(super) async fn ensure(&self, path: &RemotePath) -> Result<(FolderId, FolderOrigin)> {
        let mut folder = FolderId::ROOT;
        let mut walked = RemotePath::root();
        let mut made = FolderOrigin::Before;
        // Of several folders with one name the first is taken; its children too.
        let mut names = path.names();
        for name in names.by_ref() {
            let next = {
                self.load_anew(folder, &walked).await?;
                self.catalogue().folders_named(folder, &name).next()
            };
            let here = walked.join(&name);
            folder = match next {
                Some(next) => next,
                None => {
                    let (id, fresh) = self.make(folder, &walked, &name, &here).await?;
                    made = if fresh { FolderOrigin::Now } else { FolderOrigin::Meanwhile };
                    id
                }
            };
            walked = here;
        }
        Ok((folder, made))
    }

    /// As [`Tree::ensure`], for files that are to be put there. A folder that somebody else has made meanwhile is looked
    /// at: it may hold some of them already. Says so.
    pub(super) async fn ensure_to_fill(&self, path: &RemotePath) -> Result<(FolderId, bool)> {
        let (id, made) = self.ensure(path).await?;
        if made == FolderOrigin::Meanwhile {
            self.load_anew(id, path).await?;
        }
        Ok((id, made == FolderOrigin::Meanwhile))
    }

    /// A file of this name that a folder is known to hold, the one with this content if there is one.
    pub(super) fn namesake(
        &self,
        folder: FolderId,
        name: &Name,
        content: Option<Whirlpool>,
    ) -> Option<KnownFile> {
        let mut catalogue = self.catalogue();
        let files: Vec<_> = catalogue.files_named(folder, name).ok()?.cloned().collect();
        let same = files.iter().find(|file| content.is_some() && file.whirlpool == content);
        same.or(files.first()).cloned()
    }

    /// Makes a folder unless another task has made it meanwhile.
    async fn make(
        &self,
        parent: FolderId,
        parent_path: &RemotePath,
        name: &Name,
        path: &RemotePath,
    ) -> Result<(FolderId, bool)> {
        let _alone = self.lock(parent).await;
        if let Some(id) = self.catalogue().folders_named(parent, name).next() {
            return Ok((id, false));
        }
        let taken = |catalogue: &mut Catalogue| {
            Ok::<_, ContentsLost>(catalogue.files_named(parent, name)?.next().is_some())
        };
        let mut is_taken = taken(&mut self.catalogue());
        if is_taken.is_err() {
            self.refresh(parent, parent_path).await?;
            is_taken = taken(&mut self.catalogue());
        }
        // Should it be lost again at once, the service refuses a name that is taken.
        if is_taken == Ok(true) {
            return Err(StorageError::IsAFile(path.clone()));
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let made = self.client.make_folder(&MakeFolder::new(parent, self.names.encode(name))).await;
            let error = match made {
                // The root isn't a folder that is made: what goes there would stay there.
                Ok(made) if made.id.is_root() => {
                    self.refresh(parent, parent_path).await?;
                    let found = self.catalogue().folders_named(parent, name).next();
                    let what = "the service gives no number for it, and it isn't listed";
                    return found
                        .map(|id| (id, false))
                        .ok_or_else(|| unconfirmed(self.client.remote(), "make directory", path, what));
                }
                Ok(made) => {
                    self.check_name(made.id, made.name.as_deref(), (parent, parent_path), name, path).await?;
                    let folder = KnownFolder {
                        id: made.id,
                        name: name.clone(),
                        date: Some(french_time::shown(SystemTime::now())),
                    };
                    self.catalogue().note_new_folder(parent, folder);
                    tracing::debug!(path = %path, id = %made.id, "made directory");
                    return Ok((made.id, true));
                }
                Err(error) if error.is_not_found() => {
                    return Err(StorageError::FolderNotFound(parent_path.clone()));
                }
                Err(error) => error,
            };
            // Someone else made it since the listing, or our own call went through and its answer was lost.
            if error.maybe_done() || matches!(error.kind(), ErrorKind::Refused { .. }) {
                self.refresh(parent, parent_path).await?;
                if let Some(id) = self.catalogue().folders_named(parent, name).next() {
                    return Ok((id, false));
                }
            }
            // It surely isn't there: a passing fault isn't final.
            if tries == MAKE_TRIES || !error.maybe_done() {
                return Err(failed("make directory", path, error));
            }
            tracing::info!(path = %path, "The directory wasn't made ({error}): trying again");
        }
    }
}

impl Tree {
    /// Sees to it that a new folder bears the name that was asked for. An answer that tells another one may be written
    /// otherwise only, so the folder is looked at; what bears another name gets its own or goes.
    async fn check_name(
        &self,
        id: FolderId,
        told: Option<&str>,
        (parent, parent_path): (FolderId, &RemotePath),
        name: &Name,
        path: &RemotePath,
    ) -> Result<()> {
        let stored = self.names.encode(name);
        let Some(told) = told.filter(|told| *told != stored) else { return Ok(()) };
        self.refresh(parent, parent_path).await?;
        if self.catalogue().folders_named(parent, name).any(|folder| folder == id) {
            return Ok(());
        }
        let rename =
            MoveFolder { folder: id, to: parent, destination_user: None, rename: Some(stored.clone()) };
        let error = match self.client.move_folder(&rename).await {
            Ok(moved) if moved.new_name.as_deref().is_none_or(|new| new == stored) => return Ok(()),
            Ok(moved) => unconfirmed(
                self.client.remote(),
                "make directory",
                path,
                format!("the service calls it {:?}", moved.new_name.unwrap_or_default()),
            ),
            Err(error) => failed("make directory", path, error),
        };
        self.refuse_characters(&stored, told);
        match self.client.remove_folder(id).await {
            Ok(_) => self.catalogue().note_folder_gone(id),
            Err(removal) => tracing::error!("A directory of a wrong name stays, {told:?}: {removal}"),
        }
        Err(error)
    }
}

/// The characters of a name that were stored otherwise.
fn altered(asked: &str, stored: &str) -> Vec<char> {
    let same_length = asked.chars().count() == stored.chars().count();
    let mut altered: Vec<char> = match same_length {
        true => asked
            .chars()
            .zip(stored.chars())
            .filter(|(asked, got)| asked != got)
            .map(|(asked, _)| asked)
            .collect(),
        false => asked.chars().filter(|asked| !stored.contains(*asked)).collect(),
    };
    altered.sort_unstable();
    altered.dedup();
    altered
}

/// How often a folder is made whose making got no good answer and that isn't there.
const MAKE_TRIES: u32 = 3;

/// Whether [`Tree::ensure`] had to make the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FolderOrigin {
    /// It was there.
    Before,
    /// It wasn't there when its parent was looked at, and somebody else has made it since.
    Meanwhile,
    /// It is new.
    Now,
}

/// Where a window may begin that is to tell what is older than the oldest file seen, in the order in which to try.
fn window_starts(oldest: SystemTime) -> Vec<SystemTime> {
    let next = oldest + Duration::from_secs(1);
    match (french_time::end_of_odd_hour(oldest), french_time::end_of_odd_hour(next)) {
        // Perhaps only the second of the two hours was seen, and the first is still to come.
        (Some(end), _) => vec![end, next, oldest],
        // A time that never comes in March, and may be refused.
        (None, Some(end)) => vec![end, oldest],
        (None, None) => vec![next, oldest],
    }
}

/// The order of a listing: by name, files before folders, older before newer, so that it is the same in
/// every run.
fn order(entry: &Entry) -> (&RemotePath, bool, Option<SystemTime>, Option<&FileId>) {
    match entry {
        Entry::File(file) => (&file.path, false, file.modified, file.id.as_ref()),
        Entry::Folder(folder) => (&folder.path, true, folder.modified, folder.id.as_ref()),
    }
}

/// A listed file as the catalogue knows it.
pub(super) fn known_file(
    names: &Names,
    item: &FileItem,
    media_type: Option<Arc<str>>,
) -> Result<KnownFile, InvalidName> {
    let decoded = names.decode_file(&item.filename, item.size)?;
    Ok(KnownFile {
        link: item.link,
        name: decoded.name,
        size: item.size,
        whirlpool: item.checksum,
        date: item.date.as_ref().and_then(WireDate::as_utc),
        media_type,
        stands_for_empty: decoded.stands_for_empty,
        marks: Marks::told(ListedAttributes { password: item.pass, rules: item.acl, cdn: item.cdn }),
    })
}
