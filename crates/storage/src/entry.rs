//! What a folder holds: files and folders.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{Name, RemotePath, Whirlpool};

/// The remote's identifier of a file (1Fichier: the link), so that an operation hits the file that was listed, never
/// another of the same name. Only the remote that made it can read it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(Arc<str>);

impl FileId {
    /// Makes an identifier from the remote's own text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// Returns the remote's own text.
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

/// Bytes that change whenever a file's content may have changed, and that no other file of the backend has. What was
/// learned by reading a file stays true as long as its fingerprint stays the same, if the fingerprint is settled.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    bytes: Arc<[u8]>,
    settled: bool,
    seen: Seen,
}

/// How a file was reached.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Seen {
    Here,
    /// Through a link or a mount: the file itself lies elsewhere. So many bytes of the fingerprint tell which it is.
    Elsewhere(u8),
}

impl Fingerprint {
    /// Makes a settled fingerprint from the backend's own bytes.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { bytes: bytes.into(), settled: true, seen: Seen::Here }
    }

    /// Makes a fingerprint of a file that changed so recently that one more change might not show in it.
    pub fn unsettled(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { bytes: bytes.into(), settled: false, seen: Seen::Here }
    }

    /// Notes that the file was reached through a link or a mount, so that it may be met at another path, too. So many
    /// bytes at the beginning tell it from other files, whatever it holds.
    #[must_use]
    pub fn seen_elsewhere(self, identity: u8) -> Self {
        Self { seen: Seen::Elsewhere(identity), ..self }
    }

    /// Returns what tells a file from others that was reached through a link or a mount; `None` for other files.
    #[must_use]
    pub fn elsewhere(&self) -> Option<&[u8]> {
        match self.seen {
            Seen::Elsewhere(identity) => self.bytes.get(..identity.into()),
            Seen::Here => None,
        }
    }

    /// Returns the backend's own bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Checks whether each later change will show in the fingerprint, so that what was learned may be remembered
    /// under it.
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

/// A file as its remote described it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path from the remote's root.
    pub path: RemotePath,
    /// Size in bytes, as the remote says.
    pub size: u64,
    /// Time of the last change (local) or of the upload (1Fichier, which keeps no other time).
    pub modified: Option<SystemTime>,
    /// Checksum of the content, where the remote knows it without reading the file.
    pub whirlpool: Option<Whirlpool>,
    /// The remote's identifier of the file, where it has more than the path.
    pub id: Option<FileId>,
    /// Media type, where the remote gives one.
    pub media_type: Option<Arc<str>>,
    /// Mark that differs for each content of the file, where the remote can give one without reading the file and
    /// knows no checksum.
    pub fingerprint: Option<Fingerprint>,
    /// Number of seconds by which [`modified`](Self::modified) is ahead of the real moment, where the remote shows
    /// times of a zone as if they were UTC.
    pub seconds_ahead: u16,
}

impl File {
    /// Returns a file of which only the path and the size are known.
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
    /// shows times of a zone as if they were UTC.
    #[must_use]
    pub fn moment(&self) -> Option<SystemTime> {
        self.modified?.checked_sub(Duration::from_secs(self.seconds_ahead.into()))
    }

    /// Returns the fingerprint under which something may be remembered of this file; `None` if it has no settled one.
    #[must_use]
    pub fn settled_fingerprint(&self) -> Option<&Fingerprint> {
        self.fingerprint.as_ref().filter(|fingerprint| fingerprint.is_settled())
    }

    /// Checks whether two files are one, met at two paths: one of them was reached through a link or a mount. Two names
    /// of one content are two files.
    #[must_use]
    pub fn is_also(&self, other: &Self) -> bool {
        let (Some(one), Some(other)) = (&self.fingerprint, &other.fingerprint) else { return false };
        let leads_to = |one: &Fingerprint, other: &Fingerprint| {
            one.elsewhere().is_some_and(|identity| other.bytes.starts_with(identity))
        };
        leads_to(one, other) || leads_to(other, one)
    }

    /// Checks whether this is still the file that was seen before: the same file with the same content, as far as the
    /// remote can say without reading it.
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

/// A folder as its remote described it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Path from the remote's root.
    pub path: RemotePath,
    /// Time when the folder was made or changed, where the remote gives one.
    pub modified: Option<SystemTime>,
    /// The remote's identifier of the folder, where it has more than the path.
    pub id: Option<FileId>,
}

/// One entry of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file, with what the listing says of it.
    File(File),
    /// A folder, with what the listing says of it.
    Folder(Folder),
}

impl Entry {
    /// Returns the path from the remote's root.
    #[must_use]
    pub fn path(&self) -> &RemotePath {
        match self {
            Self::File(file) => &file.path,
            Self::Folder(folder) => &folder.path,
        }
    }

    /// Returns the name; `None` for the remote's root.
    #[must_use]
    pub fn name(&self) -> Option<Name> {
        self.path().name()
    }

    /// Returns the file, if the entry is one.
    #[must_use]
    pub fn as_file(&self) -> Option<&File> {
        match self {
            Self::File(file) => Some(file),
            Self::Folder(_) => None,
        }
    }

    /// Returns the folder, if the entry is one.
    #[must_use]
    pub fn as_folder(&self) -> Option<&Folder> {
        match self {
            Self::File(_) => None,
            Self::Folder(folder) => Some(folder),
        }
    }
}
