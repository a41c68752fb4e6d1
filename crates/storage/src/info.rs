//! What a remote is and can do.

use std::time::Duration;

use crate::{HashKinds, Name, PlaceId, RemotePath};

/// Name, place, features and limits of a remote.
#[derive(Debug, Clone)]
pub struct RemoteInfo {
    /// The remote as the user named it, for messages only: `demo:`; a local one by its root.
    pub name: String,
    /// Place of its root.
    pub place: PlaceId,
    /// Name of the backend: `fichier`, `local`.
    pub backend: &'static str,
    /// What the remote can do.
    pub features: Features,
    /// Checksums that it gives.
    pub hashes: HashKinds,
    /// Modification times that it keeps.
    pub times: Times,
    /// Names that it accepts.
    pub names: NameRules,
    /// How much one [`WriteBatch`](crate::WriteBatch) should hold.
    pub batch: BatchLimit,
    /// Whether an empty file that is refused is only reported, and isn't a failure of the run. Only for remotes
    /// without [`Features::empty_files`].
    pub skips_empty_files: bool,
}

impl RemoteInfo {
    /// Checks whether a folder of this remote may be one of the other, under whatever path. Remotes of two kinds share
    /// nothing, unless one of them shows folders of others.
    #[must_use]
    pub fn may_share_folders_with(&self, other: &Self) -> bool {
        self.backend == other.backend || self.features.composite || other.features.composite
    }

    /// Checks whether a path or file of one remote means the same on the other.
    #[must_use]
    pub fn has_paths_of(&self, other: &Self) -> bool {
        self.place == other.place && self.names.encoding == other.names.encoding
    }

    /// Returns a path as messages name it: from the remote's root. Where the root is that of the whole file system,
    /// the path begins with it, since no absolute path lacks it.
    #[must_use]
    pub fn shown(&self, path: &RemotePath) -> String {
        // Other roots don't end so: a directory has no separator at its end, and a remote's name ends in a colon.
        let root = if self.name.ends_with(std::path::is_separator) { self.name.as_str() } else { "" };
        format!("{root}{path}")
    }
}

/// What a remote can do. All are off by default. Features that need methods of their own are
/// [extensions](crate::Extensions).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Features {
    /// Copies files without moving bytes through this program.
    pub server_side_copy: bool,
    /// Renames and moves files without copying.
    pub server_side_move: bool,
    /// Renames whole folders at once.
    pub folder_move: bool,
    /// Can hold two files of one name in a folder.
    pub duplicates: bool,
    /// Stores empty files.
    pub empty_files: bool,
    /// Can't be changed.
    pub read_only: bool,
    /// Sends its bytes over a network.
    pub networked: bool,
    /// Its files are known by public links, from which an account of the same service copies them.
    pub public_links: bool,
    /// Shows folders of other remotes side by side, so that its files may also be those of another remote.
    pub composite: bool,
}

impl Features {
    /// Returns the features of a wrapper over `inner` that passes its calls on: those that both have. Read-only and
    /// networked remotes stay so.
    #[must_use]
    pub fn masked(self, inner: Self) -> Self {
        Self {
            server_side_copy: self.server_side_copy && inner.server_side_copy,
            server_side_move: self.server_side_move && inner.server_side_move,
            folder_move: self.folder_move && inner.folder_move,
            duplicates: self.duplicates && inner.duplicates,
            empty_files: self.empty_files && inner.empty_files,
            read_only: self.read_only || inner.read_only,
            networked: self.networked || inner.networked,
            public_links: self.public_links && inner.public_links,
            composite: self.composite || inner.composite,
        }
    }
}

/// Modification times that a remote keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// How exact the times are; `None` means that it keeps none and shows the time of upload.
    pub precision: Option<Duration>,
    /// Whether the time of a stored file can be set.
    pub settable: bool,
}

/// Names that a remote accepts, and which of them mean the same file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameRules {
    /// How names are written there. With another encoding, another path leads to the same file.
    pub encoding: String,
    /// Greatest length of a name of a file or folder, in that encoding; `None` means unknown.
    pub longest: Option<NameLength>,
    /// Whether names that differ only in case mean the same file.
    pub case_insensitive: bool,
    /// End of the names of symbolic links, which lie on the disk without it; `None` means that no links are stored.
    pub link_suffix: Option<&'static str>,
}

impl NameRules {
    /// Returns the names that may have the same place as this one: for a link that of a file, and the reverse.
    #[must_use]
    pub fn rivals(&self, name: &Name) -> Vec<Name> {
        let Some(suffix) = self.link_suffix.map(str::as_bytes) else { return Vec::new() };
        let link = Name::new([name.as_bytes(), suffix].concat()).ok();
        let plain = name.as_bytes().strip_suffix(suffix).and_then(|plain| Name::new(plain).ok());
        link.into_iter().chain(plain).collect()
    }

    /// Returns the name of the link that has the same place as a folder of this name.
    #[must_use]
    pub fn link_in_place_of(&self, folder: &Name) -> Option<Name> {
        Name::new([folder.as_bytes(), self.link_suffix?.as_bytes()].concat()).ok()
    }

    /// Returns the name of the folder that has the same place as a link that is listed under this name.
    #[must_use]
    pub fn folder_in_place_of(&self, link: &Name) -> Option<Name> {
        Name::new(link.as_bytes().strip_suffix(self.link_suffix?.as_bytes())?).ok()
    }
}

/// Length of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameLength {
    /// Length in bytes, as most file systems count.
    Bytes(usize),
    /// Length in characters (Unicode scalar values), as 1Fichier counts.
    Characters(usize),
}

/// How much one [`WriteBatch`](crate::WriteBatch) should hold. A remote splits larger ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimit {
    /// Number of files in one batch, at least 1.
    pub files: usize,
    /// Number of bytes in one batch of more than one file.
    pub bytes: u64,
}

impl BatchLimit {
    /// Limit of one file per batch.
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
        let name = |name| Name::new(name).unwrap();
        assert_eq!(rules.link_in_place_of(&name("x")), Some(name("x.link")));
        assert_eq!(rules.folder_in_place_of(&name("x.link")), Some(name("x")));
        assert_eq!(rules.folder_in_place_of(&name("x")), None);
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
            networked: false,
            public_links: true,
            composite: false,
        };
        let inner = Features { folder_move: true, networked: true, read_only: true, ..Features::default() };
        assert_eq!(all.masked(inner), inner);
        assert_eq!(Features::default().masked(all), Features::default());
    }
}
