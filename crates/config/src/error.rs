//! What can be wrong with a configuration, and what to do next.

use std::io;
use std::path::PathBuf;

use fichier_notation::ValueError;

use crate::encryption::DecryptError;
use crate::{AddressError, EditError, IniError, ObscureError, Origin};

/// A fault of the configuration. It names places and keys, never values, which may be secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there and can't be read.
    #[error("cannot read the configuration file {}: {source}. Check its permissions.", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file can't be changed.
    #[error("cannot write the configuration file {}: {source}. It is as it was.", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is encrypted and can't be opened.
    #[error("{}: {error}", path.display())]
    Encrypted {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        error: DecryptError,
    },
    /// The file is encrypted and nobody knows its password.
    #[error("the configuration file {} is encrypted: {reason}", path.display())]
    Locked {
        /// Which file.
        path: PathBuf,
        /// Why there is no password.
        reason: String,
    },
    /// A change that can't be made.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The file has a line that means nothing.
    #[error("{}{error}", place(path))]
    File {
        /// Which file, if it was one.
        path: Option<PathBuf>,
        /// What is wrong, with the line.
        error: IniError,
    },
    /// No such remote in the file or the environment.
    #[error("there is no remote {name:?}. {}", known_remotes(known))]
    UnknownRemote {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A section without `type`.
    #[error(
        "the remote {name:?} has no type. Add `type = fichier` to its section, or the type that it is of."
    )]
    NoType {
        /// The remote's name.
        name: String,
    },
    /// A value that isn't of the option's type.
    #[error("{key} of {remote:?}, {origin}: {error}")]
    Value {
        /// The remote's name.
        remote: String,
        /// The option.
        key: String,
        /// Where the value was set.
        origin: Origin,
        /// What is wrong with it.
        error: ValueError,
    },
    /// A password that wasn't obscured.
    #[error("{key} of {remote:?}, {origin}: {error}")]
    NotObscured {
        /// The remote's name.
        remote: String,
        /// The option.
        key: String,
        /// Where the value was set.
        origin: Origin,
        /// What is wrong with it.
        error: ObscureError,
    },
    /// A remote string that can't be understood.
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
