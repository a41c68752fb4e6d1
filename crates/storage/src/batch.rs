//! Batches: what goes into one call of a [`Remote`](crate::Remote).

use std::{fmt, sync::Arc, time::SystemTime};

use crate::{Content, File, Name, RemotePath, Whirlpool, metadata::Metadata};

/// Files to be stored in one folder. The folder and its parents are made if they are missing.
#[derive(Debug)]
pub struct WriteBatch {
    /// Path of the folder.
    pub folder: RemotePath,
    /// The files to store.
    pub items: Vec<WriteItem>,
}

/// One file to be stored.
pub struct WriteItem {
    /// Name of the file in its folder.
    pub name: Name,
    /// Size in bytes. It is an error if `content` gives more or fewer.
    pub size: u64,
    /// Modification time, for remotes that keep one.
    pub modified: Option<SystemTime>,
    /// Checksum that the content must have, where it is known.
    pub expected: Option<Whirlpool>,
    /// The bytes to store.
    pub content: Arc<dyn Content>,
    /// Old versions that this file replaces. They are removed after it is stored and verified, never before.
    pub replaces: Vec<File>,
    /// Metadata to keep with the file, where the remote can: [`FileMetadata`](crate::FileMetadata).
    pub metadata: Metadata,
}

impl fmt::Debug for WriteItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteItem")
            .field("name", &self.name)
            .field("size", &self.size)
            .field("replaces", &self.replaces)
            .finish_non_exhaustive()
    }
}

/// A file to be copied or moved inside its remote.
#[derive(Debug, Clone)]
pub struct Relocation {
    /// The file as it was listed.
    pub from: File,
    /// Path of the moved file or of the copy.
    pub to: RemotePath,
    /// Old versions at the destination. They are removed after the new file is there, never before.
    pub replaces: Vec<File>,
}

/// A folder to be moved or renamed inside its remote, with everything in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderRelocation {
    /// Path of the folder now.
    pub from: RemotePath,
    /// Path of the folder afterwards.
    pub to: RemotePath,
}
