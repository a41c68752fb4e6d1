//! Kinds of checksums, and which of them a remote gives.

use std::{fmt, str::FromStr};

/// A kind of checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HashKind {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// Whirlpool, which 1Fichier keeps of every file.
    Whirlpool,
    /// CRC-32.
    Crc32,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl HashKind {
    /// All kinds, in the order in which they are listed.
    pub const ALL: [Self; 6] =
        [Self::Md5, Self::Sha1, Self::Whirlpool, Self::Crc32, Self::Sha256, Self::Sha512];

    /// Returns the name, as it is typed and printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Whirlpool => "whirlpool",
            Self::Crc32 => "crc32",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

impl fmt::Display for HashKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for HashKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.to_lowercase().replace('-', "");
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| format!("unknown hash type {text:?}"))
    }
}

/// The checksums that a remote gives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HashKinds {
    /// Those that come with every listing, one bit each.
    listed: u8,
    /// Those for which files are read, one bit each.
    by_reading: u8,
}

impl HashKinds {
    /// Every kind by reading the file, and none in listings: of files on a disk.
    pub const BY_READING: Self = Self { listed: 0, by_reading: u8::MAX };

    /// Whirlpool in every listing, and nothing else.
    pub const LISTED_WHIRLPOOL: Self = Self { listed: bit(HashKind::Whirlpool), by_reading: 0 };

    /// Checks whether listings bring this kind.
    #[must_use]
    pub const fn lists(self, kind: HashKind) -> bool {
        self.listed & bit(kind) != 0
    }

    /// Checks whether this kind is given at all: by the listing, or by reading the file.
    #[must_use]
    pub const fn gives(self, kind: HashKind) -> bool {
        (self.listed | self.by_reading) & bit(kind) != 0
    }

    /// Returns what both of two remotes give. A kind that the one lists and the other reads files for is read.
    #[must_use]
    pub const fn shared(self, other: Self) -> Self {
        let listed = self.listed & other.listed;
        let given = (self.listed | self.by_reading) & (other.listed | other.by_reading);
        Self { listed, by_reading: given & !listed }
    }
}

const fn bit(kind: HashKind) -> u8 {
    1 << kind as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_a_kind_however_it_is_written() {
        for kind in HashKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
            assert_eq!(kind.to_string().to_uppercase().parse(), Ok(kind));
        }
        assert_eq!("SHA-256".parse(), Ok(HashKind::Sha256));
        assert_eq!("crc64".parse::<HashKind>(), Err("unknown hash type \"crc64\"".to_owned()));
    }

    #[test]
    fn two_remotes_give_together_what_each_gives() {
        let (disk, account) = (HashKinds::BY_READING, HashKinds::LISTED_WHIRLPOOL);
        assert!(account.lists(HashKind::Whirlpool) && !disk.lists(HashKind::Whirlpool));
        for kind in HashKind::ALL {
            let both = disk.shared(account);
            assert!(disk.gives(kind) && !both.lists(kind));
            assert_eq!(account.gives(kind), kind == HashKind::Whirlpool);
            assert_eq!(both.gives(kind), account.gives(kind));
        }
        assert_eq!(account.shared(account), account);
        assert_eq!(disk.shared(HashKinds::default()), HashKinds::default());
    }
}
