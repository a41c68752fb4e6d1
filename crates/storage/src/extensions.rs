//! What only some remotes can do, each a small trait of its own.

mod account;
mod attributes;
mod sharing;

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use fichier_notation::Secret;

use crate::{Changes, Entry, Examine, File, FileId, RemotePath, Result, metadata::Metadata};

pub use self::{
    account::{AccountChange, AccountDetails, AccountSettings, Scan, ScanFiles, ScanVerdict},
    attributes::{AccessRules, AttributeChange, Attributes, FileAttributes, ListedAttributes},
    sharing::{FolderSharing, ShareRights, SharedWith, Sharing, SharingChange},
};

/// What a remote can do beyond storing files. `None` means that it can't.
///
/// A wrapper names each field. So each new extension is a decision for every wrapper, and none is passed on by
/// accident.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extensions<'a> {
    /// Returns how much is used and free.
    pub usage: Option<&'a dyn UsageOf>,
    /// Returns whose account it is.
    pub account: Option<&'a dyn AccountOf>,
    /// Makes public links.
    pub links: Option<&'a dyn PublicLinks>,
    /// Merges folders that share a path.
    pub merge: Option<&'a dyn MergeFolders>,
    /// Keeps more about files and folders than a listing holds.
    pub metadata: Option<&'a dyn FileMetadata>,
    /// Extension for files that anyone has made public at the same service.
    pub public_files: Option<&'a dyn PublicFiles>,
    /// Fetches files from the web by itself.
    pub fetches: Option<&'a dyn FetchFromWeb>,
    /// Knows the old versions that an earlier run didn't come to remove.
    pub old_versions: Option<&'a dyn OldVersions>,
    /// Keeps attributes of files: passwords, access rules, descriptions.
    pub attributes: Option<&'a dyn FileAttributes>,
    /// Shares folders.
    pub sharing: Option<&'a dyn FolderSharing>,
    /// Tells all of its account, and sets it.
    pub settings: Option<&'a dyn AccountSettings>,
    /// Scans files for viruses.
    pub scans: Option<&'a dyn ScanFiles>,
    /// Notices what others change.
    pub changes: Option<&'a dyn Changes>,
    /// Finds out how its service behaves.
    pub examine: Option<&'a dyn Examine>,
}

/// A remote that knows files which anyone has made public at the same service.
#[async_trait]
pub trait PublicFiles: std::fmt::Debug + Send + Sync {
    /// Returns the file that a public link leads to, as a file of the root, with all that the service says of it. It
    /// can be read, and copied to a place in the remote; it needn't lie there itself.
    ///
    /// # Errors
    /// There is no such file, or the service doesn't describe it.
    async fn public_file(&self, link: &PublicLink) -> Result<File>;

    /// Returns the files that each of the links leads to: one of a file, all of a shared folder. Many are asked for in
    /// one call, so no more may be known of a file than its name and size.
    async fn public_files(&self, links: &[PublicLink]) -> Vec<Result<Vec<File>>>;

    /// Returns the states of the links, in their order.
    async fn link_states(&self, links: &[PublicLink]) -> LinkStates;
}

/// A public link to someone's file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicLink {
    /// Address, as a browser takes it.
    pub address: String,
    /// Password, if it has one.
    pub password: Option<Secret>,
}

impl PublicLink {
    /// Makes a link without a password.
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into(), password: None }
    }
}

impl std::fmt::Display for PublicLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.address)
    }
}

/// State of a public link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkState {
    /// The file or folder that it leads to exists.
    Alive {
        /// Name of the file; none for a folder.
        name: Option<String>,
        /// Size in bytes, of a folder that of all its files.
        size: u64,
    },
    /// The file or folder that it led to is gone.
    Dead,
    /// The link leads to something that isn't public: behind a password, or rules.
    Private,
    /// The text isn't a link that the service could have made.
    Bad,
    /// The service didn't say.
    Unknown,
}

/// States of a list of links.
#[derive(Debug)]
pub struct LinkStates {
    /// State of each link, in the order in which they were given.
    pub states: Vec<LinkState>,
    /// Reason why the service said nothing of some, if it refused.
    pub error: Option<crate::StorageError>,
}

/// A remote whose service fetches files from the web by itself.
#[async_trait]
pub trait FetchFromWeb: std::fmt::Debug + Send + Sync {
    /// Asks the service to fetch files, and returns the number of the task.
    ///
    /// # Errors
    /// The service refuses.
    async fn fetch(&self, request: &FetchRequest) -> Result<u64>;

    /// Returns all tasks that the service knows.
    ///
    /// # Errors
    /// They can't be listed.
    async fn fetch_tasks(&self) -> Result<Vec<FetchTask>>;

