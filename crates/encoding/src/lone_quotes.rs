//! Quotes that quote nothing: `a‛b` on a disk, which no encoder wrote.
//!
//! Decoding alone makes the plain `a‛b` of it, and of `a‛‛b` as well. Between two encodings such quotes are marked,
//! so that each of the two names comes back as it was.

use crate::Encoding;

/// Form of a quote that quotes nothing, in a place where it would quote what follows: its bytes, each as a byte that
/// isn't UTF-8. No encoder writes these three in a row, since together they are a character. Names in the standard
/// form have it, too, though they have no other bytes of this kind.
pub(crate) const LONE_QUOTE: &[u8] = "‛E2‛80‛9B".as_bytes();

/// Form of such a quote in other places.
const BARE_QUOTE: &[u8] = "‛".as_bytes();

/// A plain name that knows which of its quotes quoted nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MarkedName {
    plain: Vec<u8>,
    /// Positions of these quotes, in order.
    lone: Vec<usize>,
}

impl MarkedName {
    /// Decodes a stored name.
    pub(crate) fn decode(encoding: Encoding, stored: &[u8]) -> Self {
        let mut lone = Vec::new();
        let plain = encoding.decode_marking(stored, |at| lone.push(at)).into_owned();
        Self { plain, lone }
    }

    /// Encodes the name so that decoding gives the same name again.
    pub(crate) fn encode(&self, encoding: Encoding) -> Vec<u8> {
        let with = |form: &'static [u8]| {
            let form = |at: usize| self.lone.binary_search(&at).is_ok().then_some(form);
            encoding.encode_quotes(&self.plain, form).into_owned()
        };
        let comes_back = |stored: &Vec<u8>| Self::decode(encoding, stored) == *self;
        if self.lone.is_empty() {
            return encoding.encode(&self.plain).into_owned();
        }
        let forms = [BARE_QUOTE, LONE_QUOTE].map(with);
        let found = forms.into_iter().find(comes_back);
        // The encoding has no form for it, so the quote is written as what it means.
        found.unwrap_or_else(|| encoding.encode(&self.plain).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus;

    fn lone(stored: &str) -> Vec<usize> {
        MarkedName::decode(Encoding::FICHIER, stored.as_bytes()).lone
    }

    #[test]
    fn quotes_that_quote_nothing_are_told_from_those_that_do() {
        assert_eq!(lone("‛"), [0]);
        assert_eq!(lone("‛‛"), []);
        assert_eq!(lone("‛‛‛"), [3]);
        assert_eq!(lone("a‛b‛FF‛"), [1, 6]);
        assert_eq!(lone("‛E2‛80‛9Bx‛‛"), [0]);
        assert_eq!(lone("‛E2‛80‛9"), [2]);
    }

    #[test]
    fn marked_names_come_back_in_every_encoding_that_has_a_form_for_all_bytes() {
        for name in corpus::nasty_names() {
            let marked = MarkedName::decode(Encoding::LOCAL_UNIX, &name);
            for encoding in [Encoding::STANDARD, Encoding::FICHIER, Encoding::LOCAL_WINDOWS] {
                let stored = marked.encode(encoding);
                assert_eq!(MarkedName::decode(encoding, &stored), marked, "{encoding}: {stored:?}");
            }
        }
    }
}
