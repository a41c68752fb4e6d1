//! SQLite databases that may be lost: all are opened in one way, and recreated only when they are damaged.

use std::{
    error::Error,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, ffi};

use crate::private::{open_private, regular};

/// How long to wait for another process.
const PATIENCE: Duration = Duration::from_secs(10);

/// Ends of the names of a database's files.
const FILES: [&str; 3] = ["", "-wal", "-shm"];

/// Why a database can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The disk is full.
    #[error("{path:?}: there is no room left on its disk; make room")]
    Full {
        /// Path of the database's file.
        path: PathBuf,
    },
    /// The file or its directory can't be written.
    #[error("{path:?} can't be written: {source}; check the permissions of the file and its directory")]
    NotWritable {
        /// Path of the database's file.
        path: PathBuf,
        /// Error that the file system or the database gave.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Another process keeps the database locked.
    #[error("{path:?} is in use by another process; wait until that is done, or end it")]
    Locked {
        /// Path of the database's file.
        path: PathBuf,
    },
    /// The file's content isn't what was written.
    #[error("{path:?} is damaged: {source}; remove it")]
    Damaged {
        /// Path of the database's file.
        path: PathBuf,
        /// Error that the database gave.
        source: rusqlite::Error,
    },
    /// The file system refuses for another reason.
    #[error("{path:?}: {source}")]
    Disk {
        /// Path of the database's file.
        path: PathBuf,
        /// Error that the file system gave.
        source: io::Error,
    },
    /// The database refuses for another reason.
    #[error("{path:?}: {source}")]
    Database {
        /// Path of the database's file.
        path: PathBuf,
        /// Error that the database gave.
        source: rusqlite::Error,
    },
}

impl DatabaseError {
    /// Returns the meaning of an error of the database in this file.
    #[must_use]
    pub fn of_database(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path },
            // The memory that processes share is a file, which can't be made any larger.
            _ if extended_code(&source) == Some(ffi::SQLITE_IOERR_SHMSIZE) => Self::Full { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                Self::NotWritable { path, source: source.into() }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            _ if is_damage(&source) => Self::Damaged { path, source },
            _ => Self::Database { path, source },
        }
    }

    /// Returns the meaning of an error of the file system at this file.
    #[must_use]
    pub fn of_disk(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::NotWritable { path, source: source.into() }
            }
            _ => Self::Disk { path, source },
        }
    }
}

/// Opens the database in this file, or makes a new one. `prepare` makes its tables and reads from them. A damaged
/// database is recreated, with a warning that calls it `name`.
///
/// # Errors
/// The database can't be used, and isn't damaged; or it can't be replaced.
pub fn open(
    path: &Path,
    name: &str,
    prepare: impl Fn(&mut Connection) -> rusqlite::Result<()>,
) -> Result<Connection, DatabaseError> {
    let open = || {
        let on_disk = |error| DatabaseError::of_disk(path, error);
        files(path).iter().try_for_each(|file| regular(file)).map_err(on_disk)?;
        drop(open_private(path).map_err(on_disk)?);
        let prepared = connect(path).and_then(|mut connection| prepare(&mut connection).map(|()| connection));
        prepared.map_err(|error| DatabaseError::of_database(path, error))
    };
    match open() {
        Err(DatabaseError::Damaged { source, .. }) => {
            tracing::warn!("The {name} {} is damaged and begun anew: {source}", path.display());
            discard(path).map_err(|error| DatabaseError::of_disk(path, error))?;
            open()
        }
        opened => opened,
    }
}

/// Opens one more connection to a database that [`open`] opened.
///
/// # Errors
/// The database refuses.
pub fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // What a power cut destroys can be learned again.
    connection.pragma_update(None, "synchronous", "normal")?;
    Ok(connection)
}

/// Removes a database. Processes that have it open keep using what they have.
///
/// # Errors
/// A file is there and can't be removed.
pub fn discard(path: &Path) -> io::Result<()> {
    files(path).iter().try_for_each(|file| match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    })
}

