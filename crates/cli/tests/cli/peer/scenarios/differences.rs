//! Where this program differs from rclone on purpose, each with its reason. `docs/differences.md` shows it to users.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    End,
    generated::{Command, Scenario},
    tree::{Place, Tree, Version, parent, stored},
};

/// Things that scenarios leave out, since rclone can't do them, loses files by them, or means something else. They also
/// leave out what rclone leaves to chance ([`left_to_chance`]).
pub(crate) const LEFT_OUT: &[&str] = &[
    "`--existing`: rclone 1.75 hasn't got it",
    "`--copy-dest` on a disk, and `--track-renames` with `--delete-before`: rclone refuses them",
    "`--track-renames` where several files of one content have to go, or an empty one: rclone takes any of them, and renames \
     empty files, too",
    "`--track-renames` with `--compare-dest`: rclone doesn't look into that folder",
    "`--immutable` with `--compare-dest` or `--copy-dest`: rclone lets a difference pass that those folders explain",
    "`--max-transfer` where the service copies: no byte moves through this program then, but rclone counts it",
    "`--max-transfer` where a file stands in a folder's place, or a folder in a file's: what rclone sends there counts, \
     and this program sends nothing",
    "`--delete-excluded` with `--max-depth`: rclone removes what is deeper, too",
    "a move inside one place to a folder that isn't there, with `--max-depth`, `--compare-dest` or `--copy-dest`: \
     rclone moves the whole of it by one call, whatever the flag says",
    "files at the destination that end with the suffix of `--suffix`: a sync of rclone sets them aside, too, under a \
     second suffix; this program leaves them alone",
    "names that the service doesn't keep as they are, where rclone has the service copy or move a file: it sends the \
     name as it is then, and the service drops spaces at its ends and replaces what it can't store",
];

/// A difference on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Difference {
    NamesWithoutFolders,
    WholeMovesUntold,
    RemovedSourcesAsErrors,
    BackupsAsExtras,
    NumberOfTheLastError,
    TimesOfFoldersNotMade,
    TimesOfRenamed,
    FoldersThatFiltersKeep,
    FoldersMovedWhole,
    RemovedBeforeTheEnd,
    CutInTheMiddle,
    EmptyFiles,
    SourcesLeft,
    References,
    OldVersionsLeft,
    HiddenAtDestination,
    Clashes,
    Duplicates,
}

use Difference::{
    BackupsAsExtras, Clashes, CutInTheMiddle, Duplicates, EmptyFiles, FoldersMovedWhole,
    FoldersThatFiltersKeep, HiddenAtDestination, NamesWithoutFolders, NumberOfTheLastError, OldVersionsLeft,
    References, RemovedBeforeTheEnd, RemovedSourcesAsErrors, SourcesLeft, TimesOfFoldersNotMade,
    TimesOfRenamed, WholeMovesUntold,
};

/// 1Fichier keeps no times, so rclone compares sizes alone there and misses an edit that keeps the size. It gets
/// `--checksum`, as this program does by default.
pub(crate) fn sizes_alone(scenario: &Scenario) -> bool {
    scenario.command.transfers()
        && scenario.places.contains(&Place::Service)
        && !["--size-only", "--checksum"].iter().any(|flag| scenario.has(flag))
}

/// Files that are copied at the destination instead of being sent don't count against `--max-transfer` here, so more is
/// done before the limit. Where there is a limit, all files are sent.
pub(crate) fn sends_all(scenario: &Scenario) -> bool {
    scenario.has("--max-transfer")
}

/// Checks whether a name of a file survives a copy or a move that rclone has the service make.
pub(crate) fn keeps_name_at_service(name: &str) -> bool {
    stored(name) == name
}

