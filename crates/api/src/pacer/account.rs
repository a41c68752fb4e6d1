//! The account's state, shared between processes in a file with the last answer of the service.
//!
//! A process that asks the service keeps the file locked until the answer is in it, so that other processes wait for
//! that answer instead of provoking a flood answer. Only the file's user can read it.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fichier_state::{read_small, replace};

use super::budget::AccountSnapshot;

/// Largest part of a file that is read, in bytes; the account's state takes some hundred bytes.
const LARGEST: u64 = 1 << 20;

/// The shared file while it is locked for this process.
#[derive(Debug)]
pub(crate) struct AccountBook {
    file: File,
}

impl AccountBook {
    pub(super) fn new(file: File) -> Self {
        Self { file }
    }

    /// Returns the service's last answer. A file that can't be read gives none.
    pub(super) fn read(&mut self) -> Option<AccountSnapshot> {
        let mut bytes = Vec::new();
        (&mut self.file).take(LARGEST).read_to_end(&mut bytes).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Writes the service's answer, and releases the file.
    pub(crate) fn put(mut self, told: &AccountSnapshot) {
        let written = serde_json::to_vec(told).map_err(std::io::Error::from).and_then(|bytes| {
            self.file.set_len(0)?;
            self.file.seek(SeekFrom::Start(0))?;
            self.file.write_all(&bytes)
        });
        if let Err(error) = written {
            tracing::debug!("can't tell other processes of the account's state: {error}");
        }
    }
}

/// File with the time when any account was last asked for from this address.
#[derive(Debug)]
pub(super) struct AddressBook {
    file: PathBuf,
}

impl AddressBook {
    pub(super) fn new(file: PathBuf) -> Self {
        Self { file }
    }

    /// Returns how much of the interval since the last request is left. A moment in the future comes from a clock that
    /// was set back.
    pub(super) fn pause(&self, interval: Duration, now: SystemTime) -> Option<Duration> {
        let text = String::from_utf8(read_small(&self.file, LARGEST).ok()?).ok()?;
        let asked = UNIX_EPOCH.checked_add(Duration::from_millis(text.trim().parse().ok()?))?;
        let age = now.duration_since(asked).ok()?;
        interval.checked_sub(age).filter(|left| !left.is_zero())
    }

    /// Records that an account was asked for now.
    pub(super) fn note(&self, now: SystemTime) {
        let millis = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        if let Err(error) = replace(&self.file, millis.to_string().as_bytes()) {
            tracing::debug!("can't tell other processes that an account was asked for: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_asks_once_in_an_interval() {
        let directory = tempfile::tempdir().unwrap();
        let book = AddressBook::new(directory.path().join("new").join("address"));
        let (now, minute) = (SystemTime::now(), Duration::from_secs(60));
        assert_eq!(book.pause(minute, now), None, "never asked");
        book.note(now);
        let left = book.pause(minute, now + Duration::from_secs(20)).unwrap();
        assert_eq!(left.as_secs(), 39, "{left:?}");
        assert_eq!(book.pause(minute, now + minute + minute), None);
        assert_eq!(book.pause(minute, now - minute), None, "the clock was set back");
        assert_eq!(book.pause(Duration::ZERO, now), None, "no limit");
        std::fs::write(directory.path().join("new").join("address"), "nonsense").unwrap();
        assert_eq!(book.pause(minute, now), None);
    }
}
