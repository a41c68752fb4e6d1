//! The storage abstraction: what every remote is and promises.
//!
//! A [`Remote`] is a place that holds files in folders: a 1Fichier account, a local directory. This crate
//! knows no backend and no wire; it holds the trait, the words that all floors share ([`RemotePath`],
//! [`Entry`], [`File`], [`Whirlpool`], [`Outcome`]) and the [`conformance`] suite that every remote passes.
//!
//! Two rules shape the trait:
//! - **batch first**: operations that change something take a list and answer item by item;
//! - **what a listing told is never asked again**: a [`File`] carries its size, checksum and identity.

mod checksum;
pub mod conformance;
mod content;
mod entry;
mod error;
mod hashing;
pub mod metadata;
mod outcome;
mod path;
mod place;
mod private;
mod remote;

pub use checksum::{ParseWhirlpoolError, Whirlpool, WhirlpoolHasher};
pub use content::{ByteRange, ByteStream, Content, MemoryContent, Ranges, RemoteContent, collect};
pub use entry::{Entry, File, FileId, Fingerprint, Folder};
pub use error::{Blame, Result, Retry, StorageError};
pub use hashing::{HashStream, Hashing};
pub use outcome::Outcome;
pub use path::{InvalidName, InvalidPath, Name, RemotePath};
pub use place::{FolderIdentity, PlaceId, Step};
pub use private::make_private;
pub use remote::{
    AccountInfo, BatchLimit, Features, Gap, LinkRequest, Listing, Location, Relocation, Remote, RemoteInfo,
    Usage, WriteBatch, WriteItem,
};
