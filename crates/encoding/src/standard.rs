//! Between a backend's stored names and the standard names of the layers above.

use std::borrow::Cow;

use crate::Encoding;

impl Encoding {
    /// The standard form of a stored name.
    ///
    /// ```
    /// # use fichier_encoding::Encoding;
    /// assert_eq!(Encoding::FICHIER.to_standard("a＜b＄".as_bytes()).as_ref(), b"a<b$");
    /// assert_eq!(Encoding::FICHIER.to_standard("a／b".as_bytes()).as_ref(), "a／b".as_bytes());
    /// ```
    pub fn to_standard<'a>(&self, stored: &'a [u8]) -> Cow<'a, [u8]> {
        convert(*self, Self::STANDARD, stored)
    }

    /// The stored form of a standard name.
    ///
    /// ```
    /// # use fichier_encoding::Encoding;
    /// assert_eq!(Encoding::FICHIER.from_standard(b"a<b$").as_ref(), "a＜b＄".as_bytes());
    /// ```
    pub fn from_standard<'a>(&self, name: &'a [u8]) -> Cow<'a, [u8]> {
        convert(Self::STANDARD, *self, name)
    }

    /// The stored form of a standard name as text; see [`Encoding::encode_to_string`].
    pub fn from_standard_string(&self, name: &[u8]) -> String {
        self.encode_to_string(&Self::STANDARD.decode(name))
    }

    /// The standard form of a stored path, name by name between its slashes.
    pub fn to_standard_path<'a>(&self, stored: &'a [u8]) -> Cow<'a, [u8]> {
        name_by_name(stored, |name| self.to_standard(name))
    }

    /// The stored form of a standard path, name by name between its slashes.
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
    match from.decode(name) {
        Cow::Borrowed(plain) if std::ptr::eq(plain, name) => to.encode(name),
        plain => Cow::Owned(to.encode(&plain).into_owned()),
    }
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

    proptest! {
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
