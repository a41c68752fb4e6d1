//! Tests of the filters, side by side with the real rclone, and of the calls that they cost at the service.
//!
//! rclone is installed once below `target/`, see `../peer/rclone.rs`.

mod calls;
#[cfg(unix)]
mod generated;
#[cfg(unix)]
mod referee;
#[cfg(unix)]
mod table;
#[cfg(unix)]
mod tree;
