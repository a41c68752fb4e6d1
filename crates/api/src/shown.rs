//! Makes texts of the service safe for a terminal: one line, no control characters, not too long.

use url::Url;

/// Most characters of such a text that are shown.
pub(crate) const LONGEST: usize = 300;

/// Returns the text in one line. Control characters, and those that change the direction of writing, are written as
/// escapes, so that no text of the service can move the cursor, change colours or hide other text.
///
/// ```
/// assert_eq!(fichier_api::shown("a\u{1b}[2Jb\r\nc"), "a\\u{1b}[2Jb c");
/// ```
pub fn shown(text: &str) -> String {
    let mut out = String::new();
    for (count, letter) in text.trim().chars().enumerate() {
        if count == LONGEST {
            out.push('…');
            break;
        }
        match letter {
            '\r' if text.contains("\r\n") => {}
            '\t' | '\n' | '\r' => out.push(' '),
            letter if is_dangerous(letter) => out.extend(letter.escape_unicode()),
            letter => out.push(letter),
        }
    }
    out
}

/// Returns a URL as it may be shown: a user's name and password in it are replaced, whether it is well-formed or not.
///
/// ```
/// assert_eq!(fichier_api::shown_address("https://me:secret@example.com/a?b@c"), "https://***@example.com/a?b@c");
/// ```
pub fn shown_address(address: &str) -> String {
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, address),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    // A password may hold a slash that should have been escaped.
    let user = rest[..end].rfind('@').or_else(|| {
        let at = rest.find('@')?;
        rest[..end].contains(':').then_some(at).filter(|_| Url::parse(address).is_err())
    });
    let bare = match user {
        Some(at) => format!("***@{}", &rest[at + 1..]),
        None => rest.to_owned(),
    };
    shown(&match scheme {
        Some(scheme) => format!("{scheme}://{bare}"),
        None => bare,
    })
}

/// Checks whether a character can move the cursor, change colours or the direction of writing.
#[must_use]
pub fn is_dangerous(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(letter, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn long_texts_are_cut_and_plain_ones_stay() {
        assert_eq!(shown("Resource not found #469"), "Resource not found #469");
        assert_eq!(shown(&"é".repeat(1000)).chars().count(), LONGEST + 1);
        assert_eq!(shown("\u{202e}txt\u{9b}31m"), "\\u{202e}txt\\u{9b}31m");
    }

    #[test]
    fn no_password_of_an_address_is_shown() {
        for (address, told) in [
            ("http://user:PW@host:1/x", "http://***@host:1/x"),
            ("http://user:P@W@host:99999/x", "http://***@host:99999/x"),
            ("http://user:PW@[", "http://***@["),
            ("http://user:PW@", "http://***@"),
            ("http://user:P/W@host/", "http://***@host/"),
            ("user:PW@host/x", "***@host/x"),
            ("https://host/a@b?c=d@e", "https://host/a@b?c=d@e"),
        ] {
            assert_eq!(shown_address(address), told, "{address}");
        }
    }

    proptest! {
        #[test]
        fn no_control_character_comes_through(text in any::<String>()) {
            prop_assert!(!shown(&text).chars().any(char::is_control));
        }
    }
}
