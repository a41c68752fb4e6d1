//! Writes the tables of docs/faults.md.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    cell::{Cell, Program, Tried, Wrong},
    judge::{Verdict, What},
    kind::{KINDS, SETTINGS},
    task::Task,
};
use crate::trial;

/// Cells and their results.
type Results<'a> = [(Cell<'a>, Tried)];

const OPENING: &str = "\
# What faults do

Made by `cargo xtask faults --rclone PROGRAM --write docs/faults.md`. Each cell is a run of its own: a fresh emulated
service and a fresh home, a known state on both sides, one command, and one kind of its requests that fails in one way,
*once* or *always*. Then both sides are looked at directly, not by the program. Waits are divided by 1,000, requests are
tried 4 times, and waiting in all is bounded by 4 s, so that a cell takes seconds. The faults are those of
[emulator.md](emulator.md). `cargo xtask faults --only TEXT --show` tries the cells again whose names contain the text.

| word | meaning |
|---|---|
| at once | done, with no request more than without the fault |
| retried | done once, with more requests |
| error | exit code not 0, an error that says why, and nothing changed; the next run, without the fault, does it |
| in part | the same, but part of it was done before; the next run completes it, and nothing is there twice |
| **other words** | wrong, see the list of what failed |

What counts as wrong, whatever the program says: bytes that are nowhere any more (*lost*), the key at another host or in
the output, something written elsewhere, files or folders that are *double*, *0, but undone*, a panic, no end within 60 s
(*hang*), more than 400 MiB of memory, more calls than a bound (twice those without the fault and 15; where it lasts,
what three runs with four tries each cost; reports of uploads have a bound of their own), an error that shows HTML or
control characters or nothing, and a next run that doesn't bring about what was wanted.
";

impl Verdict {
    /// Returns its word in the tables.
    pub(crate) fn word(&self) -> String {
        match self {
            Self::Once => "at once".to_owned(),
            Self::Retried => "retried".to_owned(),
            Self::NothingDone => "error".to_owned(),
            Self::PartDone => "in part".to_owned(),
            Self::Failed(failures) => {
                format!("**{}**", failures.first().map_or("wrong", |failure| failure.what.name()))
            }
        }
    }

    /// Returns the rank of a verdict: the larger, the worse.
    fn rank(&self) -> (u8, u8) {
        match self {
            Self::Once => (0, 0),
            Self::Retried => (1, 0),
            Self::NothingDone => (2, 0),
            Self::PartDone => (3, 0),
            Self::Failed(failures) => (4, failures.first().map_or(0, |failure| 255 - failure.what as u8)),
        }
    }
}

/// Returns how often each verdict was given.
pub(crate) fn sum(ours: &Results<'_>, theirs: &Results<'_>) -> String {
    let mut text = String::new();
    text.push_str("| program | cells | at once | retried | error | in part | wrong | of these |\n");
    text.push_str("|---|---:|---:|---:|---:|---:|---:|---|\n");
    let row = |name: &str, results: &mut dyn Iterator<Item = &(Cell<'_>, Tried)>| {
        let mut counts = [0_usize; 5];
        let mut kinds: BTreeMap<What, usize> = BTreeMap::new();
        for (_, tried) in results {
            counts[usize::from(tried.verdict.rank().0)] += 1;
            if let Verdict::Failed(failures) = &tried.verdict
                && let Some(worst) = failures.first()
            {
                *kinds.entry(worst.what).or_default() += 1;
            }
        }
        let all: usize = counts.iter().sum();
        let kinds: Vec<_> = kinds.iter().map(|(what, count)| format!("{} {count}", what.name())).collect();
        let numbers: Vec<_> = counts.iter().map(ToString::to_string).collect();
        format!("| {name} | {all} | {} | {} |\n", numbers.join(" | "), kinds.join(", "))
    };
    text += &row("fichier, all cells", &mut ours.iter());
    if !theirs.is_empty() {
        text +=
            &row("fichier, cells that rclone can take", &mut ours.iter().filter(|(cell, _)| is_shared(cell)));
        text += &row("rclone", &mut theirs.iter());
    }
    text
}

/// Describes a cell that failed, and how it is tried again.
pub(crate) fn failure(cell: &Cell<'_>, tried: &Tried) -> String {
    let Verdict::Failed(failures) = &tried.verdict else { return String::new() };
    let told: Vec<_> =
        failures.iter().map(|failure| format!("{}: {}", failure.what.name(), failure.told)).collect();
    let (calls, seconds) = (tried.requests.calls, tried.time.as_secs_f64());
    let line = format!("- `{cell}`: {} ({calls} calls, {seconds:.1} s)", told.join("; "));
    let known = trial::known(&line).map(|why| format!(". Known: {why}"));
    line + &known.unwrap_or_default()
}

fn is_shared(cell: &Cell<'_>) -> bool {
    let Wrong::Requests { kind, lasting: false, .. } = &cell.wrong else { return false };
    kind.with_rclone && cell.task.with_rclone
}

