//! Matches the two sides of one folder and decides about each file.
//!
//! Pure: this makes no calls to a remote.

pub(crate) mod decide;
pub(crate) mod destination_index;
pub(crate) mod displaced;
pub(crate) mod doubles;
pub(crate) mod extras;
pub(crate) mod folder_metadata;
pub(crate) mod in_sight;
pub(crate) mod lie;
pub(crate) mod new_names;
pub(crate) mod order;
pub(crate) mod overlap;
pub(crate) mod places;
pub(crate) mod plan_db;
pub(crate) mod references;
pub(crate) mod renaming;
pub(crate) mod respell;
pub(crate) mod reuse;
pub(crate) mod type_conflict;
pub(crate) mod visit;

use std::collections::{BTreeMap, BTreeSet};

use fichier_storage::{Entry, File, Name, RemotePath};

use crate::{
    compare::names::{NameMatching, Sides},
    plan::renaming::Sourced,
};

/// A file of the source and the files of its name at the destination.
#[derive(Debug)]
pub(crate) struct Pair {
    /// Name at the destination.
    pub(crate) name: Name,
    /// Name that the file would get there if it was new.
    pub(crate) wanted: Name,
    pub(crate) source: File,
    /// Files of this name at the destination, the one stored last in front.
    pub(crate) existing: Vec<File>,
}

/// A folder of the source, and whether the destination has it.
#[derive(Debug)]
pub(crate) struct FolderPair {
    /// Name at the source.
    pub(crate) name: Name,
    /// Name at the destination.
    pub(crate) there: Name,
    /// Name that the folder would get there if it was new.
    pub(crate) wanted: Name,
    pub(crate) exists: bool,
    /// What has its name at the destination and has to stay, so that nothing can be put into it.
    pub(crate) blocked: Option<Obstacle>,
}

/// What a folder meets at the destination that has to stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Obstacle {
    File,
    /// A symbolic link that isn't followed.
    Link,
}

/// The matched entries of one folder.
#[derive(Debug, Default)]
pub(crate) struct Matched {
    pub(crate) files: Vec<Pair>,
    pub(crate) folders: Vec<FolderPair>,
    /// Names that the source has more than once with different contents; the newest file of each is in `files`.
    pub(crate) duplicates: Vec<RemotePath>,
    /// Names that are a file on one side and a folder on the other.
    pub(crate) clashes: Vec<Clash>,
    /// Files that only the destination has, all versions of each.
    pub(crate) extra_files: Vec<File>,
    /// Folders that only the destination has.
    pub(crate) extra_folders: Vec<Name>,
}

/// A name that is a file on one side and a folder on the other.
#[derive(Debug)]
pub(crate) enum Clash {
    /// The source's file, and the name that a folder of the destination has.
    FileMeetsFolder(Name, File),
    /// The source's folder, and the files of the destination that have its name.
    FolderMeetsFile(FolderPair, Vec<File>),
}

/// Matches the listings of one folder.
pub(crate) fn match_folder(source: Vec<Sourced>, destination: Vec<Entry>, names: NameMatching) -> Matched {
    let (source_files, source_folders) = by_new_name(source);
    let (mut files, mut folders) = by_name(destination);
    let counterparts =
        names.counterparts(&Sides::of(&source_files, &source_folders), &Sides::of(&files, &folders));
    let at_destination = |name: &Name| counterparts.get(name).unwrap_or(name).clone();
    let mut matched = Matched::default();
    for (wanted, mut versions) in source_files {
        let name = at_destination(&wanted);
        if !all_same(&versions) {
            matched.duplicates.push(versions[0].path.clone());
        }
        let source = versions.swap_remove(0);
        if folders.contains_key(&name) && !files.contains_key(&name) {
            folders.remove(&name);
            matched.clashes.push(Clash::FileMeetsFolder(name, source));
            continue;
        }
        let existing = files.remove(&name).unwrap_or_default();
        matched.files.push(Pair { name, wanted, source, existing });
    }
    for (wanted, path) in source_folders {
        let Some(name) = path.name() else { continue };
        let there = at_destination(&wanted);
        let exists = folders.remove(&there).is_some();
        let versions = files.remove(&there);
        let folder = FolderPair { name, there, wanted, exists, blocked: None };
        match versions {
            Some(versions) if !exists => matched.clashes.push(Clash::FolderMeetsFile(folder, versions)),
            versions => {
                matched.extra_files.extend(versions.into_iter().flatten());
                matched.folders.push(folder);
            }
        }
    }
    matched.extra_files.extend(files.into_values().flatten());
    matched.extra_folders = folders.into_keys().collect();
    keep_other_spellings(&mut matched, names);
    matched
}

