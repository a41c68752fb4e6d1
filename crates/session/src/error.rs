//! What can go wrong between a name and its remote.

use fichier_config::{AddressError, ConfigError};
use fichier_remotes::registry::{InvalidValue, OpenError};
use fichier_storage::{InvalidPath, StorageError};

/// Why what was named can't be opened. No secret is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// Nothing was named.
    #[error("can't use empty string as a path")]
    Empty,
    /// What was named can't be read as a place.
    #[error("{0}")]
    Address(#[source] AddressError),
    /// The path behind the remote's name can't be one.
    #[error("{0}")]
    Path(#[source] InvalidPath),
    /// A path on this computer isn't text, or can't be looked at.
    #[error("{0}")]
    Local(#[source] std::io::Error),
    /// The configuration can't be read, or says something that can't be.
    #[error("{0}")]
    Config(#[source] ConfigError),
    /// There is no such remote.
    #[error("didn't find section in config file ({name:?}); there are: {}", .known.join(", "))]
    UnknownRemote {
        /// The name that was asked for.
        name: String,
        /// The remotes that there are.
        known: Vec<String>,
    },
    /// There is no such backend.
    #[error("didn't find backend called {backend:?}{}{}; there are: {}", type_of(.name), other_service(*.is_of_rclone), .known.join(", "))]
    UnknownBackend {
        /// The backend that was asked for.
        backend: String,
        /// The remote that is of this type, or the backend once more with a colon before it.
        name: String,
        /// Whether rclone has it.
        is_of_rclone: bool,
        /// The backends that there are.
        known: Vec<&'static str>,
    },
    /// What an alias stands for can't be read as a place.
    #[error("what {alias:?} stands for: {source}")]
    Alias {
        /// The alias.
        alias: String,
        /// What is wrong with it.
        source: AddressError,
    },
    /// Remotes that stand for each other or lie over each other without an end.
    #[error("the remotes go in a circle, or more than {most} lie over each other: {}", .names.join(" -> "))]
    Circle {
        /// How many may.
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
        /// Where its files lie.
        directory: Option<std::path::PathBuf>,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A value doesn't suit its option.
    #[error("{0}")]
    Value(#[source] InvalidValue),
    /// The backend's own.
    #[error("{0}")]
    Open(#[source] OpenError),
}

impl SessionError {
    /// Returns the remote's error, be it that it couldn't even be opened.
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
