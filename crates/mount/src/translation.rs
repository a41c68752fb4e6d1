//! Requests of the kernel as calls of the file system, without a kernel.
//!
//! What this returns is what [`Kernel`](crate::kernel::Kernel) answers.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use fichier_vfs::{HandleId, NodeId, OpenFlags, RenameMode, SetAttributes, Vfs};
use fuser::{Errno, FileAttr, FopenFlags};
use rustix::fs::OFlags;

use crate::{
    attributes,
    errno::number,
    pages::{Pages, Version},
};

/// What the kernel is answered.
pub(crate) type Answer<T> = Result<T, Errno>;

/// How many entries of a folder are taken at once.
const ENTRIES: usize = 256;

/// Offsets of a folder's entries begin behind those of `.` and `..`.
const DOTS: u64 = 2;

/// The file system as the kernel asks it.
#[derive(Debug)]
pub(crate) struct Translation {
    pub(crate) vfs: Arc<Vfs>,
    pub(crate) pages: Pages,
    /// How long the kernel keeps attributes and names.
    pub(crate) timeout: Duration,
}

/// Room on the file system, in blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) blocks: u64,
    pub(crate) free: u64,
    pub(crate) files: u64,
    pub(crate) longest_name: u32,
}

/// Takes the entries of a folder.
pub(crate) trait Entries {
    /// Whether attributes are wanted. If so, each entry but `.` and `..` counts as looked up.
    const WITH_ATTRIBUTES: bool;

    /// Takes an entry. Returns whether there was no room for it.
    fn add(&mut self, attributes: &FileAttr, next: u64, name: &[u8]) -> bool;
}

impl Translation {
    pub(crate) fn new(vfs: Arc<Vfs>, timeout: Duration) -> Self {
        let pages = Pages::new(vfs.events());
        Self { vfs, pages, timeout }
    }

    pub(crate) async fn lookup(&self, folder: NodeId, name: &[u8]) -> Answer<FileAttr> {
        let found = self.vfs.lookup(folder, name).await;
        found.map(|found| attributes::of(&found)).map_err(|error| number(&error))
    }

    pub(crate) fn forget(&self, node: NodeId, count: u64) {
        self.pages.forget(node);
        self.vfs.forget(node, count);
    }

    pub(crate) async fn attributes(&self, node: NodeId) -> Answer<FileAttr> {
        let found = self.vfs.attributes(node).await;
        found.map(|found| attributes::of(&found)).map_err(|error| number(&error))
    }

    /// Changes size and time. Permissions and owners are those of the options, so a change of them does nothing.
    pub(crate) async fn set_attributes(
        &self,
        node: NodeId,
        size: Option<u64>,
        modified: Option<SystemTime>,
    ) -> Answer<FileAttr> {
        let changed = self.vfs.set_attributes(node, SetAttributes { size, modified }).await;
        changed.map(|changed| attributes::of(&changed)).map_err(|error| number(&error))
    }

    pub(crate) async fn make_folder(&self, folder: NodeId, name: &[u8]) -> Answer<FileAttr> {
        let made = self.vfs.make_folder(folder, name).await;
        made.map(|made| attributes::of(&made)).map_err(|error| number(&error))
    }

    pub(crate) async fn remove_file(&self, folder: NodeId, name: &[u8]) -> Answer<()> {
        self.vfs.remove_file(folder, name).await.map_err(|error| number(&error))
    }

    pub(crate) async fn remove_folder(&self, folder: NodeId, name: &[u8]) -> Answer<()> {
        self.vfs.remove_folder(folder, name).await.map_err(|error| number(&error))
    }

    pub(crate) async fn rename(
        &self,
        (folder, name): (NodeId, &[u8]),
        (new_folder, new_name): (NodeId, &[u8]),
        mode: RenameMode,
    ) -> Answer<()> {
        let renamed = self.vfs.rename(folder, name, new_folder, new_name, mode).await;
        renamed.map_err(|error| number(&error))
    }

    /// Makes a file and opens it.
    pub(crate) async fn create(
        &self,
        folder: NodeId,
        name: &[u8],
        flags: i32,
    ) -> Answer<(FileAttr, HandleId, FopenFlags)> {
        let created = self.vfs.create(folder, name, open_flags(flags)).await;
        let (made, handle) = created.map_err(|error| number(&error))?;
        // Nobody else can have changed it yet.
        let flags = self.pages.open(made.id, self.pages.version(made.id));
        Ok((attributes::of(&made), handle, flags))
    }

    /// Makes a file, as `mknod` does.
    pub(crate) async fn make_file(&self, folder: NodeId, name: &[u8]) -> Answer<FileAttr> {
        let created = self.vfs.create(folder, name, OpenFlags::READ_WRITE).await;
        let (made, handle) = created.map_err(|error| number(&error))?;
        self.vfs.release(handle);
        Ok(attributes::of(&made))
    }

    pub(crate) async fn open(&self, node: NodeId, flags: i32) -> Answer<(HandleId, FopenFlags)> {
        let before: Version = self.pages.version(node);
        let handle = self.vfs.open_file(node, open_flags(flags)).await.map_err(|error| number(&error))?;
        Ok((handle, self.pages.open(node, before)))
    }

