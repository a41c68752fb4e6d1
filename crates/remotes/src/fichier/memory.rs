//! What was learned about an account (that its listings are limited, what was listed when), kept in a file
//! between runs, so that one account provokes at most one flood answer.
//!
//! The file is named after a digest of the key, which isn't in it.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

use fichier_api::{Client, Learned};

/// How often the file is written while calls go on. Losing less than this costs a flood answer at worst.
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// What files about an account are named after, its key among it: a digest that gives none of it away. The
/// endpoint counts too, since an emulator may know the same key.
pub(super) fn account_name(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            digest.update([0]);
        }
        digest.update(part);
    }
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The memory of one account.
#[derive(Debug)]
pub(super) struct AccountMemory {
    file: PathBuf,
    saved: Mutex<(Instant, Learned)>,
}

impl AccountMemory {
    /// The memory of the account with this key in a directory, and what it holds. A file that can't be read
    /// is as good as none.
    pub(super) fn open(directory: &Path, endpoint: &str, key: &str) -> (Self, Learned) {
        let file = directory.join(account_name(&[endpoint, key]) + ".json");
        let learned: Learned =
            fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        (Self { file, saved: Mutex::new((Instant::now(), learned.clone())) }, learned)
    }

    /// Saves what the client has learned, unless that was done a moment ago and nothing weighty is new.
    pub(super) fn note(&self, client: &Client) {
        let learned = client.learned();
        {
            let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
            let weighty = saved.1.listings_are_limited != learned.listings_are_limited
                || saved.1.all_files_listed_at != learned.all_files_listed_at
                || saved.1.account != learned.account;
            if !weighty && saved.0.elapsed() < SAVE_EVERY {
                return;
            }
        }
        self.save(learned);
    }

    /// Saves what the client has learned.
    pub(super) fn save(&self, learned: Learned) {
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.write(&learned) {
            tracing::debug!(file = %self.file.display(), "can't keep what was learned: {error}");
        }
        *saved = (Instant::now(), learned);
    }

    fn write(&self, learned: &Learned) -> io::Result<()> {
        let directory = self.file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        let mut temporary = tempfile::NamedTempFile::new_in(directory)?;
        temporary.write_all(&serde_json::to_vec(learned)?)?;
        temporary.persist(&self.file)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_there_at_the_next_opening_and_the_key_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("accounts");
        let (memory, nothing) = AccountMemory::open(&place, "https://api", "secret-key");
        assert_eq!(nothing, Learned::default());
        let learned = Learned { listings_are_limited: true, ..Learned::default() };
        memory.save(learned.clone());
        assert_eq!(AccountMemory::open(&place, "https://api", "secret-key").1, learned);
        assert_eq!(AccountMemory::open(&place, "https://api", "other-key").1, Learned::default());
        assert_eq!(AccountMemory::open(&place, "http://emulator", "secret-key").1, Learned::default());
        let files: Vec<_> = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1);
        assert!(!fs::read_to_string(&files[0]).unwrap().contains("secret-key"));
        assert!(!files[0].display().to_string().contains("secret"));
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let directory = tempfile::tempdir().unwrap();
        let (memory, _) = AccountMemory::open(directory.path(), "e", "k");
        fs::write(&memory.file, "{\"listings_are").unwrap();
        assert_eq!(AccountMemory::open(directory.path(), "e", "k").1, Learned::default());
    }
}
