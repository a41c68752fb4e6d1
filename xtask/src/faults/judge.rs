//! Judges a run by what is there, not by what the program says of it.

use std::collections::BTreeMap;

use fichier_emulator::DEMO_KEY;

use super::{
    cell::{Baseline, Program, Requests},
    task::Task,
};
use crate::trial::{Difference, Ended, World};

/// Largest memory of a run, in bytes: an answer of the service must not fill the machine.
const MOST_MEMORY: u64 = 400 << 20;

/// Result of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Done, without more requests than usual.
    Once,
    /// Done once, with more requests than usual.
    Retried,
    /// The program says that it failed, and nothing has changed; the next run completes it.
    NothingDone,
    /// The program says that it failed, and part is done; the next run completes it.
    PartDone,
    /// None of these: something is wrong.
    Failed(Vec<Failure>),
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) what: What,
    pub(crate) told: String,
}

/// Kinds of failures, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// Bytes are nowhere that should be somewhere.
    Lost,
    /// The key went to another host, or into the output.
    Key,
    /// Something was written where nothing should be written.
    Outside,
    /// Files or folders are there twice.
    Double,
    /// The program says that everything is done, and it isn't.
    Undone,
    Panic,
    Hang,
    Memory,
    /// There were more requests than the limit.
    Calls,
    /// The error message doesn't help a person.
    Unclear,
    /// The next run doesn't complete the work.
    NotCompleted,
}

impl What {
    /// All kinds.
    pub(crate) const ALL: [Self; 11] = [
        Self::Lost,
        Self::Key,
        Self::Outside,
        Self::Double,
        Self::Undone,
        Self::Panic,
        Self::Hang,
        Self::Memory,
        Self::Calls,
        Self::Unclear,
        Self::NotCompleted,
    ];

    /// Returns its name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Key => "key given away",
            Self::Outside => "wrote elsewhere",
            Self::Double => "double",
            Self::Undone => "0, but undone",
            Self::Panic => "panic",
            Self::Hang => "hang",
            Self::Memory => "memory",
            Self::Calls => "too many calls",
            Self::Unclear => "unclear error",
            Self::NotCompleted => "not completed",
        }
    }
}

/// Everything known about a run.
pub(crate) struct Seen<'a> {
    pub(crate) task: &'a Task,
    pub(crate) program: Program,
    pub(crate) before: &'a World,
    pub(crate) baseline: &'a Baseline,
    pub(crate) bounds: Requests,
    pub(crate) ended: &'a Ended,
    pub(crate) after: &'a World,
    pub(crate) requests: Requests,
    pub(crate) counters: &'a BTreeMap<String, u64>,
    pub(crate) strangers: Vec<String>,
    pub(crate) gave_key_away: bool,
    /// The run after it, without any fault.
    pub(crate) again: Option<&'a (Ended, World)>,
}

