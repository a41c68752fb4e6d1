//! Random scenarios.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{
    differences::{clashes, has_equal_extras, keeps_name_at_service, left_to_chance},
    tree::{CONTENTS, Place, Tree, Version},
};

const FILES: &[&str] = &[
    "a",
    "b",
    "a.txt",
    "b.txt",
    // rclone knows the first extension on any machine; of `.tar` it asks the system.
    "photo.json.gz",
    ".hidden",
    "UPPER.TXT",
    "ü",
    "日本",
    "a b",
    " lead",
    "trail ",
    "it's",
    "say \"hi\"",
    "$HOME",
    "back\\slash",
    "x<y>z",
    "`cmd`",
    "－dash",
    "-dash",
    "tab\tname",
    "100%",
    "#hash",
    "[x]",
    "{y}",
    "new\nline",
];
const FOLDERS: &[&str] = &["d", "e", "Dé", "sub dir", " f ", "d$", "'", "a"];

/// Command of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Copy,
    Sync,
    Move,
    Check,
    Dedupe,
    Delete,
    Purge,
    Rmdirs,
}

/// One scenario: trees, and what is done with them.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) number: usize,
    pub(crate) command: Command,
    /// Places of the trees; commands with one path use the destination's.
    pub(crate) places: [Place; 2],
    pub(crate) source: Tree,
    /// Tree at the destination; `None`: it doesn't exist.
    pub(crate) destination: Option<Tree>,
    /// Tree for `--compare-dest` and `--copy-dest`, beside the destination.
    pub(crate) reference: Tree,
    pub(crate) flags: Vec<String>,
}

impl Command {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Sync => "sync",
            Self::Move => "move",
            Self::Check => "check",
            Self::Dedupe => "dedupe",
            Self::Delete => "delete",
            Self::Purge => "purge",
            Self::Rmdirs => "rmdirs",
        }
    }

    /// Checks whether the command goes from one place to another, and changes what is there.
    pub(crate) fn transfers(self) -> bool {
        matches!(self, Self::Copy | Self::Sync | Self::Move)
    }

    /// Checks whether the command has a source and a destination.
    pub(crate) fn has_two_ends(self) -> bool {
        self.transfers() || self == Self::Check
    }
}

impl Scenario {
    /// Checks whether a flag is among those given.
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|given| given.split('=').next() == Some(flag))
    }

    /// Checks whether files move from one folder to another of one place.
    pub(crate) fn moves_within(&self) -> bool {
        self.command == Command::Move && self.places[0] == self.places[1]
    }

    /// Replaces flags that leave the result to chance.
    fn settle_chance(&mut self) {
        for flag in &mut self.flags {
            if flag.starts_with("--dedupe-mode") {
                *flag = String::from(if self.number % 40 == 8 {
                    "--dedupe-mode=newest"
                } else {
                    "--dedupe-mode=oldest"
                });
            } else if flag.starts_with("--order-by") {
                *flag = String::from("--order-by=name");
            }
        }
        if left_to_chance(self) {
            self.flags.retain(|flag| flag != "--by-hash");
        }
    }

    /// Returns a root as both programs name it.
    pub(crate) fn root(place: Place, name: &str) -> String {
        match place {
            Place::Local => name.to_owned(),
            Place::Service => format!("t:{name}"),
        }
    }

    /// Returns the command line.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = vec![self.command.name().to_owned()];
        if self.command.has_two_ends() {
            words.push(Self::root(self.places[0], "source"));
        }
        words.push(Self::root(self.places[1], "destination"));
        words.extend(self.flags.iter().cloned());
        words
    }
}

/// Makes this number of scenarios.
pub(crate) fn scenarios(seed: u64, count: usize) -> Vec<Scenario> {
    // Each has its own random numbers, so that it can be run alone.
    (0..count)
        .map(|number| {
            let seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(u64::try_from(number).unwrap());
            Chance { random: StdRng::seed_from_u64(seed), plain: false }.scenario(number)
        })
        .collect()
}

