//! One cell of the matrix: a command, a request that fails, and how it fails.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use fichier_emulator::FaultSpec;
use tokio::runtime::Handle;

use super::{
    judge::{self, Seen, Verdict},
    kind::Kind,
    task::Task,
    trap::Trap,
};
use crate::trial::{self, Ended, Setting, Stage, World};

/// Divisor of all waits.
const SCALE: u32 = 1000;

/// Program that is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Fichier,
    Rclone,
}

/// Fault of a cell.
#[derive(Debug, Clone)]
pub(crate) enum Wrong {
    /// Requests of one kind fail, once or each time.
    Requests { endpoint: String, kind: Kind, lasting: bool },
    /// The service as a whole is unusual, and each request that changes something fails once with it.
    Service { title: &'static str, setting: Setting, fault: Option<&'static str> },
}

/// A command, a program, and a fault.
#[derive(Debug, Clone)]
pub(crate) struct Cell<'a> {
    pub(crate) task: &'a Task,
    pub(crate) program: Program,
    pub(crate) wrong: Wrong,
}

/// Cost and result of a command without any fault.
#[derive(Debug, Clone)]
pub(crate) struct Baseline {
    /// Number of requests by endpoint.
    pub(crate) calls: BTreeMap<String, u64>,
    pub(crate) wanted: World,
    pub(crate) stdout: String,
}

/// Number of requests to the API, whose limits count them, and to nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Requests {
    pub(crate) calls: u64,
    pub(crate) node: u64,
}

/// Result of a cell.
#[derive(Debug, Clone)]
pub(crate) struct Tried {
    pub(crate) verdict: Verdict,
    pub(crate) requests: Requests,
    pub(crate) time: Duration,
    pub(crate) stderr: String,
}

/// Programs and settings for trying cells.
pub(crate) struct Bench {
    pub(crate) runtime: Handle,
    pub(crate) fichier: PathBuf,
    pub(crate) rclone: Option<PathBuf>,
    pub(crate) trap: Trap,
}

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.program == Program::Rclone {
            f.write_str("rclone ")?;
        }
        match &self.wrong {
            Wrong::Requests { endpoint, kind, lasting } => {
                let often = if *lasting { "always" } else { "once" };
                write!(f, "{} {endpoint} {} {often}", self.task.name, kind.spec)
            }
            Wrong::Service { title, .. } => write!(f, "{}: {title}", self.task.name),
        }
    }
}

impl Bench {
    fn program(&self, program: Program) -> anyhow::Result<&Path> {
        match program {
            Program::Fichier => Ok(&self.fichier),
            Program::Rclone => self.rclone.as_deref().context("there is no rclone to try"),
        }
    }

    fn run(&self, stage: &Stage, task: &Task, program: Program) -> anyhow::Result<Ended> {
        let mut command = stage.command(self.program(program)?)?;
        command.args(task.words).args(["--low-level-retries", "3", "--timeout", "2s", "--contimeout", "2s"]);
        if program == Program::Fichier {
            command.args(["--max-wait", "4s"]);
        }
        trial::run(&mut command, &stage.output(), task.input, bound(program))
    }

    /// Runs a command without any fault.
    ///
    /// # Errors
    /// The command doesn't do what it must.
    pub(crate) fn baseline(&self, task: &Task, program: Program) -> anyhow::Result<Baseline> {
        let stage = Stage::start(&self.runtime, Setting::Usual, SCALE, program == Program::Rclone)?;
        let control = stage.control()?;
        task.before.build(&control, &stage.work())?;
        control.reset_counters();
        let ended = self.run(&stage, task, program)?;
        let calls = control.counters();
        let wanted = World::look(&control, &stage.work())?;
        // This run shows which folders there must be.
        let files = World { folders: task.after.folders.clone(), ..wanted.clone() };
        let differences = files.differences(&task.after);
        ensure!(
            ended.code == Some(0) && differences.is_empty(),
            "{} ends with {:?} when nothing goes wrong: {differences:?}\n{}",
            task.name,
            ended.code,
            ended.stderr
        );
        Ok(Baseline { calls, wanted, stdout: ended.stdout })
    }

