//! Obscured values: passwords in the configuration file that can't be read at a glance.
//!
//! This is no protection, since the key is published with rclone: anyone who has the file has the password. The
//! format is rclone's: AES-256 in counter mode under that key, with a random 16-byte initial counter in front, in
//! base64 with the URL alphabet and without padding.

use aes::Aes256;
use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use rand::Rng;
use zeroize::Zeroizing;

use crate::Secret;

/// The published key, the same for every user of rclone.
const KEY: [u8; 32] = [
    0x9c, 0x93, 0x5b, 0x48, 0x73, 0x0a, 0x55, 0x4d, 0x6b, 0xfd, 0x7c, 0x63, 0xc8, 0x86, 0xa9, 0x2b, 0xd3,
    0x90, 0x19, 0x8e, 0xb8, 0x12, 0x8a, 0xfb, 0xf4, 0xde, 0x16, 0x2b, 0x8b, 0x95, 0xf6, 0x38,
];

const COUNTER: usize = 16;

/// rclone accepts any bits of the last character that belong to no byte.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// Why a value can't be revealed. The value itself is never part of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ObscureError {
    /// The value has other characters than base64's URL alphabet.
    #[error("it is not base64, so it was not obscured; obscure it with `fichier obscure`")]
    NotBase64,
    /// The value is shorter than the counter in front.
    #[error("it is too short to be obscured; obscure it with `fichier obscure`")]
    TooShort,
    /// The decrypted value isn't text.
    #[error("it does not decrypt to text, so it was not obscured; obscure it with `fichier obscure`")]
    NotText,
}

/// Obscures a text with randomness from the operating system.
///
/// ```
/// let obscured = fichier_config::obscure("potato");
/// assert_eq!(fichier_config::reveal(&obscured)?.expose(), "potato");
/// # Ok::<(), fichier_config::ObscureError>(())
/// ```
pub fn obscure(text: &str) -> String {
    let mut counter = [0; COUNTER];
    rand::rng().fill_bytes(&mut counter);
    obscure_with(text, counter)
}

/// Obscures a text with a given initial counter. The same counter gives the same result.
pub fn obscure_with(text: &str, counter: [u8; COUNTER]) -> String {
    let mut data = Zeroizing::new([&counter, text.as_bytes()].concat());
    Ctr128BE::<Aes256>::new(&KEY.into(), &counter.into()).apply_keystream(&mut data[COUNTER..]);
    BASE64.encode(&*data)
}

/// Reveals an obscured text.
///
/// ```
/// // As printed by `rclone obscure potato`.
/// assert_eq!(fichier_config::reveal("ExbtaUio2EhTKksRRXwopEv7MHqm2w")?.expose(), "potato");
/// # Ok::<(), fichier_config::ObscureError>(())
/// ```
///
/// # Errors
/// The value wasn't made by `obscure`, as far as that can be seen.
pub fn reveal(obscured: &str) -> Result<Secret, ObscureError> {
    let data = Zeroizing::new(BASE64.decode(obscured).map_err(|_| ObscureError::NotBase64)?);
    let Some((counter, text)) = data.split_first_chunk::<COUNTER>() else {
        return Err(ObscureError::TooShort);
    };
    let mut text = Zeroizing::new(text.to_vec());
    Ctr128BE::<Aes256>::new(&KEY.into(), &(*counter).into()).apply_keystream(&mut text);
    std::str::from_utf8(&text).map(Secret::new).map_err(|_| ObscureError::NotText)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // Printed by `rclone obscure` of v1.75.2.
    #[test]
    fn what_rclone_obscured_is_revealed() {
        for (obscured, text) in [
            ("ltLHualXhIoaDoN17-dRJQ", ""),
            ("EsoTGa9ekoR-6aMIaDdY5tU", "a"),
            ("ExbtaUio2EhTKksRRXwopEv7MHqm2w", "potato"),
            ("3J38oIWMdMEK7b1qjC2I77I0i-6lbeTovmNWUvY7", "pässwörd ☃"),
            ("AAAAAAAAAAAAAAAAAAAAAAB", "D"),
        ] {
            assert_eq!(reveal(obscured).unwrap().expose(), text, "{obscured}");
        }
    }

    // `rclone reveal` of v1.75.2 prints "potato" for it.
    #[test]
    fn what_is_obscured_here_is_what_rclone_reveals() {
        assert_eq!(obscure_with("potato", *b"aaaaaaaaaaaaaaaa"), "YWFhYWFhYWFhYWFhYWFhYXMaGgIlEQ");
    }

    #[test]
    fn what_was_not_obscured_is_refused() {
        assert_eq!(reveal(""), Err(ObscureError::TooShort));
        assert_eq!(reveal("abc"), Err(ObscureError::TooShort));
        assert_eq!(reveal("hunter2!"), Err(ObscureError::NotBase64));
        assert_eq!(reveal("AAAAAAAAAAAAAAAAAAAAAA=="), Err(ObscureError::NotBase64));
        assert_eq!(reveal("AAAAAAAAAAAAAAAAAAAAAAAx"), Err(ObscureError::NotText));
    }

    #[test]
    fn the_same_text_is_obscured_differently_each_time() {
        assert_ne!(obscure("potato"), obscure("potato"));
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in ".*", counter: [u8; 16]) {
            let revealed = reveal(&obscure_with(&text, counter)).unwrap();
            prop_assert_eq!(revealed.expose(), text);
        }

        #[test]
        fn no_error_shows_the_value(value in "[a-z!]{5,40}") {
            if let Err(error) = reveal(&value) {
                let shown = format!("{error} {error:?}");
                prop_assert!(!shown.contains(&value));
            }
        }
    }
}
