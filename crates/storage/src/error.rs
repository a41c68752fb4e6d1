//! What can go wrong with a remote. Every error says what failed, on which path, why, whether another try is
//! worthwhile, who caused it, and what to do.

use std::io;

use crate::{InvalidName, InvalidPath, Name, RemotePath, Whirlpool};

/// Result of an operation on a remote.
pub type Result<T, E = StorageError> = std::result::Result<T, E>;

/// Whether doing the same again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Another try may succeed, now or soon.
    Worthwhile,
    /// It will fail again for this item; others may succeed.
    Useless,
    /// It will fail for every item, so the run should stop.
    Fatal,
}

/// Who caused an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The user asked for something that can't be done.
    User,
    /// The service made a mistake or refused.
    Service,
    /// The network between this computer and the service failed.
    Network,
    /// This program made a mistake.
    Us,
}

/// Why whoever asks a remote for something keeps it from being done. What it is, only they know; this is what others
/// need of it.
pub trait Refusal: std::error::Error + Send + Sync + 'static {
    /// Returns whether another try may help.
    fn retry(&self) -> Retry;

    /// Returns the path in the message, from the remote's root, if the caller may name it in full.
    fn path(&self) -> Option<&RemotePath>;

    /// Changes the paths in it, for a wrapper that shows other paths than the remote it wraps.
    fn change_path(&mut self, change: &dyn Fn(&RemotePath) -> RemotePath);

    /// Returns what the user can do about it, where there is something.
    fn hint(&self) -> Option<String>;
}

