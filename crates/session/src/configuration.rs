//! The configuration file of a run, and the sources of its password.
//!
//! The sources are asked in rclone's order (measured on v1.75.2): `--password-command`, the variables
//! `FICHIER_CONFIG_PASS` and `RCLONE_CONFIG_PASS`, a person. Only a person at a terminal is asked again after a wrong
//! password.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use fichier_config::{
    Config, ConfigError, ConfigFile, Document, Environment, IniFile, Locations, NoPassword, Passwords, Secret,
};

/// Variables that may hold the password, ours first.
const VARIABLES: [&str; 2] = ["FICHIER_CONFIG_PASS", "RCLONE_CONFIG_PASS"];

/// Variables that are set for `--password-command` when it is asked for a new password.
const CHANGE: [&str; 2] = ["FICHIER_PASSWORD_CHANGE", "RCLONE_PASSWORD_CHANGE"];

/// The configuration file of a run, or none.
pub struct Configuration {
    locations: Locations,
    file: Option<ConfigFile>,
    sources: Sources,
    /// Whether it was reported that the file doesn't exist.
    told: bool,
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Sources of an encrypted file's password, besides the environment.
#[derive(Default)]
pub struct Passphrases {
    /// Command line that prints the password: `--password-command`.
    pub command: Option<String>,
    /// Asks a person; `None` means that no one may be asked.
    pub person: Option<Box<dyn Passwords + Send>>,
}

impl fmt::Debug for Passphrases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passphrases").finish_non_exhaustive()
    }
}

/// Why the configuration file can't be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// The run has no configuration file: `--config ""`.
    #[error("there is no configuration file: name one with --config, or set HOME")]
    NoFile,
    /// The file can't be read, decrypted, changed or written.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// There is no password for the file.
    #[error("{0}")]
    NoPassword(#[from] NoPassword),
}

impl Configuration {
    /// Chooses the file: the one that was named, or the one where the environment says.
    #[must_use]
    pub fn new(named: Option<&Path>, environment: &Environment, passphrases: Passphrases) -> Self {
        let locations = Locations::new(named, environment);
        let variable = VARIABLES.iter().find_map(|name| {
            let value = environment.get(name).filter(|value| !value.is_empty())?;
            Some((*name, Secret::new(value)))
        });
        let Passphrases { command, person } = passphrases;
        let sources = Sources { command, variable, person };
        Self { file: locations.file().map(ConfigFile::at), locations, sources, told: false }
    }

    /// Makes a configuration without a file.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Some(Path::new("")), &Environment::default(), Passphrases::default())
    }

    /// Returns the remotes and options of the file, together with those of the environment.
    ///
    /// # Errors
    /// The file can't be read or decrypted.
    pub fn load(&mut self, environment: &Environment) -> Result<Config, ConfigError> {
        match &mut self.file {
            Some(file) => {
                let document = file.read(&mut self.sources)?;
                // Of the usual places none need have a file.
                if self.locations.is_named() && !self.told && !file.path().exists() {
                    self.told = true;
                    tracing::warn!("Config file {:?} not found - using defaults", file.path());
                }
                Config::of_document(file.path(), &document, environment)
            }
            None => Ok(Config::new(IniFile::default(), environment.clone())),
        }
    }

    /// Returns all paths where a file is looked for.
    #[must_use]
    pub fn locations(&self) -> &Locations {
        &self.locations
    }

    /// Returns the path of the file.
    ///
    /// # Errors
    /// The run has no configuration file: `--config ""`.
    pub fn path(&self) -> Result<PathBuf, ConfigurationError> {
        match &self.file {
            Some(file) => Ok(file.path().to_owned()),
            None => Err(ConfigurationError::NoFile),
        }
    }

    /// Returns the file's text; empty where there is none.
    ///
    /// # Errors
    /// The file can't be read or decrypted.
    pub fn read(&mut self) -> Result<Document, ConfigError> {
        match &mut self.file {
            Some(file) => file.read(&mut self.sources),
            None => Ok(Document::default()),
        }
    }

    /// Changes the file's text.
    ///
    /// # Errors
    /// There is no file, or it can't be read, decrypted or written, or the change can't be made.
    pub fn edit<T>(
        &mut self,
        change: impl FnMut(&mut Document) -> Result<T, ConfigError>,
    ) -> Result<T, ConfigurationError> {
        let file = self.file.as_mut().ok_or(ConfigurationError::NoFile)?;
        Ok(file.edit(&mut self.sources, change)?)
    }

    /// Makes the file if it isn't there.
    ///
    /// # Errors
    /// The file can't be made.
    pub fn touch(&mut self) -> Result<(), ConfigurationError> {
        Ok(self.file.as_mut().ok_or(ConfigurationError::NoFile)?.touch()?)
    }

    /// Checks whether the file is encrypted.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn is_encrypted(&self) -> Result<bool, ConfigError> {
        self.file.as_ref().map_or(Ok(false), ConfigFile::is_encrypted)
    }

    /// Encrypts the file, or writes it in the clear for `None`.
    ///
    /// # Errors
    /// There is no file, or it can't be read, decrypted or written.
    pub fn set_password(&mut self, password: Option<&Secret>) -> Result<(), ConfigurationError> {
        let file = self.file.as_mut().ok_or(ConfigurationError::NoFile)?;
        Ok(file.set_password(&mut self.sources, password)?)
    }

    /// Returns a new password by `--password-command`; `None` where a person has to give it.
    ///
    /// # Errors
    /// The command fails.
    pub fn new_password(&self) -> Result<Option<Secret>, ConfigurationError> {
        let Some(command) = &self.sources.command else { return Ok(None) };
        Ok(Some(password_of(command, true)?))
    }
}

