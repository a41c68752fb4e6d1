//! Folders: rows, paths, subtrees, and the lag of listings.

use rusqlite::{OptionalExtension as _, Row, params};

use super::Tx;

/// A folder as stored.
#[derive(Debug, Clone)]
pub(crate) struct FolderRow {
    pub(crate) id: i64,
    pub(crate) account: i64,
    pub(crate) parent: i64,
    pub(crate) name: String,
    pub(crate) created: i64,
    pub(crate) pass: Option<String>,
    pub(crate) share: Option<String>,
    pub(crate) shares: String,
}

const COLUMNS: &str = "id, account, parent, name, created, pass, share, shares";

fn folder(row: &Row<'_>) -> rusqlite::Result<FolderRow> {
    Ok(FolderRow {
        id: row.get(0)?,
        account: row.get(1)?,
        parent: row.get(2)?,
        name: row.get(3)?,
        created: row.get(4)?,
        pass: row.get(5)?,
        share: row.get(6)?,
        shares: row.get(7)?,
    })
}

impl Tx<'_> {
    /// Returns a folder of an account; the root for 0.
    pub(crate) fn folder(&self, account: i64, id: i64) -> rusqlite::Result<Option<FolderRow>> {
        if id == 0 {
            return Ok(Some(FolderRow {
                id: 0,
                account,
                parent: 0,
                name: "Root".to_owned(),
                created: 0,
                pass: None,
                share: None,
                shares: "[]".to_owned(),
            }));
        }
        self.db
            .prepare_cached(&format!("SELECT {COLUMNS} FROM folders WHERE account = ?1 AND id = ?2"))?
            .query_row([account, id], folder)
            .optional()
    }

    pub(crate) fn folder_by_share(&self, share: &str) -> rusqlite::Result<Option<FolderRow>> {
        self.db
            .prepare_cached(&format!("SELECT {COLUMNS} FROM folders WHERE share = ?1"))?
            .query_row([share], folder)
            .optional()
    }

    pub(crate) fn folder_named(
        &self,
        account: i64,
        parent: i64,
        name: &str,
    ) -> rusqlite::Result<Option<FolderRow>> {
        self.db
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM folders WHERE account = ?1 AND parent = ?2 AND name = ?3 ORDER BY id"
            ))?
            .query_row(params![account, parent, name], folder)
            .optional()
    }

    /// Returns the folders in a folder as a listing shows them now, by name.
    pub(crate) fn listed_folders(&self, account: i64, parent: i64) -> rusqlite::Result<Vec<FolderRow>> {
        let mut folders: Vec<FolderRow> = self
            .db
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM folders WHERE account = ?1 AND parent = ?2 AND hidden_until <= ?3
                 UNION ALL SELECT {COLUMNS} FROM ghost_folders
                 WHERE account = ?1 AND parent = ?2 AND until > ?3"
            ))?
            .query_map([account, parent, self.now], folder)?
            .collect::<Result<_, _>>()?;
        folders.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        Ok(folders)
    }

    /// Returns all folders of an account as they are, lag or not.
    pub(crate) fn all_folders(&self, account: i64) -> rusqlite::Result<Vec<FolderRow>> {
        self.db
            .prepare_cached(&format!("SELECT {COLUMNS} FROM folders WHERE account = ?1 ORDER BY id"))?
            .query_map([account], folder)?
            .collect()
    }

    /// Returns the folders in a folder as they are, lag or not.
    pub(crate) fn child_folders(&self, account: i64, parent: i64) -> rusqlite::Result<Vec<FolderRow>> {
        self.db
            .prepare_cached(&format!("SELECT {COLUMNS} FROM folders WHERE account = ?1 AND parent = ?2"))?
            .query_map([account, parent], folder)?
            .collect()
    }

    pub(crate) fn make_folder(&self, account: i64, parent: i64, name: &str) -> rusqlite::Result<i64> {
        self.db
            .prepare_cached(
                "INSERT INTO folders (account, parent, name, created, hidden_until) VALUES (?1, ?2, ?3, ?4, ?5)
                 RETURNING id",
            )?
            .query_row(params![account, parent, name, self.now_seconds(), self.hidden_until()], |row| row.get(0))
    }

    pub(crate) fn move_folder(&self, id: i64, account: i64, parent: i64, name: &str) -> rusqlite::Result<()> {
        self.keep_folder_ghost(id)?;
        self.db
            .prepare_cached(
                "UPDATE folders SET account = ?2, parent = ?3, name = ?4, hidden_until = ?5 WHERE id = ?1",
            )?
            .execute(params![id, account, parent, name, self.hidden_until()])?;
        Ok(())
    }

    /// Gives a folder's whole content to another account, when the folder was moved there.
    pub(crate) fn give_away(&self, folder: i64, from: i64, to: i64) -> rusqlite::Result<()> {
        self.db.execute(
            "UPDATE files SET account = ?3 WHERE account = ?2 AND folder = ?1",
            [folder, from, to],
        )?;
        for child in self.child_folders(from, folder)? {
            self.db.execute("UPDATE folders SET account = ?2 WHERE id = ?1", [child.id, to])?;
            self.give_away(child.id, from, to)?;
        }
        Ok(())
    }

    pub(crate) fn remove_folder(&self, id: i64) -> rusqlite::Result<()> {
        self.keep_folder_ghost(id)?;
        self.db.execute("DELETE FROM folders WHERE id = ?1", [id])?;
        Ok(())
    }

    /// Removes a folder with everything in it.
    pub(crate) fn remove_folder_tree(&self, account: i64, id: i64) -> rusqlite::Result<()> {
        for child in self.child_folders(account, id)? {
            self.remove_folder_tree(account, child.id)?;
        }
        for file in self.files_in(account, id)? {
            self.remove_file(&file)?;
        }
        self.remove_folder(id)
    }

    /// Checks whether a folder counts as empty. What was removed within the lag still counts (API document, section
    /// 4).
    pub(crate) fn is_folder_empty(&self, account: i64, id: i64) -> rusqlite::Result<bool> {
        let holds: bool = self
            .db
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM files WHERE account = ?1 AND folder = ?2)
                 OR EXISTS (SELECT 1 FROM folders WHERE account = ?1 AND parent = ?2)
                 OR EXISTS (SELECT 1 FROM ghost_files WHERE account = ?1 AND folder = ?2 AND until > ?3)
                 OR EXISTS (SELECT 1 FROM ghost_folders WHERE account = ?1 AND parent = ?2 AND until > ?3)",
            )?
            .query_row([account, id, self.now], |row| row.get(0))?;
        Ok(!holds)
    }

    /// Checks whether `id` is `ancestor` or lies below it.
    pub(crate) fn is_within(&self, account: i64, id: i64, ancestor: i64) -> rusqlite::Result<bool> {
        let mut current = id;
        loop {
            if current == ancestor {
                return Ok(true);
            }
            if current == 0 {
                return Ok(false);
            }
            current = self.folder(account, current)?.map_or(0, |folder| folder.parent);
        }
    }

    /// Returns the path of a folder: `/` for the root, else `/a/b`.
    pub(crate) fn folder_path(&self, account: i64, id: i64) -> rusqlite::Result<String> {
        let mut names = Vec::new();
        let mut current = id;
        while current != 0 {
            let Some(folder) = self.folder(account, current)? else { break };
            names.push(folder.name);
            current = folder.parent;
        }
        names.reverse();
        Ok(format!("/{}", names.join("/")))
    }

    pub(crate) fn share_folder(
        &self,
        id: i64,
        share: Option<&str>,
        pass: Option<&str>,
        shares: &str,
    ) -> rusqlite::Result<()> {
        self.db.execute(
            "UPDATE folders SET share = ?2, pass = ?3, shares = ?4 WHERE id = ?1",
            params![id, share, pass, shares],
        )?;
        Ok(())
    }

    /// Returns until when a change made now stays out of listings.
    pub(super) fn hidden_until(&self) -> i64 {
        if self.lag == 0 { 0 } else { self.now.saturating_add(self.lag) }
    }

    fn keep_folder_ghost(&self, id: i64) -> rusqlite::Result<()> {
        if self.lag > 0 {
            self.db.execute("DELETE FROM ghost_folders WHERE until <= ?1", [self.now])?;
            self.db.execute(
                "INSERT INTO ghost_folders SELECT *, ?2 FROM folders WHERE id = ?1 AND hidden_until <= ?3",
                [id, self.now.saturating_add(self.lag), self.now],
            )?;
        }
        Ok(())
    }
}
