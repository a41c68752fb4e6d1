//! The journal: what the service doesn't have yet, in a database and in data files, so that it outlives the program.
//!
//! All is written before the operation is answered. A commit survives the program's end at any moment;
//! [`Journal::make_safe`] makes it survive a power cut, too.

mod codec;
mod data;
mod rows;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use fichier_state::database::{self, DatabaseError};
use fichier_storage::{File, RemotePath};
use rusqlite::{Connection, OptionalExtension as _, params};

pub(crate) use codec::{files_to_bytes, time_of_numbers, time_to_numbers};
pub(crate) use data::DataFolder;
pub(crate) use rows::{ChangeRow, UnsentRow};

use crate::{Result, VfsError};

/// How long to wait between two looks at the lock.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS unsent (
        id INTEGER PRIMARY KEY,
        path BLOB NOT NULL,
        content INTEGER,
        working INTEGER,
        seconds INTEGER NOT NULL,
        nanos INTEGER NOT NULL,
        replaces BLOB NOT NULL,
        sent_path BLOB,
        sent_number INTEGER,
        removed INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE IF NOT EXISTS changes (
        id INTEGER PRIMARY KEY,
        kind INTEGER NOT NULL,
        node INTEGER,
        path BLOB NOT NULL,
        target BLOB,
        files BLOB NOT NULL,
        replaces BLOB NOT NULL,
        seconds INTEGER,
        nanos INTEGER,
        tried INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE IF NOT EXISTS folder_rename (source BLOB NOT NULL, target BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS times (
        file BLOB PRIMARY KEY,
        seconds INTEGER NOT NULL,
        nanos INTEGER NOT NULL
    ) WITHOUT ROWID;
";

/// The journal of one file system. Only one process has it open.
#[derive(Debug)]
pub(crate) struct Journal {
    connection: Connection,
    path: PathBuf,
    next: i64,
    has_times: bool,
    /// Held as long as the journal is open.
    _lock: fs::File,
}

/// What a journal held when it was opened.
#[derive(Debug, Default)]
pub(crate) struct Unsent {
    pub(crate) files: Vec<UnsentRow>,
    pub(crate) changes: Vec<ChangeRow>,
    /// A folder rename that was begun: from, to.
    pub(crate) folder_rename: Option<(RemotePath, RemotePath)>,
}

impl Journal {
    /// Opens the journal in a directory. Waits for a process that uses it. A damaged one is set aside.
    pub(crate) async fn open(directory: &Path, wait: Duration) -> Result<(Self, Unsent)> {
        fichier_state::make_directory(directory)
            .map_err(|error| VfsError::disk("make the directory", directory, error))?;
        let lock = lock(directory, wait).await?;
        match Self::read(directory, &lock) {
            Err(VfsError::Journal(DatabaseError::Damaged { source, .. })) => {
                let aside = set_aside(directory)?;
                tracing::error!(
                    "The journal {} is damaged and a new one begun: {source}. What wasn't sent is in {}",
                    directory.display(),
                    aside.display()
                );
                Self::read(directory, &lock)
            }
            opened => opened,
        }
    }

    fn read(directory: &Path, lock: &fs::File) -> Result<(Self, Unsent)> {
        let path = directory.join("journal.db");
        let on_disk = |error| VfsError::disk("open", &path, error);
        drop(fichier_state::open_private(&path).map_err(on_disk)?);
        let database = |error| VfsError::Journal(DatabaseError::of_database(&path, error));
        let connection = database::connect(&path).map_err(database)?;
        connection.execute_batch(TABLES).map_err(database)?;
        let unsent = rows::read(&connection).map_err(database)?;
        let most = |column: &str, table: &str| {
            let query = format!("SELECT coalesce(max({column}), 0) FROM {table}");
            connection.query_row(&query, [], |row| row.get::<_, i64>(0)).map_err(database)
        };
        let next = most("id", "unsent")?.max(most("id", "changes")?);
        let next = next.max(most("content", "unsent")?).max(most("working", "unsent")?);
        let next = next.max(most("sent_number", "unsent")?) + 1;
        // A data file of an earlier start may still be on its way into the cache, so no number comes twice, though its
        // row is gone.
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let next = next.max(i64::try_from(now.as_micros()).unwrap_or(0));
        let has_times = connection
            .query_row("SELECT EXISTS (SELECT 1 FROM times)", [], |row| row.get(0))
            .map_err(database)?;
        let lock = lock.try_clone().map_err(on_disk)?;
        Ok((Self { connection, path: path.clone(), next, has_times, _lock: lock }, unsent))
    }

    /// Returns a number that nothing in the journal has or had since it was opened.
    pub(crate) fn number(&mut self) -> i64 {
        self.next += 1;
        self.next - 1
    }

    /// Does several things in one step: all or none are there after the program's end.
    pub(crate) fn together<T>(&self, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        let transaction = self.connection.unchecked_transaction().map_err(|error| self.error(error))?;
        let done = work(self)?;
        transaction.commit().map_err(|error| self.error(error))?;
        Ok(done)
    }

    /// Makes everything that was noted survive a power cut.
    pub(crate) fn make_safe(&self) -> Result<()> {
        // A commit in this mode writes the whole log to the disk, with what earlier commits left there.
        self.batch("PRAGMA synchronous = FULL")?;
        let noted = self.together(|journal| {
            journal
                .run("UPDATE unsent SET removed = removed WHERE id = (SELECT max(id) FROM unsent)", params![])
        });
        self.batch("PRAGMA synchronous = NORMAL")?;
        noted
    }

    fn batch(&self, text: &str) -> Result<()> {
        self.connection.execute_batch(text).map_err(|error| self.error(error))
    }

    fn run(&self, text: &str, values: impl rusqlite::Params) -> Result<()> {
        let run = self.connection.prepare_cached(text).and_then(|mut statement| statement.execute(values));
        run.map(drop).map_err(|error| self.error(error))
    }

    fn error(&self, error: rusqlite::Error) -> VfsError {
        VfsError::Journal(DatabaseError::of_database(&self.path, error))
    }

    /// Notes that a folder rename is begun at the service, so that the next start can see whether it was done.
    pub(crate) fn begin_folder_rename(&self, from: &RemotePath, to: &RemotePath) -> Result<()> {
        self.run("INSERT INTO folder_rename VALUES (?, ?)", params![from.as_bytes(), to.as_bytes()])
    }

    /// Notes that a folder rename has ended; if it was done, what is unsent below moves with it.
    pub(crate) fn end_folder_rename(&self, moved: &[(i64, RemotePath)]) -> Result<()> {
        self.together(|journal| {
            for (id, path) in moved {
                journal.move_unsent(*id, path)?;
            }
            journal.run("DELETE FROM folder_rename", params![])
        })
    }

    /// Remembers the time of a file, for a service that keeps none.
    pub(crate) fn remember_time(&mut self, file: &File, time: SystemTime) -> Result<()> {
        let (seconds, nanos) = time_to_numbers(time);
        self.has_times = true;
        self.run("INSERT OR REPLACE INTO times VALUES (?, ?, ?)", params![key(file), seconds, nanos])
    }

    /// Forgets the time of a file that is gone.
    pub(crate) fn forget_time(&self, file: &File) -> Result<()> {
        match self.has_times {
            true => self.run("DELETE FROM times WHERE file = ?", params![key(file)]),
            false => Ok(()),
        }
    }

    /// Returns the remembered time of a file.
    pub(crate) fn time_of(&self, file: &File) -> Option<SystemTime> {
        if !self.has_times {
            return None;
        }
        let mut statement =
            self.connection.prepare_cached("SELECT seconds, nanos FROM times WHERE file = ?").ok()?;
        let found = statement.query_row(params![key(file)], |row| Ok((row.get(0)?, row.get(1)?)));
        found.optional().ok().flatten().map(|(seconds, nanos)| time_of_numbers(seconds, nanos))
    }
}

/// What stays the same when a file is renamed, where the remote has that; else all that tells it from others.
fn key(file: &File) -> Vec<u8> {
    match &file.id {
        Some(id) => id.as_str().as_bytes().to_vec(),
        None => files_to_bytes(std::slice::from_ref(file)),
    }
}

async fn lock(directory: &Path, wait: Duration) -> Result<fs::File> {
    let path = directory.join("lock");
    let file = fichier_state::open_private(&path).map_err(|error| VfsError::disk("open", &path, error))?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) if start.elapsed() < wait => {
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
            Err(fs::TryLockError::WouldBlock) => return Err(VfsError::InUse(directory.to_owned())),
            Err(fs::TryLockError::Error(error)) => return Err(VfsError::disk("lock", &path, error)),
        }
    }
}

