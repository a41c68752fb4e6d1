//! The account's state as processes share it: a file that holds what the service told last.
//!
//! Whoever asks the service keeps the file locked until the answer is in it, so that those who want to know at the
//! same time wait for that answer instead of provoking a flood answer. The file is its user's alone to read.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use super::budget::AccountSnapshot;

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
        self.file.read_to_end(&mut bytes).ok()?;
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
