//! What can go wrong between a name and the remote that it means.

use fichier_config::{AddressError, ConfigError};
use fichier_remotes::registry::{InvalidValue, OpenError};
use fichier_storage::{InvalidPath, StorageError};

/// Why a remote or path can't be opened. No secret is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The name is empty.
    #[error("can't use empty string as a path")]
    Empty,
    /// The name can't be parsed as a path or a remote.
    #[error("{0}")]
    Address(#[source] AddressError),
    /// The path after the remote's name isn't a possible path.
    #[error("{0}")]
    Path(#[source] InvalidPath),
    /// A path on this computer isn't text, or can't be looked at.
    #[error("{0}")]
    Local(#[source] std::io::Error),
    /// The configuration can't be read, or has a wrong value.
    #[error("{0}")]
    Config(#[source] ConfigError),
    /// The configuration has no remote of this name.
    #[error("didn't find section in config file ({name:?}); there are: {}", .known.join(", "))]
    UnknownRemote {
        /// Name that was asked for.
        name: String,
        /// Names of all remotes that exist.
        known: Vec<String>,
    },
    /// No backend has this name.
    #[error("didn't find backend called {backend:?}{}{}; there are: {}", type_of(.name), other_service(*.is_of_rclone), .known.join(", "))]
    UnknownBackend {
        /// Name that was asked for.
        backend: String,
        /// Name of the remote that has this type, or the backend's name with a colon before it.
        name: String,
        /// Whether rclone has the backend.
        is_of_rclone: bool,
        /// Names of all backends that exist.
        known: Vec<&'static str>,
    },
    /// The target of an alias can't be parsed as a path or a remote.
    #[error("what {alias:?} stands for: {source}")]
    Alias {
        /// Name of the alias.
        alias: String,
        /// What is wrong with its target.
        source: AddressError,
    },
    /// Remotes point to each other or lie over each other without an end.
    #[error("the remotes go in a circle, or more than {most} lie over each other: {}", .names.join(" -> "))]
    Circle {
        /// Largest number that is allowed.
        most: usize,
        /// The remotes on the way, without secrets.
        names: Vec<String>,
    },
    /// The remote is built in, and has no options.
    #[error("{0}: is built in and has no options in the file")]
    BuiltIn(&'static str),
    /// The built-in service can't be started.
    #[error("can't start the demo service{place}: {source}", place = .directory.as_ref().map(|directory| format!(" in {}", directory.display())).unwrap_or_default())]
    Demo {
        /// Directory of its files.
        directory: Option<std::path::PathBuf>,
        /// Why it can't be started.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An option of the whole program stands among those of a remote.
    #[error("{remote}: {key:?} is for the whole program, and isn't read here: give it as a flag, --{}", flag_of(.key))]
    Global {
        /// Remote that has the option.
        remote: String,
        /// The option with its prefix.
        key: String,
    },
    /// A value doesn't suit its option.
    #[error("{0}")]
    Value(#[source] InvalidValue),
    /// The backend can't open the remote.
    #[error("{0}")]
    Open(#[source] OpenError),
}

impl SessionError {
    /// Returns the remote's own error, also where the remote couldn't even be opened.
    #[must_use]
    pub fn storage(&self) -> Option<&StorageError> {
        match self {
            Self::Open(OpenError::Storage(error)) => Some(error),
            Self::Open(OpenError::Beneath { source, .. }) => {
                source.downcast_ref::<Self>().and_then(Self::storage)
            }
            _ => None,
        }
    }
}

fn flag_of(key: &str) -> String {
    key.split_once('.').map_or(key, |(_, option)| option).replace('_', "-")
}

fn type_of(name: &str) -> String {
    if name.starts_with(':') { String::new() } else { format!(", the type of {name:?}") }
}

fn other_service(is_of_rclone: bool) -> &'static str {
    match is_of_rclone {
        true => ": rclone has it, but this program speaks to 1Fichier and to local disks alone",
        false => "",
    }
}

macro_rules! from {
    ($($error:ty => $variant:ident,)+) => {
        $(impl From<$error> for SessionError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })+
    };
}

from! {
    AddressError => Address,
    InvalidPath => Path,
    std::io::Error => Local,
    ConfigError => Config,
    InvalidValue => Value,
    OpenError => Open,
}
