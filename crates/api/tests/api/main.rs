//! Tests of the wire client against a small server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod endpoints;
mod faults;
mod support;
mod tls;
mod transfer;