    pub(crate) async fn read(&self, handle: HandleId, offset: u64, length: usize) -> Answer<Bytes> {
        self.vfs.read(handle, offset, length).await.map_err(|error| number(&error))
    }

    /// Writes bytes. With `appends`, they go to the end of the file as it is now.
    pub(crate) async fn write(
        &self,
        node: NodeId,
        handle: HandleId,
        offset: u64,
        bytes: Bytes,
        appends: bool,
    ) -> Answer<u32> {
        let offset = match appends {
            true => self.vfs.attributes(node).await.map_err(|error| number(&error))?.size,
            false => offset,
        };
        let written = self.vfs.write(handle, offset, bytes).await.map_err(|error| number(&error))?;
        u32::try_from(written).map_err(|_| Errno::EIO)
    }

    pub(crate) async fn flush(&self, handle: HandleId) -> Answer<()> {
        self.vfs.flush(handle).await.map_err(|error| number(&error))
    }

    pub(crate) async fn fsync(&self, handle: HandleId) -> Answer<()> {
        self.vfs.fsync(handle).await.map_err(|error| number(&error))
    }

    /// Closes a file. `is_direct` is whether it went past the kernel's pages.
    pub(crate) fn release(&self, node: NodeId, handle: HandleId, is_direct: bool) {
        if !is_direct {
            self.pages.close(node);
        }
        self.vfs.release(handle);
    }

    /// Makes a file at least so large, as `fallocate` without any mode does.
    pub(crate) async fn allocate(&self, node: NodeId, end: u64) -> Answer<()> {
        let size = self.attributes(node).await?.size;
        if size < end {
            self.set_attributes(node, Some(end), None).await?;
        }
        Ok(())
    }

    pub(crate) async fn open_folder(&self, node: NodeId) -> Answer<HandleId> {
        self.vfs.open_folder(node).await.map_err(|error| number(&error))
    }

    /// Gives out the entries of an open folder from an offset on, as many as there is room for.
    pub(crate) async fn read_folder<E: Entries>(
        &self,
        folder: NodeId,
        handle: HandleId,
        offset: u64,
        entries: &mut E,
    ) -> Answer<()> {
        for (place, name) in [(0, &b"."[..]), (1, b"..")] {
            if offset <= place {
                // Nobody looks at what stands for the folder above.
                let attributes = self.attributes(folder).await?;
                if entries.add(&attributes, place + 1, name) {
                    return Ok(());
                }
            }
        }
        let mut offset = offset.saturating_sub(DOTS);
        loop {
            let found = self.vfs.read_folder(handle, offset, ENTRIES).map_err(|error| number(&error))?;
            let Some(last) = found.last() else { return Ok(()) };
            offset = last.next;
            for entry in found {
                let (name, next) = (entry.name.as_bytes(), entry.next + DOTS);
                if !E::WITH_ATTRIBUTES {
                    if entries.add(&attributes::of(&entry.attributes), next, name) {
                        return Ok(());
                    }
                    continue;
                }
                // What the kernel notes must be as it is now.
                let Ok(now) = self.vfs.lookup(folder, name).await else { continue };
                if entries.add(&attributes::of(&now), next, name) {
                    self.vfs.forget(now.id, 1);
                    return Ok(());
                }
            }
        }
    }

    pub(crate) fn release_folder(&self, handle: HandleId) {
        self.vfs.release_folder(handle);
    }

    pub(crate) async fn room(&self) -> Answer<Room> {
        let statistics = self.vfs.statistics().await.map_err(|error| number(&error))?;
        let block = u64::from(attributes::BLOCK);
        Ok(Room {
            blocks: statistics.total / block,
            free: statistics.free / block,
            files: statistics.files,
            longest_name: statistics.longest_name,
        })
    }

    pub(crate) async fn extended_attribute(&self, node: NodeId, name: &[u8]) -> Answer<Vec<u8>> {
        let Ok(name) = str::from_utf8(name) else { return Err(Errno::NO_XATTR) };
        self.vfs.extended_attribute(node, name).await.map_err(|error| number(&error))
    }

    /// Returns the names of the extended attributes, each with a zero behind it.
    pub(crate) async fn extended_attributes(&self, node: NodeId) -> Answer<Vec<u8>> {
        let names = self.vfs.extended_attributes(node).await.map_err(|error| number(&error))?;
        Ok(names.into_iter().flat_map(|name| [name.as_bytes(), b"\0"].concat()).collect())
    }

    pub(crate) async fn set_extended_attribute(&self, node: NodeId, name: &[u8]) -> Answer<()> {
        let name = String::from_utf8_lossy(name);
        self.vfs.set_extended_attribute(node, &name).await.map_err(|error| number(&error))
    }
}

/// Returns what a file is opened for. What is appended is placed by [`Translation::write`], since pages of a memory map
/// have their own places, also through a handle that appends.
fn open_flags(flags: i32) -> OpenFlags {
    let flags = OFlags::from_bits_retain(flags.cast_unsigned());
    let access = flags & OFlags::RWMODE;
    OpenFlags {
        read: access != OFlags::WRONLY,
        write: access != OFlags::RDONLY,
        append: false,
        truncate: flags.contains(OFlags::TRUNC),
    }
}

