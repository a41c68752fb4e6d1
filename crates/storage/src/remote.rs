//! The trait that every backend implements.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;

use crate::{
    ByteRange, ByteStream, Content, Entry, File, Name, Outcome, PlaceId, RemotePath, Result, StorageError,
    Whirlpool, metadata::Metadata,
};

/// What a remote is and can do.
#[derive(Debug, Clone)]
pub struct RemoteInfo {
    /// The remote as the user named it, for messages only: `demo:`; a local one by its root.
    pub name: String,
    /// Where its root lies.
    pub place: PlaceId,
    /// How names are written there: with another encoding, another path leads to the same file.
    pub encoding: String,
    /// The backend's name: `fichier`, `local`.
    pub backend: &'static str,
    /// What it can do.
    pub features: Features,
    /// How much one [`WriteBatch`] should hold.
    pub batch: BatchLimit,
    /// How exact its modification times are; `None`: it keeps none, what it shows is the time of upload.
    pub time_precision: Option<Duration>,
    /// Without [`Features::empty_files`]: whether an empty file that is refused is only reported, and isn't
    /// a failure of the run.
    pub skips_empty_files: bool,
}

impl RemoteInfo {
    /// Checks whether a path or file of one remote means the same to the other.
    #[must_use]
    pub fn has_paths_of(&self, other: &Self) -> bool {
        self.place == other.place && self.encoding == other.encoding
    }
}

/// What a remote can do. All off by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Features {
    /// Copies without moving bytes through this program.
    pub server_side_copy: bool,
    /// Renames and moves files without copying.
    pub server_side_move: bool,
    /// Renames whole folders at once.
    pub folder_move: bool,
    /// Two files of a folder may bear one name.
    pub duplicates: bool,
    /// Empty files can be stored.
    pub empty_files: bool,
    /// Nothing can be changed.
    pub read_only: bool,
    /// Listings carry the Whirlpool checksum.
    pub listed_checksums: bool,
    /// Modification times can be set.
    pub set_modified: bool,
    /// Knows its usage ([`Remote::about`]).
    pub about: bool,
    /// Makes public links.
    pub link: bool,
    /// Its bytes go over a network.
    pub networked: bool,
    /// Names that differ only in case are one file.
    pub case_insensitive: bool,
    /// Keeps what files and folders have beside content, name and time: [`WriteItem::metadata`],
    /// [`Remote::set_folder_metadata`].
    pub metadata: bool,
}

/// How much one [`WriteBatch`] should hold. A remote copes with more by splitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimit {
    /// Files in one batch, at least 1.
    pub files: usize,
    /// Bytes in one batch of more than one file.
    pub bytes: u64,
}

impl BatchLimit {
    /// One file at a time.
    pub const SINGLE: Self = Self { files: 1, bytes: 0 };
}

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
    /// What it is to have besides, where [`Features::metadata`] says that it is kept.
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

/// What a folder holds, and what of it is unknown.
#[derive(Debug, Default)]
pub struct Listing {
    /// Files and folders, sorted by the bytes of their names.
    pub entries: Vec<Entry>,
    /// What was left out.
    pub gaps: Vec<Gap>,
}

/// Something in a folder about which nothing could be learned.
#[derive(Debug)]
pub struct Gap {
    /// Where.
    pub path: RemotePath,
    /// Why.
    pub error: StorageError,
}

/// A path of a remote: what a user's `remote:path` means.
#[derive(Debug, Clone)]
pub struct Location {
    /// The remote.
    pub remote: Arc<dyn Remote>,
    /// The path from its root.
    pub path: RemotePath,
}

impl Location {
    /// Returns where this folder lies.
    ///
    /// # Errors
    /// It can't be looked at.
    pub async fn place(&self) -> Result<PlaceId> {
        self.remote.place(&self.path).await
    }

