//! `cargo xtask crash`: commands are killed with SIGKILL at any point, and so is the service; nothing may be lost, and
//! the next run completes the work.

mod scenario;
mod service;

use std::{path::PathBuf, thread, time::Duration};

use anyhow::{Context as _, bail};
use clap::Args;
use tokio::runtime::Handle;

use self::scenario::Scenario;
use crate::trial::{self, Random, Setting, Stage, World};

/// Divisor of all waits.
const SCALE: u32 = 1000;

/// Seed of the half of the kills that is always the same.
const FIXED_SEED: u64 = 7;

/// Longest time for a run.
const BOUND: Duration = Duration::from_secs(120);

/// What to kill
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How many runs are killed, over all commands
    #[arg(long, value_name = "N", default_value_t = 1000)]
    kills: usize,

    /// How often the service is killed under load
    #[arg(long, value_name = "N", default_value_t = 20)]
    service_kills: usize,

    /// Only commands whose names contain this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,

    /// How many runs are tried at once
    #[arg(long, value_name = "N", default_value_t = 4)]
    jobs: usize,

    /// Half of the kills have a seed that is always the same; this is the other half's, else a fresh one
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Try this `fichier` instead of building one
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,
}

/// One run to kill.
struct Kill {
    scenario: usize,
    /// Moment of the kill, in thousandths of the run's usual length.
    moment: u64,
    /// Whether the knowledge of the killed run counts as fresh in the next one.
    knows: bool,
}

/// Result of one kill.
struct Killed {
    name: String,
    /// Whether the run had ended before.
    too_late: bool,
    failures: Vec<String>,
}

/// Usual time and result of a command.
struct Usual {
    length: Duration,
    wanted: World,
}

/// Kills runs, and fails if anything was lost, is double or wasn't completed.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let program = trial::program(arguments.program.as_deref())?;
    let fresh = match arguments.seed {
        Some(seed) => seed,
        None => Random::fresh_seed()?,
    };
    println!("seeds {FIXED_SEED} and {fresh}");
    let mut scenarios = scenario::all();
    scenarios.retain(|scenario| arguments.only.as_deref().is_none_or(|part| scenario.name.contains(part)));
    let killer = Killer { runtime: runtime.handle().clone(), program };
    let killed = kill_all(arguments, &killer, &scenarios, fresh)?;
    println!("| command | runs | killed on their way | what went wrong |\n|---|---:|---:|---:|");
    for scenario in &scenarios {
        let of = killed.iter().filter(|one| one.name.starts_with(&format!("{} ", scenario.name)));
        let (runs, late, wrong) = of.fold((0, 0, 0), |(runs, late, wrong), one| {
            (runs + 1, late + usize::from(one.too_late), wrong + usize::from(!one.failures.is_empty()))
        });
        println!("| {} | {runs} | {} | {wrong} |", scenario.name, runs - late);
    }
    let (mut wrong, mut new) = (0, 0);
    let mut tell = |line: String| {
        wrong += 1;
        let known = trial::known(&line);
        new += usize::from(known.is_none());
        println!("- {line}{}", known.map(|why| format!(". Known: {why}")).unwrap_or_default());
    };
    for one in killed.iter().filter(|one| !one.failures.is_empty()) {
        // The first ones say of what kind they are.
        let told: Vec<_> = one.failures.iter().take(3).map(String::as_str).collect();
        let more = one.failures.len() - told.len();
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        tell(format!("crash {}: {}{more}", one.name, told.join("; ")));
    }
    if arguments.only.as_deref().is_none_or(|part| "service".contains(part)) {
        let report =
            service::kill_under_load(&killer.runtime, &killer.program, arguments.service_kills, fresh)?;
        println!("{}", report.sum);
        report.failures.into_iter().for_each(tell);
    }
    if new > 0 {
        bail!("{wrong} things went wrong, {new} in ways that aren't known");
    }
    Ok(())
}

fn kill_all(
    arguments: &Arguments,
    killer: &Killer,
    scenarios: &[Scenario],
    fresh: u64,
) -> anyhow::Result<Vec<Killed>> {
    let usual = trial::at_once(scenarios, arguments.jobs, |scenario| killer.usual(scenario))?;
    let mut kills = Vec::new();
    for (half, seed) in [FIXED_SEED, fresh].into_iter().enumerate() {
        let mut random = Random::new(seed);
        let count = if half == 0 { arguments.kills.div_ceil(2) } else { arguments.kills / 2 };
        for number in 0..count {
            let scenario = number.checked_rem(scenarios.len()).context("no command has such a name")?;
            let knows = random.below(2) == 0;
            kills.push(Kill { scenario, moment: random.below(1000), knows });
        }
    }
    trial::at_once(&kills, arguments.jobs, |kill| {
        killer.kill(&scenarios[kill.scenario], &usual[kill.scenario], kill)
    })
}

