//! Decides which of several values counts, and says where it was set.
//!
//! The order is rclone's; the first one wins: parameter of the remote string; flag; the remote's variable
//! (`FICHIER_CONFIG_REMOTE_KEY`, then `RCLONE_CONFIG_REMOTE_KEY`); the backend's variable (`FICHIER_BACKEND_KEY`,
//! then `RCLONE_BACKEND_KEY`); the file; the default, which only the caller knows.
//!
//! In a variable the remote's name is in capitals and otherwise unchanged (`my-remote` is `MY-REMOTE`: measured on
//! rclone v1.75.2); the key is in capitals. An empty value hides those after it and means the default.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fichier_notation::{ValueError, parse_bool, parse_duration, parse_size};

use crate::ini::Section;
use crate::{
    ConfigError, ConfigFile, Document, Environment, IniFile, Locations, Parameters, Passwords, RemoteSpec,
    Secret,
};

/// First part of the variables' names, ours before rclone's.
const PREFIXES: [&str; 2] = ["FICHIER", "RCLONE"];

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A parameter of the remote string.
    Connection,
    /// A flag of the command line, by its name without leading hyphens.
    Flag(String),
    /// An environment variable, by its name.
    Environment(String),
    /// The configuration file.
    File {
        /// Path of the file, if the text came from one.
        path: Option<PathBuf>,
        /// Number of the line, from 1.
        line: usize,
    },
    /// Nowhere: the default is used.
    Default,
}

/// Writes the origin as the end of a sentence: "set by the flag --x".
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Connection => f.write_str("set in the remote string"),
            Origin::Flag(name) => write!(f, "set by the flag --{name}"),
            Origin::Environment(name) => write!(f, "set by the environment variable {name}"),
            Origin::File { path: Some(path), line } => write!(f, "set in {} on line {line}", path.display()),
            Origin::File { path: None, line } => write!(f, "set on line {line}"),
            Origin::Default => f.write_str("the default"),
        }
    }
}

/// A value and its origin. `Debug` hides the text, which may be a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The text as written.
    pub text: Secret,
    /// Where the text was written.
    pub origin: Origin,
}

/// Backend options given as flags: `--fichier-api-key X` is `("fichier", "api_key", "X")`.
#[derive(Clone, Default)]
pub struct FlagValues(BTreeMap<(String, String), Secret>);

impl FlagValues {
    /// Makes an empty set of flags.
    pub fn new() -> FlagValues {
        FlagValues::default()
    }

    /// Adds a flag's value.
    pub fn set(&mut self, backend: &str, key: &str, value: &str) {
        self.0.insert((backend.to_owned(), key.to_owned()), Secret::new(value));
    }

    fn get(&self, backend: &str, key: &str) -> Option<&Secret> {
        self.0.get(&(backend.to_owned(), key.to_owned()))
    }
}

/// Shows which flags are set, but not their values.
impl fmt::Debug for FlagValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A remote as `listremotes` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteEntry {
    /// Name of the remote, without a colon.
    pub name: String,
    /// Type of the remote.
    pub backend: String,
    /// Value of `description`, or an empty text.
    pub description: String,
    /// Where the type is set.
    pub origin: Origin,
}

/// The configuration file and the environment, combined.
#[derive(Debug, Clone, Default)]
pub struct Config {
    path: Option<PathBuf>,
    file: IniFile,
    environment: Arc<Environment>,
}

impl Config {
    /// Reads the file that counts. A file that doesn't exist counts as an empty one.
    ///
    /// # Errors
    /// The file can't be read, decrypted or parsed.
    pub fn load(
        locations: &Locations,
        environment: &Environment,
        passwords: &mut dyn Passwords,
    ) -> Result<Config, ConfigError> {
        let Some(path) = locations.file() else {
            return Ok(Config::new(IniFile::default(), environment.clone()));
        };
        let mut file = ConfigFile::at(path);
        let document = file.read(passwords)?;
        Config::of_document(file.path(), &document, environment)
    }

    /// Makes a configuration of a file that was read already.
    ///
    /// # Errors
    /// The text can't be parsed.
    pub fn of_document(
        path: &Path,
        document: &Document,
        environment: &Environment,
    ) -> Result<Config, ConfigError> {
        let file = document.meaning();
        let file = file.map_err(|error| ConfigError::File { path: Some(path.to_owned()), error })?;
        Ok(Config { path: Some(path.to_owned()), file, environment: Arc::new(environment.clone()) })
    }

