//! The remotes: fichier (1Fichier), local, alias, and the registry that opens them by name.

mod alias;
#[allow(dead_code)]
mod crypt;
pub mod fichier;
pub mod local;
pub mod network;
pub mod registry;
pub mod web;
