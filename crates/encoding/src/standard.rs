//! Conversion between a backend's stored names and the standard names of the layers above.

use std::borrow::Cow;

use crate::{Encoding, QUOTE, lone_quotes::MarkedName};

impl Encoding {
    /// Returns the standard form of a stored name. A quote that quotes nothing stays one, in both directions. So each
    /// stored name has a standard form of its own, and can be restored from it.
    ///
    /// ```
    /// # use fichier_encoding::Encoding;
    /// assert_eq!(Encoding::FICHIER.to_standard("a＜b＄".as_bytes()).as_ref(), b"a<b$");
    /// assert_eq!(Encoding::FICHIER.to_standard("a／b".as_bytes()).as_ref(), "a／b".as_bytes());
    /// ```
    pub fn to_standard<'a>(&self, stored: &'a [u8]) -> Cow<'a, [u8]> {
        convert(*self, Self::STANDARD, stored)
    }

    /// Returns the stored form of a standard name.
    ///
    /// ```
    /// # use fichier_encoding::Encoding;
    /// assert_eq!(Encoding::FICHIER.from_standard(b"a<b$").as_ref(), "a＜b＄".as_bytes());
    /// ```
    pub fn from_standard<'a>(&self, name: &'a [u8]) -> Cow<'a, [u8]> {
        convert(Self::STANDARD, *self, name)
    }

    /// Returns the stored form of a standard name as text; see [`Encoding::encode_to_string`].
    pub fn from_standard_string(&self, name: &[u8]) -> String {
        self.text(|encoding| encoding.from_standard(name).into_owned())
    }

    /// Returns the standard form of a stored path, name by name between its slashes.
    pub fn to_standard_path<'a>(&self, stored: &'a [u8]) -> Cow<'a, [u8]> {
        name_by_name(stored, |name| self.to_standard(name))
    }

    /// Returns the stored form of a standard path, name by name between its slashes.
    ///
    /// ```
    /// # use fichier_encoding::Encoding;
    /// let stored = Encoding::FICHIER.from_standard_path(b"a / b");
    /// assert_eq!(stored.as_ref(), "a␠/␠b".as_bytes());
    /// ```
    pub fn from_standard_path<'a>(&self, path: &'a [u8]) -> Cow<'a, [u8]> {
        name_by_name(path, |name| self.from_standard(name))
    }
}

fn convert(from: Encoding, to: Encoding, name: &[u8]) -> Cow<'_, [u8]> {
    if from == to {
        return Cow::Borrowed(name);
    }
    if from != Encoding::RAW && holds_quote(name) {
        return Cow::Owned(MarkedName::decode(from, name).encode(to));
    }
    match from.decode(name) {
        Cow::Borrowed(plain) if std::ptr::eq(plain, name) => to.encode(name),
        plain => Cow::Owned(to.encode(&plain).into_owned()),
    }
}

fn holds_quote(name: &[u8]) -> bool {
    name.utf8_chunks().any(|chunk| chunk.valid().contains(QUOTE))
}

fn name_by_name<'a>(path: &'a [u8], convert: impl Fn(&'a [u8]) -> Cow<'a, [u8]>) -> Cow<'a, [u8]> {
    let names: Vec<Cow<'a, [u8]>> = path.split(|byte| *byte == b'/').map(convert).collect();
    let joined = names.join(&b'/');
    if joined == path { Cow::Borrowed(path) } else { Cow::Owned(joined) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus;
    use proptest::prelude::*;

    // Measured: rclone doesn't tidy a stored name either when its encoding is the standard one.
    #[test]
    fn the_same_encoding_on_both_sides_changes_nothing() {
        for name in corpus::nasty_names() {
            assert_eq!(Encoding::STANDARD.to_standard(&name), name);
            assert_eq!(Encoding::STANDARD.from_standard(&name), name);
        }
    }

    #[test]
    fn empty_names_of_a_path_stay() {
        let path = b"/a//b/";
        assert!(matches!(Encoding::FICHIER.from_standard_path(path), Cow::Borrowed(p) if p == path));
    }

    /// Sends a name from a disk to the service and back.
    fn there_and_back(name: &[u8]) -> Vec<u8> {
        let stored = Encoding::FICHIER.from_standard_string(&Encoding::LOCAL_UNIX.to_standard(name));
        Encoding::LOCAL_UNIX.from_standard(&Encoding::FICHIER.to_standard(stored.as_bytes())).into_owned()
    }

    #[test]
    fn names_of_quotes_come_back_from_the_service() {
        for name in ["‛", "‛‛", "‛‛‛", "a‛b", "a‛‛b", "‛＜", "‛<", "‛FF", "‛E2‛80‛9B", "‛\u{ff0e}", "‛.empty"]
        {
            assert_eq!(String::from_utf8_lossy(&there_and_back(name.as_bytes())), name);
        }
        // The service stores what rclone stores, and what it can't copy stays readable.
        for (name, stored) in
            [("‛‛", "‛‛"), ("a‛‛b", "a‛‛b"), ("‛", "‛"), ("it‛s", "it‛s"), ("‛＜", "‛E2‛80‛9B‛＜")]
        {
            let standard = Encoding::LOCAL_UNIX.to_standard(name.as_bytes()).into_owned();
            assert_eq!(Encoding::FICHIER.from_standard_string(&standard), stored, "{name}");
        }
    }

    #[test]
    fn all_nasty_names_of_a_disk_come_back_from_the_service() {
        for name in corpus::nasty_file_names() {
            assert_eq!(there_and_back(&name), name, "{}", String::from_utf8_lossy(&name));
        }
    }

    proptest! {
        #[test]
        fn each_name_of_a_disk_comes_back_from_the_service(name in corpus::strategies::name()) {
            let possible = !name.contains(&b'/') && !name.contains(&0) && name != b"." && name != b"..";
            prop_assume!(possible && !name.is_empty());
            prop_assert_eq!(there_and_back(&name), name);
        }

        #[test]
        fn a_standard_name_comes_back(name in corpus::strategies::name(), bits in 0u64..1 << 29) {
            let encoding = Encoding::from_bits(bits);
            let standard = Encoding::STANDARD.encode(&name).into_owned();
            let stored = encoding.from_standard(&standard).into_owned();
            prop_assert_eq!(encoding.to_standard(&stored).into_owned(), standard);
        }

        #[test]
        fn a_standard_path_comes_back(names in prop::collection::vec(corpus::strategies::name(), 0..5)) {
            let standard = names.iter().map(|name| Encoding::STANDARD.encode(name)).collect::<Vec<_>>().join(&b'/');
            let stored = Encoding::FICHIER.from_standard_path(&standard).into_owned();
            prop_assert_eq!(Encoding::FICHIER.to_standard_path(&stored).into_owned(), standard);
        }

        #[test]
        fn text_equals_bytes(name in corpus::strategies::name()) {
            let text = Encoding::FICHIER.from_standard_string(&name);
            prop_assert_eq!(text.into_bytes(), Encoding::FICHIER.from_standard(&name).into_owned());
        }
    }
}
