//! Core dumps are switched off: the memory image of a run that dies would hold keys and passwords.

/// Switches core dumps off for this process and the programs that it starts. What it can't do is no reason to stop.
#[cfg(unix)]
pub(crate) fn prevent() {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let _refused = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// There are none on this system.
#[cfg(not(unix))]
pub(crate) fn prevent() {}
