//! Names between the wire and the rest of the program: decoded on the first line after the wire, encoded on
//! the last before it.
//!
//! The stand-ins for empty files are here, too, since only their stored names identify them.

use fichier_encoding::Encoding;
use fichier_storage::{InvalidName, Name, NameLength};

/// Ending of a stand-in's stored name. The quote rune can't stand before a plain `.` in a name that the encoding made,
/// so no other stored name ends like this, unless its own quote runes are doubled.
const STAND_IN_SUFFIX: &str = "‛.empty";

/// The longest name of a folder (API document, section 2). How long a file's may be isn't known.
pub(super) const LONGEST_FOLDER: NameLength = NameLength::Characters(250);

/// The quote rune in another form that the encoding reads, where it quotes nothing.
const LONE_QUOTE: &str = "‛E2‛80‛9B";

/// The quote rune of the encoding.
const QUOTE: char = '‛';

/// The one byte in a stand-in.
pub(super) const STAND_IN_BYTES: &[u8] = b"\0";

/// A name from the wire, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) name: Name,
    /// Whether it is a stand-in for an empty file.
    pub(super) stands_for_empty: bool,
}

/// How names are stored at the service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    pub(super) encoding: Encoding,
    /// Whether stand-ins for empty files are read and written.
    pub(super) stand_ins: bool,
}

impl Names {
    /// Returns the stored form of a name.
    pub(super) fn encode(&self, name: &Name) -> String {
        let stored = self.encoding.from_standard_string(name.as_bytes());
        match stored.strip_suffix(STAND_IN_SUFFIX) {
            // A user's own name, with a quote that quotes nothing: it must not be taken for a stand-in.
            Some(before) if self.stand_ins && stand_in_base(&stored).is_some() => {
                format!("{before}{LONE_QUOTE}.empty")
            }
            _ => stored,
        }
    }

    /// The stored form of a new folder's name.
    ///
    /// # Errors
    /// It is longer than the service stores: it would refuse, and refusals in number bring a ban.
    pub(super) fn encode_folder(&self, name: &Name) -> Result<String, InvalidName> {
        let stored = self.encode(name);
        match LONGEST_FOLDER.allows(stored.as_bytes()) {
            true => Ok(stored),
            false => Err(InvalidName::TooLong { name: name.as_bytes().into(), longest: LONGEST_FOLDER }),
        }
    }

    /// The stored form of the stand-in for an empty file of this name.
    pub(super) fn encode_stand_in(&self, name: &Name) -> String {
        self.encode(name) + STAND_IN_SUFFIX
    }

    /// Returns the name of a folder from its stored form.
    pub(super) fn decode_folder(&self, stored: &str) -> Result<Name, InvalidName> {
        Name::new(self.encoding.to_standard(stored.as_bytes()).into_owned())
    }

    /// Returns the name of a file of `size` bytes from its stored form.
    pub(super) fn decode_file(&self, stored: &str, size: u64) -> Result<Decoded, InvalidName> {
        if self.stand_ins
            && size == STAND_IN_BYTES.len() as u64
            && let Some(before) = stand_in_base(stored)
        {
            return Ok(Decoded { name: self.decode_folder(before)?, stands_for_empty: true });
        }
        Ok(Decoded { name: self.decode_folder(stored)?, stands_for_empty: false })
    }
}

/// Returns the stored name that a stand-in's name begins with; `None` if this isn't one.
fn stand_in_base(stored: &str) -> Option<&str> {
    let before = stored.strip_suffix(STAND_IN_SUFFIX)?;
    // `x‛‛.empty` is the stored form of a user's own `x‛.empty`: an even run of quotes ends there.
    let quotes_before = before.chars().rev().take_while(|&c| c == QUOTE).count();
    (quotes_before % 2 == 0 && !before.is_empty()).then_some(before)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(stand_ins: bool) -> Names {
        Names { encoding: Encoding::FICHIER, stand_ins }
    }

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[test]
    fn stand_ins_carry_their_suffix() {
        let names = names(true);
        assert_eq!(names.encode_stand_in(&name("a<b")), "a＜b‛.empty");
        let decoded = names.decode_file("a＜b‛.empty", 1).unwrap();
        assert_eq!(decoded, Decoded { name: name("a<b"), stands_for_empty: true });
    }

    #[test]
    fn a_larger_file_or_another_policy_makes_it_an_ordinary_name() {
        assert!(!names(true).decode_file("a‛.empty", 2).unwrap().stands_for_empty);
        assert!(!names(false).decode_file("a‛.empty", 1).unwrap().stands_for_empty);
    }

    #[test]
    fn a_name_of_nothing_is_an_error() {
        assert!(names(true).decode_file("", 5).is_err());
    }

    #[test]
    fn names_of_new_folders_have_250_characters_at_most() {
        let of = |length: usize| name(&"é".repeat(length));
        assert!(names(false).encode_folder(&of(250)).is_ok());
        let error = names(false).encode_folder(&of(251)).unwrap_err().to_string();
        assert!(error.ends_with("is too long: names here have at most 250 characters"), "{error}");
    }

    proptest! {
        #[test]
        fn names_survive_the_wire(bytes in proptest::collection::vec(any::<u8>(), 1..20), tail in "(‛{0,3}\\.empty)?", quoted: bool) {
            let mut bytes = bytes;
            bytes.extend(tail.bytes());
            // Names above the wire are in the standard form, or what a disk has made of it.
            let standard = match quoted {
                true => Encoding::STANDARD.encode(&bytes).into_owned(),
                false => Encoding::LOCAL_UNIX.to_standard(&bytes).into_owned(),
            };
            let Ok(name) = Name::new(standard) else { return Ok(()) };
            let names = names(true);
            let stored = names.encode(&name);
            prop_assert_eq!(names.decode_file(&stored, 1).unwrap(), Decoded { name: name.clone(), stands_for_empty: false });
            let stand_in = names.encode_stand_in(&name);
            prop_assert_eq!(names.decode_file(&stand_in, 1).unwrap(), Decoded { name, stands_for_empty: true });
        }
    }
}
