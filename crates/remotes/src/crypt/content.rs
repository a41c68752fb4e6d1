//! Format of encrypted contents: a header with a random nonce, then blocks of 64 KiB, each sealed by itself with
//! XSalsa20 and Poly1305. So any range can be read, and a block that was changed or moved is noticed.

use std::fmt;

use bytes::Bytes;
use crypto_secretbox::{AeadInPlace as _, KeyInit as _, Tag, XSalsa20Poly1305};
use rand::Rng as _;

use super::keys::Keys;

/// Number of plain bytes in a block.
pub(super) const BLOCK: u64 = 64 * 1024;

/// Number of bytes in a block's tag.
const TAG: u64 = 16;

/// Number of stored bytes of a whole block.
pub(super) const SEALED_BLOCK: u64 = BLOCK + TAG;

/// Number of bytes before the first block.
pub(super) const HEADER: u64 = 32;

/// First bytes of each encrypted file.
const MAGIC: [u8; 8] = *b"RCLONE\0\0";

/// Returns the number of bytes stored for this number of plain ones.
pub(super) fn sealed_size(plain: u64) -> u64 {
    plain.saturating_add(plain.div_ceil(BLOCK).saturating_mul(TAG)).saturating_add(HEADER)
}

/// Returns the number of plain bytes in this number of stored ones; `None` if no encrypted file has this size.
pub(super) fn plain_size(sealed: u64) -> Option<u64> {
    let blocks = sealed.checked_sub(HEADER)?;
    let rest = blocks % SEALED_BLOCK;
    let rest = if rest == 0 { 0 } else { rest.checked_sub(TAG).filter(|rest| *rest > 0)? };
    Some(blocks / SEALED_BLOCK * BLOCK + rest)
}

/// Returns the offset of a block in the stored file.
pub(super) fn sealed_offset(block: u64) -> u64 {
    HEADER + block * SEALED_BLOCK
}

/// Nonce of a file, which makes each block of each file encrypted in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nonce([u8; 24]);

impl Nonce {
    /// Makes a random nonce.
    pub(super) fn random() -> Self {
        let mut bytes = [0; 24];
        rand::rng().fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// Reads the nonce in a file's header; `None` if that isn't the header of an encrypted file.
    pub(super) fn of_header(header: &[u8]) -> Option<Self> {
        header.strip_prefix(&MAGIC)?.try_into().ok().map(Self)
    }

    /// Returns the header of a file.
    pub(super) fn header(&self) -> Bytes {
        [&MAGIC[..], &self.0].concat().into()
    }

    /// Returns the nonce of a block: the file's, with the block's number added.
    fn of_block(self, block: u64) -> [u8; 24] {
        let mut bytes = self.0;
        let mut carry = block;
        for byte in &mut bytes {
            let sum = u64::from(*byte) + (carry & 0xFF);
            *byte = sum.to_le_bytes()[0];
            carry = (carry >> 8) + (sum >> 8);
        }
        bytes
    }
}

/// Seals and opens blocks.
#[derive(Clone)]
pub(super) struct ContentKey(XSalsa20Poly1305);

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey")
    }
}

/// A block that was changed after sealing, or was sealed with another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadBlock(pub(super) u64);

impl ContentKey {
    pub(super) fn new(keys: &Keys) -> Self {
        Self(XSalsa20Poly1305::new(&(*keys.content).into()))
    }

    /// Seals consecutive blocks. Only the last one may be shorter.
    pub(super) fn seal(&self, nonce: Nonce, first: u64, plain: &[u8]) -> Vec<u8> {
        let size = sealed_size(plain.len() as u64) - HEADER;
        let mut sealed = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        for (block, plain) in (first..).zip(plain.chunks(as_usize(BLOCK))) {
            let at = sealed.len();
            sealed.extend_from_slice(&[0; as_usize(TAG)]);
            sealed.extend_from_slice(plain);
            let (tag, body) = sealed[at..].split_at_mut(as_usize(TAG));
            // It fails only for sizes that no memory holds.
            if let Ok(made) = self.0.encrypt_in_place_detached(&nonce.of_block(block).into(), b"", body) {
                tag.copy_from_slice(&made);
            }
        }
        sealed
    }