/// Checks whether each write goes to the end.
pub(crate) fn appends(flags: i32) -> bool {
    OFlags::from_bits_retain(flags.cast_unsigned()).contains(OFlags::APPEND)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use fichier_storage::{Location, RemotePath, memory::MemoryRemote};
    use fichier_vfs::VfsOptions;

    use super::*;

    const ROOT: NodeId = NodeId::ROOT;
    const READ_WRITE: i32 = 2;
    const APPEND: i32 = 0o2000;

    async fn translation(directory: &Path) -> Translation {
        let remote = Arc::new(MemoryRemote::new("memory:"));
        let location = Location { remote, path: RemotePath::root() };
        let vfs = Vfs::open(location, VfsOptions::new(directory)).await.unwrap();
        Translation::new(vfs, Duration::from_secs(1))
    }

    /// Has room for three entries.
    #[derive(Default)]
    struct Three<const WITH_ATTRIBUTES: bool>(Vec<(u64, String)>);

    impl<const WITH_ATTRIBUTES: bool> Entries for Three<WITH_ATTRIBUTES> {
        const WITH_ATTRIBUTES: bool = WITH_ATTRIBUTES;

        fn add(&mut self, _: &FileAttr, next: u64, name: &[u8]) -> bool {
            if self.0.len() == 3 {
                return true;
            }
            self.0.push((next, String::from_utf8_lossy(name).into_owned()));
            false
        }
    }

    async fn names<const WITH_ATTRIBUTES: bool>(to: &Translation) -> Vec<String> {
        let handle = to.open_folder(ROOT).await.unwrap();
        let mut names = Vec::new();
        let mut offset = 0;
        loop {
            let mut entries = Three::<WITH_ATTRIBUTES>::default();
            to.read_folder(ROOT, handle, offset, &mut entries).await.unwrap();
            let Some((next, _)) = entries.0.last() else { break };
            offset = *next;
            names.extend(entries.0.into_iter().map(|(_, name)| name));
        }
        to.release_folder(handle);
        names
    }

    #[tokio::test]
    async fn a_folder_is_read_on_from_where_the_room_ended() {
        let home = tempfile::tempdir().unwrap();
        let to = translation(home.path()).await;
        let expected: BTreeSet<_> = (0..8).map(|number| format!("{number}")).collect();
        for name in &expected {
            to.make_file(ROOT, name.as_bytes()).await.unwrap();
        }
        for found in [names::<false>(&to).await, names::<true>(&to).await] {
            assert_eq!(found[..2], [".", ".."]);
            assert_eq!(found.len(), 10);
            assert_eq!(found[2..].iter().cloned().collect::<BTreeSet<_>>(), expected);
        }
    }

    #[tokio::test]
    async fn what_is_appended_goes_to_the_end_and_a_page_to_its_place() {
        let home = tempfile::tempdir().unwrap();
        let to = translation(home.path()).await;
        let (made, handle, _) = to.create(ROOT, b"file", READ_WRITE | APPEND).await.unwrap();
        let node = NodeId(made.ino.0);
        assert!(appends(READ_WRITE | APPEND) && !appends(READ_WRITE));
        for (offset, bytes, appends) in [(0, "hello", true), (0, " you", true), (0, "H", false)] {
            to.write(node, handle, offset, bytes.into(), appends).await.unwrap();
        }
        assert_eq!(to.read(handle, 0, 100).await.unwrap(), "Hello you");
        to.allocate(node, 4).await.unwrap();
        assert_eq!(to.attributes(node).await.unwrap().size, 9);
        to.allocate(node, 12).await.unwrap();
        assert_eq!(to.attributes(node).await.unwrap().size, 12);
        to.release(node, handle, false);
        let emptied = to.open(node, READ_WRITE | 0o1000).await.unwrap();
        assert_eq!(to.attributes(node).await.unwrap().size, 0);
        to.release(node, emptied.0, false);
    }

    #[tokio::test]
    async fn errors_are_numbers() {
        let home = tempfile::tempdir().unwrap();
        let to = translation(home.path()).await;
        assert_eq!(to.lookup(ROOT, b"nothing").await.unwrap_err(), Errno::ENOENT);
        to.make_folder(ROOT, b"folder").await.unwrap();
        assert_eq!(to.make_folder(ROOT, b"folder").await.unwrap_err(), Errno::EEXIST);
        assert_eq!(to.remove_file(ROOT, b"folder").await.unwrap_err(), Errno::EISDIR);
        assert_eq!(to.extended_attribute(ROOT, b"\xff").await.unwrap_err(), Errno::NO_XATTR);
        assert_eq!(to.set_extended_attribute(ROOT, b"user.x").await.unwrap_err(), Errno::EOPNOTSUPP);
        let exchanged = to.rename((ROOT, b"folder"), (ROOT, b"folder"), RenameMode::Exchange).await;
        assert_eq!(exchanged.unwrap_err(), Errno::EINVAL);
    }
}
