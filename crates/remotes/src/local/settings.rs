//! The options of the backend `local`, declared and read.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use fichier_encoding::Encoding;
use fichier_storage::Remote;

use crate::backend::{
    BackendSpec, Chosen, DESCRIPTION, InvalidValue, OpenError, Opening, Opens, OptionKind, OptionSpec,
    Settings,
};

use super::{
    LocalRemote,
    downloads::Downloads,
    options::{LinkPolicy, LocalOptions, TimeType},
};

/// The backend `local`.
pub(crate) static BACKEND: BackendSpec = BackendSpec {
    name: "local",
    description: "Local disk",
    options: &OPTIONS,
    has_account: false,
    needs_one_of: &[],
    opens: Opens::Place(|opening, chosen| open(opening, PathBuf::new(), chosen)),
};

fn open(opening: Opening<'_>, named: PathBuf, chosen: &Chosen<'_>) -> Result<Arc<dyn Remote>, OpenError> {
    let wrong = |source| OpenError::Value { remote: opening.name.to_owned(), source };
    let options = LocalOptions {
        named,
        follows_circles: opening.resources.bounded_depth,
        ..options(chosen, &opening.resources.downloads).map_err(wrong)?
    };
    Ok(Arc::new(LocalRemote::open(opening.root, options)))
}

/// Opens a directory in which the user named a path, which may be a link to a directory.
///
/// # Errors
/// A value doesn't suit its option.
pub fn open_at(opening: Opening<'_>, named: PathBuf) -> Result<Arc<dyn Remote>, OpenError> {
    open(opening, named, &Chosen::new(&BACKEND, opening.settings))
}

/// The default encoding in words; a test holds it to [`Encoding::LOCAL`].
const ENCODING: &str = if cfg!(windows) {
    "Slash,LtGt,DoubleQuote,Colon,Question,Asterisk,Pipe,BackSlash,Ctl,RightSpace,RightPeriod,InvalidUtf8,Dot"
} else if cfg!(target_os = "macos") {
    "Slash,InvalidUtf8,Dot"
} else {
    "Slash,Dot"
};

/// Options of the backend.
static OPTIONS: [OptionSpec; 21] = [
    OptionSpec::new(
        "copy_links",
        OptionKind::Bool,
        "false",
        "Follow symbolic links, and take them for what they point to.\n\nOtherwise they are left out with a \
         notice.",
    )
    .advanced()
    .with_flag("copy-links", 'L'),
    OptionSpec::new(
        "links",
        OptionKind::Bool,
        "false",
        "Take a symbolic link for a small file that holds where it leads to.\n\nIts name ends with .rclonelink. \
         Such a file becomes a link again when it is written. Links are never followed then.",
    )
    .advanced(),
    OptionSpec::new(
        "skip_links",
        OptionKind::Bool,
        "false",
        "Leave symbolic links out without a notice.",
    )
    .advanced()
    .with_long_flag("skip-links"),
    OptionSpec::new(
        "skip_specials",
        OptionKind::Bool,
        "false",
        "Leave pipes, sockets and devices out without a notice.",
    )
    .advanced()
    .with_long_flag("skip-specials"),
    OptionSpec::new(
        "one_file_system",
        OptionKind::Bool,
        "false",
        "Don't cross the borders of the file system: leave out directories on which another one is mounted.\n\n\
         On Unix; elsewhere it has no effect.",
    )
    .advanced()
    .with_flag("one-file-system", 'x'),
    OptionSpec::new(
        "no_check_updated",
        OptionKind::Bool,
        "false",
        "Read files that change meanwhile.\n\nUsually that is an error. With this, as many bytes are read as the \
         file had when it was first seen: for logs that only grow.",
    )
    .advanced(),
    OptionSpec::new(
        "no_sync",
        OptionKind::Bool,
        "false",
        "Don't wait until files have reached the disk.\n\nFaster with many small files; after a power cut some of \
         them may be empty or torn.",
    )
    .advanced(),
    OptionSpec::new(
        "nounc",
        OptionKind::Bool,
        "false",
        "Windows: don't turn paths into the long form (\\\\?\\).\n\nPaths of more than 260 characters and names \
         like CON are errors then.",
    )
    .advanced(),
    OptionSpec::new(
        "zero_size_links",
        OptionKind::Bool,
        "false",
        "Without effect: links are always read, as rclone does by now, too.",
    )
    .advanced(),
    OptionSpec::new(
        "unicode_normalization",
        OptionKind::Bool,
        "false",
        "List accented letters as one character each (NFC), however they are written on the disk.\n\nNames are \
         matched whatever their form in any case, so this is seldom needed.",
    )
    .advanced(),
    OptionSpec::new(
        "case_sensitive",
        OptionKind::Bool,
        "false",
        "Take names for different that differ only in case, whatever is usual on the system.",
    )
    .advanced(),
    OptionSpec::new(
        "case_insensitive",
        OptionKind::Bool,
        "false",
        "Take names for the same that differ only in case, whatever is usual on the system.",
    )
    .advanced(),
    OptionSpec::new(
        "no_preallocate",
        OptionKind::Bool,
        "false",
        "Don't set room aside on the disk before a file is written.",
    )
    .advanced(),
    OptionSpec::new(
        "no_sparse",
        OptionKind::Bool,
        "false",
        "Write large files from their beginning to their end, in one stream, so that they have no holes meanwhile.",
    )
    .advanced(),
    OptionSpec::new(
        "no_set_modtime",
        OptionKind::Bool,
        "false",
        "Don't give files the modification times of their sources.\n\nTheir times aren't compared then, either.",
    )
    .advanced(),
    OptionSpec::new(
        "time_type",
        OptionKind::Choice(&[
            ("mtime", "when the content was changed"),
            ("atime", "when the file was read"),
            ("btime", "when the file was made"),
            ("ctime", "when anything about the file was changed"),
        ]),
        "mtime",
        "Which time of a file counts as its modification time.\n\nWhat the system doesn't know becomes mtime. \
         What is set is always mtime.",
    )
    .advanced(),
    OptionSpec::new(
        "metadata_restore_special_bits",
        OptionKind::Bool,
        "false",
        "Let --metadata set the bits of a mode that lend rights, too: setuid, setgid and sticky.\n\nOnly for \
         sources that you trust.",
    )
    .advanced(),
    OptionSpec::new(
        "hashes",
        OptionKind::Text,
        "",
        "Without effect: a checksum is computed only when a command asks for it.",
    )
    .advanced(),
    OptionSpec::new(
        "no_clone",
        OptionKind::Bool,
        "false",
        "Without effect but on macOS with rclone: copies on one disk are left to the system.",
    )
    .advanced(),
    OptionSpec::new(
        "encoding",
        OptionKind::Encoding,
        ENCODING,
        "Which characters of file names stand on the disk as look-alikes.",
    )
    .advanced(),
    DESCRIPTION,
];

