//! Tests side by side with the real rclone: what one writes the other reads, and both print the same.
//!
//! rclone is installed once below `target/`, see `rclone.rs`. Each case has a service of its own, since rclone
//! waits 400 ms before each call; for the same reason the cases of a test run at the same time.

mod checks;
mod ends;
mod listings;
#[cfg(target_os = "linux")]
mod metadata;
#[cfg(unix)]
mod names;
#[cfg(unix)]
mod new_names;
pub(crate) mod rclone;
#[cfg(unix)]
mod scenarios;
mod shared;
mod suffixes;
mod transfers;

use std::thread;

/// Runs all cases at once, and fails if one of them does.
fn side_by_side<Case: Sync>(cases: &[Case], run: impl Fn(&Case) + Sync) {
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| run(case));
        }
    });
}

/// Returns the lines in one order: rclone lists in the order in which folders happen to be read. In JSON the comma
/// belongs to the place, not to the line.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().map(|line| line.trim_end_matches(',')).collect();
    lines.sort_unstable();
    lines
}
