//! A name being changed: borrowed until the first byte differs.

use std::borrow::Cow;
use std::ops::Range;

/// Collects replacements, left to right, and copies the name only if there are any.
pub(crate) struct Rewrite<'a> {
    name: &'a [u8],
    copied: usize,
    output: Vec<u8>,
}

impl<'a> Rewrite<'a> {
    pub(crate) fn new(name: &'a [u8]) -> Self {
        Rewrite { name, copied: 0, output: Vec::new() }
    }

    /// Replaces the bytes of `range`, which must lie after all earlier ranges, with `text`.
    pub(crate) fn replace(&mut self, range: Range<usize>, text: &[u8]) {
        if self.output.is_empty() {
            self.output.reserve(self.name.len() + 16);
        }
        self.output.extend_from_slice(&self.name[self.copied..range.start]);
        self.output.extend_from_slice(text);
        self.copied = range.end;
    }

    pub(crate) fn replace_by_char(&mut self, range: Range<usize>, character: char) {
        self.replace(range, character.encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// Returns the position in the result of the byte at `at`, which must lie after all that was replaced.
    pub(crate) fn position(&self, at: usize) -> usize {
        self.output.len() + (at - self.copied)
    }

    pub(crate) fn finish(mut self) -> Cow<'a, [u8]> {
        if self.copied == 0 && self.output.is_empty() {
            return Cow::Borrowed(self.name);
        }
        self.output.extend_from_slice(&self.name[self.copied..]);
        Cow::Owned(self.output)
    }
}

/// The next piece of a name: a character, or a byte that isn't part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Char(char),
    Invalid(u8),
}

/// Returns the pieces of a name, each with its range of bytes.
pub(crate) fn units(name: &[u8]) -> impl Iterator<Item = (Range<usize>, Unit)> + '_ {
    let mut at = 0;
    name.utf8_chunks()
        .flat_map(|chunk| {
            let valid = chunk.valid().chars().map(|character| (character.len_utf8(), Unit::Char(character)));
            let invalid = chunk.invalid().iter().map(|byte| (1, Unit::Invalid(*byte)));
            valid.chain(invalid)
        })
        .map(move |(length, unit)| {
            let start = at;
            at += length;
            (start..at, unit)
        })
}
