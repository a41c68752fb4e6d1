//! What is known of the account's tree: list once, remember what you did.
//!
//! No call is made here. A folder's contents are known after it was listed, because we made it, or
//! because an earlier run left word of it. What we did ourselves (uploads, moves, removals) is noted at once and
//! outlives a listing that is older than it, or that lags behind. All of it is told to the journal, where there
//! is one. The files of folders that weren't used lately lie on the [shelf](super::shelf), so that memory grows with
//! the number of folders only.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::SystemTime,
};

use fichier_api::{FileLink, FolderId};
use fichier_storage::{Name, Whirlpool};

use super::{
    archive::{Change, Journal},
    shelf::{Place, Shelf},
};

/// How many files are held in memory, besides those of the folder used last: some 1.5 MB.
const FILES_AT_HAND: usize = 4096;

/// A file as the catalogue keeps it. Hundreds of thousands are held at a time, so it is small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownFile {
    pub(super) link: FileLink,
    /// Its name, decoded.
    pub(super) name: Name,
    /// Its size as stored: 1 for the stand-in of an empty file.
    pub(super) size: u64,
    pub(super) whirlpool: Option<Whirlpool>,
    pub(super) date: Option<SystemTime>,
    pub(super) media_type: Option<Arc<str>>,
    /// Whether it stands for an empty file.
    pub(super) stands_for_empty: bool,
}

/// A sub-folder as a listing tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownFolder {
    pub(super) id: FolderId,
    /// Its name, decoded.
    pub(super) name: Name,
    pub(super) date: Option<SystemTime>,
}

/// What is known of the account's tree.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    folders: HashMap<FolderId, Contents>,
    shelf: Shelf,
    /// The folders whose files are in memory, those used last at the end.
    at_hand: BTreeMap<u64, FolderId>,
    /// How many files these have.
    files_at_hand: usize,
    /// Counts uses of folders.
    uses: u64,
    /// Parent and description of every folder that was seen.
    known: HashMap<FolderId, (FolderId, KnownFolder)>,
    /// Where all that becomes known is told.
    journal: Option<Journal>,
}

/// What is known of one folder's contents.
#[derive(Debug, Default)]
struct Contents {
    /// Whether all is known: it was listed, we made it, or an earlier run left word of it.
    complete: bool,
    /// Whether that is known from this run.
    seen: bool,
    /// What an earlier run knew turned out to be wrong.
    doubted: bool,
    /// Empty while they lie on the shelf.
    files: HashMap<FileLink, Remembered>,
    /// Where the files lie as they are now.
    place: Option<Place>,
    /// When it was last used and how many files it had then, if they are in memory.
    used: Option<(u64, usize)>,
    folders: BTreeSet<FolderId>,
    /// Folders that we made or moved here.
    own_folders: HashSet<FolderId>,
    /// Files and folders that we took away; an older listing may still show them.
    gone_files: HashSet<FileLink>,
    gone_folders: HashSet<FolderId>,
}

/// A file, and how it is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    pub(super) file: KnownFile,
    /// We put it there or changed it: no listing takes that back.
    pub(super) own: bool,
}

impl Catalogue {
    /// Tells from now on what becomes known; `None`: tells nobody.
    pub(super) fn tell(&mut self, journal: Option<Journal>) {
        self.journal = journal;
    }

    /// Lays what isn't in use on this shelf.
    pub(super) fn shelve_on(&mut self, shelf: Shelf) {
        self.shelf = shelf;
    }

    /// Sees to it that the folder's files are in memory.
    fn take_up(&mut self, folder: FolderId) {
        let Some(contents) = self.folders.get_mut(&folder) else { return };
        if contents.used.is_none()
            && let Some(place) = contents.place
        {
            match self.shelf.get(place) {
                Ok(files) => {
                    contents.files =
                        files.into_iter().map(|remembered| (remembered.file.link, remembered)).collect();
                }
                Err(error) => {
                    tracing::error!(%folder, "What was listed is lost, since the temporary file can't be read: {error}");
                    contents.place = None;
                    contents.complete = false;
                    contents.seen = false;
                }
            }
        }
        self.used(folder);
    }

