//! What a run ends by, or leaves something as it is by, without a remote having failed.

use std::error::Error;

use fichier_storage::{Refusal, RemotePath, Retry, StorageError};

/// Why a run doesn't do something that the remotes would have done: a limit, a rule, or somebody's answer.
///
/// It travels as a [`StorageError::Refused`], since wrappers around remotes refuse, too: [`RunError::of`] finds it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The destination has a file where the source has a folder of the same name, or the other way round.
    #[error("the destination has a {there} named {path:?}, so the {here} of this name isn't transferred")]
    Clash {
        /// Path from the destination's folder on.
        path: RemotePath,
        /// What the destination has: a file or a folder.
        there: &'static str,
        /// What the source has: a file or a folder.
        here: &'static str,
    },
    /// The file would have to change, but must stay as it is.
    #[error("source and destination exist but do not match: immutable file modified: {0:?}")]
    Immutable(RemotePath),
    /// More would be removed than is allowed, so nothing was removed.
    #[error("{limit} threshold reached: {found} would have to go, so nothing was deleted")]
    LimitReached {
        /// Name of the flag that set the limit.
        limit: &'static str,
        /// How many files or bytes would be removed.
        found: u64,
    },
    /// As much was removed as is allowed.
    #[error("{limit} threshold reached")]
    RemovalLimit {
        /// Name of the flag that set the limit.
        limit: &'static str,
    },
    /// As much was transferred as is allowed.
    #[error("max transfer limit reached as set by --max-transfer ({limit} B)")]
    TransferLimit {
        /// How many bytes are allowed.
        limit: u64,
    },
    /// The time that is allowed for transfers is over.
    #[error("max transfer duration reached as set by --max-duration")]
    DurationLimit,
    /// The user was asked and said no.
    #[error("left as it is: {0:?}")]
    Declined(RemotePath),
    /// A question had to be asked, but the input had ended.
    #[error("there was nobody to ask about {0:?}: the standard input has ended, so nothing more is done")]
    Unanswered(RemotePath),
    /// The user was asked and wants to end the run.
    #[error("stopped, as you answered")]
    Quit,
    /// A file or folder has no possible name at the destination.
    #[error("--name-transform can't rename {path:?}: {why}")]
    NoNewName {
        /// Path of the file or folder at the source.
        path: RemotePath,
        /// What is wrong with the new name, or why there is none.
        why: String,
    },
    /// Files would be lost because folders of a run overlap, so nothing was done.
    #[error("{rule}: {} and {}", .places[0], .places[1])]
    Overlapping {
        /// The rule that was broken.
        rule: &'static str,
        /// The two places, each with its remote.
        places: [String; 2],
    },
    /// A folder of one side of a run leads into the other side, so it was left alone.
    #[error("{folder:?} is a link or mount that leads into {other}, so it is left as it is")]
    LeadsAcross {
        /// Path of the folder.
        folder: RemotePath,
        /// The other side, with its remote.
        other: String,
    },
    /// Several files bear one name at the destination, where there should be one.
    #[error("the destination has {count} files named {path:?}, and all of them stay")]
    Doubles {
        /// The path, from the destination's folder on.
        path: RemotePath,
        /// How many there are.
        count: usize,
    },
}

impl RunError {
    /// Returns what a run refused by, if an error says that it did.
    #[must_use]
    pub fn of(error: &StorageError) -> Option<&Self> {
        match error.plain() {
            StorageError::Refused(refusal) => {
                let error: &(dyn Error + 'static) = &**refusal;
                error.downcast_ref()
            }
            _ => None,
        }
    }

    /// Checks whether an error says that somebody was asked and said no.
    #[must_use]
    pub fn is_declined(error: &StorageError) -> bool {
        matches!(Self::of(error), Some(Self::Declined(_)))
    }

    /// Checks whether an error says that somebody was asked and wants to end the run.
    #[must_use]
    pub fn is_quit(error: &StorageError) -> bool {
        matches!(Self::of(error), Some(Self::Quit))
    }
}

impl From<RunError> for StorageError {
    fn from(error: RunError) -> Self {
        Self::Refused(Box::new(error))
    }
}

impl Refusal for RunError {
    fn retry(&self) -> Retry {
        match self {
            Self::LimitReached { .. }
            | Self::RemovalLimit { .. }
            | Self::TransferLimit { .. }
            | Self::DurationLimit
            | Self::Unanswered(_)
            | Self::Quit
            | Self::Overlapping { .. } => Retry::Fatal,
            Self::Clash { .. }
            | Self::Immutable(_)
            | Self::Declined(_)
            | Self::NoNewName { .. }
            | Self::LeadsAcross { .. }
            | Self::Doubles { .. } => Retry::Useless,
        }
    }

    fn path(&self) -> Option<&RemotePath> {
        match self {
            Self::Immutable(path) => Some(path),
            _ => None,
        }
    }

    fn change_path(&mut self, change: &dyn Fn(&RemotePath) -> RemotePath) {
        if let Self::Immutable(path)
        | Self::Declined(path)
        | Self::Unanswered(path)
        | Self::Doubles { path, .. } = self
        {
            *path = change(path);
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::Doubles { .. }).then(|| "`dedupe` leaves one of them".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_in_what_a_remote_answers_and_keeps_what_it_knows() {
        let path = |text| RemotePath::parse(text).unwrap();
        let error = StorageError::from(RunError::Declined(path("a/b")));
        assert!(RunError::is_declined(&error) && !RunError::is_quit(&error));
        assert_eq!(error.retry(), Retry::Useless);
        let inside = error.with_paths(|path| path.relative_to(&RemotePath::parse("a").unwrap()).unwrap());
        assert_eq!(inside.to_string(), r#"left as it is: "b""#);
        let limit = StorageError::from(RunError::TransferLimit { limit: 7 });
        let at = StorageError::At { location: "r:x".into(), problem: Box::new(limit) };
        assert!(matches!(RunError::of(&at), Some(RunError::TransferLimit { limit: 7 })));
        assert_eq!(at.retry(), Retry::Fatal);
        let doubles = StorageError::from(RunError::Doubles { path: path("x"), count: 2 });
        assert!(doubles.hint().is_some() && doubles.path().is_none());
        assert!(RunError::of(&StorageError::Canceled).is_none());
    }
}
