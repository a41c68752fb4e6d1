//! Gzip of which little becomes much: what a hostile service could answer. Written by hand, since nothing else here
//! compresses.

/// Number of bytes that one repetition represents: the longest that the format has.
const REPEATED: usize = 258;

/// Bits from the lowest on, as Deflate packs them.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    filled: u8,
}

impl Bits {
    fn push(&mut self, bit: bool) {
        if self.filled == 0 {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << self.filled;
        }
        self.filled = (self.filled + 1) % 8;
    }

    /// Writes a code of the fixed table, its highest bit first.
    fn code(&mut self, code: u16, length: u32) {
        (0..length).rev().for_each(|place| self.push(code >> place & 1 == 1));
    }

    /// Writes a byte below 144.
    fn literal(&mut self, byte: u8) {
        self.code(0x30 + u16::from(byte), 8);
    }
}

/// Returns gzip that begins with this text and goes on with `[`, in all at least so many bytes. The checksum at its end
/// is wrong: nobody should read that far.
pub(crate) fn gzip_bomb(start: &str, length: usize) -> Vec<u8> {
    let mut bits = Bits { bytes: vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], filled: 0 };
    // The last block, with the fixed table.
    [true, true, false].into_iter().for_each(|bit| bits.push(bit));
    start.bytes().for_each(|byte| bits.literal(byte));
    bits.literal(b'[');
    for _ in 0..length / REPEATED {
        // 258 bytes, as the one before.
        bits.code(0b1100_0101, 8);
        bits.code(0, 5);
    }
    bits.code(0, 7);
    bits.bytes.extend([0; 8]);
    bits.bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_stands_for_much() {
        let bomb = gzip_bomb("{", 1 << 20);
        assert!(bomb.len() < 8000, "{}", bomb.len());
    }
}
