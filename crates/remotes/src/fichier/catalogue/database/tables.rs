//! The tables of the catalogue on disk, and every statement on them.
//!
//! Each row has the moment of what it says (`noted_at`, milliseconds of the wall clock): when its listing began, or
//! when we did it. Older information never overwrites newer, so processes that write at the same time, and listings
//! that come late, do no harm. What was removed leaves its row behind for a day, so that an older listing doesn't bring
//! it back.
//!
//! Files are stored by folder, so that a listing is written in one place and read from one place: ordered by their
//! codes, which are random, each file of a million would be in a page of its own. So a file that someone else has moved
//! is in both folders until the first is listed again; it counts where it was seen last.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
    time::{Duration, SystemTime},
};

use fichier_api::{Domain, FileLink, FolderId};
use fichier_storage::{Name, RemotePath, Whirlpool};
use rusqlite::{Connection, OptionalExtension, Row, Statement, Transaction, TransactionBehavior, params};

use super::{
    super::{KnownFile, KnownFolder, Marks},
    Change,
};

/// Marks the layout of the tables. Another one is begun anew.
const LAYOUT: i64 = 3;

/// Time for which removed entries are remembered as gone.
const GONE_FOR: Duration = Duration::from_secs(86_400);

/// Time for which a listing may show a folder as it was before a change (API document, section 7). Changes that this
/// account's processes made so shortly before a listing take precedence over it.
const LISTING_LAG: Duration = Duration::from_secs(30);

const TABLES: &str = "
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE folders (
    id INTEGER PRIMARY KEY,
    parent INTEGER,                     -- unknown for the root, and for what its folder lists no more
    name BLOB NOT NULL,
    date INTEGER,
    listed_at INTEGER,                  -- since when all that it holds is known; null: not all is
    unsure INTEGER NOT NULL DEFAULT 0,  -- how much is on its way into it
    noted_at INTEGER NOT NULL,          -- of parent and name
    gone INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX folders_by_parent ON folders (parent);
CREATE TABLE files (
    folder INTEGER NOT NULL,
    code TEXT NOT NULL,
    host TEXT NOT NULL,
    name BLOB NOT NULL,
    size INTEGER NOT NULL,
    whirlpool BLOB,
    date INTEGER,
    media_type TEXT,
    marks INTEGER NOT NULL,             -- whether it stands for an empty file, and what a listing told of its attributes
    noted_at INTEGER NOT NULL,
    gone INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (folder, code)
) WITHOUT ROWID;
CREATE INDEX files_gone ON files (noted_at) WHERE gone = 1;
";

/// Tables that came later than the others, and can be made again without a loss.
const LATER_TABLES: &str = "
CREATE TABLE IF NOT EXISTS dropped (
    whirlpool BLOB PRIMARY KEY,
    size INTEGER NOT NULL,
    at INTEGER NOT NULL
) WITHOUT ROWID;
";

/// Column that came later than its table: whether a file is known from the answer to an upload or a copy alone. What is
/// kept from before it may be, as far as no listing has shown it since.
const REPORTED_COLUMN: &str = "
ALTER TABLE files ADD COLUMN reported INTEGER NOT NULL DEFAULT 0;
UPDATE files SET reported = 1 FROM folders
WHERE folders.id = files.folder AND files.gone = 0 AND files.noted_at > coalesce(folders.listed_at, 0);
";

pub(super) const FILE_COLUMNS: &str = "code, host, name, size, whirlpool, date, media_type, marks";

/// Contents of a folder, and when its listing began.
#[derive(Debug)]
pub(in crate::fichier) struct StoredFolder {
    pub(in crate::fichier) files: Vec<KnownFile>,
    pub(in crate::fichier) folders: Vec<KnownFolder>,
    pub(in crate::fichier) listed: SystemTime,
}

/// Contents of a catalogue on disk, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptStatus {
    /// Name of the remote when it was last used, with its colon.
    pub title: String,
    /// Number of known folders.
    pub folders: u64,
    /// Number of known folders whose contents are completely known.
    pub complete: u64,
    /// Number of known files.
    pub files: u64,
    /// Total size in bytes of the known files.
    pub bytes: u64,
    /// Time of the oldest listing among the folders.
    pub oldest: Option<SystemTime>,
    /// Time of the newest listing among the folders.
    pub newest: Option<SystemTime>,
    /// Size on disk in bytes.
    pub size: u64,
}