/// Checks whether rclone's result varies from run to run, which [`FICHIER_TEST_RCLONE_RUNS`](super) shows.
///
/// - When `dedupe` has left one of identical files, rclone goes through a table without order, so that it is random
///   which of several of equal size is the largest, the smallest, or the first (10 runs, 5 ends).
/// - By their checksums it takes files from several folders; of those of one depth it is random which comes first.
/// - Which of several files of one size comes first with `--order-by=size`, and so gets through `--max-transfer`,
///   depends on which was compared first and on its heap at that moment.
pub(crate) fn left_to_chance(scenario: &Scenario) -> bool {
    let mode = |name: &str| scenario.flags.iter().any(|flag| flag == &format!("--dedupe-mode={name}"));
    if scenario.command == Command::Dedupe {
        let there = scenario.destination.iter().flat_map(|tree| &tree.files);
        if scenario.has("--by-hash") {
            return !mode("skip") && is_in_several_folders(there);
        }
        return there.map(|(_, versions)| versions).any(|versions| {
            let contents: BTreeSet<_> = versions.iter().map(|version| version.content).collect();
            let sizes: BTreeSet<_> = versions.iter().map(|version| version.size()).collect();
            let alike = sizes.len() < contents.len() && (mode("largest") || mode("smallest"));
            contents.len() > 1 && (mode("first") || mode("rename") || alike)
        });
    }
    let by_size = scenario.flags.iter().any(|flag| flag.starts_with("--order-by=size"));
    let sizes: Vec<_> = scenario.source.files.values().flatten().map(|version| version.size()).collect();
    let distinct: BTreeSet<_> = sizes.iter().collect();
    scenario.has("--max-transfer") && by_size && distinct.len() < sizes.len()
}

/// Checks whether the files to be removed hold one content twice, or an empty file.
pub(crate) fn has_equal_extras(scenario: &Scenario) -> bool {
    let there = scenario.destination.iter().flat_map(|tree| &tree.files);
    let extras = there.filter(|(path, _)| !scenario.source.files.contains_key(*path));
    let mut seen = BTreeSet::new();
    extras
        .flat_map(|(_, versions)| versions)
        .any(|version| version.size() == 0 || !seen.insert(version.content))
}

/// Checks whether one content is in several folders of one depth.
fn is_in_several_folders<'a>(files: impl Iterator<Item = (&'a String, &'a Vec<Version>)>) -> bool {
    let mut folders: BTreeMap<(usize, usize), &str> = BTreeMap::new();
    for (path, versions) in files {
        let depth = path.split('/').count();
        for version in versions {
            if *folders.entry((version.content, depth)).or_insert(parent(path)) != parent(path) {
                return true;
            }
        }
    }
    false
}

impl Difference {
    /// All differences, in the order in which they are checked.
    pub(crate) const ALL: &[Self] = &[
        NamesWithoutFolders,
        WholeMovesUntold,
        RemovedSourcesAsErrors,
        BackupsAsExtras,
        Clashes,
        NumberOfTheLastError,
        TimesOfFoldersNotMade,
        TimesOfRenamed,
        FoldersThatFiltersKeep,
        FoldersMovedWhole,
        RemovedBeforeTheEnd,
        CutInTheMiddle,
        EmptyFiles,
        SourcesLeft,
        References,
        OldVersionsLeft,
        HiddenAtDestination,
        Duplicates,
    ];

