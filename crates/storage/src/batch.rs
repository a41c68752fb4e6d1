//! Lists of what is to be done: what goes into one call of a [`Remote`](crate::Remote).

use std::{fmt, sync::Arc, time::SystemTime};

use crate::{Content, File, Name, RemotePath, Whirlpool, metadata::Metadata};

/// Files to be stored in one folder. The folder is made if it isn't there, with its parents.
#[derive(Debug)]
pub struct WriteBatch {
    /// The folder.
    pub folder: RemotePath,
    /// The files.
    pub items: Vec<WriteItem>,
}

/// One file to be stored.
pub struct WriteItem {
    /// Its name in the folder.
    pub name: Name,
    /// How many bytes it has. More or fewer from `content` is an error.
    pub size: u64,
    /// Its modification time, for remotes that keep one.
    pub modified: Option<SystemTime>,
    /// The checksum that its bytes must have, where it is known.
    pub expected: Option<Whirlpool>,
    /// Its bytes.
    pub content: Arc<dyn Content>,
    /// The old versions that this one stands for: removed after it is stored and verified, never before.
    pub replaces: Vec<File>,
    /// What it is to have besides, where that is kept: [`FileMetadata`](crate::FileMetadata).
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

/// A file that is to be copied or moved inside its remote.
#[derive(Debug, Clone)]
pub struct Relocation {
    /// The file as it was seen.
    pub from: File,
    /// Where it, or its copy, shall be.
    pub to: RemotePath,
    /// The old versions at the destination: removed after the new one is there, never before.
    pub replaces: Vec<File>,
}

/// A folder that is to be moved or renamed inside its remote, with all that it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderRelocation {
    /// Where it is.
    pub from: RemotePath,
    /// Where it shall be.
    pub to: RemotePath,
}
