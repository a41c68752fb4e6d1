//! Changes of the file that the wizard asks for.

use crate::{ConfigError, Document, Secret};

/// A change of one remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Sets these values of a remote; its others stay. The remote is made if it doesn't exist.
    Set {
        /// Name of the remote.
        name: String,
        /// Options and values as they are stored.
        values: Vec<(String, Secret)>,
    },
    /// Deletes a remote.
    Delete {
        /// Name of the remote.
        name: String,
    },
    /// Renames a remote.
    Rename {
        /// Name of the remote.
        name: String,
        /// New name of the remote.
        new: String,
    },
    /// Copies a remote.
    Copy {
        /// Name of the remote.
        name: String,
        /// Name of the copy.
        new: String,
    },
}

impl Change {
    /// Makes the change in the file's text. To set or delete what is set or deleted already changes nothing.
    ///
    /// # Errors
    /// A name is taken or a value can't be written.
    pub fn apply(&self, document: &mut Document) -> Result<(), ConfigError> {
        match self {
            Change::Set { name, values } => {
                if !document.has_section(name) {
                    document.add_section(name)?;
                }
                for (key, value) in values {
                    document.set(name, key, value.expose())?;
                }
            }
            Change::Delete { name } => {
                document.remove_section(name);
            }
            Change::Rename { name, new } => document.rename_section(name, new)?,
            Change::Copy { name, new } => document.copy_section(name, new)?,
        }
        Ok(())
    }
}
