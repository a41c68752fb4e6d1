//! The account's state as processes share it: a file that holds what the service told last.
//!
//! Whoever asks the service keeps the file locked until the answer is in it, so that those who want to know at the
//! same time wait for that answer instead of provoking a flood answer. The file is its user's alone to read.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fichier_state::{read_small, replace};

use super::budget::AccountSnapshot;

/// What is read of a file at most; the account's state takes some hundred bytes.
const LARGEST: u64 = 1 << 20;

/// The file while we have it to ourselves.
#[derive(Debug)]
pub(crate) struct AccountBook {
    file: File,
}

impl AccountBook {
    pub(super) fn new(file: File) -> Self {
        Self { file }
    }

    /// What the service told last. A file that can't be read tells nothing.
    pub(super) fn read(&mut self) -> Option<AccountSnapshot> {
        let mut bytes = Vec::new();
        (&mut self.file).take(LARGEST).read_to_end(&mut bytes).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Writes what the service told, and lets go.
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

/// A file that tells when any account was last asked for from this address.
#[derive(Debug)]
pub(super) struct AddressBook {
    file: PathBuf,
}

impl AddressBook {
    pub(super) fn new(file: PathBuf) -> Self {
        Self { file }
    }

    /// How much of the interval since the last question is left. A moment to come is of a clock that was set back.
    pub(super) fn pause(&self, interval: Duration, now: SystemTime) -> Option<Duration> {
        let text = String::from_utf8(read_small(&self.file, LARGEST).ok()?).ok()?;
        let asked = UNIX_EPOCH.checked_add(Duration::from_millis(text.trim().parse().ok()?))?;
        let age = now.duration_since(asked).ok()?;
        interval.checked_sub(age).filter(|left| !left.is_zero())
    }

    /// Notes that an account was asked for now.
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