/// An entry of a catalogue on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptEntry {
    /// A folder of the account.
    Folder {
        /// Path of the folder.
        path: RemotePath,
        /// Number of the folder at the service.
        id: u64,
        /// Time when it was made.
        made: Option<SystemTime>,
        /// Time since when its contents are completely known, if they are.
        listed: Option<SystemTime>,
    },
    /// A file of the account.
    File {
        /// Path of the file.
        path: RemotePath,
        /// Link of the file.
        link: String,
        /// Size in bytes, as stored.
        size: u64,
        /// Checksum of the file.
        whirlpool: Option<Whirlpool>,
        /// Time of the upload.
        uploaded: Option<SystemTime>,
    },
}

pub(super) fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let layout: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if layout != LAYOUT {
        transaction.execute_batch(
            "DROP TABLE IF EXISTS about; DROP TABLE IF EXISTS folders; DROP TABLE IF EXISTS files;",
        )?;
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "user_version", LAYOUT)?;
    }
    transaction.execute_batch(LATER_TABLES)?;
    let has_reported: bool = transaction.query_row(
        "SELECT EXISTS (SELECT 1 FROM pragma_table_info('files') WHERE name = 'reported')",
        [],
        |row| row.get(0),
    )?;
    if !has_reported {
        transaction.execute_batch(REPORTED_COLUMN)?;
    }
    let past = millis(SystemTime::now().checked_sub(GONE_FOR).unwrap_or(SystemTime::UNIX_EPOCH));
    transaction.execute("DELETE FROM files WHERE gone = 1 AND noted_at < ?1", [past])?;
    transaction.execute(
        "DELETE FROM files WHERE folder IN
            (SELECT id FROM folders WHERE parent IS NULL AND id <> 0 AND noted_at < ?1)",
        [past],
    )?;
    transaction.execute("DELETE FROM folders WHERE parent IS NULL AND id <> 0 AND noted_at < ?1", [past])?;
    transaction.execute("DELETE FROM dropped WHERE at < ?1", [past])?;
    transaction.commit()
}

/// Returns the contents that the service took and didn't keep, each with its size and when that was.
pub(super) fn dropped(connection: &Connection) -> rusqlite::Result<Vec<(Whirlpool, u64, SystemTime)>> {
    let past = SystemTime::now().checked_sub(GONE_FOR).unwrap_or(SystemTime::UNIX_EPOCH);
    connection
        .prepare("SELECT whirlpool, size, at FROM dropped WHERE at >= ?1")?
        .query_map([millis(past)], |row| {
            let size = row.get::<_, i64>(1)?.unsigned_abs();
            Ok((Whirlpool::from_bytes(row.get(0)?), size, time(row.get(2)?)))
        })?
        .collect()
}

/// Records the user's name for the remote.
pub(super) fn name(connection: &Connection, title: &str) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO about (key, value) VALUES ('title', ?1)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value <> excluded.value",
            [title],
        )
        .map(drop)
}

pub(super) fn write(connection: &mut Connection, changes: &[(SystemTime, Change)]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (at, change) in changes {
        apply(&transaction, millis(*at), change)?;
    }
    transaction.commit()
}