    /// Makes a configuration without a path.
    pub fn new(file: IniFile, environment: Environment) -> Config {
        Config { path: None, file, environment: Arc::new(environment) }
    }

    /// Returns the path of the file, whether it exists or not.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Returns the content of the file.
    pub fn file(&self) -> &IniFile {
        &self.file
    }

    /// Returns all remotes that have a type, in rclone's order: those of the environment in its order, with names in
    /// small letters, then those of the file that aren't among them.
    pub fn remotes(&self) -> Vec<RemoteEntry> {
        let mut remotes: Vec<RemoteEntry> = Vec::new();
        for (variable, backend) in self.environment.iter().filter(|(_, value)| !value.is_empty()) {
            let Some(name) = remote_of_variable(variable) else { continue };
            if !remotes.iter().any(|remote| remote.name == name) {
                let origin = Origin::Environment(variable.to_owned());
                remotes.push(self.entry(name, backend, origin));
            }
        }
        for section in self.file.sections() {
            let Some(entry) = section.entry("type").filter(|entry| !entry.value.is_empty()) else { continue };
            if !remotes.iter().any(|remote| remote.name == section.name) {
                let origin = Origin::File { path: self.path.clone(), line: entry.line };
                remotes.push(self.entry(section.name.clone(), &entry.value, origin));
            }
        }
        remotes
    }

    fn entry(&self, name: String, backend: &str, origin: Origin) -> RemoteEntry {
        let description = self.remote_value(&name, "description");
        let description = description.map(|value| value.text.expose().to_owned()).unwrap_or_default();
        RemoteEntry { name, backend: backend.to_owned(), description, origin }
    }

    /// Returns the options of a remote. The local one is the backend `local` under the name `local`.
    ///
    /// # Errors
    /// The remote doesn't exist, or it has no type.
    pub fn resolve(&self, remote: &RemoteSpec, flags: &FlagValues) -> Result<RemoteOptions, ConfigError> {
        let (name, backend, parameters) = match remote {
            RemoteSpec::Local => ("local".to_owned(), "local".to_owned(), Parameters::default()),
            RemoteSpec::OnTheFly { backend, parameters } => {
                (format!(":{backend}"), backend.clone(), parameters.clone())
            }
            RemoteSpec::Named { name, parameters } => {
                (name.clone(), self.backend_of(name)?, parameters.clone())
            }
        };
        let of_the_configuration = matches!(remote, RemoteSpec::Named { .. });
        Ok(RemoteOptions {
            section: self.file.section(&name).filter(|_| of_the_configuration).cloned(),
            name,
            backend,
            parameters,
            flags: flags.clone(),
            environment: Arc::clone(&self.environment),
            path: self.path.clone(),
        })
    }

    fn backend_of(&self, name: &str) -> Result<String, ConfigError> {
        match self.remote_value(name, "type") {
            Some(backend) if !backend.text.is_empty() => Ok(backend.text.expose().to_owned()),
            None if self.file.section(name).is_none() => Err(ConfigError::UnknownRemote {
                name: name.to_owned(),
                known: self.remotes().into_iter().map(|remote| remote.name).collect(),
            }),
            _ => Err(ConfigError::NoType { name: name.to_owned() }),
        }
    }

    fn remote_value(&self, name: &str, key: &str) -> Option<Value> {
        remote_variable(&self.environment, name, key)
            .or_else(|| file_value(self.file.section(name), self.path.as_deref(), key))
    }
}

/// Returns the remote that a variable declares: `RCLONE_CONFIG_MYREMOTE_TYPE` declares `myremote`.
fn remote_of_variable(variable: &str) -> Option<String> {
    let name = PREFIXES.iter().find_map(|prefix| variable.strip_prefix(prefix)?.strip_prefix("_CONFIG_"))?;
    Some(name.strip_suffix("_TYPE")?.to_lowercase()).filter(|name| !name.is_empty())
}

fn first_variable(environment: &Environment, name: impl Fn(&str) -> String) -> Option<Value> {
    PREFIXES.iter().find_map(|prefix| {
        let variable = name(prefix);
        let text = Secret::new(environment.get(&variable)?);
        Some(Value { text, origin: Origin::Environment(variable) })
    })
}

