//! Where this program differs from rclone on purpose, each with its reason.
//!
//! What scenarios leave out, since rclone can't do it or loses by it:
//!
//! - `--existing`, which rclone 1.75 hasn't got;
//! - `--copy-dest` on a disk, which rclone refuses there;
//! - names that the service doesn't keep as they are, wherever rclone has the service copy or move a file: it sends
//!   the name as it is then, and the service drops spaces at its ends and replaces what it can't store
//!   ([`keeps_name_at_service`]).

use std::collections::BTreeSet;

use super::{
    End,
    generated::{Command, Scenario},
    tree::{Held, Place, Tree, stored},
};

/// A difference on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Difference {
    NamesWithoutFolders,
    NumberOfTheLastError,
    TimesOfFoldersNotMade,
    FoldersThatFiltersKeep,
    FoldersMovedWhole,
    SomeRemovedBeforeTheLimit,
    Clashes,
    Duplicates,
}

use Difference::{
    Clashes, Duplicates, FoldersMovedWhole, FoldersThatFiltersKeep, NamesWithoutFolders, NumberOfTheLastError,
    SomeRemovedBeforeTheLimit, TimesOfFoldersNotMade,
};

/// 1Fichier keeps no times, so rclone compares sizes alone there and misses an edit that keeps the size. It gets
/// `--checksum`, as this program does without being told to.
pub(crate) fn sizes_alone(scenario: &Scenario) -> bool {
    scenario.command.transfers()
        && scenario.places.contains(&Place::Service)
        && !["--size-only", "--checksum", "--ignore-times"].iter().any(|flag| scenario.has(flag))
}

/// What is copied at the destination instead of being sent doesn't count against `--max-transfer` here, so more is
/// done before the limit. Where there is one, all is sent.
pub(crate) fn sends_all(scenario: &Scenario) -> bool {
    scenario.has("--max-transfer")
}

/// Whether a name of a file survives a copy or a move that rclone has the service make.
pub(crate) fn keeps_name_at_service(name: &str) -> bool {
    stored(name) == name
}

impl Difference {
    /// In the order in which they are looked at.
    pub(crate) const ALL: &[Self] = &[
        NamesWithoutFolders,
        NumberOfTheLastError,
        TimesOfFoldersNotMade,
        FoldersThatFiltersKeep,
        FoldersMovedWhole,
        SomeRemovedBeforeTheLimit,
        Clashes,
        Duplicates,
    ];

    /// What differs, and why.
    pub(crate) fn why(self) -> &'static str {
        match self {
            NamesWithoutFolders => {
                "--combined and its kind: rclone names files at 1Fichier without the folder that they are in"
            }
            NumberOfTheLastError => {
                "several errors: rclone ends with the number of the last one, this program with that of the \
                weightiest; an empty file that can't be stored has the number 6 here"
            }
            TimesOfFoldersNotMade => {
                "--compare-dest: rclone fails to set the times of folders that it didn't have to make"
            }
            FoldersThatFiltersKeep => {
                "delete --rmdirs with filters: rclone fails to remove folders that hold what the filters keep"
            }
            FoldersMovedWhole => {
                "move inside an account: a folder that moves as a whole takes along the empty folders in it"
            }
            SomeRemovedBeforeTheLimit => {
                "--max-delete: rclone removes as many as are allowed before it ends, this program none"
            }
            Clashes => {
                "a file where the other side has a folder: rclone lets both stand at the service under one path, or \
                fails late; this program leaves the name alone and tells it, or replaces it in a sync"
            }
            Duplicates => {
                "several files of one name: rclone replaces one of them, this program all, and keeps what the newest \
                holds"
            }
        }
    }

    /// Whether a scenario may bring it about.
    pub(crate) fn concerns(self, scenario: &Scenario) -> bool {
        let Scenario { command, places, source, .. } = scenario;
        let to_service = places[1] == Place::Service;
        match self {
            NamesWithoutFolders => {
                let lists = ["--combined", "--differ", "--match", "--missing-on-src", "--missing-on-dst"];
                places.contains(&Place::Service) && lists.iter().any(|flag| scenario.has(flag))
            }
            NumberOfTheLastError => {
                let empty = source.files.values().flatten().any(|version| version.size() == 0);
                command.transfers() && (scenario.has("--immutable") || to_service && empty)
            }
            TimesOfFoldersNotMade => !places.contains(&Place::Service) && scenario.has("--compare-dest"),
            FoldersThatFiltersKeep => *command == Command::Delete && scenario.has("--rmdirs"),
            FoldersMovedWhole => {
                *command == Command::Move
                    && *places == [Place::Service; 2]
                    && scenario.has("--delete-empty-src-dirs")
            }
            SomeRemovedBeforeTheLimit => scenario.has("--max-delete"),
            Clashes => command.transfers() && clashes(scenario).next().is_some(),
            Duplicates => command.transfers() && duplicates(scenario).next().is_some(),
        }
    }

    /// Takes the difference out of both ends.
    pub(crate) fn forgive(self, scenario: &Scenario, theirs: &mut End, ours: &mut End) {
        match self {
            NamesWithoutFolders => {
                let combined = scenario.has("--combined");
                for line in theirs.lines.iter_mut().chain(&mut ours.lines) {
                    *line = without_folder(line, combined);
                }
                theirs.lines.sort();
                ours.lines.sort();
            }
            NumberOfTheLastError => {
                if [theirs.status, ours.status].iter().all(|status| matches!(status, Some(2 | 6))) {
                    theirs.status = ours.status;
                }
            }
            TimesOfFoldersNotMade | FoldersThatFiltersKeep => {
                if (theirs.status, ours.status) == (Some(2), Some(0)) {
                    theirs.status = ours.status;
                }
            }
            FoldersMovedWhole => {
                let empty: BTreeSet<_> =
                    scenario.source.folders.iter().map(|folder| format!("/{}", stored(folder))).collect();
                let there = theirs.held["destination"].folders.clone();
                let ours = &mut ours.held.get_mut("destination").unwrap().folders;
                ours.retain(|folder| there.contains(folder) || !empty.contains(folder));
            }
            SomeRemovedBeforeTheLimit => {
                if (theirs.status, ours.status) == (Some(7), Some(7)) {
                    let kept = &ours.held["destination"];
                    let left = theirs.held.get_mut("destination").unwrap();
                    for (path, versions) in &kept.files {
                        left.files.entry(path.clone()).or_insert_with(|| versions.clone());
                    }
                }
            }
            Clashes => {}
            Duplicates => {}
        }
    }
}

fn without_folder(line: &str, combined: bool) -> String {
    let (sign, path) = line.split_at(if combined { 2 } else { 0 });
    format!("{sign}{}", path.rsplit('/').next().unwrap_or(path))
}

/// Paths that are a file on one side and a folder on the other.
fn clashes(scenario: &Scenario) -> impl Iterator<Item = &String> {
    let nothing: &Tree = const { &Tree::new() };
    let [left, right] = [&scenario.source, scenario.destination.as_ref().unwrap_or(nothing)];
    left.files
        .keys()
        .filter(|path| right.folders.contains(*path))
        .chain(right.files.keys().filter(|path| left.folders.contains(*path)))
}

/// Paths that hold several versions on a side.
fn duplicates(scenario: &Scenario) -> impl Iterator<Item = &String> {
    scenario.source.duplicates().chain(scenario.destination.iter().flat_map(Tree::duplicates))
}
