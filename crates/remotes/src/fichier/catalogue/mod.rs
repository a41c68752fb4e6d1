//! The known part of the account's tree: each folder is listed once, and our own changes are recorded.
//!
//! No call is made here. A folder's contents are known after it was listed, because we made it, or
//! because an earlier run left word of it. What we did ourselves (uploads, moves, removals) is noted at once and
//! outlives a listing that is older than it, or may lag behind it; a later one counts. All of it is told to the journal, where there
//! is one. The files of folders that weren't used lately lie on the [spill](spill), so that memory grows with
//! the number of folders only. Should the spill be unreadable, a folder is [`ContentsLost`] and has to be listed again.

mod changes;
mod contents;
pub(in crate::fichier) mod database;
pub(in crate::fichier) mod earlier_runs;
pub(in crate::fichier) mod mode;
mod spill;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::{Duration, SystemTime},
};

use fichier_api::{FileLink, FolderId};
use fichier_storage::{ChangedFolders, ListedAttributes, Name, RemotePath, Whirlpool};

use database::{Change, Journal};
use spill::SpillFile;

use changes::ChangeLog;
use contents::{Contents, Files, ListingTime};

/// Number of files that are held in memory, besides those of the folder used last: some 1.5 MB.
const FILES_AT_HAND: usize = 4096;

/// A file in the catalogue. Hundreds of thousands are held at a time, so it is small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::fichier) struct KnownFile {
    pub(in crate::fichier) link: FileLink,
    /// Name, decoded.
    pub(in crate::fichier) name: Name,
    /// Size in bytes as stored: 1 for the stand-in of an empty file.
    pub(in crate::fichier) size: u64,
    pub(in crate::fichier) whirlpool: Option<Whirlpool>,
    pub(in crate::fichier) date: Option<SystemTime>,
    pub(in crate::fichier) media_type: Option<Arc<str>>,
    /// Whether it is the stand-in for an empty file.
    pub(in crate::fichier) stands_for_empty: bool,
    pub(in crate::fichier) marks: Marks,
    /// Whether the link is known from the answer to an upload or a copy alone, so that it may be another file's.
    pub(in crate::fichier) reported: bool,
}

/// What listings tell of a file's attributes, if one has told it: bits, since hundreds of thousands are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::fichier) struct Marks(u8);

impl Marks {
    const TOLD: u8 = 1;
    const PASSWORD: u8 = 2;
    const RULES: u8 = 4;
    const CDN: u8 = 8;

    pub(in crate::fichier) fn told(listed: ListedAttributes) -> Self {
        let bit = |is_set, bit| if is_set { bit } else { 0 };
        Self(
            Self::TOLD
                | bit(listed.password, Self::PASSWORD)
                | bit(listed.rules, Self::RULES)
                | bit(listed.cdn, Self::CDN),
        )
    }

    /// What a listing told; `None` if none has.
    pub(in crate::fichier) fn listed(self) -> Option<ListedAttributes> {
        let has = |bit| self.0 & bit != 0;
        has(Self::TOLD).then_some(ListedAttributes {
            password: has(Self::PASSWORD),
            rules: has(Self::RULES),
            cdn: has(Self::CDN),
        })
    }

    /// As it is kept.
    fn byte(self) -> u8 {
        self.0
    }

    fn of_byte(byte: u8) -> Self {
        Self(byte)
    }
}

/// A sub-folder as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::fichier) struct KnownFolder {
    pub(in crate::fichier) id: FolderId,
    /// Name, decoded.
    pub(in crate::fichier) name: Name,
    pub(in crate::fichier) date: Option<SystemTime>,
}

/// The known part of the account's tree.
#[derive(Debug, Default)]
pub(in crate::fichier) struct Catalogue {
    folders: HashMap<FolderId, Contents>,
    spill: SpillFile,
    /// Folders whose files are in memory, those used last at the end.
    at_hand: BTreeMap<u64, FolderId>,
    /// Number of files of these folders.
    files_at_hand: usize,
    /// Number of uses of folders so far.
    uses: u64,
    /// Parent and description of every folder that was seen.
    known: HashMap<FolderId, (FolderId, KnownFolder)>,
    /// Journal that receives all changes.
    journal: Option<Journal>,
    /// How long after a change of ours a listing may not show it yet.
    lag: Duration,
    changes: ChangeLog,
    looked_at: LookedAt,
}

