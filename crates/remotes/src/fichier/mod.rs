//! The `fichier` remote: a 1Fichier account, with the fewest calls that its API allows.
//!
//! - [`tree`](self): what the account holds, each folder listed once;
//! - uploads in batches, verified by checksum before an old version is removed;
//! - downloads that continue where they were cut, several ranges on one token;
//! - copies, moves and removals in lists.

mod account;
mod account_state;
mod attributes;
mod batches;
mod catalogue;
mod changes;
mod confirm;
mod doctor;
mod download;
mod dropped;
mod error;
mod fetch;
mod findings;
mod folder_locks;
mod folders;
mod in_time;
mod left_out;
mod merge;
mod names;
mod opening;
mod options;
mod public;
mod public_book;
mod public_site;
mod recent_reports;
mod relocate;
mod removal;
mod reported;
mod scan;
mod settings;
mod shared;
mod shared_by;
mod shared_folders;
mod sharing;
mod tree;
mod upload;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32},
    },
    time::SystemTime,
};

use async_trait::async_trait;
use fichier_api::{Client, FileLink, limits::FILES_PER_UPLOAD};
use fichier_storage::{
    AccountChange, AccountDetails, AccountInfo, AccountOf, AccountSettings, AttributeChange, Attributes,
    BatchLimit, Entry, Extensions, Features, FetchFromWeb, FetchRequest, FetchResult, FetchTask, File,
    FileAttributes, FileId, FileReader, FolderIdentity, FolderRelocation, FolderSharing, Freshness,
    HashKinds, Hashing, LinkRequest, LinkStates, ListedAttributes, Listing, MergeFolders, NameRules,
    OldVersions, Outcome, PlaceId, PublicFiles, PublicLink, PublicLinks, Relocation, Remote, RemoteExt,
    RemoteInfo, RemotePath, Result, Scan, ScanFiles, Sharing, SharingChange, StorageError, Times, Usage,
    UsageOf, WriteBatch,
};

pub use catalogue::database::{CatalogueError, KeptCatalogue, KeptEntry, KeptStatus};
pub use catalogue::mode::{CatalogueMode, CatalogueModeError};
pub use error::is_too_soon;
pub use opening::{catalogue_file, public_site};
pub use options::{CdnUse, Dates, EmptyFiles, FichierOptions};
pub use public_site::PublicSite;
pub use shared::SharedFolderRemote;

pub(crate) use error::failed;
pub(crate) use opening::proxy_for;
pub(crate) use settings::BACKEND;

use account_state::{AccountState, SavedState};
use catalogue::earlier_runs::EarlierRuns;
use download::{LinkReader, Reader};
use dropped::Dropped;
use in_time::UploadTime;
use names::Names;
use public_book::PublicBook;
use recent_reports::RecentReports;
use tree::Tree;

use crate::resources::Unfinished;

/// Largest number of bytes in one upload request of several files. A batch that fails is sent again.
const BATCH_BYTES: u64 = 256 * 1024 * 1024;

/// A 1Fichier account as a remote.
#[derive(Debug)]
pub struct FichierRemote {
    info: RemoteInfo,
    client: Client,
    options: FichierOptions,
    tree: Arc<Tree>,
    reader: Reader,
    /// Computes the checksums of files that are sent.
    hashing: Hashing,
    /// Whether a list that the service refused was seen to be refused as a whole.
    refuses_whole_lists: AtomicBool,
    /// Number of times that copies with lost answers were searched for the whole time that listings lag, and none was
    /// made.
    looks_in_vain: AtomicU32,
    dropped: Dropped,
    recent_reports: Mutex<RecentReports>,
    upload_time: UploadTime,
    /// What the service shows everyone.
    site: PublicSite,
    /// Public files that were requested.
    public: Arc<PublicBook>,
    /// Moves that are between two calls.
    unfinished: Unfinished,
}