    /// Tries a cell.
    ///
    /// # Errors
    /// The cell can't be tried.
    pub(crate) fn try_cell(&self, cell: &Cell<'_>, baseline: &Baseline) -> anyhow::Result<Tried> {
        let (task, program) = (cell.task, cell.program);
        let setting = match cell.wrong {
            Wrong::Service { setting, .. } => setting,
            Wrong::Requests { .. } => Setting::Usual,
        };
        let mut stage = Stage::start(&self.runtime, setting, SCALE, program == Program::Rclone)?;
        let control = stage.control()?;
        task.before.build(&control, &stage.work())?;
        if let Setting::Lag(lag) = setting {
            thread::sleep(lag / SCALE + Duration::from_millis(5));
        }
        let before = World::look(&control, &stage.work())?;
        let trapped = self.trap.address();
        for fault in cell.faults(baseline, &stage.endpoint()?, &trapped)? {
            control.add_fault(fault);
        }
        control.reset_counters();
        let ended = self.run(&stage, task, program)?;
        let counters = control.counters();
        let requests = Requests::of(&counters);
        let after = World::look(&control, &stage.work())?;
        control.clear_faults();
        stage.heal();
        let mut seen = Seen {
            task,
            program,
            before: &before,
            baseline,
            bounds: cell.bounds(baseline),
            ended: &ended,
            after: &after,
            requests,
            counters: &counters,
            strangers: stage.strangers()?,
            gave_key_away: self.trap.got_key(&trapped),
            again: None,
        };
        let again;
        if ended.code != Some(0) && !ended.hung {
            if cell.is_remembered() {
                stage.forget()?;
            }
            let rerun = self.run(&stage, task, program)?;
            again = (rerun, World::look(&control, &stage.work())?);
            seen.again = Some(&again);
        }
        let verdict = judge::judge(&seen);
        Ok(Tried { verdict, requests, time: ended.time, stderr: ended.stderr.clone() })
    }
}

/// Returns the longest time for a run.
fn bound(program: Program) -> Duration {
    match program {
        Program::Fichier => Duration::from_secs(60),
        // rclone waits 400 ms between calls, and half a minute after a flood.
        Program::Rclone => Duration::from_secs(240),
    }
}

impl Cell<'_> {
    /// Checks whether the cell's name contains this part.
    pub(crate) fn is_named(&self, part: Option<&str>) -> bool {
        part.is_none_or(|part| self.to_string().contains(part))
    }

    fn is_remembered(&self) -> bool {
        matches!(&self.wrong, Wrong::Requests { kind, .. } if kind.is_remembered)
    }

    fn faults(&self, baseline: &Baseline, endpoint: &str, trap: &str) -> anyhow::Result<Vec<FaultSpec>> {
        let read = |text: &str| text.parse::<FaultSpec>().with_context(|| format!("{text:?} is no fault"));
        match &self.wrong {
            Wrong::Requests { endpoint: at, kind, lasting } => {
                let itself = match at.as_str() {
                    at if at.contains('/') => format!("{endpoint}v1/{at}.cgi"),
                    at => format!("{endpoint}{at}"),
                };
                let spec = kind.spec.replace("{self}", &itself).replace("{trap}", trap);
                let times = if *lasting { "" } else { ",times=1" };
                // These specify the number of times themselves.
                let times = if spec.starts_with("wait-report") || spec.starts_with("empty-report") {
                    if *lasting { ",times=1000000" } else { "" }
                } else {
                    times
                };
                Ok(vec![read(&format!("endpoint={at},kind={spec}{times}"))?])
            }
            Wrong::Service { fault: None, .. } => Ok(Vec::new()),
            Wrong::Service { fault: Some(fault), .. } => {
                let changing =
                    ["upload.cgi", "file/cp", "file/mv", "file/rename", "folder/mkdir", "folder/mv"];
                let struck = changing.iter().filter(|endpoint| baseline.calls.contains_key(**endpoint));
                struck.map(|endpoint| read(&format!("endpoint={endpoint},kind={fault},times=1"))).collect()
            }
        }
    }

    /// Returns the limits on calls of the run, and on requests to nodes.
    fn bounds(&self, baseline: &Baseline) -> Requests {
        let usual = Requests::of(&baseline.calls);
        match &self.wrong {
            Wrong::Requests { endpoint, lasting: true, .. } => {
                let struck = baseline.calls.get(endpoint).copied().unwrap_or(0);
                Requests {
                    // Three runs over the files that failed, each call sent four times in each.
                    calls: 20 + 3 * usual.calls + 12 * struck,
                    // A report may be requested 20 times, within five minutes, after each of these.
                    node: 60 + 12 * 20 * usual.node,
                }
            }
            _ => Requests { calls: 15 + 2 * usual.calls, node: 60 + 2 * usual.node },
        }
    }
}

impl Requests {
    /// Adds up requests by endpoint.
    pub(crate) fn of(counters: &BTreeMap<String, u64>) -> Self {
        let (calls, node): (Vec<_>, Vec<_>) =
            counters.iter().partition(|(endpoint, _)| endpoint.contains('/'));
        let sum = |part: Vec<(&String, &u64)>| part.into_iter().map(|(_, count)| count).sum();
        Self { calls: sum(calls), node: sum(node) }
    }
}

/// Checks whether a fault can affect an endpoint.
pub(crate) fn is_possible(kind: &Kind, endpoint: &str) -> bool {
    // The loop of a redirection needs an address that is known beforehand.
    let is_download = endpoint == "download";
    if kind.spec == "redirect:{self}" && is_download {
        return false;
    }
    let spec = kind.spec.replace("{self}", "http://x/").replace("{trap}", "http://x/");
    format!("endpoint={endpoint},kind={spec}").parse::<FaultSpec>().is_ok()
}
