//! Records which parts of a file are there already. The record is kept behind the bytes of its partial file, so that a
//! download that was killed at any moment can be continued, whatever the file system knows of holes.
//!
//! The file is cut into pieces of one length, and each is filled from its start. Behind the place of the last byte come
//! the number of bytes in each piece, then the checksum and size of the whole file, the length of a piece, and a mark.
//! Bytes are written first and recorded then, so that the ledger never claims too much. After a power cut it may; then
//! the checksum of the whole file shows it.

use std::{fs, io, ops::Range};

use fichier_storage::Whirlpool;

use super::paths::{read_exact_at, write_all_at};

/// Mark at the end of every ledger.
const MARK: &[u8; 16] = b"fichier-partial\x01";

/// Size of the trailer in bytes: checksum, size, length of a piece, mark.
const TRAILER: u64 = 64 + 8 + 8 + 16;

/// Record of which bytes of a file are there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ledger {
    size: u64,
    piece: u64,
    /// Number of bytes in each piece, from its start.
    filled: Vec<u64>,
    /// Offset before which all bytes are there.
    front: u64,
    /// Whether the ledger is in the file, too.
    kept: bool,
}

impl Ledger {
    /// Makes the ledger of a file of which nothing is there, in memory only.
    pub(super) fn new(size: u64, piece: u64) -> Self {
        let piece = piece.max(1);
        let pieces = usize::try_from(size.div_ceil(piece)).unwrap_or(usize::MAX);
        Self { size, piece, filled: vec![0; pieces], front: 0, kept: false }
    }

    /// Writes the ledger into the partial file, where it is kept up to date from now on.
    pub(super) fn keep(&mut self, file: &fs::File, expected: &Whirlpool) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(self.filled.len() * 8 + 96);
        for filled in &self.filled {
            bytes.extend(filled.to_le_bytes());
        }
        bytes.extend(expected.as_bytes());
        bytes.extend(self.size.to_le_bytes());
        bytes.extend(self.piece.to_le_bytes());
        bytes.extend(MARK);
        write_all_at(file, &bytes, self.size)?;
        self.kept = true;
        Ok(())
    }

    /// Returns the ledger at the end of a partial file, if it belongs to the file with this size and checksum.
    pub(super) fn read(file: &fs::File, size: u64, expected: &Whirlpool) -> io::Result<Option<Self>> {
        let length = file.metadata()?.len();
        let Some(trailer) = Trailer::read(file, length)? else { return Ok(None) };
        if trailer.size != size || trailer.expected != *expected || trailer.piece == 0 {
            return Ok(None);
        }
        let pieces = size.div_ceil(trailer.piece);
        if length.checked_sub(size) != pieces.checked_mul(8).and_then(|bytes| bytes.checked_add(TRAILER)) {
            return Ok(None);
        }
        let mut ledger = Self::new(size, trailer.piece);
        let mut bytes = vec![0; ledger.filled.len() * 8];
        read_exact_at(file, &mut bytes, size)?;
        for (index, bytes) in bytes.chunks_exact(8).enumerate() {
            let filled = bytes.try_into().map_or(0, u64::from_le_bytes);
            if filled > ledger.length_of(index) {
                return Ok(None);
            }
            ledger.filled[index] = filled;
        }
        ledger.kept = true;
        ledger.advance();
        Ok(Some(ledger))
    }

    /// Records bytes that are in the file now. Each piece must be filled in order.
    pub(super) fn note(&mut self, file: &fs::File, at: Range<u64>) -> io::Result<()> {
        let mut start = at.start;
        while start < at.end {
            let index = start / self.piece;
            let end = at.end.min((index + 1) * self.piece);
            let filled = end - index * self.piece;
            if self.kept {
                write_all_at(file, &filled.to_le_bytes(), self.size + index * 8)?;
            }
            if let Some(entry) = usize::try_from(index).ok().and_then(|index| self.filled.get_mut(index)) {
                *entry = filled;
            }
            start = end;
        }
        self.advance();
        Ok(())
    }

    /// Returns the offset before which all bytes are there.
    pub(super) fn front(&self) -> u64 {
        self.front
    }

    /// Returns how many bytes are there.
    pub(super) fn known(&self) -> u64 {
        self.filled.iter().sum()
    }

    /// Returns the missing ranges in order: piece by piece, or with adjoining ones joined.
    pub(super) fn gaps(&self, joined: bool) -> Vec<Range<u64>> {
        let mut gaps: Vec<Range<u64>> = Vec::new();
        for (index, filled) in self.filled.iter().enumerate() {
            let start = index as u64 * self.piece;
            let gap = start + filled..start + self.length_of(index);
            match gaps.last_mut() {
                Some(last) if joined && last.end == gap.start => last.end = gap.end,
                _ if gap.is_empty() => {}
                _ => gaps.push(gap),
            }
        }
        gaps
    }

    fn length_of(&self, index: usize) -> u64 {
        self.size.saturating_sub(index as u64 * self.piece).min(self.piece)
    }

    fn advance(&mut self) {
        // Whole pieces first, then the bytes of the next one.
        while self.front < self.size {
            let index = self.front / self.piece;
            let Some(filled) = usize::try_from(index).ok().and_then(|index| self.filled.get(index)) else {
                return;
            };
            let reached = index * self.piece + filled;
            if reached <= self.front {
                return;
            }
            self.front = reached;
        }
    }
}

