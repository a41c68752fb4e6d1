//! Accounts and the space that they use.

use rusqlite::{OptionalExtension as _, Row, params};

use super::Tx;

/// An account as stored.
#[derive(Debug, Clone)]
pub(crate) struct AccountRow {
    pub(crate) id: i64,
    pub(crate) email: String,
    pub(crate) offer: i64,
    pub(crate) quota: u64,
}

impl AccountRow {
    /// Returns the owner of what is uploaded without a key.
    pub(crate) fn nobody() -> Self {
        Self { id: 0, email: String::new(), offer: 0, quota: u64::MAX }
    }
}

fn account(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        id: row.get(0)?,
        email: row.get(1)?,
        offer: row.get(2)?,
        quota: u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
    })
}

impl Tx<'_> {
    /// Makes an account, or updates the one with this key.
    pub(crate) fn put_account(
        &self,
        key: &str,
        email: &str,
        offer: i64,
        quota: u64,
    ) -> rusqlite::Result<i64> {
        self.db.query_row(
            "INSERT INTO accounts (key, email, offer, quota) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (key) DO UPDATE SET email = ?2, offer = ?3, quota = ?4 RETURNING id",
            params![key, email, offer, i64::try_from(quota).unwrap_or(i64::MAX)],
            |row| row.get(0),
        )
    }

    pub(crate) fn account_by_key(&self, key: &str) -> rusqlite::Result<Option<AccountRow>> {
        self.db
            .prepare_cached("SELECT id, email, offer, quota FROM accounts WHERE key = ?1")?
            .query_row([key], account)
            .optional()
    }

    pub(crate) fn account_by_email(&self, email: &str) -> rusqlite::Result<Option<AccountRow>> {
        self.db
            .prepare_cached("SELECT id, email, offer, quota FROM accounts WHERE email = ?1")?
            .query_row([email], account)
            .optional()
    }

    pub(crate) fn account(&self, id: i64) -> rusqlite::Result<Option<AccountRow>> {
        self.db
            .prepare_cached("SELECT id, email, offer, quota FROM accounts WHERE id = ?1")?
            .query_row([id], account)
            .optional()
    }

    /// Keeps a setting of an account.
    pub(crate) fn put_setting(&self, account: i64, name: &str, value: &str) -> rusqlite::Result<()> {
        self.db
            .prepare_cached(
                "INSERT INTO account_settings (account, name, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT (account, name) DO UPDATE SET value = ?3",
            )?
            .execute(params![account, name, value])
            .map(drop)
    }

    /// Returns what an account has set, by name.
    pub(crate) fn settings(&self, account: i64) -> rusqlite::Result<Vec<(String, String)>> {
        self.db
            .prepare_cached("SELECT name, value FROM account_settings WHERE account = ?1")?
            .query_map([account], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    }

    /// Returns the sum of the sizes of an account's files.
    pub(crate) fn used(&self, account: i64) -> rusqlite::Result<u64> {
        let sum: i64 = self
            .db
            .prepare_cached("SELECT COALESCE(SUM(size), 0) FROM files WHERE account = ?1")?
            .query_row([account], |row| row.get(0))?;
        Ok(u64::try_from(sum).unwrap_or(0))
    }
}
