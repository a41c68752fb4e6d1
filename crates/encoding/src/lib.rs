//! File names as 1Fichier stores them: rclone-compatible encoding, both ways.
//!
//! A storage service refuses or alters some characters in names. rclone replaces each of them by a look-alike (`<`
//! becomes `＜`, a leading space `␠`) when it writes, and reverses that when it reads. A look-alike that a name really
//! holds is quoted by `‛` (U+201B). The mapping here was measured on rclone v1.75.2, so that both programs see the
//! same tree; see `tests/fixtures` for the measurements.
//!
//! Everything works on bytes, since a name on Linux need not be UTF-8. Nothing here does any I/O.
//!
//! ```
//! use fichier_encoding::Encoding;
//!
//! let stored = Encoding::FICHIER.encode(b" a<b\xff");
//! assert_eq!(stored.as_ref(), "␠a＜b‛FF".as_bytes());
//! assert_eq!(Encoding::FICHIER.decode(&stored).as_ref(), b" a<b\xff");
//! ```
//!
//! # Three kinds of names
//! - *plain*: what a file system holds, any bytes;
//! - *stored*: what a backend holds, in that backend's encoding ([`Encoding::encode`], [`Encoding::decode`]);
//! - *standard*: what rclone's upper layers, listings and filters use, in [`Encoding::STANDARD`]
//!   ([`Encoding::to_standard`], [`Encoding::from_standard`]).
//!
//! # Where this differs from rclone
//! rclone doesn't read back every name that it writes: it stores plain `a‛ ` as `a‛‛␠`, and reads that as `a‛␠`. It
//! cuts a quoted character off the end before it checks what the quote itself belongs to. Here decoding is the exact
//! inverse of encoding. Both programs store the same, except for `．.` and `.．` where a dot at that end is replaced:
//! rclone stores them as it stores `..`.
//!
//! Nor does rclone find a file again whose stored name holds a quote that quotes nothing: it reads `a‛b` as it reads
//! `a‛‛b`, and writes that. Here such a quote stays what it is on the way to the standard form and back, so these are
//! two names. Where it would quote what follows, it is written as its three bytes, `‛E2‛80‛9B`.

pub mod corpus;
mod decode;
mod encode;
mod flags;
mod lone_quotes;
mod rewrite;
mod standard;
mod table;

pub use flags::{Encoding, ParseEncodingError};
pub use table::QUOTE;
