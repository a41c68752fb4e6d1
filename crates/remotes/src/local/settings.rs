//! The options of the backend `local`, declared and read.

use std::sync::Arc;

use fichier_encoding::Encoding;

use crate::registry::{
    BackendSpec, Chosen, DESCRIPTION, InvalidValue, OpenError, Opens, OptionKind, OptionSpec,
};

use super::{Downloads, LinkPolicy, LocalOptions, LocalRemote};

/// The backend.
pub(crate) static BACKEND: BackendSpec = BackendSpec {
    name: "local",
    description: "Local disk",
    options: &OPTIONS,
    has_account: false,
    needs_one_of: &[],
    opens: Opens::Place(|opening, chosen| {
        let wrong = |source| OpenError::Value { remote: opening.name.to_owned(), source };
        let options = options(chosen, &opening.network.downloads).map_err(wrong)?;
        Ok(Arc::new(LocalRemote::open(opening.root, options)))
    }),
};

/// The default encoding in words; a test holds it to [`Encoding::LOCAL`].
const ENCODING: &str = if cfg!(windows) {
    "Slash,LtGt,DoubleQuote,Colon,Question,Asterisk,Pipe,BackSlash,Ctl,RightSpace,RightPeriod,InvalidUtf8,Dot"
} else if cfg!(target_os = "macos") {
    "Slash,InvalidUtf8,Dot"
} else {
    "Slash,Dot"
};

/// All options of the backend.
static OPTIONS: [OptionSpec; 9] = [
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
        "encoding",
        OptionKind::Encoding,
        ENCODING,
        "Which characters of file names stand on the disk as look-alikes.",
    )
    .advanced(),
    DESCRIPTION,
];

/// The options as they were chosen.
fn options(chosen: &Chosen<'_>, downloads: &Downloads) -> Result<LocalOptions, InvalidValue> {
    Ok(LocalOptions {
        downloads: downloads.clone(),
        links: match (chosen.flag("copy_links")?, chosen.flag("skip_links")?) {
            (true, _) => LinkPolicy::Follow,
            (false, true) => LinkPolicy::SkipSilently,
            (false, false) => LinkPolicy::Skip,
        },
        tells_of_specials: !chosen.flag("skip_specials")?,
        one_file_system: chosen.flag("one_file_system")?,
        encoding: chosen.encoding("encoding")?.unwrap_or(Encoding::LOCAL),
        check_updated: !chosen.flag("no_check_updated")?,
        sync: !chosen.flag("no_sync")?,
        long_paths: !chosen.flag("nounc")?,
    })
}