/// Counts what was looked at, so that a test can distinguish finding from searching.
#[derive(Debug, Default)]
struct LookedAt {
    #[cfg(test)]
    count: std::cell::Cell<usize>,
}

impl LookedAt {
    fn one<T>(&self, thing: T) -> T {
        #[cfg(test)]
        self.count.set(self.count.get() + 1);
        thing
    }
}

/// The files of a folder can't be read any more: it has to be listed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fichier) struct ContentsLost(pub(in crate::fichier) FolderId);

impl Catalogue {
    /// Makes one that knows nothing, where a listing may not show for so long what we did.
    pub(in crate::fichier) fn new(lag: Duration) -> Self {
        Self { lag, ..Self::default() }
    }

    /// Tells from now on what becomes known; `None`: tells nobody.
    pub(in crate::fichier) fn tell(&mut self, journal: Option<Journal>) {
        self.journal = journal;
    }

    /// Moves what isn't in use to this spill file.
    pub(in crate::fichier) fn spill_to(&mut self, spill: SpillFile) {
        self.spill = spill;
    }

    /// Makes sure that the folder's files are in memory. One that is lost stays so until it is listed again.
    fn take_up(&mut self, folder: FolderId) -> Result<(), ContentsLost> {
        let Some(contents) = self.folders.get_mut(&folder) else { return Ok(()) };
        if contents.used.is_none()
            && let Some(place) = contents.place
        {
            match self.spill.get(place) {
                Ok(files) => contents.files = files.into_iter().collect(),
                Err(error) => {
                    tracing::error!(%folder, "What was listed is lost, since the temporary file can't be read: {error}");
                    contents.place = None;
                    contents.complete = false;
                    contents.seen = false;
                    contents.was_complete = false;
                    contents.lost = true;
                }
            }
        }
        let lost = contents.lost;
        self.used(folder);
        if lost { Err(ContentsLost(folder)) } else { Ok(()) }
    }

    /// Marks the folder as used last, and moves others to the spill file for it.
    fn used(&mut self, folder: FolderId) {
        self.uses += 1;
        let Some(contents) = self.folders.get_mut(&folder) else { return };
        if let Some((before, files)) = contents.used.replace((self.uses, contents.files.len())) {
            self.at_hand.remove(&before);
            self.files_at_hand -= files;
        }
        self.at_hand.insert(self.uses, folder);
        self.files_at_hand += contents.files.len();
        while self.files_at_hand > FILES_AT_HAND && self.at_hand.len() > 1 {
            if !self.lay_down_oldest() {
                break;
            }
        }
    }

    fn lay_down_oldest(&mut self) -> bool {
        if self.spill.is_unreadable() {
            return false;
        }
        let Some((_, oldest)) = self.at_hand.first_key_value() else { return false };
        let Some(contents) = self.folders.get_mut(oldest) else { return false };
        if contents.place.is_none() {
            contents.place = self.spill.put(contents.files.iter());
        }
        if contents.place.is_none() {
            return false;
        }
        contents.files = Files::default();
        if let Some((use_, files)) = contents.used.take() {
            self.files_at_hand -= files;
            self.at_hand.remove(&use_);
        }
        if self.spill.may_be_wasteful() {
            let places = self.folders.values_mut().filter_map(|contents| contents.place.as_mut());
            self.spill.compact(places.collect());
        }
        true
    }

    /// Forgets where the files of a folder are, when it is removed.
    fn let_go(&mut self, folder: FolderId) {
        if let Some((use_, files)) = self.folders.remove(&folder).and_then(|contents| contents.used) {
            self.at_hand.remove(&use_);
            self.files_at_hand -= files;
        }
    }

    /// Returns the folder's contents in memory, to be changed; [`Catalogue::used`] has to be called afterwards.
    fn changeable(&mut self, folder: FolderId) -> &mut Contents {
        // Changes to a lost folder are kept for the listing to come, as with one that was never listed.
        let _ = self.take_up(folder);
        let contents = self.folders.entry(folder).or_default();
        contents.place = None;
        contents
    }

    fn note(&self, change: impl FnOnce() -> Change) {
        if let Some(journal) = &self.journal {
            journal.note(change());
        }
    }

    /// Checks whether the folder's contents are completely known. The files are read from the spill only when they are
    /// asked for, so they may turn out to be [`ContentsLost`] then.
    pub(in crate::fichier) fn is_complete(&self, folder: FolderId) -> bool {
        self.folders.get(&folder).is_some_and(|contents| contents.complete)
    }

