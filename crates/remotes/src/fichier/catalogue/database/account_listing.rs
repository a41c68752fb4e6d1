//! Compares a listing of all files of the account with the catalogue on disk.
//!
//! It may have a million files and more, so it goes to a temporary table as it comes. Both are then read side by side
//! in the order of the codes, and memory holds one file of each.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::{Arc, LazyLock},
    time::SystemTime,
};

use fichier_api::{FileLink, FolderId};
use fichier_storage::RemotePath;
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use super::{
    super::KnownFile,
    connect,
    tables::{FILE_COLUMNS, bind_file, millis, placed, read_file, read_link},
};

/// Temporary tables, which belong to the connection and end with it.
const TABLES: &str = "
CREATE TEMP TABLE told (code, host, name, size, whirlpool, date, media_type, marks, folder);
CREATE TEMP TABLE corrected (code, host, name, size, whirlpool, date, media_type, marks, folder);
CREATE TEMP TABLE gone (folder INTEGER, code TEXT, PRIMARY KEY (folder, code)) WITHOUT ROWID;
CREATE TEMP TABLE unplaced (code TEXT PRIMARY KEY) WITHOUT ROWID;
";

/// Files in a listing of all files.
#[derive(Debug)]
pub(in crate::fichier) struct AccountListing {
    connection: Connection,
    /// Number of files that aren't known in any folder.
    unplaced: usize,
}

/// Result of comparing a listing of all files with the catalogue.
#[derive(Debug)]
pub(in crate::fichier) struct Checked {
    /// The files; those that aren't known in any folder are remembered.
    pub(in crate::fichier) listing: AccountListing,
    /// Folders whose contents are completely known.
    pub(in crate::fichier) complete: HashSet<FolderId>,
    /// Folders whose contents aren't completely known.
    pub(in crate::fichier) incomplete: Vec<(FolderId, RemotePath)>,
    /// The folders of which something else was known than the listing tells.
    pub(in crate::fichier) changed: Vec<(FolderId, RemotePath)>,
}

impl AccountListing {
    /// Makes a listing to be compared with the catalogue in this file.
    pub(super) fn of(path: &Path) -> rusqlite::Result<Self> {
        let connection = connect(path)?;
        connection.execute_batch(TABLES)?;
        // One transaction for all files: a commit for each would take too long.
        connection.execute_batch("BEGIN")?;
        Ok(Self { connection, unplaced: 0 })
    }

    /// Adds a file as it is listed: without its folder.
    pub(in crate::fichier) fn put(&mut self, file: &KnownFile) -> rusqlite::Result<()> {
        // The wire's "all folders": the listing doesn't say in which one it is.
        insert(&self.connection, &PUT_TOLD, file, -1)
    }

    /// Returns how many files aren't known in any folder.
    pub(in crate::fichier) fn unplaced(&self) -> usize {
        self.unplaced
    }

    /// Records that these files were found in a folder.
    pub(in crate::fichier) fn place(
        &mut self,
        files: impl Iterator<Item = FileLink>,
    ) -> rusqlite::Result<()> {
        if self.unplaced > 0 {
            let mut statement = self.connection.prepare_cached("DELETE FROM unplaced WHERE code = ?1")?;
            for link in files {
                self.unplaced -= statement.execute([link.code()])?;
            }
        }
        Ok(())
    }

