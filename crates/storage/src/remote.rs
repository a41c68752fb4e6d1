//! The trait that every backend implements.

use std::{fmt, sync::Arc, time::SystemTime};

use async_trait::async_trait;

use crate::{
    AccountInfo, AccountSettings, ByteRange, ByteStream, Entry, Extensions, File, FileAttributes,
    FolderRelocation, FolderSharing, Freshness, LinkRequest, Listing, Outcome, PlaceId, Relocation,
    RemoteInfo, RemotePath, Result, ScanFiles, StorageError, Usage, WriteBatch, metadata::Metadata,
};

/// A place that holds files in folders.
///
/// - Paths are from the remote's root and [decoded](crate::RemotePath).
/// - A path of a folder that shares its name with others means all of them: listings are the union, new things go
///   into the first.
/// - Every operation may be called from several tasks at once.
/// - Operations on a list return exactly one [`Outcome`] per item, in the items' order.
///
/// No method has a body here: a wrapper that forgets one doesn't compile. Methods for convenience are in
/// [`RemoteExt`]; what only some remotes can do is in [`Extensions`]. A wrapper passes on what it doesn't change with
/// [`delegate_remote!`](crate::delegate_remote).
#[async_trait]
pub trait Remote: fmt::Debug + Send + Sync {
    /// Returns the name, place and features of the remote.
    fn info(&self) -> &RemoteInfo;

    /// Returns the place of a folder, the same one for each path to it. Links on the way are followed. The folder
    /// need not exist.
    ///
    /// # Errors
    /// The folder can't be looked at.
    async fn place(&self, folder: &RemotePath) -> Result<PlaceId>;

    /// Lists a folder, and the entries about which nothing could be learned.
    ///
    /// # Errors
    /// [`StorageError::FolderNotFound`], [`StorageError::IsAFile`], or the backend's own.
    async fn list(&self, folder: &RemotePath, age: Freshness) -> Result<Listing>;

    /// Returns the file or folder at a path. Of several files with this name it is the one stored last; a file comes
    /// before a folder. The root is a folder and is always found without a call.
    ///
    /// # Errors
    /// [`StorageError::FileNotFound`] when nothing is there, also when a folder on the way is missing.
    async fn find(&self, path: &RemotePath, age: Freshness) -> Result<Entry>;

    /// Forgets what is known of a folder, since someone else may have changed it. The next call looks again.
    fn forget(&self, folder: &RemotePath);

    /// Returns a reader of a file. It costs nothing until the first byte is asked for.
    fn reader(&self, file: &File) -> Arc<dyn FileReader>;

    /// Stores files in one folder. A file counts as done when it is whole and its checksum agrees; until then the old
    /// versions stay. If the future is dropped, what is done stays, and nothing is half done.
    ///
    /// Where [`Features::duplicates`](crate::Features::duplicates) is off, a file replaces one of its name at once,
    /// named in [`WriteItem::replaces`](crate::WriteItem::replaces) or not; where there is a folder it fails with
    /// [`StorageError::IsAFolder`].
    async fn write(&self, batch: WriteBatch) -> Vec<Outcome<File>>;

    /// Copies files inside this remote. Folders on the way are made.
    async fn copy(&self, batch: &[Relocation]) -> Vec<Outcome<File>>;

    /// Moves or renames files inside this remote. Folders on the way are made. A file that would have to be copied,
    /// since its destination is on another file system, fails with [`StorageError::AcrossFileSystems`].
    async fn rename(&self, batch: &[Relocation]) -> Vec<Outcome<File>>;

    /// Removes files. One that is gone already counts as [`Outcome::DoneBefore`].
    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>>;

    /// Removes files that were copied elsewhere, if they are unchanged: a file that was changed or replaced since it
    /// was listed stays, with [`StorageError::SourceChanged`]. Where a [`File::id`] always means the same content,
    /// this is the same as [`Remote::remove`].
    async fn remove_unchanged(&self, batch: &[File]) -> Vec<Outcome<()>>;

    /// Makes folders, with their parents. One that exists counts as [`Outcome::DoneBefore`]; where there is a file it
    /// fails with [`StorageError::IsAFile`].
    async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>>;

    /// Removes empty folders. One that isn't empty fails with [`StorageError::FolderNotEmpty`], one that isn't there
    /// with [`StorageError::FolderNotFound`]. Folders inside each other are removed in the list's order, so a tree
    /// can be given deepest first.
    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>>;

    /// Moves folders with everything in them, in the list's order. Folders on the way are made. Where something
    /// exists at the new path it fails with [`StorageError::AlreadyExists`].
    async fn rename_folders(&self, batch: &[FolderRelocation]) -> Vec<Outcome<()>>;

    /// Sets modification times of files.
    async fn set_modified(&self, batch: &[(File, SystemTime)]) -> Vec<Outcome<()>>;

    /// Returns what the remote can do beyond all this.
    fn extensions(&self) -> Extensions<'_>;
}

/// A file that can be read in any order, and more than once. What its streams share (a download token) ends with it.
#[async_trait]
pub trait FileReader: fmt::Debug + Send + Sync {
    /// Opens a stream of the bytes of a range. The stream ends with an error unless exactly the range's bytes came.
    ///
    /// # Errors
    /// The file is gone or can't be read.
    async fn stream(&self, range: ByteRange) -> Result<ByteStream>;

    /// Fetches in advance what the first byte will need: a download token. An error here comes again, and is
    /// reported, when the file is read.
    async fn prepare(&self);
}