/// Returns the whole document.
pub(crate) fn render(tasks: &[Task], ours: &Results<'_>, theirs: &Results<'_>) -> String {
    let mut text = format!("{OPENING}\n## In sum\n\n{}", sum(ours, theirs));
    if !theirs.is_empty() {
        text += &beside(tasks, ours, theirs);
    }
    text += &whole_service(tasks, ours);
    text.push_str("\n## What failed\n\n");
    let failed: Vec<_> = ours.iter().map(|(cell, tried)| failure(cell, tried)).collect();
    let failed: Vec<_> = failed.into_iter().filter(|line| !line.is_empty()).collect();
    if failed.is_empty() {
        text.push_str("Nothing.\n");
    } else {
        text += &(failed.join("\n") + "\n");
    }
    text.push_str(
        "\n## Each command\n\nIn each cell, what becomes of it where the fault strikes once, and where it lasts.\n",
    );
    for task in tasks {
        text += &of_task(task, ours);
    }
    text
}

/// Makes the table of the worst results of each command and kind, over all its requests, beside rclone's.
fn beside(all: &[Task], ours: &Results<'_>, theirs: &Results<'_>) -> String {
    let (tasks, missing): (Vec<&Task>, Vec<&Task>) = all
        .iter()
        .filter(|task| task.with_rclone)
        .partition(|task| theirs.iter().any(|(cell, _)| cell.task.name == task.name));
    let mut text = "\n## Beside rclone\n\nThe worst over all requests of the command that a fault struck once: \
        fichier's outcome / rclone's.\nrclone makes other requests than fichier, and more of them; each program's own \
        were struck.\n\n| fault |"
        .to_owned();
    for task in &tasks {
        let _ = write!(text, " {} |", task.title);
    }
    text += &format!("\n|---|{}\n", "---|".repeat(tasks.len()));
    for kind in KINDS.iter().filter(|kind| kind.with_rclone) {
        let _ = write!(text, "| {}: {} |", kind.group, kind.title);
        for task in &tasks {
            let worst = |results: &Results<'_>| {
                let of_kind = results.iter().filter(|(cell, _)| {
                    cell.task.name == task.name
                        && matches!(&cell.wrong, Wrong::Requests { kind: one, lasting: false, .. } if one.spec == kind.spec)
                });
                let worst = of_kind.max_by_key(|(_, tried)| tried.verdict.rank());
                worst.map_or("–".to_owned(), |(_, tried)| tried.verdict.word())
            };
            let _ = write!(text, " {} / {} |", worst(ours), worst(theirs));
        }
        text.push('\n');
    }
    for task in missing {
        let _ = write!(
            text,
            "\nLeft out: {}. What rclone brings about there when nothing fails isn't what is wanted here.\n",
            task.title
        );
    }
    text
}

/// Makes the table of unusual services, by command.
fn whole_service(tasks: &[Task], ours: &Results<'_>) -> String {
    let mut text =
        "\n## The whole service\n\nWhere an answer is lost, that befalls each kind of changing request once.\n\n| |"
            .to_owned();
    for (title, ..) in SETTINGS {
        let _ = write!(text, " {title} |");
    }
    text += &format!("\n|---|{}\n", "---|".repeat(SETTINGS.len()));
    for task in tasks {
        let _ = write!(text, "| {} |", task.title);
        for (wanted, ..) in SETTINGS {
            let of = ours.iter().find(|(cell, _)| {
                cell.task.name == task.name
                    && matches!(cell.wrong, Wrong::Service { title, .. } if title == *wanted)
            });
            let _ = write!(text, " {} |", of.map_or("–".to_owned(), |(_, tried)| tried.verdict.word()));
        }
        text.push('\n');
    }
    text
}

fn of_task(task: &Task, ours: &Results<'_>) -> String {
    let mut words: BTreeMap<(&str, &str, bool), String> = BTreeMap::new();
    for (cell, tried) in ours.iter().filter(|(cell, _)| cell.task.name == task.name) {
        debug_assert_eq!(cell.program, Program::Fichier, "the other program has no such table");
        if let Wrong::Requests { endpoint, kind, lasting } = &cell.wrong {
            words.insert((endpoint, kind.spec, *lasting), tried.verdict.word());
        }
    }
    let mut endpoints: Vec<&str> = words.keys().map(|(endpoint, ..)| *endpoint).collect();
    endpoints.dedup();
    if endpoints.is_empty() {
        return String::new();
    }
    let mut text = format!("\n### {}\n\n`{}`\n\n| fault |", task.title, task.words.join(" "));
    for endpoint in &endpoints {
        let _ = write!(text, " `{endpoint}` |");
    }
    text += &format!("\n|---|{}\n", "---|".repeat(endpoints.len()));
    for kind in KINDS {
        if !words.keys().any(|(_, spec, _)| *spec == kind.spec) {
            continue;
        }
        let _ = write!(text, "| {}: {} |", kind.group, kind.title);
        for endpoint in &endpoints {
            let one = |lasting| words.get(&(*endpoint, kind.spec, lasting)).map_or("–", String::as_str);
            match (one(false), one(true)) {
                ("–", "–") => text.push_str(" |"),
                (once, always) => {
                    let _ = write!(text, " {once}, {always} |");
                }
            }
        }
        text.push('\n');
    }
    text
}
