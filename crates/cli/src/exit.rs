//! Exit codes, and which error gets which.

use std::{error::Error, io, path::Path};

use fichier_engine::RunError;
use fichier_session::SessionError;
use fichier_storage::{Refusal as _, RemotePath, Retry, StorageError};

/// How the program ends. The numbers are a promise to scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything that was asked for is done.
    Success,
    /// The command line can't be understood.
    Usage,
    /// An error that has no number of its own.
    Other,
    /// A directory isn't there.
    DirectoryNotFound,
    /// A file isn't there.
    FileNotFound,
    /// The run failed, and repeating it may work.
    Retryable,
    /// Less serious: something was left out, which is reported by name, and another run won't change it.
    NoRetry,
    /// Nothing of what was asked for can work: a wrong key, a full disk.
    Fatal,
    /// The limit on transferred bytes was reached.
    TransferLimit,
    /// Nothing had to be transferred, and the user asked to be informed.
    NoTransfer,
    /// The limit on time was reached.
    DurationLimit,
    /// There is no room left on a disk.
    DiskFull,
    /// A signal ended the program; this is its number.
    Signal(u8),
}

impl Exit {
    /// Exit after Ctrl-C.
    pub(crate) const INTERRUPTED: Self = Self::Signal(2);

    /// Returns the exit code of the process.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            // A full disk has rclone's number.
            Self::Usage | Self::DiskFull => 1,
            Self::Other => 2,
            Self::DirectoryNotFound => 3,
            Self::FileNotFound => 4,
            Self::Retryable => 5,
            Self::NoRetry => 6,
            Self::Fatal => 7,
            Self::TransferLimit => 8,
            Self::NoTransfer => 9,
            Self::DurationLimit => 10,
            // As a shell counts: 130 is Ctrl-C.
            Self::Signal(number) => 128_u8.saturating_add(number),
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error that knows the exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl Failure {
    /// Makes the error for a command line that can't be understood.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    /// Makes an error without an exit code of its own.
    pub(crate) fn other(message: impl Into<String>) -> Self {
        Self { exit: Exit::Other, message: message.into() }
    }

    /// The standard input ended where an answer was needed.
    pub(crate) fn unanswered(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }
}

impl Exit {
    /// Returns the exit for an error of a remote.
    pub(crate) fn of_storage(error: &StorageError) -> Self {
        match error.plain() {
            StorageError::FolderNotFound(_) | StorageError::BelowFile { .. } => Self::DirectoryNotFound,
            StorageError::FileNotFound(_) => Self::FileNotFound,
            StorageError::BehindLink(_)
            | StorageError::EmptyFile(_)
            | StorageError::IsTheSource(_)
            | StorageError::OnePlace { .. }
            | StorageError::SourceChanged { .. }
            | StorageError::Unseen { .. } => Self::NoRetry,
            StorageError::Io { source, .. } if is_full(source) => Self::DiskFull,
            other => RunError::of(other).map_or_else(|| Self::after(other.retry()), Self::of_run),
        }
    }

    /// The number for what a run ends by.
    fn of_run(error: &RunError) -> Self {
        match error {
            RunError::LeadsAcross { .. } => Self::Fatal,
            RunError::TransferLimit { .. } => Self::TransferLimit,
            RunError::DurationLimit => Self::DurationLimit,
            // As rclone: what wasn't wanted any more isn't a failure.
            RunError::Quit => Self::Success,
            // As rclone, too.
            RunError::Unanswered(_) => Self::Usage,
            RunError::Immutable(_) | RunError::NoNewName { .. } => Self::NoRetry,
            other => Self::after(other.retry()),
        }
    }

    fn after(retry: Retry) -> Self {
        match retry {
            Retry::Worthwhile => Self::Retryable,
            Retry::Fatal => Self::Fatal,
            Retry::Useless => Self::Other,
        }
    }

