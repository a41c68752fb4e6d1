//! EME: encrypts up to 128 blocks of a block cipher as one wide block, by Halevi and Rogaway.
//!
//! Each bit of the output depends on each bit of the input, so names with the same beginning look different. The same
//! name always gives the same output, which is what finding a file by its name needs.

use aes::{
    Aes256, Block,
    cipher::{BlockCipherDecrypt as _, BlockCipherEncrypt as _},
};

/// Size of a block, in bytes.
pub(super) const BLOCK: usize = 16;

/// Largest number of blocks that are encrypted as one.
pub(super) const MOST_BLOCKS: usize = 128;

/// Direction of the transformation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// From plain to encrypted.
    Encrypt,
    /// From encrypted to plain.
    Decrypt,
}

/// Encrypts or decrypts whole blocks in place. Returns false, with nothing done, when there is none, a part of one, or
/// more than [`MOST_BLOCKS`].
pub(super) fn transform(cipher: &Aes256, tweak: u128, data: &mut [u8], direction: Direction) -> bool {
    let (blocks, rest) = data.as_chunks_mut::<BLOCK>();
    if blocks.is_empty() || !rest.is_empty() || blocks.len() > MOST_BLOCKS {
        return false;
    }
    let encrypt = |value: u128| {
        let mut block = Block::from(value.to_le_bytes());
        cipher.encrypt_block(&mut block);
        u128::from_le_bytes(block.into())
    };
    let apply = |value: u128| match direction {
        Direction::Encrypt => encrypt(value),
        Direction::Decrypt => {
            let mut block = Block::from(value.to_le_bytes());
            cipher.decrypt_block(&mut block);
            u128::from_le_bytes(block.into())
        }
    };
    // The zero block is encrypted in both directions.
    let first_mask = double(encrypt(0));

    let mut mask = first_mask;
    let mut sum = tweak;
    for block in blocks.iter_mut() {
        let value = apply(u128::from_le_bytes(*block) ^ mask);
        sum ^= value;
        *block = value.to_le_bytes();
        mask = double(mask);
    }
    let mixed = apply(sum);
    let mut spread = sum ^ mixed;
    let mut first = mixed ^ tweak;
    for block in &mut blocks[1..] {
        spread = double(spread);
        let value = u128::from_le_bytes(*block) ^ spread;
        first ^= value;
        *block = value.to_le_bytes();
    }
    blocks[0] = first.to_le_bytes();
    let mut mask = first_mask;
    for block in blocks.iter_mut() {
        *block = (apply(u128::from_le_bytes(*block)) ^ mask).to_le_bytes();
        mask = double(mask);
    }
    true
}

/// Doubles in GF(2¹²⁸).
fn double(value: u128) -> u128 {
    (value << 1) ^ if value >> 127 == 1 { 0x87 } else { 0 }
}

#[cfg(test)]
mod tests {
    use aes::cipher::KeyInit as _;
    use proptest::prelude::*;

    use super::*;

    // The published vectors of the draft standard EME-32-AES: everything is zero; these are the ends of the results.
    #[test]
    fn it_agrees_with_the_published_vectors() {
        let cipher = Aes256::new(&[0; 32].into());
        for (direction, first, last) in [
            (
                Direction::Encrypt,
                0x9F2E_6C3D_AECA_E79E_8839_B058_8FF3_78CD_u128,
                0xAC20_9C2C_D3CC_577C_28EE_DAAF_CEDD_89A6_u128,
            ),
            (
                Direction::Decrypt,
                0x0809_05DE_E8EB_CC89_F68B_D1AF_635D_B3F5,
                0x3AF8_04A5_C9DA_B344_20F2_60E4_BD84_0829,
            ),
        ] {
            let mut data = [0; 512];
            assert!(transform(&cipher, 0, &mut data, direction));
            assert_eq!(data[..16], first.to_be_bytes());
            assert_eq!(data[496..], last.to_be_bytes());
        }
    }

    #[test]
    fn parts_of_a_block_and_too_many_blocks_are_refused() {
        let cipher = Aes256::new(&[7; 32].into());
        for length in [0, 1, 15, 17, 129 * 16] {
            let mut data = vec![1; length];
            assert!(!transform(&cipher, 3, &mut data, Direction::Encrypt), "{length}");
            assert_eq!(data, vec![1; length]);
        }
        assert!(transform(&cipher, 3, &mut vec![1; 128 * 16], Direction::Encrypt));
    }

    proptest! {
        #[test]
        fn what_is_encrypted_comes_back(key: [u8; 32], tweak: u128, blocks in proptest::collection::vec(any::<[u8; 16]>(), 1..129)) {
            let cipher = Aes256::new(&key.into());
            let plain = blocks.concat();
            let mut data = plain.clone();
            prop_assert!(transform(&cipher, tweak, &mut data, Direction::Encrypt));
            prop_assert_ne!(&data, &plain);
            prop_assert!(transform(&cipher, tweak, &mut data, Direction::Decrypt));
            prop_assert_eq!(data, plain);
        }
    }
}
