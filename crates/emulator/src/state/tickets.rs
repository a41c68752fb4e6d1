//! What is valid for a while: upload ids and their reports, download tokens; and remote uploads.

use rusqlite::{OptionalExtension as _, params};

use super::Tx;
use crate::links;

/// Age in microseconds at which tickets are removed, whatever the limits are.
const FORGOTTEN_AFTER: i64 = 24 * 3600 * 1_000_000;

/// An upload id that was given out with a node.
#[derive(Debug, Clone)]
pub(crate) struct UploadRow {
    pub(crate) node: String,
    pub(crate) report: Option<String>,
    /// Time when the report was written, in microseconds.
    pub(crate) reported: Option<i64>,
}

/// Result of an attempt to use a download token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenUse {
    /// The content of this file may be sent.
    Granted {
        /// Code of the file.
        code: String,
        /// Whether the browser should show the file rather than save it.
        inline: bool,
    },
    /// The token doesn't exist, is too old or was used up.
    Expired,
    /// The token belongs to another address.
    OtherAddress,
}

impl Tx<'_> {
    /// Stores a new upload id. It has at most 10 characters (API document, section 7).
    pub(crate) fn add_upload(&self, account: i64, node: &str) -> rusqlite::Result<String> {
        self.db.execute("DELETE FROM uploads WHERE created < ?1", [self.now - FORGOTTEN_AFTER])?;
        let id = links::random_code(10);
        self.db.execute(
            "INSERT INTO uploads (id, account, node, created) VALUES (?1, ?2, ?3, ?4)",
            params![id, account, node, self.now],
        )?;
        Ok(id)
    }

    pub(crate) fn upload(&self, id: &str) -> rusqlite::Result<Option<UploadRow>> {
        self.db
            .query_row("SELECT node, report, reported FROM uploads WHERE id = ?1", [id], |row| {
                Ok(UploadRow { node: row.get(0)?, report: row.get(1)?, reported: row.get(2)? })
            })
            .optional()
    }

    pub(crate) fn put_report(&self, id: &str, report: &str) -> rusqlite::Result<()> {
        self.db.execute(
            "UPDATE uploads SET report = ?2, reported = ?3 WHERE id = ?1",
            params![id, report, self.now],
        )?;
        Ok(())
    }

    pub(crate) fn add_token(
        &self,
        code: &str,
        ip: Option<&str>,
        single: bool,
        inline: bool,
    ) -> rusqlite::Result<String> {
        self.db.execute("DELETE FROM tokens WHERE created < ?1", [self.now - FORGOTTEN_AFTER])?;
        let token = links::random_code(links::TOKEN_LENGTH);
        self.db.execute(
            "INSERT INTO tokens (token, code, ip, single, inline, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![token, code, ip, single, inline, self.now],
        )?;
        Ok(token)
    }

    /// Uses a token for one request; `peek` looks without using it up. It lives for the first time until it is used, and
    /// for the second one from then on, both in microseconds since it was given out.
    pub(crate) fn use_token(
        &self,
        token: &str,
        ip: &str,
        [to_begin, to_go_on]: [i64; 2],
        peek: bool,
    ) -> rusqlite::Result<TokenUse> {
        type Found = (String, Option<String>, bool, bool, bool, i64);
        let found: Option<Found> = self
            .db
            .prepare_cached("SELECT code, ip, single, inline, used, created FROM tokens WHERE token = ?1")?
            .query_row([token], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
            })
            .optional()?;
        let Some((code, bound, single, inline, used, created)) = found else { return Ok(TokenUse::Expired) };
        let life = if used { to_go_on } else { to_begin };
        if self.now - created > life || (single && used) {
            return Ok(TokenUse::Expired);
        }
        if bound.is_some_and(|bound| bound != ip) {
            return Ok(TokenUse::OtherAddress);
        }
        if !peek && !used {
            self.db.execute("UPDATE tokens SET used = 1 WHERE token = ?1", [token])?;
        }
        Ok(TokenUse::Granted { code, inline })
    }

    pub(crate) fn add_remote(&self, account: i64, urls: &str, result: &str) -> rusqlite::Result<i64> {
        self.db.query_row(
            "INSERT INTO remotes (account, requested, urls, result) VALUES (?1, ?2, ?3, ?4) RETURNING id",
            params![account, self.now_seconds(), urls, result],
            |row| row.get(0),
        )
    }

    /// Returns the remote uploads of an account: id and date.
    pub(crate) fn remotes(&self, account: i64) -> rusqlite::Result<Vec<(i64, i64)>> {
        self.db
            .prepare("SELECT id, requested FROM remotes WHERE account = ?1 ORDER BY id DESC")?
            .query_map([account], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    }

    /// Returns the links and the results of a remote upload, both as JSON.
    pub(crate) fn remote(&self, account: i64, id: i64) -> rusqlite::Result<Option<(String, String)>> {
        self.db
            .query_row(
                "SELECT urls, result FROM remotes WHERE account = ?1 AND id = ?2",
                [account, id],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
    }

    /// Returns a gate of the limits: mark, start and end of its lock, number of offences.
    pub(crate) fn gate(&self, key: &str) -> rusqlite::Result<[i64; 4]> {
        Ok(self
            .db
            .prepare_cached("SELECT mark, locked_from, locked_until, offences FROM gates WHERE key = ?1")?
            .query_row([key], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))
            .optional()?
            .unwrap_or([i64::MIN / 4, 0, 0, 0]))
    }

    pub(crate) fn put_gate(&self, key: &str, gate: [i64; 4]) -> rusqlite::Result<()> {
        let [mark, from, until, offences] = gate;
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO gates (key, mark, locked_from, locked_until, offences)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![key, mark, from, until, offences])?;
        Ok(())
    }

    /// Returns all gates, for the control.
    pub(crate) fn gates(&self) -> rusqlite::Result<Vec<(String, [i64; 4])>> {
        self.db
            .prepare("SELECT key, mark, locked_from, locked_until, offences FROM gates ORDER BY key")?
            .query_map([], |row| Ok((row.get(0)?, [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?])))?
            .collect()
    }

    /// Removes all gates, as if there had been no calls.
    pub(crate) fn clear_gates(&self) -> rusqlite::Result<()> {
        self.db.execute("DELETE FROM gates", [])?;
        Ok(())
    }
}
