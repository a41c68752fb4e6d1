//! One folder's contents: found by name as well as by number and link, since every path that is resolved asks by
//! name, and a folder may hold 20,000 others.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, SystemTime},
};

use fichier_api::{FileLink, FolderId};
use fichier_storage::Name;

use super::{KnownFile, KnownFolder, spill::SpillRange};

/// Known contents of one folder. There is one for every folder of the account, so it is small.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Whether everything is known: the folder was listed, we made it, or an earlier run left a record.
    pub(super) complete: bool,
    /// Whether that is known from this run.
    pub(super) seen: bool,
    /// Whether what is here was all once, so that a listing that differs tells of somebody else's change.
    pub(super) was_complete: bool,
    /// What an earlier run knew turned out to be wrong.
    pub(super) doubted: bool,
    /// When it was last listed, or made by us.
    pub(super) listed: Option<SystemTime>,
    /// Since when all of it is known: since the listing, or since what we did that stands against it.
    pub(super) known_since: Option<SystemTime>,
    /// Since when what was known counts no more.
    pub(super) forgotten: Option<SystemTime>,
    /// Whether its files couldn't be read from the spill file. The files here now are not all that were known.
    pub(super) lost: bool,
    /// Files; empty while they are in the spill file.
    pub(super) files: Files,
    /// Range of the spill file that has the files as they are now.
    pub(super) place: Option<SpillRange>,
    /// Use count when it was last used, and number of files then, if they are in memory.
    pub(super) used: Option<(u64, usize)>,
    pub(super) folders: SubFolders,
    ours: Option<Box<OurChanges>>,
}

/// What we did to a folder's contents, and when: a listing may not show it yet.
#[derive(Debug, Default)]
struct OurChanges {
    /// Folders that we made or moved here.
    folders: HashMap<FolderId, SystemTime>,
    /// Files and folders that we took away.
    gone_files: HashMap<FileLink, SystemTime>,
    gone_folders: HashMap<FolderId, SystemTime>,
}

/// When a listing was asked for, and how far it may lag behind what we did.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListingTime {
    pub(super) asked: SystemTime,
    pub(super) lag: Duration,
}

impl ListingTime {
    /// Whether the listing may not show a change of ours yet. One that was asked for later counts.
    fn may_lack(self, change: SystemTime) -> bool {
        change.checked_add(self.lag).is_none_or(|shown| shown > self.asked)
    }
}

impl Contents {
    /// Of a folder that we made just now.
    pub(super) fn new_and_empty(now: SystemTime) -> Self {
        Self {
            complete: true,
            seen: true,
            was_complete: true,
            listed: Some(now),
            known_since: Some(now),
            ..Self::default()
        }
    }

    /// Checks whether it is known to hold no file, wherever its files are.
    pub(super) fn has_no_file(&self) -> bool {
        match self.place {
            Some(place) if self.used.is_none() => place.is_empty(),
            _ => self.files.is_empty(),
        }
    }

    /// Takes in a listing. What we did stands against it as long as it may lag behind. Answers with the folders that
    /// aren't our own.
    pub(super) fn take(
        &mut self,
        files: Vec<KnownFile>,
        folders: Vec<KnownFolder>,
        listing: ListingTime,
    ) -> Vec<KnownFolder> {
        if let Some(ours) = &mut self.ours {
            ours.folders.retain(|_, at| listing.may_lack(*at));
            ours.gone_files.retain(|_, at| listing.may_lack(*at));
            ours.gone_folders.retain(|_, at| listing.may_lack(*at));
        }
        // What stands against the listing is known from when we did it, not from the listing.
        let overruled = [self.take_files(files, listing), self.oldest_overruling_folder(&folders)];
        self.known_since = overruled.into_iter().flatten().chain([listing.asked]).min();
        self.listed = Some(listing.asked);
        let taken = self.take_folders(folders);
        self.ours.take_if(|ours| ours.is_empty());
        self.complete = true;
        self.seen = true;
        self.was_complete = true;
        self.lost = false;
        self.doubted = false;
        self.forgotten = None;
        taken
    }

    /// Takes in all files of a listing, but for those that we took away; our own stay. Answers with the oldest change of
    /// ours that the listing doesn't show.
    fn take_files(&mut self, files: Vec<KnownFile>, listing: ListingTime) -> Option<SystemTime> {
        self.files.retain_own(listing);
        let mut unshown = self.files.own();
        let mut overruled = None;
        for file in files {
            self.files.confirm(&file);
            if let Some(at) = self.ours.as_ref().and_then(|ours| ours.gone_files.get(&file.link)) {
                overruled = earlier(overruled, *at);
            } else if let Some(known) = self.files.get(&file.link) {
                if known.name == file.name {
                    unshown.remove(&file.link);
                }
            } else {
                self.files.put(file, None);
            }
        }
        unshown.into_values().fold(overruled, earlier)
    }

