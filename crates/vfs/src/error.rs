//! What can go wrong in the file system, and the number that each error has for the system.

use std::{io, path::PathBuf, sync::Arc};

use fichier_state::database::DatabaseError;
use fichier_storage::{Retry, StorageError};

/// Result of an operation of the file system.
pub type Result<T, E = VfsError> = std::result::Result<T, E>;

/// The kind of an error as a system call reports it, without the numbers of any one system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Errno {
    /// `ENOENT`: there is nothing of this name.
    NotFound,
    /// `EEXIST`: there is something of this name already.
    Exists,
    /// `EISDIR`: it is a folder.
    IsFolder,
    /// `ENOTDIR`: it is no folder.
    NotFolder,
    /// `ENOTEMPTY`: the folder isn't empty.
    NotEmpty,
    /// `EBUSY`: it is in use.
    Busy,
    /// `EINVAL`: the request has no meaning here.
    Invalid,
    /// `ENAMETOOLONG`: the name is too long.
    NameTooLong,
    /// `EROFS`: nothing can be changed here.
    ReadOnly,
    /// `EBADF`: the handle isn't open, or not for this.
    BadHandle,
    /// `ESTALE`: what was opened isn't there any more.
    Stale,
    /// `EIO`: the service, the network or the disk failed.
    Io,
    /// `ENOSPC`: there is no room left.
    NoSpace,
    /// `EACCES`: the service doesn't allow it.
    AccessDenied,
    /// `EPERM`: it can't be done here by anybody.
    NotPermitted,
    /// `ENOTSUP`: the remote can't do it.
    NotSupported,
    /// `ENODATA`: there is no attribute of this name.
    NoData,
    /// `ESPIPE`: seeking isn't allowed.
    NoSeek,
    /// `EFBIG`: the file would be too large.
    TooLarge,
    /// `EXDEV`: it has to be copied.
    CrossDevice,
    /// `EINTR`: the file system is being shut down.
    Interrupted,
}

