//! What is remembered of public files, so that they can be read and copied: their names as stored, and their passwords.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use fichier_api::{FileLink, Password};

use super::catalogue::KnownFile;

/// The public files that were asked for: how they are stored, and by which password they are read and copied.
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

    /// Notes what was told of a public file, and its password.
    pub(super) fn note(&self, file: KnownFile, password: Option<Password>) {
        self.entries().insert(file.link, PublicEntry { file, password });
    }

    /// What was told of a public file.
    pub(super) fn file(&self, link: FileLink) -> Option<KnownFile> {
        self.entries().get(&link).map(|entry| entry.file.clone())
    }

    /// The password of a public file, where it has one of its own.
    pub(super) fn password(&self, link: FileLink) -> Option<Password> {
        self.entries().get(&link)?.password.clone()
    }
}
