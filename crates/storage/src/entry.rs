//! What a folder holds: files and folders.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{Name, RemotePath, Whirlpool};

/// A file's identity at its remote (1Fichier: the link), so that an operation hits the file that was seen,
/// never another of the same name. Only the remote that gave it reads it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(Arc<str>);

impl FileId {
    /// Takes a remote's own text for a file.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The remote's own text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Bytes that change whenever a file's content may have changed, and that no other file of the backend bears.
/// What was learned of a file by reading it holds as long as its fingerprint does, if it is settled.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    bytes: Arc<[u8]>,
    settled: bool,
}

impl Fingerprint {
    /// Takes a backend's own bytes.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { bytes: bytes.into(), settled: true }
    }

    /// Takes the bytes of a file that was changed so lately that one more change might not show in them.
    pub fn unsettled(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { bytes: bytes.into(), settled: false }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether each later change will show, so that what was learned under it may be remembered.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.settled
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint")
    }
}

/// A file as its remote told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it lies, from the remote's root.
    pub path: RemotePath,
    /// Its length in bytes, as the remote says.
    pub size: u64,
    /// When its content was last changed (local) or stored (1Fichier, which keeps no other time).
    pub modified: Option<SystemTime>,
    /// Its checksum, where the remote knows it without reading the file.
    pub whirlpool: Option<Whirlpool>,
    /// Its identity, where the remote has more than the path.
    pub id: Option<FileId>,
    /// Its media type, where the remote says one.
    pub media_type: Option<Arc<str>>,
    /// Tells this content of the file from later ones, where the remote can say so without reading it and
    /// knows no checksum.
    pub fingerprint: Option<Fingerprint>,
    /// By how many seconds [`modified`](Self::modified) is ahead of the moment that it means, where the remote tells times
    /// of a zone as if they were UTC.
    pub seconds_ahead: u16,
}

impl File {
    /// Returns a file of which nothing is known but where it lies and how long it is.
    #[must_use]
    pub fn new(path: RemotePath, size: u64) -> Self {
        Self {
            path,
            size,
            modified: None,
            whirlpool: None,
            id: None,
            media_type: None,
            fingerprint: None,
            seconds_ahead: 0,
        }
    }

    /// Returns the moment when it was last changed or stored. It differs from the time that is shown where the remote
    /// tells times of a zone as if they were UTC.
    #[must_use]
    pub fn moment(&self) -> Option<SystemTime> {
        self.modified?.checked_sub(Duration::from_secs(self.seconds_ahead.into()))
    }

    /// Returns the fingerprint under which something may be remembered of this file.
    #[must_use]
    pub fn settled_fingerprint(&self) -> Option<&Fingerprint> {
        self.fingerprint.as_ref().filter(|fingerprint| fingerprint.is_settled())
    }

    /// Checks whether this is still the file that was seen before: the same one, with the same content, as far as
    /// the remote can tell without reading it.
    #[must_use]
    pub fn is_still(&self, seen: &Self) -> bool {
        let same = |left: &Option<Fingerprint>, right: &Option<Fingerprint>| match (left, right) {
            (Some(left), Some(right)) => left.as_bytes() == right.as_bytes(),
            _ => true,
        };
        self.size == seen.size
            && self.modified == seen.modified
            && self.id == seen.id
            && same(&self.fingerprint, &seen.fingerprint)
    }
}

/// A folder as its remote told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Where it lies, from the remote's root.
    pub path: RemotePath,
    /// When it was made or changed, where the remote says so.
    pub modified: Option<SystemTime>,
    /// Its identity, where the remote has more than the path.
    pub id: Option<FileId>,
}

/// One line of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file.
    File(File),
    /// A folder.
    Folder(Folder),
}

impl Entry {
    /// Where it lies, from the remote's root.
    #[must_use]
    pub fn path(&self) -> &RemotePath {
        match self {
            Self::File(file) => &file.path,
            Self::Folder(folder) => &folder.path,
        }
    }

    /// Its name; `None` for the remote's root.
    #[must_use]
    pub fn name(&self) -> Option<Name> {
        self.path().name()
    }

    /// The file, if it is one.
    #[must_use]
    pub fn as_file(&self) -> Option<&File> {
        match self {
            Self::File(file) => Some(file),
            Self::Folder(_) => None,
        }
    }

    /// The folder, if it is one.
    #[must_use]
    pub fn as_folder(&self) -> Option<&Folder> {
        match self {
            Self::File(_) => None,
            Self::Folder(folder) => Some(folder),
        }
    }
}