/// Moves the database and the data files into a folder beside.
fn set_aside(directory: &Path) -> Result<PathBuf> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let aside = directory.join(format!("damaged-{now}"));
    fichier_state::make_directory(&aside)
        .map_err(|error| VfsError::disk("make the directory", &aside, error))?;
    for name in ["journal.db", "journal.db-wal", "journal.db-shm", "files"] {
        match fs::rename(directory.join(name), aside.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(VfsError::disk("move", directory.join(name), error));
            }
            _ => {}
        }
    }
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RemotePath {
        RemotePath::parse(text).unwrap()
    }

    async fn open(home: &Path) -> (Journal, Unsent) {
        Journal::open(home, Duration::ZERO).await.unwrap()
    }

    // [crash-5]
    #[tokio::test]
    async fn a_damaged_journal_is_set_aside_with_its_data() {
        let home = tempfile::tempdir().unwrap();
        drop(open(home.path()).await);
        let data = DataFolder::open(home.path()).unwrap();
        drop(data.create(7).unwrap());
        fs::write(home.path().join("journal.db"), vec![7; 8192]).unwrap();
        let (_, unsent) = open(home.path()).await;
        assert!(unsent.files.is_empty());
        let names = fs::read_dir(home.path()).unwrap().flatten();
        let aside = names.map(|entry| entry.path()).find(|path| path.join("files/7").exists());
        assert_eq!(fs::read(aside.unwrap().join("journal.db")).unwrap(), vec![7; 8192]);
    }

    #[tokio::test]
    async fn times_are_kept_and_numbers_are_never_given_twice() {
        let home = tempfile::tempdir().unwrap();
        let mut file = File::new(path("a"), 3);
        file.id = Some(fichier_storage::FileId::new("link"));
        let time = time_of_numbers(-5, 7);
        let last = {
            let (mut journal, _) = open(home.path()).await;
            assert_eq!(journal.time_of(&file), None);
            journal.remember_time(&file, time).unwrap();
            journal.make_safe().unwrap();
            journal.number()
        };
        let (mut journal, _) = open(home.path()).await;
        assert!(last < journal.number());
        file.path = path("renamed");
        assert_eq!(journal.time_of(&file), Some(time));
        journal.forget_time(&file).unwrap();
        assert_eq!(journal.time_of(&file), None);
    }

    #[tokio::test]
    async fn a_folder_rename_that_was_begun_is_found() {
        let home = tempfile::tempdir().unwrap();
        {
            let (journal, _) = open(home.path()).await;
            journal.begin_folder_rename(&path("a"), &path("b")).unwrap();
        }
        let (journal, unsent) = open(home.path()).await;
        assert_eq!(unsent.folder_rename, Some((path("a"), path("b"))));
        journal.end_folder_rename(&[]).unwrap();
    }
}
