//! Formats of output: sizes, times, JSON, tables, progress.

pub(crate) mod go_time;
pub(crate) mod json;
mod live;
pub(crate) mod media_type;
pub(crate) mod named;
pub(crate) mod progress;
pub(crate) mod screen;
pub(crate) mod size;
pub(crate) mod stats;
pub(crate) mod time;
