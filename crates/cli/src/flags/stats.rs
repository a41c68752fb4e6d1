//! The flags for the form of a run's statistics.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{LogLevel, value::duration};

/// How statistics look, as typed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logging")]
pub(crate) struct StatsFlags {
    /// Log statistics this often; 0: never
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration)]
    pub(crate) stats: Duration,

    /// Put statistics on one line
    #[arg(long)]
    pub(crate) stats_one_line: bool,

    /// Put statistics on one line, behind date and time
    #[arg(long)]
    pub(crate) stats_one_line_date: bool,

    /// Put statistics on one line, behind the time in this form, written as Go writes it
    #[arg(long, value_name = "FORM", default_value = "", hide_default_value = true)]
    pub(crate) stats_one_line_date_format: String,

    /// Show rates in bytes or bits a second
    #[arg(long, value_name = "UNIT", ignore_case = true, default_value = "bytes")]
    pub(crate) stats_unit: Unit,

    /// Cut the names of files to so many characters; 0: don't
    #[arg(long, value_name = "N", default_value = "45")]
    pub(crate) stats_file_name_length: usize,

    /// How important statistics are: DEBUG, INFO, NOTICE or ERROR
    #[arg(long, value_name = "LEVEL", ignore_case = true, default_value = "INFO")]
    pub(crate) stats_log_level: LogLevel,
}

/// Unit of the rates that are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Unit {
    #[default]
    Bytes,
    Bits,
}
