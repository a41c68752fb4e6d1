//! The endpoints, as methods of [`Client`](crate::Client); one file per family.

mod account;
pub(crate) mod download;
mod file;
mod folder;
mod links;
mod remote_upload;
mod shared;
pub(crate) mod upload;
