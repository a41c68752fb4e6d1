//! The context that a command runs in.

use std::io::Write;

use crate::{arguments::Settings, error_tally::ErrorTally, logging::Log, session::Session};

/// Context that a command runs in: settings, session and output.
pub(crate) struct Context<'a> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) settings: &'a Settings,
    pub(crate) log: &'a Log,
    pub(crate) out: &'a mut dyn Write,
    pub(crate) errors_seen: ErrorTally,
}
