//! The configuration file on disk: read and changed so that neither an error nor another process loses a section.
//!
//! - A change reads the file, edits the text and writes it back under a lock (`.rclone.conf.lock` beside the file),
//!   so that two processes don't undo each other's changes. rclone takes no lock: if it wrote in the meantime, that
//!   is noticed, and the edit is repeated on the new text.
//! - The new text is written to a file beside the old one, flushed to the disk, and renamed to the old one's name. An
//!   error leaves the old file or the new one, never a part.
//! - Only the owner can read the file: a laxer mode is tightened, a stricter one stays.
//! - If the file is a symbolic link, its target is replaced, not the link.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use fichier_state::{make_directory, open_private, replace};
use zeroize::Zeroizing;

use crate::encryption::{self, ConfigKey, DecryptError};
use crate::{ConfigError, Document, Secret};

/// How often an edit is repeated because a program without a lock wrote in the meantime.
const MOST_TRIES: usize = 100;

/// Why there is no password, as a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoPassword(pub String);

/// Source of an encrypted file's password.
pub trait Passwords {
    /// Returns the password of the file. `wrong` says that the last password didn't fit: a person can be asked again,
    /// a variable can't.
    ///
    /// # Errors
    /// There is no password, or none that could be right.
    fn password(&mut self, path: &Path, wrong: bool) -> Result<Secret, NoPassword>;
}

/// A source without a password.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPasswords;

impl Passwords for NoPasswords {
    fn password(&mut self, _path: &Path, _wrong: bool) -> Result<Secret, NoPassword> {
        Err(NoPassword("no password was given".to_owned()))
    }
}

/// A configuration file, which need not exist. Remembers the key of an encrypted file once it is known.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    path: PathBuf,
    key: Option<ConfigKey>,
}

