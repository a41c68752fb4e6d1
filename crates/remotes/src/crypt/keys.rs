//! Derives keys from passwords.

use std::fmt;

use zeroize::Zeroizing;

/// Salt for remotes without a second password. It is rclone's, and no secret.
const DEFAULT_SALT: [u8; 16] =
    [0xA8, 0x0D, 0xF4, 0x3A, 0x8F, 0xBD, 0x03, 0x08, 0xA7, 0xCA, 0xB8, 0x3E, 0x58, 0x1F, 0x86, 0xB1];

/// Keys of a remote. Their memory is overwritten when they are dropped.
pub(super) struct Keys {
    /// Key for contents.
    pub(super) content: Zeroizing<[u8; 32]>,
    /// Key for names.
    pub(super) names: Zeroizing<[u8; 32]>,
    /// Tweak, which makes names differ under one key.
    pub(super) tweak: Zeroizing<[u8; 16]>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// Derives the keys. This takes a fraction of a second and 16 MiB of memory, so that passwords can't be tried fast.
    #[expect(
        clippy::expect_used,
        reason = "the cost and the length are fixed, and such as the function takes"
    )]
    pub(super) fn derive(password: &str, second: &str) -> Self {
        let salt = if second.is_empty() { &DEFAULT_SALT[..] } else { second.as_bytes() };
        let mut bytes = Zeroizing::new([0; 80]);
        let cost = scrypt::Params::new(14, 8, 1).expect("a cost that is in its bounds");
        scrypt::scrypt(password.as_bytes(), salt, &cost, &mut *bytes)
            .expect("a length that is in its bounds");
        let mut keys =
            Self { content: Zeroizing::default(), names: Zeroizing::default(), tweak: Zeroizing::default() };
        keys.content.copy_from_slice(&bytes[..32]);
        keys.names.copy_from_slice(&bytes[32..64]);
        keys.tweak.copy_from_slice(&bytes[64..]);
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_password_makes_other_keys() {
        let [none, some] = ["", "second"].map(|second| Keys::derive("first", second));
        assert_ne!(*none.content, *some.content);
        assert_ne!(*none.names, *some.names);
        assert_ne!(*none.tweak, *some.tweak);
        assert_eq!(*some.names, *Keys::derive("first", "second").names);
        assert_eq!(format!("{some:?}"), "Keys");
    }
}