    /// Returns where this file lies: under its name in its folder. A link in its place isn't followed, since
    /// whoever removes or replaces the file removes or replaces the link.
    ///
    /// # Errors
    /// Its folder can't be looked at.
    pub async fn place_of_file(&self) -> Result<PlaceId> {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.name()) else {
            return self.place().await;
        };
        Ok(self.remote.place(&folder).await?.join(&RemotePath::root().join(&name)))
    }

    /// Returns the location as messages name it: with its remote, a local one by its absolute path.
    #[must_use]
    pub fn shown(&self) -> String {
        let info = self.remote.info();
        if info.backend != "local" {
            return format!("{}{}", info.name, self.path);
        }
        let path = match self.path.is_root() {
            true => PathBuf::from(&info.name),
            false => Path::new(&info.name).join(self.path.to_string()),
        };
        std::path::absolute(&path).unwrap_or(path).display().to_string()
    }

    /// Returns an error about this very location so that it names the remote and the whole path. Errors that name
    /// these themselves, or concern no path, stay as they are.
    #[must_use]
    pub fn named(&self, error: StorageError) -> StorageError {
        match error {
            StorageError::FolderNotFound(_)
            | StorageError::FileNotFound(_)
            | StorageError::IsAFile(_)
            | StorageError::IsAFolder(_)
            | StorageError::FolderNotEmpty(_)
            | StorageError::AlreadyExists(_) => {
                StorageError::At { location: self.shown(), problem: Box::new(error) }
            }
            other => other,
        }
    }
}

/// A place that holds files in folders.
///
/// - Paths are from the remote's root and [decoded](crate::RemotePath).
/// - A path of a folder that bears one name with others means all of them: listings are the union, new
///   things go into the first.
/// - Every operation may be called from several tasks at once.
/// - Operations that take a list answer with exactly one [`Outcome`] an item, in the items' order.
#[async_trait]
pub trait Remote: fmt::Debug + Send + Sync {
    /// What it is and can do.
    fn info(&self) -> &RemoteInfo;

    /// Returns where a folder lies, whatever its path is. Links on the way are followed. The folder need not exist.
    ///
    /// # Errors
    /// It can't be looked at.
    async fn place(&self, folder: &RemotePath) -> Result<PlaceId>;

    /// What the folder holds, sorted by the bytes of the names.
    ///
    /// # Errors
    /// [`StorageError::FolderNotFound`], [`StorageError::IsAFile`], or the backend's own.
    async fn list(&self, folder: &RemotePath) -> Result<Vec<Entry>>;

    /// As [`Remote::list`], with what had to be left out because nothing could be learned about it. Whoever
    /// removes what a listing doesn't hold has to know.
    ///
    /// # Errors
    /// As [`Remote::list`].
    async fn list_with_gaps(&self, folder: &RemotePath) -> Result<Listing> {
        Ok(Listing { entries: self.list(folder).await?, gaps: Vec::new() })
    }

    /// The file or folder at a path; of several files with this name the one stored last; a file before a
    /// folder. The root is a folder and is always found without a call.
    ///
    /// # Errors
    /// [`StorageError::FileNotFound`] when nothing is there, also when a folder on the way is missing.
    async fn find(&self, path: &RemotePath) -> Result<Entry>;

    /// What is known of a file beside its name, its size and its time, key by key; nothing where nothing is kept.
    ///
    /// # Errors
    /// It can't be read.
    async fn metadata(&self, _file: &File) -> Result<Vec<(String, String)>> {
        Ok(Vec::new())
    }

    /// What is known of a folder beside its name and its time, key by key; nothing where nothing is kept.
    ///
    /// # Errors
    /// [`StorageError::FolderNotFound`], or it can't be read.
    async fn folder_metadata(&self, _folder: &RemotePath) -> Result<Metadata> {
        Ok(Metadata::new())
    }

    /// Gives a folder metadata. Keys that aren't named stay as they are; so do those that can't be set.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`] unless [`Features::metadata`]; [`StorageError::FolderNotFound`].
    async fn set_folder_metadata(&self, _folder: &RemotePath, _metadata: &Metadata) -> Result<()> {
        Err(self.unsupported("keep metadata of directories"))
    }

