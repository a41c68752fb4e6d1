//! The flags that choose files and folders for a command.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, ValueEnum, builder::OsStringValueParser, builder::TypedValueParser as _};
use fichier_notation::parse_size;

use super::age::Age;

/// The filters, as typed.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of its own")]
pub(crate) struct FilterFlags {
    /// Take only files that match this pattern; may be repeated
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "PATTERN",
        allow_hyphen_values = true,
        help_heading = "Filter"
    )]
    pub(crate) include: Vec<OsString>,

    /// Take only files that match a pattern of this file; -: of the standard input
    #[arg(long, global = true, hide = true, value_name = "FILE", value_parser = file(), help_heading = "Filter")]
    pub(crate) include_from: Vec<PathBuf>,

    /// Leave out files that match this pattern; may be repeated
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "PATTERN",
        allow_hyphen_values = true,
        help_heading = "Filter"
    )]
    pub(crate) exclude: Vec<OsString>,

    /// Leave out files that match a pattern of this file; -: of the standard input
    #[arg(long, global = true, hide = true, value_name = "FILE", value_parser = file(), help_heading = "Filter")]
    pub(crate) exclude_from: Vec<PathBuf>,

    /// Take ("+ PATTERN") or leave out ("- PATTERN"), the first rule that matches decides; may be repeated
    #[arg(
        short = 'f',
        long,
        global = true,
        hide = true,
        value_name = "RULE",
        allow_hyphen_values = true,
        help_heading = "Filter"
    )]
    pub(crate) filter: Vec<OsString>,

    /// Take or leave out by the rules of this file; -: of the standard input
    #[arg(long, global = true, hide = true, value_name = "FILE", value_parser = file(), help_heading = "Filter")]
    pub(crate) filter_from: Vec<PathBuf>,

    /// Take just the files that this file names; -: the standard input
    #[arg(long, global = true, hide = true, value_name = "FILE", value_parser = file(), help_heading = "Filter")]
    pub(crate) files_from: Vec<PathBuf>,

    /// As --files-from, where every line counts as it is: no comments, no space taken off
    #[arg(long, global = true, hide = true, value_name = "FILE", value_parser = file(), help_heading = "Filter")]
    pub(crate) files_from_raw: Vec<PathBuf>,

    /// As --files-from-raw, where names end with NUL bytes
    #[arg(
        long = "files-from0",
        global = true,
        hide = true,
        value_name = "FILE",
        value_parser = file(),
        help_heading = "Filter"
    )]
    pub(crate) files_from0: Vec<PathBuf>,

    /// Leave out folders that hold a file of this name; may be repeated
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "NAME",
        allow_hyphen_values = true,
        help_heading = "Filter"
    )]
    pub(crate) exclude_if_present: Vec<OsString>,

    /// Take only files with metadata KEY=VALUE that matches this pattern; may be repeated
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "PATTERN",
        allow_hyphen_values = true,
        help_heading = "Metadata"
    )]
    pub(crate) metadata_include: Vec<OsString>,

    /// Take only files with metadata that matches a pattern of this file; -: of the standard input
    #[arg(long, global = true, hide = true, value_name = "FILE", value_parser = file(), help_heading = "Metadata")]
    pub(crate) metadata_include_from: Vec<PathBuf>,

    /// Leave out files with metadata KEY=VALUE that matches this pattern; may be repeated
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "PATTERN",
        allow_hyphen_values = true,
        help_heading = "Metadata"
    )]
    pub(crate) metadata_exclude: Vec<OsString>,

    /// Leave out files with metadata that matches a pattern of this file; -: of the standard input
    #[arg(long, global = true, hide = true, value_name = "FILE", value_parser = file(), help_heading = "Metadata")]
    pub(crate) metadata_exclude_from: Vec<PathBuf>,

    /// Take or leave out files by their metadata, as --filter does by their paths; may be repeated
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "RULE",
        allow_hyphen_values = true,
        help_heading = "Metadata"
    )]
    pub(crate) metadata_filter: Vec<OsString>,

    /// Take or leave out files by their metadata by the rules of this file; -: of the standard input
    #[arg(long, global = true, hide = true, value_name = "FILE", value_parser = file(), help_heading = "Metadata")]
    pub(crate) metadata_filter_from: Vec<PathBuf>,

    /// Leave out smaller files, in KiB or with a suffix: B, K, M, G, T, P
    #[arg(long, global = true, hide = true, value_name = "SIZE", value_parser = size, help_heading = "Filter")]
    pub(crate) min_size: Option<SizeLimit>,

    /// Leave out larger files, in KiB or with a suffix: B, K, M, G, T, P
    #[arg(long, global = true, hide = true, value_name = "SIZE", value_parser = size, help_heading = "Filter")]
    pub(crate) max_size: Option<SizeLimit>,

    /// Leave out files changed after that: in s or with a suffix (ms, s, m, h, d, w, M, y), or a date
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "TIME",
        allow_hyphen_values = true,
        help_heading = "Filter"
    )]
    pub(crate) min_age: Option<Age>,

    /// Leave out files changed before that: in s or with a suffix (ms, s, m, h, d, w, M, y), or a date
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "TIME",
        allow_hyphen_values = true,
        help_heading = "Filter"
    )]
    pub(crate) max_age: Option<Age>,

    /// Don't tell large letters from small ones in patterns
    #[arg(long, global = true, hide = true, help_heading = "Filter")]
    pub(crate) ignore_case: bool,

    /// Take one of N shares of all files, told by their paths; @/N: any one
    #[arg(long, global = true, hide = true, value_name = "K/N", help_heading = "Filter")]
    pub(crate) hash_filter: Option<String>,

    /// Remove at the destination of a sync what the filters leave out, instead of leaving it alone
    #[arg(long, global = true, hide = true, help_heading = "Filter")]
    pub(crate) delete_excluded: bool,

    /// Log these, without keys and passwords, at -vv: filters, headers, bodies, requests, responses, errors; auth,
    /// curl, goroutines, mapper, openfiles and trace are accepted
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "WHAT",
        value_delimiter = ',',
        help_heading = "Debugging"
    )]
    pub(crate) dump: Vec<Dump>,

    /// As --dump headers
    #[arg(long, global = true, hide = true, help_heading = "Debugging")]
    pub(crate) dump_headers: bool,

    /// As --dump bodies
    #[arg(long, global = true, hide = true, help_heading = "Debugging")]
    pub(crate) dump_bodies: bool,
}

