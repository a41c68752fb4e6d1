//! Encrypts and decrypts names only, without a remote.

use fichier_storage::{RemotePath, StorageError};

use crate::backend::{Chosen, OpenError, Settings};

use super::{
    names::{BadName, Names},
    settings::{self, BACKEND},
};

/// Encrypts and decrypts the names of a `crypt` remote, without listing anything.
#[derive(Debug)]
pub struct NameCipher(Names);

impl NameCipher {
    /// Makes a cipher for a remote of this name from its settings. The remote that it lies over isn't opened.
    ///
    /// # Errors
    /// A value doesn't suit its option, or there is no password.
    pub async fn new(name: &str, settings: &Settings) -> Result<Self, OpenError> {
        let chosen = Chosen::new(&BACKEND, settings);
        let options = settings::options(&chosen)
            .map_err(|source| OpenError::Value { remote: name.to_owned(), source })?;
        let keys = settings::keys(name, &chosen).await?;
        Ok(Self(Names::new(options.names, &keys)))
    }

    /// Returns the path under which a file is stored.
    ///
    /// # Errors
    /// A name in it can't be encrypted.
    pub fn encode(&self, path: &str) -> Result<String, StorageError> {
        self.each(path, |name, is_file| match is_file {
            true => self.0.encode_file(name),
            false => self.0.encode_folder(name),
        })
    }

    /// Returns the path under which a folder is stored.
    ///
    /// # Errors
    /// A name in it can't be encrypted.
    pub fn encode_folder(&self, path: &str) -> Result<String, StorageError> {
        self.each(path, |name, _| self.0.encode_folder(name))
    }

    /// Returns the path of a file from the one under which it is stored.
    ///
    /// # Errors
    /// The path isn't one that this remote stores.
    pub fn decode(&self, stored: &str) -> Result<String, StorageError> {
        self.each(stored, |name, is_file| match is_file {
            true => self.0.decode_file(name),
            false => self.0.decode_folder(name),
        })
    }

    fn each(
        &self,
        path: &str,
        change: impl Fn(&fichier_storage::Name, bool) -> Result<fichier_storage::Name, BadName>,
    ) -> Result<String, StorageError> {
        let path = RemotePath::parse(path)?;
        let depth = path.depth();
        let mut changed = RemotePath::root();
        for (index, name) in path.names().enumerate() {
            let name = change(&name, index + 1 == depth).map_err(|BadName(problem)| {
                StorageError::Undecryptable { path: path.clone(), reason: problem.into() }
            })?;
            changed = changed.join(&name);
        }
        Ok(changed.to_string())
    }
}
