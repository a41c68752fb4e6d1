//! Files that a program keeps for itself: the configuration, what it learned, and databases that may be lost.
//!
//! Each is its owner's alone to read. What isn't a regular file is refused before it is opened: a pipe would never
//! answer, and a device never end.

#[cfg(feature = "database")]
pub mod database;
mod private;
pub mod replace;

pub use private::{make_directory, open_private, read_small};
pub use replace::replace;