impl FilterFlags {
    /// Checks whether anything is to be dumped.
    pub(crate) fn dumps(&self) -> bool {
        !self.dump.is_empty() || self.dump_headers || self.dump_bodies
    }

    /// Returns which parts of requests and answers to log. `bodies` means those of both, `requests` and `responses`
    /// those of one side; all include the headers of both.
    pub(crate) fn network_dump(&self) -> fichier_remotes::network::Dump {
        let has = |what: Dump| self.dump.contains(&what);
        let bodies = self.dump_bodies || has(Dump::Bodies);
        fichier_remotes::network::Dump {
            headers: self.dump_headers || has(Dump::Headers) || has(Dump::Auth),
            requests: bodies || has(Dump::Requests),
            responses: bodies || has(Dump::Responses),
            errors: has(Dump::Errors),
        }
    }

    /// Returns what to say about words that ask for more than is shown.
    pub(crate) fn undumped(&self) -> impl Iterator<Item = &'static str> {
        let sentence = |what: &Dump| match what {
            Dump::Auth => {
                Some("--dump auth shows headers, but never the key: whoever reads the log could use it")
            }
            Dump::Curl => Some("--dump curl has no effect here: --dump requests shows what is sent"),
            Dump::Mapper => Some("--dump mapper has no effect here: there is no metadata to be mapped"),
            Dump::Goroutines => Some("--dump goroutines has no effect here: there are none"),
            Dump::Openfiles => Some("--dump openfiles has no effect here"),
            Dump::Trace => Some("--dump trace has no effect here"),
            Dump::Filters
            | Dump::Headers
            | Dump::Bodies
            | Dump::Requests
            | Dump::Responses
            | Dump::Errors => None,
        };
        self.dump.iter().filter_map(sentence)
    }
}

/// Things that `--dump` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dump {
    /// The filters' rules.
    Filters,
    Headers,
    Bodies,
    Requests,
    Responses,
    Auth,
    Errors,
    Curl,
    Goroutines,
    Mapper,
    Openfiles,
    Trace,
}

/// A size in bytes, or no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SizeLimit(pub(crate) Option<u64>);

fn size(text: &str) -> Result<SizeLimit, String> {
    parse_size(text).map(SizeLimit).map_err(|error| format!("{text:?}: {error}"))
}

/// Parses the name of a file. Any name is accepted.
fn file() -> impl clap::builder::TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}