    /// Opens consecutive sealed blocks, of which only the last one may be shorter. Returns the plain bytes block by
    /// block. `pass` is called with each bad block, which then becomes zeros.
    pub(super) fn open(
        &self,
        nonce: Nonce,
        first: u64,
        mut sealed: Vec<u8>,
        pass: Option<&dyn Fn(BadBlock)>,
    ) -> Result<Vec<Bytes>, BadBlock> {
        for (block, sealed) in (first..).zip(sealed.chunks_mut(as_usize(SEALED_BLOCK))) {
            let opened = sealed.split_at_mut_checked(as_usize(TAG)).is_some_and(|(tag, body)| {
                let tag = Tag::clone_from_slice(tag);
                let nonce = nonce.of_block(block).into();
                self.0.decrypt_in_place_detached(&nonce, b"", body, &tag).is_ok()
            });
            match pass {
                _ if opened => {}
                Some(pass) => {
                    pass(BadBlock(block));
                    sealed.fill(0);
                }
                None => return Err(BadBlock(block)),
            }
        }
        let all = Bytes::from(sealed);
        let mut opened = Vec::with_capacity(all.len() / as_usize(SEALED_BLOCK) + 1);
        for start in (0..all.len()).step_by(as_usize(SEALED_BLOCK)) {
            let end = all.len().min(start + as_usize(SEALED_BLOCK));
            opened.push(all.slice(end.min(start + as_usize(TAG))..end));
        }
        Ok(opened)
    }
}

/// Converts one of the sizes here, all of which are small.
#[expect(clippy::cast_possible_truncation, reason = "the sizes here fit")]
pub(super) const fn as_usize(size: u64) -> usize {
    size as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> ContentKey {
        ContentKey::new(&Keys { content: [5; 32].into(), names: [0; 32].into(), tweak: [0; 16].into() })
    }

    #[test]
    fn sizes_are_rclones() {
        for (plain, sealed) in [
            (0, 32),
            (1, 49),
            (65_535, 32 + 16 + 65_535),
            (65_536, 32 + 65_552),
            (65_537, 32 + 65_552 + 17),
            (131_072, 32 + 2 * 65_552),
            (131_073, 32 + 2 * 65_552 + 17),
        ] {
            assert_eq!(sealed_size(plain), sealed);
            assert_eq!(plain_size(sealed), Some(plain));
        }
        for sealed in [0, 10, 31, 33, 48, 32 + 65_552 + 1, 32 + 65_552 + 16] {
            assert_eq!(plain_size(sealed), None, "{sealed}");
        }
        sealed_size(u64::MAX);
    }

    #[test]
    fn nonces_count_on_and_wrap() {
        let nonce = Nonce([0xFF; 24]);
        assert_eq!(nonce.of_block(0), [0xFF; 24]);
        assert_eq!(nonce.of_block(1), [0; 24]);
        let mut second = [0; 24];
        second[0] = 1;
        assert_eq!(nonce.of_block(2), second);
        let mut carried = [0; 24];
        carried[8] = 1;
        assert_eq!(Nonce([0; 24]).of_block(u64::MAX)[..8], [0xFF; 8]);
        let mut one = [0; 24];
        one[0] = 1;
        assert_eq!(Nonce(one).of_block(u64::MAX), carried);
    }

    #[test]
    fn a_header_is_known_by_its_beginning() {
        let nonce = Nonce::random();
        assert_eq!(Nonce::of_header(&nonce.header()), Some(nonce));
        assert_ne!(nonce, Nonce::random());
        for other in [&b"RCLONE\0\0"[..], &[0; 32], b"RCLONE"] {
            assert_eq!(Nonce::of_header(other), None);
        }
    }

    #[test]
    fn changed_and_moved_blocks_are_noticed() {
        let plain: Vec<u8> = (0..150_000_u32).map(|number| number.to_le_bytes()[1]).collect();
        let (key, nonce) = (key(), Nonce([9; 24]));
        let sealed = key.seal(nonce, 0, &plain);
        assert_eq!(sealed.len() as u64 + HEADER, sealed_size(150_000));
        assert_eq!(key.open(nonce, 0, sealed.clone(), None).unwrap().concat(), plain);
        assert_eq!(key.open(nonce, 1, sealed.clone(), None), Err(BadBlock(1)));
        for (at, block) in [(0, 0), (20, 0), (65_552, 1), (131_104 + 17, 2)] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(nonce, 0, changed.clone(), None), Err(BadBlock(block)));
            let passed = key.open(nonce, 0, changed, Some(&|bad| assert_eq!(bad, BadBlock(block)))).unwrap();
            assert!(passed[as_usize(block)].iter().all(|byte| *byte == 0));
            let others = (0..3).filter(|other| *other != as_usize(block));
            for other in others {
                assert_eq!(passed[other], plain[other * 65_536..plain.len().min(other * 65_536 + 65_536)]);
            }
        }
        assert_eq!(key.open(nonce, 0, vec![0; 7], None), Err(BadBlock(0)));
    }

    proptest! {
        #[test]
        fn sizes_come_back(plain in 0_u64..1 << 50) {
            prop_assert_eq!(plain_size(sealed_size(plain)), Some(plain));
        }

        #[test]
        fn no_size_is_made_up(sealed in 0_u64..1 << 20) {
            if let Some(plain) = plain_size(sealed) {
                prop_assert_eq!(sealed_size(plain), sealed);
            }
        }
    }
}
