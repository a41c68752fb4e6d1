//! The pacer on a paused clock.
