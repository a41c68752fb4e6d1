//! Encoding: plain name to stored name.

use std::borrow::Cow;

use crate::Encoding;
use crate::rewrite::{Rewrite, Unit, units};
use crate::table::{Place, QUOTE};

impl Encoding {
    /// Returns the stored form of a plain name. Borrowed when nothing has to change.
    ///
    /// The output is UTF-8 whenever the set holds [`Encoding::INVALID_UTF8`] or the name is UTF-8 itself.
    ///
    /// ```
    /// # use fichier_encoding::Encoding;
    /// assert_eq!(Encoding::FICHIER.encode(b"what's up?").as_ref(), "what＇s up?".as_bytes());
    /// assert_eq!(Encoding::FICHIER.encode("＇".as_bytes()).as_ref(), "‛＇".as_bytes());
    /// ```
    pub fn encode<'a>(&self, name: &'a [u8]) -> Cow<'a, [u8]> {
        self.encode_quotes(name, |_| None)
    }

    /// Encodes as [`Encoding::encode`] does, with a form of its own for some of the quotes, by their position in the
    /// name.
    pub(crate) fn encode_quotes<'a>(
        &self,
        name: &'a [u8],
        form: impl Fn(usize) -> Option<&'static [u8]>,
    ) -> Cow<'a, [u8]> {
        if *self == Self::RAW {
            return Cow::Borrowed(name);
        }
        if self.contains(Self::DOT)
            && let Some(stored) = self.encode_dots(name)
        {
            return Cow::Borrowed(stored);
        }
        let mut stored = Rewrite::new(name);
        for (range, unit) in units(name) {
            match unit {
                Unit::Char(character) => {
                    let place = Place { first: range.start == 0, last: range.end == name.len() };
                    if character == QUOTE
                        && let Some(form) = form(range.start)
                    {
                        stored.replace(range, form);
                    } else if let Some(look_alike) = self.look_alike(character, place) {
                        stored.replace_by_char(range, look_alike);
                    } else if character == QUOTE || self.stands_for(character, place).is_some() {
                        stored.replace_by_char(range.start..range.start, QUOTE);
                    }
                }
                Unit::Invalid(byte) if self.contains(Self::INVALID_UTF8) => {
                    stored.replace(range, format!("{QUOTE}{byte:02X}").as_bytes());
                }
                Unit::Invalid(_) => {}
            }
        }
        stored.finish()
    }

    fn encode_dots(self, name: &[u8]) -> Option<&'static [u8]> {
        let stored = match name {
            b"." => "．",
            b".." => "．．",
            _ => match std::str::from_utf8(name).ok()? {
                "．" => "‛．",
                "．．" => "‛．‛．",
                // With one of its dots replaced it would look like `..` replaced.
                "．." if self.contains(Self::RIGHT_PERIOD) => "‛．．",
                ".．" if self.contains(Self::LEFT_PERIOD) => "．‛．",
                _ => return None,
            },
        };
        Some(stored.as_bytes())
    }

    /// Returns the stored form as text, for a service that speaks JSON.
    ///
    /// Bytes that aren't UTF-8 are always written as `‛XX` here, as if [`Encoding::INVALID_UTF8`] was set.
    ///
    /// ```
    /// # use fichier_encoding::Encoding;
    /// assert_eq!(Encoding::FICHIER.encode_to_string(b"caf\xe9"), "caf‛E9");
    /// ```
    pub fn encode_to_string(&self, name: &[u8]) -> String {
        self.text(|encoding| encoding.encode(name).into_owned())
    }

    /// Returns the result of this encoding for a name, as text: bytes that aren't UTF-8 are always quoted.
    pub(crate) fn text(&self, encode: impl Fn(Self) -> Vec<u8>) -> String {
        String::from_utf8(encode(*self))
            .unwrap_or_else(|_| String::from_utf8_lossy(&encode(self.union(Self::INVALID_UTF8))).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus;
    use proptest::prelude::*;

    const EDGES: [(Encoding, &[u8], bool); 8] = [
        (Encoding::LEFT_SPACE, b" ", true),
        (Encoding::LEFT_PERIOD, b".", true),
        (Encoding::LEFT_TILDE, b"~", true),
        (Encoding::LEFT_CR_LF_HT_VT, b"\t\n\x0b\r", true),
        (Encoding::RIGHT_SPACE, b" ", false),
        (Encoding::RIGHT_PERIOD, b".", false),
        (Encoding::RIGHT_CR_LF_HT_VT, b"\t\n\x0b\r", false),
        (Encoding::DOT, b"", false),
    ];

    const EVERYWHERE: [(Encoding, &[u8]); 20] = [
        (Encoding::NONE, b"\0"),
        (Encoding::SLASH, b"/"),
        (Encoding::LT_GT, b"<>"),
        (Encoding::DOUBLE_QUOTE, b"\""),
        (Encoding::SINGLE_QUOTE, b"'"),
        (Encoding::BACK_QUOTE, b"`"),
        (Encoding::DOLLAR, b"$"),
        (Encoding::COLON, b":"),
        (Encoding::QUESTION, b"?"),
        (Encoding::ASTERISK, b"*"),
        (Encoding::PIPE, b"|"),
        (Encoding::HASH, b"#"),
        (Encoding::PERCENT, b"%"),
        (Encoding::BACK_SLASH, b"\\"),
        (Encoding::CR_LF, b"\r\n"),
        (Encoding::DEL, b"\x7f"),
        (Encoding::CTL, b"\x01\x02\x07\x08\t\n\x0b\x0c\r\x1b\x1f"),
        (Encoding::SQUARE_BRACKET, b"[]"),
        (Encoding::SEMICOLON, b";"),
        (Encoding::EXCLAMATION, b"!"),
    ];

    fn assert_clean(encoding: Encoding, stored: &[u8]) {
        if encoding == Encoding::RAW {
            return;
        }
        for (flag, bytes) in EVERYWHERE {
            if encoding.contains(flag) {
                assert!(
                    !stored.iter().any(|byte| bytes.contains(byte)),
                    "{encoding} left {flag} in {stored:?}"
                );
            }
        }
        for (flag, bytes, left) in EDGES {
            let edge = if left { stored.first() } else { stored.last() };
            if encoding.contains(flag) {
                assert!(
                    !edge.is_some_and(|byte| bytes.contains(byte)),
                    "{encoding} left {flag} in {stored:?}"
                );
            }
        }
        if encoding.contains(Encoding::DOT) {
            assert!(stored != b"." && stored != b"..");
        }
        if encoding.contains(Encoding::INVALID_UTF8) {
            assert!(std::str::from_utf8(stored).is_ok(), "{encoding} left bytes in {stored:?}");
        }
    }

    #[test]
    fn a_name_without_anything_special_is_borrowed() {
        assert!(matches!(Encoding::FICHIER.encode("Été 2024 (1).jpg".as_bytes()), Cow::Borrowed(_)));
        assert!(matches!(Encoding::FICHIER.encode(b"a<b"), Cow::Owned(_)));
        assert!(matches!(Encoding::RAW.encode("‛\0".as_bytes()), Cow::Borrowed(_)));
    }

    #[test]
    fn nothing_forbidden_is_left_of_the_nasty_names() {
        for name in corpus::nasty_names() {
            for (flag, _) in Encoding::flags() {
                assert_clean(flag, &flag.encode(&name));
            }
            assert_clean(Encoding::FICHIER, &Encoding::FICHIER.encode(&name));
        }
    }

    proptest! {
        #[test]
        fn nothing_forbidden_is_left(name in corpus::strategies::name(), bits in 0u64..1 << 29) {
            let encoding = Encoding::from_bits(bits);
            assert_clean(encoding, &encoding.encode(&name));
        }

        #[test]
        fn decoding_gives_the_plain_name_back(name in corpus::strategies::name(), bits in 0u64..1 << 29) {
            let encoding = Encoding::from_bits(bits);
            let stored = encoding.encode(&name).into_owned();
            let plain = encoding.decode(&stored).into_owned();
            prop_assert_eq!(plain, name, "{} by {:?}", encoding, stored);
        }

        #[test]
        fn text_is_decoded_to_the_plain_name(name in corpus::strategies::name(), bits in 0u64..1 << 29) {
            let encoding = Encoding::from_bits(bits) | Encoding::INVALID_UTF8;
            let text = encoding.encode_to_string(&name);
            prop_assert_eq!(encoding.decode(text.as_bytes()).into_owned(), name);
        }
    }

    #[test]
    fn every_encoding_of_a_backend_gives_the_nasty_names_back() {
        let all = Encoding::from_bits((1 << 29) - 1);
        let mac = Encoding::LOCAL_UNIX | Encoding::INVALID_UTF8;
        let backends =
            [Encoding::STANDARD, Encoding::FICHIER, Encoding::LOCAL_UNIX, Encoding::LOCAL_WINDOWS, mac, all];
        for name in corpus::nasty_names() {
            for encoding in backends {
                assert_eq!(encoding.decode(&encoding.encode(&name)), name, "{encoding}");
            }
        }
    }

    #[test]
    fn every_single_flag_gives_the_nasty_names_back() {
        for name in corpus::nasty_names() {
            for (flag, _) in Encoding::flags() {
                assert_eq!(flag.decode(&flag.encode(&name)), name, "{flag}");
            }
        }
    }
}
