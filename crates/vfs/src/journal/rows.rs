//! The rows of the journal: files that aren't sent, and changes that the service isn't told.

use std::time::SystemTime;

use fichier_storage::{File, RemotePath};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{
    Journal, Unsent,
    codec::{files_of_bytes, files_to_bytes, time_of_numbers, time_to_numbers},
};
use crate::{Result, change::Change};

/// A file that isn't at the service, or not in its last version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnsentRow {
    pub(crate) id: i64,
    pub(crate) path: RemotePath,
    /// Number of the data file that was closed or fsynced last.
    pub(crate) content: Option<i64>,
    /// Number of the data file that is being written.
    pub(crate) working: Option<i64>,
    pub(crate) modified: SystemTime,
    /// The versions that it replaces at the service.
    pub(crate) replaces: Vec<File>,
    /// Path to which it is being sent, and the number of the data file that is.
    pub(crate) sent: Option<(RemotePath, i64)>,
    /// Whether it was removed while it was being sent.
    pub(crate) removed: bool,
}

/// A change that the service isn't told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangeRow {
    pub(crate) id: i64,
    /// What file it is about, if several changes are about one.
    pub(crate) node: Option<u64>,
    pub(crate) change: Change,
    /// Whether the service may have been told.
    pub(crate) tried: bool,
}

impl Journal {
    /// Notes a file that isn't sent, or what changed about it.
    pub(crate) fn put_unsent(&self, row: &UnsentRow) -> Result<()> {
        let (seconds, nanos) = time_to_numbers(row.modified);
        self.run(
            "INSERT OR REPLACE INTO unsent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                row.id,
                row.path.as_bytes(),
                row.content,
                row.working,
                seconds,
                nanos,
                files_to_bytes(&row.replaces),
                row.sent.as_ref().map(|(path, _)| path.as_bytes()),
                row.sent.as_ref().map(|(_, number)| number),
                row.removed,
            ],
        )
    }

    /// Forgets a file: it is sent, or will never be.
    pub(crate) fn remove_unsent(&self, id: i64) -> Result<()> {
        self.run("DELETE FROM unsent WHERE id = ?", params![id])
    }

    /// Notes another path of a file that isn't sent.
    pub(crate) fn move_unsent(&self, id: i64, path: &RemotePath) -> Result<()> {
        self.run("UPDATE unsent SET path = ? WHERE id = ?", params![path.as_bytes(), id])
    }

    /// Notes that a data file of a file is being sent to a path.
    pub(crate) fn mark_sent(&self, id: i64, path: &RemotePath, number: i64) -> Result<()> {
        let values = params![path.as_bytes(), number, id];
        self.run("UPDATE unsent SET sent_path = ?, sent_number = ? WHERE id = ?", values)
    }

    /// Notes a change, or what changed about it.
    pub(crate) fn put_change(&self, row: &ChangeRow) -> Result<()> {
        let (kind, target, replaces, time) = match &row.change {
            Change::MakeFolder(_) => (0, None, None, None),
            Change::RemoveFolder(_) => (1, None, None, None),
            Change::Remove { .. } => (2, None, None, None),
            Change::Rename { to, replaces, .. } => (3, Some(to), Some(replaces), None),
            Change::SetTime { time, .. } => (4, None, None, Some(time_to_numbers(*time))),
        };
        self.run(
            "INSERT OR REPLACE INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                row.id,
                kind,
                row.node.map(u64::cast_signed),
                row.change.path().as_bytes(),
                target.map(RemotePath::as_bytes),
                files_to_bytes(row.change.files()),
                replaces.map(|files| files_to_bytes(files)).unwrap_or_default(),
                time.map(|(seconds, _)| seconds),
                time.map(|(_, nanos)| nanos),
                row.tried,
            ],
        )
    }

    /// Forgets a change: it is done, or will never be.
    pub(crate) fn remove_change(&self, id: i64) -> Result<()> {
        self.run("DELETE FROM changes WHERE id = ?", params![id])
    }
}

