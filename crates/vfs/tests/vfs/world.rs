//! A file system under test, with its remote and its directory.

use std::{sync::Arc, time::Duration};

use fichier_storage::{
    Location, MemoryContent, Remote, RemoteExt as _, RemotePath, WriteBatch, WriteItem, collect,
    memory::MemoryRemote,
};
use fichier_vfs::{Attributes, CacheMode, Errno, HandleId, NodeId, OpenFlags, Result, Vfs, VfsOptions};
use tempfile::TempDir;

use crate::watched::Watched;

pub(crate) const ROOT: NodeId = NodeId::ROOT;

pub(crate) struct World {
    pub(crate) remote: Arc<Watched>,
    pub(crate) home: TempDir,
    pub(crate) options: VfsOptions,
    pub(crate) vfs: Slot,
}

/// The file system, which can be taken away.
pub(crate) struct Slot(Option<Arc<Vfs>>);

impl std::ops::Deref for Slot {
    type Target = Arc<Vfs>;

    fn deref(&self) -> &Arc<Vfs> {
        self.0.as_ref().unwrap()
    }
}

pub(crate) fn path(text: &str) -> RemotePath {
    RemotePath::parse(text).unwrap()
}

/// Options that wait for nothing.
pub(crate) fn quick(home: &TempDir) -> VfsOptions {
    VfsOptions {
        write_back: Duration::ZERO,
        cache_mode: CacheMode::Full,
        read_wait: Duration::ZERO,
        ..VfsOptions::new(home.path())
    }
}