fn remote_variable(environment: &Environment, remote: &str, key: &str) -> Option<Value> {
    let (remote, key) = (remote.to_uppercase(), key.to_uppercase());
    first_variable(environment, |prefix| format!("{prefix}_CONFIG_{remote}_{key}"))
}

fn file_value(section: Option<&Section>, path: Option<&Path>, key: &str) -> Option<Value> {
    let entry = section?.entry(key)?;
    let origin = Origin::File { path: path.map(Path::to_path_buf), line: entry.line };
    Some(Value { text: Secret::new(entry.value.clone()), origin })
}

/// Options of one remote.
#[derive(Debug, Clone)]
pub struct RemoteOptions {
    /// Name for messages; for a remote made on the fly, its backend after a colon.
    pub name: String,
    /// Type of the remote, `fichier` for instance.
    pub backend: String,
    parameters: Parameters,
    flags: FlagValues,
    environment: Arc<Environment>,
    section: Option<Section>,
    path: Option<PathBuf>,
}

impl RemoteOptions {
    /// Returns the value that counts, with its origin; `None` where the default applies.
    pub fn get(&self, key: &str) -> Option<Value> {
        self.lookup(key).filter(|value| !value.text.is_empty())
    }

    /// Returns the keys that the connection string and the section of the file name.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let section = self.section.iter().flat_map(|section| &section.entries);
        self.parameters.iter().map(|(key, _)| key).chain(section.map(|entry| entry.key.as_str()))
    }

    fn lookup(&self, key: &str) -> Option<Value> {
        if let Some(text) = self.parameters.get(key) {
            return Some(Value { text: Secret::new(text), origin: Origin::Connection });
        }
        if let Some(text) = self.flags.get(&self.backend, key) {
            let flag = format!("{}-{}", self.backend, key.replace('_', "-"));
            return Some(Value { text: text.clone(), origin: Origin::Flag(flag) });
        }
        let (backend, capitals) = (self.backend.to_uppercase(), key.to_uppercase());
        remote_variable(&self.environment, &self.name, key)
            .or_else(|| first_variable(&self.environment, |prefix| format!("{prefix}_{backend}_{capitals}")))
            .or_else(|| file_value(self.section.as_ref(), self.path.as_deref(), key))
    }

    /// Returns the value with its origin, or the default.
    pub fn get_or(&self, key: &str, default: &str) -> Value {
        self.get(key).unwrap_or_else(|| Value { text: Secret::new(default), origin: Origin::Default })
    }

    /// Returns the value of an option that isn't secret.
    pub fn get_text(&self, key: &str) -> Option<String> {
        self.get(key).map(|value| value.text.expose().to_owned())
    }

    /// Returns a secret that is stored in the clear, as the API key is.
    pub fn get_key(&self, key: &str) -> Option<Secret> {
        self.get(key).map(|value| value.text)
    }

    /// Returns a password, revealed.
    ///
    /// # Errors
    /// The value isn't obscured.
    pub fn get_secret(&self, key: &str) -> Result<Option<Secret>, ConfigError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        crate::reveal(value.text.expose()).map(Some).map_err(|error| ConfigError::NotObscured {
            remote: self.name.clone(),
            key: key.to_owned(),
            origin: value.origin,
            error,
        })
    }

    /// Returns a boolean.
    ///
    /// # Errors
    /// The value is neither true nor false.
    pub fn get_bool(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        self.get_parsed(key, parse_bool)
    }

    /// Returns a size in bytes; the inner `None` is `off`.
    ///
    /// # Errors
    /// The value isn't a size.
    pub fn get_size(&self, key: &str) -> Result<Option<Option<u64>>, ConfigError> {
        self.get_parsed(key, parse_size)
    }

    /// Returns a duration; the inner `None` is `off`.
    ///
    /// # Errors
    /// The value isn't a duration.
    pub fn get_duration(&self, key: &str) -> Result<Option<Option<Duration>>, ConfigError> {
        self.get_parsed(key, parse_duration)
    }

    fn get_parsed<T>(
        &self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, ValueError>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        parse(value.text.expose()).map(Some).map_err(|error| ConfigError::Value {
            remote: self.name.clone(),
            key: key.to_owned(),
            origin: value.origin,
            error,
        })
    }
}

#[cfg(test)]
mod tests;
