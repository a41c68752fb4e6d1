//! Names that have one place at the destination: with `--links`, a file or folder `x` and the link `x`, which is listed
//! as `x.rclonelink`.
//!
//! One would take the other's place without being matched with it: no backup, no limit and no rule would protect it. So
//! whatever would do that is left out, and told, and what has the place stays.

use std::collections::BTreeSet;

use fichier_storage::{Entry, Location, Name, RemotePath, StorageError};

use crate::{RunReport, compare::names::NameMatching, plan::Matched, run::Run, walk::pending::PendingFolder};

/// The names of what a folder of the destination holds, be it in sight or not.
#[derive(Debug, Default)]
pub(crate) struct Places {
    names: NameMatching,
    files: BTreeSet<Vec<u8>>,
    folders: BTreeSet<Vec<u8>>,
}

/// What has the place that something else shall have.
#[derive(Debug)]
pub(crate) struct Rival {
    name: Name,
    /// Whether one of the two is a folder.
    folder: bool,
}

impl Rival {
    /// The error of what isn't stored for its sake.
    pub(crate) fn of(self, path: RemotePath) -> StorageError {
        StorageError::OnePlace { path, rival: self.name, folder: self.folder }
    }
}

impl Places {
    /// Notes the names; none where no two have one place.
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

    /// What has the place of a file already, if the file isn't there itself.
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

    /// The link that has the place of a folder already.
    fn rival_of_folder(&self, at: &Location, folder: &Name) -> Option<Rival> {
        let link = at.remote.info().names.link_in_place_of(folder)?;
        (self.has_file(&link) && !self.has_folder(folder)).then_some(Rival { name: link, folder: true })
    }
}

impl Run<'_> {
    /// Takes out of what is to be stored what would share a place with something else of the source, or that something
    /// else of the destination has.
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
