//! The remotes: fichier (1Fichier), local, and the registry that opens them by name.

pub mod local;
pub mod registry;