/// Judges a run.
pub(crate) fn judge(seen: &Seen<'_>) -> Verdict {
    let mut failures = Vec::new();
    let mut add = |what, told: String| failures.push(Failure { what, told });
    let Seen { ended, after, baseline, .. } = seen;
    for loss in after.losses(seen.before, &baseline.wanted) {
        add(What::Lost, loss);
    }
    if seen.gave_key_away {
        add(What::Key, "the key was sent to another host".to_owned());
    }
    if ended.stdout.contains(DEMO_KEY) || ended.stderr.contains(DEMO_KEY) {
        add(What::Key, "the key is in the output".to_owned());
    }
    if !seen.strangers.is_empty() {
        add(What::Outside, format!("{:?} were made outside", seen.strangers));
    }
    if ended.hung {
        add(What::Hang, format!("no end after {} s", ended.time.as_secs()));
    } else if ended.code.is_none() || ended.stderr.contains("panicked at") || ended.stderr.contains("panic: ")
    {
        add(What::Panic, first_line_with(&ended.stderr, "panic"));
    }
    if ended.memory > MOST_MEMORY {
        add(What::Memory, format!("{} MiB were taken", ended.memory >> 20));
    }
    let Requests { calls, node } = seen.requests;
    if calls > seen.bounds.calls || node > seen.bounds.node {
        let bounds = seen.bounds;
        let told = format!(
            "{calls} calls and {node} requests to nodes, and {} and {} would do: {:?}",
            bounds.calls, bounds.node, seen.counters
        );
        add(What::Calls, told);
    }
    if ended.code == Some(0) {
        for difference in differences(seen, after) {
            add(if difference.is_double { What::Double } else { What::Undone }, difference.told);
        }
        if seen.task.prints && ended.stdout != baseline.stdout {
            add(What::Undone, "the output is wrong".to_owned());
        }
    } else if !ended.hung
        && seen.program == Program::Fichier
        && let Some(why) = unclear(&ended.stderr)
    {
        add(What::Unclear, why);
    }
    if let Some((again, world)) = seen.again {
        judge_again(seen, again, world, &mut failures);
    }
    if !failures.is_empty() {
        failures.sort_by_key(|failure| failure.what);
        return Verdict::Failed(failures);
    }
    let usual = Requests::of(&baseline.calls);
    let is_usual = calls <= usual.calls && node <= usual.node;
    match ended.code {
        Some(0) if is_usual => Verdict::Once,
        Some(0) => Verdict::Retried,
        _ if after.differences(seen.before).is_empty() => Verdict::NothingDone,
        _ => Verdict::PartDone,
    }
}

/// Returns what isn't as it should be. A folder that a move emptied may stay, as it does with rclone.
fn differences(seen: &Seen<'_>, world: &World) -> Vec<Difference> {
    let mut differences = world.differences(&seen.baseline.wanted);
    if seen.task.words.first().is_some_and(|word| word.starts_with("move")) {
        differences.retain(|difference| !difference.is_folder);
    }
    differences
}

/// Judges the run after a failed one, which must reach the wanted state.
fn judge_again(seen: &Seen<'_>, again: &Ended, world: &World, failures: &mut Vec<Failure>) {
    let wanted = &seen.baseline.wanted;
    for loss in world.losses(seen.before, wanted) {
        failures.push(Failure { what: What::Lost, told: format!("in the next run: {loss}") });
    }
    let differences = differences(seen, world);
    for difference in &differences {
        let what = if difference.is_double { What::Double } else { What::NotCompleted };
        failures.push(Failure { what, told: format!("after the next run: {}", difference.told) });
    }
    // Everything was done, and only its answer was lost: then nothing is left to do, and the program says so.
    let was_done = seen.task.is_over_when_done && seen.after.differences(wanted).is_empty();
    if differences.is_empty() && again.code != Some(0) && !was_done {
        let told =
            format!("the next run ends with {:?}: {}", again.code, first_line_with(&again.stderr, "ERROR"));
        failures.push(Failure { what: What::NotCompleted, told });
    }
}

/// Returns why the message of a failed run doesn't help.
fn unclear(stderr: &str) -> Option<String> {
    let lower = stderr.to_lowercase();
    if stderr.trim().is_empty() {
        return Some("it says nothing".to_owned());
    }
    if ["<html", "<body", "<p>", "<!doctype"].iter().any(|tag| lower.contains(tag)) {
        return Some("it shows raw HTML".to_owned());
    }
    if stderr.chars().any(|char| char.is_control() && !matches!(char, '\n' | '\t')) {
        return Some("it sends control characters to the terminal".to_owned());
    }
    let says_why = ["error", "critical", "failed"].iter().any(|word| lower.contains(word));
    (!says_why).then(|| "it names no error".to_owned())
}

fn first_line_with(text: &str, word: &str) -> String {
    let line = text.lines().find(|line| line.contains(word)).or_else(|| text.lines().next());
    line.unwrap_or("it says nothing").chars().take(200).collect()
}
