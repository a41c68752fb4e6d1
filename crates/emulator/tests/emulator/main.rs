//! The emulated service, called as its clients call it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod control;
mod desk;
mod faults;
mod folders_and_files;
mod limits;
mod persistence;
mod proxy;
mod transfer;