struct Chance {
    random: StdRng,
    /// Whether files have only names that rclone keeps when the service copies or moves them.
    plain: bool,
}

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.random.random_range(0..limit)
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn scenario(&mut self, number: usize) -> Scenario {
        use Command::{Check, Copy, Dedupe, Delete, Move, Purge, Rmdirs, Sync};
        use Place::{Local, Service};
        // Each kind has its share; most are of those that have the most flags.
        let command = [
            Copy, Sync, Move, Check, Sync, Copy, Sync, Move, Dedupe, Delete, Sync, Copy, Move, Rmdirs, Sync,
            Copy, Move, Check, Sync, Purge,
        ][number % 20];
        let places = match command {
            Dedupe => [Service, Service],
            _ => self.one(&[
                [Local, Service],
                [Local, Service],
                [Service, Local],
                [Service, Service],
                [Local, Local],
            ]),
        };
        self.plain = places[1] == Service && (places[0] == Service || self.percent(50));
        let source = self.tree(places[0]);
        let destination = match command {
            _ if command.has_two_ends() => self.percent(90).then(|| self.changed(&source, places[1])),
            Dedupe => Some(self.with_duplicates()),
            _ => Some(self.tree(places[1])),
        };
        let reference = self.changed(&source, places[1]);
        let mut scenario =
            Scenario { number, command, places, source, destination, reference, flags: Vec::new() };
        scenario.flags = match command {
            Copy | Sync | Move => self.transfer_flags(&scenario),
            Check => self.check_flags(),
            Dedupe => self.dedupe_flags(),
            Delete => self.delete_flags(),
            Rmdirs => self.maybe(50, "--leave-root"),
            Purge => Vec::new(),
        };
        if scenario.moves_within() && scenario.destination.is_none() {
            let ignored = ["--max-depth", "--compare-dest", "--copy-dest"];
            scenario.flags.retain(|flag| !ignored.iter().any(|name| flag.starts_with(name)));
        }
        if left_to_chance(&scenario) {
            scenario.settle_chance();
        }
        if has_equal_extras(&scenario) {
            scenario.flags.retain(|flag| flag != "--track-renames");
        }
        if scenario.has("--max-transfer") && !clashes(&scenario).is_empty() {
            let limits = ["--max-transfer", "--cutoff-mode"];
            scenario.flags.retain(|flag| !limits.iter().any(|name| flag.starts_with(name)));
        }
        scenario
    }

    fn folder(&mut self) -> String {
        let depth = self.below(3);
        let names: Vec<_> = (0..depth).map(|_| self.one(FOLDERS)).collect();
        names.join("/")
    }

    fn file(&mut self) -> String {
        let folder = self.folder();
        let mut name = self.one(FILES);
        while self.plain && !keeps_name_at_service(name) {
            name = self.one(FILES);
        }
        if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
    }

    fn version(&mut self, place: Place) -> Version {
        // Only a disk holds empty files; they are rare, since they end a transfer to the service.
        let content =
            if place == Place::Local && self.percent(2) { 0 } else { 1 + self.below(CONTENTS.len() - 1) };
        Version { content, touched: self.percent(20) }
    }

    /// Checks whether a path is free: a name can't be a file and a folder at once.
    fn is_free(tree: &Tree, path: &str) -> bool {
        let mut above = super::tree::parent(path);
        while !above.is_empty() {
            if tree.files.contains_key(above) {
                return false;
            }
            above = super::tree::parent(above);
        }
        !tree.folders.contains(path)
    }

    fn tree(&mut self, place: Place) -> Tree {
        let mut tree = Tree::default();
        for _ in 0..self.below(8) {
            let path = self.file();
            if !Self::is_free(&tree, &path) {
                continue;
            }
            let mut versions = vec![self.version(place)];
            if place == Place::Service && self.percent(4) {
                versions.push(self.version(place));
            }
            tree.set(&path, versions);
        }
        for _ in 0..self.below(3) {
            let path = self.folder();
            if Self::is_free(&tree, &path) && !tree.files.contains_key(&path) {
                tree.add_folder(&path);
            }
        }
        tree
    }

    /// Makes a tree that was once the same as another one.
    fn changed(&mut self, of: &Tree, place: Place) -> Tree {
        let mut tree = Tree::default();
        for folder in &of.folders {
            if self.percent(60) {
                tree.add_folder(folder);
            }
        }
        for (path, versions) in &of.files {
            let version = versions[versions.len() - 1];
            match self.below(10) {
                // The same content with another time, with another name, or twice.
                0 => tree.set(path, vec![Version { touched: !version.touched, ..version }]),
                1 => {
                    let other = self.file();
                    if Self::is_free(&tree, &other) {
                        tree.set(&other, vec![version]);
                    }
                }
                2 if place == Place::Service && self.percent(40) => {
                    let other = self.version(place);
                    tree.set(path, vec![other, version]);
                }
                // Another content, sometimes of the same size.
                2..=4 => {
                    let content = match version.content {
                        1 => 2,
                        3 => self.one(&[4, 5]),
                        4 | 5 => 3,
                        _ => 1 + self.below(CONTENTS.len() - 1),
                    };
                    tree.set(path, vec![Version { content, touched: version.touched }]);
                }
                5 => {}
                _ if place == Place::Service && version.content == 0 => {}
                _ => tree.set(path, vec![version]),
            }
        }
        for _ in 0..self.below(3) {
            let path = self.file();
            if Self::is_free(&tree, &path) && !of.folders.contains(&path) {
                let version = self.version(place);
                tree.set(&path, vec![version]);
            }
        }
        if self.percent(6) {
            self.clash(of, &mut tree, place);
        }
        // A file that was put in place of a folder, or above another file, is removed.
        let files: Vec<_> = tree.files.keys().cloned().collect();
        for path in files {
            if tree.folders.contains(&path) {
                tree.files.remove(&path);
            }
        }
        if place == Place::Service {
            tree.files.retain(|_, versions| versions.iter().all(|version| version.content != 0));
        }
        tree
    }

    /// Makes a folder of one of the other tree's files, or a file of one of its folders.
    fn clash(&mut self, of: &Tree, tree: &mut Tree, place: Place) {
        let version = self.version(place);
        // The folder's name becomes that of a file.
        let fits =
            !self.plain || of.folders.iter().next().is_some_and(|folder| keeps_name_at_service(folder));
        if let Some(folder) = of.folders.iter().next().filter(|_| fits && self.percent(50)) {
            tree.remove_folder(folder);
            tree.set(folder, vec![version]);
        } else if let Some(file) = of.files.keys().next() {
            tree.files.remove(file);
            tree.set(&format!("{file}/b"), vec![version]);
        }
    }

    /// Makes a tree in which names occur more than once.
    fn with_duplicates(&mut self) -> Tree {
        let mut tree = Tree::default();
        for _ in 0..2 + self.below(3) {
            let path = self.file();
            if !Self::is_free(&tree, &path) {
                continue;
            }
            let count = 1 + self.below(4);
            let mut versions: Vec<_> = (0..count).map(|_| self.version(Place::Service)).collect();
            if self.percent(50) {
                versions.push(versions[0]);
            }
            tree.set(&path, versions);
        }
        tree
    }

    fn maybe(&mut self, percent: usize, flag: &str) -> Vec<String> {
        if self.percent(percent) { vec![flag.to_owned()] } else { Vec::new() }
    }

    fn transfer_flags(&mut self, scenario: &Scenario) -> Vec<String> {
        let mut flags = Vec::new();
        // Whether the destination's files may be moved about there.
        let relocates = self.plain || scenario.places[1] == Place::Local;
        for _ in 0..1 + self.below(3) {
            match self.below(11) {
                0 => flags.push(self.one(&["--size-only", "--checksum", "--ignore-times"]).to_owned()),
                1 => flags.push(self.one(&["--ignore-existing", "--update"]).to_owned()),
                2 => flags.push("--immutable".to_owned()),
                3 => flags.push(format!("--max-depth={}", 1 + self.below(3))),
                4 | 5 => flags.extend(self.filter_flags(&scenario.source)),
                6 if relocates => flags.extend(self.backup_flags(scenario.places[1])),
                7 => {
                    // rclone refuses to copy from a disk's folder, and this program doesn't.
                    let copies = relocates && scenario.places[1] == Place::Service;
                    let flag = if copies && self.percent(50) { "--copy-dest" } else { "--compare-dest" };
                    flags.push(format!("{flag}={}", Scenario::root(scenario.places[1], "reference")));
                }
                8 => flags.extend(self.limit_flags(relocates && scenario.places[1] == Place::Service)),
                9 => flags.push(
                    self.one(&["--combined=-", "--differ=-", "--match=-", "--missing-on-dst=-"]).to_owned(),
                ),
                _ => flags.push("--create-empty-src-dirs".to_owned()),
            }
        }
        match scenario.command {
            Command::Sync => {
                flags.extend(self.maybe(20, "--delete-before"));
                if flags.last().is_none_or(|flag| flag != "--delete-before") {
                    flags.extend(self.maybe(20, "--delete-during"));
                }
                let refused = ["--delete-before", "--compare-dest", "--copy-dest"];
                if relocates && !flags.iter().any(|flag| refused.iter().any(|name| flag.starts_with(name))) {
                    flags.extend(self.maybe(20, "--track-renames"));
                }
                if self.percent(10) {
                    flags.push(format!("--max-delete={}", self.below(3)));
                }
                let filtered = ["--include", "--exclude", "--filter", "--min-size", "--max-size"];
                let deep = flags.iter().any(|flag| flag.starts_with("--max-depth"));
                if !deep && flags.iter().any(|flag| filtered.iter().any(|name| flag.starts_with(name))) {
                    flags.extend(self.maybe(30, "--delete-excluded"));
                }
            }
            Command::Move => flags.extend(self.maybe(60, "--delete-empty-src-dirs")),
            _ => {}
        }
        without_contradictions(flags)
    }

    fn filter_flags(&mut self, tree: &Tree) -> Vec<String> {
        let pattern =
            self.one(&["*.txt", "d/**", "/a*", "e/", "*a*", "{a,b}*", "/*", "**/a", " f /**", "Dé/*"]);
        match self.below(8) {
            0 | 1 => vec![format!("--include={pattern}")],
            2 | 3 => vec![format!("--exclude={pattern}")],
            4 => vec![format!("--filter=- {pattern}"), "--filter=+ *".to_owned()],
            5 => vec![self.one(&["--min-size=4B", "--max-size=5B", "--min-size=6B"]).to_owned()],
            // A list of names is written beside the trees; a name that can't be on a line of its own is left out.
            6 if tree.files.keys().any(|path| is_plain(path)) => vec!["--files-from-raw=names".to_owned()],
            _ => vec![format!("--exclude={pattern}"), "--ignore-case".to_owned()],
        }
    }

    fn backup_flags(&mut self, place: Place) -> Vec<String> {
        let mut flags = Vec::new();
        let folder = self.percent(60);
        if folder {
            flags.push(format!("--backup-dir={}", Scenario::root(place, "old")));
        }
        if !folder || self.percent(40) {
            flags.push("--suffix=-old".to_owned());
            flags.extend(self.maybe(50, "--suffix-keep-extension"));
        }
        flags
    }

    /// Makes flags for limits. Which files a limit lets through is certain only if they go one after the other, in a
    /// certain order.
    fn limit_flags(&mut self, copies_there: bool) -> Vec<String> {
        let order = self.one(&["name", "size,ascending", "size,descending"]);
        let mut flags =
            vec![format!("--order-by={order}"), "--check-first".to_owned(), "--transfers=1".to_owned()];
        if !copies_there && self.percent(70) {
            let limit = 4 + self.below(24);
            let mode = self.one(&["hard", "soft", "cautious"]);
            flags.extend([format!("--max-transfer={limit}B"), format!("--cutoff-mode={mode}")]);
        }
        flags
    }

    fn check_flags(&mut self) -> Vec<String> {
        let mut flags = vec![
            self.one(&["--combined=-", "--combined=-", "--differ=-", "--match=-", "--missing-on-src=-"])
                .to_owned(),
        ];
        flags.extend(self.maybe(25, "--one-way"));
        flags.extend(self.maybe(25, "--size-only"));
        flags.extend(self.maybe(20, "--download"));
        flags.extend(self.maybe(20, "--max-depth=1"));
        without_contradictions(flags)
    }

    fn dedupe_flags(&mut self) -> Vec<String> {
        let mode = self.one(&["skip", "newest", "oldest", "largest", "smallest", "rename", "list", "first"]);
        let mut flags = vec![format!("--dedupe-mode={mode}")];
        let by_hash = self.maybe(15, "--by-hash");
        // Files of one content have names of their own already, so this program refuses to rename them.
        flags.extend(by_hash.into_iter().filter(|_| mode != "rename"));
        flags
    }

    fn delete_flags(&mut self) -> Vec<String> {
        let mut flags = self.maybe(40, "--rmdirs");
        if self.percent(60) {
            flags.extend(self.filter_flags(&Tree::default()));
        }
        flags.extend(self.maybe(20, "--max-depth=2"));
        flags
    }
}