fn apply(to: &Transaction<'_>, at: i64, change: &Change) -> rusqlite::Result<()> {
    match change {
        Change::Listed { folder, began, files, folders } => {
            take_listing(to, *folder, millis(*began), files, folders)
        }
        Change::File { folder, file } => put_file(to, *folder, file, at, at + 1),
        Change::FileGone { folder, file } => to
            .prepare_cached(
                "INSERT INTO files (code, host, folder, name, size, marks, noted_at, gone)
                 VALUES (?1, ?2, ?3, x'', 0, 0, ?4, 1)
                 ON CONFLICT (folder, code) DO UPDATE SET gone = 1, noted_at = excluded.noted_at
                 WHERE files.noted_at <= excluded.noted_at",
            )?
            .execute(params![file.code(), file.domain().host(), number(*folder), at])
            .map(drop),
        Change::NewFolder { parent, folder } => {
            put_folder(to, *parent, folder, at, at + 1)?;
            to.prepare_cached("UPDATE folders SET listed_at = ?2, unsure = 0 WHERE id = ?1")?
                .execute([number(folder.id), at])
                .map(drop)
        }
        Change::MovedFolder { parent, folder } => put_folder(to, *parent, folder, at, at + 1),
        Change::FolderGone { folder } => folder_gone(to, *folder, at),
        Change::Unsure { folder } => to
            .prepare_cached("UPDATE folders SET unsure = unsure + 1 WHERE id = ?1")?
            .execute([number(*folder)])
            .map(drop),
        Change::Dropped { whirlpool, size } => to
            .prepare_cached("INSERT OR REPLACE INTO dropped (whirlpool, size, at) VALUES (?1, ?2, ?3)")?
            .execute(params![&whirlpool.as_bytes()[..], i64::try_from(*size).unwrap_or(i64::MAX), at])
            .map(drop),
        Change::SureAgain { folder } => to
            .prepare_cached("UPDATE folders SET unsure = max(unsure - 1, 0) WHERE id = ?1")?
            .execute([number(*folder)])
            .map(drop),
    }
}

fn take_listing(
    to: &Transaction<'_>,
    folder: FolderId,
    began: i64,
    files: &[KnownFile],
    folders: &[KnownFolder],
) -> rusqlite::Result<()> {
    let id = number(folder);
    let known = to
        .prepare_cached("SELECT coalesce(listed_at, 0), gone * noted_at FROM folders WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    if known.is_some_and(|(listed_at, gone_at)| listed_at > began || gone_at > began) {
        return Ok(());
    }
    to.prepare_cached(
        "INSERT INTO folders (id, name, listed_at, noted_at) VALUES (?1, x'', ?2, 0)
         ON CONFLICT (id) DO UPDATE SET listed_at = excluded.listed_at, unsure = 0, gone = 0",
    )?
    .execute([id, began])?;
    // Rows of the listing before have its moment; rows with a later one come from this account's processes.
    let listed_before = known.map_or(0, |(listed_at, _)| listed_at);
    let lag = i64::try_from(LISTING_LAG.as_millis()).unwrap_or(i64::MAX);
    let own_since = listed_before.saturating_add(1).max(began.saturating_sub(lag)).min(began);
    for file in files {
        put_file(to, folder, file, began, own_since)?;
    }
    for child in folders {
        put_folder(to, folder, child, began, own_since)?;
    }
    to.prepare_cached("DELETE FROM files WHERE folder = ?1 AND gone = 0 AND noted_at < ?2")?
        .execute([id, own_since])?;
    to.prepare_cached("UPDATE folders SET parent = NULL WHERE parent = ?1 AND noted_at < ?2")?
        .execute([id, own_since])?;
    Ok(())
}

/// Made once: it is used for every file.
static PUT_FILE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "INSERT INTO files ({FILE_COLUMNS}, folder, noted_at, reported)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?12)
         ON CONFLICT (folder, code) DO UPDATE SET name = excluded.name, size = excluded.size,
             whirlpool = excluded.whirlpool, date = excluded.date, media_type = excluded.media_type,
             marks = excluded.marks, noted_at = excluded.noted_at, gone = 0,
             reported = excluded.reported
         WHERE files.noted_at < ?11"
    )
});