/// Stores a file as another client would.
pub(crate) async fn store(remote: &dyn Remote, at: &str, bytes: impl Into<Vec<u8>>) {
    let at = path(at);
    let bytes: Vec<u8> = bytes.into();
    let item = WriteItem {
        name: at.name().unwrap(),
        size: bytes.len() as u64,
        modified: None,
        expected: None,
        content: Arc::new(MemoryContent(bytes.into())),
        replaces: vec![],
        metadata: vec![],
    };
    let batch = WriteBatch { folder: at.parent().unwrap(), items: vec![item] };
    remote.write(batch).await.pop().unwrap().into_result().unwrap();
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(MemoryRemote::new("memory:"), |_| {}).await
    }

    pub(crate) async fn with(remote: MemoryRemote, change: impl FnOnce(&mut VfsOptions)) -> Self {
        Self::over(Watched::new(remote), change).await
    }

    pub(crate) async fn over(remote: Arc<Watched>, change: impl FnOnce(&mut VfsOptions)) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut options = quick(&home);
        change(&mut options);
        let vfs = Slot(Some(open(&remote, &options).await));
        Self { remote, home, options, vfs }
    }

    /// Ends the file system as a kill would, and opens another one on the same directory.
    pub(crate) async fn restart(&mut self) {
        self.vfs.0 = None;
        self.remote.heal();
        self.vfs.0 = Some(open(&self.remote, &self.options).await);
    }

    pub(crate) async fn find(&self, at: &str) -> Result<Attributes> {
        let mut found = self.vfs.attributes(ROOT).await?;
        for name in path(at).names() {
            found = self.vfs.lookup(found.id, name.as_bytes()).await?;
        }
        Ok(found)
    }

    pub(crate) async fn id(&self, at: &str) -> NodeId {
        self.find(at).await.unwrap_or_else(|error| panic!("{at}: {error}")).id
    }

    async fn place<'a>(&self, at: &'a str) -> (NodeId, &'a [u8]) {
        match at.rsplit_once('/') {
            Some((folder, name)) => (self.id(folder).await, name.as_bytes()),
            None => (ROOT, at.as_bytes()),
        }
    }

    pub(crate) async fn create(&self, at: &str) -> Result<HandleId> {
        let (folder, name) = self.place(at).await;
        Ok(self.vfs.create(folder, name, OpenFlags::READ_WRITE).await?.1)
    }

    pub(crate) async fn open(&self, at: &str, flags: OpenFlags) -> Result<HandleId> {
        self.vfs.open_file(self.id(at).await, flags).await
    }

    /// Makes or overwrites a file, as `cp` does.
    pub(crate) async fn write(&self, at: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
        let handle = match self.find(at).await {
            Ok(found) => {
                let flags = OpenFlags { truncate: true, ..OpenFlags::READ_WRITE };
                self.vfs.open_file(found.id, flags).await?
            }
            Err(_) => self.create(at).await?,
        };
        let written = self.vfs.write(handle, 0, bytes.as_ref().to_vec().into()).await;
        self.vfs.release(handle);
        written.map(drop)
    }

    pub(crate) async fn read(&self, at: &str) -> Result<Vec<u8>> {
        let found = self.find(at).await?;
        let handle = self.vfs.open_file(found.id, OpenFlags::READ).await?;
        let read = self.read_all(handle).await;
        self.vfs.release(handle);
        read
    }

    pub(crate) async fn read_all(&self, handle: HandleId) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let bytes = self.vfs.read(handle, all.len() as u64, 100_000).await?;
            if bytes.is_empty() {
                return Ok(all);
            }
            all.extend_from_slice(&bytes);
        }
    }

    pub(crate) async fn make_folder(&self, at: &str) -> Result<NodeId> {
        let (folder, name) = self.place(at).await;
        Ok(self.vfs.make_folder(folder, name).await?.id)
    }

    pub(crate) async fn remove_folder(&self, at: &str) -> Result<()> {
        let (folder, name) = self.place(at).await;
        self.vfs.remove_folder(folder, name).await
    }

    pub(crate) async fn remove(&self, at: &str) -> Result<()> {
        let (folder, name) = self.place(at).await;
        self.vfs.remove_file(folder, name).await
    }

    pub(crate) async fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.rename_so(from, to, fichier_vfs::RenameMode::Replace).await
    }

    pub(crate) async fn rename_so(&self, from: &str, to: &str, mode: fichier_vfs::RenameMode) -> Result<()> {
        let (folder, name) = self.place(from).await;
        let (new_folder, new_name) = self.place(to).await;
        self.vfs.rename(folder, name, new_folder, new_name, mode).await
    }

    /// Returns the names in a folder, folders with a slash.
    pub(crate) async fn names(&self, at: &str) -> Vec<String> {
        let handle = self.vfs.open_folder(self.id(at).await).await.unwrap();
        let entries = self.vfs.read_folder(handle, 0, usize::MAX).unwrap();
        self.vfs.release_folder(handle);
        let slash = |kind| if kind == fichier_vfs::Kind::Folder { "/" } else { "" };
        entries.iter().map(|entry| format!("{}{}", entry.name, slash(entry.attributes.kind))).collect()
    }

    /// Returns what the service has at a path.
    pub(crate) async fn at_service(&self, at: &str) -> Option<Vec<u8>> {
        at_service(&self.remote.inner, at).await
    }

    /// Returns all files that the service has, with how many bytes.
    pub(crate) async fn all_at_service(&self) -> Vec<(String, u64)> {
        let mut all = Vec::new();
        let mut rest = vec![RemotePath::root()];
        while let Some(folder) = rest.pop() {
            for entry in self.remote.inner.entries(&folder).await.unwrap() {
                match entry.as_file() {
                    Some(file) => all.push((file.path.to_string(), file.size)),
                    None => {
                        all.push((format!("{}/", entry.path()), 0));
                        rest.push(entry.path().clone());
                    }
                }
            }
        }
        all.sort();
        all
    }
}

pub(crate) async fn at_service(remote: &dyn Remote, at: &str) -> Option<Vec<u8>> {
    let entry = remote.entry(&path(at)).await.ok()?;
    let stream = remote.read(entry.as_file()?, fichier_storage::ByteRange::WHOLE).await.unwrap();
    Some(collect(stream).await.unwrap())
}

pub(crate) async fn open(remote: &Arc<Watched>, options: &VfsOptions) -> Arc<Vfs> {
    let location = Location { remote: remote.clone(), path: RemotePath::root() };
    Vfs::open(location, options.clone()).await.unwrap()
}

/// Returns the kind of error.
pub(crate) fn errno<T>(result: Result<T>) -> Errno {
    result.map(drop).unwrap_err().errno()
}

/// Waits until something is so, for at most ten seconds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    for _ in 0..1000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}
