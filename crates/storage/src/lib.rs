//! The storage abstraction: what every remote is and promises.
//!
//! A [`Remote`] is a place that holds files in folders: a 1Fichier account, a local directory. This crate knows no
//! backend and no wire. It holds the trait, the types that all layers share ([`RemotePath`], [`Entry`], [`File`],
//! [`Whirlpool`], [`Outcome`]) and the [`conformance`] suite that every remote passes.
//!
//! Two rules shape the trait:
//! - **batch first**: operations that change something take a list and answer item by item;
//! - **what a listing said is never asked again**: a [`File`] carries its size, checksum and identity.

mod batch;
mod changes;
mod checksum;
pub mod conformance;
mod content;
#[doc(hidden)]
pub mod delegate;
mod entry;
mod error;
mod extensions;
mod file_list;
mod hash_kinds;
mod hashing;
mod info;
mod listing;
mod location;
pub mod memory;
pub mod metadata;
mod outcome;
mod path;
mod place;
mod remote;

pub use batch::{FolderRelocation, Relocation, WriteBatch, WriteItem};
pub use changes::{ChangeWatch, ChangedFolders, Changes};
pub use checksum::{ParseWhirlpoolError, Whirlpool, WhirlpoolHasher};
pub use content::{ByteRange, ByteStream, Content, MemoryContent, Ranges, RemoteContent, collect};
pub use entry::{Entry, File, FileId, Fingerprint, Folder};
pub use error::{Blame, Refusal, Result, Retry, StorageError};
pub use extensions::{
    AccountInfo, AccountOf, Extensions, FetchFromWeb, FetchRequest, FetchResult, FetchState, FetchTask,
    FileMetadata, LinkRequest, LinkState, LinkStates, MergeFolders, OldVersions, PublicFiles, PublicLink,
    PublicLinks, Usage, UsageOf,
};
pub use file_list::FileList;
pub use hash_kinds::{HashKind, HashKinds};
pub use hashing::{HashStream, Hashing};
pub use info::{BatchLimit, Features, NameLength, NameRules, RemoteInfo, Times};
pub use listing::{Freshness, Gap, Listing};
pub use location::Location;
pub use outcome::Outcome;
pub use path::{InvalidName, InvalidPath, Name, RemotePath};
pub use place::{FolderIdentity, PlaceId, Step};
pub use remote::{FileReader, Remote, RemoteExt};
