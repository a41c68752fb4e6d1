//! The remotes: fichier (1Fichier), local, alias, crypt, combine, and the registry that opens them by name.

mod alias;
mod backend;
mod combine;
pub mod crypt;
pub mod fichier;
pub mod local;
pub mod network;
mod readers;
pub mod registry;
pub mod resources;
mod values;
pub mod web;