    /// Takes in all folders of a listing likewise. Answers with those that aren't our own.
    fn take_folders(&mut self, folders: Vec<KnownFolder>) -> Vec<KnownFolder> {
        let ours = self.ours.as_deref();
        let is_own = |id: &FolderId| ours.is_some_and(|ours| ours.folders.contains_key(id));
        self.folders.retain(is_own);
        let is_gone = |id: &FolderId| ours.is_some_and(|ours| ours.gone_folders.contains_key(id));
        let mut taken = Vec::with_capacity(folders.len());
        for child in folders {
            // A folder that we renamed here keeps its new name.
            if !is_gone(&child.id) && !is_own(&child.id) {
                self.folders.insert(&child.name, child.id);
                taken.push(child);
            }
        }
        taken
    }

    /// Returns when we made the oldest change to a folder here that a listing doesn't show.
    fn oldest_overruling_folder(&self, listed: &[KnownFolder]) -> Option<SystemTime> {
        let ours = self.ours.as_deref()?;
        let mut unshown = ours.folders.clone();
        let mut overruled = None;
        for child in listed {
            if let Some(at) = ours.gone_folders.get(&child.id) {
                overruled = earlier(overruled, *at);
            }
            if self.folders.has(&child.name, child.id) {
                unshown.remove(&child.id);
            }
        }
        unshown.into_values().fold(overruled, earlier)
    }

    /// What it holds, to tell whether two listings differ: names and sizes, whatever else is told of them.
    pub(super) fn holdings(&self) -> Holdings {
        let files =
            self.files.iter().map(|Remembered { file, .. }| (file.link, (file.name.clone(), file.size)));
        Holdings { files: files.collect(), folders: self.folders.clone() }
    }

    /// We stored this file here, or changed it.
    pub(super) fn put_file(&mut self, file: KnownFile, at: SystemTime) {
        if let Some(ours) = &mut self.ours {
            ours.gone_files.remove(&file.link);
        }
        self.files.put(file, Some(at));
    }

    /// We took this file away.
    pub(super) fn take_file_away(&mut self, link: FileLink, at: SystemTime) {
        self.files.remove(&link);
        self.ours.get_or_insert_default().gone_files.insert(link, at);
    }

    /// We made this folder here, moved it here or renamed it; `before` is what it was called, if it was known.
    pub(super) fn put_folder(&mut self, id: FolderId, name: &Name, before: Option<&Name>, at: SystemTime) {
        let ours = self.ours.get_or_insert_default();
        ours.gone_folders.remove(&id);
        let is_new = ours.folders.insert(id, at).is_none();
        match before {
            Some(before) => {
                self.folders.remove(before, id);
            }
            // Another folder's listing has told that it is there since, under which name we don't know any more.
            None if !is_new => self.folders.retain(|other| *other != id),
            None => {}
        }
        self.folders.insert(name, id);
    }

    /// Another folder's listing has told that this one is there now. One of our own stays while that listing may lag.
    /// Answers whether it was here.
    pub(super) fn lose_folder(&mut self, id: FolderId, name: &Name, listing: ListingTime) -> bool {
        if let Some(ours) = &mut self.ours
            && ours.folders.get(&id).is_some_and(|at| listing.may_lack(*at))
        {
            return false;
        }
        if let Some(ours) = &mut self.ours {
            ours.folders.remove(&id);
        }
        self.folders.remove(name, id)
    }

    /// We took this folder away.
    pub(super) fn take_folder_away(&mut self, id: FolderId, name: &Name, at: SystemTime) {
        self.folders.remove(name, id);
        let ours = self.ours.get_or_insert_default();
        ours.folders.remove(&id);
        ours.gone_folders.insert(id, at);
    }
}

impl OurChanges {
    fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.gone_files.is_empty() && self.gone_folders.is_empty()
    }
}

/// What a folder held at some time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Holdings {
    files: HashMap<FileLink, (Name, u64)>,
    folders: SubFolders,
}

fn earlier(one: Option<SystemTime>, other: SystemTime) -> Option<SystemTime> {
    Some(one.map_or(other, |one| one.min(other)))
}