/// Returns the options that were chosen.
fn options(chosen: &Chosen<'_>, downloads: &Downloads) -> Result<LocalOptions, InvalidValue> {
    let mut downloads = downloads.clone();
    downloads.reserve = !chosen.flag("no_preallocate")?;
    if chosen.flag("no_sparse")? {
        downloads.cutoff = u64::MAX;
    }
    Ok(LocalOptions {
        downloads,
        named: PathBuf::new(),
        follows_circles: false,
        links: links(chosen)?,
        case_insensitive: match (chosen.flag("case_sensitive")?, chosen.flag("case_insensitive")?) {
            (true, _) => false,
            (false, true) => true,
            (false, false) => LocalOptions::default().case_insensitive,
        },
        set_modified: !chosen.flag("no_set_modtime")?,
        special_bits: chosen.flag("metadata_restore_special_bits")?,
        time: match chosen.choice("time_type")? {
            Some("atime") => TimeType::Accessed,
            Some("btime") => TimeType::Born,
            Some("ctime") => TimeType::Changed,
            _ => TimeType::Modified,
        },
        composed: chosen.flag("unicode_normalization")?,
        tells_of_specials: !chosen.flag("skip_specials")?,
        one_file_system: chosen.flag("one_file_system")?,
        encoding: chosen.encoding("encoding")?.unwrap_or(Encoding::LOCAL),
        check_updated: !chosen.flag("no_check_updated")?,
        sync: !chosen.flag("no_sync")?,
        long_paths: !chosen.flag("nounc")?,
    })
}

/// Returns why a path can't be named this way: a symbolic link is there, and links count as files that end with a
/// suffix.
///
/// # Errors
/// A value doesn't suit its option.
pub fn refused_link(path: &Path, settings: &Settings) -> Result<Option<String>, InvalidValue> {
    let translates = links(&Chosen::new(&BACKEND, settings))? == LinkPolicy::Translate;
    let is_link = || std::fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink());
    Ok((translates && is_link()).then(|| needs_suffix(path)))
}

/// Returns what is wrong with a link that is named without the suffix.
pub(super) fn needs_suffix(path: &Path) -> String {
    let suffix = super::links::SUFFIX;
    format!(
        "{} is a symbolic link, which needs the suffix {suffix} to be named when -l/--links is used",
        path.display()
    )
}

/// Returns the policy for symbolic links.
fn links(chosen: &Chosen<'_>) -> Result<LinkPolicy, InvalidValue> {
    match (chosen.flag("copy_links")?, chosen.flag("links")?, chosen.flag("skip_links")?) {
        (true, true, _) => Err(InvalidValue {
            option: "links",
            reason: "can't use -l/--links with -L/--copy-links".to_owned(),
        }),
        (true, false, _) => Ok(LinkPolicy::Follow),
        (false, true, _) => Ok(LinkPolicy::Translate),
        (false, false, true) => Ok(LinkPolicy::SkipSilently),
        (false, false, false) => Ok(LinkPolicy::Skip),
    }
}
