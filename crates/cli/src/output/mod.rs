//! How things look: sizes, times, JSON, tables, progress.

pub(crate) mod go_time;
pub(crate) mod json;
mod live;
pub(crate) mod media_type;
#[allow(dead_code, reason = "for the commands that transfer")]
pub(crate) mod progress;
#[allow(dead_code, reason = "for the commands that transfer")]
pub(crate) mod screen;
pub(crate) mod size;
#[allow(dead_code, reason = "for the commands that transfer")]
pub(crate) mod stats;
#[allow(dead_code, reason = "for the commands that transfer")]
pub(crate) mod time;
