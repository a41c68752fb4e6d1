//! Remembers public files, so that they can be read and copied: their names as stored, and their passwords.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use fichier_api::{FileLink, Password};

use super::catalogue::KnownFile;

/// Public files that were requested: how they are stored, and the password for reading and copying them.
#[derive(Debug, Default)]
pub(super) struct PublicBook(Mutex<HashMap<FileLink, PublicEntry>>);

#[derive(Debug, Clone)]
struct PublicEntry {
    file: KnownFile,
    password: Option<Password>,
}

impl PublicBook {
    fn entries(&self) -> MutexGuard<'_, HashMap<FileLink, PublicEntry>> {
        // A map that is whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a public file, and its password.
    pub(super) fn note(&self, file: KnownFile, password: Option<Password>) {
        self.entries().insert(file.link, PublicEntry { file, password });
    }

    /// Returns what was recorded of a public file.
    pub(super) fn file(&self, link: FileLink) -> Option<KnownFile> {
        self.entries().get(&link).map(|entry| entry.file.clone())
    }

    /// Returns the password of a public file, where it has one of its own.
    pub(super) fn password(&self, link: FileLink) -> Option<Password> {
        self.entries().get(&link)?.password.clone()
    }
}
