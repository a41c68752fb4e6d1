//! A place for trying the binary: an emulated service, a home of its own, and directories.

#![allow(dead_code, reason = "each test target uses its part")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use fichier_emulator::{Builder, Control, Emulator, FolderRename, Limits, MkdirExisting, Storage};
use tokio::runtime::Runtime;

/// The emulated service, and what the binary needs to reach it as `t:`.
pub(crate) struct Stage {
    emulator: Emulator,
    home: tempfile::TempDir,
    time_scale: &'static str,
    // The last field: the service's tasks end after the service.
    _runtime: Runtime,
}

/// Result of a run of the binary.
pub(crate) struct Run {
    words: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: Option<i32>,
}

impl Stage {
    /// Starts a service without limits.
    pub(crate) fn start() -> Self {
        Self::start_with(Limits::Off)
    }

    /// Starts a service with the real one's limits, a hundred times as fast.
    pub(crate) fn start_limited() -> Self {
        Self::start_with(Limits::Scaled(100.0))
    }

    /// Starts a service with the real one's limits, ten times as fast: for programs that run beside each other.
    pub(crate) fn start_limited_for_many() -> Self {
        let limits = Limits::Scaled(10.0);
        Self::start_at(tempfile::tempdir().unwrap(), "10", |builder| builder.limits(limits))
    }

    /// Starts a service that keeps its files on disk.
    pub(crate) fn start_on_disk() -> Self {
        let home = tempfile::tempdir().unwrap();
        let storage = Storage::Directory(home.path().join("service"));
        Self::start_at(home, "1000", |builder| builder.storage(storage))
    }

    /// Starts a service that logs its requests.
    pub(crate) fn start_logging() -> Self {
        let home = tempfile::tempdir().unwrap();
        let log = home.path().join("requests");
        Self::start_at(home, "1000", |builder| builder.request_log(log))
    }

    /// Returns the bytes of each download that has ended, of a service that logs.
    pub(crate) fn downloads(&self) -> Vec<u64> {
        let log = fs::read_to_string(self.home.path().join("requests")).unwrap();
        // The last line may not be complete yet.
        let whole = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let lines = whole.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let downloads = lines.filter(|line| line["endpoint"] == "download");
        downloads.map(|line| line["bytes_out"].as_u64().unwrap()).collect()
    }

    /// Returns how many bytes the service was sent and has sent, of one that logs.
    pub(crate) fn bytes_moved(&self) -> u64 {
        let log = fs::read_to_string(self.home.path().join("requests")).unwrap();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let bytes = |line: serde_json::Value, key: &str| line[key].as_u64().unwrap_or(0);
        lines.map(|line| bytes(line.clone(), "bytes_in") + bytes(line, "bytes_out")).sum()
    }

    /// A service that programs reach by the names of the real one, through a proxy.
    pub(crate) fn start_behind_proxy() -> Self {
        let proxy = "127.0.0.1:0".parse().unwrap();
        // rclone moves and renames in one call, so it needs a service that does both.
        let change = |builder: Builder| builder.proxy(proxy).folder_rename(FolderRename::Moves);
        let stage = Self::start_at(tempfile::tempdir().unwrap(), "1000", change);
        stage.emulator.write_ca(stage.home.path().join("ca.pem")).unwrap();
        stage
    }

    /// Starts a service that makes a second folder of a name when it is asked to.
    pub(crate) fn start_allowing_twin_folders() -> Self {
        let home = tempfile::tempdir().unwrap();
        Self::start_at(home, "1000", |builder| builder.mkdir_existing(MkdirExisting::Duplicate))
    }

    /// Starts a service that is set up by `change`, whose clients divide their times by `time_scale`.
    pub(crate) fn start_changed(time_scale: &'static str, change: impl FnOnce(Builder) -> Builder) -> Self {
        Self::start_at(tempfile::tempdir().unwrap(), time_scale, change)
    }

    fn start_with(limits: Limits) -> Self {
        let time_scale = if matches!(limits, Limits::Off) { "1000" } else { "100" };
        Self::start_at(tempfile::tempdir().unwrap(), time_scale, |builder| builder.limits(limits))
    }

