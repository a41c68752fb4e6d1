//! The flags that all commands share.

use std::{path::PathBuf, str::FromStr};

use clap::{
    Args, ValueEnum,
    builder::{OsStringValueParser, TypedValueParser as _},
};

use super::{
    Age,
    transfer::Size,
    value::{duration, size},
};
use crate::{log_format::LogFormat, syslog::Facility};

/// Text that is shown for an unknown time, unless a flag sets another.
pub(crate) const USUAL_UNKNOWN_TIME: &str = "2000-01-01T00:00:00Z";

/// The flags that all commands share, as typed.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of its own")]
pub(crate) struct GlobalFlags {
    /// Read the remotes from this file; "": from none
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "FILE",
        value_parser = OsStringValueParser::new().map(PathBuf::from),
        help_heading = "Config"
    )]
    pub(crate) config: Option<PathBuf>,

    /// Run this command to get the password of an encrypted configuration file
    #[arg(long, global = true, hide = true, value_name = "COMMAND", help_heading = "Config")]
    pub(crate) password_command: Option<String>,

    /// Ask for the password of an encrypted configuration file when none is given
    #[arg(
        long,
        global = true,
        hide = true,
        default_value_t = true,
        action = clap::ArgAction::SetTrue,
        help_heading = "Config"
    )]
    pub(crate) ask_password: bool,

    /// Only say what would be changed
    #[arg(short = 'n', long, global = true, hide = true, help_heading = "Important")]
    pub(crate) dry_run: bool,

    /// Say more; twice: say everything
    #[arg(
        short,
        long,
        global = true,
        hide = true,
        help_heading = "Important",
        value_name = "N",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "+1",
        action = clap::ArgAction::Append
    )]
    pub(crate) verbose: Vec<Louder>,

    /// Say nothing but errors
    #[arg(short, long, global = true, hide = true, help_heading = "Logging")]
    pub(crate) quiet: bool,

    /// Write the log to this file
    #[arg(long, global = true, hide = true, value_name = "FILE", help_heading = "Logging")]
    pub(crate) log_file: Option<PathBuf>,

    /// Begin the log file anew before it is larger than this, and set the old one aside
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "SIZE",
        default_value = "off",
        value_parser = size,
        help_heading = "Logging"
    )]
    pub(crate) log_file_max_size: Size,

    /// Keep at most so many log files that were set aside; 0: all
    #[arg(long, global = true, hide = true, value_name = "N", default_value = "0", help_heading = "Logging")]
    pub(crate) log_file_max_backups: usize,

    /// Keep log files that were set aside so long; 0: for ever
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "TIME",
        default_value = "0s",
        value_parser = duration,
        help_heading = "Logging"
    )]
    pub(crate) log_file_max_age: std::time::Duration,

    /// Compress log files that were set aside
    #[arg(long, global = true, hide = true, help_heading = "Logging")]
    pub(crate) log_file_compress: bool,

    /// Begin each line of the log with its priority, as systemd reads it, and without the time
    #[arg(long, global = true, hide = true, help_heading = "Logging")]
    pub(crate) log_systemd: bool,

    /// Write the log to the log of the system
    #[arg(long, global = true, hide = true, help_heading = "Logging")]
    pub(crate) syslog: bool,

    /// From which part of the system messages in its log are, such as USER or LOCAL0
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "PART",
        default_value = "DAEMON",
        help_heading = "Logging"
    )]
    pub(crate) syslog_facility: Facility,

    /// The least important messages to log: DEBUG, INFO, NOTICE, WARNING, ERROR, CRITICAL, ALERT, EMERGENCY; or OFF
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "LEVEL",
        ignore_case = true,
        help_heading = "Logging"
    )]
    pub(crate) log_level: Option<LogLevel>,

    /// What a line of the log begins with: words of date, time, microseconds, UTC, pid, shortfile, longfile,
    /// nolevel, json, between commas
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "WORDS",
        default_value = "date,time",
        help_heading = "Logging"
    )]
    pub(crate) log_format: LogFormat,

    /// Write the log as one JSON object a line
    #[arg(long, global = true, hide = true, help_heading = "Logging")]
    pub(crate) use_json_log: bool,

    /// Show the progress of transfers as it is made
    #[arg(short = 'P', long, global = true, hide = true, help_heading = "Logging")]
    pub(crate) progress: bool,

    /// Show progress in the title of the terminal, too; with --progress
    #[arg(long, global = true, hide = true, help_heading = "Logging")]
    pub(crate) progress_terminal_title: bool,

    /// The time that is shown for files and folders whose time isn't known
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "TIME",
        default_value = USUAL_UNKNOWN_TIME,
        help_heading = "Listing"
    )]
    pub(crate) default_time: Age,

    /// Do without these features of remotes, between commas; help lists them
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "FEATURES",
        default_value = "",
        hide_default_value = true,
        help_heading = "Config"
    )]
    pub(crate) disable: String,

    /// Keep caches in this directory
    #[arg(long, global = true, hide = true, value_name = "DIR", help_heading = "Config")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Keep what is only passing through in this directory
    #[arg(long, global = true, hide = true, value_name = "DIR", help_heading = "Config")]
    pub(crate) temp_dir: Option<PathBuf>,

    /// Use colours: auto (on a terminal), always or never
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "WHEN",
        ignore_case = true,
        default_value = "auto",
        help_heading = "Config"
    )]
    pub(crate) color: Colour,

    /// How many files to transfer at once
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "N",
        default_value = "4",
        help_heading = "Performance"
    )]
    pub(crate) transfers: i64,

    /// How many files to compare at once
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "N",
        default_value = "8",
        help_heading = "Performance"
    )]
    pub(crate) checkers: i64,

    /// How often to try the whole run when something failed
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "N",
        default_value = "3",
        allow_negative_numbers = true,
        help_heading = "Config"
    )]
    pub(crate) retries: i64,

    /// How often to try a single request that failed
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "N",
        default_value = "10",
        allow_negative_numbers = true,
        help_heading = "Config"
    )]
    pub(crate) low_level_retries: i64,

    /// How many levels of folders to list; -1: all
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "N",
        default_value = "-1",
        allow_negative_numbers = true,
        help_heading = "Filter"
    )]
    pub(crate) max_depth: i64,

    /// Show sizes with a suffix: Ki, Mi, Gi, Ti, Pi
    #[arg(long, global = true, hide = true, help_heading = "Config")]
    pub(crate) human_readable: bool,

    /// Take symbolic links of the local file system for small files whose names end with .rclonelink, and back
    #[arg(short = 'l', long, global = true, hide = true, help_heading = "Local files")]
    pub(crate) links: bool,

    /// Follow symbolic links of the local file system
    #[arg(short = 'L', long, global = true, hide = true, help_heading = "Local files")]
    pub(crate) copy_links: bool,

    /// End with exit code 9 when nothing had to be transferred
    #[arg(long, global = true, hide = true, help_heading = "Config")]
    pub(crate) error_on_no_transfer: bool,

    /// How far an earlier run's knowledge of an account counts: verify, trust, trust=AGE or off
    #[arg(long, global = true, hide = true, value_name = "HOW", help_heading = "Listing")]
    pub(crate) catalogue: Option<fichier_remotes::fichier::CatalogueMode>,

    /// List a whole account with as few calls as the backend can
    #[arg(long, global = true, hide = true, help_heading = "Listing")]
    pub(crate) fast_list: bool,
}

/// One `-v`, or `--verbose=N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Louder {
    Step,
    To(u8),
}

impl Louder {
    /// Returns the verbosity after this flag.
    pub(crate) fn apply(self, before: u8) -> u8 {
        match self {
            Self::Step => before.saturating_add(1),
            Self::To(level) => level,
        }
    }
}

impl FromStr for Louder {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "+1" { Ok(Self::Step) } else { text.parse().map(Self::To) }
    }
}

/// Least important messages to log, from nothing to everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum LogLevel {
    Off,
    Emergency,
    Alert,
    Critical,
    Error,
    Warning,
    Notice,
    Info,
    Debug,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    Auto,
    Never,
    Always,
}
