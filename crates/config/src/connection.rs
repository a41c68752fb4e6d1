//! Remote strings: `remote:path`, `remote,key=value:path`, `:backend,key=value:path`, and local paths.
//!
//! The grammar is rclone's (measured on v1.75.2). The first `:` ends the remote. If there is no `:`, or a `/` or `\`
//! comes before it, the whole string is a local path. Between the name and the `:` there may be parameters, each
//! after a `,`. A parameter without `=` is `true`. A value ends at the next `,` or `:`, or is put in `"` or `'`, in
//! which a doubled quote means one.
//!
//! Paths are bytes, since a path on Linux need not be UTF-8.

use std::fmt;

mod parse;

pub use parse::{AddressError, AddressFault, is_name};

/// Meaning of a letter and a colon: a drive, as on Windows, or a remote with a name of one letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drives {
    /// A drive, as on Windows: `C:\x` is a local path, and so is `\\server\share`.
    Letters,
    /// A remote, as on all other systems.
    None,
}

impl Drives {
    /// Meaning on the system that this was compiled for.
    pub const HERE: Drives = if cfg!(windows) { Drives::Letters } else { Drives::None };
}

/// Options given in a remote string, in their order.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Returns the value of a key; of several the last.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Returns keys and values in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Makes parameters of keys and values, in their order.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Parameters {
        Parameters(pairs.into_iter().collect())
    }

    /// Checks whether there are no parameters.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Shows only the keys: a value may be an API key.
impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(key, _)| key)).finish()
    }
}

/// The remote that a string means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteSpec {
    /// The file system of this computer.
    Local,
    /// A remote of the configuration.
    Named {
        /// Name of the remote.
        name: String,
        /// Options that are changed for this one use.
        parameters: Parameters,
    },
    /// A remote without a name, made on the fly.
    OnTheFly {
        /// Type of the remote.
        backend: String,
        /// Options of the remote.
        parameters: Parameters,
    },
}

/// A remote and a path on it.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Remote that the string names.
    pub remote: RemoteSpec,
    /// Path on it, in rclone's standard encoding except for the local remote.
    pub path: Vec<u8>,
}

impl Address {
    /// Parses a remote string, with the drives of this system.
    ///
    /// ```
    /// use fichier_config::{Address, RemoteSpec};
    ///
    /// let address = Address::parse(b":fichier,api_key=\"a:b\",cdn:photos/2024")?;
    /// let RemoteSpec::OnTheFly { backend, parameters } = &address.remote else { panic!() };
    /// assert_eq!(backend, "fichier");
    /// assert_eq!(parameters.get("api_key"), Some("a:b"));
    /// assert_eq!(parameters.get("cdn"), Some("true"));
    /// assert_eq!(address.path, b"photos/2024");
    ///
    /// assert_eq!(Address::parse(b"./a:b")?.remote, RemoteSpec::Local);
    /// # Ok::<(), fichier_config::AddressError>(())
    /// ```
    ///
    /// # Errors
    /// rclone would refuse the string as well; the error says where and why.
    pub fn parse(text: &[u8]) -> Result<Address, AddressError> {
        Address::parse_with(text, Drives::HERE)
    }

    /// Parses a remote string as on a system with or without drive letters.
    ///
    /// # Errors
    /// As [`Address::parse`].
    pub fn parse_with(text: &[u8], drives: Drives) -> Result<Address, AddressError> {
        parse::address(text, drives)
    }

    /// Returns the address of a path on this computer.
    pub fn local(path: impl Into<Vec<u8>>) -> Address {
        Address { remote: RemoteSpec::Local, path: path.into() }
    }

    /// Returns the string for this address, secrets included: for another command line, not for logs.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.remote.to_string().into_bytes();
        bytes.extend_from_slice(&self.path);
        bytes
    }
}

/// Writes the remote with its `:`, secrets included; nothing for the local one.
impl fmt::Display for RemoteSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, parameters) = match self {
            RemoteSpec::Local => return Ok(()),
            RemoteSpec::Named { name, parameters } => (name.clone(), parameters),
            RemoteSpec::OnTheFly { backend, parameters } => (format!(":{backend}"), parameters),
        };
        f.write_str(&start)?;
        for (key, value) in parameters.iter() {
            if value.contains([',', ':', '"', '\'']) {
                write!(f, ",{key}=\"{}\"", value.replace('"', "\"\""))?;
            } else {
                write!(f, ",{key}={value}")?;
            }
        }
        f.write_str(":")
    }
}

/// Returns a text that may be a remote string, without the values of its parameters, which may be keys.
///
/// ```
/// use fichier_config::connection::without_values;
///
/// assert_eq!(without_values(":fichier,api_key=KEY:photos"), ":fichier,api_key=…:photos");
/// assert_eq!(without_values("cloud:photos"), "cloud:photos");
/// ```
#[must_use]
pub fn without_values(text: &str) -> String {
    let (start, parameters, path) = match Address::parse(text.as_bytes()) {
        Ok(Address { remote: RemoteSpec::Named { name, parameters }, path }) => (name, parameters, path),
        Ok(Address { remote: RemoteSpec::OnTheFly { backend, parameters }, path }) => {
            (format!(":{backend}"), parameters, path)
        }
        Ok(Address { remote: RemoteSpec::Local, .. }) => return text.to_owned(),
        // Meant as a remote string, but with a mistake.
        Err(_) if text.contains('=') => {
            return text.split_once(',').map_or_else(|| text.to_owned(), |(start, _)| format!("{start},…"));
        }
        Err(_) => return text.to_owned(),
    };
    let parameters: String = parameters.iter().map(|(key, _)| format!(",{key}=…")).collect();
    format!("{start}{parameters}:{}", String::from_utf8_lossy(&path))
}

/// Writes the address as [`Address::to_bytes`] does, with bytes that aren't UTF-8 shown as U+FFFD.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.remote, String::from_utf8_lossy(&self.path))
    }
}

/// Leaves out the values of parameters.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address")
            .field("remote", &self.remote)
            .field("path", &String::from_utf8_lossy(&self.path))
            .finish()
    }
}

#[cfg(test)]
mod tests;
