//! What a command works with.

use std::io::Write;

use crate::{arguments::Settings, error_tally::ErrorTally, logging::Log, session::Session};

/// What a command works with.
pub(crate) struct Context<'a> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) settings: &'a Settings,
    pub(crate) log: &'a Log,
    pub(crate) out: &'a mut dyn Write,
    pub(crate) errors_seen: ErrorTally,
}
