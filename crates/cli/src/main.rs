//! `fichier`, a storage client for 1Fichier that behaves like rclone.
//!
//! This crate is what the user sees: arguments, output, exit codes. The work is done by the libraries.

mod arguments;
mod calls;
mod commands;
mod context;
mod core_dumps;
mod directories;
mod error_tally;
mod exit;
mod features;
mod file_name;
mod filtering;
mod flags;
mod hashing;
mod listing;
mod log_file;
mod log_format;
mod logging;
mod name_transform;
mod new_password;
mod output;
mod program;
mod public_links;
mod room;
mod session;
mod spool;
mod suggestion;
mod sum_check;
mod syslog;
mod terminal;
mod transfer;
mod typed_secrets;

fn main() -> std::process::ExitCode {
    core_dumps::prevent();
    let environment = flags::Environment::of_process();
    let words: Vec<_> = std::env::args_os().collect();
    program::run(&words, &environment).into()
}
