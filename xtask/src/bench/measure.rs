//! Measures one run of a program: its time, its processor seconds, its peak memory.

use std::{
    collections::BTreeMap,
    fs::File,
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use wait4::Wait4 as _;

/// Cost of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    pub(crate) wall: Duration,
    /// User and system time.
    pub(crate) processor: Duration,
    /// Largest resident set, in bytes.
    pub(crate) memory: u64,
    /// Whether the run ended by itself.
    pub(crate) finished: bool,
    pub(crate) succeeded: bool,
    /// Number of requests by endpoint.
    pub(crate) calls: BTreeMap<String, u64>,
    pub(crate) floods: u64,
    /// Number of files that the account held in the end.
    pub(crate) stored: u64,
}

impl Sample {
    /// Returns the number of requests that the service's limits count.
    pub(crate) fn api_calls(&self) -> u64 {
        self.calls.iter().filter(|(endpoint, _)| is_api(endpoint)).map(|(_, count)| count).sum()
    }

    /// Returns the number of requests to nodes: bytes and reports.
    pub(crate) fn node_requests(&self) -> u64 {
        self.calls.iter().filter(|(endpoint, _)| !is_api(endpoint)).map(|(_, count)| count).sum()
    }
}

/// Checks whether an endpoint belongs to the API: these have a path, as in `file/ls`.
fn is_api(endpoint: &str) -> bool {
    endpoint.contains('/')
}

/// Returns the largest resident set of this process so far, in bytes; zero where the system doesn't say.
fn own_peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kibibytes =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB")?.trim().parse().ok());
    kibibytes.map_or(0, |kibibytes: u64| kibibytes << 10)
}

/// Runs a program to its end or until the time is over, its output in a file.
pub(crate) fn child(command: &mut Command, log: &Path, patience: Duration) -> anyhow::Result<Sample> {
    let output = File::create(log)?;
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("can't start {:?}", command.get_program()))?;
    let id = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    let (ended, end) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        if end.recv_timeout(patience) != Err(RecvTimeoutError::Timeout) {
            return false;
        }
        // It wasn't waited for yet, so the number is still its own.
        id.is_some_and(|id| rustix::process::kill_process(id, rustix::process::Signal::KILL).is_ok())
    });
    // The kernel counts a child's memory from that of the process that started it.
    let ours = own_peak();
    let usage = child.wait4()?;
    ensure!(
        usage.rusage.maxrss > ours,
        "the memory of {:?} can't be told from the measurement's own",
        command.get_program()
    );
    let wall = start.elapsed();
    drop(ended);
    let stopped = watch.join().unwrap_or(false);
    Ok(Sample {
        wall,
        processor: usage.rusage.utime + usage.rusage.stime,
        memory: usage.rusage.maxrss,
        finished: !stopped,
        succeeded: usage.status.success(),
        ..Sample::default()
    })
}
