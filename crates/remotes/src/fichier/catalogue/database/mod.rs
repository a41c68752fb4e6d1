//! The catalogue on disk: what was listed and done, for later runs.
//!
//! One SQLite database for each account, shared by processes. Its contents can be listed again: a database that is
//! damaged, or of another layout, is replaced by a new one. Changes are written by a thread of their own, many in one
//! transaction, so that no call waits for the disk; `kill -9` loses what wasn't written yet.

mod account_listing;
mod tables;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::SystemTime,
};

use fichier_api::FolderId;
use fichier_state::database::{self, DatabaseError, connect, is_damage};
use fichier_storage::Whirlpool;
use rusqlite::Connection;

use super::{KnownFile, KnownFolder, spill::SpillFile};

pub(in crate::fichier) use account_listing::{AccountListing, Checked};
pub(in crate::fichier) use tables::StoredFolder;
pub use tables::{KeptEntry, KeptStatus};

/// Largest number of files and folders in one transaction.
const GATHERED: usize = 4000;

/// Number of files and folders that may wait to be written before new listings wait, too.
const BACKLOG: usize = 4 * GATHERED;

/// A change of what is known of the account.
#[derive(Debug, Clone)]
pub(in crate::fichier) enum Change {
    /// A folder was listed; this is everything in it, and when the listing began.
    Listed { folder: FolderId, began: SystemTime, files: Vec<KnownFile>, folders: Vec<KnownFolder> },
    /// We put a file there, or changed it.
    File { folder: FolderId, file: KnownFile },
    /// We removed a file from this folder, or found it gone.
    FileGone { folder: FolderId, file: fichier_api::FileLink },
    /// We made this folder.
    NewFolder { parent: FolderId, folder: KnownFolder },
    /// We moved or renamed this folder.
    MovedFolder { parent: FolderId, folder: KnownFolder },
    /// We removed this folder, or found it gone.
    FolderGone { folder: FolderId },
    /// Something is being sent to this folder: until it is reported as arrived, the folder isn't completely known.
    Unsure { folder: FolderId },
    /// Everything that was being sent has arrived, or surely hasn't.
    SureAgain { folder: FolderId },
    /// The service took a file of this content and kept none.
    Dropped { whirlpool: Whirlpool, size: u64 },
}

impl Change {
    /// Returns the number of files and folders in the change.
    fn weight(&self) -> usize {
        match self {
            Self::Listed { files, folders, .. } => 1 + files.len() + folders.len(),
            _ => 1,
        }
    }
}

/// Message to the writing thread.
#[derive(Debug)]
enum Message {
    Change(SystemTime, Change),
    /// Answered when everything before it is on disk.
    Flush(mpsc::Sender<()>),
}

/// Passes changes from the catalogue in memory to the thread that writes them. Never blocks.
#[derive(Debug, Clone)]
pub(in crate::fichier) struct Journal {
    sender: mpsc::Sender<Message>,
    /// Number of files and folders that wait to be written.
    backlog: Arc<AtomicUsize>,
}

impl Journal {
    pub(in crate::fichier) fn note(&self, change: Change) {
        self.backlog.fetch_add(change.weight(), Ordering::Relaxed);
        // The thread ends early only when the database can't be written: then nothing is kept.
        let _ = self.sender.send(Message::Change(SystemTime::now(), change));
    }
}

/// Keeps what is known of an account in a database, for later runs and for other processes.
#[derive(Debug)]
pub(in crate::fichier) struct CatalogueDb {
    path: PathBuf,
    reader: Arc<Mutex<Option<Connection>>>,
    journal: Journal,
    writer: Option<JoinHandle<()>>,
}

