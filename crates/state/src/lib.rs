//! Files that a program keeps for itself: the configuration, what it learned, and databases that may be lost.
//!
//! Only the owner can read them. Anything but a regular file is refused before it is opened: a pipe would never
//! answer, and a device would never end.

#[cfg(feature = "database")]
pub mod database;
mod private;
pub mod replace;

pub use private::{make_directory, open_private, read_small};
pub use replace::replace;