    /// Counts the folder as used last, and lays others on the shelf for it.
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
        let Some((_, oldest)) = self.at_hand.first_key_value() else { return false };
        let Some(contents) = self.folders.get_mut(oldest) else { return false };
        if contents.place.is_none() {
            contents.place = self.shelf.put(contents.files.values());
        }
        if contents.place.is_none() {
            return false;
        }
        contents.files = HashMap::new();
        if let Some((use_, files)) = contents.used.take() {
            self.files_at_hand -= files;
            self.at_hand.remove(&use_);
        }
        true
    }

    /// Forgets where the files of a folder are, when it goes.
    fn let_go(&mut self, folder: FolderId) {
        if let Some((use_, files)) = self.folders.remove(&folder).and_then(|contents| contents.used) {
            self.at_hand.remove(&use_);
            self.files_at_hand -= files;
        }
    }

    /// The folder's contents in memory, to be changed; [`Catalogue::used`] goes after it.
    fn changeable(&mut self, folder: FolderId) -> &mut Contents {
        self.take_up(folder);
        let contents = self.folders.entry(folder).or_default();
        contents.place = None;
        contents
    }

    fn note(&self, change: impl FnOnce() -> Change) {
        if let Some(journal) = &self.journal {
            journal.note(change());
        }
    }

    /// Whether all that the folder holds is known.
    pub(super) fn is_complete(&mut self, folder: FolderId) -> bool {
        self.take_up(folder);
        self.folders.get(&folder).is_some_and(|contents| contents.complete)
    }

    /// Whether all that the folder holds is known from this run, not only from an earlier one.
    pub(super) fn is_seen(&mut self, folder: FolderId) -> bool {
        self.take_up(folder);
        self.folders.get(&folder).is_some_and(|contents| contents.complete && contents.seen)
    }

    /// Counts a folder as unknown, since what is known of it turned out to be wrong.
    pub(super) fn doubt(&mut self, folder: FolderId) {
        if let Some(contents) = self.folders.get_mut(&folder) {
            contents.complete = false;
            contents.seen = false;
            contents.doubted = true;
        }
    }

    /// Whether what an earlier run knew of the folder turned out to be wrong.
    pub(super) fn is_doubted(&self, folder: FolderId) -> bool {
        self.folders.get(&folder).is_some_and(|contents| contents.doubted)
    }

    /// Takes in what an earlier run knew of a folder. What we did ourselves stands against it.
    pub(super) fn take_remembered(
        &mut self,
        folder: FolderId,
        files: Vec<KnownFile>,
        folders: Vec<KnownFolder>,
    ) {
        self.take_listing(folder, files, folders);
        if let Some(contents) = self.folders.get_mut(&folder) {
            contents.seen = false;
        }
    }

    /// Keeps what is known of a folder after it was listed, with when the listing began.
    pub(super) fn keep_listing(&mut self, folder: FolderId, began: SystemTime) {
        if self.journal.is_some() {
            let files = self.files(folder).cloned().collect();
            let folders = self.sub_folders(folder).cloned().collect();
            self.note(|| Change::Listed { folder, began, files, folders });
        }
    }

    /// Something goes into this folder: should we end before word of it, not all of the folder is known.
    pub(super) fn expect_into(&self, folder: FolderId) {
        self.note(|| Change::Unsure { folder });
    }

    /// What went into this folder is noted, or is surely not there.
    pub(super) fn arrived_in(&self, folder: FolderId) {
        self.note(|| Change::SureAgain { folder });
    }

    /// Takes in a listing of a folder. What we did ourselves stands against it.
    pub(super) fn take_listing(
        &mut self,
        folder: FolderId,
        files: Vec<KnownFile>,
        folders: Vec<KnownFolder>,
    ) {
        let contents = self.changeable(folder);
        contents.complete = true;
        contents.seen = true;
        contents.files.retain(|_, remembered| remembered.own);
        for file in files {
            if !contents.gone_files.contains(&file.link) {
                contents.files.entry(file.link).or_insert(Remembered { file, own: false });
            }
        }
        let mut known = Vec::new();
        let own_folders = &contents.own_folders;
        contents.folders.retain(|id| own_folders.contains(id));
        for child in folders {
            if contents.gone_folders.contains(&child.id) {
                continue;
            }
            // A folder that we renamed here keeps its new name.
            if contents.folders.insert(child.id) {
                known.push(child);
            }
        }
        self.known.extend(known.into_iter().map(|child| (child.id, (folder, child))));
        self.used(folder);
    }

    /// The files that are known in a folder, in no order.
    pub(super) fn files(&mut self, folder: FolderId) -> impl Iterator<Item = &KnownFile> {
        self.take_up(folder);
        self.folders
            .get(&folder)
            .into_iter()
            .flat_map(|contents| contents.files.values().map(|remembered| &remembered.file))
    }

    /// A file of a folder.
    pub(super) fn file(&mut self, folder: FolderId, link: &FileLink) -> Option<&KnownFile> {
        self.take_up(folder);
        Some(&self.folders.get(&folder)?.files.get(link)?.file)
    }

    /// The folders that are known in a folder, the oldest number first.
    pub(super) fn sub_folders(&self, folder: FolderId) -> impl Iterator<Item = &KnownFolder> {
        self.folders
            .get(&folder)
            .into_iter()
            .flat_map(|contents| &contents.folders)
            .filter_map(|id| Some(&self.known.get(id)?.1))
    }

    /// The folders of one name in a folder, the oldest number first: 1Fichier may have several.
    pub(super) fn folders_named(&self, folder: FolderId, name: &Name) -> Vec<FolderId> {
        self.sub_folders(folder).filter(|child| child.name == *name).map(|child| child.id).collect()
    }

    /// The folder that holds this one, where it is known.
    pub(super) fn parent(&self, folder: FolderId) -> Option<FolderId> {
        self.known.get(&folder).map(|(parent, _)| *parent)
    }

    /// We stored this file in the folder, or changed it there.
    pub(super) fn note_file(&mut self, folder: FolderId, file: KnownFile) {
        self.note(|| Change::File { folder, file: file.clone() });
        let contents = self.changeable(folder);
        contents.gone_files.remove(&file.link);
        contents.files.insert(file.link, Remembered { file, own: true });
        self.used(folder);
    }

    /// We took this file away from the folder, or found it gone.
    pub(super) fn note_file_gone(&mut self, folder: FolderId, link: FileLink) {
        self.note(|| Change::FileGone { folder, file: link });
        let contents = self.changeable(folder);
        contents.files.remove(&link);
        contents.gone_files.insert(link);
        self.used(folder);
    }

    /// We made this folder: it is empty, and needs no listing.
    pub(super) fn note_new_folder(&mut self, parent: FolderId, folder: KnownFolder) {
        self.note(|| Change::NewFolder { parent, folder: folder.clone() });
        self.let_go(folder.id);
        self.folders.insert(folder.id, Contents { complete: true, seen: true, ..Contents::default() });
        self.note_folder(parent, folder);
    }

    /// We moved or renamed this folder; what it holds came along.
    pub(super) fn note_moved_folder(&mut self, parent: FolderId, folder: KnownFolder) {
        self.note(|| Change::MovedFolder { parent, folder: folder.clone() });
        if let Some(before) = self.parent(folder.id)
            && before != parent
        {
            self.detach(before, folder.id);
        }
        self.note_folder(parent, folder);
    }

    fn note_folder(&mut self, parent: FolderId, folder: KnownFolder) {
        let contents = self.folders.entry(parent).or_default();
        contents.gone_folders.remove(&folder.id);
        contents.own_folders.insert(folder.id);
        contents.folders.insert(folder.id);
        self.known.insert(folder.id, (parent, folder));
    }

    /// We removed this folder, or found it gone.
    pub(super) fn note_folder_gone(&mut self, folder: FolderId) {
        self.note(|| Change::FolderGone { folder });
        self.let_go(folder);
        if let Some((parent, _)) = self.known.remove(&folder) {
            self.detach(parent, folder);
        }
    }

    fn detach(&mut self, parent: FolderId, folder: FolderId) {
        let contents = self.folders.entry(parent).or_default();
        contents.folders.remove(&folder);
        contents.own_folders.remove(&folder);
        contents.gone_folders.insert(folder);
    }

    /// What is known of a folder itself.
    pub(super) fn folder(&self, folder: FolderId) -> Option<&KnownFolder> {
        Some(&self.known.get(&folder)?.1)
    }

    /// Whether the folder is known to hold nothing.
    pub(super) fn is_empty(&mut self, folder: FolderId) -> bool {
        self.take_up(folder);
        self.folders.get(&folder).is_some_and(|contents| {
            contents.complete && contents.files.is_empty() && contents.folders.is_empty()
        })
    }

    /// Which of these folders is known to hold a file.
    pub(super) fn folder_of(&mut self, candidates: &[FolderId], link: &FileLink) -> Option<FolderId> {
        candidates.iter().copied().find(|folder| self.file(*folder, link).is_some())
    }

    /// The folders below `folder` by name, for tests and debugging.
    #[cfg(test)]
    fn names(&mut self, folder: FolderId) -> std::collections::BTreeMap<String, usize> {
        let mut names = std::collections::BTreeMap::new();
        for child in self.sub_folders(folder) {
            *names.entry(child.name.to_string()).or_default() += 1;
        }
        for file in self.files(folder) {
            *names.entry(file.name.to_string()).or_default() += 1;
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(code: u32, name: &str) -> KnownFile {
        KnownFile {
            link: FileLink::from_code(&format!("code{code}")).unwrap(),
            name: Name::new(name).unwrap(),
            size: 1,
            whirlpool: None,
            date: None,
            media_type: None,
            stands_for_empty: false,
        }
    }

    fn folder(id: u64, name: &str) -> KnownFolder {
        KnownFolder { id: FolderId(id), name: Name::new(name).unwrap(), date: None }
    }

    const ROOT: FolderId = FolderId::ROOT;

    #[test]
    fn own_changes_outlive_an_older_listing() {
        let mut catalogue = Catalogue::default();
        catalogue.note_file(ROOT, file(1, "new"));
        catalogue.note_file_gone(ROOT, file(2, "old").link);
        catalogue.note_new_folder(ROOT, folder(7, "made"));
        catalogue.take_listing(ROOT, vec![file(2, "old"), file(3, "other")], vec![folder(8, "there")]);
        let names: Vec<_> = catalogue.names(ROOT).into_keys().collect();
        assert_eq!(names, ["made", "new", "other", "there"]);
        assert!(catalogue.is_complete(FolderId(7)) && catalogue.is_empty(FolderId(7)));
        assert!(!catalogue.is_complete(FolderId(8)));
    }

    #[test]
    fn a_later_listing_forgets_what_others_removed() {
        let mut catalogue = Catalogue::default();
        catalogue.take_listing(ROOT, vec![file(1, "a"), file(2, "b")], vec![folder(5, "d")]);
        catalogue.take_listing(ROOT, vec![file(2, "b")], vec![]);
        assert_eq!(catalogue.names(ROOT).into_keys().collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn a_renamed_folder_keeps_its_name_and_contents() {
        let mut catalogue = Catalogue::default();
        catalogue.take_listing(ROOT, vec![], vec![folder(5, "old"), folder(6, "to")]);
        catalogue.take_listing(FolderId(5), vec![file(1, "a")], vec![]);
        catalogue.note_moved_folder(FolderId(6), folder(5, "new"));
        assert_eq!(catalogue.names(ROOT).into_keys().collect::<Vec<_>>(), ["to"]);
        catalogue.take_listing(FolderId(6), vec![], vec![folder(5, "old")]);
        assert_eq!(catalogue.names(FolderId(6)).into_keys().collect::<Vec<_>>(), ["new"]);
        assert_eq!(catalogue.names(FolderId(5)).into_keys().collect::<Vec<_>>(), ["a"]);
        catalogue.take_listing(ROOT, vec![], vec![folder(5, "old"), folder(6, "to")]);
        assert_eq!(catalogue.names(ROOT).into_keys().collect::<Vec<_>>(), ["to"]);
    }

    #[test]
    fn files_of_many_folders_are_known_and_few_are_in_memory() {
        let mut catalogue = Catalogue::default();
        let folders = 2000;
        for id in 1..=folders {
            let files = (0..10).map(|n| file(u32::try_from(id).unwrap() * 100 + n, "f")).collect();
            catalogue.take_listing(FolderId(id), files, vec![]);
        }
        let in_memory = |catalogue: &Catalogue| {
            catalogue.folders.values().map(|contents| contents.files.len()).sum::<usize>()
        };
        assert!(in_memory(&catalogue) <= FILES_AT_HAND);
        // What is changed while it is on the shelf stays changed, and what we did outlives a listing from before it.
        for id in 1..=folders {
            let number = u32::try_from(id).unwrap() * 100;
            catalogue.note_file_gone(FolderId(id), file(number, "f").link);
            catalogue.note_file(FolderId(id), file(number + 50, "own"));
        }
        for id in 1..=folders {
            let number = u32::try_from(id).unwrap() * 100;
            assert!(catalogue.is_complete(FolderId(id)) && !catalogue.is_empty(FolderId(id)));
            assert_eq!(catalogue.files(FolderId(id)).count(), 10);
            assert!(catalogue.file(FolderId(id), &file(number, "f").link).is_none());
            catalogue.take_listing(FolderId(id), vec![file(number, "f"), file(number + 1, "f")], vec![]);
        }
        for id in (1..=folders).rev() {
            assert_eq!(catalogue.names(FolderId(id)), [("f".to_owned(), 1), ("own".to_owned(), 1)].into());
        }
        assert!(in_memory(&catalogue) <= FILES_AT_HAND);
        assert_eq!(catalogue.files_at_hand, in_memory(&catalogue));
    }

    #[test]
    fn a_folder_larger_than_the_memory_is_whole() {
        let mut catalogue = Catalogue::default();
        let many = u32::try_from(FILES_AT_HAND).unwrap() * 2;
        for id in [1, 2] {
            catalogue.take_listing(FolderId(id), (0..many).map(|n| file(n, "f")).collect(), vec![]);
        }
        assert_eq!(catalogue.files(FolderId(1)).count(), FILES_AT_HAND * 2);
        assert_eq!(catalogue.files(FolderId(2)).count(), FILES_AT_HAND * 2);
    }

    #[test]
    fn names_may_repeat() {
        let mut catalogue = Catalogue::default();
        catalogue.take_listing(ROOT, vec![file(1, "a"), file(2, "a")], vec![folder(9, "d"), folder(4, "d")]);
        assert_eq!(catalogue.names(ROOT)["a"], 2);
        assert_eq!(catalogue.folders_named(ROOT, &Name::new("d").unwrap()), [FolderId(4), FolderId(9)]);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Upload(u32),
        Remove(u32),
        /// A listing as the service stood this many steps ago.
        List(usize),
    }

    proptest! {
        /// Whatever the order of our own changes and of listings that lag behind them, the catalogue ends
        /// with the service's state, as long as nobody else changes the account.
        #[test]
        fn agrees_with_the_service_however_listings_lag(
            steps in proptest::collection::vec(
                prop_oneof![
                    (0..8u32).prop_map(Step::Upload),
                    (0..8u32).prop_map(Step::Remove),
                    (0..5usize).prop_map(Step::List),
                ],
                0..40,
            ),
        ) {
            let mut service: BTreeSet<u32> = [100, 101].into();
            let mut history = vec![service.clone()];
            let mut catalogue = Catalogue::default();
            for step in steps {
                match step {
                    Step::Upload(code) => {
                        // A link is never given out twice.
                        if history.iter().any(|state| state.contains(&code)) { continue; }
                        service.insert(code);
                        catalogue.note_file(ROOT, file(code, "f"));
                    }
                    Step::Remove(code) => {
                        if !service.remove(&code) { continue; }
                        catalogue.note_file_gone(ROOT, file(code, "f").link);
                    }
                    Step::List(lag) => {
                        let seen = &history[history.len().saturating_sub(lag + 1)];
                        catalogue.take_listing(ROOT, seen.iter().map(|c| file(*c, "f")).collect(), vec![]);
                    }
                }
                history.push(service.clone());
            }
            catalogue.take_listing(ROOT, history[0].iter().map(|c| file(*c, "f")).collect(), vec![]);
            let known: BTreeSet<String> = catalogue.files(ROOT).map(|f| f.link.code().to_owned()).collect();
            prop_assert_eq!(known, service.iter().map(|c| format!("code{c}")).collect::<BTreeSet<_>>());
        }
    }
}
