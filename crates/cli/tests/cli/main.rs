//! What the program promises, tried through the binary. One test program, so that it is linked once.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

mod answers;
mod catalogue;
mod changes;
mod check;
mod config;
mod config_peer;
mod copyurl;
mod dedupe;
mod downloads;
mod ends;
mod filters;
mod formulas;
mod gates;
mod listings;
mod local;
#[cfg(target_os = "linux")]
mod memory;
mod network;
mod others;
mod peer;
#[cfg(unix)]
mod progress;
mod rcat;
mod remotes;
mod service;
mod stage;
mod sync;
#[cfg(unix)]
mod terminal;
mod transfers;
mod waits;
