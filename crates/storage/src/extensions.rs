//! What only some remotes can do, each a small trait of its own.

use std::time::Duration;

use async_trait::async_trait;

use crate::{Entry, File, RemotePath, Result, metadata::Metadata};

/// What a remote can do beyond storing files; `None`: it can't.
///
/// A wrapper names each field, so that a new extension is a decision for every wrapper and never passes by itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extensions<'a> {
    /// Tells how much is used and free.
    pub usage: Option<&'a dyn UsageOf>,
    /// Tells whose account it is.
    pub account: Option<&'a dyn AccountOf>,
    /// Makes public links.
    pub links: Option<&'a dyn PublicLinks>,
    /// Makes one folder of those that share a path.
    pub merge: Option<&'a dyn MergeFolders>,
    /// Keeps more of files and folders than a listing tells.
    pub metadata: Option<&'a dyn FileMetadata>,
    /// Knows files that anybody has made public at the same service.
    pub public_files: Option<&'a dyn PublicFiles>,
    /// Knows the old versions that an earlier run didn't come to remove.
    pub old_versions: Option<&'a dyn OldVersions>,
}

/// A remote that knows files which anybody has made public at the same service.
#[async_trait]
pub trait PublicFiles: std::fmt::Debug + Send + Sync {
    /// Returns the file that a public link leads to, as a file of the root. It can be read, and copied to a place in
    /// the remote; it needn't lie there itself.
    ///
    /// # Errors
    /// There is no such file, or it isn't told.
    async fn public_file(&self, link: &str) -> Result<File>;
}

/// A remote that knows the old versions that an earlier run didn't come to remove.
pub trait OldVersions: std::fmt::Debug + Send + Sync {
    /// Returns whether this file should have gone when a newer version of it was stored.
    fn should_have_gone(&self, file: &File) -> bool;
}

/// A remote that tells how much is used and free.
#[async_trait]
pub trait UsageOf: std::fmt::Debug + Send + Sync {
    /// Returns how much is used and free.
    ///
    /// # Errors
    /// It can't be learned.
    async fn usage(&self) -> Result<Usage>;
}

/// A remote with an account behind it.
#[async_trait]
pub trait AccountOf: std::fmt::Debug + Send + Sync {
    /// Returns whose account it is.
    ///
    /// # Errors
    /// It can't be learned: a wrong key, a service that doesn't answer.
    async fn account(&self) -> Result<AccountInfo>;
}

/// A remote that makes public links.
#[async_trait]
pub trait PublicLinks: std::fmt::Debug + Send + Sync {
    /// Returns a public link to a file or folder; an empty one if it was taken back.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`](crate::StorageError::Unsupported) for a request that can't be met, or the
    /// backend's own.
    async fn link(&self, entry: &Entry, request: LinkRequest) -> Result<String>;
}

/// A remote where several folders can share a path.
#[async_trait]
pub trait MergeFolders: std::fmt::Debug + Send + Sync {
    /// Makes one folder, which holds all, of those that share a path. Nothing that they hold is lost, whatever its
    /// names are.
    ///
    /// # Errors
    /// [`StorageError::FolderNotFound`](crate::StorageError::FolderNotFound), or the backend's own.
    async fn merge_folders(&self, path: &RemotePath) -> Result<()>;
}

/// A remote that keeps more of files and folders than their names, sizes and times.
#[async_trait]
pub trait FileMetadata: std::fmt::Debug + Send + Sync {
    /// Returns what is known of a file, key by key.
    ///
    /// # Errors
    /// It can't be read.
    async fn metadata(&self, file: &File) -> Result<Metadata>;

    /// Returns what is known of a folder, key by key.
    ///
    /// # Errors
    /// It can't be read.
    async fn folder_metadata(&self, folder: &RemotePath) -> Result<Metadata>;

    /// Keeps this of a folder. That of a file comes with it: [`WriteItem::metadata`](crate::WriteItem::metadata).
    ///
    /// # Errors
    /// A value can't be kept.
    async fn set_folder_metadata(&self, folder: &RemotePath, metadata: &Metadata) -> Result<()>;
}

/// How much an account holds; bytes and counts. `None`: the remote doesn't say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// What may be stored.
    pub total: Option<u64>,
    /// What is stored.
    pub used: Option<u64>,
    /// What may still be stored.
    pub free: Option<u64>,
    /// How many files there are.
    pub files: Option<u64>,
}

/// Whose account is behind a remote, and what it may do. What the service doesn't tell is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountInfo {
    /// The owner's mail address.
    pub mail: Option<String>,
    /// What was bought, in a word or two.
    pub offer: Option<String>,
    /// Until when that holds, in the service's own words.
    pub valid_until: Option<String>,
    /// What it holds.
    pub usage: Usage,
}

/// What kind of public link is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkRequest {
    /// Take the link back instead of making one.
    pub unlink: bool,
    /// How long the link should live.
    pub expire: Option<Duration>,
}
