//! Flags of the backends (`--fichier-api-key` and the like), made from what the backends say of themselves.

use clap::{ArgMatches, Command};

/// A backend's option that was set on the command line.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct BackendFlag {
    /// The backend: `fichier`.
    pub(crate) backend: &'static str,
    /// The option as in the configuration file: `api_key`.
    pub(crate) option: &'static str,
    /// The value as typed. May be a secret.
    pub(crate) value: String,
}

impl std::fmt::Debug for BackendFlag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "--{}-{}", self.backend, self.option)
    }
}

/// Adds the flags of all backends to the grammar.
pub(super) fn add_to(command: Command) -> Command {
    command
}

/// The backend flags that were typed.
pub(super) fn typed(_matches: &ArgMatches) -> Vec<BackendFlag> {
    Vec::new()
}
