//! Which key a request brings, and for which account.

use http::{HeaderMap, header::AUTHORIZATION};

use crate::{builder::Account, links::random_code};

/// How many letters and digits a random key has.
const KEY_LENGTH: usize = 40;

/// What stands between a request's key and an account.
#[derive(Clone)]
pub(crate) enum Door {
    /// The key that is sent is the account's.
    Open,
    /// Only `key` is taken, and means the account that has the key `account`.
    Private { key: String, account: String },
}

impl Door {
    /// Returns the door of an emulator whose first account is `first`.
    pub(crate) fn new(private: bool, first: &Account) -> Self {
        match private {
            false => Self::Open,
            true => Self::Private { key: random_code(KEY_LENGTH), account: first.key.clone() },
        }
    }

    /// Returns the key that clients of the first account send.
    pub(crate) fn key_of(&self, first: &Account) -> String {
        match self {
            Self::Open => first.key.clone(),
            Self::Private { key, .. } => key.clone(),
        }
    }

    /// Returns the stored key of the account that the request is about; `None` when it sends none.
    pub(crate) fn account_key(&self, headers: &HeaderMap) -> Option<String> {
        let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let sent = value.strip_prefix("Bearer ")?.trim();
        match self {
            Self::Open => Some(sent.to_owned()),
            Self::Private { key, account } if key == sent => Some(account.clone()),
            // Nobody has the empty key.
            Self::Private { .. } => Some(String::new()),
        }
    }

    /// Whether the control answers over HTTP.
    pub(crate) fn has_control(&self) -> bool {
        matches!(self, Self::Open)
    }
}
