//! The file system as the kernel shows it: `docs/semantics.md` through a real mount.

#![cfg(target_os = "linux")]

mod files;
mod mounting;
mod others;
mod programs;
mod world;