/// An error of the file system.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VfsError {
    /// There is nothing at this path.
    #[error("{0:?} isn't there")]
    NotFound(String),
    /// Something of this name is there.
    #[error("{0:?} exists already")]
    Exists(String),
    /// A folder was given where a file is needed.
    #[error("{0:?} is a folder")]
    IsFolder(String),
    /// A file was given where a folder is needed.
    #[error("{0:?} isn't a folder")]
    NotFolder(String),
    /// The folder isn't empty.
    #[error("{0:?} isn't empty")]
    NotEmpty(String),
    /// The root can't be renamed or removed.
    #[error("the root of the file system can't be renamed or removed")]
    Root,
    /// The request has no meaning.
    #[error("{path:?}: {why}")]
    Invalid {
        /// Path that the request is about.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The name can't be used.
    #[error("{name:?} can't be a name here: {why}")]
    BadName {
        /// The name, as text.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// The name is longer than the remote takes.
    #[error("the name {name:?} is too long: the remote takes {longest}")]
    NameTooLong {
        /// The name, as text.
        name: String,
        /// How long it may be, with the unit.
        longest: String,
    },
    /// Nothing can be changed.
    #[error("the file system is read-only")]
    ReadOnly,
    /// The handle isn't open, or not for this.
    #[error("handle {0} isn't open for this")]
    BadHandle(u64),
    /// The version that was opened is gone.
    #[error("{path:?}: the version that was opened isn't at the service any more")]
    Stale {
        /// Path of the file.
        path: String,
        /// What the service said.
        source: SharedError,
    },
    /// Bytes came that can't be right.
    #[error(
        "{0:?}: the bytes that came aren't those of the file's checksum, so they aren't given out; try again later"
    )]
    WrongBytes(String),
    /// No byte came in time.
    #[error("{path:?}: no byte came within {seconds} seconds{}", cause(.source.as_ref()))]
    NoAnswer {
        /// Path of the file.
        path: String,
        /// How long the reader waited.
        seconds: u64,
        /// The last error, if there was one.
        source: Option<SharedError>,
    },
    /// Reading failed for several readers at once.
    #[error("can't read {path:?}: {source}")]
    Read {
        /// Path of the file.
        path: String,
        /// What failed.
        source: SharedError,
    },
    /// There is no room for what is to be written.
    #[error("no room for what isn't sent yet: {unsent} bytes wait, and {why}")]
    NoSpace {
        /// How many bytes wait to be sent.
        unsent: u64,
        /// What limits them.
        why: &'static str,
    },
    /// Reading out of order isn't allowed.
    #[error("{0:?}: reading out of order isn't allowed (no_seek)")]
    NoSeek(String),
    /// There is no such extended attribute.
    #[error("there is no attribute {0:?}")]
    NoAttribute(String),
    /// The remote can't do it.
    #[error("{path:?}: the remote can't {operation}")]
    NotSupported {
        /// Path that the request is about.
        path: String,
        /// The operation, as a verb phrase.
        operation: &'static str,
    },
    /// The remote can't rename the folder, so it has to be copied.
    #[error("{0:?}: the remote can't rename folders, so it has to be copied")]
    CrossDevice(String),
    /// Some changes can't be sent.
    #[error("{count} changes can't be sent, the first of them {path:?}: {reason}")]
    Unsent {
        /// How many.
        count: usize,
        /// Path of the first one.
        path: String,
        /// Why it can't be sent.
        reason: String,
    },
    /// Another process uses the journal.
    #[error(
        "{0:?} is in use by another file system on the same place; end that one, or use another directory"
    )]
    InUse(PathBuf),
    /// The file system is being shut down.
    #[error("the file system is being shut down")]
    ShutDown,
    /// The remote refuses or can't be reached.
    #[error("{path:?}: {source}")]
    Remote {
        /// Path that the request is about.
        path: String,
        /// What the remote said.
        source: StorageError,
    },
    /// The journal's database fails.
    #[error("the journal: {0}")]
    Journal(#[from] DatabaseError),
    /// A file of the journal or the cache fails.
    #[error("can't {action} {}: {source}", .path.display())]
    Disk {
        /// The operation, as a verb.
        action: &'static str,
        /// Path of the file on this computer.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// An error that several readers share.
pub type SharedError = Arc<StorageError>;

fn cause(source: Option<&SharedError>) -> String {
    source.map(|error| format!("; the last error: {error}")).unwrap_or_default()
}

impl VfsError {
    /// Returns the kind of error that a system call reports for this.
    #[must_use]
    pub fn errno(&self) -> Errno {
        match self {
            Self::NotFound(_) => Errno::NotFound,
            Self::Exists(_) => Errno::Exists,
            Self::IsFolder(_) => Errno::IsFolder,
            Self::NotFolder(_) => Errno::NotFolder,
            Self::NotEmpty(_) => Errno::NotEmpty,
            Self::Root | Self::InUse(_) => Errno::Busy,
            Self::Invalid { .. } | Self::BadName { .. } => Errno::Invalid,
            Self::NameTooLong { .. } => Errno::NameTooLong,
            Self::ReadOnly => Errno::ReadOnly,
            Self::BadHandle(_) => Errno::BadHandle,
            Self::Stale { .. } => Errno::Stale,
            Self::WrongBytes(_) | Self::NoAnswer { .. } | Self::Unsent { .. } => Errno::Io,
            Self::NoSpace { .. } => Errno::NoSpace,
            Self::NoSeek(_) => Errno::NoSeek,
            Self::NoAttribute(_) => Errno::NoData,
            Self::NotSupported { .. } => Errno::NotSupported,
            Self::CrossDevice(_) => Errno::CrossDevice,
            Self::ShutDown => Errno::Interrupted,
            Self::Remote { source, .. } => of_storage(source),
            Self::Read { source, .. } => of_storage(source),
            Self::Journal(DatabaseError::Full { .. }) => Errno::NoSpace,
            Self::Journal(_) => Errno::Io,
            Self::Disk { source, .. } => of_io(source),
        }
    }

    /// Returns an error of a file on this computer.
    pub(crate) fn disk(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Disk { action, path: path.into(), source }
    }
}

fn of_storage(error: &StorageError) -> Errno {
    match error {
        StorageError::At { problem, .. } | StorageError::HalfMoved { problem, .. } => of_storage(problem),
        StorageError::FolderNotFound(_) | StorageError::FileNotFound(_) => Errno::NotFound,
        StorageError::IsAFile(_) => Errno::NotFolder,
        StorageError::IsAFolder(_) => Errno::IsFolder,
        StorageError::FolderNotEmpty(_) => Errno::NotEmpty,
        StorageError::AlreadyExists(_) => Errno::Exists,
        StorageError::AcrossFileSystems(_) => Errno::CrossDevice,
        StorageError::Overlap { .. } | StorageError::BadName { .. } | StorageError::BadPath(_) => {
            Errno::Invalid
        }
        StorageError::Unsupported { .. } => Errno::NotSupported,
        StorageError::TooLarge { .. } => Errno::TooLarge,
        StorageError::Canceled => Errno::Interrupted,
        StorageError::Io { source, .. } | StorageError::Unseen { source, .. } => of_io(source),
        // A service that refuses a key, or a person who has to act: another try doesn't help.
        StorageError::Service { retry: Retry::Fatal, .. } => Errno::AccessDenied,
        _ => Errno::Io,
    }
}

fn of_io(error: &io::Error) -> Errno {
    match error.kind() {
        io::ErrorKind::NotFound => Errno::NotFound,
        io::ErrorKind::PermissionDenied => Errno::AccessDenied,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Errno::NoSpace,
        io::ErrorKind::FileTooLarge => Errno::TooLarge,
        io::ErrorKind::ReadOnlyFilesystem => Errno::ReadOnly,
        io::ErrorKind::InvalidFilename => Errno::NameTooLong,
        _ => Errno::Io,
    }
}

#[cfg(test)]
mod tests {
    use fichier_storage::{Blame, RemotePath};

    use super::*;

    #[test]
    fn errors_of_the_remote_keep_their_kind_and_their_cause() {
        let path = RemotePath::parse("a").unwrap();
        let inner = StorageError::At {
            location: "x:a".into(),
            problem: Box::new(StorageError::FolderNotEmpty(path)),
        };
        let error = VfsError::Remote { path: "a".into(), source: inner };
        assert_eq!(error.errno(), Errno::NotEmpty);
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("x:a"));
    }

    // [revoked-1]
    #[test]
    fn a_key_that_is_refused_is_no_access() {
        let refused = StorageError::Service {
            action: "list".into(),
            retry: Retry::Fatal,
            blame: Blame::User,
            hint: None,
            source: "the key is refused".into(),
        };
        assert_eq!(VfsError::Remote { path: "a".into(), source: refused }.errno(), Errno::AccessDenied);
    }
}
