//! One folder's contents: found by name as well as by number and link, since every path that is resolved asks by
//! name, and a folder may hold 20,000 others.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::SystemTime,
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
    /// Whether the knowledge of an earlier run turned out to be wrong.
    pub(super) doubted: bool,
    /// Time when the listing was requested; `None`: we made the folder, so everything in it is ours.
    pub(super) listed: Option<SystemTime>,
    /// Time since when the earlier knowledge no longer counts.
    pub(super) forgotten: Option<SystemTime>,
    /// Whether its files couldn't be read from the spill file. What is here now is not all that was known.
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

/// Our changes to a folder's contents, which a listing may not show yet.
#[derive(Debug, Default)]
struct OurChanges {
    /// Folders that we made or moved here.
    folders: HashSet<FolderId>,
    /// Files that we removed from here.
    gone_files: HashSet<FileLink>,
    gone_folders: HashSet<FolderId>,
}

impl Contents {
    /// Makes the contents of a folder that we made just now.
    pub(super) fn new_and_empty() -> Self {
        Self { complete: true, seen: true, ..Self::default() }
    }

    /// Checks whether it is known to hold no file, wherever its files are.
    pub(super) fn has_no_file(&self) -> bool {
        match self.place {
            Some(place) if self.used.is_none() => place.is_empty(),
            _ => self.files.is_empty(),
        }
    }

    /// Adds all files of a listing, except those that we removed; our own stay.
    pub(super) fn take_files(&mut self, files: Vec<KnownFile>) {
        self.files.retain_own();
        for file in files {
            self.files.confirm(&file);
            let is_gone = self.ours.as_ref().is_some_and(|ours| ours.gone_files.contains(&file.link));
            if !is_gone && self.files.get(&file.link).is_none() {
                self.files.put(file, false);
            }
        }
    }

    /// Adds all folders of a listing in the same way. Returns those that aren't our own.
    pub(super) fn take_folders(&mut self, folders: Vec<KnownFolder>) -> Vec<KnownFolder> {
        let ours = self.ours.as_deref();
        let is_own = |id: &FolderId| ours.is_some_and(|ours| ours.folders.contains(id));
        self.folders.retain(is_own);
        let is_gone = |id: &FolderId| ours.is_some_and(|ours| ours.gone_folders.contains(id));
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

    /// Records that we stored this file here, or changed it.
    pub(super) fn put_file(&mut self, file: KnownFile) {
        if let Some(ours) = &mut self.ours {
            ours.gone_files.remove(&file.link);
        }
        self.files.put(file, true);
    }

    /// Records that we removed this file.
    pub(super) fn take_file_away(&mut self, link: FileLink) {
        self.files.remove(&link);
        self.ours.get_or_insert_default().gone_files.insert(link);
    }

    /// Records that we made this folder here, moved it here or renamed it; `before` is its former name, if it was
    /// known.
    pub(super) fn put_folder(&mut self, id: FolderId, name: &Name, before: Option<&Name>) {
        let ours = self.ours.get_or_insert_default();
        ours.gone_folders.remove(&id);
        let is_new = ours.folders.insert(id);
        match before {
            Some(before) => self.folders.remove(before, id),
            // Another folder's listing has shown that it is there since, under which name isn't known any more.
            None if !is_new => self.folders.retain(|other| *other != id),
            None => {}
        }
        self.folders.insert(name, id);
    }

    /// Records that another folder's listing shows this one there now. One of our own stays until it is listed here.
    pub(super) fn lose_folder(&mut self, id: FolderId, name: &Name) {
        if !self.ours.as_ref().is_some_and(|ours| ours.folders.contains(&id)) {
            self.folders.remove(name, id);
        }
    }

    /// Records that we removed this folder.
    pub(super) fn take_folder_away(&mut self, id: FolderId, name: &Name) {
        self.folders.remove(name, id);
        let ours = self.ours.get_or_insert_default();
        ours.folders.remove(&id);
        ours.gone_folders.insert(id);
    }
}

/// A file, and how it is known.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::fichier) struct Remembered {
    pub(in crate::fichier) file: KnownFile,
    /// Whether we put it there or changed it: no listing undoes that.
    pub(in crate::fichier) own: bool,
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

    fn put(&mut self, file: KnownFile, own: bool) {
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

    fn retain_own(&mut self) {
        self.by_name = None;
        self.by_link.retain(|_, remembered| remembered.own);
    }
}

impl FromIterator<Remembered> for Files {
    fn from_iter<T: IntoIterator<Item = Remembered>>(files: T) -> Self {
        let by_link = files.into_iter().map(|remembered| (remembered.file.link, remembered)).collect();
        Self { by_link, by_name: None }
    }
}

/// Folders in a folder: 1Fichier may have several of one name.
#[derive(Debug, Default)]
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

    fn remove(&mut self, name: &Name, id: FolderId) {
        if !self.0.remove(&(name.clone(), id)) {
            // Others may have renamed it since.
            self.0.retain(|(_, other)| *other != id);
        }
    }

    fn retain(&mut self, keep: impl Fn(&FolderId) -> bool) {
        self.0.retain(|(_, id)| keep(id));
    }
}
