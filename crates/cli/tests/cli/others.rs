//! Tests in which someone else changes the account between our runs and during them, while these rely on what earlier
//! ones knew: no file is lost that nobody asked to remove, and a run that lists everything again puts all in order.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use fichier_remotes::{
    registry::{NoRemotes, Opening, Settings, open},
    resources::Resources,
};
use fichier_storage::{
    Content, Entry, File, MemoryContent, Name, Relocation, Remote, RemoteExt, RemotePath, WriteBatch,
    WriteItem,
};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::stage::Stage;

/// Folders that we sync to, and others that we must leave alone.
const FOLDERS: [&str; 6] = ["dest", "dest/a", "dest/a/b", "keep", "keep/c", ""];

/// An action of someone else. Numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Deed {
    Add(usize, usize),
    Remove(usize),
    Rename(usize, usize),
    Move(usize, usize),
    MoveFolder(usize, usize, usize),
    RemoveFolder(usize),
}

/// A change on our side.
#[derive(Debug, Clone)]
enum Change {
    Write(usize, usize),
    Delete(usize),
}

#[derive(Debug, Clone)]
struct Round {
    between: Vec<Deed>,
    changes: Vec<Change>,
    how: &'static [&'static str],
    /// Only new files: nobody can remove one by its link before seeing where it is, and the service can't keep what
    /// moves away in that very moment.
    during: Vec<(usize, usize)>,
}

const HOW: [&[&str]; 5] = [
    &["--catalogue", "verify"],
    &["--catalogue", "trust"],
    &["--catalogue", "trust=1h"],
    &["--fast-list"],
    &["--fast-list", "--catalogue", "trust"],
];

fn deed() -> impl Strategy<Value = Deed> {
    let n = || 0..12_usize;
    prop_oneof![
        3 => (n(), 0..4_usize).prop_map(|(folder, name)| Deed::Add(folder, name)),
        1 => n().prop_map(Deed::Remove),
        2 => (n(), 0..4_usize).prop_map(|(file, name)| Deed::Rename(file, name)),
        3 => (n(), n()).prop_map(|(file, folder)| Deed::Move(file, folder)),
        3 => (n(), n(), 0..3_usize).prop_map(|(from, to, name)| Deed::MoveFolder(from, to, name)),
        1 => n().prop_map(Deed::RemoveFolder),
    ]
}

fn round() -> impl Strategy<Value = Round> {
    let change = prop_oneof![
        3 => (0..6_usize, 0..4_usize).prop_map(|(folder, name)| Change::Write(folder, name)),
        2 => (0..12_usize).prop_map(Change::Delete),
    ];
    (
        proptest::collection::vec(deed(), 0..5),
        proptest::collection::vec(change, 0..3),
        proptest::sample::select(HOW.to_vec()),
        proptest::collection::vec((0..6_usize, 0..4_usize), 0..3),
    )
        .prop_map(|(between, changes, how, during)| Round { between, changes, how, during })
}

/// Another client of the same account.
struct Other<'a> {
    stage: &'a Stage,
    runtime: &'a Runtime,
    remote: Arc<dyn Remote>,
    /// Number of contents so far, so that each is different.
    made: &'a std::cell::Cell<u32>,
}

impl<'a> Other<'a> {
    fn come(stage: &'a Stage, runtime: &'a Runtime, made: &'a std::cell::Cell<u32>) -> Self {
        let endpoint = stage.endpoint();
        let settings = Settings::from_iter([
            ("endpoint", endpoint.as_str()),
            ("api_key", stage.api_key()),
            ("call_gap", "0"),
            ("folder_gap", "0"),
        ]);
        let resources = Resources::default();
        let opening = Opening {
            name: "other",
            root: Path::new(""),
            settings: &settings,
            resources: &resources,
            resolver: &NoRemotes,
        };
        let remote = runtime.block_on(open("fichier", opening)).unwrap();
        Self { stage, runtime, remote, made }
    }

    fn files(&self) -> Vec<File> {
        let mut open = vec![RemotePath::root()];
        let mut files = Vec::new();
        while let Some(folder) = open.pop() {
            for entry in self.runtime.block_on(self.remote.entries(&folder)).unwrap() {
                match entry {
                    Entry::File(file) => files.push(file),
                    Entry::Folder(folder) => open.push(folder.path),
                }
            }
        }
        files.sort_by(|left, right| left.path.cmp(&right.path));
        files
    }

    fn folders(&self) -> Vec<RemotePath> {
        let tree = self.stage.control().tree().unwrap();
        let mut paths: Vec<_> = tree.folders.iter().map(|folder| path(&folder.path)).collect();
        paths.push(RemotePath::root());
        paths.sort();
        paths
    }

    /// Carries out an action, if it is possible.
    fn act(&self, deed: &Deed) {
        let files = self.files();
        let folders = self.folders();
        let file = |n: usize| (!files.is_empty()).then(|| files[n % files.len()].clone());
        let relocate = |from: File, to: RemotePath| {
            let item = Relocation { from, to, replaces: vec![] };
            let _ = self.runtime.block_on(self.remote.rename(&[item]));
        };
        match deed {
            Deed::Add(folder, name) => self.add(FOLDERS[folder % FOLDERS.len()], *name),
            Deed::Remove(n) => {
                if let Some(file) = file(*n) {
                    let _ = self.runtime.block_on(self.remote.remove(&[file]));
                }
            }
            Deed::Rename(n, name) => {
                if let Some(file) = file(*n) {
                    let to = file.path.parent().unwrap().join(&Name::new(format!("f{name}")).unwrap());
                    relocate(file, to);
                }
            }
            Deed::Move(n, folder) => {
                if let Some(file) = file(*n) {
                    let to = folders[folder % folders.len()].join(&file.path.name().unwrap());
                    relocate(file, to);
                }
            }
            Deed::MoveFolder(from, to, name) => {
                let (from, to) = (&folders[from % folders.len()], &folders[to % folders.len()]);
                let to = to.join(&Name::new(["a", "b", "c"][*name]).unwrap());
                // The folders that we sync to and those that we must leave alone stay separate.
                if from.depth() > 1 || *from == path("keep") {
                    let _ = self.runtime.block_on(self.remote.rename_folder(from, &to));
                }
            }
            Deed::RemoveFolder(n) => {
                let folder = folders[n % folders.len()].clone();
                let _ = self.runtime.block_on(self.remote.remove_folders(&[folder]));
            }
        }
    }

