//! What the wizard wants to have done to the file.

use crate::{ConfigError, Document, Secret};

/// A change of one remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A remote gets these values; its others stay. It is made if it isn't there.
    Set {
        /// Its name.
        name: String,
        /// Options and values as they are stored.
        values: Vec<(String, Secret)>,
    },
    /// A remote goes.
    Delete {
        /// Its name.
        name: String,
    },
    /// A remote gets another name.
    Rename {
        /// Its name.
        name: String,
        /// The new one.
        new: String,
    },
    /// A remote gets a twin.
    Copy {
        /// Its name.
        name: String,
        /// The twin's.
        new: String,
    },
}

impl Change {
    /// Makes the change in the file's text. One that was made already stays made.
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
