//! The file system as the kernel shows it: `docs/semantics.md` through a real mount.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

mod files;
mod mounting;
mod others;
mod programs;
mod world;
