//! `config` and what belongs to it, through the front door: commands, the wizard at a real terminal, completion.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod commands;
mod completion;
mod encryption;
mod home;
mod manual;
mod safety;
mod secrets;
#[path = "../stage/mod.rs"]
mod stage;
#[cfg(unix)]
#[path = "../terminal/mod.rs"]
mod terminal;
#[cfg(unix)]
mod wizard;
