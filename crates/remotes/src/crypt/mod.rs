//! The `crypt` remote: a place on another remote where names and contents are encrypted, in rclone's format.

mod content;
mod eme;
mod extensions;
mod gather;
mod identity;
mod keys;
mod name_cipher;
mod names;
mod obfuscate;
mod paths;
mod reader;
mod remote;
mod seal;
mod settings;
mod sorted;
mod text;
mod version;

#[cfg(test)]
mod tests;

pub use name_cipher::NameCipher;
pub(crate) use settings::BACKEND;
