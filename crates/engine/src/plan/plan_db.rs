//! Keeps on disk what a run has found and not yet done: a tree of millions of files has millions of rows here.
//!
//! It is a temporary SQLite database that goes with the run; nothing of it outlives the process.

#[cfg(test)]
mod memory;
mod twins;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use fichier_storage::{File, FileId, Fingerprint, Name, RemotePath, Whirlpool};
use rusqlite::{Connection, Row, params, params_from_iter, types::Value};

use crate::{Direction, Order, OrderKey, transfer::Job};

/// Reason why the database can't be used.
#[derive(Debug, thiserror::Error)]
#[error("can't keep what is to be done in a temporary database: {0}")]
pub(crate) struct PlanDbError(#[from] rusqlite::Error);

/// Number of a row.
pub(crate) type Line = i64;

/// Whether a file at the destination stays, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DestinationState {
    /// The file stays.
    Kept,
    /// The source has no file of this name.
    Extra,
}

impl DestinationState {
    fn code(self) -> i64 {
        match self {
            Self::Kept => 0,
            Self::Extra => 1,
        }
    }
}

/// A folder that only one side has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OneSided {
    Source,
    Destination,
}

impl OneSided {
    fn code(self) -> i64 {
        match self {
            Self::Source => 0,
            Self::Destination => 1,
        }
    }
}

/// A transfer that is planned.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) line: Line,
    /// Folder, relative to the run's root.
    pub(crate) folder: RemotePath,
    pub(crate) job: Job,
}

impl Planned {
    /// Row number of a transfer that isn't in the database.
    pub(crate) const NOWHERE: Line = 0;
}

/// A file at the destination.
#[derive(Debug, Clone)]
pub(crate) struct IdleFile {
    pub(crate) line: Line,
    pub(crate) extra: bool,
    pub(crate) file: File,
}

/// A folder, and how much lies below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FolderSize {
    pub(crate) folder: RemotePath,
    pub(crate) files: i64,
    pub(crate) bytes: i64,
}

/// Keeps what a run has still to do in a temporary database, so that memory holds one folder at a time.
#[derive(Debug, Clone)]
pub(crate) struct PlanDb(Arc<Mutex<Connection>>);

type Result<T> = std::result::Result<T, PlanDbError>;

const SCHEMA: &str = "
    PRAGMA journal_mode = off;
    PRAGMA synchronous = off;
    PRAGMA cache_size = -16000;
    CREATE TABLE jobs (line INTEGER PRIMARY KEY, folder BLOB NOT NULL, name BLOB NOT NULL,
        path BLOB NOT NULL, size INTEGER NOT NULL, modified INTEGER, whirlpool BLOB, id TEXT, fingerprint BLOB);
    CREATE INDEX jobs_folder ON jobs (folder);
    CREATE INDEX jobs_size ON jobs (size);
    CREATE TABLE replaced (job INTEGER NOT NULL,
        path BLOB NOT NULL, size INTEGER NOT NULL, modified INTEGER, whirlpool BLOB, id TEXT, fingerprint BLOB);
    CREATE INDEX replaced_job ON replaced (job);
    CREATE TABLE standing (line INTEGER PRIMARY KEY, extra INTEGER NOT NULL, folder BLOB NOT NULL,
        path BLOB NOT NULL, size INTEGER NOT NULL, modified INTEGER, whirlpool BLOB, id TEXT, fingerprint BLOB);
    CREATE INDEX standing_size ON standing (size, whirlpool, extra);
    CREATE INDEX standing_folder ON standing (folder);
    CREATE TABLE folders (folder BLOB NOT NULL, side INTEGER NOT NULL, depth INTEGER NOT NULL,
        PRIMARY KEY (side, folder)) WITHOUT ROWID;
";

const FILE: &str = "path, size, modified, whirlpool, id, fingerprint";

