//! What a remote is and can do.

use std::time::Duration;

use crate::{Name, PlaceId, RemotePath};

/// What a remote is and can do.
#[derive(Debug, Clone)]
pub struct RemoteInfo {
    /// The remote as the user named it, for messages only: `demo:`; a local one by its root.
    pub name: String,
    /// Where its root lies.
    pub place: PlaceId,
    /// The backend's name: `fichier`, `local`.
    pub backend: &'static str,
    /// What it can do.
    pub features: Features,
    /// Which times it keeps.
    pub times: Times,
    /// Which names it takes.
    pub names: NameRules,
    /// How much one [`WriteBatch`](crate::WriteBatch) should hold.
    pub batch: BatchLimit,
    /// Without [`Features::empty_files`]: whether an empty file that is refused is only reported, and isn't
    /// a failure of the run.
    pub skips_empty_files: bool,
}

impl RemoteInfo {
    /// Checks whether a path or file of one remote means the same to the other.
    #[must_use]
    pub fn has_paths_of(&self, other: &Self) -> bool {
        self.place == other.place && self.names.encoding == other.names.encoding
    }

    /// Returns a path as messages name it: from the remote's root, and with it where that is the root of the whole file
    /// system, which no path leaves out.
    #[must_use]
    pub fn shown(&self, path: &RemotePath) -> String {
        // Names of other roots don't end so: a directory's end is cut off, and a remote's name ends in a colon.
        let root = if self.name.ends_with(std::path::is_separator) { self.name.as_str() } else { "" };
        format!("{root}{path}")
    }
}

/// What a remote can do. All off by default. What needs calls of its own is an
/// [extension](crate::Extensions).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Features {
    /// Copies without moving bytes through this program.
    pub server_side_copy: bool,
    /// Renames and moves files without copying.
    pub server_side_move: bool,
    /// Renames whole folders at once.
    pub folder_move: bool,
    /// Two files of a folder may have one name.
    pub duplicates: bool,
    /// Empty files can be stored.
    pub empty_files: bool,
    /// Nothing can be changed.
    pub read_only: bool,
    /// Listings tell the Whirlpool checksum.
    pub listed_checksums: bool,
    /// Its bytes go over a network.
    pub networked: bool,
    /// Its files are known by public links, from which an account of the same service copies them.
    pub public_links: bool,
}

impl Features {
    /// Returns what a wrapper can do that passes on what it is asked for: what both it and `inner` can. A place that
    /// can't be changed, or that lies behind a network, stays so.
    #[must_use]
    pub fn masked(self, inner: Self) -> Self {
        Self {
            server_side_copy: self.server_side_copy && inner.server_side_copy,
            server_side_move: self.server_side_move && inner.server_side_move,
            folder_move: self.folder_move && inner.folder_move,
            duplicates: self.duplicates && inner.duplicates,
            empty_files: self.empty_files && inner.empty_files,
            read_only: self.read_only || inner.read_only,
            listed_checksums: self.listed_checksums && inner.listed_checksums,
            networked: self.networked || inner.networked,
            public_links: self.public_links && inner.public_links,
        }
    }
}

/// Which modification times a remote keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// How exact they are; `None`: it keeps none, what it shows is the time of upload.
    pub precision: Option<Duration>,
    /// Whether the time of a stored file can be set.
    pub settable: bool,
}

/// Which names a remote takes, and which of them are one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameRules {
    /// How names are written there: with another encoding, another path leads to the same file.
    pub encoding: String,
    /// How long the name of a file or folder may be, written in that encoding; `None`: nobody knows.
    pub longest: Option<NameLength>,
    /// Names that differ only in case are one file.
    pub case_insensitive: bool,
    /// What the names of symbolic links end with, which lie on the disk without it; `None`: no links are stored.
    pub link_suffix: Option<&'static str>,
}

impl NameRules {
    /// Returns the names that may have the same place as this one: that of a link beside that of a file.
    #[must_use]
    pub fn rivals(&self, name: &Name) -> Vec<Name> {
        let Some(suffix) = self.link_suffix.map(str::as_bytes) else { return Vec::new() };
        let link = Name::new([name.as_bytes(), suffix].concat()).ok();
        let plain = name.as_bytes().strip_suffix(suffix).and_then(|plain| Name::new(plain).ok());
        link.into_iter().chain(plain).collect()
    }
}

/// A length of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameLength {
    /// In bytes, as most file systems count.
    Bytes(usize),
    /// In characters (Unicode scalar values), as 1Fichier counts.
    Characters(usize),
}

/// How much one [`WriteBatch`](crate::WriteBatch) should hold. A remote copes with more by splitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimit {
    /// Files in one batch, at least 1.
    pub files: usize,
    /// Bytes in one batch of more than one file.
    pub bytes: u64,
}

impl BatchLimit {
    /// One file at a time.
    pub const SINGLE: Self = Self { files: 1, bytes: 0 };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_and_a_file_have_one_place_where_links_are_stored() {
        let rules = NameRules { link_suffix: Some(".link"), ..NameRules::default() };
        let rivals = |rules: &NameRules, name| {
            let rivals = rules.rivals(&Name::new(name).unwrap());
            rivals.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(rivals(&rules, "x"), ["x.link"]);
        assert_eq!(rivals(&rules, "x.link"), ["x.link.link", "x"]);
        assert_eq!(rivals(&rules, ".link"), [".link.link"]);
        assert!(rivals(&NameRules::default(), "x").is_empty());
    }

    #[test]
    fn a_wrapper_can_do_no_more_than_what_it_wraps() {
        let all = Features {
            server_side_copy: true,
            server_side_move: true,
            folder_move: true,
            duplicates: true,
            empty_files: true,
            read_only: false,
            listed_checksums: true,
            networked: false,
            public_links: true,
        };
        let inner = Features { folder_move: true, networked: true, read_only: true, ..Features::default() };
        assert_eq!(all.masked(inner), inner);
        assert_eq!(Features::default().masked(all), Features::default());
    }
}