/// Methods for convenience on any remote.
#[async_trait]
pub trait RemoteExt: Remote {
    /// Returns the entries of a folder without its gaps, as [fresh](Freshness) as in any run. For code that only
    /// wants to see what is there, and removes nothing because of it.
    ///
    /// # Errors
    /// As [`Remote::list`].
    async fn entries(&self, folder: &RemotePath) -> Result<Vec<Entry>> {
        Ok(self.list(folder, Freshness::SinceStart).await?.entries)
    }

    /// Returns the file or folder at a path, as fresh as in any run.
    ///
    /// # Errors
    /// As [`Remote::find`].
    async fn entry(&self, path: &RemotePath) -> Result<Entry> {
        self.find(path, Freshness::SinceStart).await
    }

    /// Opens a stream of a range of a file.
    ///
    /// # Errors
    /// As [`FileReader::stream`].
    async fn read(&self, file: &File, range: ByteRange) -> Result<ByteStream> {
        self.reader(file).stream(range).await
    }

    /// Moves one folder with everything in it.
    ///
    /// # Errors
    /// As [`Remote::rename_folders`] says.
    async fn rename_folder(&self, from: &RemotePath, to: &RemotePath) -> Result<()> {
        let batch = [FolderRelocation { from: from.clone(), to: to.clone() }];
        only(self.rename_folders(&batch).await)
    }

    /// Sets the modification time of one file.
    ///
    /// # Errors
    /// As [`Remote::set_modified`] says.
    async fn set_modified_of(&self, file: &File, time: SystemTime) -> Result<()> {
        only(self.set_modified(&[(file.clone(), time)]).await)
    }

    /// Returns how much is used and free.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`], or the backend's own.
    async fn usage(&self) -> Result<Usage> {
        match self.extensions().usage {
            Some(remote) => remote.usage().await,
            None => Err(self.unsupported("tell its usage")),
        }
    }

    /// Returns the owner and subscription of the account.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`], or the backend's own.
    async fn account(&self) -> Result<AccountInfo> {
        match self.extensions().account {
            Some(remote) => remote.account().await,
            None => Err(self.unsupported("tell whose account it is")),
        }
    }

    /// Returns a public link to a file or folder.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`], or the backend's own.
    async fn link(&self, entry: &Entry, request: LinkRequest) -> Result<String> {
        match self.extensions().links {
            Some(remote) => remote.link(entry, request).await,
            None => Err(self.unsupported("make public links")),
        }
    }

    /// Merges the folders that share a path into one.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`], or the backend's own.
    async fn merge_folders(&self, path: &RemotePath) -> Result<()> {
        match self.extensions().merge {
            Some(remote) => remote.merge_folders(path).await,
            None => Err(self.unsupported("merge directories")),
        }
    }

    /// Returns the metadata of a file besides its name, size and time; empty where nothing is kept.
    ///
    /// # Errors
    /// The metadata can't be read.
    async fn metadata(&self, file: &File) -> Result<Metadata> {
        match self.extensions().metadata {
            Some(remote) => remote.metadata(file).await,
            None => Ok(Metadata::new()),
        }
    }

    /// Returns the metadata of a folder; empty where nothing is kept.
    ///
    /// # Errors
    /// The metadata can't be read.
    async fn folder_metadata(&self, folder: &RemotePath) -> Result<Metadata> {
        match self.extensions().metadata {
            Some(remote) => remote.folder_metadata(folder).await,
            None => Ok(Metadata::new()),
        }
    }

    /// Stores the metadata of a folder.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`], or the backend's own.
    async fn set_folder_metadata(&self, folder: &RemotePath, metadata: &Metadata) -> Result<()> {
        match self.extensions().metadata {
            Some(remote) => remote.set_folder_metadata(folder, metadata).await,
            None => Err(self.unsupported("keep metadata of directories")),
        }
    }

    /// Returns what keeps attributes of files.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`].
    fn file_attributes(&self) -> Result<&dyn FileAttributes> {
        self.extensions().attributes.ok_or_else(|| self.unsupported("keep attributes of files"))
    }

    /// Returns what shares folders.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`].
    fn folder_sharing(&self) -> Result<&dyn FolderSharing> {
        self.extensions().sharing.ok_or_else(|| self.unsupported("share directories"))
    }

    /// Returns what tells all of the account and sets it.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`].
    fn account_settings(&self) -> Result<&dyn AccountSettings> {
        self.extensions().settings.ok_or_else(|| self.unsupported("tell of an account"))
    }

    /// Returns what scans files for viruses.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`].
    fn file_scans(&self) -> Result<&dyn ScanFiles> {
        self.extensions().scans.ok_or_else(|| self.unsupported("scan files for viruses"))
    }

    /// Returns the error for an operation that this remote can't do.
    fn unsupported(&self, operation: &'static str) -> StorageError {
        StorageError::Unsupported { remote: self.info().name.clone(), operation }
    }

    /// Returns the outcomes of a batch that this remote can't do.
    fn all_unsupported<I: Sync, T>(&self, batch: &[I], operation: &'static str) -> Vec<Outcome<T>> {
        batch.iter().map(|_| Outcome::Failed(self.unsupported(operation))).collect()
    }
}

impl<R: Remote + ?Sized> RemoteExt for R {}

/// Returns the outcome of a batch of one.
fn only(outcomes: Vec<Outcome<()>>) -> Result<()> {
    outcomes.into_iter().next().map_or(Err(StorageError::NotTried), Outcome::into_result)
}
