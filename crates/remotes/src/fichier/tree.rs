//! The account's tree: the [catalogue](super::catalogue) and the calls that fill it.
//!
//! Each folder is listed at most once in a run, its files in the same call; a path takes a listing for each folder on
//! the way that isn't known yet. What earlier runs knew is in [`earlier_runs`](super::earlier_runs).

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
    Blame, Entry, File, FileId, Folder, Freshness, Gap, InvalidName, Name, RemotePath, Result, Retry,
    StorageError, Whirlpool,
};

use super::{
    Dates, FichierOptions,
    account_state::{AccountState, Lengths, OldVersion, SavedState},
    batches::BatchLength,
    catalogue::earlier_runs::EarlierRuns,
    catalogue::{Catalogue, ContentsLost, KnownFile, KnownFolder},
    error::{failed, listing_failed, unconfirmed},
    folder_locks::{FolderGuard, FolderLocks},
    left_out::{Gaps, Unread},
    names::Names,
};

/// The account's tree.
#[derive(Debug)]
pub(super) struct Tree {
    client: Client,
    names: Names,
    /// Number of results from which a listing counts as cut off.
    cap: usize,
    pub(super) dates: Dates,
    catalogue: Mutex<Catalogue>,
    memory: Option<AccountState>,
    /// Characters that the service stores otherwise, whatever is done about it.
    refused_characters: Mutex<BTreeSet<char>>,
    /// Old versions that are to be removed in this run, or should have been in an earlier one, each with the file that
    /// was moved to its place.
    old_versions: Mutex<HashMap<FileLink, Option<FileLink>>>,
    /// Length of lists.
    pub(super) lists: BatchLength,
    /// Number of files in uploads.
    pub(super) uploads: BatchLength,
    pub(super) earlier_runs: Option<EarlierRuns>,
    locks: FolderLocks,
    gaps: Gaps,
}

/// Required freshness of what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// Of this age; [`Freshness::SinceStart`]: knowledge of an earlier run is enough, where it counts.
    Aged(Freshness),
    /// From this run.
    Now,
}

impl Drop for Tree {
    fn drop(&mut self) {
        // The database ends when it gets no more changes.
        self.catalogue().tell(None);
        if let Some(memory) = &self.memory {
            memory.save(self.client.learned(), self.lengths());
        }
    }
}

/// Result of a listing, before it is in the catalogue.
#[derive(Debug, Default)]
struct Listing {
    files: Vec<FileItem>,
    folders: Vec<SubFolder>,
    /// Number of files by the service's own count.
    count: Option<u64>,
    /// Time when it was requested.
    asked: Option<SystemTime>,
    /// Entries that can't be used.
    left_out: Vec<Unread>,
}

impl Listing {
    /// Checks whether there are more files by the service's own count than it listed, readable or not. Files that can't
    /// be read are gaps, so nothing is lost where they count twice.
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

    /// Returns a known file as the storage layer sees it.
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

    /// Returns the number of results from which a listing counts as cut off.
    pub(super) fn cap(&self) -> usize {
        self.cap
    }

    /// Keeps what is learned in this state, which has earlier knowledge.
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

    /// Checks whether a file is an old version that an earlier run, or this one, left to be removed.
    pub(super) fn is_old_version(&self, link: FileLink) -> bool {
        self.old_versions().contains_key(&link)
    }

    /// Returns the file that was, or was to be, moved to the place of an old version.
    pub(super) fn replaced_by(&self, old: FileLink) -> Option<FileLink> {
        *self.old_versions().get(&old)?
    }

    /// Records old versions before something replaces them, each with the file that is moved there: if the program ends
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

    /// Records that old versions are gone, or that nothing replaces them.
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

    /// Returns a character of a stored name that the service is known to store otherwise.
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

    fn lengths(&self) -> Lengths {
        Lengths {
            list: self.lists.known_limit(),
            upload: self.uploads.known_limit(),
            upload_taken: self.uploads.longest_taken(),
        }
    }

