//! Changes that the service makes to names that it won't store as they are.
//!
//! API document, section 7: the service changes names at upload. The emulator replaces each forbidden character by
//! `_` and trims leading and trailing spaces. It does the same in `folder/mkdir`, `folder/mv`, `file/mv`, `file/cp`,
//! `file/rename` and `file/chattr`, since the document doesn't say that those are laxer.

/// Characters that clients encode for this service, besides control characters and DEL.
const FORBIDDEN: [char; 9] = ['/', '<', '>', '"', '\'', '`', '$', '\\', '\u{7f}'];

/// Returns the name as the service would store it. Never empty, never `.` or `..`.
#[must_use]
pub fn stored_name(name: &str) -> String {
    let replaced: String =
        name.chars().map(|c| if FORBIDDEN.contains(&c) || c < ' ' { '_' } else { c }).collect();
    let trimmed = replaced.trim_matches(' ');
    match trimmed {
        "" | "." => "_".to_owned(),
        ".." => "__".to_owned(),
        name => name.to_owned(),
    }
}

/// Returns the stored form of a name that came as bytes. Each broken sequence of UTF-8 becomes one `_`.
#[must_use]
pub fn stored_name_of_bytes(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push('_');
        }
    }
    stored_name(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forbidden_characters_become_underscores() {
        assert_eq!(stored_name("a/b<c>d\"e'f`g$h\\i\u{7f}j\nk"), "a_b_c_d_e_f_g_h_i_j_k");
        assert_eq!(stored_name("  two words  "), "two words");
        assert_eq!(stored_name("été ☃.txt"), "été ☃.txt");
        assert_eq!(stored_name("."), "_");
        assert_eq!(stored_name(".."), "__");
        assert_eq!(stored_name("   "), "_");
        assert_eq!(stored_name_of_bytes(b"a\xff\xfeb"), "a__b");
    }

    proptest! {
        #[test]
        fn stored_names_are_stable_and_clean(name in any::<String>()) {
            let stored = stored_name(&name);
            prop_assert!(!stored.is_empty() && stored != "." && stored != "..");
            prop_assert!(!stored.chars().any(|c| FORBIDDEN.contains(&c) || c < ' '));
            prop_assert!(!stored.starts_with(' ') && !stored.ends_with(' '));
            prop_assert_eq!(stored_name(&stored), stored);
        }

        #[test]
        fn harmless_names_stay(name in "[a-zA-Z0-9é☃_.-]{3,40}") {
            prop_assume!(name != "..");
            prop_assert_eq!(stored_name(&name), name);
        }

        #[test]
        fn any_bytes_give_a_name(name in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(!stored_name_of_bytes(&name).is_empty());
        }
    }
}
