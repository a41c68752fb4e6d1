//! Ids of folders, and the only place where "all of them" is allowed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::wire::tolerant;

/// Id of a folder. The root is 0, others are positive (API document, section 4).
///
/// The wire's `-1`, "all files of the account", isn't a folder: see [`FilesOf`].
///
/// ```
/// use fichier_api::FolderId;
/// assert_eq!(FolderId::ROOT, FolderId(0));
/// assert_eq!("3357645".parse(), Ok(FolderId(3357645)));
/// assert!("-1".parse::<FolderId>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FolderId(pub u64);

impl FolderId {
    /// Id of an account's root folder.
    pub const ROOT: Self = Self(0);

    /// Checks whether this is the root.
    pub const fn is_root(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for FolderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for FolderId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim().parse().map(Self)
    }
}

impl Serialize for FolderId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for FolderId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        tolerant::needed_number(deserializer).map(Self)
    }
}

/// Scope of a file listing: one folder or the whole account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FilesOf {
    /// All files of one folder.
    Folder(FolderId),
    /// All files of the account, without their folders; only once an hour (API document, section 2).
    WholeAccount,
}

impl Serialize for FilesOf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Folder(id) => id.serialize(serializer),
            Self::WholeAccount => serializer.serialize_i64(-1),
        }
    }
}

impl From<FolderId> for FilesOf {
    fn from(id: FolderId) -> Self {
        Self::Folder(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_from_a_number_or_a_string_and_written_as_a_number() {
        assert_eq!(serde_json::from_str::<FolderId>("12").unwrap(), FolderId(12));
        assert_eq!(serde_json::from_str::<FolderId>("\"12\"").unwrap(), FolderId(12));
        assert!(serde_json::from_str::<FolderId>("-1").is_err());
        assert_eq!(serde_json::to_string(&FolderId(12)).unwrap(), "12");
    }

    #[test]
    fn the_whole_account_is_minus_one_on_the_wire_only() {
        assert_eq!(serde_json::to_string(&FilesOf::WholeAccount).unwrap(), "-1");
        assert_eq!(serde_json::to_string(&FilesOf::from(FolderId::ROOT)).unwrap(), "0");
    }
}
