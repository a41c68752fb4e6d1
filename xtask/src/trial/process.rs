//! Runs a program for a limited time, and keeps its output.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;

/// How a program ended.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    /// Exit code; none if the program was killed.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) time: Duration,
    /// Whether it had to be ended since its time was over.
    pub(crate) hung: bool,
    /// Largest resident set that was seen, in bytes; 0 where the system doesn't say.
    pub(crate) memory: u64,
}

/// Returns a number of `/proc/PID/status`, in bytes.
pub(crate) fn status_bytes(id: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

/// Starts a program, its output in files below a place.
///
/// # Errors
/// The program can't be started.
pub(crate) fn start_logged(command: &mut Command, place: &Path, input: &str) -> anyhow::Result<Child> {
    let stdin = place.join("stdin");
    fs::write(&stdin, input)?;
    command
        .stdin(File::open(stdin)?)
        .stdout(Stdio::from(File::create(place.join("stdout"))?))
        .stderr(Stdio::from(File::create(place.join("stderr"))?))
        .spawn()
        .with_context(|| format!("can't start {:?}", command.get_program()))
}

/// Waits until a program that was started with [`start_logged`] ends, and ends it when the time is over.
///
/// # Errors
/// Its end or its output isn't available.
pub(crate) fn wait_for(mut child: Child, place: &Path, bound: Duration) -> anyhow::Result<Ended> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(2);
    let mut memory = 0;
    let (status, hung) = loop {
        if let Some(status) = child.try_wait()? {
            break (status, false);
        }
        if start.elapsed() >= bound {
            child.kill()?;
            break (child.wait()?, true);
        }
        memory = status_bytes(child.id(), "VmHWM").unwrap_or(0).max(memory);
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    };
    let text = |name: &str| anyhow::Ok(String::from_utf8_lossy(&fs::read(place.join(name))?).into_owned());
    let (stdout, stderr) = (text("stdout")?, text("stderr")?);
    Ok(Ended { code: status.code(), stdout, stderr, time: start.elapsed(), hung, memory })
}

/// Runs a program to its end, or until its time is over.
///
/// # Errors
/// The program can't be started, or its output isn't available.
pub(crate) fn run(
    command: &mut Command,
    place: &Path,
    input: &str,
    bound: Duration,
) -> anyhow::Result<Ended> {
    wait_for(start_logged(command, place, input)?, place, bound)
}
