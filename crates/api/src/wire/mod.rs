//! Requests and answers in the form of the wire. Parsing accepts any form, but not any meaning.

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
