//! Tests of random scenarios: both programs, each on its own copy of the same state, end in the same state and say the
//! same.
//!
//! `FICHIER_TEST_SEED` repeats a run by its seed, which is printed; `FICHIER_TEST_SCENARIO` runs one scenario of it,
//! and shows all that both programs log; `FICHIER_TEST_RCLONE_RUNS` has rclone run it so many times more, and reports
//! how many different results that gave: what it leaves to chance doesn't count as a difference. Where this program
//! differs from rclone on purpose, `differences.rs` names it.

#![allow(clippy::print_stdout, reason = "seeds are printed, and a scenario that runs alone")]

mod differences;
mod generated;
mod page;
mod tree;

use std::{
    collections::BTreeMap,
    env, fs,
    process::Command as Process,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use differences::Difference;
use generated::{Scenario, is_plain, scenarios};
use tree::Held;

use crate::{
    peer::rclone::Rclone,
    stage::{Run, Stage},
};

/// Number of scenarios with the fixed seed.
const SCENARIOS: usize = 120;

/// Number of scenarios with a fresh seed.
const FRESH: usize = 40;

/// Seed of the scenarios that are always run. Others are tried by `FICHIER_TEST_SEED`.
const SEED: u64 = 3;

/// Number of scenarios that run at once: rclone waits 400 ms before each call, so it mostly sleeps.
const AT_ONCE: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Ours,
    Rclone,
}

/// Result of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    /// Exit status, in the numbers of this program.
    pub(crate) status: Option<i32>,
    /// Lines that it printed, in one order.
    pub(crate) lines: Vec<String>,
    /// Contents of the roots, by name.
    pub(crate) held: BTreeMap<&'static str, Held>,
}

#[test]
fn generated_scenarios_end_as_those_of_rclone() {
    Rclone::installed();
    let seed = number("FICHIER_TEST_SEED");
    let failures = run_all(seed.unwrap_or(SEED), SCENARIOS);
    assert!(failures.is_empty(), "{} scenarios differ:\n{}", failures.len(), failures.join("\n"));
    if seed.is_none() {
        // A fresh seed may find a difference on purpose that isn't in the table yet: a person has to decide.
        let found = run_all(rand::random(), FRESH);
        println!("{} fresh scenarios differ:\n{}", found.len(), found.join("\n"));
    }
}

/// Runs scenarios, and returns what differs.
fn run_all(seed: u64, count: usize) -> Vec<String> {
    println!("repeat this by FICHIER_TEST_SEED={seed}");
    let alone = number("FICHIER_TEST_SCENARIO");
    let mut scenarios = scenarios(seed, count);
    scenarios.retain(|scenario| alone.is_none_or(|alone| alone == scenario.number as u64));
    let start = Instant::now();
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let used: Mutex<BTreeMap<Difference, usize>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (differences, failure) = compare(scenario, alone.is_some());
                    for difference in differences {
                        *used.lock().unwrap().entry(difference).or_default() += 1;
                    }
                    failures.lock().unwrap().extend(failure);
                }
            });
        }
    });
    println!("{} scenarios in {:?}", scenarios.len(), start.elapsed());
    for (difference, count) in used.into_inner().unwrap() {
        println!("{count:3} × {}", difference.why());
    }
    failures.into_inner().unwrap()
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

/// Runs a scenario with both programs. Returns the differences on purpose that applied, and what else differs.
fn compare(scenario: &Scenario, verbose: bool) -> (Vec<Difference>, Option<String>) {
    let [(mut theirs, their_log), (mut ours, our_log)] =
        [Program::Rclone, Program::Ours].map(|program| act(program, scenario, verbose));
    if verbose {
        println!("{scenario:#?}\nrclone: {theirs:#?}\n{their_log}\nours: {ours:#?}\n{our_log}");
    }
    if let Some(runs) = number("FICHIER_TEST_RCLONE_RUNS").filter(|_| verbose) {
        let mut ends = vec![theirs.clone()];
        for _ in 0..runs {
            let (end, _) = act(Program::Rclone, scenario, false);
            if !ends.contains(&end) {
                ends.push(end);
            }
        }
        println!("rclone came to {} different ends in {} runs", ends.len(), runs + 1);
    }
    let mut came_in = Vec::new();
    for difference in Difference::ALL {
        if theirs == ours {
            break;
        }
        if difference.concerns(scenario) {
            let before = (theirs.clone(), ours.clone());
            difference.forgive(scenario, &mut theirs, &mut ours);
            if before != (theirs.clone(), ours.clone()) {
                came_in.push(*difference);
            }
        }
    }
    (came_in, (theirs != ours).then(|| describe(scenario, &theirs, &ours, [&their_log, &our_log])))
}

