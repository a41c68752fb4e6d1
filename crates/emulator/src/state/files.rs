//! Files: rows, listings, and the lag of listings.

use rusqlite::{OptionalExtension as _, Row, params};

use super::Tx;
use crate::links;

/// A file as stored.
#[derive(Debug, Clone)]
pub(crate) struct FileRow {
    pub(crate) id: i64,
    pub(crate) account: i64,
    pub(crate) folder: i64,
    pub(crate) code: String,
    pub(crate) remove_code: String,
    pub(crate) domain: u8,
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) date: i64,
    pub(crate) checksum: String,
    pub(crate) blob: String,
    pub(crate) description: String,
    pub(crate) pass: Option<String>,
    pub(crate) acl: Option<String>,
    pub(crate) cdn: bool,
    pub(crate) inline: bool,
    pub(crate) no_ssl: bool,
}

impl FileRow {
    pub(crate) fn link(&self) -> String {
        links::link(self.domain, &self.code)
    }
}

/// Values of a new file; the others have defaults.
#[derive(Debug, Clone)]
pub(crate) struct NewFile {
    pub(crate) account: i64,
    pub(crate) folder: i64,
    pub(crate) domain: u8,
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) date: i64,
    pub(crate) checksum: String,
    pub(crate) blob: String,
    pub(crate) description: String,
    pub(crate) pass: Option<String>,
}

/// Part of a listing that is wanted: newest first, at most `cap`, strictly between two dates.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Window {
    pub(crate) before: Option<i64>,
    pub(crate) after: Option<i64>,
    pub(crate) cap: Option<usize>,
}

const COLUMNS: &str = "id, account, folder, code, remove_code, domain, name, size, date, checksum, blob, \
                       description, pass, acl, cdn, inline, no_ssl";

fn file(row: &Row<'_>) -> rusqlite::Result<FileRow> {
    Ok(FileRow {
        id: row.get(0)?,
        account: row.get(1)?,
        folder: row.get(2)?,
        code: row.get(3)?,
        remove_code: row.get(4)?,
        domain: row.get(5)?,
        name: row.get(6)?,
        size: u64::try_from(row.get::<_, i64>(7)?).unwrap_or(0),
        date: row.get(8)?,
        checksum: row.get(9)?,
        blob: row.get(10)?,
        description: row.get(11)?,
        pass: row.get(12)?,
        acl: row.get(13)?,
        cdn: row.get(14)?,
        inline: row.get(15)?,
        no_ssl: row.get(16)?,
    })
}