impl FichierRemote {
    /// Makes a remote over a wire client. `name` is the user's name for it, with its colon; `account` identifies the
    /// account.
    #[must_use]
    pub fn new(
        client: Client,
        name: impl Into<String>,
        account: FolderIdentity,
        options: FichierOptions,
    ) -> Self {
        let marker = options.empty_files == EmptyFiles::Marker;
        let names = Names { encoding: options.encoding, stand_ins: marker };
        let info = RemoteInfo {
            name: name.into(),
            place: PlaceId::root(account),
            backend: "fichier",
            features: Features {
                networked: true,
                server_side_copy: true,
                server_side_move: true,
                folder_move: true,
                duplicates: true,
                empty_files: marker,
                read_only: false,
                public_links: false,
                composite: false,
                leads_elsewhere: false,
            },
            hashes: HashKinds::LISTED_WHIRLPOOL,
            times: Times::default(),
            // How long the name of a file may be isn't known (API document, section 2).
            names: NameRules {
                encoding: names_of(&options),
                longest_folder: Some(names::LONGEST_FOLDER),
                ..NameRules::default()
            },
            batch: BatchLimit { files: options.upload_batch.clamp(1, FILES_PER_UPLOAD), bytes: BATCH_BYTES },
            skips_empty_files: options.empty_files == EmptyFiles::Skip,
        };
        Self {
            info,
            tree: Arc::new(Tree::new(client.clone(), names, &options)),
            reader: Reader::new(client.clone(), &options),
            hashing: Hashing::default(),
            refuses_whole_lists: AtomicBool::new(false),
            looks_in_vain: AtomicU32::new(0),
            dropped: Dropped::default(),
            recent_reports: Mutex::default(),
            upload_time: UploadTime::new(options.upload_time, options.upload_rate),
            site: PublicSite::new(client.clone(), Names { stand_ins: false, ..names }),
            public: Arc::default(),
            unfinished: Unfinished::default(),
            client,
            options,
        }
    }

    /// Sets where moves are recorded that must not be left between two calls.
    fn with_unfinished(mut self, unfinished: Unfinished) -> Self {
        self.unfinished = unfinished;
        self
    }

    /// Uses and keeps what is known of the account's tree from run to run.
    fn with_earlier_runs(mut self, earlier_runs: Option<EarlierRuns>) -> Self {
        if let Some(tree) = Arc::get_mut(&mut self.tree) {
            tree.use_earlier_runs(earlier_runs);
        }
        self
    }

    /// Keeps what is learned about the account between runs.
    fn with_account_state(mut self, memory: Option<AccountState>, kept: &SavedState) -> Self {
        if let Some(tree) = Arc::get_mut(&mut self.tree) {
            tree.remember_in(memory, kept, self.options.upload_batch);
            self.info.batch.files = tree.uploads.most();
        }
        self
    }
}

/// Describes how names are written at the service.
fn names_of(options: &FichierOptions) -> String {
    let stand_ins = if options.empty_files == EmptyFiles::Marker { " with stand-ins" } else { "" };
    format!("{}{stand_ins}", options.encoding)
}

/// Returns the link that identifies a file of this remote.
fn link_of(file: &File) -> Result<FileLink> {
    file.id
        .as_ref()
        .and_then(|id| id.as_str().parse().ok())
        .ok_or_else(|| StorageError::FileNotFound(file.path.clone()))
}

#[async_trait]
impl Remote for FichierRemote {
    fn info(&self) -> &RemoteInfo {
        &self.info
    }

    async fn place(&self, folder: &RemotePath) -> Result<PlaceId> {
        Ok(self.info.place.join(folder))
    }

    async fn list(&self, folder: &RemotePath, age: Freshness) -> Result<Listing> {
        let entries = self.tree.list(folder, age).await?;
        Ok(Listing { entries, gaps: self.tree.gaps(folder), links: Vec::new() })
    }

    async fn find(&self, path: &RemotePath, age: Freshness) -> Result<Entry> {
        self.tree.find(path, age).await
    }

    fn forget(&self, folder: &RemotePath) {
        self.tree.forget(folder);
    }

    fn reader(&self, file: &File) -> Arc<dyn FileReader> {
        let link = link_of(file).ok();
        let password = link.and_then(|link| self.public.password(link));
        Arc::new(LinkReader {
            reader: self.reader.with_password(password),
            link,
            file: file.clone(),
            tree: self.tree.has_earlier_runs().then(|| Arc::downgrade(&self.tree)),
        })
    }

    async fn write(&self, batch: WriteBatch) -> Vec<Outcome<File>> {
        self.upload(batch).await
    }

    async fn copy(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        self.copy_files(batch).await
    }

    async fn rename(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        self.move_files(batch).await
    }

    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>> {
        self.remove_files(batch).await
    }

    /// Removes files. A link always names one content, so the content can't have changed.
    async fn remove_unchanged(&self, batch: &[File]) -> Vec<Outcome<()>> {
        self.remove_files(batch).await
    }

