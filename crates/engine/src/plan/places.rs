//! Names that have one place at the destination: with `--links`, a file `x` and the link `x`, which is listed as
//! `x.rclonelink`.
//!
//! One would take the other's place without being matched with it: no backup, no limit and no rule would protect it. So
//! whatever would do that is left out, and told, and what has the place stays.

use std::collections::BTreeSet;

use fichier_storage::{Entry, Location, Name, StorageError};

use crate::{RunReport, compare::names::NameMatching, plan::Matched, run::Run, walk::open::Open};

/// The names of the files that a folder of the destination holds, be they in sight or not.
#[derive(Debug, Default)]
pub(crate) struct Places {
    names: NameMatching,
    taken: BTreeSet<Vec<u8>>,
}

impl Places {
    /// Notes the names; none where no two have one place.
    pub(crate) fn of<'a>(
        at: &Location,
        names: NameMatching,
        entries: impl IntoIterator<Item = &'a Entry>,
    ) -> Self {
        if at.remote.info().names.link_suffix.is_none() {
            return Self::default();
        }
        let name = |entry: &Entry| entry.as_file().and_then(|file| file.path.name());
        let taken = entries.into_iter().filter_map(name).map(|name| names.key(&name).into_owned()).collect();
        Self { names, taken }
    }

    /// The name that has the place of this one already, if this one isn't there itself.
    pub(crate) fn rival(&self, at: &Location, name: &Name) -> Option<Name> {
        let has = |name: &Name| self.taken.contains(&*self.names.key(name));
        if self.taken.is_empty() || has(name) {
            return None;
        }
        at.remote.info().names.rivals(name).into_iter().find(has)
    }
}

impl Run<'_> {
    /// Takes out of what is to be stored what would share a place with something else of the source, or that something
    /// else of the destination has.
    pub(crate) fn keep_places_apart(
        &self,
        matched: &mut Matched,
        places: &Places,
        folder: &Open,
        report: &mut RunReport,
    ) {
        let rules = &self.to.remote.info().names;
        if rules.link_suffix.is_none() {
            return;
        }
        let names = self.names();
        let key = |name: &Name| names.key(name).into_owned();
        let files = matched.files.iter().map(|pair| &pair.name);
        let wanted: BTreeSet<_> =
            files.chain(matched.folders.iter().map(|pair| &pair.there)).map(key).collect();
        // A folder has no suffix: only a link can be its rival.
        let links: BTreeSet<_> = matched.files.iter().map(|pair| key(&pair.name)).collect();
        let in_source = |name: &Name, among: &BTreeSet<Vec<u8>>| {
            rules.rivals(name).into_iter().find(|rival| among.contains(&key(rival)))
        };
        let target = self.to.path.join_path(&folder.there);
        let mut refused = Vec::new();
        let mut kept = BTreeSet::new();
        matched.files.retain(|pair| {
            let there = || places.rival(self.to, &pair.name);
            let rival = in_source(&pair.name, &wanted).or_else(there);
            if let Some(rival) = &rival {
                kept.insert(key(rival));
                refused.push((target.join(&pair.name), rival.clone()));
            }
            rival.is_none()
        });
        matched.folders.retain(|pair| {
            let rival = in_source(&pair.there, &links);
            refused.extend(rival.iter().map(|rival| (target.join(&pair.there), rival.clone())));
            rival.is_none()
        });
        matched.extra_files.retain(|file| !file.path.name().is_some_and(|name| kept.contains(&key(&name))));
        for (path, rival) in refused {
            let path = self.shown_at_destination(&path);
            self.fail(report, &path, StorageError::OnePlace { path: path.clone(), rival });
        }
    }
}
