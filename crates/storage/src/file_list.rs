//! Files from anywhere as one flat folder: what a list of links leads to can be copied as any remote is.

use std::{collections::HashSet, sync::Arc, time::SystemTime};

use async_trait::async_trait;

use crate::{
    BatchLimit, Entry, Extensions, Features, File, FileReader, Folder, FolderIdentity, FolderRelocation,
    Freshness, HashKinds, Listing, Name, NameRules, Outcome, PlaceId, Relocation, Remote, RemoteExt as _,
    RemoteInfo, RemotePath, Result, StorageError, Times, WriteBatch,
};

/// A folder that holds given files and can't be changed. Another remote reads them.
#[derive(Debug)]
pub struct FileList {
    info: RemoteInfo,
    reads: Arc<dyn Remote>,
    files: Vec<File>,
    /// The files by the names that `reads` gave them.
    originals: Vec<File>,
}

impl FileList {
    /// Makes a folder of files that `reads` can read. Files that share a name are told apart by numbers:
    /// `name (1).txt`. `identity` tells this list from all other folders.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        identity: FolderIdentity,
        reads: Arc<dyn Remote>,
        originals: Vec<File>,
    ) -> Self {
        let inner = reads.info();
        let info = RemoteInfo {
            name: name.into(),
            place: PlaceId::root(identity),
            backend: inner.backend,
            features: Features {
                networked: inner.features.networked,
                read_only: true,
                public_links: inner.features.networked,
                ..Features::default()
            },
            batch: BatchLimit::SINGLE,
            hashes: HashKinds::BY_READING,
            times: Times::default(),
            names: NameRules { encoding: inner.names.encoding.clone(), ..NameRules::default() },
            skips_empty_files: false,
        };
        let files = told_apart(&originals);
        Self { info, reads, files, originals }
    }

    fn refuse<T>(&self, count: usize) -> Vec<Outcome<T>> {
        (0..count).map(|_| Outcome::Failed(self.unsupported("change a list of links"))).collect()
    }
}

/// Gives each file a name of its own, in the root.
fn told_apart(files: &[File]) -> Vec<File> {
    let root = RemotePath::root();
    let mut taken: HashSet<Vec<u8>> = HashSet::new();
    let names: HashSet<Vec<u8>> =
        files.iter().filter_map(|file| file.path.name()).map(|name| name.as_bytes().to_vec()).collect();
    let own_name = |file: &File| {
        let name = file.path.name()?;
        if taken.insert(name.as_bytes().to_vec()) {
            return Some(name);
        }
        // A number that no other file has in its name.
        (1_u32..).find_map(|number| {
            let numbered = numbered(&name, number)?;
            let free = !names.contains(numbered.as_bytes()) && taken.insert(numbered.as_bytes().to_vec());
            free.then_some(numbered)
        })
    };
    let names: Vec<_> = files.iter().map(own_name).collect();
    let named = files.iter().zip(names);
    named.filter_map(|(file, name)| Some(File { path: root.join(&name?), ..file.clone() })).collect()
}

/// Puts a number before the ending of a name.
fn numbered(name: &Name, number: u32) -> Option<Name> {
    let bytes = name.as_bytes();
    let dot = bytes.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0).unwrap_or(bytes.len());
    let mut new = bytes[..dot].to_vec();
    new.extend_from_slice(format!(" ({number})").as_bytes());
    new.extend_from_slice(&bytes[dot..]);
    Name::new(new).ok()
}

#[async_trait]
impl Remote for FileList {
    fn info(&self) -> &RemoteInfo {
        &self.info
    }

    async fn place(&self, folder: &RemotePath) -> Result<PlaceId> {
        Ok(self.info.place.join(folder))
    }

    async fn list(&self, folder: &RemotePath, _age: Freshness) -> Result<Listing> {
        if folder.is_root() {
            let entries = self.files.iter().cloned().map(Entry::File).collect();
            return Ok(Listing { entries, gaps: Vec::new() });
        }
        if self.files.iter().any(|file| file.path == *folder) {
            return Err(StorageError::IsAFile(folder.clone()));
        }
        Err(StorageError::FolderNotFound(folder.clone()))
    }

    async fn find(&self, path: &RemotePath, _age: Freshness) -> Result<Entry> {
        if path.is_root() {
            return Ok(Entry::Folder(Folder { path: path.clone(), modified: None, id: None }));
        }
        let found = self.files.iter().find(|file| file.path == *path).cloned();
        found.map(Entry::File).ok_or_else(|| StorageError::FileNotFound(path.clone()))
    }

    fn forget(&self, _folder: &RemotePath) {}

    fn reader(&self, file: &File) -> Arc<dyn FileReader> {
        let original = self.originals.iter().find(|original| original.id == file.id);
        self.reads.reader(original.unwrap_or(file))
    }

    async fn write(&self, batch: WriteBatch) -> Vec<Outcome<File>> {
        self.refuse(batch.items.len())
    }

    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>> {
        self.refuse(batch.len())
    }

    async fn remove_unchanged(&self, batch: &[File]) -> Vec<Outcome<()>> {
        self.refuse(batch.len())
    }

    async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        self.refuse(batch.len())
    }

    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        self.refuse(batch.len())
    }

    async fn copy(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        self.refuse(batch.len())
    }

    async fn rename(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        self.refuse(batch.len())
    }

    async fn rename_folders(&self, batch: &[FolderRelocation]) -> Vec<Outcome<()>> {
        self.refuse(batch.len())
    }

    async fn set_modified(&self, batch: &[(File, SystemTime)]) -> Vec<Outcome<()>> {
        self.refuse(batch.len())
    }

    fn extensions(&self) -> Extensions<'_> {
        Extensions::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &[&str]) -> Vec<String> {
        let file = |name: &&str| File::new(RemotePath::parse(name).unwrap(), 1);
        let files: Vec<_> = of.iter().map(file).collect();
        told_apart(&files).iter().map(|file| file.path.to_string()).collect()
    }

    #[test]
    fn files_that_share_a_name_get_numbers_that_no_other_has() {
        assert_eq!(
            names(&["a.txt", "a.txt", "b", "a (1).txt", "a.txt", "b"]),
            ["a.txt", "a (2).txt", "b", "a (1).txt", "a (3).txt", "b (1)"]
        );
        assert_eq!(
            names(&[".x", ".x", "x.tar.gz", "x.tar.gz"]),
            [".x", ".x (1)", "x.tar.gz", "x.tar (1).gz"]
        );
    }
}
