//! What goes over the wire, in the wire's own shape. Reading is tolerant, meaning is strict.

pub(crate) mod account;
pub(crate) mod download;
pub(crate) mod file;
pub(crate) mod folder;
pub(crate) mod remote_upload;
pub(crate) mod shared;
pub(crate) mod tolerant;
pub(crate) mod upload;

#[cfg(test)]
mod any_value;