    /// The bytes of a file. The stream ends with an error unless exactly the range's bytes came.
    ///
    /// # Errors
    /// The file is gone or can't be read.
    async fn read(&self, file: &File, range: ByteRange) -> Result<ByteStream>;

    /// Gets ahead of need what reading a file will cost before its first byte: a download token. What fails
    /// here fails again, and is told, when the file is read.
    async fn prepare(&self, _file: &File) {}

    /// Stores files in one folder. A file counts as done when it is whole and its checksum agrees; until
    /// then the old versions stay. Dropping the future leaves what is done and nothing half done.
    ///
    /// Where [`Features::duplicates`] is off, a file takes the place of one of its name at once, named in
    /// [`WriteItem::replaces`] or not; in the place of a folder it fails with [`StorageError::IsAFolder`].
    async fn write(&self, batch: WriteBatch) -> Vec<Outcome<File>>;

    /// Copies files inside this remote. Folders on the way are made.
    async fn copy(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        batch.iter().map(|_| Outcome::Failed(self.unsupported("copy on the server side"))).collect()
    }

    /// Moves or renames files inside this remote. Folders on the way are made. A file that could get there only by
    /// being copied, since another file system is mounted there, fails with [`StorageError::AcrossFileSystems`].
    async fn rename(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        batch.iter().map(|_| Outcome::Failed(self.unsupported("move on the server side"))).collect()
    }

    /// Removes files. One that is gone already counts as [`Outcome::DoneBefore`].
    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>>;

    /// Removes files of which a copy is elsewhere, as far as they are still what was seen: a file that was changed or
    /// replaced since stays, with [`StorageError::SourceChanged`]. Where a [`File::id`] names one content for ever,
    /// this is [`Remote::remove`].
    async fn remove_unchanged(&self, batch: &[File]) -> Vec<Outcome<()>>;

    /// Makes folders, with their parents. One that exists counts as [`Outcome::DoneBefore`], where there is
    /// a file it fails with [`StorageError::IsAFile`].
    async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>>;

    /// Removes empty folders. One that isn't empty fails with [`StorageError::FolderNotEmpty`], one that
    /// isn't there with [`StorageError::FolderNotFound`]. In the list's order as far as one holds another, so
    /// that a tree can be given deepest first.
    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>>;

    /// Moves a folder with all it holds. Folders on the way are made.
    ///
    /// # Errors
    /// [`StorageError::AlreadyExists`] when there is something at `to`; [`StorageError::Unsupported`] when
    /// the backend can't.
    async fn rename_folder(&self, _from: &RemotePath, _to: &RemotePath) -> Result<()> {
        Err(self.unsupported("move directories"))
    }

    /// Makes one folder, which holds all, of those that share a path. Nothing that they hold is lost, whatever names
    /// it bears.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`] unless [`Features::duplicates`]; [`StorageError::FolderNotFound`].
    async fn merge_folders(&self, _path: &RemotePath) -> Result<()> {
        Err(self.unsupported("merge directories"))
    }

    /// Sets a file's modification time.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`] unless [`Features::set_modified`].
    async fn set_modified(&self, _file: &File, _time: SystemTime) -> Result<()> {
        Err(self.unsupported("set modification times"))
    }

    /// How much is used and free.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`] unless [`Features::about`].
    async fn about(&self) -> Result<Usage> {
        Err(self.unsupported("tell its usage"))
    }

    /// Whose account it is.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`] where there is no account.
    async fn account(&self) -> Result<AccountInfo> {
        Err(self.unsupported("tell whose account it is"))
    }

    /// A public link to a file or folder.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`] unless [`Features::link`].
    async fn link(&self, _entry: &Entry, _request: LinkRequest) -> Result<String> {
        Err(self.unsupported("make public links"))
    }

    /// The error for something that this remote can't do.
    fn unsupported(&self, operation: &'static str) -> StorageError {
        StorageError::Unsupported { remote: self.info().name.clone(), operation }
    }
}
