//! A text that must not be seen: not in logs, not in errors, not in memory after use.

use std::fmt;

use zeroize::Zeroizing;

/// A password or key. `Debug` and `Display` hide it; its memory is overwritten when it goes.
///
/// ```
/// use fichier_config::Secret;
///
/// let key = Secret::new("KEY");
/// assert_eq!(format!("{key} {key:?}"), "<hidden> Secret(<hidden>)");
/// assert_eq!(key.expose(), "KEY");
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that sends it on.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(<hidden>)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<hidden>")
    }
}