    /// Returns the exit for any error: the first cause that has one decides.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        error
            .chain()
            .find_map(|cause| {
                cause
                    .downcast_ref::<Failure>()
                    .map(|failure| failure.exit)
                    .or_else(|| storage(cause).map(Self::of_storage))
                    .or_else(|| cause.downcast_ref().filter(|error| is_full(error)).map(|_| Self::DiskFull))
            })
            .unwrap_or(Self::Other)
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Checks whether the user was asked and chose to stop: that is no error either.
pub(crate) fn is_quit(error: &anyhow::Error) -> bool {
    error.chain().filter_map(storage).any(RunError::is_quit)
}

/// Whether all was said before, so that the error has no message.
pub(crate) fn is_said(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Failure>().is_some_and(|failure| failure.message.is_empty())
}

/// Whether the reader of our output went away, as `head` does: no error to speak of.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Returns the error and its causes in one line. Causes that a message quotes already aren't said twice, and a path
/// is named in full where `named` knows how.
pub(crate) fn describe(error: &anyhow::Error, named: impl Fn(&RemotePath) -> Option<String>) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let full = storage(cause).and_then(StorageError::path).and_then(|path| Some((path, named(path)?)));
        let text = match full {
            Some((path, full)) => cause.to_string().replacen(&format!("{path:?}"), &format!("{full:?}"), 1),
            None => cause.to_string(),
        };
        add_cause(&mut line, &text);
    }
    line
}

fn add_cause(line: &mut String, text: &str) {
    if line.contains(text) {
        return;
    }
    if !line.is_empty() {
        line.push_str(": ");
    }
    line.push_str(text);
}

/// Returns the error of a remote, also if it couldn't even be opened.
fn storage<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a StorageError> {
    cause.downcast_ref().or_else(|| cause.downcast_ref::<SessionError>()?.storage())
}

/// Returns what the user can do, where a cause knows it.
pub(crate) fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        let error = storage(cause)?;
        error.hint().or_else(|| of_link(error))
    })
}

/// Returns what to do about a symbolic link that was named and isn't followed: for this program nothing is there.
fn of_link(error: &StorageError) -> Option<String> {
    let StorageError::At { location, problem } = error else { return None };
    let is_missing = matches!(**problem, StorageError::FolderNotFound(_) | StorageError::FileNotFound(_));
    let path = Path::new(location);
    (is_missing && path.is_symlink()).then(|| match path.exists() {
        true => {
            "this is a symbolic link: follow it with -L/--copy-links, or copy it as a link with -l/--links"
                .into()
        }
        false => {
            "this is a symbolic link that leads nowhere: it can only be copied as a link, with -l/--links"
                .into()
        }
    })
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;
    use fichier_storage::Blame;

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
    fn the_numbers_are_those_of_the_documents() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(Exit::of_storage(&StorageError::io("write", "/a", full())).code(), 1);
        assert_eq!(Exit::of(&anyhow::Error::new(full())).code(), 1);
        assert_eq!(Failure::unanswered("nobody").exit.code(), 1);
        assert_eq!(Exit::DurationLimit.code(), 10);
        assert_eq!([2, 15, 1].map(|number| Exit::Signal(number).code()), [130, 143, 129]);
    }

    #[test]
    fn a_path_is_named_in_full() {
        let error = anyhow::Error::new(StorageError::FolderNotFound(RemotePath::parse(b"a/b").unwrap()));
        let named = |path: &RemotePath| Some(format!("demo:{path}"));
        assert_eq!(describe(&error, named), "directory not found: \"demo:a/b\"");
        assert_eq!(describe(&error, |_| None), "directory not found: \"a/b\"");
    }

    #[test]
    fn causes_are_said_once() {
        let source = io::Error::new(io::ErrorKind::NotFound, "no such thing");
        let storage = StorageError::io("read", "/a", source);
        let error = anyhow::Error::new(storage).context("copying \"a\"");
        assert_eq!(describe(&error, |_| None), "copying \"a\": read /a: no such thing");
    }
}
