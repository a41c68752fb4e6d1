//! The emulator's state: one SQLite database, and the files' contents beside it.
//!
//! Everything is in the database. Nothing of it is kept in process memory, since several processes may serve the same
//! state directory at once.

mod accounts;
mod blobs;
mod files;
mod folders;
mod schema;
mod tickets;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use crate::clock::Clock;
use crate::error::EmulatorError;

pub(crate) use accounts::AccountRow;
pub(crate) use blobs::{BlobReader, BlobWriter, Blobs, Stored, synthetic_blob};
pub(crate) use files::{FileRow, NewFile, Window};
pub(crate) use folders::FolderRow;
pub(crate) use tickets::TokenUse;

/// Where the state is stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Storage {
    /// The state is in memory: lost when the emulator ends.
    #[default]
    Memory,
    /// The state is in a directory, made if missing. The state survives restarts and crashes, and several processes may
    /// serve it at once.
    Directory(PathBuf),
}

/// The open state.
pub(crate) struct Store {
    db: Mutex<Connection>,
    pub(crate) blobs: Blobs,
    clock: Clock,
    lag: Duration,
}

/// A running transaction. Its methods are in the modules beside this one, by subject.
pub(crate) struct Tx<'a> {
    db: &'a Connection,
    /// Present time in microseconds since 1970.
    pub(crate) now: i64,
    lag: i64,
    /// Contents that nothing refers to any more; they are deleted after the commit.
    orphans: RefCell<Vec<String>>,
}

impl Store {
    pub(crate) fn open(
        storage: &Storage,
        durable: bool,
        clock: Clock,
        lag: Duration,
    ) -> Result<Self, EmulatorError> {
        let (mut db, blobs) = match storage {
            Storage::Memory => (Connection::open_in_memory()?, Blobs::memory()),
            Storage::Directory(path) => {
                let blobs = Blobs::directory(path, durable)?;
                (Connection::open(path.join("state.sqlite"))?, blobs)
            }
        };
        // Another process may hold the write lock while it stores a report or seeds an account.
        db.busy_timeout(Duration::from_secs(30))?;
        if matches!(storage, Storage::Directory(_)) {
            db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        }
        // With WAL, NORMAL loses nothing when the process is killed; only a power cut needs FULL.
        db.pragma_update(None, "synchronous", if durable { "FULL" } else { "NORMAL" })?;
        db.pragma_update(None, "cache_size", -4096)?;
        db.set_prepared_statement_cache_capacity(64);
        schema::migrate(&mut db)?;
        Ok(Self { db: Mutex::new(db), blobs, clock, lag })
    }

    /// Runs `work` in a transaction, on this thread. An error rolls everything back.
    pub(crate) fn transact<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut db = self.db.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (value, orphans) = {
            let tx = Tx {
                db: &transaction,
                now: self.clock.micros(),
                lag: i64::try_from(self.lag.as_micros()).unwrap_or(i64::MAX),
                orphans: RefCell::default(),
            };
            let value = work(&tx)?;
            (value, tx.orphans.into_inner())
        };
        transaction.commit()?;
        drop(db);
        for blob in orphans {
            self.blobs.delete(&blob);
        }
        Ok(value)
    }

    /// Runs `work` as [`transact`](Self::transact) does, on a thread where blocking is allowed.
    pub(crate) async fn run<T, E>(
        self: &Arc<Self>,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<rusqlite::Error> + Send + 'static,
    {
        let store = Arc::clone(self);
        blocking(move || store.transact(work)).await
    }
}

/// Runs blocking work beside the asynchronous threads.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
}

impl Tx<'_> {
    /// Returns the present time in seconds since 1970, as dates are stored.
    pub(crate) fn now_seconds(&self) -> i64 {
        self.now.div_euclid(1_000_000)
    }
}

/// Creates a directory of the state.
fn make_directory(path: &Path) -> Result<(), EmulatorError> {
    std::fs::create_dir_all(path).map_err(EmulatorError::file(path))
}