/// Writes a file, unless what is known of it is of `own_since` or later.
fn put_file(
    to: &Transaction<'_>,
    folder: FolderId,
    file: &KnownFile,
    at: i64,
    own_since: i64,
) -> rusqlite::Result<()> {
    let mut statement = to.prepare_cached(&PUT_FILE)?;
    bind_file(&mut statement, file)?;
    statement.raw_bind_parameter(9, number(folder))?;
    statement.raw_bind_parameter(10, at)?;
    statement.raw_bind_parameter(11, own_since)?;
    statement.raw_bind_parameter(12, file.reported)?;
    let written = statement.raw_execute()?;
    if written == 0 && !file.reported {
        // What we did ourselves stands, and is shown by a listing now.
        to.prepare_cached(
            "UPDATE files SET reported = 0 WHERE folder = ?1 AND code = ?2 AND name = ?3 AND reported = 1",
        )?
        .execute(params![number(folder), file.link.code(), file.name.as_bytes()])?;
    }
    Ok(())
}

/// Binds the values of [`FILE_COLUMNS`] to the first parameters.
pub(super) fn bind_file(statement: &mut Statement<'_>, file: &KnownFile) -> rusqlite::Result<()> {
    statement.raw_bind_parameter(1, file.link.code())?;
    statement.raw_bind_parameter(2, file.link.domain().host())?;
    statement.raw_bind_parameter(3, file.name.as_bytes())?;
    statement.raw_bind_parameter(4, i64::try_from(file.size).unwrap_or(i64::MAX))?;
    statement.raw_bind_parameter(5, file.whirlpool.as_ref().map(|sum| &sum.as_bytes()[..]))?;
    statement.raw_bind_parameter(6, file.date.map(millis))?;
    statement.raw_bind_parameter(7, file.media_type.as_deref())?;
    let marks = i64::from(file.marks.byte()) << 1 | i64::from(file.stands_for_empty);
    statement.raw_bind_parameter(8, marks)
}

/// Writes a folder, unless it is known to be there or gone since `own_since` or later.
fn put_folder(
    to: &Transaction<'_>,
    parent: FolderId,
    folder: &KnownFolder,
    at: i64,
    own_since: i64,
) -> rusqlite::Result<()> {
    to.prepare_cached(
        "INSERT INTO folders (id, parent, name, date, noted_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET parent = excluded.parent, name = excluded.name, date = excluded.date,
             noted_at = excluded.noted_at, gone = 0
         WHERE folders.noted_at <= excluded.noted_at
             AND NOT ((folders.parent = excluded.parent OR folders.gone = 1) AND folders.noted_at >= ?6)",
    )?
    .execute(params![
        number(folder.id),
        number(parent),
        folder.name.as_bytes(),
        folder.date.map(millis),
        at,
        own_since
    ])
    .map(drop)
}

fn folder_gone(to: &Transaction<'_>, folder: FolderId, at: i64) -> rusqlite::Result<()> {
    let id = number(folder);
    to.prepare_cached(
        "INSERT INTO folders (id, name, noted_at, gone) VALUES (?1, x'', ?2, 1)
         ON CONFLICT (id) DO UPDATE SET parent = NULL, listed_at = NULL, gone = 1,
             noted_at = excluded.noted_at",
    )?
    .execute([id, at])?;
    to.prepare_cached("DELETE FROM files WHERE folder = ?1 AND noted_at <= ?2")?.execute([id, at])?;
    to.prepare_cached("UPDATE folders SET parent = NULL WHERE parent = ?1 AND noted_at <= ?2")?
        .execute([id, at])?;
    Ok(())
}

