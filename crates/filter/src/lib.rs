//! Which files and folders of a tree a command is about: rclone's filters.
//!
//! The crate does no I/O: it gets files with rules as contents, and times as arguments. The meaning of filters was
//! measured on rclone 1.75.2, and a test of the program compares the two.
//!
//! - A [`Definition`] is the input, a [`Filter`] its meaning;
//! - files are included by rules, size, time, [`Share`] or name;
//! - which folders can hold such files follows from the rules, so that the others are never listed.

mod error;
mod expression;
mod filter;
mod folders;
mod lines;
mod named;
mod pattern;
mod rules;
mod share;
mod text;

pub use error::FilterError;
pub use expression::{ExpressionError, Substitution};
pub use filter::{Definition, Exclusion, Filter};
pub use lines::Notation;
pub use share::Share;
pub use text::TextPattern;