/// Programs and settings for killing runs.
struct Killer {
    runtime: Handle,
    program: PathBuf,
}

impl Killer {
    fn stage(&self, scenario: &Scenario) -> anyhow::Result<Stage> {
        let stage = Stage::start(&self.runtime, Setting::Usual, SCALE, false)?;
        let control = stage.control()?;
        scenario.before.build(&control, &stage.work())?;
        // This leaves time for a kill at each request.
        control.add_fault("kind=latency:4".parse()?);
        Ok(stage)
    }

    /// Runs a command to its end, in the same way as it is killed later.
    fn usual(&self, scenario: &Scenario) -> anyhow::Result<Usual> {
        let mut length = Duration::MAX;
        let mut wanted = World::default();
        for _ in 0..3 {
            let stage = self.stage(scenario)?;
            let mut command = stage.command(&self.program)?;
            let ended = trial::run(command.args(scenario.words), &stage.output(), "", BOUND)?;
            wanted = World::look(&stage.control()?, &stage.work())?;
            let files = World { folders: scenario.after.folders.clone(), ..wanted.clone() };
            let differences = files.differences(&scenario.after);
            if ended.code != Some(0) || !differences.is_empty() {
                bail!("{} fails undisturbed: {differences:?}\n{}", scenario.name, ended.stderr);
            }
            length = length.min(ended.time);
        }
        Ok(Usual { length, wanted })
    }

    fn kill(&self, scenario: &Scenario, usual: &Usual, kill: &Kill) -> anyhow::Result<Killed> {
        let stage = self.stage(scenario)?;
        let (control, work, output) = (stage.control()?, stage.work(), stage.output());
        let before = World::look(&control, &work)?;
        let command = || {
            let mut command = stage.command(&self.program)?;
            if kill.knows {
                // Three seconds, after the division: the next run comes within them.
                command.env("RCLONE_CONFIG_T_FOLDER_GAP", "3000s");
            }
            command.args(scenario.words);
            anyhow::Ok(command)
        };
        let mut child = trial::start_logged(&mut command()?, &output, "")?;
        let moment = usual.length.mul_f64(f64::from(u32::try_from(kill.moment)?) / 1000.0);
        thread::sleep(moment);
        let too_late = child.try_wait()?.is_some();
        child.kill()?;
        child.wait()?;
        let mut failures = self.look(&control, &work, &before, usual)?;
        // Requests that were sent to the service still arrive.
        thread::sleep(Duration::from_millis(30));
        failures.extend(self.look(&control, &work, &before, usual)?);
        let again = trial::run(&mut command()?, &output, "", BOUND)?;
        let after = World::look(&control, &work)?;
        failures.extend(after.losses(&before, &usual.wanted));
        let mut differences = after.differences(&usual.wanted);
        if scenario.words.first().is_some_and(|word| word.starts_with("move")) {
            // A folder that a move emptied may stay.
            differences.retain(|difference| !difference.is_folder);
        }
        let is_done = differences.is_empty();
        failures.extend(
            differences.into_iter().map(|difference| format!("after the next run, {}", difference.told)),
        );
        if again.code != Some(0) && !(is_done && scenario.is_over_when_done) {
            failures.push(format!("the next run ends with {:?}: {}", again.code, again.stderr.trim()));
        }
        for stranger in stage.strangers()? {
            failures.push(format!("{stranger} was made outside"));
        }
        for entry in std::fs::read_dir(stage.temporary())? {
            failures.push(format!("{} stays in the temporary directory", entry?.file_name().display()));
        }
        failures.dedup();
        let knows = if kill.knows { ", with what it knew" } else { "" };
        let name = format!("{} killed after {} ms{knows}", scenario.name, moment.as_millis());
        Ok(Killed { name, too_late, failures })
    }

    fn look(
        &self,
        control: &fichier_emulator::Control,
        work: &std::path::Path,
        before: &World,
        usual: &Usual,
    ) -> anyhow::Result<Vec<String>> {
        Ok(World::look(control, work)?.losses(before, &usual.wanted))
    }
}
