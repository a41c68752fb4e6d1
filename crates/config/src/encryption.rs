//! rclone's encrypted configuration file: encryption and decryption.
//!
//! The file begins with two lines: a comment, and `RCLONE_ENCRYPT_V0:`. After them, in base64, come 24 random bytes
//! and a NaCl secretbox (XSalsa20 and Poly1305). Its key is the SHA-256 of `[password][rclone-config]`, where the
//! password is UTF-8 in the form NFKC.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crypto_secretbox::aead::Aead as _;
use crypto_secretbox::{KeyInit as _, XSalsa20Poly1305};
use icu_normalizer::ComposingNormalizerBorrowed;
use rand::Rng as _;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Line before the data.
const MARK: &str = "RCLONE_ENCRYPT_V0:";
/// Beginning of that line in all versions.
const ANY_MARK: &str = "RCLONE_ENCRYPT_V";
const COMMENT: &str = "# Encrypted rclone configuration File";
const NONCE: usize = 24;

/// Key of an encrypted file, made from a password. `Debug` hides it, and its memory is overwritten on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for ConfigKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConfigKey(<hidden>)")
    }
}

impl ConfigKey {
    /// Returns the key of a password; `None` for the empty one, which doesn't count.
    #[must_use]
    pub fn of_password(password: &str) -> Option<ConfigKey> {
        let normal = ComposingNormalizerBorrowed::new_nfkc().normalize(password).into_owned();
        let normal = Zeroizing::new(normal);
        if normal.is_empty() {
            return None;
        }
        let mut hasher = Sha256::new();
        for part in ["[", &normal, "][rclone-config]"] {
            hasher.update(part.as_bytes());
        }
        Some(ConfigKey(Zeroizing::new(hasher.finalize().into())))
    }
}

/// Why an encrypted file can't be decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// The file is in an encrypted form that rclone v1.75 doesn't know either.
    #[error("the configuration is encrypted in a way that this version doesn't know")]
    UnknownVersion,
    /// The text after the mark isn't valid data.
    #[error("the encrypted configuration is damaged: it isn't base64, or too short")]
    Damaged,
    /// The key doesn't fit, or the data was changed.
    #[error("the password doesn't open the configuration")]
    WrongPassword,
}

/// Returns the encrypted data of a file; `None` for a file in the clear.
///
/// # Errors
/// [`DecryptError::UnknownVersion`].
pub fn sealed(bytes: &[u8]) -> Result<Option<&[u8]>, DecryptError> {
    let mut rest = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, behind) = rest.split_at(end);
        let line = line.trim_ascii();
        if line.starts_with(MARK.as_bytes()) {
            return Ok(Some(behind));
        }
        if line.starts_with(ANY_MARK.as_bytes()) {
            return Err(DecryptError::UnknownVersion);
        }
        if !line.is_empty() && !line.starts_with(b"#") && !line.starts_with(b";") {
            return Ok(None);
        }
        rest = behind;
    }
    Ok(None)
}

/// Decrypts the data that [`sealed`] found.
///
/// # Errors
/// The data is damaged, or the key is a different one.
pub fn open(sealed: &[u8], key: &ConfigKey) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    let packed: Vec<u8> = sealed.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let data = BASE64.decode(packed).map_err(|_| DecryptError::Damaged)?;
    let (nonce, sealed) = data.split_first_chunk::<NONCE>().ok_or(DecryptError::Damaged)?;
    let cipher = XSalsa20Poly1305::new((&*key.0).into());
    cipher.decrypt(nonce.into(), sealed).map(Zeroizing::new).map_err(|_| DecryptError::WrongPassword)
}

/// Returns the whole encrypted file for a text, different each time.
///
/// # Errors
/// [`DecryptError::Damaged`] for texts too long for the cipher, which no memory can hold.
pub fn seal(text: &[u8], key: &ConfigKey) -> Result<Vec<u8>, DecryptError> {
    let mut nonce = [0; NONCE];
    rand::rng().fill_bytes(&mut nonce);
    let cipher = XSalsa20Poly1305::new((&*key.0).into());
    let sealed = cipher.encrypt((&nonce).into(), text).map_err(|_| DecryptError::Damaged)?;
    let data = BASE64.encode([&nonce[..], &sealed].concat());
    Ok(format!("{COMMENT}\n\n{MARK}\n{data}").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Written by `rclone config encryption set` of v1.75.2, with the password "pw".
    const RCLONES: &str = "# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\n\
        GbfNfUm7JNvgD9MMbWeEqyBSxjF1gHGw5AgXMASfKOk3nAkbmUOz0CCpoiBBXZCchrunHo0v1afNaI39ZI/f1THO5HsguhCFecdedg==";

    #[test]
    fn what_rclone_encrypted_is_read() {
        let key = ConfigKey::of_password("pw").unwrap();
        let text = open(sealed(RCLONES.as_bytes()).unwrap().unwrap(), &key).unwrap();
        assert_eq!(&text[..], b"[a1]\ntype = fichier\napi_key = KEY1\n\n");
        let wrong = ConfigKey::of_password("Pw").unwrap();
        let data = sealed(RCLONES.as_bytes()).unwrap().unwrap();
        assert_eq!(open(data, &wrong).unwrap_err(), DecryptError::WrongPassword);
    }

    #[test]
    fn passwords_that_look_alike_are_one() {
        assert_eq!(ConfigKey::of_password("ﬁle"), ConfigKey::of_password("file"));
        assert_eq!(ConfigKey::of_password("e\u{301}"), ConfigKey::of_password("é"));
        assert_ne!(ConfigKey::of_password(" pw"), ConfigKey::of_password("pw"));
        assert_eq!(ConfigKey::of_password(""), None);
    }

    #[test]
    fn files_in_the_clear_are_told_apart() {
        for text in ["", "[a]\n", "# x\n\n[a]\nRCLONE_ENCRYPT_V0:\n", "; x\nk = 1\n"] {
            assert_eq!(sealed(text.as_bytes()), Ok(None), "{text}");
        }
        assert_eq!(sealed(b"\xef\xbb\xbf# x\r\nRCLONE_ENCRYPT_V0:\r\nAB"), Ok(Some(&b"AB"[..])));
        assert_eq!(sealed(b"RCLONE_ENCRYPT_V1:\nAB"), Err(DecryptError::UnknownVersion));
        let key = ConfigKey::of_password("pw").unwrap();
        for damaged in ["", "!!!", "AAAA"] {
            assert_eq!(open(damaged.as_bytes(), &key), Err(DecryptError::Damaged), "{damaged}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_is_opened(text: Vec<u8>, password in ".{1,20}") {
            let key = ConfigKey::of_password(&password).unwrap();
            let file = seal(&text, &key).unwrap();
            prop_assert_eq!(&*open(sealed(&file).unwrap().unwrap(), &key).unwrap(), &text);
        }

        #[test]
        fn no_bytes_break_the_reader(bytes: Vec<u8>, text in "(#[a-z]{0,3}\n)?RCLONE_ENCRYPT_V[01]:\n[A-Za-z0-9+/=\n]{0,200}") {
            let key = ConfigKey::of_password("pw").unwrap();
            for bytes in [&bytes[..], text.as_bytes()] {
                if let Ok(Some(data)) = sealed(bytes) {
                    prop_assert!(open(data, &key).is_err());
                }
            }
        }
    }
}
