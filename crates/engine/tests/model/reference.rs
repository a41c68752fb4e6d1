//! Computes what a run has to leave behind, on trees in memory, in the simplest way.

use std::collections::{BTreeMap, BTreeSet};

/// Contents of files, by number. The second and the third are of one size.
pub(crate) const CONTENTS: [&[u8]; 6] = [b"", b"one", b"two", b"three", b"fours", b"something longer"];

/// Number of one of the contents.
pub(crate) type Content = usize;

/// A tree: folders, and files by path with all their versions, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) folders: BTreeSet<String>,
    pub(crate) files: BTreeMap<String, Vec<Content>>,
}

/// Kind of place that a tree is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Local,
    Service,
}

/// Kind of run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Copy,
    Sync,
    Move,
}

/// Flags that change the outcome.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags {
    pub(crate) size_only: bool,
    pub(crate) ignore_times: bool,
    pub(crate) ignore_existing: bool,
    pub(crate) existing_only: bool,
    pub(crate) immutable: bool,
    pub(crate) create_empty: bool,
    pub(crate) delete_empty_source: bool,
    pub(crate) max_depth: Option<usize>,
    /// Whether old versions are moved to this folder beside the destination.
    pub(crate) backup: bool,
}

/// The state before a run, or after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) source: Tree,
    pub(crate) destination: Tree,
    pub(crate) backup: Tree,
}

/// Expected outcome.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) state: State,
    pub(crate) failed: usize,
    pub(crate) refused: usize,
    /// Folders that a sync checks at the end: each name of several files in them is a failure.
    pub(crate) filled: BTreeSet<String>,
}

pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

impl Tree {
    pub(crate) fn add_folder(&mut self, path: &str) {
        if !path.is_empty() && self.folders.insert(path.to_owned()) {
            self.add_folder(parent(path));
        }
    }

    pub(crate) fn set(&mut self, path: &str, versions: Vec<Content>) {
        self.add_folder(parent(path));
        self.files.insert(path.to_owned(), versions);
    }

    /// Removes what is at a path, and below.
    pub(crate) fn remove(&mut self, path: &str) {
        self.files.retain(|other, _| !Self::within(other, path));
        self.folders.retain(|other| !Self::within(other, path));
    }

    fn within(path: &str, folder: &str) -> bool {
        folder.is_empty()
            || path == folder
            || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }

    fn remove_empty_folders(&mut self, only: impl Fn(&str) -> bool) {
        let mut folders: Vec<_> = self.folders.iter().filter(|folder| only(folder)).cloned().collect();
        folders.sort_by_key(|folder| std::cmp::Reverse(folder.matches('/').count()));
        for folder in folders {
            let below = |path: &String| *path != folder && Self::within(path, &folder);
            if !self.files.keys().any(below) && !self.folders.iter().any(below) {
                self.folders.remove(&folder);
            }
        }
    }
}

fn depth(path: &str) -> usize {
    path.matches('/').count() + 1
}

