//! Names that break naive programs, for tests of this crate and of those above it.

use std::collections::BTreeSet;

use crate::QUOTE;

/// Characters that some encoding replaces, their look-alikes, and neighbours that must be left alone.
const SPECIAL: &str = "/<>\"'`$:?*|#%\\[];!~. \0\x01\t\n\x0b\x0c\r\x1b\x1f\x7f\
    ／＜＞＂＇｀＄：？＊｜＃％＼［］；！～．␠␀␁␉␊␋␌␍␛␟␡␤\u{80}\u{a0}\u{2028}\u{3000}\u{feff}\u{fffd}＠Ａ￥é😀‛";

/// Bytes that aren't UTF-8: stray, overlong, cut off, surrogate, beyond Unicode.
const INVALID: [&[u8]; 12] = [
    b"\x80",
    b"\xbf",
    b"\xc0\xaf",
    b"\xc3",
    b"\xe2\x80",
    b"\xe9",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98",
    b"\xf4\x90\x80\x80",
    b"\xfe",
    b"\xff",
    b"\xff\xfe\xfd",
];

/// Whole names that are worth a test.
const WHOLE: [&str; 44] = [
    ".",
    "..",
    "...",
    ".a",
    "a.",
    "．",
    "．．",
    "．．．",
    "‛．",
    "‛．‛．",
    "．‛．",
    ".．",
    "．.",
    " ",
    "  ",
    "   ",
    "␠",
    "␠␠",
    "␠␠␠",
    " ␠",
    "␠ ",
    "‛",
    "‛‛",
    "‛‛‛",
    "‛FF",
    "‛ff",
    "‛fF",
    "‛DF",
    "‛41",
    "‛00",
    "‛2F",
    "‛F",
    "‛GG",
    "‛‛FF",
    "‛E2‛82‛AC",
    "a‛‛␠",
    "a‛‛‛␠",
    "CON",
    "nul.txt",
    "-rf",
    "~root",
    "*",
    "a\u{301}",
    "\u{202e}gpj.exe",
];

/// Returns more than 600 names: every special character alone, first, last, inside, doubled, and behind quotes.
///
/// Sorted and without repetition, the same on every call. Some hold `/` or NUL, two are `.` and `..`.
pub fn nasty_names() -> Vec<Vec<u8>> {
    let mut names: BTreeSet<Vec<u8>> = WHOLE.iter().map(|name| name.as_bytes().to_vec()).collect();
    let mut quote = [0; 4];
    let quote: &[u8] = QUOTE.encode_utf8(&mut quote).as_bytes();
    let characters: Vec<Vec<u8>> =
        SPECIAL.chars().map(|character| character.to_string().into_bytes()).collect();
    for special in characters.iter().map(Vec::as_slice).chain(INVALID) {
        for parts in [
            &[special][..],
            &[b"a", special],
            &[special, b"a"],
            &[b"a", special, b"b"],
            &[special, special],
            &[special, special, special],
            &[quote, special],
            &[special, quote],
            &[b"a", quote, special],
            &[quote, quote, special],
            &[b" ", special],
            &[special, b" "],
            &[special, b".jpg"],
        ] {
            names.insert(parts.concat());
        }
    }
    names.into_iter().collect()
}

/// Returns those of [`nasty_names`] that a file on Unix can have.
pub fn nasty_file_names() -> Vec<Vec<u8>> {
    let possible =
        |name: &Vec<u8>| !name.contains(&b'/') && !name.contains(&0) && name != b"." && name != b"..";
    nasty_names().into_iter().filter(possible).collect()
}

/// Generators for property tests.
#[cfg(test)]
pub(crate) mod strategies {
    use super::*;
    use proptest::prelude::*;

    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let special = prop::sample::select(SPECIAL.chars().collect::<Vec<char>>());
        prop_oneof![
            6 => special.prop_map(|character| character.to_string().into_bytes()),
            3 => Just("‛".as_bytes().to_vec()),
            1 => Just("‛FF".as_bytes().to_vec()),
            1 => any::<u8>().prop_map(|byte| vec![byte]),
            1 => any::<char>().prop_map(|character| character.to_string().into_bytes()),
            1 => prop::sample::select(INVALID.as_slice()).prop_map(<[u8]>::to_vec),
        ]
    }

    /// Returns short names with many special characters.
    pub(crate) fn name() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(piece(), 0..8).prop_map(|pieces| pieces.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corpus_is_large_and_stable() {
        let names = nasty_names();
        assert!(names.len() >= 600, "{}", names.len());
        assert_eq!(names, nasty_names());
        assert!(nasty_file_names().len() >= 500);
        assert!(names.iter().filter(|name| std::str::from_utf8(name).is_err()).count() >= 100);
    }
}
