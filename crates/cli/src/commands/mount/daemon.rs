//! A mount in the background: a second process of this program, which says when it is ready.

use std::{env, fs::OpenOptions, io, process::Stdio, time::Duration};

use anyhow::Context as _;
use rustix::process::{Pid, Signal};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time,
};

use crate::exit::{Exit, Failure};

/// Set for the process in the background.
const BACKGROUND: &str = "FICHIER_IN_BACKGROUND";

/// What it writes when the mount is there.
const READY: &str = "ready";

/// How long it may take to end after it was told to.
const END: Duration = Duration::from_secs(5);

/// Checks whether this is the process in the background.
pub(super) fn is_background() -> bool {
    env::var_os(BACKGROUND).is_some()
}

/// Starts the same command once more in the background, and waits until it is ready; for no time: doesn't wait.
///
/// # Errors
/// It can't be started, ended before it was ready, or isn't ready in time.
pub(super) async fn start(wait: Duration) -> anyhow::Result<()> {
    let program = env::current_exe().context("can't find this program to start it in the background")?;
    let mut command = Command::new(program);
    command.args(env::args_os().skip(1)).env(BACKGROUND, "1");
    if wait.is_zero() {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    } else {
        // It may have to ask for a password, and says on the terminal what goes wrong.
        command.stdout(Stdio::piped());
    }
    let mut child = command.spawn().context("can't start this program in the background")?;
    let Some(out) = child.stdout.take() else { return Ok(()) };
    let mut line = String::new();
    match time::timeout(wait, BufReader::new(out).read_line(&mut line)).await {
        Ok(Ok(_)) if line.trim_end() == READY => Ok(()),
        Ok(_) => {
            let status = child.wait().await.context("can't learn how the mount in the background ended")?;
            let message = format!("the mount in the background ended before it was ready ({status})");
            Err(Failure { exit: Exit::Other, message }.into())
        }
        Err(_) => {
            end(&mut child).await;
            let seconds = wait.as_secs();
            let message =
                format!("it isn't mounted after {seconds} seconds; give it more time by --daemon-wait");
            Err(Failure::other(message).into())
        }
    }
}

/// Has the process end, so that it can unmount.
async fn end(child: &mut Child) {
    let number = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    // It may have ended by itself.
    let told = number.map(|number| rustix::process::kill_process(number, Signal::TERM));
    if !matches!(told, Some(Ok(()))) || time::timeout(END, child.wait()).await.is_err() {
        let _ = child.start_kill();
    }
}

/// Lets the process that waits go on, and leaves its terminal.
///
/// # Errors
/// The process that waits is gone, or there is no `/dev/null`.
pub(super) fn ready(out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "{READY}")?;
    out.flush()?;
    // Fails if it leads a group already: then it has left.
    let _ = rustix::process::setsid();
    let nothing = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::stdio::dup2_stdout(&nothing)?;
    rustix::stdio::dup2_stderr(&nothing)?;
    Ok(())
}
