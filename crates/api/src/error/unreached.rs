//! Describes in a few words why a host can't be reached.

use std::{error::Error, fmt};

/// A host to which no connection was made, and the reason in a few words.
#[derive(Debug)]
pub(crate) struct Unreached {
    host: String,
    why: String,
    unknown_host: bool,
}

impl Unreached {
    /// Reads an error of the layers of a connection.
    pub(crate) fn new(host: String, error: &(dyn Error + 'static)) -> Self {
        // The layers of the connection in between say nothing useful.
        let (mut innermost, mut of_name) = (error, false);
        while let Some(source) = innermost.source() {
            innermost = source;
            of_name |= source.to_string().contains("dns error");
        }
        let why = innermost.to_string();
        let unknown_host = of_name && !why.to_lowercase().contains("temporar");
        Self { host, why, unknown_host }
    }

    /// Checks whether the host doesn't exist, as far as is known for good.
    pub(crate) fn is_unknown_host(&self) -> bool {
        self.unknown_host
    }
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.host, self.why)
    }
}

impl Error for Unreached {}