fn extended_code(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}

/// Checks whether the error says that the file doesn't hold what was written.
#[must_use]
pub fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        // An unknown code means that the tables aren't those that we made.
        rusqlite::Error::SqliteFailure(failure, _) => {
            matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown)
        }
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::SqlInputError { .. } => true,
        _ => false,
    }
}

fn files(path: &Path) -> [PathBuf; 3] {
    FILES.map(|end| {
        let mut file = path.as_os_str().to_owned();
        file.push(end);
        file.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(connection: &mut Connection) -> rusqlite::Result<()> {
        // As a process that writes at once, so that no one needs to wait for it.
        connection.busy_timeout(Duration::ZERO)?;
        connection.execute_batch("CREATE TABLE IF NOT EXISTS kept (value); INSERT INTO kept VALUES (1)")
    }

    fn count(path: &Path) -> rusqlite::Result<i64> {
        connect(path)?.query_row("SELECT count(*) FROM kept", [], |row| row.get(0))
    }

    #[test]
    fn what_is_damaged_is_begun_anew() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("deep/file");
        drop(open(&path, "test", tables).unwrap());
        drop(open(&path, "test", tables).unwrap());
        assert_eq!(count(&path), Ok(2));
        fs::write(&path, b"this is no database, but long enough to be taken for one").unwrap();
        drop(open(&path, "test", tables).unwrap());
        assert_eq!(count(&path), Ok(1));
    }

    #[test]
    fn a_full_disk_costs_nothing_that_is_there() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        drop(open(&path, "test", tables).unwrap());
        let large = |connection: &mut Connection| {
            connection.pragma_update(None, "max_page_count", 10)?;
            connection.execute_batch("INSERT INTO kept VALUES (zeroblob(1000000))")
        };
        let error = open(&path, "test", large).unwrap_err();
        assert!(matches!(error, DatabaseError::Full { .. }), "{error:?}");
        assert_eq!(count(&path), Ok(1));
        // SQLite's error when there is no room for the first page, measured on a tmpfs.
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(4874), None);
        assert!(matches!(DatabaseError::of_database(&path, error), DatabaseError::Full { .. }));
    }

    #[test]
    fn one_that_is_locked_stays() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        let other = open(&path, "test", tables).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let error = open(&path, "test", tables).unwrap_err();
        assert!(matches!(error, DatabaseError::Locked { .. }), "{error:?}");
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(count(&path), Ok(1));
    }

    #[test]
    fn one_that_cannot_be_written_stays() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        drop(open(&path, "test", tables).unwrap());
        let read_only = |connection: &mut Connection| {
            connection.pragma_update(None, "query_only", true)?;
            tables(connection)
        };
        let error = open(&path, "test", read_only).unwrap_err();
        assert!(matches!(error, DatabaseError::NotWritable { .. }), "{error:?}");
        let refused = DatabaseError::of_disk(&path, io::ErrorKind::PermissionDenied.into());
        assert!(matches!(refused, DatabaseError::NotWritable { .. }), "{refused:?}");
        assert_eq!(count(&path), Ok(1));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_neither_read_nor_removed() {
        let home = tempfile::tempdir().unwrap();
        for (name, end) in [("a", ""), ("b", "-wal"), ("c", "-shm")] {
            let path = home.path().join(name);
            let pipe = home.path().join(name.to_owned() + end);
            assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            let error = open(&path, "test", tables).unwrap_err();
            assert!(error.to_string().ends_with("it is no regular file; remove it"), "{error}");
            assert!(pipe.exists());
        }
        let zero = home.path().join("zero");
        std::os::unix::fs::symlink("/dev/zero", &zero).unwrap();
        assert!(matches!(open(&zero, "test", tables), Err(DatabaseError::Disk { .. })));
    }
}