    /// Saves what was learned about the account, if there is a place for it.
    pub(super) fn remember(&self) {
        if let Some(memory) = &self.memory {
            memory.note(self.client.learned(), self.lengths());
        }
    }

    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// Locks the catalogue for a short look or change: never held across a call.
    pub(super) fn catalogue(&self) -> MutexGuard<'_, Catalogue> {
        self.catalogue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no other task lists the folder, or makes a folder in it.
    pub(super) async fn lock(&self, folder: FolderId) -> FolderGuard<'_> {
        self.locks.alone(folder).await
    }

    /// Lists the folder, also when it was listed before: to learn what happened to something whose answer was lost.
    /// Waits for the service's limit on listing one folder.
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
            // A folder with gaps is listed again by the next run.
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

    /// Lists a folder once more that the service calls missing. It counts as missing only if its parent doesn't list it
    /// any more: a folder that is taken for missing is taken for empty, and filled beside what it holds.
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

    /// Reads what a listing left out, in windows that go back in time: for a listing at its cap, or one that has fewer
    /// files than its own count.
    ///
    /// Whether `sent_before` includes its own second isn't known, so a window begins a second later than the
    /// oldest file seen, and what was seen already is left out. When a whole window lies in one second, the
    /// next one steps below it. An hour that comes twice or never by French time is asked for from its end on, since
    /// times in it don't show what is older.
    async fn fetch_older(&self, folder: FolderId, path: &RemotePath, listing: &mut Listing) -> Result<()> {
        let mut seen: HashMap<FileLink, usize> =
            listing.files.iter().enumerate().map(|(place, file)| (file.link, place)).collect();
        // Where a listing is cut below the cap, its length is the cap.
        let cap = if listing.lacks_files() { listing.files.len().min(self.cap) } else { self.cap };
        // Number of windows in a row that have shown nothing new.
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
            let before = listing.files.len();
            for file in window {
                match seen.get(&file.link).map(|place| &listing.files[*place].filename) {
                    None => {
                        seen.insert(file.link, listing.files.len());
                        listing.files.push(file);
                    }
                    Some(name) if *name == file.filename => {}
                    Some(name) => {
                        let what = format!("it gives one link to {name:?} and to {:?}", file.filename);
                        let error = self.client.named(ApiError::unusable(Endpoint::FileLs, what));
                        return Err(listing_failed(path, error));
                    }
                }
            }
            let new = listing.files.len() - before;
            tracing::debug!(path = %path, new, full, "read a window of a large folder");
            in_vain = if new == 0 { in_vain + 1 } else { 0 };
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

    /// Removes sub-folders that are the folder itself or one of its parents: a walk would never end.
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
        // Media types repeat: all files of a folder share one text for each.
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

    /// Returns what the listings of a path's folders left out.
    pub(super) fn gaps(&self, path: &RemotePath) -> Vec<Gap> {
        let folders = self.known(path);
        folders.into_iter().flat_map(|folder| self.gaps.of(folder, path, &self.names)).collect()
    }

    /// Returns why nothing may be put at this path of a folder: an entry of that name, or one whose name isn't known,
    /// can't be read, and may be what is to be put there.
    pub(super) fn unread_at(&self, folder: &RemotePath, path: &RemotePath) -> Option<StorageError> {
        let mut gaps = self.gaps(folder).into_iter();
        gaps.find(|gap| gap.path == *folder || gap.path == *path).map(|gap| gap.error)
    }

    /// Returns all folders that a path means, the first to be used for new things. Empty when there is none.
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

    /// Returns the folders of a path as far as they are known, without a call.
    pub(super) fn known(&self, path: &RemotePath) -> Vec<FolderId> {
        let catalogue = self.catalogue();
        path.names().fold(vec![FolderId::ROOT], |here, name| {
            here.into_iter().flat_map(|folder| catalogue.folders_named(folder, &name)).collect()
        })
    }

    /// Does the same as [`Tree::walk`]; a missing folder is an error, and so is a file in its place.
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

    /// Returns the folders of a path, their contents known.
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

    /// Returns the file or folder at a path.
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
        // An entry that can't be read isn't missing.
        folder.ok_or_else(|| self.unread_at(&parent, path).unwrap_or_else(missing))
    }

    /// Calls a function with the catalogue once a folder's contents are known. If they are lost, the folder is listed
    /// again.
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

    /// Returns a folder's contents, sorted by name; of folders that share a path, the union.
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

    /// Returns the folder of a path, made if it doesn't exist, with its parents. It is for something new, so all
    /// folders on the way are listed in this run.
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

    /// Does the same as [`Tree::ensure`], for files that are to be put there. A folder that someone else has made
    /// meanwhile is listed: it may hold some of them already. Returns also whether that happened.
    pub(super) async fn ensure_to_fill(&self, path: &RemotePath) -> Result<(FolderId, bool)> {
        let (id, made) = self.ensure(path).await?;
        if made == FolderOrigin::Meanwhile {
            self.load_anew(id, path).await?;
        }
        Ok((id, made == FolderOrigin::Meanwhile))
    }

    /// Returns a file of this name that a folder is known to hold, the one with this content if there is one.
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
        // If it is lost again at once, the service refuses a name that is taken.
        if is_taken == Ok(true) {
            return Err(StorageError::IsAFile(path.clone()));
        }
        if let Some(error) = self.unread_at(parent_path, path) {
            return Err(error);
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let made = self.client.make_folder(&MakeFolder::new(parent, self.names.encode(name))).await;
            let error = match made {
                // The root, or a folder that is known, wasn't made just now: files sent there would stay there.
                Ok(made) if made.id.is_root() || self.catalogue().folder(made.id).is_some() => {
                    self.refresh(parent, parent_path).await?;
                    let found = self.catalogue().folders_named(parent, name).next();
                    let what = "the service gives no number of its own for it, and it isn't listed";
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
                Err(error) => error,
            };
            // The parent was listed, so that it isn't missing on the word of one answer.
            let in_doubt = error.maybe_done() || error.is_not_found();
            // Someone else made it since the listing, or our own call went through and its answer was lost.
            if in_doubt || matches!(error.kind(), ErrorKind::Refused { .. }) {
                self.refresh(parent, parent_path).await?;
                if let Some(id) = self.catalogue().folders_named(parent, name).next() {
                    return Ok((id, false));
                }
            }
            // It surely isn't there: an error that passes isn't final.
            if tries == MAKE_TRIES || !in_doubt {
                return Err(failed("make directory", path, error));
            }
            tracing::info!(path = %path, "The directory wasn't made ({error}): trying again");
        }
    }
}

impl Tree {
    /// Makes sure that a new folder has the name that was requested. An answer with another one may only be written
    /// otherwise, so the folder is listed; a folder with another name is renamed or removed.
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

/// Returns the characters of a name that were stored otherwise.
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

/// Number of tries to make a folder whose making got no good answer and that doesn't exist.
const MAKE_TRIES: u32 = 3;

/// How [`Tree::ensure`] found the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FolderOrigin {
    /// The folder existed.
    Before,
    /// The folder didn't exist when its parent was listed, and someone else has made it since.
    Meanwhile,
    /// The folder is new.
    Now,
}

/// Returns where a window may begin that is to show files older than the oldest one seen, in the order in which to try.
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

/// Returns the sort key of a listing: by name, files before folders, older before newer, so that the order is the same
/// in every run.
fn order(entry: &Entry) -> (&RemotePath, bool, Option<SystemTime>, Option<&FileId>) {
    match entry {
        Entry::File(file) => (&file.path, false, file.modified, file.id.as_ref()),
        Entry::Folder(folder) => (&folder.path, true, folder.modified, folder.id.as_ref()),
    }
}

/// Returns a listed file as the catalogue knows it.
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
        reported: false,
    })
}
