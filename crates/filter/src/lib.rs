//! Which files and folders of a tree a command is about: rclone's filters.
//!
//! Pure: files with rules come in by their contents, moments by argument. What they mean was measured on rclone
//! 1.75.2, and a test of the program holds both against each other.
//!
//! - A [`Definition`] is what was asked for, a [`Filter`] what it means;
//! - files are taken by rules, size, time, [`Share`] or name;
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