impl PlanDb {
    pub(crate) fn new() -> Result<Self> {
        // No name: SQLite makes a private file and removes it by itself.
        let connection = Connection::open("")?;
        connection.execute_batch(SCHEMA)?;
        connection.execute_batch("BEGIN")?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs on a thread where waiting for the disk does no harm.
    async fn at_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let plan_db = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&plan_db.connection()));
        // Only a runtime that shuts down doesn't run it.
        done.await.unwrap_or_else(|_| Err(rusqlite::Error::ExecuteReturnedResults.into()))
    }

    /// Records transfers into one folder.
    pub(crate) async fn plan(&self, folder: RemotePath, jobs: Vec<Job>) -> Result<()> {
        self.at_disk(move |connection| {
            let mut line = connection.prepare_cached(&format!(
                "INSERT INTO jobs (folder, name, {FILE}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
            ))?;
            let mut replaced = connection.prepare_cached(&format!(
                "INSERT INTO replaced (job, {FILE}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
            ))?;
            for job in jobs {
                let mut values = vec![blob(folder.as_bytes()), blob(job.name.as_bytes())];
                values.extend(columns(&job.source));
                let number = line.insert(params_from_iter(values))?;
                for old in &job.replaces {
                    replaced.execute(params_from_iter(
                        std::iter::once(Value::Integer(number)).chain(columns(old)),
                    ))?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Records the files in one folder of the destination.
    pub(crate) async fn note(
        &self,
        folder: RemotePath,
        standing: DestinationState,
        files: Vec<File>,
    ) -> Result<()> {
        self.at_disk(move |connection| {
            let mut line = connection.prepare_cached(&format!(
                "INSERT INTO standing (extra, folder, {FILE}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
            ))?;
            for file in files {
                let first = [Value::Integer(standing.code()), blob(folder.as_bytes())];
                line.execute(params_from_iter(first.into_iter().chain(columns(&file))))?;
            }
            Ok(())
        })
        .await
    }

    /// Records a folder that only one side has.
    pub(crate) async fn note_folder(&self, folder: RemotePath, side: OneSided) -> Result<()> {
        self.at_disk(move |connection| {
            let depth = i64::try_from(folder.depth()).unwrap_or(i64::MAX);
            connection
                .prepare_cached("INSERT OR IGNORE INTO folders (folder, side, depth) VALUES (?1, ?2, ?3)")?
                .execute(params![folder.as_bytes(), side.code(), depth])?;
            Ok(())
        })
        .await
    }

    /// Takes the next transfers out of the database, at most `most`, at least 2.
    pub(crate) async fn take_jobs(&self, order: Order, most: usize) -> Result<Vec<Planned>> {
        let (key, direction) = match order {
            Order::Found => ("line", Direction::Ascending),
            Order::By(OrderKey::Name, direction) => ("path", direction),
            Order::By(OrderKey::Size, direction) => ("size", direction),
            Order::By(OrderKey::Modified, direction) => ("coalesce(modified, 0)", direction),
        };
        let first = direction.ascending(most);
        let ends = [("ASC", first), ("DESC", most.saturating_sub(first))];
        self.at_disk(move |connection| {
            let mut from_ends = Vec::new();
            for (end, most) in ends {
                let taken = jobs(
                    connection,
                    &format!(
                        "SELECT line, folder, name, {FILE} FROM jobs ORDER BY {key} {end}, line LIMIT {most}"
                    ),
                    vec![],
                )?;
                strike(connection, &taken)?;
                from_ends.push(taken.into_iter());
            }
            // One from each end in turn, in proportion.
            let mut taken = Vec::new();
            let counts: Vec<_> = from_ends.iter().map(|end| end.len().max(1)).collect();
            let rounds = counts.iter().min().copied().unwrap_or(1);
            while from_ends.iter().any(|end| end.len() > 0) {
                for (end, count) in from_ends.iter_mut().zip(&counts) {
                    taken.extend(end.take(count.div_ceil(rounds)));
                }
            }
            Ok(taken)
        })
        .await
    }

    /// Deletes transfers.
    pub(crate) async fn strike_jobs(&self, planned: Vec<Planned>) -> Result<Vec<Planned>> {
        self.at_disk(move |connection| strike(connection, &planned).map(|()| planned)).await
    }

    /// Returns transfers of files whose size some file at the destination has, after a row.
    pub(crate) async fn perhaps_there(&self, after: Line, most: usize) -> Result<Vec<Planned>> {
        let query = format!(
            "SELECT line, folder, name, {FILE} FROM jobs WHERE line > ?1 AND size > 0
             AND EXISTS (SELECT 1 FROM standing WHERE standing.size = jobs.size) ORDER BY line LIMIT {most}"
        );
        self.at_disk(move |connection| jobs(connection, &query, vec![Value::Integer(after)])).await
    }

    /// Returns files at the destination without a known checksum whose size some transfer has, after a row.
    pub(crate) async fn unread(&self, after: Line, most: usize) -> Result<Vec<IdleFile>> {
        let query = format!(
            "SELECT line, extra, {FILE} FROM standing WHERE line > ?1 AND whirlpool IS NULL AND size > 0
             AND EXISTS (SELECT 1 FROM jobs WHERE jobs.size = standing.size) ORDER BY line LIMIT {most}"
        );
        self.at_disk(move |connection| {
            let mut statement = connection.prepare_cached(&query)?;
            Ok(statement.query_map([after], standby)?.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Records checksums of files at the destination.
    pub(crate) async fn learn(&self, sums: Vec<(Line, Whirlpool)>) -> Result<()> {
        self.at_disk(move |connection| {
            let mut statement =
                connection.prepare_cached("UPDATE standing SET whirlpool = ?2 WHERE line = ?1")?;
            for (line, sum) in sums {
                statement.execute(params![line, sum.as_bytes()])?;
            }
            Ok(())
        })
        .await
    }

    /// Returns for each size whether some file at the destination has it. An empty file matches none.
    pub(crate) async fn hold_sizes(&self, sizes: Vec<u64>) -> Result<Vec<bool>> {
        self.at_disk(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM standing WHERE size = ?1 AND size > 0)")?;
            let known = sizes.into_iter().map(|size| statement.query_row([integer(size)], |row| row.get(0)));
            Ok(known.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Returns a file at the destination with this content. A file that would have to be removed, and isn't `given` to
    /// another place yet, comes before all others.
    pub(crate) async fn same_content(
        &self,
        size: u64,
        sum: Whirlpool,
        given: Vec<Line>,
    ) -> Result<Option<IdleFile>> {
        let query = format!(
            "SELECT line, extra, {FILE} FROM standing WHERE size = ?1 AND whirlpool = ?2 ORDER BY extra DESC"
        );
        self.at_disk(move |connection| {
            let mut statement = connection.prepare_cached(&query)?;
            let mut first = None;
            for found in statement.query_map(params![integer(size), sum.as_bytes()], standby)? {
                let found = found?;
                if found.extra && !given.contains(&found.line) {
                    return Ok(Some(found));
                }
                let is_last = !found.extra;
                first = first.or(Some(found));
                if is_last {
                    break;
                }
            }
            Ok(first)
        })
        .await
    }

    /// Returns files that are to be removed, at most `most`.
    pub(crate) async fn extras(&self, after: Line, most: usize) -> Result<Vec<IdleFile>> {
        let query = format!(
            "SELECT line, extra, {FILE} FROM standing WHERE extra = 1 AND line > ?1 ORDER BY line LIMIT {most}"
        );
        self.at_disk(move |connection| {
            let mut statement = connection.prepare_cached(&query)?;
            let lines = statement.query_map([after], standby)?.collect::<rusqlite::Result<_>>()?;
            Ok(lines)
        })
        .await
    }

    /// Returns the number of files that are to be removed, and their total size in bytes.
    pub(crate) async fn count_extras(&self) -> Result<(u64, u64)> {
        self.at_disk(|connection| {
            let (files, bytes): (i64, i64) = connection.query_row(
                "SELECT count(*), coalesce(sum(size), 0) FROM standing WHERE extra = 1",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            Ok((files.unsigned_abs(), bytes.unsigned_abs()))
        })
        .await
    }

    /// Deletes files of the destination from the database.
    pub(crate) async fn strike_standing(&self, lines: Vec<Line>) -> Result<()> {
        self.at_disk(move |connection| {
            for line in lines {
                connection.prepare_cached("DELETE FROM standing WHERE line = ?1")?.execute([line])?;
            }
            Ok(())
        })
        .await
    }

    /// Returns the folders that only one side has, the deepest first.
    pub(crate) async fn folders(&self, side: OneSided) -> Result<Vec<RemotePath>> {
        self.at_disk(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT folder FROM folders WHERE side = ?1 ORDER BY depth DESC, folder")?;
            let rows = statement.query_map([side.code()], |row| path(row, 0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Returns the topmost folders that only one side has, with what is below them: transfers on the side of the
    /// source, files to be removed on the side of the destination.
    pub(crate) async fn weigh(&self, side: OneSided) -> Result<Vec<FolderSize>> {
        let (table, only) = match side {
            OneSided::Source => ("jobs", ""),
            OneSided::Destination => ("standing", "AND extra = 1"),
        };
        let query = format!(
            "SELECT count(*), coalesce(sum(size), 0) FROM {table} WHERE {below} {only}",
            below = below("folder")
        );
        self.at_disk(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT folder FROM folders WHERE side = ?1 ORDER BY folder")?;
            let all: Vec<RemotePath> =
                statement.query_map([side.code()], |row| path(row, 0))?.collect::<rusqlite::Result<_>>()?;
            let mut weighed: Vec<FolderSize> = Vec::new();
            let mut sum = connection.prepare_cached(&query)?;
            for folder in all {
                if weighed.last().is_some_and(|above| folder.is_within(&above.folder)) {
                    continue;
                }
                let bounds = bounds(&folder);
                let (files, bytes) = sum
                    .query_row(params![folder.as_bytes(), bounds.0, bounds.1], |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })?;
                weighed.push(FolderSize { folder, files, bytes });
            }
            Ok(weighed)
        })
        .await
    }

    /// Returns a folder of one side and those below it.
    pub(crate) async fn folders_below(&self, side: OneSided, folder: RemotePath) -> Result<Vec<RemotePath>> {
        let query = format!("SELECT folder FROM folders WHERE side = ?4 AND {}", below("folder"));
        self.at_disk(move |connection| {
            let mut statement = connection.prepare_cached(&query)?;
            let bounds = bounds(&folder);
            let values = params![folder.as_bytes(), bounds.0, bounds.1, side.code()];
            Ok(statement.query_map(values, |row| path(row, 0))?.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Returns the transfers into one folder.
    pub(crate) async fn jobs_in(&self, folder: RemotePath) -> Result<Vec<Planned>> {
        let query = format!("SELECT line, folder, name, {FILE} FROM jobs WHERE folder = ?1 ORDER BY line");
        self.at_disk(move |connection| jobs(connection, &query, vec![blob(folder.as_bytes())])).await
    }

    /// Returns the files of one folder that are to be removed.
    pub(crate) async fn extras_in(&self, folder: RemotePath) -> Result<Vec<IdleFile>> {
        let query = format!("SELECT line, extra, {FILE} FROM standing WHERE extra = 1 AND folder = ?1");
        self.at_disk(move |connection| {
            let mut statement = connection.prepare_cached(&query)?;
            let lines =
                statement.query_map([folder.as_bytes()], standby)?.collect::<rusqlite::Result<_>>()?;
            Ok(lines)
        })
        .await
    }

    /// Deletes a folder of one side and those below it.
    pub(crate) async fn strike_folders(&self, side: OneSided, folder: RemotePath) -> Result<()> {
        let query = format!("DELETE FROM folders WHERE side = ?4 AND {}", below("folder"));
        self.at_disk(move |connection| {
            let bounds = bounds(&folder);
            connection.prepare_cached(&query)?.execute(params![
                folder.as_bytes(),
                bounds.0,
                bounds.1,
                side.code()
            ])?;
            Ok(())
        })
        .await
    }
}

/// Returns an SQL condition for paths at (?1) and below (from ?2 to ?3) a folder.
fn below(column: &str) -> String {
    format!("({column} = ?1 OR ({column} >= ?2 AND {column} < ?3))")
}

/// Returns the two paths between which all paths below a folder lie.
fn bounds(folder: &RemotePath) -> (Vec<u8>, Vec<u8>) {
    if folder.is_root() {
        return (Vec::new(), vec![0xff; 8]);
    }
    let with = |end: u8| {
        let mut bytes = folder.as_bytes().to_vec();
        bytes.push(end);
        bytes
    };
    (with(b'/'), with(b'/' + 1))
}

fn blob(bytes: &[u8]) -> Value {
    Value::Blob(bytes.to_vec())
}

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn columns(file: &File) -> [Value; 6] {
    let optional = |value: Option<Value>| value.unwrap_or(Value::Null);
    [
        blob(file.path.as_bytes()),
        Value::Integer(integer(file.size)),
        optional(file.modified.map(|time| Value::Integer(nanoseconds(time)))),
        optional(file.whirlpool.map(|sum| blob(sum.as_bytes()))),
        optional(file.id.as_ref().map(|id| Value::Text(id.as_str().to_owned()))),
        optional(file.fingerprint.as_ref().map(kept_fingerprint)),
    ]
}

fn file(row: &Row<'_>, first: usize) -> rusqlite::Result<File> {
    Ok(File {
        path: path(row, first)?,
        size: row.get::<_, i64>(first + 1)?.unsigned_abs(),
        modified: row.get::<_, Option<i64>>(first + 2)?.map(time),
        whirlpool: row.get::<_, Option<[u8; 64]>>(first + 3)?.map(Whirlpool::from_bytes),
        id: row.get::<_, Option<String>>(first + 4)?.map(FileId::new),
        media_type: None,
        fingerprint: row.get::<_, Option<Vec<u8>>>(first + 5)?.map(fingerprint),
        seconds_ahead: 0,
    })
}

/// A fingerprint's bytes, and after them whether it is settled, and how many of them tell a file that lies elsewhere.
fn kept_fingerprint(fingerprint: &Fingerprint) -> Value {
    let identity = fingerprint.elsewhere().map_or(0, |identity| u8::try_from(identity.len()).unwrap_or(0));
    blob(&[fingerprint.as_bytes(), &[u8::from(fingerprint.is_settled()), identity]].concat())
}

fn fingerprint(mut bytes: Vec<u8>) -> Fingerprint {
    let identity = bytes.pop().unwrap_or(0);
    let fingerprint = match bytes.pop() {
        Some(0) => Fingerprint::unsettled(bytes),
        _ => Fingerprint::new(bytes),
    };
    if identity > 0 { fingerprint.seen_elsewhere(identity) } else { fingerprint }
}

fn standby(row: &Row<'_>) -> rusqlite::Result<IdleFile> {
    Ok(IdleFile { line: row.get(0)?, extra: row.get::<_, i64>(1)? == 1, file: file(row, 2)? })
}

fn path(row: &Row<'_>, column: usize) -> rusqlite::Result<RemotePath> {
    let bytes: Vec<u8> = row.get(column)?;
    RemotePath::parse(bytes).map_err(|error| unreadable(column, error))
}

fn jobs(connection: &Connection, query: &str, values: Vec<Value>) -> Result<Vec<Planned>> {
    let mut statement = connection.prepare_cached(query)?;
    let mut planned: Vec<Planned> = statement
        .query_map(params_from_iter(values), |row| {
            let name = Name::new(row.get::<_, Vec<u8>>(2)?).map_err(|error| unreadable(2, error))?;
            let job = Job { source: file(row, 3)?, name, replaces: Vec::new() };
            Ok(Planned { line: row.get(0)?, folder: path(row, 1)?, job })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut replaced =
        connection.prepare_cached(&format!("SELECT {FILE} FROM replaced WHERE job = ?1 ORDER BY rowid"))?;
    for planned in &mut planned {
        planned.job.replaces =
            replaced.query_map([planned.line], |row| file(row, 0))?.collect::<rusqlite::Result<_>>()?;
    }
    Ok(planned)
}

fn strike(connection: &Connection, planned: &[Planned]) -> Result<()> {
    for planned in planned {
        connection.prepare_cached("DELETE FROM jobs WHERE line = ?1")?.execute([planned.line])?;
        connection.prepare_cached("DELETE FROM replaced WHERE job = ?1")?.execute([planned.line])?;
    }
    Ok(())
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, Box::new(error))
}

/// Returns nanoseconds since 1970. Times more than some 290 years away are set to the limit.
fn nanoseconds(time: SystemTime) -> i64 {
    let clamp = |length: Duration| i64::try_from(length.as_nanos()).unwrap_or(i64::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => clamp(after),
        Err(before) => -clamp(before.duration()),
    }
}

fn time(nanoseconds: i64) -> SystemTime {
    let length = Duration::from_nanos(nanoseconds.unsigned_abs());
    if nanoseconds < 0 { SystemTime::UNIX_EPOCH - length } else { SystemTime::UNIX_EPOCH + length }
}