/// Returns a folder's contents if they have been completely known since `not_before` or later, and since when.
pub(super) fn contents(
    connection: &mut Connection,
    folder: FolderId,
    not_before: SystemTime,
) -> rusqlite::Result<Option<StoredFolder>> {
    let id = number(folder);
    // All three are read at one moment.
    let transaction = connection.transaction()?;
    let listed_at: Option<i64> = transaction
        .prepare_cached(
            "SELECT listed_at FROM folders
             WHERE id = ?1 AND gone = 0 AND unsure = 0 AND listed_at >= ?2 AND listed_at <= ?3",
        )?
        // A moment in the future comes from a clock that was set back.
        .query_row([id, millis(not_before), millis(SystemTime::now())], |row| row.get(0))
        .optional()?;
    let Some(listed_at) = listed_at else { return Ok(None) };
    let mut types = HashMap::new();
    let files = transaction
        .prepare_cached(&format!(
            "SELECT {FILE_COLUMNS}, reported FROM files WHERE folder = ?1 AND gone = 0"
        ))?
        .query_map([id], |row| Ok(KnownFile { reported: row.get(8)?, ..read_file(row, &mut types)? }))?
        .collect::<rusqlite::Result<_>>()?;
    let folders = transaction
        .prepare_cached("SELECT id, name, date FROM folders WHERE parent = ?1 AND gone = 0")?
        .query_map([id], read_folder)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(StoredFolder { files, folders, listed: time(listed_at) }))
}

/// Checks whether any folder is completely known.
pub(super) fn knows_a_folder(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM folders WHERE listed_at > 0 AND gone = 0)",
        [],
        |row| row.get(0),
    )
}

fn read_folder(row: &Row<'_>) -> rusqlite::Result<KnownFolder> {
    Ok(KnownFolder {
        id: FolderId(row.get::<_, i64>(0)?.unsigned_abs()),
        name: read_name(row, 1)?,
        date: row.get::<_, Option<i64>>(2)?.map(time),
    })
}

pub(super) fn read_file(row: &Row<'_>, types: &mut HashMap<String, Arc<str>>) -> rusqlite::Result<KnownFile> {
    let media_type: Option<String> = row.get(6)?;
    let marks: i64 = row.get(7)?;
    Ok(KnownFile {
        link: read_link(row)?,
        name: read_name(row, 2)?,
        size: row.get::<_, i64>(3)?.unsigned_abs(),
        whirlpool: row.get::<_, Option<[u8; 64]>>(4)?.map(Whirlpool::from_bytes),
        date: row.get::<_, Option<i64>>(5)?.map(time),
        media_type: media_type
            .map(|text| types.entry(text).or_insert_with_key(|text| Arc::from(text.as_str())).clone()),
        stands_for_empty: marks & 1 != 0,
        marks: Marks::of_byte(u8::try_from(marks >> 1).unwrap_or_default()),
        reported: false,
    })
}

pub(super) fn read_link(row: &Row<'_>) -> rusqlite::Result<FileLink> {
    let (code, host): (String, String) = (row.get(0)?, row.get(1)?);
    FileLink::new(Domain::of_host(&host).unwrap_or_default(), &code).map_err(|error| unreadable(0, error))
}

fn read_name(row: &Row<'_>, column: usize) -> rusqlite::Result<Name> {
    Name::new(row.get::<_, Vec<u8>>(column)?).map_err(|error| unreadable(column, error))
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, Box::new(error))
}

/// A folder with its place in the tree.
pub(super) struct Placed {
    name: Vec<u8>,
    date: Option<i64>,
    /// Time since when its contents are completely known, if they are.
    pub(super) listed_at: Option<i64>,
}