/// Sources of the password, in their order.
struct Sources {
    command: Option<String>,
    variable: Option<(&'static str, Secret)>,
    person: Option<Box<dyn Passwords + Send>>,
}

impl Passwords for Sources {
    fn password(&mut self, path: &Path, wrong: bool) -> Result<Secret, NoPassword> {
        if let Some(command) = &self.command {
            if wrong {
                let reason = "the password that --password-command gave doesn't open it";
                return Err(NoPassword(reason.to_owned()));
            }
            return password_of(command, false);
        }
        if let Some((name, password)) = &self.variable {
            if wrong {
                return Err(NoPassword(format!("the password in {name} doesn't open it")));
            }
            return Ok(password.clone());
        }
        match &mut self.person {
            Some(person) => person.password(path, wrong),
            None => {
                let reason =
                    "its password may not be asked for; set FICHIER_CONFIG_PASS or --password-command";
                Err(NoPassword(reason.to_owned()))
            }
        }
    }
}

/// Runs the command and returns its first line as the password.
fn password_of(command: &str, change: bool) -> Result<Secret, NoPassword> {
    let words = words(command);
    let Some((program, arguments)) = words.split_first() else {
        return Err(NoPassword("--password-command is empty".to_owned()));
    };
    let mut child = Command::new(program);
    child.args(arguments).stdin(Stdio::inherit()).stderr(Stdio::inherit());
    if change {
        child.envs(CHANGE.map(|name| (name, "1")));
    }
    let output = child
        .output()
        .map_err(|error| NoPassword(format!("--password-command can't run {program:?}: {error}")))?;
    if !output.status.success() {
        return Err(NoPassword(format!("--password-command failed: {}", output.status)));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| NoPassword("--password-command printed no text".to_owned()))?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        return Err(NoPassword("--password-command printed nothing".to_owned()));
    }
    Ok(Secret::new(password))
}

/// Splits a command line into words at spaces. A word in `"` may hold spaces; `""` in it is a `"`.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = command.trim_start();
    while !rest.is_empty() {
        let mut word = String::new();
        match rest.strip_prefix('"') {
            Some(mut quoted) => loop {
                let (part, behind) = quoted.split_once('"').unwrap_or((quoted, ""));
                word.push_str(part);
                match behind.strip_prefix('"') {
                    Some(next) => {
                        word.push('"');
                        quoted = next;
                    }
                    None => {
                        rest = behind;
                        break;
                    }
                }
            },
            None => {
                let (plain, behind) = rest.split_once(' ').unwrap_or((rest, ""));
                word.push_str(plain);
                rest = behind;
            }
        }
        words.push(word);
        rest = rest.trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_divided_at_spaces_outside_of_quotes() {
        assert_eq!(words("echo  a b"), ["echo", "a", "b"]);
        assert_eq!(words(r#"echo "a b" c"#), ["echo", "a b", "c"]);
        assert_eq!(words(r#""say ""x""""#), [r#"say "x""#]);
        assert_eq!(words(r#"x """#), ["x", ""]);
        assert!(words("  ").is_empty());
    }

    #[test]
    fn errors_say_what_failed_and_not_what_was_printed() {
        let reason = |command: &str| password_of(command, false).unwrap_err().to_string();
        assert!(reason("/nonexistent/program").contains("can't run"));
        if cfg!(unix) {
            assert!(reason("false").contains("failed: exit status: 1"));
            assert!(reason("true").contains("printed nothing"));
            assert_eq!(password_of(r#"printf "pw\n""#, false).unwrap().expose(), "pw");
            assert!(password_of("env", true).unwrap().expose().contains("RCLONE_PASSWORD_CHANGE=1"));
        }
    }
}