    async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        self.make(batch).await
    }

    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        self.remove_empty(batch).await
    }

    async fn rename_folders(&self, batch: &[FolderRelocation]) -> Vec<Outcome<()>> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for FolderRelocation { from, to } in batch {
            outcomes.push(self.move_folder(from, to).await.into());
        }
        outcomes
    }

    async fn set_modified(&self, batch: &[(File, SystemTime)]) -> Vec<Outcome<()>> {
        self.all_unsupported(batch, "set modification times")
    }

    fn extensions(&self) -> Extensions<'_> {
        Extensions {
            usage: Some(self),
            account: Some(self),
            links: Some(self),
            merge: Some(self),
            metadata: None,
            public_files: Some(self),
            fetches: Some(self),
            old_versions: Some(self),
            attributes: Some(self),
            sharing: Some(self),
            settings: Some(self),
            scans: Some(self),
            changes: Some(self),
            examine: Some(self),
        }
    }
}

#[async_trait]
impl FileAttributes for FichierRemote {
    async fn listed_attributes(&self, files: &[File]) -> Vec<Option<ListedAttributes>> {
        self.attributes_in_listings(files)
    }

    async fn attributes(&self, file: &File) -> Result<Attributes> {
        self.all_attributes(file).await
    }

    async fn set_attributes(&self, batch: &[File], change: &AttributeChange) -> Vec<Outcome<()>> {
        self.change_attributes(batch, change).await
    }
}

#[async_trait]
impl FolderSharing for FichierRemote {
    async fn sharing(&self, folder: &RemotePath) -> Result<Sharing> {
        self.sharing_of(folder).await
    }

    async fn share(&self, folder: &RemotePath, change: &SharingChange) -> Result<Option<String>> {
        self.change_sharing(folder, change).await
    }
}

#[async_trait]
impl AccountSettings for FichierRemote {
    async fn account_details(&self) -> Result<AccountDetails> {
        self.details_of_account().await
    }

    fn known_account(&self) -> Option<AccountDetails> {
        self.details_known()
    }

    async fn set_account(&self, change: &AccountChange) -> Result<()> {
        self.change_account(change).await
    }
}

#[async_trait]
impl ScanFiles for FichierRemote {
    async fn scan(&self, file: &File) -> Result<Scan> {
        self.scan_for_viruses(file).await
    }
}

#[async_trait]
impl UsageOf for FichierRemote {
    async fn usage(&self) -> Result<Usage> {
        self.account_usage().await
    }
}

#[async_trait]
impl AccountOf for FichierRemote {
    async fn account(&self) -> Result<AccountInfo> {
        self.account_info().await
    }
}

#[async_trait]
impl PublicLinks for FichierRemote {
    async fn link(&self, entry: &Entry, request: LinkRequest) -> Result<String> {
        self.public_link(entry, request).await
    }
}

#[async_trait]
impl PublicFiles for FichierRemote {
    async fn public_file(&self, link: &PublicLink) -> Result<File> {
        self.file_of_link(link).await
    }

    async fn public_files(&self, links: &[PublicLink]) -> Vec<Result<Vec<File>>> {
        self.files_of_links(links).await
    }

    async fn link_states(&self, links: &[PublicLink]) -> LinkStates {
        self.site.states(links).await
    }
}

#[async_trait]
impl FetchFromWeb for FichierRemote {
    async fn fetch(&self, request: &FetchRequest) -> Result<u64> {
        self.request_fetch(request).await
    }

    async fn fetch_tasks(&self) -> Result<Vec<FetchTask>> {
        self.all_fetch_tasks().await
    }

    async fn fetch_results(&self, task: u64) -> Result<Vec<FetchResult>> {
        self.results_of_fetch(task).await
    }
}

impl OldVersions for FichierRemote {
    fn should_have_gone(&self, file: &File) -> bool {
        link_of(file).is_ok_and(|link| self.tree.is_old_version(link))
    }

    fn replaced_by(&self, file: &File) -> Option<FileId> {
        let new = self.tree.replaced_by(link_of(file).ok()?)?;
        Some(FileId::new(new.to_string()))
    }
}

#[async_trait]
impl MergeFolders for FichierRemote {
    async fn merge_folders(&self, path: &RemotePath) -> Result<()> {
        self.merge(path).await
    }
}