    /// Checks whether the folder's contents are completely known from this run, not only from an earlier one.
    pub(in crate::fichier) fn is_seen(&self, folder: FolderId) -> bool {
        self.folders.get(&folder).is_some_and(|contents| contents.complete && contents.seen)
    }

    /// Checks whether all that the folder holds is known, from no longer ago than `since`, or was listed no longer ago
    /// than `newest`: the service would give nothing newer.
    pub(in crate::fichier) fn is_known_since(
        &self,
        folder: FolderId,
        since: SystemTime,
        newest: SystemTime,
    ) -> bool {
        self.folders.get(&folder).is_some_and(|contents| {
            let is_new = contents.known_since.is_some_and(|at| at >= since);
            contents.complete && (is_new || contents.listed.is_some_and(|at| at >= newest))
        })
    }

    /// Marks a folder as unknown, since someone else may have changed it.
    pub(in crate::fichier) fn forget(&mut self, folder: FolderId) {
        if let Some(contents) = self.folders.get_mut(&folder) {
            contents.complete = false;
            contents.seen = false;
            contents.forgotten = Some(SystemTime::now());
        }
    }

    /// Returns since when the knowledge of the folder no longer counts.
    pub(in crate::fichier) fn forgotten_at(&self, folder: FolderId) -> Option<SystemTime> {
        self.folders.get(&folder)?.forgotten
    }

    /// Marks a folder as unknown, since what is known of it turned out to be wrong.
    pub(in crate::fichier) fn doubt(&mut self, folder: FolderId) {
        if let Some(contents) = self.folders.get_mut(&folder) {
            contents.complete = false;
            contents.seen = false;
            contents.doubted = true;
        }
    }

    /// Checks whether an earlier run's knowledge of the folder turned out to be wrong.
    pub(in crate::fichier) fn is_doubted(&self, folder: FolderId) -> bool {
        self.folders.get(&folder).is_some_and(|contents| contents.doubted)
    }

    /// Adds an earlier run's knowledge of a folder. Our own changes take precedence over it.
    pub(in crate::fichier) fn take_remembered(
        &mut self,
        folder: FolderId,
        files: Vec<KnownFile>,
        folders: Vec<KnownFolder>,
        listed: SystemTime,
    ) {
        self.take_listing(folder, files, folders, listed);
        if let Some(contents) = self.folders.get_mut(&folder) {
            contents.seen = false;
        }
    }

    /// Keeps what is known of a folder after it was listed.
    pub(in crate::fichier) fn keep_listing(&mut self, folder: FolderId) {
        if self.journal.is_some() {
            let Ok(files) = self.files(folder) else { return };
            let files = files.cloned().collect();
            let folders = self.sub_folders(folder).cloned().collect();
            let Some(began) = self.folders.get(&folder).and_then(|contents| contents.known_since) else {
                return;
            };
            self.note(|| Change::Listed { folder, began, files, folders });
        }
    }

    /// Somebody else changed something in the folder of this path: what is known of it here counts no more.
    pub(in crate::fichier) fn note_changed(&mut self, folder: FolderId, path: RemotePath) {
        self.changes.note(folder, Some(path));
        if let Some(contents) = self.folders.get_mut(&folder) {
            contents.complete = false;
            contents.seen = false;
            contents.was_complete = false;
        }
    }

    /// Somebody else changed something, and it isn't known where.
    pub(in crate::fichier) fn note_changed_elsewhere(&mut self) {
        self.changes.note_elsewhere();
    }

    /// What others changed, as far as it is known.
    pub(in crate::fichier) fn changes(&self) -> &ChangeLog {
        &self.changes
    }

    /// Answers with the folders in which others changed something after so many changes.
    pub(in crate::fichier) fn changed_since(&self, seen: u64) -> ChangedFolders {
        // A folder that is nowhere any more is gone, which the one tells that held it.
        let path = |(folder, path): (_, Option<&RemotePath>)| self.path(folder).or_else(|| path.cloned());
        let mut changed = ChangedFolders::default();
        changed.add(ChangedFolders {
            folders: self.changes.since(seen).filter_map(path).collect(),
            elsewhere: self.changes.is_elsewhere_since(seen),
        });
        changed
    }

