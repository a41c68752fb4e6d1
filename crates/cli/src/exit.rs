//! Exit codes, and which error gets which.

use std::{error::Error, io};

use fichier_remotes::registry::OpenError;
use fichier_storage::{Retry, StorageError};

/// How the program ends. The numbers are a promise to scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All that was asked for is done.
    Success = 0,
    /// The command line can't be understood.
    Usage = 1,
    /// An error that has no number of its own.
    Other = 2,
    /// A directory isn't there.
    DirectoryNotFound = 3,
    /// A file isn't there.
    FileNotFound = 4,
    /// It failed, and the same again may work.
    Retryable = 5,
    /// Less serious: something was left out, by name, and another run won't change it.
    NoRetry = 6,
    /// Nothing of what was asked for can work: a wrong key, a full disk.
    Fatal = 7,
    /// The limit on transferred bytes was reached.
    TransferLimit = 8,
    /// Nothing had to be transferred, and that was to be told.
    NoTransfer = 9,
    /// The limit on time was reached.
    DurationLimit = 10,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that knows how the program shall end.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl Failure {
    /// The command line can't be understood.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    /// An error that has no number of its own.
    pub(crate) fn other(message: impl Into<String>) -> Self {
        Self { exit: Exit::Other, message: message.into() }
    }
}

impl Exit {
    /// The number for an error of a remote.
    pub(crate) fn of_storage(error: &StorageError) -> Self {
        match error.plain() {
            StorageError::FolderNotFound(_) => Self::DirectoryNotFound,
            StorageError::FileNotFound(_) => Self::FileNotFound,
            StorageError::LeadsAcross { .. } => Self::Fatal,
            StorageError::TransferLimit { .. } => Self::TransferLimit,
            StorageError::DurationLimit => Self::DurationLimit,
            // As rclone: what wasn't wanted any more isn't a failure.
            StorageError::Quit => Self::Success,
            StorageError::EmptyFile(_) | StorageError::Immutable(_) => Self::NoRetry,
            other => match other.retry() {
                Retry::Worthwhile => Self::Retryable,
                Retry::Fatal => Self::Fatal,
                Retry::Useless => Self::Other,
            },
        }
    }

    /// The number for any error: the first cause that knows one decides.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        error
            .chain()
            .find_map(|cause| {
                cause
                    .downcast_ref::<Failure>()
                    .map(|failure| failure.exit)
                    .or_else(|| storage(cause).map(Self::of_storage))
            })
            .unwrap_or(Self::Other)
    }
}

/// Whether somebody who was asked wanted no more: no error either.
pub(crate) fn is_quit(error: &anyhow::Error) -> bool {
    error.chain().filter_map(storage).any(|error| matches!(error, StorageError::Quit))
}

/// Whether the reader of our output went away, as `head` does: no error to speak of.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// The error and its causes in one line. Causes that a message quotes already aren't said twice.
pub(crate) fn describe(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        add_cause(&mut line, cause);
    }
    line
}

fn add_cause(line: &mut String, cause: &(dyn Error + 'static)) {
    let text = cause.to_string();
    if line.contains(&text) {
        return;
    }
    if !line.is_empty() {
        line.push_str(": ");
    }
    line.push_str(&text);
}

/// A remote's error, be it that it couldn't even be opened.
fn storage<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a StorageError> {
    cause.downcast_ref().or_else(|| match cause.downcast_ref()? {
        OpenError::Storage(error) => Some(error),
        _ => None,
    })
}

/// What the user can do, where a cause knows it.
pub(crate) fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| storage(cause)?.hint())
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;
    use fichier_storage::{Blame, RemotePath};

    use super::*;

    #[test]
    fn the_first_cause_that_knows_a_number_decides() {
        let missing = StorageError::FolderNotFound(RemotePath::root());
        let error = Err::<(), _>(missing).context("listing").unwrap_err();
        assert_eq!(Exit::of(&error), Exit::DirectoryNotFound);
        let failure = Failure { exit: Exit::NoTransfer, message: "nothing".into() };
        assert_eq!(Exit::of(&anyhow::Error::new(failure)), Exit::NoTransfer);
        assert_eq!(Exit::of(&anyhow::anyhow!("x")), Exit::Other);
    }

    #[test]
    fn retry_advice_decides_for_services() {
        let service = |retry| StorageError::Service {
            action: "list \"a\"".into(),
            retry,
            blame: Blame::Service,
            hint: None,
            source: "flood".into(),
        };
        assert_eq!(Exit::of_storage(&service(Retry::Worthwhile)), Exit::Retryable);
        assert_eq!(Exit::of_storage(&service(Retry::Fatal)), Exit::Fatal);
        assert_eq!(Exit::of_storage(&service(Retry::Useless)), Exit::Other);
    }

    #[test]
    fn causes_are_said_once() {
        let source = io::Error::new(io::ErrorKind::NotFound, "no such thing");
        let storage = StorageError::io("read", "/a", source);
        let error = anyhow::Error::new(storage).context("copying \"a\"");
        assert_eq!(describe(&error), "copying \"a\": read /a: no such thing");
    }
}
