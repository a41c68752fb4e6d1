//! Tests of what the program promises, through the binary. They are one test program, so that it is linked once.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]
#![allow(clippy::print_stderr, reason = "a test that can't be tried here says so")]

mod account;
mod answers;
mod arguments;
#[cfg(unix)]
mod asking;
mod at_once;
mod attributes;
mod bad_days;
mod brakes;
mod catalogue;
mod changes;
mod check;
mod combine;
mod config;
mod config_peer;
mod copyurl;
mod crypt;
mod dedupe;
mod doctor;
mod downloads;
mod dry_runs;
mod ends;
mod fetch;
mod filters;
mod flags;
mod formulas;
mod gates;
mod get;
mod import;
mod kept;
#[cfg(unix)]
mod links;
mod links_check;
mod listings;
mod local;
#[cfg(unix)]
mod matching;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod metadata;
#[cfg(target_os = "linux")]
mod mount;
mod network;
#[cfg(unix)]
mod new_names;
mod others;
mod overlaps;
#[cfg(unix)]
mod own_files;
mod own_links;
mod peer;
#[cfg(unix)]
mod progress;
mod public;
mod rcat;
mod refusals;
mod remotes;
mod said;
mod seeds;
mod service;
mod service_limits;
mod sharing;
mod sources;
mod stage;
mod sync;
#[cfg(unix)]
mod terminal;
mod transfers;
mod waits;
mod wrong_answers;