    /// The path of a folder, if it hangs together with the root.
    fn path(&self, folder: FolderId) -> Option<RemotePath> {
        let mut names = Vec::new();
        let mut next = folder;
        while !next.is_root() {
            let (parent, known) = self.known.get(&next)?;
            let is_there = self.folders.get(parent)?.folders.has(&known.name, next);
            if !is_there || names.len() > self.known.len() {
                return None;
            }
            names.push(&known.name);
            next = *parent;
        }
        Some(names.into_iter().rev().fold(RemotePath::root(), |path, name| path.join(name)))
    }

    /// The service took a file of this content and kept none.
    pub(in crate::fichier) fn note_dropped(&self, whirlpool: Whirlpool, size: u64) {
        self.note(|| Change::Dropped { whirlpool, size });
    }

    /// Records that something is being sent to this folder: if we end before it is reported, the folder isn't
    /// completely known.
    pub(in crate::fichier) fn expect_into(&self, folder: FolderId) {
        self.note(|| Change::Unsure { folder });
    }

    /// Records that what was sent to this folder is there, or surely isn't.
    pub(in crate::fichier) fn arrived_in(&self, folder: FolderId) {
        self.note(|| Change::SureAgain { folder });
    }

    /// Takes in a listing of a folder that was asked for at `asked`. What we did ourselves stands against it, as long as
    /// it may lag behind. Notes a folder as changed that holds something else than was known.
    pub(in crate::fichier) fn take_listing(
        &mut self,
        folder: FolderId,
        files: Vec<KnownFile>,
        folders: Vec<KnownFolder>,
        asked: SystemTime,
    ) {
        let listing = ListingTime { asked, lag: self.lag };
        let contents = self.changeable(folder);
        let before = contents.was_complete.then(|| contents.holdings());
        let taken = contents.take(files, folders, listing);
        if before.is_some_and(|before| before != contents.holdings()) {
            self.changes.note(folder, None);
        }
        for child in taken {
            let id = child.id;
            if let Some((other, before)) = self.known.insert(id, (folder, child))
                && other != folder
                && let Some(contents) = self.folders.get_mut(&other)
                && contents.lose_folder(id, &before.name, listing)
                && contents.was_complete
            {
                self.changes.note(other, None);
            }
        }
        self.used(folder);
    }

    /// Returns the known files of a folder, in no order.
    pub(in crate::fichier) fn files(
        &mut self,
        folder: FolderId,
    ) -> Result<impl Iterator<Item = &KnownFile>, ContentsLost> {
        self.take_up(folder)?;
        let files = self.folders.get(&folder).into_iter().flat_map(|contents| contents.files.iter());
        Ok(files.map(|remembered| self.looked_at.one(&remembered.file)))
    }

    /// Returns the links of all known files of a folder.
    pub(in crate::fichier) fn links(&mut self, folder: FolderId) -> Result<HashSet<FileLink>, ContentsLost> {
        Ok(self.files(folder)?.map(|file| file.link).collect())
    }

    /// Returns the known files of a folder, without these.
    pub(in crate::fichier) fn files_but(
        &mut self,
        folder: FolderId,
        without: &HashSet<FileLink>,
    ) -> Result<Vec<KnownFile>, ContentsLost> {
        Ok(self.files(folder)?.filter(|file| !without.contains(&file.link)).cloned().collect())
    }

    /// Returns the files of one name in a folder, in no order: 1Fichier may have several.
    pub(in crate::fichier) fn files_named(
        &mut self,
        folder: FolderId,
        name: &Name,
    ) -> Result<impl Iterator<Item = &KnownFile>, ContentsLost> {
        self.take_up(folder)?;
        let files = self.folders.get_mut(&folder).into_iter().flat_map(|contents| contents.files.named(name));
        Ok(files.map(|file| self.looked_at.one(file)))
    }

    /// Returns a file of a folder.
    pub(in crate::fichier) fn file(
        &mut self,
        folder: FolderId,
        link: &FileLink,
    ) -> Result<Option<&KnownFile>, ContentsLost> {
        self.take_up(folder)?;
        Ok(self.folders.get(&folder).and_then(|contents| contents.files.get(link)))
    }

    /// Returns the known folders in a folder, by name.
    pub(in crate::fichier) fn sub_folders(&self, folder: FolderId) -> impl Iterator<Item = &KnownFolder> {
        self.folders
            .get(&folder)
            .into_iter()
            .flat_map(|contents| contents.folders.iter())
            .filter_map(|id| Some(self.looked_at.one(&self.known.get(&id)?.1)))
    }