/// Reason why the catalogue on disk can't be used.
#[derive(Debug, thiserror::Error)]
#[error("can't use the catalogue: {0}")]
pub struct CatalogueError(#[from] DatabaseError);

impl CatalogueDb {
    /// Opens the catalogue in this file, or creates it. `title` is the user's name for the remote.
    pub(in crate::fichier) fn open(path: &Path, title: &str) -> Result<Self, CatalogueError> {
        let mut writing = open(path)?;
        let failed = |source| DatabaseError::of_database(path, source);
        tables::name(&writing, title).map_err(failed)?;
        let reading = connect(path).map_err(failed)?;
        let (sender, receiver) = mpsc::channel();
        let backlog = Arc::new(AtomicUsize::new(0));
        let written = backlog.clone();
        let file = path.to_owned();
        let writer = std::thread::Builder::new()
            .name("catalogue".to_owned())
            .spawn(move || write_all(&file, &mut writing, &receiver, &written))
            .map_err(|source| DatabaseError::of_disk(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            reader: Arc::new(Mutex::new(Some(reading))),
            journal: Journal { sender, backlog },
            writer: Some(writer),
        })
    }

    /// Returns the journal that receives changes.
    pub(in crate::fichier) fn journal(&self) -> Journal {
        self.journal.clone()
    }

    /// Returns the file for the files of folders that aren't in use: beside the catalogue, on a disk rather than in
    /// memory.
    pub(in crate::fichier) fn spill_file(&self) -> SpillFile {
        self.path.parent().map(|directory| SpillFile::in_directory(directory.to_owned())).unwrap_or_default()
    }

    /// Waits while more is to be written than should be held in memory.
    pub(in crate::fichier) async fn let_catch_up(&self) {
        if self.journal.backlog.load(Ordering::Relaxed) > BACKLOG {
            self.flush().await;
        }
    }

    /// Returns a folder's contents and when it was listed, if that was no sooner than `not_before`. What can't be read
    /// counts as unknown.
    pub(in crate::fichier) async fn contents(
        &self,
        folder: FolderId,
        not_before: SystemTime,
    ) -> Option<StoredFolder> {
        self.read(move |connection| tables::contents(connection, folder, not_before)).await.flatten()
    }

    /// Returns the contents that the service took and didn't keep, within a day.
    pub(in crate::fichier) async fn dropped(&self) -> Vec<(Whirlpool, u64, SystemTime)> {
        self.read(|connection| tables::dropped(connection)).await.unwrap_or_default()
    }

    /// Checks whether any folder is completely known.
    pub(in crate::fichier) async fn knows_a_folder(&self) -> bool {
        self.read(|connection| tables::knows_a_folder(connection)).await.unwrap_or_default()
    }

    /// Makes a place for a listing of all files.
    pub(in crate::fichier) fn begin_account_listing(&self) -> rusqlite::Result<AccountListing> {
        AccountListing::of(&self.path)
    }

    /// Compares everything known with a listing of all files that was requested at `asked`.
    pub(in crate::fichier) async fn check(&self, told: AccountListing, asked: SystemTime) -> Option<Checked> {
        self.flush().await;
        let checked = tokio::task::spawn_blocking(move || told.check(asked)).await.ok()?;
        let checked = checked.inspect_err(|error| self.complain(error)).ok()?;
        if checked.is_none() {
            tracing::warn!("The listing of all files gives one link to two files, so it doesn't count");
        }
        checked
    }

    /// Logs that something couldn't be read, and replaces a damaged database by a new one.
    pub(in crate::fichier) fn complain(&self, error: &rusqlite::Error) {
        tracing::warn!("Can't read the catalogue {}: {error}", self.path.display());
        if is_damage(error) {
            discard(&self.path);
        }
    }

    /// Waits until all changes so far are on disk.
    pub(in crate::fichier) async fn flush(&self) {
        let (sender, receiver) = mpsc::channel();
        if self.journal.sender.send(Message::Flush(sender)).is_ok() {
            let _ = tokio::task::spawn_blocking(move || receiver.recv()).await;
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Option<T> {
        let reader = self.reader.clone();
        let done = tokio::task::spawn_blocking(move || {
            let mut reader = hold(&reader);
            let result = reader.as_mut().map(work);
            if matches!(&result, Some(Err(error)) if is_damage(error)) {
                *reader = None;
            }
            result
        });
        match done.await.ok()?? {
            Ok(value) => Some(value),
            Err(error) => {
                self.complain(&error);
                None
            }
        }
    }
}

impl Drop for CatalogueDb {
    fn drop(&mut self) {
        // The thread writes what is left, and ends when no sender is left.
        let (sender, _) = mpsc::channel();
        self.journal = Journal { sender, backlog: Arc::default() };
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// The catalogue of an account on disk, for showing it.
#[derive(Debug)]
pub struct KeptCatalogue {
    path: PathBuf,
    connection: Connection,
}

impl KeptCatalogue {
    /// Opens a catalogue; `None` if there is none in this file.
    ///
    /// # Errors
    /// It can't be read.
    pub fn open(path: &Path) -> Result<Option<Self>, CatalogueError> {
        if !path.exists() {
            return Ok(None);
        }
        Ok(Some(Self { path: path.to_owned(), connection: open(path)? }))
    }

    /// Returns all catalogues in a directory.
    ///
    /// # Errors
    /// One of them can't be read.
    pub fn all(directory: &Path) -> Result<Vec<Self>, CatalogueError> {
        let Ok(entries) = std::fs::read_dir(directory) else { return Ok(Vec::new()) };
        let mut paths: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|end| end == EXTENSION))
            .collect();
        paths.sort();
        paths.iter().filter_map(|path| Self::open(path).transpose()).collect()
    }

    /// Returns its contents in numbers.
    ///
    /// # Errors
    /// It can't be read.
    pub fn status(&self) -> Result<KeptStatus, CatalogueError> {
        let size = std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        tables::status(&self.connection, size).map_err(|source| self.failed(source))
    }

    /// Returns everything in it, folders before what is in them.
    ///
    /// # Errors
    /// It can't be read.
    pub fn entries(&self) -> Result<Vec<KeptEntry>, CatalogueError> {
        tables::entries(&self.connection).map_err(|source| self.failed(source))
    }

    /// Forgets everything in the catalogue.
    ///
    /// # Errors
    /// It can't be written.
    pub fn clear(&mut self) -> Result<(), CatalogueError> {
        tables::clear(&mut self.connection)
            .map_err(|source| DatabaseError::of_database(&self.path, source).into())
    }

    fn failed(&self, source: rusqlite::Error) -> CatalogueError {
        DatabaseError::of_database(&self.path, source).into()
    }
}

/// File extension of catalogues.
pub(in crate::fichier) const EXTENSION: &str = "sqlite";

/// Writes what comes, until no sender is left.
fn write_all(
    path: &Path,
    connection: &mut Connection,
    messages: &mpsc::Receiver<Message>,
    backlog: &AtomicUsize,
) {
    let mut works = true;
    while let Ok(first) = messages.recv() {
        let mut changes = Vec::new();
        let mut waiting = Vec::new();
        let mut weight = 0;
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Change(at, change) => {
                    weight += change.weight();
                    changes.push((at, change));
                }
                Message::Flush(sender) => waiting.push(sender),
            }
            next = if weight < GATHERED { messages.try_recv().ok() } else { None };
        }
        if works
            && !changes.is_empty()
            && let Err(error) = tables::write(connection, &changes)
        {
            tracing::warn!("The catalogue is given up: {}", DatabaseError::of_database(path, error));
            // A change that is missing now would look like knowledge later, so the whole database is given up.
            discard(path);
            works = false;
        }
        backlog.fetch_sub(weight, Ordering::Relaxed);
        for sender in waiting {
            let _ = sender.send(());
        }
    }
}

fn open(path: &Path) -> Result<Connection, CatalogueError> {
    Ok(database::open(path, "catalogue", tables::prepare)?)
}

fn discard(path: &Path) {
    if let Err(error) = database::discard(path) {
        tracing::warn!("Can't remove the catalogue {}: {error}", path.display());
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The data is sound between any two statements, even after a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
