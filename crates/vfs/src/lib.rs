//! A file system over any remote: what a mount and a server are made of.
//!
//! [`Vfs`] shows a folder of a [`Remote`](fichier_storage::Remote) as a file system: nodes with numbers, handles,
//! reads and writes at any place. It knows no kernel and no wire. What it does in each case, and how old what it says
//! may be, is written down in `docs/semantics.md`; a test stands for each paragraph.
//!
//! - The tree holds what is known of folders and files, with what isn't sent lying over what was listed.
//! - What is read comes in streams that grow, through a cache of blocks on disk that is known by content.
//! - What is written goes into a journal on disk that survives the program's end, and to the service in batches.
//! - Removals, renames and new folders are journaled as well, and sent in lists.
//!
//! ```
//! use std::sync::Arc;
//! use fichier_storage::{Location, RemotePath, memory::MemoryRemote};
//! use fichier_vfs::{NodeId, OpenFlags, Vfs, VfsOptions};
//!
//! # let directory = tempfile::tempdir()?;
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let remote = Arc::new(MemoryRemote::new("memory:"));
//! let location = Location { remote, path: RemotePath::root() };
//! let vfs = Vfs::open(location, VfsOptions::new(directory.path())).await?;
//! let (_, handle) = vfs.create(NodeId::ROOT, b"hello", OpenFlags::READ_WRITE).await?;
//! vfs.write(handle, 0, "world".into()).await?;
//! vfs.release(handle);
//! vfs.sync().await?;
//! assert_eq!(vfs.lookup(NodeId::ROOT, b"hello").await?.size, 5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attributes;
mod blocking;
mod cache;
mod change;
mod core;
mod error;
mod journal;
mod listing;
mod options;
mod positioned;
mod read;
mod snapshot;
mod tree;
mod types;
mod vfs;
mod write;

pub use error::{Errno, Result, SharedError, VfsError};
pub use options::{CacheMode, Fsync, VfsOptions};
pub use types::{
    Attributes, Event, FolderEntry, HandleId, Kind, NodeId, OpenFlags, RenameMode, SetAttributes, Statistics,
    Status,
};
pub use vfs::Vfs;