    fn add(&self, folder: &str, name: usize) {
        self.made.set(self.made.get() + 1);
        let bytes = format!("theirs {}", self.made.get()).into_bytes();
        let item = WriteItem {
            name: Name::new(format!("f{name}")).unwrap(),
            size: bytes.len() as u64,
            modified: None,
            expected: None,
            content: Arc::new(MemoryContent(bytes.into())) as Arc<dyn Content>,
            replaces: Vec::new(),
            metadata: Vec::new(),
        };
        let _ =
            self.runtime.block_on(self.remote.write(WriteBatch { folder: path(folder), items: vec![item] }));
    }
}

fn path(text: &str) -> RemotePath {
    RemotePath::parse(text.trim_start_matches('/')).unwrap()
}

/// Returns the checksums of all files outside of what we sync to, or everywhere.
fn contents(stage: &Stage, everywhere: bool) -> BTreeSet<String> {
    let tree = stage.control().tree().unwrap();
    tree.files
        .iter()
        .filter(|file| everywhere || !path(&file.path).is_within(&path("dest")))
        .map(|file| file.whirlpool.clone())
        .collect()
}

/// Returns what is below `dest`, by path.
fn synced(stage: &Stage) -> BTreeMap<String, BTreeSet<String>> {
    let tree = stage.control().tree().unwrap();
    let mut files: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in tree.files {
        if let Some(below) = path(&file.path).relative_to(&path("dest")) {
            files.entry(below.to_string()).or_default().insert(file.whirlpool);
        }
    }
    files
}

fn change(source: &Path, change: &Change, made: &std::cell::Cell<u32>) {
    match change {
        Change::Write(folder, name) => {
            made.set(made.get() + 1);
            let folder = source.join(["", "a", "a/b", "c", "b", "d"][*folder]);
            if std::fs::create_dir_all(&folder).is_ok() {
                let _ = std::fs::write(folder.join(format!("f{name}")), format!("ours {}", made.get()));
            }
        }
        Change::Delete(n) => {
            let files: Vec<String> = crate::stage::read_tree(source).into_keys().collect();
            if !files.is_empty() {
                std::fs::remove_file(source.join(&files[n % files.len()])).unwrap();
            }
        }
    }
}

fn play(rounds: &[Round]) -> Result<(), TestCaseError> {
    let stage = Stage::start();
    let runtime = Runtime::new().unwrap();
    let made = std::cell::Cell::new(0);
    let source = stage.directory("source");
    for folder in ["dest/a/b", "keep/c"] {
        stage.control().seed_folder(folder).unwrap();
    }
    for n in 0..3 {
        change(&source, &Change::Write(n, n), &made);
        let other = Other::come(&stage, &runtime, &made);
        other.add(FOLDERS[n + 3], n);
    }
    let sync = |how: &[&str]| {
        let mut command = stage.command();
        command.args(["sync", source.to_str().unwrap(), "t:dest", "--fichier-all-files-gap", "0"]).args(how);
        command.env("RCLONE_CONFIG_T_TIME_SCALE", "1000000").stdout(std::process::Stdio::null());
        command.stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    prop_assert!(sync(&[]).wait_with_output().unwrap().status.success());
    for round in rounds {
        let other = Other::come(&stage, &runtime, &made);
        for deed in &round.between {
            other.act(deed);
        }
        for next in &round.changes {
            change(&source, next, &made);
        }
        let before = contents(&stage, false);
        let run = sync(round.how);
        for (folder, name) in &round.during {
            Other::come(&stage, &runtime, &made).add(FOLDERS[*folder], *name);
        }
        let output = run.wait_with_output().unwrap();
        let after = contents(&stage, true);
        let lost: Vec<_> = before.difference(&after).collect();
        prop_assert!(
            lost.is_empty(),
            "{} lost by {:?}: {}",
            lost.len(),
            round.how,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let before = contents(&stage, false);
    let output = sync(&["--catalogue", "verify"]).wait_with_output().unwrap();
    prop_assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    prop_assert!(contents(&stage, true).is_superset(&before));
    let expected: BTreeMap<String, String> = crate::stage::read_tree(&source)
        .into_iter()
        .map(|(name, bytes)| (name, fichier_storage::Whirlpool::of(&bytes).to_string()))
        .collect();
    let synced = synced(&stage);
    // Files of one name that others put beside ours stay: a sync removes only what has no source.
    prop_assert_eq!(synced.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (path, content) in &expected {
        prop_assert!(synced[path].contains(content), "{} isn't ours", path);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_file_is_lost_and_a_run_that_lists_anew_brings_all_in_order(
        rounds in proptest::collection::vec(round(), 1..4),
    ) {
        play(&rounds)?;
    }
}
