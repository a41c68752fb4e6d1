//! Text forms of encrypted names: bytes in an alphabet of 32, 64 or 32,768 characters.

/// Text form of encrypted names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextEncoding {
    /// Digits and lower-case letters, in the order of base32hex, without padding: for places where case doesn't matter.
    Base32,
    /// The URL-safe alphabet of base64, without padding.
    Base64,
    /// 15 bits a character: for remotes that count characters, not bytes.
    Base32768,
}

/// Characters of base32768, in runs of blocks of 32: a run's first character, and its blocks.
const RUNS: [(u32, u32); 54] = [
    (0x0180, 1),
    (0x0240, 3),
    (0x04A0, 1),
    (0x0500, 1),
    (0x0680, 2),
    (0x0760, 2),
    (0x07C0, 1),
    (0x1000, 1),
    (0x10A0, 1),
    (0x1100, 3),
    (0x1180, 1),
    (0x11E0, 3),
    (0x1260, 1),
    (0x12E0, 1),
    (0x1320, 1),
    (0x13A0, 2),
    (0x1420, 18),
    (0x16A0, 2),
    (0x1780, 1),
    (0x1820, 2),
    (0x18C0, 1),
    (0x1980, 1),
    (0x19E0, 1),
    (0x1A20, 1),
    (0x1BC0, 1),
    (0x1C00, 1),
    (0x1D00, 1),
    (0x21E0, 1),
    (0x22C0, 1),
    (0x2340, 5),
    (0x2400, 1),
    (0x2500, 19),
    (0x2780, 2),
    (0x2800, 12),
    (0x29A0, 1),
    (0x2A20, 2),
    (0x2A80, 2),
    (0x2AE0, 4),
    (0x2C00, 1),
    (0x2C80, 3),
    (0x2D00, 1),
    (0x2D40, 1),
    (0x2EA0, 2),
    (0x31C0, 1),
    (0x3400, 205),
    (0x4DC0, 656),
    (0xA000, 36),
    (0xA4A0, 1),
    (0xA500, 8),
    (0xA640, 1),
    (0xA6A0, 2),
    (0xA700, 3),
    (0xA780, 1),
    (0xA840, 1),
];

/// Number of characters for tails of up to 7 bits: the first 4 blocks.
const TAILS: u32 = 128;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl TextEncoding {
    /// Writes bytes as text.
    pub(super) fn encode(self, bytes: &[u8]) -> String {
        let width = self.width();
        let mut text = String::new();
        let (mut waiting, mut count) = (0_u32, 0);
        for byte in bytes {
            waiting = waiting << 8 | u32::from(*byte);
            count += 8;
            while count >= width {
                count -= width;
                text.extend(self.character(waiting >> count, false));
                waiting &= (1 << count) - 1;
            }
        }
        if count > 0 {
            let is_tail = self == Self::Base32768 && count <= 7;
            let missing = if is_tail { 7 - count } else { width - count };
            let padding = if self == Self::Base32768 { (1 << missing) - 1 } else { 0 };
            text.extend(self.character(waiting << missing | padding, is_tail));
        }
        text
    }

    /// Reads text; `None` if it has a character outside the alphabet. The last bits aren't checked.
    pub(super) fn decode(self, text: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(text.len());
        let (mut waiting, mut count) = (0_u32, 0);
        for character in text.chars() {
            let (value, width) = self.value(character)?;
            waiting = waiting << width | value;
            count += width;
            while count >= 8 {
                count -= 8;
                bytes.push(u8::try_from(waiting >> count & 0xFF).ok()?);
                waiting &= (1 << count) - 1;
            }
        }
        Some(bytes)
    }

    /// Returns how many characters a number of bytes needs.
    pub(super) fn length(self, bytes: usize) -> usize {
        (bytes * 8).div_ceil(self.width() as usize)
    }

    /// Returns how many bits a character has.
    fn width(self) -> u32 {
        match self {
            Self::Base32 => 5,
            Self::Base64 => 6,
            Self::Base32768 => 15,
        }
    }

    fn character(self, value: u32, is_tail: bool) -> Option<char> {
        match self {
            Self::Base32 => char::from_digit(value, 32),
            Self::Base64 => BASE64.get(value as usize).map(|byte| char::from(*byte)),
            Self::Base32768 => {
                let mut rest = if is_tail { value } else { value + TAILS };
                RUNS.iter().find_map(|&(start, blocks)| {
                    if rest < blocks * 32 {
                        return char::from_u32(start + rest);
                    }
                    rest -= blocks * 32;
                    None
                })
            }
        }
    }

    /// Returns the value of a character, and how many bits that has.
    fn value(self, character: char) -> Option<(u32, u32)> {
        let value = match self {
            Self::Base32 => character.to_digit(32)?,
            Self::Base64 => {
                let byte = u8::try_from(character).ok()?;
                u32::try_from(BASE64.iter().position(|known| *known == byte)?).ok()?
            }
            Self::Base32768 => {
                let code = u32::from(character);
                let mut before = 0;
                let place = RUNS.iter().find_map(|&(start, blocks)| {
                    let inside = code.checked_sub(start).filter(|inside| *inside < blocks * 32);
                    let place = inside.map(|inside| before + inside);
                    before += blocks * 32;
                    place
                })?;
                return Some(place.checked_sub(TAILS).map_or((place, 7), |value| (value, 15)));
            }
        };
        Some((value, self.width()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [TextEncoding; 3] = [TextEncoding::Base32, TextEncoding::Base64, TextEncoding::Base32768];

    #[test]
    fn the_repertoire_has_1028_blocks_in_order() {
        assert_eq!(RUNS.iter().map(|(_, blocks)| blocks).sum::<u32>(), 1028);
        assert!(RUNS.windows(2).all(|pair| pair[0].0 + 32 * pair[0].1 < pair[1].0));
    }

    #[test]
    fn text_is_as_the_standards_say() {
        let [base32, base64, base32768] = ALL;
        assert_eq!(base32.encode(b"foobar"), "cpnmuoj1e8");
        assert_eq!(base32.decode("CPNMUOJ1E8").unwrap(), b"foobar");
        assert_eq!(base64.encode(b"\xfb\xff\xfe"), "-__-");
        // All bits set, and a tail of one bit padded with ones.
        assert_eq!(base32768.encode(&[0xFF; 2]), "ꡟʟ");
        assert_eq!(base32768.encode(&[0; 2]), "ҠƟ".replace('Ɵ', "\u{25F}"));
        for text in ["w", "=", "é"] {
            assert_eq!(base32.decode(text), None, "{text}");
        }
        assert_eq!(base64.decode("a+b"), None);
        assert_eq!(base32768.decode("a"), None);
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            for encoding in ALL {
                let text = encoding.encode(&bytes);
                prop_assert_eq!(text.chars().count(), encoding.length(bytes.len()));
                prop_assert_eq!(encoding.decode(&text), Some(bytes.clone()));
            }
        }

        #[test]
        fn nothing_panics(text in ".{0,40}") {
            for encoding in ALL {
                let _ = encoding.decode(&text);
            }
        }
    }
}