/// Carries the operation out on the trees.
pub(crate) fn expect(
    operation: Operation,
    flags: &Flags,
    (from, to): (Place, Place),
    before: &State,
    destination_exists: bool,
) -> Expected {
    let mut state = before.clone();
    let (mut failed, mut refused) = (0, 0);
    let seen = |path: &str| flags.max_depth.is_none_or(|most| depth(path) <= most);
    let server_side = from == to;
    if operation == Operation::Move
        && server_side
        && !destination_exists
        && flags.max_depth.is_none()
        && !flags.existing_only
    {
        state.destination = std::mem::take(&mut state.source);
        return Expected { state, failed: 0, refused: 0, filled: BTreeSet::new() };
    }
    // With empty folders to be removed, a folder that the destination doesn't have moves as a whole.
    let whole = operation == Operation::Move
        && server_side
        && flags.delete_empty_source
        && flags.max_depth.is_none()
        && !flags.existing_only;
    if whole {
        for folder in before.source.folders.clone() {
            let moved = !before.destination.folders.contains(&folder)
                && (parent(&folder).is_empty() || before.destination.folders.contains(parent(&folder)));
            if !moved {
                continue;
            }
            let inside = |path: &str| Tree::within(path, &folder);
            for path in before.source.folders.iter().filter(|path| inside(path)) {
                state.source.folders.remove(path);
                state.destination.add_folder(path);
            }
            for (path, versions) in before.source.files.iter().filter(|(path, _)| inside(path)) {
                state.source.files.remove(path);
                state.destination.set(path, versions.clone());
            }
        }
    }
    let mut filled = BTreeSet::new();
    for (path, versions) in state.source.files.clone().iter().filter(|(path, _)| seen(path)) {
        if before.destination.files.get(path).is_some_and(|versions| versions.len() > 1) {
            filled.insert(parent(path).to_owned());
        }
        let content = versions[versions.len() - 1];
        let existing = state.destination.files.get(path).cloned();
        let newest = existing.as_ref().and_then(|versions| versions.last().copied());
        let size = |content: Content| CONTENTS[content].len();
        let transfer = match newest {
            None => !flags.existing_only,
            Some(_) if flags.ignore_existing => continue,
            Some(newest) => {
                let differs = if flags.size_only { size(newest) != size(content) } else { newest != content };
                flags.ignore_times || differs
            }
        };
        if transfer && newest.is_some() && flags.immutable {
            failed += 1;
            continue;
        }
        if transfer {
            filled.insert(parent(path).to_owned());
        }
        if transfer && size(content) == 0 && to == Place::Service && !server_side {
            refused += 1;
            continue;
        }
        if transfer {
            if let Some(old) = existing.filter(|_| flags.backup) {
                state.backup.set(path, old);
            }
            state.destination.set(path, vec![content]);
        }
        // A sync leaves one file of a name, once the newest is known to be the source's.
        if let (Operation::Sync, false, Some((last, others))) = (
            operation,
            transfer,
            before.destination.files.get(path).and_then(|versions| versions.split_last()),
        ) && *last == content
            && !others.is_empty()
        {
            state.destination.set(path, vec![content]);
            if flags.backup {
                state.backup.set(path, others.to_vec());
            }
        }
        let there = transfer || newest.is_some();
        if operation == Operation::Move && there {
            let left = &versions[..versions.len() - 1];
            if left.is_empty() {
                state.source.files.remove(path);
            } else {
                state.source.files.insert(path.clone(), left.to_vec());
            }
        }
    }
    if flags.create_empty {
        for folder in
            before.source.folders.iter().filter(|path| seen(path) && state.source.folders.contains(*path))
        {
            if flags.max_depth.is_none_or(|most| depth(folder) <= most) {
                state.destination.add_folder(folder);
            }
        }
    }
    if operation == Operation::Sync && failed == 0 && refused == 0 {
        for (path, versions) in &before.destination.files {
            if seen(path) && !before.source.files.contains_key(path) {
                state.destination.files.remove(path);
                if flags.backup {
                    state.backup.set(path, versions.clone());
                }
            }
        }
        state.destination.remove_empty_folders(|folder| {
            !before.source.folders.contains(folder)
                && flags.max_depth.is_none_or(|most| depth(folder) <= most)
        });
    }
    if operation == Operation::Move && flags.delete_empty_source && failed == 0 && refused == 0 {
        state.source.remove_empty_folders(|folder| flags.max_depth.is_none_or(|most| depth(folder) <= most));
    }
    if operation != Operation::Sync || to != Place::Service {
        filled.clear();
    }
    Expected { state, failed, refused, filled }
}

/// Counts the names in these folders of which there are several files.
pub(crate) fn doubles(tree: &Tree, folders: &BTreeSet<String>) -> usize {
    let double =
        |(path, versions): &(&String, &Vec<Content>)| versions.len() > 1 && folders.contains(parent(path));
    tree.files.iter().filter(double).count()
}
