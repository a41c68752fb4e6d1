//! The environment of a process, as an argument instead of a global.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Environment variables in their order, and the home directory.
///
/// The order matters: `listremotes` lists the remotes of the environment in it.
#[derive(Clone, Default)]
pub struct Environment {
    variables: Vec<(OsString, OsString)>,
    home: Option<PathBuf>,
}

impl Environment {
    /// Returns the environment of this process. Meant to be called once, by the program.
    pub fn of_process() -> Environment {
        Environment { variables: std::env::vars_os().collect(), home: etcetera::home_dir().ok() }
    }

    /// Makes an environment of given variables; the home directory is its `HOME`.
    ///
    /// ```
    /// use fichier_config::Environment;
    ///
    /// let environment = Environment::from_pairs([("HOME", "/home/ada")]);
    /// assert_eq!(environment.home().unwrap().to_str(), Some("/home/ada"));
    /// ```
    pub fn from_pairs<K: Into<OsString>, V: Into<OsString>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Environment {
        let variables: Vec<(OsString, OsString)> =
            pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let mut environment = Environment { variables, home: None };
        environment.home = environment.get_os("HOME").map(PathBuf::from);
        environment
    }

    /// Returns the home directory, if it is known.
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// Returns a variable as the system holds it. An empty variable isn't unset.
    pub fn get_os(&self, name: &str) -> Option<&OsStr> {
        self.variables.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_os_str())
    }

    /// Returns a variable as text; one that isn't UTF-8 counts as unset.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_os(name)?.to_str()
    }

    /// Checks whether the name of any variable begins with `prefix`.
    pub fn has_names_with(&self, prefix: &str) -> bool {
        let begins = |name: &OsString| name.as_encoded_bytes().starts_with(prefix.as_bytes());
        self.variables.iter().any(|(name, _)| begins(name))
    }

    /// Returns all variables that are text, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)))
    }
}

/// Shows no values: environments hold keys and passwords.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment")
            .field("variables", &self.variables.len())
            .field("home", &self.home)
            .finish()
    }
}