/// Checks whether a file ends with a ledger: it is a download that can be continued.
pub(super) fn ends(file: &fs::File) -> io::Result<bool> {
    Ok(Trailer::read(file, file.metadata()?.len())?.is_some())
}

struct Trailer {
    expected: Whirlpool,
    size: u64,
    piece: u64,
}

impl Trailer {
    fn read(file: &fs::File, length: u64) -> io::Result<Option<Self>> {
        let Some(at) = length.checked_sub(TRAILER) else { return Ok(None) };
        let (mut expected, mut size, mut piece, mut mark) = ([0; 64], [0; 8], [0; 8], [0; 16]);
        let parts: [&mut [u8]; 4] = [&mut expected, &mut size, &mut piece, &mut mark];
        let mut at = at;
        for part in parts {
            read_exact_at(file, part, at)?;
            at += part.len() as u64;
        }
        let [size, piece] = [size, piece].map(u64::from_le_bytes);
        Ok((mark == *MARK).then(|| Self { expected: Whirlpool::from_bytes(expected), size, piece }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_ledger_is_found_again_by_its_file_and_by_no_other() {
        let file = tempfile::tempfile().unwrap();
        let sum = Whirlpool::of(b"x");
        let mut ledger = Ledger::new(100, 30);
        ledger.keep(&file, &sum).unwrap();
        ledger.note(&file, 0..30).unwrap();
        ledger.note(&file, 30..35).unwrap();
        ledger.note(&file, 90..95).unwrap();
        assert_eq!((ledger.front(), ledger.known()), (35, 40));
        assert_eq!(ledger.gaps(false), [35..60, 60..90, 95..100]);
        assert_eq!(ledger.gaps(true), [35..90, 95..100]);
        assert_eq!(Ledger::read(&file, 100, &sum).unwrap(), Some(ledger));
        assert!(ends(&file).unwrap());
        assert_eq!(Ledger::read(&file, 101, &sum).unwrap(), None);
        assert_eq!(Ledger::read(&file, 100, &Whirlpool::of(b"y")).unwrap(), None);
        // An impossible number.
        write_all_at(&file, &31_u64.to_le_bytes(), 100).unwrap();
        assert_eq!(Ledger::read(&file, 100, &sum).unwrap(), None);
    }

    #[test]
    fn other_files_have_none() {
        for bytes in [&b""[..], b"short", &[7; 500]] {
            let file = tempfile::tempfile().unwrap();
            write_all_at(&file, bytes, 0).unwrap();
            assert!(!ends(&file).unwrap());
            assert_eq!(Ledger::read(&file, 5, &Whirlpool::of(b"")).unwrap(), None);
        }
    }

    proptest! {
        #[test]
        fn what_is_noted_and_what_is_missing_make_the_whole(
            size in 1_u64..500, piece in 1_u64..60, steps in prop::collection::vec((any::<prop::sample::Index>(), 1_u64..40), 0..40),
        ) {
            let file = tempfile::tempfile().unwrap();
            let mut ledger = Ledger::new(size, piece);
            let mut there = vec![false; usize::try_from(size).unwrap()];
            for (which, length) in steps {
                let gaps = ledger.gaps(false);
                if gaps.is_empty() {
                    break;
                }
                let gap = which.get(&gaps).clone();
                let noted = gap.start..gap.end.min(gap.start + length);
                there[usize::try_from(noted.start).unwrap()..usize::try_from(noted.end).unwrap()].fill(true);
                ledger.note(&file, noted).unwrap();
            }
            let front = there.iter().position(|there| !there).unwrap_or(there.len());
            prop_assert_eq!(ledger.front(), front as u64);
            prop_assert_eq!(ledger.known(), there.iter().filter(|there| **there).count() as u64);
            for joined in [false, true] {
                let mut covered = there.clone();
                for gap in ledger.gaps(joined) {
                    for at in gap {
                        let at = usize::try_from(at).unwrap();
                        prop_assert!(!covered[at]);
                        covered[at] = true;
                    }
                }
                prop_assert!(covered.iter().all(|covered| *covered));
            }
        }
    }
}
