//! Formats of output: sizes, times, JSON, tables, progress.

use std::{fs::File, path::Path};

use crate::exit::Failure;

pub(crate) mod go_time;
pub(crate) mod json;
mod live;
pub(crate) mod media_type;
pub(crate) mod progress;
pub(crate) mod screen;
pub(crate) mod size;
pub(crate) mod stats;
pub(crate) mod time;

/// Makes a file that a flag names, or empties it.
///
/// # Errors
/// The file can't be made; the message names it.
pub(crate) fn create_file(path: &Path) -> Result<File, Failure> {
    File::create(path).map_err(|error| Failure::other(format!("can't write to {}: {error}", path.display())))
}
