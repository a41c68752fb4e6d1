//! The filters, side by side with the real rclone, and what they cost at the service.
//!
//! rclone is installed once below `target/`, see `../peer/rclone.rs`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

#[path = "../stage/mod.rs"]
mod stage;

mod calls;
#[cfg(unix)]
mod generated;
#[cfg(unix)]
#[path = "../peer/rclone.rs"]
mod rclone;
#[cfg(unix)]
mod referee;
#[cfg(unix)]
mod table;
#[cfg(unix)]
mod tree;
