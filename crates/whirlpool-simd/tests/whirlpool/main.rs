//! The checksum compared with published vectors and another implementation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod agreement;
mod vectors;