/// Checks whether a path can be on a line of a list of names.
pub(crate) fn is_plain(path: &str) -> bool {
    !path.contains('\n') && path.trim() == path && !path.starts_with(['#', ';'])
}

/// Keeps each flag once, and none that another one refuses.
fn without_contradictions(flags: Vec<String>) -> Vec<String> {
    let mut left: Vec<String> = Vec::new();
    for flag in flags {
        let name = flag.split('=').next().unwrap_or(&flag);
        let meets =
            |names: &[&str]| left.iter().any(|other| names.iter().any(|name| other.starts_with(name)));
        let refused = match name {
            "--filter" => false,
            "--compare-dest" | "--copy-dest" => meets(&["--compare-dest", "--copy-dest", "--immutable"]),
            "--immutable" => meets(&["--compare-dest", "--copy-dest", name]),
            "--track-renames" => meets(&["--compare-dest", "--copy-dest", name]),
            "--files-from-raw" => {
                meets(&["--include", "--exclude", "--filter", "--min-size", "--max-size", "--files-from"])
            }
            "--include" | "--exclude" | "--min-size" | "--max-size" => meets(&["--files-from", name]),
            "--size-only" | "--checksum" | "--ignore-times" => {
                meets(&["--size-only", "--checksum", "--ignore-times"])
            }
            "--delete-excluded" => meets(&["--files-from", "--delete-excluded"]),
            _ => meets(&[name]),
        };
        let astray = name == "--filter" && meets(&["--files-from"]);
        if !refused && !astray {
            left.push(flag);
        }
    }
    left
}
