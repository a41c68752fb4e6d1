//! The remotes: fichier (1Fichier), local, and the registry that opens them by name.

pub mod fichier;
pub mod local;
pub mod network;
pub mod registry;
pub mod web;
