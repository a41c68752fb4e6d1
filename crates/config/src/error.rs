//! What can be wrong with a configuration, and what to do next.

use std::io;
use std::path::PathBuf;

use fichier_notation::ValueError;

use crate::encryption::DecryptError;
use crate::{AddressError, EditError, IniError, ObscureError, Origin};

/// A mistake in the configuration. It names files, lines and keys, never values, which may be secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file exists but can't be read.
    #[error("cannot read the configuration file {}: {source}. Check its permissions.", path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// Error that the system gave.
        source: io::Error,
    },
    /// The file can't be changed.
    #[error("cannot write the configuration file {}: {source}. It is as it was.", path.display())]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// Error that the system gave.
        source: io::Error,
    },
    /// The file is encrypted and can't be decrypted.
    #[error("{}: {error}", path.display())]
    Encrypted {
        /// Path of the file.
        path: PathBuf,
        /// Why it can't be decrypted.
        error: DecryptError,
    },
    /// The file is encrypted and its password is missing.
    #[error("the configuration file {} is encrypted: {reason}", path.display())]
    Locked {
        /// Path of the file.
        path: PathBuf,
        /// Why there is no password.
        reason: String,
    },
    /// An edit of the file isn't possible.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The file has a line that can't be parsed.
    #[error("{}{error}", place(path))]
    File {
        /// Path of the file, if the text came from one.
        path: Option<PathBuf>,
        /// What is wrong, and in which line.
        error: IniError,
    },
    /// No remote has this name, neither in the file nor in the environment.
    #[error("there is no remote {name:?}. {}", known_remotes(known))]
    UnknownRemote {
        /// Name that was asked for.
        name: String,
        /// Names of all remotes that exist.
        known: Vec<String>,
    },
    /// The section of a remote has no `type`.
    #[error(
        "the remote {name:?} has no type. Add `type = fichier` to its section, or the type that it is of."
    )]
    NoType {
        /// Name of the remote.
        name: String,
    },
    /// The value of an option isn't of the option's type.
    #[error("{key} of {remote:?}, {origin}: {error}")]
    Value {
        /// Name of the remote.
        remote: String,
        /// Name of the option.
        key: String,
        /// Where the value was set.
        origin: Origin,
        /// What is wrong with the value.
        error: ValueError,
    },
    /// A password isn't obscured.
    #[error("{key} of {remote:?}, {origin}: {error}")]
    NotObscured {
        /// Name of the remote.
        remote: String,
        /// Name of the option.
        key: String,
        /// Where the value was set.
        origin: Origin,
        /// What is wrong with the value.
        error: ObscureError,
    },
    /// A remote string can't be parsed.
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl From<IniError> for ConfigError {
    fn from(error: IniError) -> ConfigError {
        ConfigError::File { path: None, error }
    }
}

fn place(path: &Option<PathBuf>) -> String {
    path.as_ref().map(|path| format!("{}: ", path.display())).unwrap_or_default()
}

fn known_remotes(known: &[String]) -> String {
    if known.is_empty() {
        return "None is configured; make one with `fichier config`.".to_owned();
    }
    format!("These exist: {}.", known.join(", "))
}
