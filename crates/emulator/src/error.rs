//! What can go wrong when an emulator starts or its state is handled.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why an emulator could not start, or could not do what its control asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmulatorError {
    /// The address is reachable from other machines and nobody allowed that.
    #[error(
        "{0} is not a loopback address: allow it explicitly, since the emulator has no transport security"
    )]
    NotLoopback(SocketAddr),
    /// The address could not be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file or directory of the state could not be used.
    #[error("cannot use {path}")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The state database failed.
    #[error("the emulator's state database failed")]
    Database(#[from] rusqlite::Error),
    /// The state was written by a newer emulator.
    #[error("the state has format {found}, this emulator knows formats up to {known}")]
    NewerState {
        /// The format of the state.
        found: i64,
        /// The newest format that this emulator knows.
        known: i64,
    },
    /// The proxy's certificates could not be made.
    #[error("cannot make the proxy's certificates: {0}")]
    Certificate(String),
    /// There is no proxy, hence no certificate authority.
    #[error("this emulator has no proxy, hence no certificate authority")]
    NoProxy,
    /// A control call named something that doesn't exist or can't be done.
    #[error("{0}")]
    Control(String),
}

impl EmulatorError {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

/// A value of `--limits`, `--fault` or `--mkdir-existing` that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}`: {reason}")]
pub struct ParseValueError {
    /// The value, or the part of it, that can't be read.
    pub value: String,
    /// What was expected instead.
    pub reason: String,
}

impl ParseValueError {
    pub(crate) fn new(value: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { value: value.into(), reason: reason.into() }
    }
}