    /// Whether there are files that aren't known in any folder and weren't told by an earlier listing as such.
    pub(in crate::fichier) fn has_unplaced_besides(&self, earlier: Option<&Self>) -> rusqlite::Result<bool> {
        const UNPLACED: &str = "SELECT code FROM unplaced ORDER BY code";
        let Some(earlier) = earlier else { return Ok(self.unplaced > 0) };
        let mut now = self.connection.prepare_cached(UNPLACED)?;
        let mut before = earlier.connection.prepare_cached(UNPLACED)?;
        let (mut now, mut before) = (now.query([])?, before.query([])?);
        let mut known: Option<String> = None;
        while let Some(row) = now.next()? {
            let code: String = row.get(0)?;
            while known.as_ref().is_none_or(|known| *known < code) {
                let Some(row) = before.next()? else { return Ok(true) };
                known = Some(row.get(0)?);
            }
            if known.as_ref() != Some(&code) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Updates the catalogue to this listing, which was requested at `asked`: files that it doesn't have are removed,
    /// files that differ are corrected. What another process recorded since then stays.
    ///
    /// `None`, and nothing is changed, if the listing gives one link to two files: then it doesn't tell all of them.
    pub(super) fn check(mut self, asked: SystemTime) -> rusqlite::Result<Option<Checked>> {
        let asked = millis(asked);
        self.connection.execute_batch("COMMIT")?;
        // Others write meanwhile: comparing a million files takes seconds.
        let reading = self.connection.transaction()?;
        let (folders, paths) = placed(&reading)?;
        let is_complete = |id: &i64| folders.get(id).is_some_and(|folder| folder.listed_at.is_some());
        let compared = compare(&reading, asked, is_complete)?;
        let changed: Vec<i64> = reading
            .prepare("SELECT folder FROM gone UNION SELECT folder FROM corrected")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        reading.commit()?;
        let Some(compared) = compared else { return Ok(None) };
        let writing = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        remove_gone(&writing, asked)?;
        writing.execute(
            "UPDATE files SET name = correct.name, size = correct.size, whirlpool = correct.whirlpool, date = correct.date,
                 marks = correct.marks, noted_at = ?1
             FROM corrected AS correct
             WHERE files.folder = correct.folder AND files.code = correct.code AND files.gone = 0 AND files.noted_at <= ?1",
            [asked],
        )?;
        writing.execute_batch("DELETE FROM told; DELETE FROM gone; DELETE FROM corrected;")?;
        writing.commit()?;
        tracing::debug!(
            gone = compared.gone,
            changed = compared.corrected,
            unplaced = compared.unplaced,
            "held the catalogue against all files"
        );
        self.unplaced = compared.unplaced;
        let complete =
            folders.keys().filter(|id| is_complete(id)).map(|id| FolderId(id.unsigned_abs())).collect();
        let with_path = |id: i64| Some((FolderId(id.unsigned_abs()), paths.get(&id)?.clone()));
        let changed = changed.into_iter().filter_map(with_path).collect();
        let mut incomplete: Vec<_> = paths
            .into_iter()
            .filter(|(id, _)| !is_complete(id))
            .map(|(id, path)| (FolderId(id.unsigned_abs()), path))
            .collect();
        incomplete.sort_by(|left, right| left.1.cmp(&right.1));
        Ok(Some(Checked { listing: self, complete, incomplete, changed }))
    }
}

/// Counts of how a listing and the catalogue differ.
#[derive(Debug, Default)]
struct Compared {
    gone: usize,
    corrected: usize,
    unplaced: usize,
}

/// A file as the catalogue knows it in a folder.
struct Kept {
    link: FileLink,
    folder: i64,
    noted_at: i64,
    /// The file; `None`: it has left that folder.
    file: Option<KnownFile>,
}

/// Reads both sides in the order of the codes, and records in the temporary tables what is to be done; `None` if a link
/// is told twice.
fn compare(
    on: &Transaction<'_>,
    asked: i64,
    is_complete: impl Fn(&i64) -> bool,
) -> rusqlite::Result<Option<Compared>> {
    let mut compared = Compared::default();
    let mut all_told = on.prepare(&format!("SELECT {FILE_COLUMNS} FROM told ORDER BY code"))?;
    // The folder where a file was seen last comes first.
    let mut all_kept = on.prepare(&format!(
        "SELECT {FILE_COLUMNS}, folder, noted_at, gone FROM files ORDER BY code, gone, noted_at DESC, folder"
    ))?;
    let mut note_gone = on.prepare("INSERT INTO gone VALUES (?1, ?2)")?;
    let mut note_unplaced = on.prepare("INSERT INTO unplaced VALUES (?1)")?;
    let (mut all_told, mut all_kept) = (all_told.query([])?, all_kept.query([])?);
    let (mut told_types, mut kept_types) = (HashMap::new(), HashMap::new());
    let mut next_told = || all_told.next()?.map(|row| read_file(row, &mut told_types)).transpose();
    let mut next_kept = || all_kept.next()?.map(|row| read_kept(row, &mut kept_types)).transpose();
    let (mut told, mut kept) = (next_told()?, next_kept()?);
    loop {
        let link = match (&told, &kept) {
            (None, None) => return Ok(Some(compared)),
            (Some(told), Some(kept)) => told.link.min(kept.link),
            (Some(told), None) => told.link,
            (None, Some(kept)) => kept.link,
        };
        let file = told.take_if(|told| told.link == link);
        if file.is_some() {
            told = next_told()?;
        }
        if file.is_some() && told.as_ref().is_some_and(|told| told.link == link) {
            return Ok(None);
        }
        // Nothing is known of it, or that it is somewhere, or only that it has left some folder.
        let (mut is_known, mut is_placed) = (false, false);
        while let Some(known) = kept.take_if(|known| known.link == link) {
            match (&known.file, &file) {
                // We removed it, and the listing lags behind.
                (None, _) => is_placed |= !is_known,
                (Some(there), Some(told)) if !is_known => {
                    is_placed = is_complete(&known.folder);
                    if !is_same(told, there) && known.noted_at <= asked {
                        compared.corrected += 1;
                        insert(on, &PUT_CORRECTED, told, known.folder)?;
                    }
                }
                // Someone removed it, or moved it to where it was seen last.
                (Some(_), _) if known.noted_at <= asked => {
                    compared.gone += note_gone.execute(params![known.folder, link.code()])?;
                }
                (Some(_), _) => {}
            }
            is_known = true;
            kept = next_kept()?;
        }
        if file.is_some() && !is_placed {
            compared.unplaced += note_unplaced.execute([link.code()])?;
        }
    }
}

fn read_kept(row: &Row<'_>, types: &mut HashMap<String, Arc<str>>) -> rusqlite::Result<Kept> {
    let is_gone: bool = row.get(10)?;
    Ok(Kept {
        link: read_link(row)?,
        folder: row.get(8)?,
        noted_at: row.get(9)?,
        file: if is_gone { None } else { Some(read_file(row, types)?) },
    })
}

fn is_same(told: &KnownFile, known: &KnownFile) -> bool {
    told.name == known.name
        && told.size == known.size
        && told.whirlpool == known.whirlpool
        && told.stands_for_empty == known.stands_for_empty
        && told.marks == known.marks
}

/// Removes rows one by one: SQLite would go through the whole of each folder for them.
fn remove_gone(on: &Transaction<'_>, asked: i64) -> rusqlite::Result<()> {
    let mut remove = on.prepare("DELETE FROM files WHERE folder = ?1 AND code = ?2 AND noted_at <= ?3")?;
    let mut gone = on.prepare("SELECT folder, code FROM gone")?;
    let mut rows = gone.query([])?;
    while let Some(row) = rows.next()? {
        remove.execute(params![row.get::<_, i64>(0)?, row.get::<_, String>(1)?, asked])?;
    }
    Ok(())
}

// Made once: it is used for every file.
static PUT_TOLD: LazyLock<String> = LazyLock::new(|| put_into("told"));
static PUT_CORRECTED: LazyLock<String> = LazyLock::new(|| put_into("corrected"));

fn put_into(table: &str) -> String {
    format!("INSERT INTO {table} ({FILE_COLUMNS}, folder) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
}

fn insert(on: &Connection, put: &str, file: &KnownFile, folder: i64) -> rusqlite::Result<()> {
    let mut statement = on.prepare_cached(put)?;
    bind_file(&mut statement, file)?;
    statement.raw_bind_parameter(9, folder)?;
    statement.raw_execute().map(drop)
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        time::Duration,
    };

    use fichier_storage::Name;
    use proptest::prelude::*;

    use super::*;
    use crate::fichier::{
        catalogue::database::{Change, open, tables},
        catalogue::{KnownFolder, Marks},
    };

    fn file(code: u32, name: u8) -> KnownFile {
        KnownFile {
            link: FileLink::from_code(&format!("code{code}")).unwrap(),
            name: Name::new(format!("name{name}")).unwrap(),
            size: 1,
            whirlpool: None,
            date: None,
            media_type: None,
            stands_for_empty: false,
            marks: Marks::default(),
            reported: false,
        }
    }

    /// Returns a moment, given in seconds; all files are requested at the tenth.
    fn at(second: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(second)
    }

    const ASKED: u64 = 10;
    /// Folders 1 and 2 are completely known; of folder 3 only the name is.
    const COMPLETE: std::ops::RangeInclusive<u64> = 1..=2;

    /// Knowledge of a file in a folder: its name, when that was recorded, and whether it has left the folder.
    type Known = BTreeMap<(u64, u32), (u8, u64, bool)>;

    fn known() -> impl Strategy<Value = Known> {
        prop::collection::btree_map(
            (1..=3_u64, 0..5_u32),
            (0..2_u8, 1..20_u64, prop::bool::weighted(0.2)),
            0..12,
        )
    }

    proptest! {
        // Each case is a database on disk.
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_catalogue_agrees_with_the_listing_but_for_what_is_younger(
            known in known(),
            told in prop_oneof![
                4 => prop::collection::btree_map(0..5_u32, 0..2_u8, 0..6).prop_map(|told| told.into_iter().collect()),
                1 => prop::collection::vec((0..5_u32, 0..2_u8), 0..8),
            ],
        ) {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("kept.sqlite");
            let mut connection = open(&path).unwrap();
            let folder = |id: u64| KnownFolder { id: FolderId(id), name: Name::new(format!("d{id}")).unwrap(), date: None };
            let mut changes = vec![
                (at(0), Change::Listed { folder: FolderId::ROOT, began: at(0), files: vec![], folders: vec![folder(3)] }),
            ];
            changes.extend(COMPLETE.map(|id| (at(1), Change::NewFolder { parent: FolderId::ROOT, folder: folder(id) })));
            for ((folder, code), (name, noted, is_gone)) in &known {
                let (folder, file) = (FolderId(*folder), file(*code, *name));
                changes.push((at(*noted), if *is_gone {
                    Change::FileGone { folder, file: file.link }
                } else {
                    Change::File { folder, file }
                }));
            }
            tables::write(&mut connection, &changes).unwrap();

            let mut listing = AccountListing::of(&path).unwrap();
            for (code, name) in &told {
                listing.put(&file(*code, *name)).unwrap();
            }
            let checked = listing.check(at(ASKED)).unwrap();

            // A listing that tells a file twice doesn't count.
            let length = told.len();
            let told: BTreeMap<u32, u8> = told.into_iter().collect();
            prop_assert_eq!(checked.is_none(), told.len() < length);
            let Some(mut checked) = checked else { return Ok(()) };

            // Where each file was seen last.
            let mut expected: BTreeSet<(u64, u32, u8)> = BTreeSet::new();
            let mut unplaced: BTreeSet<u32> = BTreeSet::new();
            for code in 0..5 {
                let here: Vec<_> = known.iter().filter(|((_, other), _)| *other == code).collect();
                let last = here.iter().filter(|(_, (_, _, gone))| !gone).map(|((folder, _), (_, noted, _))| (*noted, std::cmp::Reverse(*folder))).max();
                for ((folder, _), (name, noted, gone)) in &here {
                    let is_last = last == Some((*noted, std::cmp::Reverse(*folder)));
                    match (gone, told.get(&code)) {
                        (true, _) => {}
                        (false, _) if *noted > ASKED => drop(expected.insert((*folder, code, *name))),
                        (false, Some(told)) if is_last => drop(expected.insert((*folder, code, *told))),
                        (false, _) => {}
                    }
                }
                let placed = match last {
                    Some((_, folder)) => COMPLETE.contains(&folder.0),
                    None => !here.is_empty(),
                };
                if told.contains_key(&code) && !placed {
                    unplaced.insert(code);
                }
            }
            let mut statement = connection.prepare("SELECT folder, code, name FROM files WHERE gone = 0").unwrap();
            let kept: BTreeSet<(u64, u32, u8)> = statement.query_map([], |row| {
                let (code, name): (String, Vec<u8>) = (row.get(1)?, row.get(2)?);
                let name = String::from_utf8(name).unwrap();
                Ok((row.get::<_, i64>(0)?.unsigned_abs(), code[4..].parse().unwrap(), name[4..].parse().unwrap()))
            }).unwrap().collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(kept, expected);
            prop_assert_eq!(checked.listing.unplaced(), unplaced.len());
            prop_assert_eq!(checked.complete, COMPLETE.map(FolderId).chain([FolderId::ROOT]).collect::<HashSet<_>>());
            prop_assert_eq!(checked.incomplete.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [FolderId(3)]);
            // Compared with itself and with another listing of the same there is nothing new.
            let known_anew = |codes: &[u32]| {
                let mut listing = AccountListing::of(&path).unwrap();
                codes.iter().for_each(|code| listing.put(&file(*code, 0)).unwrap());
                listing.check(at(ASKED)).unwrap().unwrap().listing
            };
            prop_assert_eq!(checked.listing.has_unplaced_besides(None).unwrap(), !unplaced.is_empty());
            prop_assert!(!checked.listing.has_unplaced_besides(Some(&checked.listing)).unwrap());
            let [one, both] = [&[70, 72][..], &[70, 71, 72]].map(known_anew);
            prop_assert!(both.has_unplaced_besides(Some(&one)).unwrap());
            prop_assert!(!one.has_unplaced_besides(Some(&both)).unwrap());
            // What is found is found once.
            for code in unplaced.iter().chain(&unplaced).chain(&[99]) {
                checked.listing.place(std::iter::once(file(*code, 0).link)).unwrap();
            }
            prop_assert_eq!(checked.listing.unplaced(), 0);
        }
    }
}
