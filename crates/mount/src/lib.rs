//! A file system of `fichier-vfs` as a disk of this computer, through FUSE.
//!
//! It only translates: requests of the kernel to calls of [`Vfs`](fichier_vfs::Vfs), errors to numbers, and news of the
//! file system to what the kernel has to forget. What the file system does is in `docs/semantics.md`.
//!
//! It works as root without any other program, and for other users through `fusermount3`. There is nothing in it where
//! there is no FUSE.

#![cfg(target_os = "linux")]

mod attributes;
mod directory;
mod errno;
mod error;
mod kernel;
mod mount;
mod news;
mod options;
mod pages;
mod replies;
mod translation;

pub use error::{MountError, Result};
pub use mount::Mount;
pub use options::MountOptions;
