//! Table of replacements: each character and its look-alike.

use crate::Encoding;

/// Quote before a look-alike that is meant literally, and before the bytes of invalid UTF-8 (U+201B).
pub const QUOTE: char = '‛';

/// Printable ASCII characters with the flag that replaces each by its full-width form.
const FULL_WIDTH: &[(char, Encoding)] = &[
    ('/', Encoding::SLASH),
    ('<', Encoding::LT_GT),
    ('>', Encoding::LT_GT),
    ('"', Encoding::DOUBLE_QUOTE),
    ('\'', Encoding::SINGLE_QUOTE),
    ('`', Encoding::BACK_QUOTE),
    ('$', Encoding::DOLLAR),
    (':', Encoding::COLON),
    ('?', Encoding::QUESTION),
    ('*', Encoding::ASTERISK),
    ('|', Encoding::PIPE),
    ('#', Encoding::HASH),
    ('%', Encoding::PERCENT),
    ('\\', Encoding::BACK_SLASH),
    ('[', Encoding::SQUARE_BRACKET),
    (']', Encoding::SQUARE_BRACKET),
    (';', Encoding::SEMICOLON),
    ('!', Encoding::EXCLAMATION),
];

/// Position of a character in a name. In a name of one character both are set.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    pub(crate) first: bool,
    pub(crate) last: bool,
}

impl Encoding {
    /// Returns the look-alike of `plain` at this place; `None` if it isn't replaced.
    pub(crate) fn look_alike(self, plain: char, place: Place) -> Option<char> {
        if plain > '\x7f' {
            return None;
        }
        self.replaces(plain, place).then(|| look_alike_of(plain))
    }

    /// Returns the character that `look_alike` means at this place; `None` if it means itself.
    pub(crate) fn stands_for(self, look_alike: char, place: Place) -> Option<char> {
        let plain = plain_of(look_alike)?;
        self.replaces(plain, place).then_some(plain)
    }

    fn replaces(self, plain: char, place: Place) -> bool {
        if plain == '\0' {
            return true;
        }
        let everywhere = match plain {
            '\x7f' => self.contains(Self::DEL),
            '\r' | '\n' => self.contains(Self::CR_LF) || self.contains(Self::CTL),
            '\x01'..='\x1f' => self.contains(Self::CTL),
            _ => FULL_WIDTH.iter().any(|(character, flag)| *character == plain && self.contains(*flag)),
        };
        let edge = |left: Encoding, right: Encoding| {
            (place.first && self.contains(left)) || (place.last && self.contains(right))
        };
        everywhere
            || match plain {
                ' ' => edge(Self::LEFT_SPACE, Self::RIGHT_SPACE),
                '.' => edge(Self::LEFT_PERIOD, Self::RIGHT_PERIOD),
                '~' => place.first && self.contains(Self::LEFT_TILDE),
                '\t' | '\n' | '\x0b' | '\r' => edge(Self::LEFT_CR_LF_HT_VT, Self::RIGHT_CR_LF_HT_VT),
                _ => false,
            }
    }
}

/// Returns the look-alike of a character. Control characters and the space have pictures (U+2400 and on), the rest
/// full-width forms (U+FF01 and on).
fn look_alike_of(plain: char) -> char {
    let code = u32::from(plain);
    let code = match plain {
        '\0'..=' ' => 0x2400 + code,
        '\x7f' => 0x2421,
        _ => 0xFEE0 + code,
    };
    char::from_u32(code).unwrap_or(plain)
}

fn plain_of(look_alike: char) -> Option<char> {
    let code = u32::from(look_alike);
    match look_alike {
        '␀'..='␠' => char::from_u32(code - 0x2400),
        '␡' => Some('\x7f'),
        '！'..='～' => char::from_u32(code - 0xFEE0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ascii_character_has_a_look_alike_of_its_own() {
        for code in 0..=0x7fu8 {
            let plain = char::from(code);
            assert_eq!(plain_of(look_alike_of(plain)), Some(plain));
        }
    }

    #[test]
    fn only_nul_is_replaced_without_a_flag() {
        let place = Place { first: true, last: true };
        let replaced: Vec<u8> =
            (0..=0x7f).filter(|code| Encoding::NONE.look_alike(char::from(*code), place).is_some()).collect();
        assert_eq!(replaced, [0]);
    }
}
