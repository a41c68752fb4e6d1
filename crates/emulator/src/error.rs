//! What can go wrong when an emulator starts or its state is used.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why an emulator couldn't start, or couldn't do what its control asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmulatorError {
    /// The address is reachable from other machines, which wasn't allowed.
    #[error(
        "{0} is not a loopback address: allow it explicitly, since the emulator has no transport security"
    )]
    NotLoopback(SocketAddr),
    /// The address couldn't be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Address that was asked for.
        address: SocketAddr,
        /// Error that the system gave.
        source: std::io::Error,
    },
    /// A file or directory of the state couldn't be used.
    #[error("cannot use {path}")]
    File {
        /// Path of the file or directory.
        path: PathBuf,
        /// Error that the system gave.
        source: std::io::Error,
    },
    /// The state database failed.
    #[error("the emulator's state database failed")]
    Database(#[from] rusqlite::Error),
    /// The state was written by a newer emulator.
    #[error("the state has format {found}, this emulator knows formats up to {known}")]
    NewerState {
        /// Format of the state.
        found: i64,
        /// Newest format that this emulator knows.
        known: i64,
    },
    /// The proxy's certificates couldn't be made.
    #[error("cannot make the proxy's certificates: {0}")]
    Certificate(String),
    /// There is no proxy, so there is no certificate authority.
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

/// Why a value of `--limits`, `--fault` or `--mkdir-existing` can't be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}`: {reason}")]
pub struct ParseValueError {
    /// The value, or the part of it that is wrong.
    pub value: String,
    /// What was expected instead.
    pub reason: String,
}

impl ParseValueError {
    pub(crate) fn new(value: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { value: value.into(), reason: reason.into() }
    }
}
