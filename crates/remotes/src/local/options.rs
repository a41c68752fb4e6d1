//! Options of a local directory.

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
    /// Treat them as what they point to. Links that lead nowhere, or back to a directory that holds them, are left out
    /// with an error in the log.
    Follow,
    /// Treat each as a small file that holds its target: see `links`.
    Translate,
}

/// Time that counts as a file's modification time when it is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeType {
    /// Time when the content was changed.
    #[default]
    Modified,
    /// Time when the file was read.
    Accessed,
    /// Time when the file was made, where the system knows.
    Born,
    /// Time when anything about the file was changed, where the system knows.
    Changed,
}

/// Options of a local directory.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is one option of its own")]
pub struct LocalOptions {
    /// What the user named in the directory, if that isn't the directory itself. Where it is a link to a directory, that is
    /// what was named.
    pub named: PathBuf,
    /// What to do about symbolic links.
    pub links: LinkPolicy,
    /// Whether a followed link may lead back to a directory that holds it: a listing of limited depth ends all the
    /// same.
    pub follows_circles: bool,
    /// Whether a notice is logged about an entry that is neither a file nor a directory and is left out.
    pub tells_of_specials: bool,
    /// Whether directories of other file systems are left out.
    pub one_file_system: bool,
    /// Encoding of names on the disk.
    pub encoding: Encoding,
    /// Whether a file that changes while it is read is an error.
    pub check_updated: bool,
    /// Whether a file counts as stored only when it has reached the disk.
    pub sync: bool,
    /// Windows: whether paths of more than 260 characters are possible (`\\?\`). On other systems it has no effect.
    pub long_paths: bool,
    /// Whether the file system treats names that differ only in case as one.
    pub case_insensitive: bool,
    /// Whether files get the modification times of their sources.
    pub set_modified: bool,
    /// Whether metadata that come with a file may set the bits of its mode that grant rights.
    pub special_bits: bool,
    /// Time of a file that counts.
    pub time: TimeType,
    /// Whether accented letters are listed as one character each, however the disk has them.
    pub composed: bool,
    /// Options for writing files from a network to the disk.
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
