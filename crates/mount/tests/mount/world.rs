//! A file system that is mounted by the kernel, over a remote in memory.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use fichier_mount::{Mount, MountOptions};
use fichier_storage::{
    Location, MemoryContent, Remote as _, RemotePath, WriteBatch, WriteItem, memory::MemoryRemote,
};
use fichier_vfs::{CacheMode, NodeId, Vfs, VfsOptions};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) struct World {
    pub(crate) remote: Arc<MemoryRemote>,
    pub(crate) vfs: Arc<Vfs>,
    // Unmounted before anything else goes.
    mount: Option<Mount>,
    runtime: Runtime,
    directory: TempDir,
    _cache: TempDir,
}

impl World {
    /// Mounts an empty remote. Without FUSE, says so: the test then counts as skipped.
    pub(crate) fn new() -> Option<Self> {
        Self::with(|_, _| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut VfsOptions, &mut MountOptions)) -> Option<Self> {
        if !Path::new("/dev/fuse").exists() || !rustix::process::geteuid().is_root() {
            // Past the test's captured output, so that a run shows it.
            let said = writeln!(io::stderr(), "skipped: a mount needs /dev/fuse, and root");
            return said.ok().and(None);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.unwrap();
        let cache = tempfile::tempdir().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let mut options = VfsOptions {
            write_back: Duration::from_millis(20),
            cache_mode: CacheMode::Full,
            ..VfsOptions::new(cache.path())
        };
        let mut how = MountOptions::default();
        change(&mut options, &mut how);
        let remote = Arc::new(MemoryRemote::new("memory:"));
        let location = Location { remote: remote.clone(), path: RemotePath::root() };
        let (vfs, mount) = runtime.block_on(async {
            let vfs = Vfs::open(location, options).await.unwrap();
            let mount = Mount::new(vfs.clone(), directory.path(), &how).await.unwrap();
            (vfs, mount)
        });
        Some(Self { remote, vfs, mount: Some(mount), runtime, directory, _cache: cache })
    }

    /// Returns a path below the mount.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// Stores a file as another client would.
    pub(crate) fn store(&self, path: &str, bytes: &[u8]) {
        let path = RemotePath::parse(path).unwrap();
        let item = WriteItem {
            name: path.name().unwrap(),
            size: bytes.len() as u64,
            modified: None,
            expected: None,
            content: Arc::new(MemoryContent(bytes.to_vec().into())),
            replaces: vec![],
            metadata: vec![],
        };
        let batch = WriteBatch { folder: path.parent().unwrap(), items: vec![item] };
        let stored = self.runtime.block_on(self.remote.write(batch)).pop().unwrap();
        stored.into_result().unwrap();
    }

    /// Lists the root anew, as the file system does by itself after some time.
    pub(crate) fn refresh(&self) {
        self.runtime.block_on(self.vfs.refresh(NodeId::ROOT)).unwrap();
    }

    /// Sends all that is closed.
    pub(crate) fn sync(&self) {
        self.runtime.block_on(self.vfs.sync()).unwrap();
    }

    /// Waits until the kernel says that the mount has ended.
    pub(crate) fn ended(&mut self) {
        self.runtime.block_on(self.mount.as_mut().unwrap().ended()).unwrap();
    }

    /// Unmounts, and returns whether the mount was in use.
    pub(crate) fn unmount(&mut self) -> bool {
        self.runtime.block_on(self.mount.take().unwrap().unmount()).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mount) = self.mount.take() {
            let _ = self.runtime.block_on(mount.unmount());
        }
        self.vfs.shutdown();
    }
}

/// Runs a program that must succeed, and returns what it wrote.
pub(crate) fn run(program: &str, words: &[&dyn AsRef<std::ffi::OsStr>]) -> String {
    let mut command = Command::new(program);
    words.iter().for_each(|word| {
        command.arg(word.as_ref());
    });
    // git takes no notice of whoever runs the test.
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    command.env("HOME", "/nonexistent").env("LC_ALL", "C");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Checks whether a program is there.
pub(crate) fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        let _ = writeln!(io::stderr(), "skipped: there is no {program}");
    }
    found
}

/// Returns the names in a directory, sorted.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Bytes that don't repeat soon.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = (0..length.div_ceil(8)).flat_map(next).collect();
    bytes.truncate(length);
    bytes
}