/// A file, and how it is known.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::fichier) struct Remembered {
    pub(in crate::fichier) file: KnownFile,
    /// When we put it there or changed it: a listing that may not show that yet doesn't take it back.
    pub(in crate::fichier) own: Option<SystemTime>,
}

/// Files of a folder.
#[derive(Debug, Default)]
pub(super) struct Files {
    by_link: HashMap<FileLink, Remembered>,
    /// Index by name, made at the first search by name; most folders never need it.
    by_name: Option<BTreeMap<Name, Vec<FileLink>>>,
}

impl Files {
    pub(super) fn len(&self) -> usize {
        self.by_link.len()
    }

    fn is_empty(&self) -> bool {
        self.by_link.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Remembered> {
        self.by_link.values()
    }

    pub(super) fn get(&self, link: &FileLink) -> Option<&KnownFile> {
        Some(&self.by_link.get(link)?.file)
    }

    /// Returns the files of one name, in no order.
    pub(super) fn named(&mut self, name: &Name) -> impl Iterator<Item = &KnownFile> {
        let by_link = &self.by_link;
        let by_name = self.by_name.get_or_insert_with(|| {
            let mut by_name: BTreeMap<Name, Vec<FileLink>> = BTreeMap::new();
            for Remembered { file, .. } in by_link.values() {
                by_name.entry(file.name.clone()).or_default().push(file.link);
            }
            by_name
        });
        by_name.get(name).into_iter().flatten().filter_map(|link| Some(&by_link.get(link)?.file))
    }

    /// Records that a listing shows a file that may be known from a report alone.
    fn confirm(&mut self, listed: &KnownFile) {
        if let Some(Remembered { file, .. }) = self.by_link.get_mut(&listed.link)
            && file.name == listed.name
        {
            file.reported &= listed.reported;
        }
    }

    fn put(&mut self, file: KnownFile, own: Option<SystemTime>) {
        self.remove(&file.link);
        if let Some(by_name) = &mut self.by_name {
            by_name.entry(file.name.clone()).or_default().push(file.link);
        }
        self.by_link.insert(file.link, Remembered { file, own });
    }

    fn remove(&mut self, link: &FileLink) {
        let Some(Remembered { file, .. }) = self.by_link.remove(link) else { return };
        if let Some(by_name) = &mut self.by_name
            && let Some(links) = by_name.get_mut(&file.name)
        {
            links.retain(|other| other != link);
            if links.is_empty() {
                by_name.remove(&file.name);
            }
        }
    }

    fn retain_own(&mut self, listing: ListingTime) {
        self.by_name = None;
        self.by_link.retain(|_, remembered| remembered.own.is_some_and(|at| listing.may_lack(at)));
    }

    /// Those that we put there or changed, and when.
    fn own(&self) -> HashMap<FileLink, SystemTime> {
        self.by_link.iter().filter_map(|(link, remembered)| Some((*link, remembered.own?))).collect()
    }
}

impl FromIterator<Remembered> for Files {
    fn from_iter<T: IntoIterator<Item = Remembered>>(files: T) -> Self {
        let by_link = files.into_iter().map(|remembered| (remembered.file.link, remembered)).collect();
        Self { by_link, by_name: None }
    }
}

/// The folders in a folder: 1Fichier may have several of one name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SubFolders(BTreeSet<(Name, FolderId)>);

impl SubFolders {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns their numbers, in the order of the names.
    pub(super) fn iter(&self) -> impl Iterator<Item = FolderId> {
        self.0.iter().map(|(_, id)| *id)
    }

    /// Returns those of one name, the oldest number first.
    pub(super) fn named(&self, name: &Name) -> impl Iterator<Item = FolderId> {
        let all = (name.clone(), FolderId(0))..=(name.clone(), FolderId(u64::MAX));
        self.0.range(all).map(|(_, id)| *id)
    }

    fn insert(&mut self, name: &Name, id: FolderId) {
        self.0.insert((name.clone(), id));
    }

    /// Answers whether it was there.
    fn remove(&mut self, name: &Name, id: FolderId) -> bool {
        let before = self.0.len();
        if !self.0.remove(&(name.clone(), id)) {
            // Others may have renamed it since.
            self.0.retain(|(_, other)| *other != id);
        }
        self.0.len() < before
    }

    pub(super) fn has(&self, name: &Name, id: FolderId) -> bool {
        self.0.contains(&(name.clone(), id))
    }

    fn retain(&mut self, keep: impl Fn(&FolderId) -> bool) {
        self.0.retain(|(_, id)| keep(id));
    }
}