    /// Returns what differs, and why.
    pub(crate) fn why(self) -> &'static str {
        match self {
            NamesWithoutFolders => {
                "--combined and its kind: rclone names files at 1Fichier without the folder that they are in"
            }
            WholeMovesUntold => {
                "--combined and its kind: rclone lists nothing of a source that is moved as a whole, by one call"
            }
            RemovedSourcesAsErrors => {
                "move --combined: rclone lists as an error, too, what it removes from the source since the \
                destination has it"
            }
            BackupsAsExtras => {
                "--suffix with --delete-before: rclone lists what it has just set aside as missing at the source"
            }
            NumberOfTheLastError => {
                "several errors: rclone ends with the number of the last one, this program with that of the \
                weightiest; an empty file that can't be stored has the number 6 here"
            }
            TimesOfFoldersNotMade => {
                "--compare-dest, --max-transfer: rclone fails to set the times of folders that it didn't have to make"
            }
            TimesOfRenamed => {
                "--track-renames: rclone leaves a renamed file its time until the next run; this program gives it the \
                source's at once"
            }
            FoldersThatFiltersKeep => {
                "delete --rmdirs with filters: rclone fails on folders that hold what the filters keep, and leaves \
                some that are empty"
            }
            FoldersMovedWhole => {
                "move inside an account: a folder that moves as a whole takes along the empty folders in it"
            }
            RemovedBeforeTheEnd => {
                "a sync that fails: with --max-delete, --delete-before or --delete-during rclone has removed some by \
                then, lists what it couldn't remove as errors, or compares nothing more; this program compares all before and removes nothing, but may have \
                renamed what would have had to go"
            }
            CutInTheMiddle => {
                "--max-transfer: rclone begins what it then cuts, makes its folder, and sets the old version aside; \
                this program knows the size"
            }
            EmptyFiles => {
                "an empty file that can't be stored: with --backup-dir or --suffix rclone sets the old version aside \
                before it fails; this program leaves it in its place"
            }
            SourcesLeft => {
                "move --update: rclone removes a file of the source that is older than another one at the \
                destination, this program leaves it; a move that is cut by --max-transfer: rclone may leave files \
                that the destination had before"
            }
            References => {
                "move with --compare-dest or --copy-dest: rclone removes what only the reference has, and leaves what \
                it has copied from there; and --combined lists a file twice"
            }
            OldVersionsLeft => {
                "a copy that the service makes: rclone leaves the old version beside the new one"
            }
            HiddenAtDestination => {
                "a file that --min-size or --max-size hides at the destination: rclone sends it as if there were \
                none, this program compares it"
            }
            Clashes => {
                "a file where the other side has a folder: rclone lets both stand at the service under one path, or \
                fails late; this program leaves the name alone and tells it, or replaces it in a sync"
            }
            Duplicates => {
                "several files of one name: rclone takes one of them, and leaves the others; this program takes the \
                newest and replaces all"
            }
        }
    }

    /// Checks whether a scenario may show the difference.
    pub(crate) fn concerns(self, scenario: &Scenario) -> bool {
        let Scenario { command, places, source, .. } = scenario;
        let [from_service, to_service] = places.map(|place| place == Place::Service);
        let any = |flags: &[&str]| flags.iter().any(|flag| scenario.has(flag));
        match self {
            NamesWithoutFolders => (from_service || to_service) && any(LISTS),
            WholeMovesUntold => scenario.moves_within() && scenario.destination.is_none() && any(LISTS),
            RemovedSourcesAsErrors => *command == Command::Move && scenario.has("--combined"),
            BackupsAsExtras => any(&["--suffix"]) && any(&["--delete-before"]) && any(LISTS),
            NumberOfTheLastError => {
                let empty = source.files.values().flatten().any(|version| version.size() == 0);
                command.transfers() && (any(&["--immutable", "--max-transfer"]) || to_service && empty)
            }
            TimesOfFoldersNotMade => !to_service && any(&["--compare-dest", "--max-transfer"]),
            TimesOfRenamed => !to_service && scenario.has("--track-renames"),
            FoldersThatFiltersKeep => *command == Command::Delete && scenario.has("--rmdirs"),
            FoldersMovedWhole => scenario.moves_within() && scenario.has("--delete-empty-src-dirs"),
            RemovedBeforeTheEnd => *command == Command::Sync,
            CutInTheMiddle => scenario.has("--max-transfer"),
            EmptyFiles => {
                command.transfers()
                    && to_service
                    && any(&["--backup-dir", "--suffix"])
                    && !empty(scenario).is_empty()
            }
            SourcesLeft => *command == Command::Move && any(&["--update", "--max-transfer"]),
            References => any(&["--compare-dest", "--copy-dest"]),
            OldVersionsLeft => {
                let copies = matches!(command, Command::Copy | Command::Sync) && from_service;
                command.transfers() && to_service && (copies || scenario.has("--copy-dest"))
            }
            HiddenAtDestination => {
                command.transfers() && any(&["--min-size", "--max-size"]) && !hidden(scenario).is_empty()
            }
            Clashes => command.transfers() && !clashes(scenario).is_empty(),
            Duplicates => command.transfers() && !duplicates(scenario).is_empty(),
        }
    }

    /// Removes the difference from both results.
    pub(crate) fn forgive(self, scenario: &Scenario, theirs: &mut End, ours: &mut End) {
        match self {
            NamesWithoutFolders => {
                let combined = scenario.has("--combined");
                for end in [theirs, ours] {
                    for line in &mut end.lines {
                        let (sign, name) = sign_and_name(line, combined);
                        *line = format!("{sign}{name}");
                    }
                    end.lines.sort();
                }
            }
            WholeMovesUntold => {
                if theirs.lines.is_empty() {
                    theirs.lines.clone_from(&ours.lines);
                }
            }
            RemovedSourcesAsErrors => {
                let there = theirs.lines.clone();
                theirs.lines.retain(|line| {
                    line.strip_prefix("! ").is_none_or(|path| !there.contains(&format!("= {path}")))
                });
            }
            BackupsAsExtras => {
                theirs.lines.retain(|line| !line.ends_with("-old") || ours.lines.contains(line));
            }
            NumberOfTheLastError => {
                let cut = scenario.has("--max-transfer");
                let may_hang =
                    |status: &Option<i32>| matches!(status, Some(2 | 6)) || cut && *status == Some(8);
                if [theirs.status, ours.status].iter().all(may_hang) {
                    theirs.status = ours.status;
                }
            }
            TimesOfFoldersNotMade | FoldersThatFiltersKeep => {
                if theirs.status == Some(2) && matches!(ours.status, Some(0 | 8)) {
                    theirs.status = ours.status;
                }
                // rclone counts it as a failure, after which folders stay.
                for root in ["source", "destination"] {
                    let there = &ours.held[root].folders;
                    let kept = theirs.held[root].clone();
                    theirs.folders_of(root).retain(|folder| {
                        there.contains(folder)
                            || kept.files.keys().any(|path| parent(path).starts_with(folder))
                    });
                }
            }
            TimesOfRenamed => {
                for (path, versions) in &mut theirs.held.entry("destination").or_default().files {
                    let before = scenario.destination.as_ref().and_then(|tree| tree.files.get(&path[1..]));
                    let source = scenario.source.files.get(&path[1..]).and_then(|versions| versions.last());
                    let ours = ours.held["destination"].files.get(path);
                    if let (None, Some(source), Some([(content, time)])) =
                        (before, source, ours.map(Vec::as_slice))
                        && *time == Some(source.second())
                        && versions.iter().all(|(other, _)| other == content)
                    {
                        *versions = vec![(content.clone(), *time)];
                    }
                }
            }
            FoldersMovedWhole => {
                let moved = folders(&scenario.source);
                let there = theirs.held["destination"].folders.clone();
                ours.folders_of("destination")
                    .retain(|folder| there.contains(folder) || !moved.contains(folder));
                let left = &ours.held["source"].folders;
                theirs.folders_of("source").retain(|folder| left.contains(folder) || !moved.contains(folder));
            }
            RemovedBeforeTheEnd => {
                if theirs.status != Some(0) && ours.status != Some(0) {
                    if theirs.status == Some(7) {
                        keep_times(theirs, ours);
                        theirs.lines.retain(|line| !line.starts_with("! ") || ours.lines.contains(line));
                        if scenario.has("--delete-before") {
                            ours.lines.retain(|line| theirs.lines.contains(line));
                        }
                    }
                    for root in ["destination", "old"] {
                        fill_up(theirs, ours, root);
                        fill_up(ours, theirs, root);
                    }
                }
            }
            CutInTheMiddle => {
                if theirs.status == ours.status {
                    // On a disk, the old version of a file that is then cut is beside it, or in the backup, and nothing
                    // in its place.
                    if let (Some(before), [_, Place::Local]) = (&scenario.destination, scenario.places) {
                        put_back(before.files.keys().map(|path| format!("/{path}")), theirs, ours);
                    }
                    drop_folders_made_for_nothing(theirs, ours);
                    let there = ours.held["destination"].folders.clone();
                    let mut made = folders(&scenario.source);
                    made.insert(String::new());
                    theirs
                        .folders_of("destination")
                        .retain(|folder| there.contains(folder) || !made.contains(folder));
                }
            }
            EmptyFiles => {
                put_back(empty(scenario).iter().map(|path| format!("/{}", stored(path))), theirs, ours);
                drop_folders_made_for_nothing(theirs, ours);
            }
            SourcesLeft => {
                if scenario.has("--update") {
                    fill_up(theirs, ours, "source");
                } else {
                    fill_up(ours, theirs, "source");
                }
            }
            References => {
                if theirs.lines.len() >= ours.lines.len() {
                    let mut left = ours.lines.clone();
                    theirs.lines.retain(|line| {
                        let place = left.iter().position(|other| other == line);
                        place.is_some_and(|place| left.remove(place) == *line)
                    });
                }
                if scenario.command == Command::Move {
                    let paths: BTreeSet<_> = scenario.reference.files.keys().cloned().collect();
                    for end in [&mut *theirs, &mut *ours] {
                        end.set_apart(&paths, &["source"]);
                        // They keep or empty the folders that they are in.
                        end.folders_of("source").clear();
                    }
                }
            }
            OldVersionsLeft => {
                let [source, before] = trees(scenario);
                let replaced: BTreeSet<_> = source
                    .files
                    .keys()
                    .filter(|path| before.files.contains_key(*path))
                    .map(|path| format!("/{}", stored(path)))
                    .collect();
                let now = &ours.held["destination"].files;
                let there = &mut theirs.held.entry("destination").or_default().files;
                for (path, versions) in there.iter_mut().filter(|(path, _)| replaced.contains(*path)) {
                    if let Some(new) =
                        now.get(path).filter(|new| new.iter().all(|one| versions.contains(one)))
                    {
                        versions.clone_from(new);
                    }
                }
            }
            HiddenAtDestination => set_apart(scenario, &hidden(scenario), theirs, ours),
            Clashes => set_apart(scenario, &clashes(scenario), theirs, ours),
            Duplicates => {
                let twice = duplicates(scenario);
                set_apart(scenario, &twice, theirs, ours);
                // Files that are left there keep the folders that they are in.
                let is_above = |folder: &str| {
                    let holds =
                        |path: &String| format!("/{}", stored(path)).starts_with(&format!("{folder}/"));
                    twice.iter().any(holds)
                };
                let kept = ours.held["destination"].folders.clone();
                theirs.folders_of("destination").retain(|folder| kept.contains(folder) || !is_above(folder));
                for end in [theirs, ours] {
                    let aside = end.held["old"].files.clone();
                    let holds = |folder: &str| aside.keys().any(|path| parent(path).starts_with(folder));
                    end.folders_of("old").retain(|folder| holds(folder));
                }
            }
        }
    }
}

