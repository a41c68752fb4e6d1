//! Finds names that share one place at the destination: with `--links`, a file or folder `x` and the link `x`, which is
//! listed as `x.rclonelink`.
//!
//! One would take the other's place without being matched with it: no backup, no limit and no rule would protect it. So
//! such a file is skipped and reported, and what has the place stays.

use std::collections::BTreeSet;

use fichier_storage::{Entry, Location, Name, RemotePath, StorageError};

use crate::{RunReport, compare::names::NameMatching, plan::Matched, run::Run, walk::pending::PendingFolder};

/// Names of all that a folder of the destination holds, whether the run sees it or not.
#[derive(Debug, Default)]
pub(crate) struct Places {
    names: NameMatching,
    files: BTreeSet<Vec<u8>>,
    folders: BTreeSet<Vec<u8>>,
}

/// The entry that has the place which another one needs.
#[derive(Debug)]
pub(crate) struct Rival {
    name: Name,
    /// Whether one of the two is a folder.
    folder: bool,
}

impl Rival {
    /// Returns the error of the entry that isn't stored because of this one.
    pub(crate) fn of(self, path: RemotePath) -> StorageError {
        StorageError::OnePlace { path, rival: self.name, folder: self.folder }
    }
}

impl Places {
    /// Collects the names. The collection is empty where no two names can share a place.
    pub(crate) fn of<'a>(
        at: &Location,
        names: NameMatching,
        entries: impl IntoIterator<Item = &'a Entry>,
    ) -> Self {
        let mut places = Self { names, ..Self::default() };
        if at.remote.info().names.link_suffix.is_none() {
            return places;
        }
        for entry in entries {
            let taken = match entry {
                Entry::File(_) => &mut places.files,
                Entry::Folder(_) => &mut places.folders,
            };
            taken.extend(entry.name().map(|name| names.key(&name).into_owned()));
        }
        places
    }

    fn has_file(&self, name: &Name) -> bool {
        self.files.contains(&*self.names.key(name))
    }

    fn has_folder(&self, name: &Name) -> bool {
        self.folders.contains(&*self.names.key(name))
    }

    /// Returns what has the place of a file already, if the file isn't there itself.
    pub(crate) fn rival(&self, at: &Location, file: &Name) -> Option<Rival> {
        if self.has_file(file) {
            return None;
        }
        let rules = &at.remote.info().names;
        let file_there = rules.rivals(file).into_iter().find(|name| self.has_file(name));
        let folder_there = || rules.folder_in_place_of(file).filter(|name| self.has_folder(name));
        let folder = file_there.is_none();
        file_there.or_else(folder_there).map(|name| Rival { name, folder })
    }

    /// Returns the link that has the place of a folder already.
    fn rival_of_folder(&self, at: &Location, folder: &Name) -> Option<Rival> {
        let link = at.remote.info().names.link_in_place_of(folder)?;
        (self.has_file(&link) && !self.has_folder(folder)).then_some(Rival { name: link, folder: true })
    }
}

impl Run<'_> {
    /// Drops from what is to be stored each entry that would share a place with another one of the source or the
    /// destination.
    pub(crate) fn keep_places_apart(
        &self,
        matched: &mut Matched,
        places: &Places,
        folder: &PendingFolder,
        report: &mut RunReport,
    ) {
        if self.to.remote.info().names.link_suffix.is_none() {
            return;
        }
        let names = self.names();
        let key = |name: &Name| names.key(name).into_owned();
        let mut wanted = Places { names, ..Places::default() };
        wanted.files.extend(matched.files.iter().map(|pair| key(&pair.name)));
        wanted.folders.extend(matched.folders.iter().map(|pair| key(&pair.there)));
        let rules = &self.to.remote.info().names;
        let target = self.to.path.join_path(&folder.there);
        let mut refused = Vec::new();
        let mut kept = BTreeSet::new();
        matched.files.retain(|pair| {
            let in_source = || {
                let file = rules.rivals(&pair.name).into_iter().find(|name| wanted.has_file(name));
                let folder = || rules.folder_in_place_of(&pair.name).filter(|name| wanted.has_folder(name));
                file.map(|name| Rival { name, folder: false })
                    .or_else(|| folder().map(|name| Rival { name, folder: true }))
            };
            let rival = in_source().or_else(|| places.rival(self.to, &pair.name));
            let is_free = rival.is_none();
            if let Some(rival) = rival {
                kept.insert(key(&rival.name));
                refused.push((target.join(&pair.name), rival));
            }
            is_free
        });
        matched.folders.retain(|pair| {
            let link = rules.link_in_place_of(&pair.there).filter(|name| wanted.has_file(name));
            let in_source = link.map(|name| Rival { name, folder: true });
            let rival = in_source.or_else(|| places.rival_of_folder(self.to, &pair.there));
            let is_free = rival.is_none();
            if let Some(rival) = rival {
                kept.insert(key(&rival.name));
                refused.push((target.join(&pair.there), rival));
            }
            is_free
        });
        matched.extra_files.retain(|file| !file.path.name().is_some_and(|name| kept.contains(&key(&name))));
        matched.extra_folders.retain(|name| !kept.contains(&key(name)));
        for (path, rival) in refused {
            let path = self.shown_at_destination(&path);
            self.fail(report, &path, rival.of(path.clone()));
        }
    }
}