/// Reads all that is unsent.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Unsent> {
    let mut files = connection.prepare(
        "SELECT id, path, content, working, seconds, nanos, replaces, sent_path, sent_number, removed FROM unsent ORDER BY id",
    )?;
    let files = files.query_map([], unsent_of)?.collect::<rusqlite::Result<_>>()?;
    let mut changes = connection.prepare(
        "SELECT id, kind, node, path, target, files, replaces, seconds, nanos, tried FROM changes ORDER BY id",
    )?;
    let changes = changes.query_map([], change_of)?.collect::<rusqlite::Result<_>>()?;
    let rename = "SELECT source, target FROM folder_rename LIMIT 1";
    let paths = |row: &Row<'_>| Ok((path_of(row, 0)?, path_of(row, 1)?));
    let folder_rename = connection.query_row(rename, [], paths).optional()?;
    Ok(Unsent { files, changes, folder_rename })
}

fn unsent_of(row: &Row<'_>) -> rusqlite::Result<UnsentRow> {
    let has_sent_path = row.get_ref(7)?.as_blob_or_null()?.is_some();
    Ok(UnsentRow {
        id: row.get(0)?,
        path: path_of(row, 1)?,
        content: row.get(2)?,
        working: row.get(3)?,
        modified: time_of_numbers(row.get(4)?, row.get(5)?),
        replaces: files_of(row, 6)?,
        sent: match has_sent_path {
            true => Some((path_of(row, 7)?, row.get(8)?)),
            false => None,
        },
        removed: row.get(9)?,
    })
}

fn change_of(row: &Row<'_>) -> rusqlite::Result<ChangeRow> {
    let path = path_of(row, 3)?;
    let files = files_of(row, 5)?;
    let change = match row.get::<_, i64>(1)? {
        0 => Change::MakeFolder(path),
        1 => Change::RemoveFolder(path),
        2 => Change::Remove { path, files },
        3 => Change::Rename { path, file: files, to: path_of(row, 4)?, replaces: files_of(row, 6)? },
        4 => Change::SetTime { path, file: files, time: time_of_numbers(row.get(7)?, row.get(8)?) },
        other => return Err(rusqlite::Error::IntegralValueOutOfRange(1, other)),
    };
    let node = row.get::<_, Option<i64>>(2)?.map(i64::cast_unsigned);
    Ok(ChangeRow { id: row.get(0)?, node, change, tried: row.get(9)? })
}

fn path_of(row: &Row<'_>, column: usize) -> rusqlite::Result<RemotePath> {
    RemotePath::parse(row.get_ref(column)?.as_blob()?).map_err(|error| no_value(column, error))
}

fn files_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<File>> {
    let files = files_of_bytes(row.get_ref(column)?.as_blob()?);
    files.ok_or_else(|| no_value(column, std::io::Error::other("no list of files")))
}

/// An error that counts as damage of the database.
fn no_value(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, Box::new(error))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_was_noted_is_read_again() {
        let home = tempfile::tempdir().unwrap();
        let path = |text| RemotePath::parse(text).unwrap();
        let file = File::new(path("a/old"), 3);
        let unsent = UnsentRow {
            id: 1,
            path: path("a/new"),
            content: Some(2),
            working: None,
            modified: time_of_numbers(1_700_000_000, 5),
            replaces: vec![file.clone()],
            sent: Some((path("b"), 7)),
            removed: true,
        };
        let changes = [
            Change::MakeFolder(path("f")),
            Change::RemoveFolder(path("g")),
            Change::Remove { path: path("h"), files: vec![file.clone(), file.clone()] },
            Change::Rename {
                path: path("i"),
                file: vec![file.clone()],
                to: path("j"),
                replaces: vec![file.clone()],
            },
            Change::SetTime { path: path("k"), file: vec![file], time: time_of_numbers(-9, 1) },
        ];
        let rows: Vec<_> = changes
            .into_iter()
            .zip(10..)
            .map(|(change, id)| ChangeRow { id, node: Some(u64::MAX), change, tried: id == 12 })
            .collect();
        {
            let (journal, _) = Journal::open(home.path(), Duration::ZERO).await.unwrap();
            journal.put_unsent(&unsent).unwrap();
            rows.iter().rev().for_each(|row| journal.put_change(row).unwrap());
        }
        let (journal, read) = Journal::open(home.path(), Duration::ZERO).await.unwrap();
        assert_eq!((&read.files, &read.changes), (&vec![unsent], &rows));
        journal.mark_sent(1, &path("d"), 8).unwrap();
        journal.move_unsent(1, &path("c")).unwrap();
        journal.remove_change(10).unwrap();
        let read = super::read(&journal.connection).unwrap();
        assert_eq!((&read.files[0].sent, &read.files[0].path), (&Some((path("d"), 8)), &path("c")));
        assert_eq!(read.changes.len(), 4);
    }
}
