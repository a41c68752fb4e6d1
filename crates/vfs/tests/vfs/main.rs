//! The file system as it is used, over a remote in memory: what `docs/semantics.md` promises. A comment names the
//! paragraphs that a test stands for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod anchors;
mod crashes;
mod model;
mod names;
mod numbers;
mod reading;
mod tree;
mod watched;
mod world;
mod writing;