/// An error of an operation on a remote.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// There is no folder at this path.
    #[error("directory not found: {0:?}")]
    FolderNotFound(RemotePath),
    /// There is no file at this path.
    #[error("object not found: {0:?}")]
    FileNotFound(RemotePath),
    /// A folder was asked for, and there is a file.
    #[error("{0:?} is a file, not a directory")]
    IsAFile(RemotePath),
    /// A file was asked for, and there is a folder.
    #[error("{0:?} is a directory, not a file")]
    IsAFolder(RemotePath),
    /// A folder that should be removed isn't empty.
    #[error("directory not empty: {0:?}")]
    FolderNotEmpty(RemotePath),
    /// Something exists at the destination already.
    #[error("{0:?} exists already")]
    AlreadyExists(RemotePath),
    /// What was named is no file and no folder, so that it has nothing that could be copied.
    #[error("{path:?} is {what}, neither a file nor a directory: it can't be transferred")]
    Special {
        /// What was named.
        path: RemotePath,
        /// What it is, with its article.
        what: &'static str,
    },
    /// The file isn't what it was when it was listed or read.
    #[error("source file is being updated: {path:?} {what}")]
    SourceChanged {
        /// Path of the file.
        path: RemotePath,
        /// What changed, and what follows from it.
        what: &'static str,
    },
    /// A rename would have to copy the file, since its destination is on another file system.
    #[error("can't rename {0:?}: its new place is on another file system")]
    AcrossFileSystems(RemotePath),
    /// A file or folder has a name that can't be used.
    #[error("bad name in {folder:?}: {source}")]
    BadName {
        /// Path of the folder in which the name was found or wanted.
        folder: RemotePath,
        /// What is wrong with the name.
        source: InvalidName,
    },
    /// A symbolic link and something else have one place there, so that one would take the place of the other.
    #[error("{path:?} has the same place as {rival:?}: {}", one_place(*.folder))]
    OnePlace {
        /// Path that was to be stored.
        path: RemotePath,
        /// Name of the other entry in the same place.
        rival: Name,
        /// Whether a folder is meant, and not a file.
        folder: bool,
    },
    /// A path can't be used.
    #[error(transparent)]
    BadPath(#[from] InvalidPath),
    /// The remote can't do this at all.
    #[error("{remote} can't {operation}")]
    Unsupported {
        /// Name of the remote, as the user wrote it.
        remote: String,
        /// The operation, as a verb phrase.
        operation: &'static str,
    },
    /// The destination lies inside the source.
    #[error("can't copy {from:?} into itself at {to:?}")]
    Overlap {
        /// Path of the source.
        from: RemotePath,
        /// Path of the destination.
        to: RemotePath,
    },
    /// An error about the very path that the user named.
    #[error("{}", said_of(.location, .problem))]
    At {
        /// The path with its remote.
        location: String,
        /// The error at that path.
        problem: Box<StorageError>,
    },
    /// The service stores no empty files.
    #[error("can't store the empty file {0:?}: the service has no empty files")]
    EmptyFile(RemotePath),
    /// The file is above the service's limit.
    #[error("{path:?} has {size} bytes, more than the service's limit of {limit}")]
    TooLarge {
        /// Path of the file.
        path: RemotePath,
        /// Size of the file in bytes.
        size: u64,
        /// Largest size that the service accepts, in bytes.
        limit: u64,
    },
    /// The bytes that arrived aren't those that were sent.
    #[error("corrupted on transfer: {path:?} has checksum {actual}, expected {expected}")]
    Corrupted {
        /// Path of the file.
        path: RemotePath,
        /// Checksum that the file should have.
        expected: Box<Whirlpool>,
        /// Checksum that the file has.
        actual: Box<Whirlpool>,
    },
    /// The service gave no checksum, so the transfer can't count as done.
    #[error("the service reported no checksum for {0:?}, so the transfer can't be verified")]
    Unverified(RemotePath),
    /// More or fewer bytes came than were announced.
    #[error("sizes differ: {path:?} was to have {expected} bytes, but {actual} came")]
    SizeMismatch {
        /// Path of the file.
        path: RemotePath,
        /// Size that was announced, in bytes.
        expected: u64,
        /// Size that was seen, in bytes.
        actual: u64,
    },
    /// An error of the local file system.
    #[error("{action} {path}: {source}")]
    Io {
        /// The operation, as a verb ("read", "write", "rename").
        action: &'static str,
        /// Path in the system's own form.
        path: String,
        /// Error that the system gave.
        source: io::Error,
    },
    /// Something on the local file system that can't be looked into: a directory that can't be read, or a link that
    /// leads nowhere.
    #[error("{action} {path}: {source}")]
    Unseen {
        /// The operation, as a verb ("list", "follow the symlink").
        action: &'static str,
        /// Path in the system's own form.
        path: String,
        /// Error that the system gave.
        source: io::Error,
    },
    /// An error of the service or of the network on the way to it.
    #[error("{action}: {source}")]
    Service {
        /// The operation and its path.
        action: String,
        /// Whether another try may help.
        retry: Retry,
        /// Who caused the error.
        blame: Blame,
        /// What the user can do about it.
        hint: Option<String>,
        /// Error of the service's client.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something in an encrypted remote that can't be decrypted. It wasn't encrypted, or with other passwords, or it
    /// is damaged.
    #[error("can't decrypt {path:?}: {reason}")]
    Undecryptable {
        /// Path of the file or folder.
        path: RemotePath,
        /// The reason, as a clause.
        reason: String,
    },
    /// The new version of a file is stored, and an old one that should have gone stays.
    #[error("an old version of {path:?} stays beside the new one, which is stored: {cause}")]
    OldVersionStays {
        /// The file.
        path: RemotePath,
        /// Why it wasn't removed.
        cause: Box<StorageError>,
    },
    /// A copy or move at the service failed on its way, and what it had done couldn't be taken back.
    #[error("{path:?} lies there by a copy or move that failed, and can't be taken away: {cause}")]
    Misplaced {
        /// Where the file is now.
        path: RemotePath,
        /// Why it couldn't be taken away.
        cause: Box<StorageError>,
    },
    /// A folder that was to be moved and renamed got the one and not the other.
    #[error("{problem}: the directory {from:?} {} {between:?}, on its way to {to:?}", if *.is_seen { "is now at" } else { "may be the one at" })]
    HalfMoved {
        /// Where it was, with its remote.
        from: String,
        /// Where it is, with its remote.
        between: String,
        /// Where it was to be, with its remote.
        to: String,
        /// Whether it is known to be there; else an earlier run has probably left it there.
        is_seen: bool,
        /// Why it isn't where it was to be.
        problem: Box<StorageError>,
    },
    /// A listing that is known to miss entries; acting on it could lose or double files.
    #[error("the listing of {path:?} is incomplete: {seen} of {total} files")]
    IncompleteListing {
        /// Path of the folder.
        path: RemotePath,
        /// How many files were listed.
        seen: u64,
        /// How many files there are by the service's own count.
        total: u64,
    },
    /// The item wasn't tried, since an earlier one failed in a way that affects all.
    #[error("not tried")]
    NotTried,
    /// The user stopped the run.
    #[error("stopped")]
    Canceled,
    /// Whoever asks for it doesn't let it happen: a limit is reached, or somebody said no. The remote didn't fail.
    #[error("{0}")]
    Refused(Box<dyn Refusal>),
}

impl StorageError {
    /// Returns whether another try may help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::At { problem, .. } => problem.retry(),
            Self::Service { retry, .. } => *retry,
            Self::Corrupted { .. } | Self::Unverified(_) | Self::SizeMismatch { .. } | Self::NotTried => {
                Retry::Worthwhile
            }
            Self::Io { source, .. } | Self::Unseen { source, .. } => match source.kind() {
                io::ErrorKind::Interrupted
                | io::ErrorKind::TimedOut
                | io::ErrorKind::WouldBlock
                | io::ErrorKind::ResourceBusy => Retry::Worthwhile,
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Retry::Fatal,
                _ => Retry::Useless,
            },
            Self::Refused(refusal) => refusal.retry(),
            Self::Canceled => Retry::Fatal,
            _ => Retry::Useless,
        }
    }

    /// Returns the path in the message, from the remote's root, so that the caller can name it in full.
    #[must_use]
    pub fn path(&self) -> Option<&RemotePath> {
        match self {
            Self::FolderNotFound(path)
            | Self::FileNotFound(path)
            | Self::IsAFile(path)
            | Self::IsAFolder(path)
            | Self::FolderNotEmpty(path)
            | Self::AlreadyExists(path)
            | Self::EmptyFile(path)
            | Self::Unverified(path)
            | Self::TooLarge { path, .. }
            | Self::OnePlace { path, .. }
            | Self::Special { path, .. }
            | Self::Corrupted { path, .. }
            | Self::SizeMismatch { path, .. }
            | Self::Undecryptable { path, .. }
            | Self::OldVersionStays { path, .. }
            | Self::Misplaced { path, .. }
            | Self::IncompleteListing { path, .. } => Some(path),
            Self::Refused(refusal) => refusal.path(),
            _ => None,
        }
    }

    /// Changes the paths in the error, for a wrapper that shows other paths than the remote it wraps.
    #[must_use]
    pub fn with_paths(mut self, change: impl Fn(&RemotePath) -> RemotePath) -> Self {
        match &mut self {
            Self::FolderNotFound(path)
            | Self::FileNotFound(path)
            | Self::IsAFile(path)
            | Self::IsAFolder(path)
            | Self::FolderNotEmpty(path)
            | Self::AlreadyExists(path)
            | Self::AcrossFileSystems(path)
            | Self::EmptyFile(path)
            | Self::Unverified(path)
            | Self::SourceChanged { path, .. }
            | Self::BadName { folder: path, .. }
            | Self::TooLarge { path, .. }
            | Self::OnePlace { path, .. }
            | Self::Special { path, .. }
            | Self::Corrupted { path, .. }
            | Self::SizeMismatch { path, .. }
            | Self::Undecryptable { path, .. }
            | Self::OldVersionStays { path, .. }
            | Self::Misplaced { path, .. }
            | Self::IncompleteListing { path, .. } => *path = change(path),
            Self::Refused(refusal) => refusal.change_path(&change),
            Self::Overlap { from, to } => (*from, *to) = (change(from), change(to)),
            _ => {}
        }
        self
    }

    /// Returns who caused the error: the user, the network, the service, or this program.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::At { problem, .. } | Self::HalfMoved { problem, .. } => problem.blame(),
            Self::Service { blame, .. } => *blame,
            Self::Corrupted { .. } | Self::SizeMismatch { .. } => Blame::Network,
            Self::OldVersionStays { cause, .. } | Self::Misplaced { cause, .. } => cause.blame(),
            Self::Unverified(_) | Self::IncompleteListing { .. } => Blame::Service,
            Self::NotTried => Blame::Us,
            _ => Blame::User,
        }
    }

    /// Returns what the user can do about it, where there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::At { problem, .. } => problem.hint(),
            Self::Service { hint, .. } => hint.clone(),
            Self::EmptyFile(_) => {
                Some("use --fichier-empty-files marker to store stand-ins, or skip to leave them out".into())
            }
            Self::IncompleteListing { .. } => Some("try again in a minute".into()),
            Self::OldVersionStays { .. } => {
                Some("run the same again, which removes it, or remove it by `dedupe`".into())
            }
            Self::HalfMoved { between, to, .. } => {
                Some(format!("finish it with: fichier moveto {between:?} {to:?}"))
            }
            Self::Misplaced { .. } => Some("remove it, or move it where it belongs".into()),
            Self::Refused(refusal) => refusal.hint(),
            Self::FolderNotEmpty(_) => Some(
                "purge removes a folder with all that it holds; rmdirs removes the empty folders in it"
                    .into(),
            ),
            _ => None,
        }
    }

    /// Returns the error without its location.
    #[must_use]
    pub fn plain(&self) -> &Self {
        match self {
            Self::At { problem, .. } | Self::HalfMoved { problem, .. } => problem.plain(),
            other => other,
        }
    }

    /// Returns an error of the local file system.
    pub fn io(action: &'static str, path: impl AsRef<std::path::Path>, source: io::Error) -> Self {
        Self::Io { action, path: path.as_ref().display().to_string(), source }
    }

    /// Returns an error about something on the local file system that can't be looked into.
    pub fn unseen(action: &'static str, path: impl AsRef<std::path::Path>, source: io::Error) -> Self {
        Self::Unseen { action, path: path.as_ref().display().to_string(), source }
    }
}

