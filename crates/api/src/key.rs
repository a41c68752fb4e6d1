//! Secrets that can't be printed by accident: the account's key, and passwords of files and folders.

use std::fmt;

use http::HeaderValue;
use serde::{Serialize, Serializer};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::{ApiError, ErrorKind};

/// Text that replaces a secret wherever it would be shown.
const REDACTED: &str = "***";

/// API key of an account, made at <https://1fichier.com/console/params.pl>.
///
/// `Debug` and `Display` never show it, and its memory is overwritten on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ApiKey(String);

impl ApiKey {
    /// Makes a key from what the user typed; spaces and line ends around it are dropped.
    pub fn new(key: impl Into<String>) -> Self {
        let mut typed: String = key.into();
        let key = typed.trim().to_owned();
        typed.zeroize();
        Self(key)
    }

    /// Returns the header with the key, marked as sensitive.
    pub(crate) fn bearer(&self) -> Result<HeaderValue, ApiError> {
        let mut value = format!("Bearer {}", self.0);
        let header = HeaderValue::from_str(&value);
        value.zeroize();
        let mut header = header.map_err(|_| {
            ApiError::here(ErrorKind::Invalid("the key holds characters that a key can't hold".into()))
        })?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// Replaces the key in a text from elsewhere, such as an answer quoted in an error.
    pub(crate) fn redact(&self, text: &str) -> String {
        if self.is_confetti() { text.to_owned() } else { text.replace(&self.0, REDACTED) }
    }

    /// Checks whether the key occurs in an answer.
    pub(crate) fn occurs_in(&self, body: &[u8]) -> bool {
        !self.is_confetti() && body.windows(self.0.len()).any(|window| window == self.0.as_bytes())
    }

    /// Checks whether the text is too short to be a key. To replace it everywhere would make a text unreadable.
    fn is_confetti(&self) -> bool {
        self.0.len() < 6
    }

    /// Checks whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({REDACTED})")
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// Password of a file, a folder or an upload. `Debug` doesn't show it, and its memory is overwritten on drop.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Password(String);

impl Password {
    /// Wraps a password in the clear.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// Returns the password in the clear, for the wire.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Password {
    fn from(password: String) -> Self {
        Self(password)
    }
}

impl From<&str> for Password {
    fn from(password: &str) -> Self {
        Self::new(password)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Password({REDACTED})")
    }
}

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_shown() {
        let key = ApiKey::new(" s3cr3t-key\n");
        assert_eq!(format!("{key:?} {key}"), "ApiKey(***) ***");
        let header = key.bearer().unwrap();
        assert_eq!(header.as_bytes(), b"Bearer s3cr3t-key");
        assert!(!format!("{header:?}").contains("s3cr3t"));
        assert_eq!(key.redact("you sent s3cr3t-key!"), "you sent ***!");
    }

    #[test]
    fn a_key_with_a_line_end_inside_is_refused_without_being_quoted() {
        let error = ApiKey::new("s3cr3t\nkey").bearer().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cr3t"));
    }

    #[test]
    fn a_password_is_sent_but_not_shown() {
        let password = Password::new("hush");
        assert_eq!(format!("{password:?}"), "Password(***)");
        assert_eq!(serde_json::to_string(&password).unwrap(), "\"hush\"");
    }
}