    fn start_at(
        home: tempfile::TempDir,
        time_scale: &'static str,
        change: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let runtime = Runtime::new().unwrap();
        let mut builder = Emulator::builder();
        // This lets all tests run with either reading of a call.
        if let Ok(way) = std::env::var("FICHIER_TEST_FOLDER_RENAME") {
            builder = builder.folder_rename(way.parse().unwrap());
        }
        let emulator = runtime.block_on(change(builder).start()).unwrap();
        Self { emulator, home, time_scale, _runtime: runtime }
    }

    /// Returns the service's controls.
    pub(crate) fn control(&self) -> Control {
        self.emulator.control()
    }

    /// Returns the home of the programs, which is also their working directory.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Returns the address of the service, without its names.
    pub(crate) fn endpoint(&self) -> String {
        self.emulator.endpoint().to_string()
    }

    /// Returns the key of the account.
    pub(crate) fn api_key(&self) -> &str {
        self.emulator.api_key()
    }

    /// Returns the variables by which rclone and the binary find the proxy and trust it.
    pub(crate) fn proxy_environment(&self) -> [(&'static str, String); 2] {
        let proxy = self.emulator.proxy_addr().unwrap();
        let authority = self.home.path().join("ca.pem").to_str().unwrap().to_owned();
        [("HTTPS_PROXY", format!("http://{proxy}")), ("RCLONE_CA_CERT", authority)]
    }

    /// Returns the number of requests to the service, by endpoint.
    pub(crate) fn counters(&self) -> BTreeMap<String, u64> {
        self.control().counters().into_iter().filter(|(_, count)| *count > 0).collect()
    }

    /// Makes a new directory.
    pub(crate) fn directory(&self, name: &str) -> PathBuf {
        let path = self.home.path().join("work").join(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// Returns the binary, with its environment set.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fichier"));
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("TZ", "UTC")
            .env("RCLONE_CONFIG_T_TYPE", "fichier")
            .env("RCLONE_CONFIG_T_API_KEY", self.emulator.api_key())
            .env("RCLONE_CONFIG_T_ENDPOINT", self.emulator.endpoint().as_str())
            .env("RCLONE_CONFIG_T_TIME_SCALE", self.time_scale)
            .current_dir(self.home.path());
        if self.time_scale == "1000" {
            // A millisecond: the second run sees what a test changes between two runs.
            command.env("RCLONE_CONFIG_T_FOLDER_GAP", "1s");
        }
        command
    }

    /// Runs the binary.
    pub(crate) fn run(&self, words: &[&str]) -> Run {
        Run::of(self.command().args(words), &words.join(" "))
    }
}

impl Run {
    /// Runs a program; the name is for messages.
    pub(crate) fn of(command: &mut Command, name: &str) -> Self {
        let Output { status, stdout, stderr } = command.output().unwrap();
        Self {
            words: name.to_owned(),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
            status: status.code(),
        }
    }

    /// Checks that the run ended with this code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(
            self.status,
            Some(code),
            "{}\nstdout: {}\nstderr: {}",
            self.words,
            self.stdout,
            self.stderr
        );
        self
    }

    /// Checks that the run succeeded.
    #[track_caller]
    pub(crate) fn success(self) {
        self.code(0);
    }

    /// Checks that the run succeeded, and returns what it printed.
    #[track_caller]
    pub(crate) fn success_text(self) -> String {
        self.code(0).stdout
    }
}

/// Writes files below a directory.
pub(crate) fn write_tree(root: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (name, bytes) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Reads all files below a directory.
pub(crate) fn read_tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

/// Compares a directory with what it should hold. Says which files differ, not with which bytes.
pub(crate) fn assert_tree(root: &Path, expected: &BTreeMap<String, Vec<u8>>, why: &str) {
    let found = read_tree(root);
    let names: BTreeSet<_> = found.keys().chain(expected.keys()).collect();
    let differing: Vec<_> = names
        .into_iter()
        .filter(|name| found.get(*name) != expected.get(*name))
        .map(|name| (name, found.get(name).map(Vec::len), expected.get(name).map(Vec::len)))
        .collect();
    assert!(differing.is_empty(), "{why}: name, length found, length expected: {differing:?}");
}