/// Takes out of what only the destination has what the source has under a name that counts as the same: which of the two
/// spellings is meant, nobody can say.
fn keep_other_spellings(matched: &mut Matched, names: NameMatching) {
    let has_others = |name: &Name| names.ignore_case || !names.exact_forms && !name.as_bytes().is_ascii();
    let extras = matched.extra_files.iter().filter_map(|file| file.path.name());
    if !extras.chain(matched.extra_folders.iter().cloned()).any(|name| has_others(&name)) {
        return;
    }
    let mut keys = BTreeSet::new();
    let mut taken = BTreeSet::new();
    let files = matched.files.iter().map(|pair| (&pair.wanted, &pair.name));
    let folders = matched.folders.iter().map(|pair| (&pair.wanted, &pair.there));
    let clashes = matched.clashes.iter().map(|clash| match clash {
        Clash::FileMeetsFolder(name, _) => (name, name),
        Clash::FolderMeetsFile(pair, _) => (&pair.wanted, &pair.there),
    });
    for (wanted, there) in files.chain(folders).chain(clashes) {
        keys.insert(names.key(wanted).into_owned());
        taken.insert(there.clone());
    }
    let goes = |name: &Name| {
        let goes = taken.contains(name) || !keys.contains(&*names.key(name));
        if !goes {
            tracing::info!(path = %name, "Not deleted, since the source has this name in another spelling");
        }
        goes
    };
    matched.extra_files.retain(|file| file.path.name().is_none_or(|name| goes(&name)));
    matched.extra_folders.retain(goes);
}

/// Leaves out files that the destination can't tell from one before them: one would replace the other.
pub(crate) fn keep_first_of_each(files: &mut Vec<Pair>, names: NameMatching) {
    let mut seen = BTreeSet::new();
    files.retain(|pair| {
        let is_first = seen.insert(names.key(&pair.name).into_owned());
        if !is_first {
            let path = &pair.source.path;
            tracing::warn!(path = %path, "Duplicate object found in source - ignoring");
        }
        is_first
    });
}

/// Sorts files by name, newest first within a name, and folders by name.
pub(crate) fn by_name(entries: Vec<Entry>) -> (BTreeMap<Name, Vec<File>>, BTreeMap<Name, RemotePath>) {
    let named = |entry: Entry| Some(Sourced { name: entry.name()?, entry });
    by_new_name(entries.into_iter().filter_map(named).collect())
}

/// Does the same as [`by_name`], by the names at the destination.
pub(crate) fn by_new_name(entries: Vec<Sourced>) -> (BTreeMap<Name, Vec<File>>, BTreeMap<Name, RemotePath>) {
    let mut files: BTreeMap<Name, Vec<File>> = BTreeMap::new();
    let mut folders = BTreeMap::new();
    for Sourced { name, entry } in entries {
        match entry {
            Entry::File(file) => files.entry(name).or_default().push(file),
            Entry::Folder(folder) => {
                folders.insert(name, folder.path);
            }
        }
    }
    for versions in files.values_mut() {
        versions.sort_by_key(|file| std::cmp::Reverse(file.modified));
    }
    (files, folders)
}

/// Checks whether all versions of a file are known to have the same content, so that they count as one.
pub(crate) fn all_same(versions: &[File]) -> bool {
    versions.windows(2).all(|pair| {
        pair[0].size == pair[1].size && pair[0].whirlpool.is_some() && pair[0].whirlpool == pair[1].whirlpool
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use fichier_storage::Folder;

    use super::*;

    fn sourced(entries: Vec<Entry>) -> Vec<Sourced> {
        entries.into_iter().map(|entry| Sourced { name: entry.name().unwrap(), entry }).collect()
    }

    fn file(path: &str, age: u64) -> Entry {
        Entry::File(File {
            path: RemotePath::parse(path).unwrap(),
            size: 1,
            modified: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1000 - age)),
            whirlpool: None,
            id: None,
            media_type: None,
            fingerprint: None,
            seconds_ahead: 0,
        })
    }

    fn folder(path: &str) -> Entry {
        Entry::Folder(Folder { path: RemotePath::parse(path).unwrap(), modified: None, id: None })
    }

    #[test]
    fn names_meet_and_the_newest_leads() {
        let matched = match_folder(
            sourced(vec![file("s/a", 0), file("s/b", 5), file("s/b", 1), folder("s/d"), folder("s/new")]),
            vec![file("t/a", 9), file("t/a", 2), folder("t/d"), file("t/other", 0)],
            NameMatching::default(),
        );
        let summary: Vec<_> = matched
            .files
            .iter()
            .map(|pair| (pair.name.to_string(), pair.existing.len(), pair.source.modified))
            .collect();
        let time = |age: u64| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1000 - age));
        assert_eq!(summary, [("a".into(), 2, time(0)), ("b".into(), 0, time(1))]);
        assert_eq!(matched.files[0].existing[0].modified, time(2));
        assert_eq!(matched.duplicates, [RemotePath::parse("s/b").unwrap()]);
        let folders: Vec<_> = matched.folders.iter().map(|f| (f.name.to_string(), f.exists)).collect();
        assert_eq!(folders, [("d".to_owned(), true), ("new".to_owned(), false)]);
        assert_eq!(matched.extra_files.len(), 1);
    }

    #[test]
    fn a_file_never_replaces_a_folder_nor_the_other_way_round() {
        let here = vec![file("s/x", 0), folder("s/y")];
        let matched =
            match_folder(sourced(here), vec![folder("t/x"), file("t/y", 0)], NameMatching::default());
        assert!(matched.files.is_empty() && matched.folders.is_empty());
        assert_eq!(matched.clashes.len(), 2);
    }
}