impl Tx<'_> {
    pub(crate) fn file(&self, code: &str) -> rusqlite::Result<Option<FileRow>> {
        self.db
            .prepare_cached(&format!("SELECT {COLUMNS} FROM files WHERE code = ?1"))?
            .query_row([code], file)
            .optional()
    }

    /// Returns the file that a link leads to. With another domain than its own it leads nowhere (API document, section 5).
    pub(crate) fn file_by_link(&self, link: &str) -> rusqlite::Result<Option<FileRow>> {
        let Some((domain, code)) = links::parts_of(link) else { return Ok(None) };
        Ok(self.file(&code)?.filter(|file| file.domain == domain))
    }

    /// Returns the newest file of this name in a folder.
    pub(crate) fn file_named(
        &self,
        account: i64,
        folder: i64,
        name: &str,
    ) -> rusqlite::Result<Option<FileRow>> {
        self.db
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM files WHERE account = ?1 AND folder = ?2 AND name = ?3
                 ORDER BY date DESC, id DESC LIMIT 1"
            ))?
            .query_row(params![account, folder, name], file)
            .optional()
    }

    /// Returns all files of a folder as they are, lag or not.
    pub(crate) fn files_in(&self, account: i64, folder: i64) -> rusqlite::Result<Vec<FileRow>> {
        self.db
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM files WHERE account = ?1 AND folder = ?2 ORDER BY date DESC, id DESC"
            ))?
            .query_map([account, folder], file)?
            .collect()
    }

    /// Returns all files of an account as they are, lag or not.
    pub(crate) fn all_files(&self, account: i64) -> rusqlite::Result<Vec<FileRow>> {
        self.db
            .prepare_cached(&format!("SELECT {COLUMNS} FROM files WHERE account = ?1 ORDER BY id"))?
            .query_map([account], file)?
            .collect()
    }

    /// Returns the file that was stored before all others.
    pub(crate) fn oldest_file(&self) -> rusqlite::Result<Option<FileRow>> {
        self.db
            .prepare_cached(&format!("SELECT {COLUMNS} FROM files ORDER BY id LIMIT 1"))?
            .query_row([], file)
            .optional()
    }

    /// Returns how many files an account has, lag or not.
    pub(crate) fn count_files(&self, account: i64) -> rusqlite::Result<u64> {
        let count: i64 = self
            .db
            .prepare_cached("SELECT count(*) FROM files WHERE account = ?1")?
            .query_row([account], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// Returns the files of a folder, or of the whole account, as a listing shows them now.
    pub(crate) fn listed_files(
        &self,
        account: i64,
        folder: Option<i64>,
        window: Window,
    ) -> rusqlite::Result<Vec<FileRow>> {
        let place = if folder.is_some() { "AND folder = ?2" } else { "AND ?2 IS NULL" };
        let limit = window.cap.map_or(-1, |cap| i64::try_from(cap).unwrap_or(-1));
        let (before, after) = (window.before.unwrap_or(i64::MAX), window.after.unwrap_or(i64::MIN));
        let mut files: Vec<FileRow> = self
            .db
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM files WHERE account = ?1 {place} AND hidden_until <= ?3
                 AND date < ?4 AND date > ?5 ORDER BY date DESC, id DESC LIMIT ?6"
            ))?
            .query_map(params![account, folder, self.now, before, after, limit], file)?
            .collect::<Result<_, _>>()?;
        if self.lag > 0 {
            let ghosts: Vec<FileRow> = self
                .db
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM ghost_files WHERE account = ?1 {place} AND until > ?3
                     AND date < ?4 AND date > ?5"
                ))?
                .query_map(params![account, folder, self.now, before, after], file)?
                .collect::<Result<_, _>>()?;
            files.extend(ghosts);
            files.sort_by_key(|file| std::cmp::Reverse((file.date, file.id)));
            files.truncate(window.cap.unwrap_or(usize::MAX));
        }
        Ok(files)
    }

    /// Returns how many files a folder holds, as a listing shows it now; no cap applies.
    pub(crate) fn listed_count(&self, account: i64, folder: i64) -> rusqlite::Result<u64> {
        let count: i64 = self
            .db
            .prepare_cached(
                "SELECT (SELECT COUNT(*) FROM files WHERE account = ?1 AND folder = ?2 AND hidden_until <= ?3)
                 + (SELECT COUNT(*) FROM ghost_files WHERE account = ?1 AND folder = ?2 AND until > ?3)",
            )?
            .query_row([account, folder, self.now], |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Stores a new file under a new link.
    pub(crate) fn add_file(&self, new: &NewFile) -> rusqlite::Result<FileRow> {
        self.db
            .prepare_cached(&format!(
                "INSERT INTO files (account, folder, code, remove_code, domain, name, size, date, checksum, blob,
                 description, pass, hidden_until) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
                 RETURNING {COLUMNS}"
            ))?
            .query_row(
                params![
                    new.account,
                    new.folder,
                    links::random_code(20),
                    links::random_code(8),
                    new.domain,
                    new.name,
                    i64::try_from(new.size).unwrap_or(i64::MAX),
                    new.date,
                    new.checksum,
                    new.blob,
                    new.description,
                    new.pass,
                    self.hidden_until(),
                ],
                file,
            )
    }

    pub(crate) fn move_file(&self, id: i64, account: i64, folder: i64, name: &str) -> rusqlite::Result<()> {
        self.keep_file_ghost(id)?;
        self.db
            .prepare_cached(
                "UPDATE files SET account = ?2, folder = ?3, name = ?4, hidden_until = ?5 WHERE id = ?1",
            )?
            .execute(params![id, account, folder, name, self.hidden_until()])?;
        Ok(())
    }

    /// Stores a file's changed attributes; its folder and content stay.
    pub(crate) fn update_attributes(&self, file: &FileRow) -> rusqlite::Result<()> {
        self.db
            .prepare_cached(
                "UPDATE files SET description = ?2, pass = ?3, acl = ?4, cdn = ?5, inline = ?6, no_ssl = ?7
                 WHERE id = ?1",
            )?
            .execute(params![
                file.id,
                file.description,
                file.pass,
                file.acl,
                file.cdn,
                file.inline,
                file.no_ssl
            ])?;
        Ok(())
    }

    /// Removes a file; its content is removed when nothing else refers to it.
    pub(crate) fn remove_file(&self, file: &FileRow) -> rusqlite::Result<()> {
        self.keep_file_ghost(file.id)?;
        self.db.prepare_cached("DELETE FROM files WHERE id = ?1")?.execute([file.id])?;
        let referred: bool = self
            .db
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM files WHERE blob = ?1)")?
            .query_row([&file.blob], |row| row.get(0))?;
        if !referred {
            self.orphans.borrow_mut().push(file.blob.clone());
        }
        Ok(())
    }

    fn keep_file_ghost(&self, id: i64) -> rusqlite::Result<()> {
        if self.lag > 0 {
            self.db.execute("DELETE FROM ghost_files WHERE until <= ?1", [self.now])?;
            self.db.execute(
                "INSERT INTO ghost_files SELECT *, ?2 FROM files WHERE id = ?1 AND hidden_until <= ?3",
                [id, self.now.saturating_add(self.lag), self.now],
            )?;
        }
        Ok(())
    }
}
