//! The remotes: fichier (1Fichier), local, alias, crypt, and the registry that opens them by name.

mod alias;
mod backend;
pub mod crypt;
pub mod fichier;
pub mod local;
pub mod network;
pub mod registry;
pub mod resources;
mod values;
pub mod web;
