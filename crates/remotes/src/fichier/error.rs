//! Converts the wire client's errors to those of the storage layer.

use std::{fmt, sync::Arc};

use fichier_api::{ApiError, Endpoint, ErrorKind, Fault, PasswordProblem, Retry as ApiRetry};
use fichier_storage::{Blame, RemotePath, Retry, StorageError};

/// An error that concerns several items of a batch.
#[derive(Debug, Clone)]
struct Shared(Arc<ApiError>);

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Shared {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// Makes the error of an action that failed on a path.
pub(crate) fn failed(action: &str, path: &RemotePath, error: impl Into<Arc<ApiError>>) -> StorageError {
    let error = error.into();
    let retry = if error.is_fatal() {
        Retry::Fatal
    } else {
        match error.retry() {
            ApiRetry::Never => Retry::Useless,
            ApiRetry::Later | ApiRetry::AfterLooking => Retry::Worthwhile,
        }
    };
    let blame = match error.fault() {
        Fault::User => Blame::User,
        Fault::Service => Blame::Service,
        Fault::Network => Blame::Network,
        Fault::Us => Blame::Us,
    };
    let hint = password_hint(&error).or_else(|| error.hint()).map(str::to_owned);
    let action = match error.remote() {
        Some(_) => placed(action, error.remote(), path),
        None if path.is_root() => action.to_owned(),
        None => placed(action, None, path),
    };
    StorageError::Service { action, retry, blame, hint, source: Box::new(Shared(error)) }
}

/// Returns the action and the path: with the remote's name, as the user types it, where that is known.
fn placed(action: &str, remote: Option<&str>, path: &RemotePath) -> String {
    match remote {
        Some(remote) => format!("{action} {:?}", format!("{remote}{path}")),
        None => format!("{action} {path:?}"),
    }
}

/// Checks whether an error says that the service may not be called yet, since it was called a moment ago.
#[must_use]
pub fn is_too_soon(error: &StorageError) -> bool {
    let StorageError::Service { source, .. } = error else { return false };
    let error = source.downcast_ref::<Shared>();
    error.is_some_and(|error| matches!(error.0.kind(), ErrorKind::TooSoon { .. }))
}

/// Names the option that a missing or wrong password belongs to.
fn password_hint(error: &ApiError) -> Option<&'static str> {
    let of_folder = error.endpoint() == Endpoint::SharedFolder;
    match error.kind() {
        ErrorKind::NotAllowed { password: PasswordProblem::Missing, .. } if of_folder => Some(
            "the directory has a password: give it by --fichier-folder-password or the option folder_password",
        ),
        ErrorKind::NotAllowed { password: PasswordProblem::Wrong, .. } if of_folder => {
            Some("the password given by --fichier-folder-password or the option folder_password is wrong")
        }
        ErrorKind::NotAllowed { password: PasswordProblem::Missing, .. } => {
            Some("the file has a password: give it by --fichier-file-password or the option file_password")
        }
        ErrorKind::NotAllowed { password: PasswordProblem::Wrong, .. } => {
            Some("the password given by --fichier-file-password or the option file_password is wrong")
        }
        _ => None,
    }
}

/// Makes the error that the service took a request, and its answer doesn't say that it was carried out.
pub(crate) fn unconfirmed(
    remote: Option<&str>,
    action: &str,
    path: &RemotePath,
    what: impl Into<String>,
) -> StorageError {
    StorageError::Service {
        action: placed(action, remote, path),
        retry: Retry::Worthwhile,
        blame: Blame::Service,
        hint: Some("look whether it was done before trying again".to_owned()),
        source: what.into().into(),
    }
}

/// Converts the error of a listing: a folder that is gone has an error of the storage layer.
pub(super) fn listing_failed(path: &RemotePath, error: ApiError) -> StorageError {
    if error.is_not_found() {
        StorageError::FolderNotFound(path.clone())
    } else {
        failed("list directory", path, error)
    }
}

/// Converts the error of reading a file: a file that is gone has an error of the storage layer.
pub(super) fn reading_failed(path: &RemotePath, error: ApiError) -> StorageError {
    if error.is_not_found() { StorageError::FileNotFound(path.clone()) } else { failed("read", path, error) }
}
