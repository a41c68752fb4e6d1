//! Decides which names of the two sides of a folder mean the same.
//!
//! macOS writes `é` as two characters, others as one, and some systems treat capitals and small letters alike. A name
//! that both sides have byte for byte always matches itself. Only the names left after that are matched by their form,
//! one to one, so that two forms in one folder stay two files.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use fichier_storage::{Location, Name, RemotePath};
use icu_normalizer::ComposingNormalizerBorrowed;

/// Rule by which names count as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NameMatching {
    /// Treats letters with accents as different when they are written in different ways.
    pub exact_forms: bool,
    /// Treats capitals and small letters as the same.
    pub ignore_case: bool,
    /// What happens to a destination's name that is spelled in another way than the source's.
    pub respelling: Respelling,
}

/// What happens to a destination's name that is spelled in another way than the source's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Respelling {
    /// The name stays.
    #[default]
    Keep,
    /// The name stays, and a line in the log says what it would become.
    Tell,
    /// The name becomes that of the source.
    Rename,
}

impl NameMatching {
    /// Returns the rule for a destination, which may treat capitals and small letters alike.
    pub(crate) fn at(self, destination: &Location) -> Self {
        Self { ignore_case: self.ignore_case || destination.remote.info().names.case_insensitive, ..self }
    }

    /// Returns the key that is equal for names that count as one.
    pub(crate) fn key(self, name: &Name) -> Cow<'_, [u8]> {
        self.key_of(name.as_bytes())
    }

    /// Returns the key that is equal for paths that count as one.
    #[must_use]
    pub fn path_key(self, path: &RemotePath) -> Vec<u8> {
        self.key_of(path.as_bytes()).into_owned()
    }

    fn key_of(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        if bytes.is_ascii() {
            return match self.ignore_case {
                true => Cow::Owned(bytes.to_ascii_lowercase()),
                false => Cow::Borrowed(bytes),
            };
        }
        // Bytes that aren't text have no forms.
        let Ok(text) = std::str::from_utf8(bytes) else { return Cow::Borrowed(bytes) };
        let text = match self.exact_forms {
            true => Cow::Borrowed(text),
            false => ComposingNormalizerBorrowed::new_nfc().normalize(text),
        };
        match self.ignore_case {
            true => Cow::Owned(text.to_lowercase().into_bytes()),
            false => Cow::Owned(text.into_owned().into_bytes()),
        }
    }

    /// Finds, for names of the source that the destination doesn't have, the name that means the same there. Files are
    /// matched with files and folders with folders first; then what is left is matched with anything.
    pub(crate) fn counterparts(self, source: &Sides<'_>, destination: &Sides<'_>) -> BTreeMap<Name, Name> {
        let alone =
            |name: &Name, other: &Sides<'_>| !other.files.contains(name) && !other.folders.contains(name);
        let left = |names: &BTreeSet<&Name>, other| -> Vec<Name> {
            names.iter().filter(|name| alone(name, other)).map(|name| (*name).clone()).collect()
        };
        let here = [left(&source.files, destination), left(&source.folders, destination)];
        let mut there = [BTreeMap::new(), BTreeMap::new()];
        for (spare, names) in there.iter_mut().zip([&destination.files, &destination.folders]) {
            // Of several, the first in alphabetical order is taken first.
            for name in left(names, source).into_iter().rev() {
                let key = self.key(&name).into_owned();
                spare.entry(key).or_insert_with(Vec::new).push(name);
            }
        }
        let mut found = BTreeMap::new();
        for (kind, other) in [(0, 0), (1, 1), (0, 1), (1, 0)] {
            for name in &here[kind] {
                if found.contains_key(name) || there[other].is_empty() {
                    continue;
                }
                if let Some(counterpart) = there[other].get_mut(&*self.key(name)).and_then(Vec::pop) {
                    found.insert(name.clone(), counterpart);
                }
            }
        }
        found
    }
}

/// Names on one side of a folder.
pub(crate) struct Sides<'a> {
    pub(crate) files: BTreeSet<&'a Name>,
    pub(crate) folders: BTreeSet<&'a Name>,
}

impl<'a> Sides<'a> {
    /// Collects the names of files and folders.
    pub(crate) fn of<F, D>(files: &'a BTreeMap<Name, F>, folders: &'a BTreeMap<Name, D>) -> Self {
        Self { files: files.keys().collect(), folders: folders.keys().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(
        matching: NameMatching,
        [files, folders]: [&[&str]; 2],
        [to, into]: [&[&str]; 2],
    ) -> Vec<(String, String)> {
        let map = |names: &[&str]| -> BTreeMap<Name, ()> {
            names.iter().map(|name| (Name::new(*name).unwrap(), ())).collect()
        };
        let (files, folders, to, into) = (map(files), map(folders), map(to), map(into));
        let found = matching.counterparts(&Sides::of(&files, &folders), &Sides::of(&to, &into));
        found.into_iter().map(|(name, other)| (name.to_string(), other.to_string())).collect()
    }

    const COMPOSED: &str = "\u{e9}";
    const DECOMPOSED: &str = "e\u{301}";

    #[test]
    fn forms_of_one_letter_are_matched_unless_they_are_to_be_told_apart() {
        let forms = NameMatching::default();
        let pair = [(DECOMPOSED.to_owned(), COMPOSED.to_owned())];
        assert_eq!(found(forms, [&[DECOMPOSED], &[]], [&[COMPOSED], &[]]), pair);
        assert_eq!(found(forms, [&[], &[DECOMPOSED]], [&[], &[COMPOSED]]), pair);
        let exact = NameMatching { exact_forms: true, ..forms };
        assert_eq!(found(exact, [&[DECOMPOSED], &[]], [&[COMPOSED], &[]]), []);
        assert_eq!(found(forms, [&["a"], &[]], [&["A"], &[]]), []);
        let any_case = NameMatching { ignore_case: true, ..forms };
        assert_eq!(found(any_case, [&["a"], &[]], [&["A"], &[]]), [("a".to_owned(), "A".to_owned())]);
        assert_eq!(found(any_case, [&["E\u{301}"], &[]], [&[COMPOSED], &[]]).len(), 1);
    }

    #[test]
    fn two_forms_in_one_folder_stay_two() {
        let forms = NameMatching::default();
        // The one that is equal byte for byte matches; the other has no counterpart.
        assert_eq!(found(forms, [&[COMPOSED, DECOMPOSED], &[]], [&[COMPOSED], &[]]), []);
        assert_eq!(found(forms, [&[COMPOSED], &[]], [&[COMPOSED, DECOMPOSED], &[]]), []);
        let any_case = NameMatching { ignore_case: true, ..forms };
        assert_eq!(
            found(any_case, [&["ab", "aB"], &[]], [&["AB"], &[]]),
            [("aB".to_owned(), "AB".to_owned())]
        );
    }

    #[test]
    fn files_are_matched_with_files_first() {
        let any_case = NameMatching { ignore_case: true, ..NameMatching::default() };
        assert_eq!(found(any_case, [&["a"], &["b"]], [&["B"], &["A"]]).len(), 2);
        let one = found(any_case, [&["a"], &["A"]], [&[], &["aA", "aa"]]);
        assert_eq!(one, []);
        assert_eq!(found(any_case, [&["ab"], &["aB"]], [&[], &["AB"]]), [("aB".to_owned(), "AB".to_owned())]);
    }
}
