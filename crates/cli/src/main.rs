//! `fichier`: a storage client for 1Fichier that does what rclone does, the rclone way.
//!
//! This crate holds what a person sees: arguments, output, exit codes. The work is done by the libraries.

mod arguments;
mod commands;
mod demo;
mod exit;
mod flags;
mod hashing;
mod listing;
mod logging;
mod output;
mod problems;
mod program;
mod session;

fn main() -> std::process::ExitCode {
    let environment: flags::Environment = std::env::vars_os().collect();
    let words: Vec<_> = std::env::args_os().collect();
    program::run(&words, &environment).into()
}