fn act(program: Program, scenario: &Scenario, verbose: bool) -> (End, String) {
    let stage = Stage::start_behind_proxy();
    let [from, to] = scenario.places;
    let planted = [
        ("source", from, Some(&scenario.source).filter(|_| scenario.command.has_two_ends())),
        ("destination", to, scenario.destination.as_ref()),
        ("reference", to, Some(&scenario.reference)),
    ];
    for (name, place, tree) in planted {
        if let Some(tree) = tree {
            tree.plant(&stage, place, name);
        }
    }
    let names: Vec<_> =
        scenario.source.files.keys().filter(|path| is_plain(path)).step_by(2).cloned().collect();
    fs::write(stage.home().join("names"), names.join("\n")).unwrap();
    let mut command = match program {
        Program::Ours => stage.command(),
        Program::Rclone => Rclone::installed().command(&stage),
    };
    command.args(scenario.words());
    if program == Program::Rclone {
        command.args(["--retries=1"]);
        if differences::sizes_alone(scenario) {
            command.arg("--checksum");
        }
    } else if differences::sends_all(scenario) {
        command.arg("--no-server-side-reuse");
    }
    command.args(verbose.then_some("-vv"));
    let Run { stdout, stderr, status, .. } = run(&mut command, scenario);
    let mut lines: Vec<_> = stdout.lines().map(ToOwned::to_owned).collect();
    lines.sort();
    let held = [("source", from), ("destination", to), ("reference", to), ("old", to)]
        .map(|(name, place)| (name, Held::read(&stage, place, name)));
    let status = match (program, status) {
        // Usage errors and other errors have swapped numbers in the two programs: docs/exit-codes.md.
        (Program::Rclone, Some(1)) => Some(2),
        (Program::Rclone, Some(2)) => Some(1),
        (_, status) => status,
    };
    (End { status, lines, held: held.into() }, stderr)
}

fn run(command: &mut Process, scenario: &Scenario) -> Run {
    // A question would wait for ever; without a terminal there is none.
    Run::of(command.stdin(std::process::Stdio::null()), &scenario.words().join(" "))
}

fn describe(scenario: &Scenario, theirs: &End, ours: &End, logs: [&str; 2]) -> String {
    let mut text = format!("{}: {:?} {:?}", scenario.number, scenario.words(), scenario.places);
    for (name, end, other, log) in [("rclone", theirs, ours, logs[0]), ("ours", ours, theirs, logs[1])] {
        if end.status != other.status {
            text += &format!("\n  {name}: status {:?}", end.status);
        }
        let alone: Vec<_> = end.lines.iter().filter(|line| !other.lines.contains(line)).collect();
        if end.lines != other.lines {
            text += &format!("\n  {name}: printed {alone:?} of {} lines", end.lines.len());
        }
        for (root, held) in &end.held {
            let other = &other.held[root];
            let folders: Vec<_> = held.folders.difference(&other.folders).collect();
            let files: Vec<_> =
                held.files.iter().filter(|(path, held)| other.files.get(*path) != Some(held)).collect();
            if !folders.is_empty() || !files.is_empty() {
                text += &format!("\n  {name}: {root} {files:?} {folders:?}");
            }
        }
        for line in log.lines().take(6) {
            text += &format!("\n    {line}");
        }
    }
    text
}