    /// Returns the folders of one name in a folder, the oldest number first: 1Fichier may have several.
    pub(in crate::fichier) fn folders_named(
        &self,
        folder: FolderId,
        name: &Name,
    ) -> impl Iterator<Item = FolderId> {
        self.folders
            .get(&folder)
            .into_iter()
            .flat_map(|contents| contents.folders.named(name))
            .map(|id| self.looked_at.one(id))
    }

    /// Returns the folder that holds this one, where it is known.
    pub(in crate::fichier) fn parent(&self, folder: FolderId) -> Option<FolderId> {
        self.known.get(&folder).map(|(parent, _)| *parent)
    }

    /// Records that we stored this file in the folder, or changed it there.
    pub(in crate::fichier) fn note_file(&mut self, folder: FolderId, file: KnownFile) {
        self.note(|| Change::File { folder, file: file.clone() });
        self.changeable(folder).put_file(file, SystemTime::now());
        self.used(folder);
    }

    /// Records that we removed this file from the folder, or found it gone.
    pub(in crate::fichier) fn note_file_gone(&mut self, folder: FolderId, link: FileLink) {
        self.note(|| Change::FileGone { folder, file: link });
        self.changeable(folder).take_file_away(link, SystemTime::now());
        self.used(folder);
    }

    /// Records that we made this folder: it is empty, and needs no listing.
    pub(in crate::fichier) fn note_new_folder(&mut self, parent: FolderId, folder: KnownFolder) {
        self.note(|| Change::NewFolder { parent, folder: folder.clone() });
        self.let_go(folder.id);
        self.folders.insert(folder.id, Contents::new_and_empty(SystemTime::now()));
        self.note_folder(parent, folder);
    }

    /// Records that we moved or renamed this folder with what it holds.
    pub(in crate::fichier) fn note_moved_folder(&mut self, parent: FolderId, folder: KnownFolder) {
        self.note(|| Change::MovedFolder { parent, folder: folder.clone() });
        if let Some((before, known)) = self.known.get(&folder.id)
            && *before != parent
        {
            let contents = self.folders.entry(*before).or_default();
            contents.take_folder_away(folder.id, &known.name, SystemTime::now());
        }
        self.note_folder(parent, folder);
    }

    fn note_folder(&mut self, parent: FolderId, folder: KnownFolder) {
        let before = self.known.get(&folder.id).filter(|(before, _)| *before == parent);
        let name_before = before.map(|(_, known)| &known.name);
        let contents = self.folders.entry(parent).or_default();
        contents.put_folder(folder.id, &folder.name, name_before, SystemTime::now());
        self.known.insert(folder.id, (parent, folder));
    }

    /// Records that we removed this folder, or found it gone.
    pub(in crate::fichier) fn note_folder_gone(&mut self, folder: FolderId) {
        self.note(|| Change::FolderGone { folder });
        self.let_go(folder);
        if let Some((parent, known)) = self.known.remove(&folder) {
            let contents = self.folders.entry(parent).or_default();
            contents.take_folder_away(folder, &known.name, SystemTime::now());
        }
    }

    /// Returns the description of a folder itself.
    pub(in crate::fichier) fn folder(&self, folder: FolderId) -> Option<&KnownFolder> {
        Some(&self.known.get(&folder)?.1)
    }

    /// Checks whether the folder is known to hold nothing.
    pub(in crate::fichier) fn is_empty(&self, folder: FolderId) -> bool {
        self.folders.get(&folder).is_some_and(|contents| {
            contents.complete && contents.has_no_file() && contents.folders.is_empty()
        })
    }

    /// Returns which of these folders is known to hold a file.
    pub(in crate::fichier) fn folder_of(
        &mut self,
        candidates: &[FolderId],
        link: &FileLink,
    ) -> Result<Option<FolderId>, ContentsLost> {
        for folder in candidates {
            if self.file(*folder, link)?.is_some() {
                return Ok(Some(*folder));
            }
        }
        Ok(None)
    }

    /// Returns the folders below `folder` by name, for tests and debugging.
    #[cfg(test)]
    fn names(&mut self, folder: FolderId) -> std::collections::BTreeMap<String, usize> {
        let mut names = std::collections::BTreeMap::new();
        for child in self.sub_folders(folder) {
            *names.entry(child.name.to_string()).or_default() += 1;
        }
        for file in self.files(folder).into_iter().flatten() {
            *names.entry(file.name.to_string()).or_default() += 1;
        }
        names
    }
}

#[cfg(test)]
mod tests;
