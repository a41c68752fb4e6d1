//! What the file system gives out and takes: numbers of nodes and handles, attributes, entries, and news.

use std::{sync::Arc, time::SystemTime};

use fichier_storage::Name;

/// Number of a file or folder in the file system. It isn't given again as long as the file system runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

impl NodeId {
    /// The root of the file system.
    pub const ROOT: Self = Self(1);
}

/// Number of an open file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HandleId(pub u64);

/// Whether a node is a file or a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// What `stat` tells of a file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// Number of the node.
    pub id: NodeId,
    /// Whether it is a file or a folder.
    pub kind: Kind,
    /// Size in bytes; 0 for a folder.
    pub size: u64,
    /// Time of the last change.
    pub modified: SystemTime,
    /// Permission bits, without the kind.
    pub permissions: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// How many names it has.
    pub links: u32,
}

/// A change of attributes; what is `None` stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SetAttributes {
    /// New size in bytes.
    pub size: Option<u64>,
    /// New time of the last change.
    pub modified: Option<SystemTime>,
}

/// What a file is opened for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenFlags {
    /// For reading.
    pub read: bool,
    /// For writing.
    pub write: bool,
    /// Each write goes to the end.
    pub append: bool,
    /// The file is emptied first.
    pub truncate: bool,
}

impl OpenFlags {
    /// For reading only.
    pub const READ: Self = Self { read: true, write: false, append: false, truncate: false };
    /// For reading and writing.
    pub const READ_WRITE: Self = Self { read: true, write: true, append: false, truncate: false };
}

/// How a rename treats what is at the new name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RenameMode {
    /// It is replaced.
    #[default]
    Replace,
    /// The rename fails.
    NoReplace,
    /// Both change places, which is refused.
    Exchange,
}

/// One entry of an open folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderEntry {
    /// Name in the folder.
    pub name: Name,
    /// Attributes of the entry, with its number, as they were when the folder was opened.
    pub attributes: Attributes,
    /// Offset from which reading goes on behind this entry.
    pub next: u64,
}

/// Room on the file system, as `statfs` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// Bytes in all.
    pub total: u64,
    /// Bytes that are free.
    pub free: u64,
    /// Number of files; 0 if it isn't known.
    pub files: u64,
    /// Longest name, in bytes.
    pub longest_name: u32,
}

/// What the file system is at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Status {
    /// Bytes in the cache of what was read, heads and tails included.
    pub cached: u64,
    /// Bytes that the service doesn't have yet.
    pub dirty: u64,
    /// Files that are open for writing.
    pub open: usize,
    /// Closed files that wait to be sent.
    pub waiting: usize,
    /// Files that are being sent.
    pub sending: usize,
    /// Files whose last try failed.
    pub failing: usize,
    /// Empty files that the service can't store.
    pub empty: usize,
    /// Removals, renames and new folders that wait for the service.
    pub changes: usize,
    /// Calls of the remote so far: listings, batches, lists, and opened streams.
    pub calls: u64,
}

/// News for whoever keeps answers of the file system, like a kernel.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// The entry of this name changed, came or went, by somebody else.
    Entry {
        /// The folder.
        folder: NodeId,
        /// The name in it.
        name: Name,
    },
    /// The content of this file changed, by somebody else.
    Content(NodeId),
    /// Something could not be done at the service.
    Failed {
        /// Path of the file or folder.
        path: String,
        /// What was refused, and why.
        reason: Arc<str>,
        /// Whether it is tried again; else it was undone.
        is_tried_again: bool,
    },
}
