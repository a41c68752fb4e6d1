//! The account's tree: the [catalogue](super::catalogue) and the calls that fill it.
//!
//! Each folder is listed at most once in a run, its files in the same call; a path costs a listing for each
//! folder on the way that isn't known yet. What earlier runs knew is in [`earlier_runs`](super::earlier_runs).

mod listing;
pub(super) mod new_folders;
mod paths;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fichier_api::{Client, FileItem, FileLink, FolderId, WireDate};
use fichier_storage::{
    File, FileId, Folder, Freshness, InvalidName, ListedAttributes, RemotePath, Sharing, Whirlpool,
};

use super::{
    Dates, FichierOptions,
    account_state::{AccountState, Lengths, OldVersion, SavedState},
    batches::BatchLength,
    catalogue::earlier_runs::EarlierRuns,
    catalogue::{Catalogue, KnownFile, KnownFolder, Marks},
    findings,
    folder_locks::{FolderGuard, FolderLocks},
    left_out::Gaps,
    names::Names,
    shared_folders::SharedFolders,
};

/// The account's tree.
#[derive(Debug)]
pub(super) struct Tree {
    client: Client,
    names: Names,
    /// With how many results a listing counts as cut off.
    cap: usize,
    pub(super) dates: Dates,
    /// How folders are shared, as listings of this run told it.
    shared: Mutex<SharedFolders>,
    /// Whether one call is known to move a folder and rename it.
    pub(super) moves_and_renames: bool,
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

impl Tree {
    pub(super) fn new(client: Client, names: Names, options: &FichierOptions) -> Self {
        Self {
            client,
            names,
            cap: options.listing_cap.max(1),
            dates: options.dates,
            shared: Mutex::default(),
            moves_and_renames: false,
            catalogue: Mutex::new(Catalogue::new(options.listing_lag)),
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
        self.moves_and_renames = kept.found_out(findings::FOLDER_MOVE) == Some(findings::MOVES);
        if kept.found_out(findings::DATE_ZONE) == Some(findings::UTC) {
            self.dates = Dates::Utc;
        }
        self.lists = BatchLength::new(lengths.list);
        self.uploads = BatchLength::of_uploads(upload_cap, lengths.upload, lengths.upload_taken);
        self.refused_characters().extend(kept.refused_characters());
        self.old_versions().extend(kept.old_versions().filter_map(|noted| {
            let new = noted.new.as_deref().and_then(|new| new.parse().ok());
            Some((noted.old.parse::<FileLink>().ok()?, new))
        }));
        self.memory = memory;
    }

    /// What is kept of the account between runs, if there is a place for it.
    pub(super) fn memory(&self) -> Option<&AccountState> {
        self.memory.as_ref()
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
        reported: false,
        marks: Marks::told(ListedAttributes { password: item.pass, rules: item.acl, cdn: item.cdn }),
    })
}
