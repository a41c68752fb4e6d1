//! The configuration file of a run, and where the password of an encrypted one comes from.
//!
//! In rclone's order (measured on v1.75.2): `--password-command`, the variables `FICHIER_CONFIG_PASS` and
//! `RCLONE_CONFIG_PASS`, a person. Only a person at a terminal is asked again after a wrong one.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use fichier_config::{
    Config, ConfigError, ConfigFile, Document, Environment, IniFile, Locations, NoPassword, Passwords, Secret,
};

use crate::{
    arguments::Settings,
    exit::Failure,
    terminal::{Answer, Terminal},
};

/// The variables that may hold the password, ours first.
const VARIABLES: [&str; 2] = ["FICHIER_CONFIG_PASS", "RCLONE_CONFIG_PASS"];

/// Set for `--password-command` when it is asked for a new password.
const CHANGE: [&str; 2] = ["FICHIER_PASSWORD_CHANGE", "RCLONE_PASSWORD_CHANGE"];

/// The configuration file, or none.
#[derive(Debug)]
pub(crate) struct Configuration {
    locations: Locations,
    file: Option<ConfigFile>,
    sources: Sources,
}

impl Configuration {
    /// The file that counts in this run.
    pub(crate) fn new(settings: &Settings, environment: &Environment) -> Self {
        let locations = Locations::new(settings.config.as_deref(), environment);
        let variable = VARIABLES.iter().find_map(|name| {
            let value = environment.get(name).filter(|value| !value.is_empty())?;
            Some((*name, Secret::new(value)))
        });
        let sources = Sources {
            command: settings.password_command.clone(),
            variable,
            may_ask: settings.ask_password,
            asked_before: false,
        };
        Self { file: locations.file().map(ConfigFile::at), locations, sources }
    }

    /// What it means, together with the environment.
    pub(crate) fn load(&mut self, environment: &Environment) -> Result<Config, ConfigError> {
        match &mut self.file {
            Some(file) => {
                let document = file.read(&mut self.sources)?;
                Config::of_document(file.path(), &document, environment)
            }
            None => Ok(Config::new(IniFile::default(), environment.clone())),
        }
    }

    /// All places where a file is looked for.
    pub(crate) fn locations(&self) -> &Locations {
        &self.locations
    }

    /// Where the file is.
    ///
    /// # Errors
    /// There is none: `--config ""`.
    pub(crate) fn path(&self) -> Result<PathBuf, Failure> {
        match &self.file {
            Some(file) => Ok(file.path().to_owned()),
            None => Err(no_file()),
        }
    }

    /// The file's text; empty where there is none.
    ///
    /// # Errors
    /// It can't be read or decrypted.
    pub(crate) fn read(&mut self) -> Result<Document, ConfigError> {
        match &mut self.file {
            Some(file) => file.read(&mut self.sources),
            None => Ok(Document::default()),
        }
    }

    /// Changes the file's text.
    ///
    /// # Errors
    /// There is no file, or it can't be read, decrypted or written, or the change can't be made.
    pub(crate) fn edit<T>(
        &mut self,
        change: impl FnMut(&mut Document) -> Result<T, ConfigError>,
    ) -> anyhow::Result<T> {
        let file = self.file.as_mut().ok_or_else(no_file)?;
        Ok(file.edit(&mut self.sources, change)?)
    }

    /// Makes the file if it isn't there.
    ///
    /// # Errors
    /// It can't be made.
    pub(crate) fn touch(&mut self) -> anyhow::Result<()> {
        Ok(self.file.as_mut().ok_or_else(no_file)?.touch()?)
    }

    /// Whether the file is encrypted.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn is_encrypted(&self) -> Result<bool, ConfigError> {
        self.file.as_ref().map_or(Ok(false), ConfigFile::is_encrypted)
    }

    /// Encrypts the file, or writes it in the clear for `None`.
    ///
    /// # Errors
    /// There is no file, or it can't be read, decrypted or written.
    pub(crate) fn set_password(&mut self, password: Option<&Secret>) -> anyhow::Result<()> {
        let file = self.file.as_mut().ok_or_else(no_file)?;
        Ok(file.set_password(&mut self.sources, password)?)
    }

    /// A new password by `--password-command`; `None` where a person has to give it.
    ///
    /// # Errors
    /// The command fails.
    pub(crate) fn new_password(&self) -> anyhow::Result<Option<Secret>> {
        let Some(command) = &self.sources.command else { return Ok(None) };
        Ok(Some(password_of(command, true)?))
    }
}

fn no_file() -> Failure {
    Failure::other("there is no configuration file: name one with --config, or set HOME")
}

/// Who knows the password.
#[derive(Debug)]
struct Sources {
    command: Option<String>,
    variable: Option<(&'static str, Secret)>,
    may_ask: bool,
    asked_before: bool,
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
        if !self.may_ask {
            let reason = "its password may not be asked for; set FICHIER_CONFIG_PASS or --password-command";
            return Err(NoPassword(reason.to_owned()));
        }
        self.ask(path, wrong)
    }
}

impl Sources {
    fn ask(&mut self, path: &Path, wrong: bool) -> Result<Secret, NoPassword> {
        let mut terminal = Terminal::new();
        if wrong && self.asked_before {
            if !terminal.is_interactive() {
                return Err(NoPassword("the password doesn't open it".to_owned()));
            }
            tracing::error!("The password doesn't open {}. Once more:", path.display());
        }
        self.asked_before = true;
        // All of the question comes when the terminal is silent already.
        match terminal.hidden("Enter configuration password:\npassword:", &mut std::io::stderr()) {
            Ok(Answer::Line(password)) => Ok(password),
            Ok(Answer::End | Answer::Interrupted) => Err(NoPassword(
                "no password was entered; set FICHIER_CONFIG_PASS or --password-command".to_owned(),
            )),
            Err(error) => Err(NoPassword(format!("its password can't be asked for: {error}"))),
        }
    }
}

/// Runs the command; the first line that it prints is the password.
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

/// The words of a command line, divided by spaces. A word in `"` may hold spaces; `""` in it is a `"`.
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