/// Returns the folders that can be reached from the root, with their paths.
pub(super) fn placed(
    connection: &Connection,
) -> rusqlite::Result<(HashMap<i64, Placed>, HashMap<i64, RemotePath>)> {
    let mut folders = HashMap::new();
    let mut children: HashMap<i64, Vec<i64>> = HashMap::new();
    let mut statement = connection.prepare(
        "SELECT id, parent, name, date, CASE WHEN unsure = 0 THEN listed_at END FROM folders
         WHERE gone = 0 AND (id = 0 OR parent IS NOT NULL)",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let parent = row.get::<_, Option<i64>>(1)?.unwrap_or_default();
        if id != 0 {
            children.entry(parent).or_default().push(id);
        }
        folders.insert(id, Placed { name: row.get(2)?, date: row.get(3)?, listed_at: row.get(4)? });
    }
    let mut paths = HashMap::from([(0, RemotePath::root())]);
    let mut open = vec![0];
    while let Some(parent) = open.pop() {
        let here = paths.get(&parent).cloned().unwrap_or_default();
        for child in children.remove(&parent).unwrap_or_default() {
            let Some(folder) = folders.get(&child) else { continue };
            let Ok(name) = Name::new(folder.name.clone()) else { continue };
            paths.insert(child, here.join(&name));
            open.push(child);
        }
    }
    folders.retain(|id, _| paths.contains_key(id));
    Ok((folders, paths))
}

pub(super) fn status(connection: &Connection, size: u64) -> rusqlite::Result<KeptStatus> {
    let title = connection
        .query_row("SELECT value FROM about WHERE key = 'title'", [], |row| row.get(0))
        .optional()?
        .unwrap_or_default();
    let (folders, paths) = placed(connection)?;
    let listed: Vec<i64> = folders.values().filter_map(|folder| folder.listed_at).collect();
    let (files, bytes): (i64, i64) = connection.query_row(
        "SELECT count(*), coalesce(sum(size), 0)
         FROM (SELECT size, max(noted_at) FROM files WHERE gone = 0 GROUP BY code)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(KeptStatus {
        title,
        // The root isn't counted.
        folders: paths.len().saturating_sub(1) as u64,
        complete: listed.len() as u64,
        files: files.unsigned_abs(),
        bytes: bytes.unsigned_abs(),
        oldest: listed.iter().min().copied().map(time),
        newest: listed.iter().max().copied().map(time),
        size,
    })
}

pub(super) fn entries(connection: &Connection) -> rusqlite::Result<Vec<KeptEntry>> {
    let (folders, paths) = placed(connection)?;
    let mut entries = Vec::new();
    for (id, path) in &paths {
        let folder = folders.get(id);
        entries.push(KeptEntry::Folder {
            path: path.clone(),
            id: id.unsigned_abs(),
            made: folder.and_then(|folder| folder.date).map(time),
            listed: folder.and_then(|folder| folder.listed_at).map(time),
        });
    }
    let mut statement = connection.prepare(&format!(
        "SELECT {FILE_COLUMNS}, folder, max(noted_at) FROM files WHERE gone = 0 GROUP BY code"
    ))?;
    let mut rows = statement.query([])?;
    let mut types = HashMap::new();
    while let Some(row) = rows.next()? {
        let Some(folder) = paths.get(&row.get::<_, i64>(8)?) else { continue };
        let file = read_file(row, &mut types)?;
        entries.push(KeptEntry::File {
            path: folder.join(&file.name),
            link: file.link.to_string(),
            size: file.size,
            whirlpool: file.whirlpool,
            uploaded: file.date,
        });
    }
    entries.sort_by(|left, right| left.place().cmp(&right.place()));
    Ok(entries)
}

impl KeptEntry {
    fn place(&self) -> (&RemotePath, bool) {
        match self {
            Self::Folder { path, .. } => (path, false),
            Self::File { path, .. } => (path, true),
        }
    }
}

pub(super) fn clear(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch("DELETE FROM files; DELETE FROM folders; DELETE FROM dropped;")?;
    transaction.commit()?;
    connection.execute_batch("VACUUM")
}

fn number(folder: FolderId) -> i64 {
    // Numbers of the service are far smaller.
    i64::try_from(folder.0).unwrap_or(i64::MAX)
}

pub(super) fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn time(millis: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis.unsigned_abs())
}
