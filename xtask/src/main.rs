//! `cargo xtask`: what is done with the workspace beyond building and testing it.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for developers: it talks to its terminal"
)]

#[cfg(unix)]
mod bench;
#[cfg(unix)]
mod crash;
#[cfg(unix)]
mod faults;
mod modules;
#[cfg(all(test, unix))]
mod named_tests;
#[cfg(unix)]
mod soak;
#[cfg(unix)]
mod trial;

use clap::{Parser, Subcommand};

/// Jobs of the workspace
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Measure fichier beside rclone, against the emulated service
    #[cfg(unix)]
    Bench(bench::Arguments),
    /// Prepare the data of a benchmark (started by `bench`)
    #[cfg(unix)]
    #[command(hide = true)]
    Seed(bench::SeedArguments),
    /// Let every request of every command fail in every way, and look at what is there afterwards
    #[cfg(unix)]
    Faults(faults::Arguments),
    /// Kill commands at any point, and the service under load, and look whether anything is lost
    #[cfg(unix)]
    Crash(crash::Arguments),
    /// Transfer many files at once under limits while requests fail, and watch memory, descriptors and calls
    #[cfg(unix)]
    Soak(soak::Arguments),
    /// Show which crate and which module uses which, and fail on upward arrows and on circles
    Modules(modules::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().job {
        #[cfg(unix)]
        Job::Bench(arguments) => bench::run(&arguments),
        #[cfg(unix)]
        Job::Seed(arguments) => bench::seed(&arguments),
        #[cfg(unix)]
        Job::Faults(arguments) => faults::run(&arguments),
        #[cfg(unix)]
        Job::Crash(arguments) => crash::run(&arguments),
        #[cfg(unix)]
        Job::Soak(arguments) => soak::run(&arguments),
        Job::Modules(arguments) => modules::run(&arguments),
    }
}
