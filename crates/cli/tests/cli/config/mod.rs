//! Tests of `config` and what belongs to it, through the binary: commands, the wizard at a real terminal, completion.

mod commands;
mod completion;
mod encryption;
mod home;
mod manual;
mod safety;
mod secrets;
#[cfg(unix)]
mod wizard;
