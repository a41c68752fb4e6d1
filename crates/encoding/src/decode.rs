//! Decoding: stored name to plain name.

use std::borrow::Cow;

use crate::Encoding;
use crate::lone_quotes::LONE_QUOTE;
use crate::rewrite::{Rewrite, Unit, units};
use crate::table::{Place, QUOTE};

impl Encoding {
    /// Returns the plain form of a stored name: the inverse of [`Encoding::encode`]. Borrowed when nothing changes.
    ///
    /// Names that no encoder made are read as they are: a quote before something that needs none stays.
    ///
    /// ```
    /// # use fichier_encoding::Encoding;
    /// assert_eq!(Encoding::FICHIER.decode("what＇s up‛FF".as_bytes()).as_ref(), b"what's up\xff");
    /// assert_eq!(Encoding::FICHIER.decode("‛＇ ‛x".as_bytes()).as_ref(), "＇ ‛x".as_bytes());
    /// ```
    pub fn decode<'a>(&self, stored: &'a [u8]) -> Cow<'a, [u8]> {
        self.decode_marking(stored, |_| {})
    }

    /// Decodes as [`Encoding::decode`] does, and reports the positions in the plain name of quotes that quote
    /// nothing: see [`lone_quotes`](crate::lone_quotes).
    pub(crate) fn decode_marking<'a>(&self, stored: &'a [u8], mut mark: impl FnMut(usize)) -> Cow<'a, [u8]> {
        if *self == Self::RAW {
            return Cow::Borrowed(stored);
        }
        if self.contains(Self::DOT)
            && let Some(plain) = self.decode_dots(stored)
        {
            return Cow::Borrowed(plain);
        }
        let mut plain = Rewrite::new(stored);
        let mut units = units(stored).peekable();
        while let Some((range, unit)) = units.next() {
            let Unit::Char(character) = unit else { continue };
            let first = range.start == 0;
            if character != QUOTE {
                let place = Place { first, last: range.end == stored.len() };
                if let Some(original) = self.stands_for(character, place) {
                    plain.replace_by_char(range, original);
                }
                continue;
            }
            let has_form = *self == Self::STANDARD || self.contains(Self::INVALID_UTF8);
            if has_form && stored[range.start..].starts_with(LONE_QUOTE) {
                mark(plain.position(range.start));
                plain.replace_by_char(range.start..range.start + LONE_QUOTE.len(), QUOTE);
                // Three quotes and the two digits of each are read; the first quote was taken above.
                let _rest_of_it = units.by_ref().take(8).count();
                continue;
            }
            if let Some(byte) = self.quoted_byte(&stored[range.end..]) {
                plain.replace(range.start..range.end + 2, &[byte]);
                units.next();
                units.next();
                continue;
            }
            let quotes_next = match units.peek() {
                Some((next_range, Unit::Char(next))) => {
                    let place = Place { first, last: next_range.end == stored.len() };
                    *next == QUOTE || self.stands_for(*next, place).is_some()
                }
                _ => false,
            };
            if quotes_next {
                plain.replace(range, b"");
                units.next();
            } else {
                mark(plain.position(range.start));
            }
        }
        plain.finish()
    }

    fn decode_dots(self, stored: &[u8]) -> Option<&'static [u8]> {
        let plain = match std::str::from_utf8(stored).ok()? {
            "．" => ".",
            "．．" => "..",
            "‛．" => "．",
            "‛．‛．" => "．．",
            "‛．．" if self.contains(Self::RIGHT_PERIOD) => "．.",
            "．‛．" if self.contains(Self::LEFT_PERIOD) => ".．",
            _ => return None,
        };
        Some(plain.as_bytes())
    }

    /// Reads the byte that the two hexadecimal digits at the start of `rest` mean, in either case as rclone does.
    fn quoted_byte(self, rest: &[u8]) -> Option<u8> {
        let [high, low, ..] = rest else { return None };
        if !self.contains(Self::INVALID_UTF8) {
            return None;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus;
    use proptest::prelude::*;

    fn decoded(encoding: Encoding, stored: &str) -> String {
        String::from_utf8_lossy(&encoding.decode(stored.as_bytes())).into_owned()
    }

    #[test]
    fn a_name_without_look_alikes_is_borrowed() {
        assert!(matches!(Encoding::FICHIER.decode("Été 2024 (1).jpg".as_bytes()), Cow::Borrowed(_)));
    }

    #[test]
    fn a_quote_belongs_to_what_follows_it_from_left_to_right() {
        assert_eq!(decoded(Encoding::FICHIER, "a‛‛␠"), "a‛ ");
        assert_eq!(decoded(Encoding::FICHIER, "a‛‛‛␠"), "a‛␠");
        assert_eq!(decoded(Encoding::FICHIER, "‛‛‛FF"), "‛\u{fffd}");
        assert_eq!(decoded(Encoding::FICHIER, "‛‛FF"), "‛FF");
    }

    #[test]
    fn a_quote_before_nothing_to_quote_stays() {
        for stored in ["‛", "a‛", "‛a", "‛：", "a‛␠b", "‛G0", "‛F"] {
            assert_eq!(decoded(Encoding::FICHIER, stored), stored);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_decoded(stored: Vec<u8>, bits: u64) {
            let plain = Encoding::from_bits(bits).decode(&stored).into_owned();
            prop_assert!(plain.len() <= stored.len());
        }

        #[test]
        fn a_second_round_changes_nothing(stored in corpus::strategies::name(), bits in 0u64..1 << 29) {
            let encoding = Encoding::from_bits(bits);
            let plain = encoding.decode(&stored).into_owned();
            let again = encoding.decode(&encoding.encode(&plain)).into_owned();
            prop_assert_eq!(again, plain);
        }
    }
}