/// Says what has one place with a symbolic link, and what comes of it.
fn one_place(folder: bool) -> &'static str {
    match folder {
        false => "one is a file and the other a symlink, and both stay as they are",
        true => {
            "one is a directory and the other a symlink, and with --links none is followed, so both stay as they are"
        }
    }
}

/// Says an error about a location. Where the error's own words name the path, the location takes its place.
fn said_of(location: &str, error: &StorageError) -> String {
    match error {
        StorageError::FolderNotFound(_) => format!("directory not found: {location:?}"),
        StorageError::FileNotFound(_) => format!("object not found: {location:?}"),
        StorageError::IsAFile(_) => format!("{location:?} is a file, not a directory"),
        StorageError::IsAFolder(_) => format!("{location:?} is a directory, not a file"),
        StorageError::FolderNotEmpty(_) => format!("directory not empty: {location:?}"),
        StorageError::AlreadyExists(_) => format!("{location:?} exists already"),
        StorageError::Special { what, .. } => {
            format!("{location:?} is {what}, neither a file nor a directory: it can't be transferred")
        }
        // The others name the remote or the absolute path themselves, or concern no path.
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapper_shows_its_own_paths() {
        let path = |text| RemotePath::parse(text).unwrap();
        let inside = |path: &RemotePath| path.relative_to(&RemotePath::parse("a").unwrap()).unwrap();
        let error = StorageError::Overlap { from: path("a/b"), to: path("a/c") }.with_paths(inside);
        assert_eq!(error.to_string(), r#"can't copy "b" into itself at "c""#);
        let error = StorageError::TooLarge { path: path("a/b"), size: 2, limit: 1 }.with_paths(inside);
        assert_eq!(error.path(), Some(&path("b")));
        assert!(matches!(StorageError::Canceled.with_paths(inside), StorageError::Canceled));
    }

    #[test]
    fn an_error_about_a_location_names_all_of_it_and_stays_what_it_is() {
        let missing = StorageError::FolderNotFound(RemotePath::parse("nope").unwrap());
        let error = StorageError::At { location: "/nope".into(), problem: Box::new(missing) };
        assert_eq!(error.to_string(), r#"directory not found: "/nope""#);
        assert!(matches!(error.plain(), StorageError::FolderNotFound(_)));
    }
}
