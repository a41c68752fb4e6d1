//! One content on disk: a sparse file, and behind its bytes an index of the blocks that are there, each with a
//! checksum. A block is written first and noted then, so the index never promises too much.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use bytes::Bytes;

use crate::positioned;

/// Length of a block in bytes.
pub(crate) const BLOCK: u64 = 128 << 10;

/// Ends every file.
const MARK: &[u8; 16] = b"fichier-blocks\x00\x01";

/// Size, flags, mark.
const TRAILER: u64 = 8 + 8 + 16;

/// Checksum, and a word that says that the block is there.
const ENTRY: u64 = 8;

const PRESENT: u32 = 0xb10c_0001;

/// Returns how many blocks a file of this size has.
pub(crate) fn blocks_of(size: u64) -> u64 {
    size.div_ceil(BLOCK)
}

/// One content on disk.
#[derive(Debug)]
pub(crate) struct BlockFile {
    file: fs::File,
    size: u64,
}

impl BlockFile {
    /// Takes an open file; one that isn't of this size, or not whole, is begun anew.
    pub(crate) fn new(file: fs::File, size: u64) -> io::Result<Self> {
        let this = Self { file, size };
        if !this.is_sound()? {
            this.begin()?;
        }
        Ok(this)
    }

    /// Writes an index behind the bytes of a file that is whole and right.
    pub(crate) fn index_whole(path: &Path, size: u64) -> io::Result<()> {
        let mut file = fs::OpenOptions::new().read(true).append(true).open(path)?;
        if file.metadata()?.len() != size {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut index = Vec::new();
        for block in 0..blocks_of(size) {
            let bytes = positioned::read(&file, block * BLOCK, block_length(size, block))?;
            index.extend(entry(&bytes));
        }
        index.extend(trailer(size, 1));
        file.write_all(&index)
    }

    fn begin(&self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.set_len(self.size + blocks_of(self.size) * ENTRY)?;
        positioned::write(&self.file, self.size + blocks_of(self.size) * ENTRY, &trailer(self.size, 0))
    }

    fn is_sound(&self) -> io::Result<bool> {
        let at = self.size + blocks_of(self.size) * ENTRY;
        if self.file.metadata()?.len() != at + TRAILER {
            return Ok(false);
        }
        let found = positioned::read(&self.file, at, 32)?;
        Ok(found[..8] == self.size.to_le_bytes() && found[16..] == *MARK)
    }

    /// Returns a block that is there and undamaged.
    pub(crate) fn read(&self, block: u64) -> io::Result<Option<Bytes>> {
        let noted = positioned::read(&self.file, self.size + block * ENTRY, 8)?;
        if !is_present(&noted) {
            return Ok(None);
        }
        let bytes = positioned::read(&self.file, block * BLOCK, block_length(self.size, block))?;
        if entry(&bytes) == *noted {
            return Ok(Some(bytes));
        }
        tracing::warn!("a block in the cache is damaged, and is fetched again");
        positioned::write(&self.file, self.size + block * ENTRY, &[0; 8])?;
        self.set_flags(0)?;
        Ok(None)
    }

    /// Writes a block.
    pub(crate) fn write(&self, block: u64, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() != block_length(self.size, block) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        positioned::write(&self.file, block * BLOCK, bytes)?;
        positioned::write(&self.file, self.size + block * ENTRY, &entry(bytes))
    }

    #[cfg(test)]
    fn has(&self, block: u64) -> io::Result<bool> {
        Ok(is_present(&positioned::read(&self.file, self.size + block * ENTRY, 8)?))
    }

    /// Returns how many blocks aren't there.
    pub(crate) fn missing(&self) -> io::Result<u64> {
        let length = usize::try_from(blocks_of(self.size) * ENTRY).unwrap_or(usize::MAX);
        let index = positioned::read(&self.file, self.size, length)?;
        let there = index.chunks_exact(8).filter(|entry| is_present(entry)).count();
        Ok(blocks_of(self.size).saturating_sub(there as u64))
    }

    /// Checks whether the whole was verified.
    pub(crate) fn is_verified(&self) -> io::Result<bool> {
        let flags = positioned::read(&self.file, self.size + blocks_of(self.size) * ENTRY + 8, 1)?;
        Ok(flags.first() == Some(&1) && self.missing()? == 0)
    }

    /// Notes that the whole was verified.
    pub(crate) fn set_verified(&self) -> io::Result<()> {
        self.set_flags(1)
    }

    fn set_flags(&self, flags: u64) -> io::Result<()> {
        positioned::write(&self.file, self.size + blocks_of(self.size) * ENTRY + 8, &flags.to_le_bytes())
    }

    /// Drops all blocks.
    pub(crate) fn clear(&self) -> io::Result<()> {
        self.begin()
    }
}

fn block_length(size: u64, block: u64) -> usize {
    // At most the length of a block.
    usize::try_from(size.saturating_sub(block * BLOCK).min(BLOCK)).unwrap_or(0)
}

fn entry(bytes: &[u8]) -> [u8; 8] {
    let mut entry = [0; 8];
    entry[..4].copy_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    entry[4..].copy_from_slice(&PRESENT.to_le_bytes());
    entry
}

fn is_present(entry: &[u8]) -> bool {
    entry.get(4..8) == Some(&PRESENT.to_le_bytes()[..])
}

fn trailer(size: u64, flags: u64) -> Vec<u8> {
    [&size.to_le_bytes()[..], &flags.to_le_bytes(), MARK].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    // [read-5]
    #[test]
    fn a_damaged_block_is_never_given_out() {
        let file = tempfile::tempfile().unwrap();
        let blocks = BlockFile::new(file.try_clone().unwrap(), BLOCK + 10).unwrap();
        let whole = vec![7; usize::try_from(BLOCK).unwrap()];
        blocks.write(0, &whole).unwrap();
        blocks.write(1, &[8; 10]).unwrap();
        blocks.set_verified().unwrap();
        assert!(blocks.is_verified().unwrap());
        blocks.write(1, &[8; 9]).unwrap_err();
        for at in [5, BLOCK + 3] {
            positioned::write(&file, at, &[0]).unwrap();
        }
        assert_eq!((blocks.read(0).unwrap(), blocks.read(1).unwrap()), (None, None));
        assert!(!blocks.has(0).unwrap() && !blocks.is_verified().unwrap());
        blocks.write(0, &whole).unwrap();
        assert_eq!(blocks.read(0).unwrap().unwrap(), whole);
    }

    #[test]
    fn a_file_of_another_size_or_without_its_end_is_begun_anew() {
        let file = tempfile::tempfile().unwrap();
        let open = |size| BlockFile::new(file.try_clone().unwrap(), size).unwrap();
        open(10).write(0, &[1; 10]).unwrap();
        assert!(open(10).has(0).unwrap());
        assert!(!open(11).has(0).unwrap());
        open(10).write(0, &[1; 10]).unwrap();
        file.set_len(30).unwrap();
        assert!(!open(10).has(0).unwrap());
        assert!(!open(0).has(0).unwrap() && open(0).missing().unwrap() == 0);
    }
}
