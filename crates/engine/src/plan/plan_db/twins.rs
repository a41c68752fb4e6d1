//! Finds files of a tree with the same content, for `dedupe --by-hash`.

use fichier_storage::{File, Whirlpool};
use rusqlite::{OptionalExtension, params};

use super::{FILE, IdleFile, Line, PlanDb, Result, file, standby};

/// Position of a group of files in the order of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContentKey {
    pub(crate) size: i64,
    pub(crate) sum: Whirlpool,
}

impl PlanDb {
    /// Returns files without a known checksum whose size another file has, too, after a row.
    pub(crate) async fn unread_twins(&self, after: Line, most: usize) -> Result<Vec<IdleFile>> {
        let query = format!(
            "SELECT line, extra, {FILE} FROM standing WHERE line > ?1 AND whirlpool IS NULL
             AND EXISTS (SELECT 1 FROM standing AS other
                 WHERE other.size = standing.size AND other.line != standing.line)
             ORDER BY line LIMIT {most}"
        );
        self.at_disk(move |connection| {
            let mut statement = connection.prepare_cached(&query)?;
            Ok(statement.query_map([after], standby)?.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Returns the next content that several files have, with these files in the order of their paths.
    pub(crate) async fn next_twins(
        &self,
        after: Option<ContentKey>,
    ) -> Result<Option<(ContentKey, Vec<File>)>> {
        self.at_disk(move |connection| {
            let (size, sum) = after.map_or((-1, Vec::new()), |key| (key.size, key.sum.as_bytes().to_vec()));
            let mut next = connection.prepare_cached(
                "SELECT size, whirlpool FROM standing
                 WHERE whirlpool IS NOT NULL AND (size, whirlpool) > (?1, ?2)
                 GROUP BY size, whirlpool HAVING count(*) > 1 ORDER BY size, whirlpool LIMIT 1",
            )?;
            let key = next
                .query_row(params![size, sum], |row| {
                    let sum = Whirlpool::from_bytes(row.get(1)?);
                    Ok(ContentKey { size: row.get(0)?, sum })
                })
                .optional()?;
            let Some(key) = key else { return Ok(None) };
            let mut files = connection.prepare_cached(&format!(
                "SELECT {FILE} FROM standing WHERE size = ?1 AND whirlpool = ?2 ORDER BY path, modified DESC, line"
            ))?;
            let found = files
                .query_map(params![key.size, key.sum.as_bytes()], |row| file(row, 0))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Some((key, found)))
        })
        .await
    }
}
