//! How a local directory is treated.

use std::path::PathBuf;

use fichier_encoding::Encoding;

use super::downloads::Downloads;

/// What to do about symbolic links inside the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkPolicy {
    /// Leave them out, with a notice.
    #[default]
    Skip,
    /// Leave them out and say nothing.
    SkipSilently,
    /// Take them for what they point to. Links that lead nowhere, or back to a directory that holds them,
    /// are left out with an error in the log.
    Follow,
    /// Take each for a small file that holds where it leads to: see `links`.
    Translate,
}

/// Which time of a file counts as its modification time when it is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeType {
    /// When its content was changed.
    #[default]
    Modified,
    /// When it was read.
    Accessed,
    /// When it was made, where the system knows.
    Born,
    /// When anything about it was changed, where the system knows.
    Changed,
}

/// How a local directory is treated.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is one option of its own")]
pub struct LocalOptions {
    /// What the user named in the directory, if that isn't the directory itself. Where it is a link to a directory, that is
    /// what was named.
    pub named: PathBuf,
    /// What to do about symbolic links.
    pub links: LinkPolicy,
    /// Whether a followed link may lead back to a directory that holds it: who goes only so deep comes to an end.
    pub follows_circles: bool,
    /// Whether there is a notice about what is neither a file nor a directory and is left out.
    pub tells_of_specials: bool,
    /// Whether directories of other file systems are left out.
    pub one_file_system: bool,
    /// How names are written on the disk.
    pub encoding: Encoding,
    /// Whether a file that changes while it is read is an error.
    pub check_updated: bool,
    /// Whether a file counts as stored only when it has reached the disk.
    pub sync: bool,
    /// Windows: whether paths of more than 260 characters are possible (`\\?\`). Without a meaning elsewhere.
    pub long_paths: bool,
    /// Whether the file system takes names for one that differ only in case.
    pub case_insensitive: bool,
    /// Whether files get the modification times of their sources.
    pub set_modified: bool,
    /// Whether metadata that come with a file may set the bits of its mode that lend rights.
    pub special_bits: bool,
    /// Which time of a file counts.
    pub time: TimeType,
    /// Whether accented letters are listed as one character each, however the disk has them.
    pub composed: bool,
    /// How files that come over a network are brought to the disk.
    pub downloads: Downloads,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self {
            named: PathBuf::new(),
            links: LinkPolicy::default(),
            follows_circles: false,
            tells_of_specials: true,
            one_file_system: false,
            encoding: Encoding::LOCAL,
            check_updated: true,
            sync: true,
            long_paths: true,
            case_insensitive: cfg!(any(windows, target_os = "macos")),
            set_modified: true,
            special_bits: false,
            time: TimeType::default(),
            composed: false,
            downloads: Downloads::default(),
        }
    }
}