const LISTS: &[&str] = &["--combined", "--differ", "--match", "--missing-on-src", "--missing-on-dst"];

impl End {
    fn folders_of(&mut self, root: &'static str) -> &mut BTreeSet<String> {
        &mut self.held.entry(root).or_default().folders
    }

    /// Removes these paths, and what is below them, from the contents of the roots.
    fn set_apart(&mut self, paths: &BTreeSet<String>, roots: &[&'static str]) {
        let paths: BTreeSet<_> =
            paths.iter().flat_map(|path| [format!("/{path}"), format!("/{}", stored(path))]).collect();
        let concerned = |path: &str| {
            paths.iter().any(|one| {
                path.strip_prefix(one.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        for root in roots {
            let held = self.held.entry(root).or_default();
            // Their old versions, by the suffix that scenarios set, are removed with them.
            held.files.retain(|path, _| !concerned(path) && !concerned(&path.replacen("-old", "", 1)));
            held.folders.retain(|path| !concerned(path));
        }
    }
}

/// Removes paths from both results, and from what was printed; how the programs ended may have depended on them.
fn set_apart(scenario: &Scenario, paths: &BTreeSet<String>, theirs: &mut End, ours: &mut End) {
    let is_below = |path: &&String| {
        paths.iter().any(|one| path.strip_prefix(one.as_str()).is_some_and(|rest| rest.starts_with('/')))
    };
    let below = trees(scenario).into_iter().flat_map(|tree| tree.files.keys()).filter(is_below);
    let names: BTreeSet<_> =
        paths.iter().chain(below).map(|path| printed(path.rsplit('/').next().unwrap_or(path))).collect();
    let combined = scenario.has("--combined");
    for end in [&mut *theirs, &mut *ours] {
        end.set_apart(paths, &["source", "destination", "old"]);
        end.lines.retain(|line| !names.contains(sign_and_name(line, combined).1));
    }
    // With rclone, files that make room for something else count against --max-delete; here they aren't touched.
    let limited = scenario.has("--max-delete");
    let may_hang = |status: &Option<i32>| matches!(status, Some(0 | 2 | 6)) || limited && *status == Some(7);
    if [theirs.status, ours.status].iter().all(may_hang) {
        // After a failure, nothing more is removed.
        if (theirs.status == Some(0)) != (ours.status == Some(0)) {
            for root in ["destination", "old"] {
                fill_up(theirs, ours, root);
                fill_up(ours, theirs, root);
            }
            let left = ours.held["source"].folders.clone();
            theirs.folders_of("source").extend(left);
        }
        theirs.status = ours.status;
    }
}

/// Where both results hold the same content at the destination, its time may be that of an update that wasn't reached.
fn keep_times(theirs: &mut End, ours: &End) {
    let there = &ours.held["destination"].files;
    for (path, versions) in &mut theirs.held.entry("destination").or_default().files {
        let contents = |versions: &[(String, Option<u64>)]| -> Vec<_> {
            versions.iter().map(|(content, _)| content.clone()).collect()
        };
        if let Some(other) = there.get(path).filter(|other| contents(other) == contents(versions)) {
            versions.clone_from(other);
        }
    }
}

/// Removes the folders of the backup into which nothing came.
fn drop_folders_made_for_nothing(theirs: &mut End, ours: &End) {
    let (made, kept) = (&ours.held["old"].folders, theirs.held["old"].files.clone());
    theirs
        .folders_of("old")
        .retain(|folder| made.contains(folder) || kept.keys().any(|path| parent(path).starts_with(folder)));
}

/// Puts back what one result has moved to the backup, and the other one has left in its place.
fn put_back(paths: impl Iterator<Item = String>, theirs: &mut End, ours: &End) {
    for path in paths {
        let kept = ours.held["destination"].files.get(&path);
        let (Some(kept), false) = (kept, theirs.held["destination"].files.contains_key(&path)) else {
            continue;
        };
        for root in ["destination", "old"] {
            let before = &ours.held[root].files;
            let held = theirs.held.entry(root).or_default();
            held.files.retain(|other, versions| versions != kept || before.contains_key(other));
        }
        theirs.held.entry("destination").or_default().files.insert(path, kept.clone());
    }
}

/// Adds to one result the files and folders of a root that the other one has kept.
fn fill_up(end: &mut End, kept: &End, root: &'static str) {
    let held = end.held.entry(root).or_default();
    for (path, versions) in &kept.held[root].files {
        held.files.entry(path.clone()).or_insert_with(|| versions.clone());
    }
    held.folders.extend(kept.held[root].folders.iter().cloned());
}

/// Returns a name as it is printed: with pictures of what would control a terminal.
fn printed(name: &str) -> String {
    let picture = |letter: char| match u32::from(letter) {
        code @ 0..0x20 => char::from_u32(0x2400 + code).unwrap_or(letter),
        _ => letter,
    };
    name.chars().map(picture).collect()
}

/// Returns the sign of a line of `--combined`, if it is one, and the name in it. Other lists may be among its lines.
fn sign_and_name(line: &str, combined: bool) -> (&str, &str) {
    let signed = combined && ["= ", "* ", "+ ", "- ", "! "].iter().any(|sign| line.starts_with(sign));
    let (sign, path) = line.split_at(if signed { 2 } else { 0 });
    (sign, path.rsplit('/').next().unwrap_or(path))
}

/// Returns the folders of a tree, under the names of both kinds of places.
fn folders(tree: &Tree) -> BTreeSet<String> {
    tree.folders.iter().flat_map(|path| [format!("/{path}"), format!("/{}", stored(path))]).collect()
}

fn trees(scenario: &Scenario) -> [&Tree; 2] {
    const NOTHING: &Tree = &Tree::new();
    [&scenario.source, scenario.destination.as_ref().unwrap_or(NOTHING)]
}

/// Returns paths that are a file on one side and a folder on the other.
pub(crate) fn clashes(scenario: &Scenario) -> BTreeSet<String> {
    let [left, right] = trees(scenario);
    let is_folder = |tree: &Tree, path: &String| tree.folders.contains(path);
    let there = left.files.keys().filter(|path| is_folder(right, path));
    let here = right.files.keys().filter(|path| is_folder(left, path));
    there.chain(here).cloned().collect()
}

/// Returns paths that hold several versions on a side.
fn duplicates(scenario: &Scenario) -> BTreeSet<String> {
    trees(scenario).into_iter().flat_map(Tree::duplicates).cloned().collect()
}

/// Returns paths of empty files of the source that the destination has a version of.
fn empty(scenario: &Scenario) -> BTreeSet<String> {
    let [left, right] = trees(scenario);
    let is_empty = |path: &String| left.files[path].last().is_some_and(|version| version.size() == 0);
    left.files.keys().filter(|path| right.files.contains_key(*path) && is_empty(path)).cloned().collect()
}

/// Returns paths whose sizes lie on both sides of a limit.
fn hidden(scenario: &Scenario) -> BTreeSet<String> {
    let [left, right] = trees(scenario);
    let size = |versions: &Vec<Version>| versions.last().map(|version| version.size());
    let differs = |path: &&String| right.files.get(*path).map(size) != left.files.get(*path).map(size);
    left.files.keys().filter(|path| right.files.contains_key(*path)).filter(differs).cloned().collect()
}
