//! Configuration as in rclone: rclone.conf, environment, connection strings, obscured values.
//!
//! A user of rclone brings a configuration file and habits; both work here unchanged. This crate reads and writes the
//! file. It never asks, prints or looks at the process: it gets the [`Environment`], the [`Locations`] and the
//! [`Passwords`] as arguments.
//!
//! ```
//! use fichier_config::{Address, Config, Environment, FlagValues, IniFile, Origin};
//!
//! let file = IniFile::parse("[cloud]\ntype = fichier\napi_key = KEY\n")?;
//! let environment = Environment::from_pairs([("RCLONE_CONFIG_CLOUD_CDN", "true")]);
//! let config = Config::new(file, environment);
//!
//! let address = Address::parse(b"cloud,shared_folder=abc:photos/2024")?;
//! let options = config.resolve(&address.remote, &FlagValues::new())?;
//! assert_eq!(options.backend, "fichier");
//! assert_eq!(options.get_text("api_key"), Some("KEY".to_owned()));
//! assert!(options.get_bool("cdn")?.unwrap_or(false));
//! assert_eq!(options.get("shared_folder").unwrap().origin, Origin::Connection);
//! # Ok::<(), fichier_config::ConfigError>(())
//! ```
//!
//! | module | what it knows |
//! |---|---|
//! | [`locations`] | where the file is |
//! | [`ini`] | what is written in it |
//! | [`document`] | its text, and edits of it |
//! | [`mod@file`] | reading and changing it on disk |
//! | [`encryption`] | the same under a password |
//! | [`connection`] | `remote:path`, `:backend,key=value:path`, local paths |
//! | [`resolve`] | which of several values counts, and where it comes from |
//! | [`provider`], [`interview`] | what is asked about a remote, and in which order |
//! | [`wizard`] | `fichier config`, without a terminal |
//! | [`mod@obscure`], [`Secret`] | values that shoulders shouldn't read |

pub mod connection;
pub mod document;
pub mod encryption;
pub mod environment;
pub mod error;
pub mod file;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod ini;
pub mod interview;
pub mod locations;
pub mod obscure;
pub mod provider;
pub mod resolve;
pub mod wizard;

pub use connection::{Address, AddressError, Drives, Parameters, RemoteSpec};
pub use document::{Document, EditError};
pub use environment::Environment;
pub use error::ConfigError;
pub use fichier_notation::Secret;
pub use file::{ConfigFile, NoPassword, NoPasswords, Passwords};
pub use ini::{IniError, IniFile};
pub use locations::Locations;
pub use obscure::{ObscureError, obscure, reveal};
pub use resolve::{Config, FlagValues, Origin, RemoteEntry, RemoteOptions, Value};