impl ConfigFile {
    /// Makes a configuration file of a path.
    ///
    /// ```
    /// use fichier_config::{ConfigFile, NoPasswords};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// let mut file = ConfigFile::at(directory.path().join("rclone.conf"));
    /// file.edit(&mut NoPasswords, |document| {
    ///     document.add_section("cloud")?;
    ///     document.set("cloud", "type", "fichier")?;
    ///     Ok(())
    /// })?;
    /// assert_eq!(std::fs::read_to_string(file.path())?, "[cloud]\ntype = fichier\n\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn at(path: impl Into<PathBuf>) -> ConfigFile {
        ConfigFile { path: path.into(), key: None }
    }

    /// Returns the path as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks whether the file exists.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Checks whether the file is encrypted at the moment.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn is_encrypted(&self) -> Result<bool, ConfigError> {
        let bytes = self.bytes()?.unwrap_or_default();
        Ok(encryption::sealed(&bytes).map_err(|error| self.not_opened(error))?.is_some())
    }

    /// Reads the file; the result is empty if it doesn't exist.
    ///
    /// # Errors
    /// The file can't be read, parsed or decrypted.
    pub fn read(&mut self, passwords: &mut dyn Passwords) -> Result<Document, ConfigError> {
        let bytes = self.bytes()?.unwrap_or_default();
        Ok(self.decode(&bytes, passwords)?.0)
    }

    /// Edits the file. `change` may be called several times, each time on the file's text at that moment. If nothing
    /// changes nothing is written, unless the file doesn't exist yet.
    ///
    /// # Errors
    /// The error of `change`, which leaves the file as it was; or the file can't be read or written.
    pub fn edit<T>(
        &mut self,
        passwords: &mut dyn Passwords,
        mut change: impl FnMut(&mut Document) -> Result<T, ConfigError>,
    ) -> Result<T, ConfigError> {
        // No process waits at the lock while a person types a password.
        self.read(passwords)?;
        self.rewrite(|file, before| {
            let (mut document, encrypted) = file.decode(before.unwrap_or_default(), passwords)?;
            let old = document.clone();
            let result = change(&mut document)?;
            if before.is_some() && document == old {
                return Ok((result, None));
            }
            let text = Zeroizing::new(document.to_bytes());
            let new = match file.key.as_ref().filter(|_| encrypted) {
                Some(key) => encryption::seal(&text, key).map_err(|error| file.not_opened(error))?,
                None => text.to_vec(),
            };
            Ok((result, Some(new)))
        })
    }

    /// Encrypts the file under a new password, or writes it in the clear for `None`.
    ///
    /// # Errors
    /// The password is empty, or the file can't be read, decrypted or written.
    pub fn set_password(
        &mut self,
        passwords: &mut dyn Passwords,
        new: Option<&Secret>,
    ) -> Result<(), ConfigError> {
        let key = match new {
            Some(password) => Some(
                ConfigKey::of_password(password.expose())
                    .ok_or_else(|| self.locked(&NoPassword("the new password is empty".to_owned())))?,
            ),
            None => None,
        };
        self.read(passwords)?;
        self.rewrite(|file, before| {
            let (document, _) = file.decode(before.unwrap_or_default(), passwords)?;
            let text = Zeroizing::new(document.to_bytes());
            let bytes = match &key {
                Some(key) => encryption::seal(&text, key).map_err(|error| file.not_opened(error))?,
                None => text.to_vec(),
            };
            Ok(((), Some(bytes)))
        })?;
        self.key = key;
        Ok(())
    }

    /// Makes the file if it doesn't exist, readable only by its owner.
    ///
    /// # Errors
    /// The file can't be made.
    pub fn touch(&mut self) -> Result<(), ConfigError> {
        self.rewrite(|_, before| Ok(((), before.is_none().then(Vec::new))))
    }

    /// Replaces the file's bytes with the result of `change`, under the lock.
    fn rewrite<T>(
        &mut self,
        mut change: impl FnMut(&mut ConfigFile, Option<&[u8]>) -> Result<(T, Option<Vec<u8>>), ConfigError>,
    ) -> Result<T, ConfigError> {
        let wrong = |path: &Path| {
            let path = path.to_owned();
            move |source| ConfigError::Write { path, source }
        };
        let target = replace::target_of(&self.path).map_err(wrong(&self.path))?;
        let directory = replace::directory_of(&target);
        make_directory(directory).map_err(wrong(&self.path))?;
        let lock = lock(&replace::beside(&target, ".lock")).map_err(wrong(&self.path))?;
        replace::sweep(&target);
        for _ in 0..MOST_TRIES {
            let before = self.bytes()?.map(Zeroizing::new);
            let (result, new) = change(self, before.as_ref().map(|bytes| bytes.as_slice()))?;
            let Some(new) = new.map(Zeroizing::new) else { return Ok(result) };
            let prepared = replace::prepare(&target, &new).map_err(wrong(&self.path))?;
            if self.bytes()?.as_deref() == before.as_ref().map(|bytes| bytes.as_slice()) {
                prepared.take_place(&target).map_err(wrong(&self.path))?;
                drop(lock);
                return Ok(result);
            }
        }
        let busy = io::Error::new(io::ErrorKind::ResourceBusy, "another program keeps changing it");
        Err(ConfigError::Write { path: self.path.clone(), source: busy })
    }

    fn bytes(&self) -> Result<Option<Vec<u8>>, ConfigError> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ConfigError::Read { path: self.path.clone(), source }),
        }
    }

    /// Returns the text, and whether it was encrypted.
    fn decode(
        &mut self,
        bytes: &[u8],
        passwords: &mut dyn Passwords,
    ) -> Result<(Document, bool), ConfigError> {
        let sealed = encryption::sealed(bytes).map_err(|error| self.not_opened(error))?;
        let understood = |text: &[u8]| {
            Document::parse(text).map_err(|error| ConfigError::File { path: Some(self.path.clone()), error })
        };
        let Some(sealed) = sealed else { return Ok((understood(bytes)?, false)) };
        let mut wrong = false;
        // The key that fitted before is tried first.
        let mut next = self.key.clone();
        loop {
            let key = match next.take() {
                Some(key) => key,
                None => {
                    let password =
                        passwords.password(&self.path, wrong).map_err(|none| self.locked(&none))?;
                    wrong = true;
                    match ConfigKey::of_password(password.expose()) {
                        Some(key) => key,
                        None => continue,
                    }
                }
            };
            match encryption::open(sealed, &key) {
                Ok(text) => {
                    let document = understood(&text)?;
                    self.key = Some(key);
                    return Ok((document, true));
                }
                Err(DecryptError::WrongPassword) => {}
                Err(error) => return Err(self.not_opened(error)),
            }
        }
    }

    fn not_opened(&self, error: DecryptError) -> ConfigError {
        ConfigError::Encrypted { path: self.path.clone(), error }
    }

    fn locked(&self, reason: &NoPassword) -> ConfigError {
        ConfigError::Locked { path: self.path.clone(), reason: reason.to_string() }
    }
}

/// Waits until no other process holds the lock. Where locks aren't supported, continues without.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = open_private(path)?;
    match file.lock() {
        Ok(()) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