    /// Returns the results for each address of a task.
    ///
    /// # Errors
    /// There is no such task.
    async fn fetch_results(&self, task: u64) -> Result<Vec<FetchResult>>;
}

/// A request that the service fetch files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// Addresses on the web.
    pub addresses: Vec<String>,
    /// Folder to put the files in.
    pub folder: RemotePath,
    /// Headers to send with the requests.
    pub headers: BTreeMap<String, String>,
}

/// A task of the service: files that it fetches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchTask {
    /// Number of the task.
    pub id: u64,
    /// Time of the request, as the service writes it.
    pub requested: Option<String>,
    /// Time when it was done, as the service writes it.
    pub executed: Option<String>,
}

/// State of an address in a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchState {
    /// The service hasn't started with it.
    Waiting,
    /// The file is there.
    Done,
    /// The service couldn't fetch it.
    Failed,
}

/// Result for an address that the service had to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchResult {
    /// Address on the web.
    pub address: String,
    /// State of the address.
    pub state: FetchState,
    /// Words of the service.
    pub message: Option<String>,
    /// Link of the file that it became.
    pub link: Option<String>,
}

/// A remote that knows the old versions that an earlier run didn't come to remove.
pub trait OldVersions: std::fmt::Debug + Send + Sync {
    /// Returns whether this file should have gone when a newer version of it was stored.
    fn should_have_gone(&self, file: &File) -> bool;

    /// Returns the file that was to take the place of this old version, where it existed before: one that was moved
    /// there.
    fn replaced_by(&self, file: &File) -> Option<FileId>;
}

/// A remote that knows how much is used and free.
#[async_trait]
pub trait UsageOf: std::fmt::Debug + Send + Sync {
    /// Returns how much is used and free.
    ///
    /// # Errors
    /// The numbers can't be fetched.
    async fn usage(&self) -> Result<Usage>;
}

/// A remote that belongs to an account.
#[async_trait]
pub trait AccountOf: std::fmt::Debug + Send + Sync {
    /// Returns whose account it is.
    ///
    /// # Errors
    /// The account can't be fetched: a wrong key, or a service that doesn't answer.
    async fn account(&self) -> Result<AccountInfo>;
}

/// A remote that makes public links.
#[async_trait]
pub trait PublicLinks: std::fmt::Debug + Send + Sync {
    /// Returns a public link to a file or folder; an empty text if the link was removed.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`](crate::StorageError::Unsupported) for a request that can't be met, or the
    /// backend's own.
    async fn link(&self, entry: &Entry, request: LinkRequest) -> Result<String>;
}

/// A remote where several folders can share a path.
#[async_trait]
pub trait MergeFolders: std::fmt::Debug + Send + Sync {
    /// Merges folders that share a path into one that holds everything. Nothing in them is lost, whatever its name
    /// is.
    ///
    /// # Errors
    /// [`StorageError::FolderNotFound`](crate::StorageError::FolderNotFound), or the backend's own.
    async fn merge_folders(&self, path: &RemotePath) -> Result<()>;
}

/// A remote that keeps more about files and folders than their names, sizes and times.
#[async_trait]
pub trait FileMetadata: std::fmt::Debug + Send + Sync {
    /// Returns the metadata of a file, key by key.
    ///
    /// # Errors
    /// The metadata can't be read.
    async fn metadata(&self, file: &File) -> Result<Metadata>;

    /// Returns the metadata of a folder, key by key.
    ///
    /// # Errors
    /// The metadata can't be read.
    async fn folder_metadata(&self, folder: &RemotePath) -> Result<Metadata>;

    /// Stores the metadata of a folder. That of a file comes with the file:
    /// [`WriteItem::metadata`](crate::WriteItem::metadata).
    ///
    /// # Errors
    /// A value can't be stored.
    async fn set_folder_metadata(&self, folder: &RemotePath, metadata: &Metadata) -> Result<()>;
}

/// Space and files of an account. `None` where the remote doesn't say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes that may be stored in all.
    pub total: Option<u64>,
    /// Bytes that are stored.
    pub used: Option<u64>,
    /// Bytes that may still be stored.
    pub free: Option<u64>,
    /// Number of files.
    pub files: Option<u64>,
}

/// Owner and subscription of a remote's account. `None` where the service doesn't say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountInfo {
    /// Mail address of the owner.
    pub mail: Option<String>,
    /// Subscription, in a word or two.
    pub offer: Option<String>,
    /// End of the subscription, as the service writes it.
    pub valid_until: Option<String>,
    /// Space and files of the account.
    pub usage: Usage,
}

/// A request for a public link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkRequest {
    /// Whether to remove the link instead of making one.
    pub unlink: bool,
    /// Time for which the link should be valid.
    pub expire: Option<Duration>,
}
