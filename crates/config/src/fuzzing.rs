//! What must be true for any bytes that are read from outside, for fuzzing (`fuzz/`) and for the short run in the
//! tests.
//!
//! Each function takes any bytes and panics if something isn't true: that is its purpose.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a panic is how a fuzzer is told of a fault")]

use std::sync::OnceLock;

use crate::encryption::{self, ConfigKey};
use crate::{Address, Document, Drives, IniFile, obscure, reveal};

/// Checks bytes as a configuration file: reading, writing back, and one edit.
pub fn configuration_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let read = IniFile::parse(&text);
    let Ok(mut document) = Document::parse(bytes) else {
        assert!(read.is_err(), "a file that can be read can be changed");
        return;
    };
    assert_eq!(document.to_bytes(), bytes, "what isn't changed stays");
    if document.add_section("fuzz").is_ok() {
        let value: String = text.chars().take(80).collect();
        let stored = document.set("fuzz", "key", &value).is_ok();
        let file = document.meaning().unwrap();
        let found = file.section("fuzz").unwrap().get("key").map(str::to_owned);
        assert_eq!(found, stored.then_some(value), "what is stored is read back");
        assert!(document.remove_section("fuzz"));
    }
    let before = read.unwrap();
    let after = document.meaning().unwrap();
    let values = |file: &IniFile| -> Vec<_> {
        let sections = file.sections().iter();
        sections.flat_map(|section| section.entries.iter().map(|entry| entry.value.clone())).collect()
    };
    assert_eq!(values(&before), values(&after), "an edit that is taken back changes no value");
}

/// Checks bytes as an encrypted file, and as the text of one.
pub fn encrypted_file(bytes: &[u8]) {
    static KEY: OnceLock<ConfigKey> = OnceLock::new();
    let key = KEY.get_or_init(|| ConfigKey::of_password("fuzz").unwrap());
    let marked = [b"RCLONE_ENCRYPT_V0:\n", bytes].concat();
    for file in [bytes, &marked] {
        if let Ok(Some(sealed)) = encryption::sealed(file) {
            assert!(encryption::open(sealed, key).is_err(), "nobody guesses a box");
        }
    }
    let sealed = encryption::seal(bytes, key).unwrap();
    let opened = encryption::open(encryption::sealed(&sealed).unwrap().unwrap(), key).unwrap();
    assert_eq!(&opened[..], bytes, "what is sealed is opened");
}

/// Checks bytes as a remote string, with and without drives.
pub fn remote_string(bytes: &[u8]) {
    for drives in [Drives::None, Drives::Letters] {
        if let Ok(address) = Address::parse_with(bytes, drives) {
            let again = Address::parse_with(&address.to_bytes(), drives);
            assert_eq!(again.as_ref(), Ok(&address), "what is written is read back");
        }
    }
}

/// Checks bytes as an obscured text, and as a text to be obscured.
pub fn obscured_text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(error) = reveal(text)
        && text.len() > 12
    {
        // A value that is a part of every such error's text is no secret.
        let said = format!("{error} {error:?}");
        let always = ["?", "AAAA"]
            .map(|wrong| reveal(wrong).map_or_else(|error| format!("{error} {error:?}"), |_| String::new()));
        assert!(!said.contains(text) || always.contains(&said), "no error shows the value");
    }
    assert_eq!(reveal(&obscure(text)).unwrap().expose(), text, "what is obscured is revealed");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns bytes that are similar to valid input, and any others.
    fn near(pattern: &'static str) -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![3 => pattern.prop_map(String::into_bytes), 1 => proptest::collection::vec(any::<u8>(), 0..200)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn any_configuration_file(bytes in near("(\u{feff})?((\\[[a-c ]{0,3}\\]|[a-c`\"#; ]{0,5}[=:][ `\"%()a-cs]{0,10}|#[a-z]{0,4})?\r?\n?){0,12}")) {
            configuration_file(&bytes);
        }

        #[test]
        fn any_encrypted_file(bytes in near("(#[a-z]{0,3}\n)?(RCLONE_ENCRYPT_V[01]:)?\n?[A-Za-z0-9+/=\n]{0,120}")) {
            encrypted_file(&bytes);
        }

        #[test]
        fn any_remote_string(bytes in near(":?[a-cC,=:'\"/\\\\ .-]{0,24}")) {
            remote_string(&bytes);
        }

        #[test]
        fn any_obscured_text(bytes in near("[A-Za-z0-9_=-]{0,40}")) {
            obscured_text(&bytes);
        }
    }
}
