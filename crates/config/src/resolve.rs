//! Which of several values counts, and where it comes from.
//!
//! In rclone's order, first wins: parameter of the remote string; flag; the remote's variable
//! (`FICHIER_CONFIG_REMOTE_KEY`, then `RCLONE_CONFIG_REMOTE_KEY`); the backend's variable
//! (`FICHIER_BACKEND_KEY`, then `RCLONE_BACKEND_KEY`); the file; the default, which only the caller knows.
//!
//! In a variable the remote's name is in capitals and otherwise as it is (`my-remote` is `MY-REMOTE`: measured
//! on rclone v1.75.2), the key is in capitals. A value that is set and empty hides those below it and gives the
//! default.

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

/// The first part of the variables, ours before rclone's.
const PREFIXES: [&str; 2] = ["FICHIER", "RCLONE"];

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A parameter of the remote string.
    Connection,
    /// A flag of the command line, by its name without hyphens in front.
    Flag(String),
    /// An environment variable, by its name.
    Environment(String),
    /// The configuration file.
    File {
        /// Which file, if it was one.
        path: Option<PathBuf>,
        /// The line in it, from 1.
        line: usize,
    },
    /// Set nowhere.
    Default,
}

/// As the end of a sentence: "set by the flag --x".
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
    /// The text as it was written.
    pub text: Secret,
    /// Where it was written.
    pub origin: Origin,
}

/// Backend options given as flags: `--fichier-api-key X` is `("fichier", "api_key", "X")`.
#[derive(Clone, Default)]
pub struct FlagValues(BTreeMap<(String, String), Secret>);

impl FlagValues {
    /// No flag.
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

/// Shows which flags are set, not to what.
impl fmt::Debug for FlagValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A remote as `listremotes` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteEntry {
    /// The name, without a colon.
    pub name: String,
    /// Its type.
    pub backend: String,
    /// What is said of it in `description`, or nothing.
    pub description: String,
    /// Where its type is set.
    pub origin: Origin,
}

/// The file and the environment, together.
#[derive(Debug, Clone, Default)]
pub struct Config {
    path: Option<PathBuf>,
    file: IniFile,
    environment: Arc<Environment>,
}

impl Config {
    /// Reads the file that counts. One that doesn't exist is an empty one.
    ///
    /// # Errors
    /// When the file can't be read, decrypted or understood.
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

    /// A configuration whose file was read already.
    ///
    /// # Errors
    /// When it can't be understood.
    pub fn of_document(
        path: &Path,
        document: &Document,
        environment: &Environment,
    ) -> Result<Config, ConfigError> {
        let file = document.meaning();
        let file = file.map_err(|error| ConfigError::File { path: Some(path.to_owned()), error })?;
        Ok(Config { path: Some(path.to_owned()), file, environment: Arc::new(environment.clone()) })
    }

    /// A configuration that comes from no file.
    pub fn new(file: IniFile, environment: Environment) -> Config {
        Config { path: None, file, environment: Arc::new(environment) }
    }

    /// The file that was read, or would have been had it existed.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What the file holds.
    pub fn file(&self) -> &IniFile {
        &self.file
    }

    /// All remotes that have a type, as rclone orders them: the environment's in its order, their names in
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

    /// The options of a remote. The local one is the backend `local` under the name `local`.
    ///
    /// # Errors
    /// When there is no such remote, or it has no type.
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

/// `RCLONE_CONFIG_MYREMOTE_TYPE` declares `myremote`.
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

/// The options of one remote.
#[derive(Debug, Clone)]
pub struct RemoteOptions {
    /// The name for messages: of a remote made on the fly, its backend behind a colon.
    pub name: String,
    /// The type, `fichier` for instance.
    pub backend: String,
    parameters: Parameters,
    flags: FlagValues,
    environment: Arc<Environment>,
    section: Option<Section>,
    path: Option<PathBuf>,
}

impl RemoteOptions {
    /// The value that counts, with its origin; `None` where the default holds.
    pub fn get(&self, key: &str) -> Option<Value> {
        self.lookup(key).filter(|value| !value.text.is_empty())
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

    /// The value with its origin, or the default.
    pub fn get_or(&self, key: &str, default: &str) -> Value {
        self.get(key).unwrap_or_else(|| Value { text: Secret::new(default), origin: Origin::Default })
    }

    /// An option that is no secret.
    pub fn get_text(&self, key: &str) -> Option<String> {
        self.get(key).map(|value| value.text.expose().to_owned())
    }

    /// A secret that stands in the clear, as the API key does.
    pub fn get_key(&self, key: &str) -> Option<Secret> {
        self.get(key).map(|value| value.text)
    }

    /// A password, revealed.
    ///
    /// # Errors
    /// When it isn't obscured.
    pub fn get_secret(&self, key: &str) -> Result<Option<Secret>, ConfigError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        crate::reveal(value.text.expose()).map(Some).map_err(|error| ConfigError::NotObscured {
            remote: self.name.clone(),
            key: key.to_owned(),
            origin: value.origin,
            error,
        })
    }

    /// A boolean.
    ///
    /// # Errors
    /// When it is neither true nor false.
    pub fn get_bool(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        self.get_parsed(key, parse_bool)
    }

    /// A size in bytes; the inner `None` is `off`.
    ///
    /// # Errors
    /// When it is no size.
    pub fn get_size(&self, key: &str) -> Result<Option<Option<u64>>, ConfigError> {
        self.get_parsed(key, parse_size)
    }

    /// A duration; the inner `None` is `off`.
    ///
    /// # Errors
    /// When it is no duration.
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
