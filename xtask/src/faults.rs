//! `cargo xtask faults`: every request that a command makes fails in every way, once and each time, and both sides are
//! checked afterwards.

mod cell;
mod judge;
mod kind;
mod report;
mod results;
mod task;
mod trap;

use std::{collections::BTreeMap, fs, path::PathBuf, time::Instant};

use anyhow::{Context as _, bail};
use clap::Args;

use self::{
    cell::{Baseline, Bench, Cell, Program, Tried, Wrong},
    judge::Verdict,
    kind::{KINDS, Kind, SETTINGS},
    results::Results,
    task::Task,
    trap::Trap,
};
use crate::trial::{self, Random};

/// Seed of the quick sample: always the same cells.
const QUICK_SEED: u64 = 13;

/// What to try
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only cells whose names contain this: a command, a request, a fault, as in "sync-up file/rm close once"
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,

    /// Only a sample, always the same one
    #[arg(long)]
    quick: bool,

    /// How many cells the sample has
    #[arg(long, value_name = "N", default_value_t = 160)]
    sample: usize,

    /// How many cells are tried at once
    #[arg(long, value_name = "N", default_value_t = 4)]
    jobs: usize,

    /// Try this rclone as well, where it can take the case
    #[arg(long, value_name = "PROGRAM")]
    rclone: Option<PathBuf>,

    /// How many cells are tried at once with rclone, which mostly waits
    #[arg(long, value_name = "N", default_value_t = 16)]
    rclone_jobs: usize,

    /// Try this `fichier` instead of building one
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,

    /// Write the tables into this file
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,

    /// Keep what came of each cell in this file, and take over what is in it instead of trying it again
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,

    /// Try those cells of --results again that failed
    #[arg(long, requires = "results")]
    again: bool,

    /// Try nothing: only tell and write what --results has
    #[arg(long, requires = "results")]
    finished: bool,

    /// Only name the cells
    #[arg(long)]
    list: bool,

    /// Show what the program said in each cell that failed
    #[arg(long)]
    show: bool,
}

/// Tries the cells, prints the sum, and writes the tables where that was requested.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let rclone = arguments.rclone.as_deref().map(|path| path.canonicalize().context("can't find rclone"));
    let bench = Bench {
        runtime: runtime.handle().clone(),
        fichier: trial::program(arguments.program.as_deref())?,
        rclone: rclone.transpose()?,
        trap: Trap::start()?,
    };
    let began = Instant::now();
    let tasks = task::all();
    let results = Results::open(arguments.results.as_deref(), arguments.again)?;
    let ours = try_all(arguments, &bench, &tasks, Program::Fichier, &results)?;
    let theirs = match bench.rclone {
        Some(_) => try_all(arguments, &bench, &tasks, Program::Rclone, &results)?,
        None => Vec::new(),
    };
    if arguments.list {
        return Ok(());
    }
    let failed: Vec<_> =
        ours.iter().filter(|(_, tried)| matches!(tried.verdict, Verdict::Failed(_))).collect();
    println!("{}", report::sum(&ours, &theirs));
    let mut new = 0;
    for (cell, tried) in &failed {
        let line = report::failure(cell, tried);
        println!("{line}");
        new += usize::from(trial::known(&line).is_none());
        if arguments.show {
            println!("{}", tried.stderr);
        }
    }
    println!("{} cells in {} s", ours.len() + theirs.len(), began.elapsed().as_secs());
    if let Some(file) = &arguments.write {
        fs::write(file, report::render(&tasks, &ours, &theirs))
            .with_context(|| format!("can't write {}", file.display()))?;
    }
    if new > 0 {
        bail!("{} of {} cells failed, {new} in ways that aren't known", failed.len(), ours.len());
    }
    Ok(())
}

/// Returns all cells of one program with their results.
fn try_all<'a>(
    arguments: &Arguments,
    bench: &Bench,
    tasks: &'a [Task],
    program: Program,
    results: &Results,
) -> anyhow::Result<Vec<(Cell<'a>, Tried)>> {
    let tasks: Vec<&Task> =
        tasks.iter().filter(|task| program == Program::Fichier || task.with_rclone).collect();
    let jobs = if program == Program::Fichier { arguments.jobs } else { arguments.rclone_jobs };
    let baselines = trial::at_once(&tasks, jobs, |task| {
        let baseline = bench.baseline(task, program);
        match (baseline, program) {
            (Ok(baseline), _) => Ok(Some((task.name, baseline))),
            (Err(error), Program::Fichier) => Err(error),
            (Err(error), Program::Rclone) => {
                eprintln!("left out with rclone: {error}");
                Ok(None)
            }
        }
    })?;
    let baselines: BTreeMap<&str, Baseline> = baselines.into_iter().flatten().collect();
    let mut cells: Vec<Cell<'_>> = tasks
        .iter()
        .filter_map(|task| Some((*task, baselines.get(task.name)?)))
        .flat_map(|(task, baseline)| cells_of(task, program, baseline))
        .filter(|cell| cell.is_named(arguments.only.as_deref()))
        .filter(|cell| !arguments.finished || results.former(&cell.to_string()).is_some())
        .collect();
    if arguments.quick {
        cells = Random::new(QUICK_SEED).sample(cells, arguments.sample);
    }
    if arguments.list {
        for cell in cells {
            println!("{cell}");
        }
        return Ok(Vec::new());
    }
    let tried = trial::at_once(&cells, jobs, |cell| {
        let name = cell.to_string();
        if let Some(former) = results.former(&name) {
            return Ok(former.clone());
        }
        let baseline = baselines.get(cell.task.name).context("a cell without a baseline")?;
        let tried = bench.try_cell(cell, baseline).with_context(|| format!("{name} can't be tried"))?;
        results.keep(&name, &tried)?;
        Ok(tried)
    })?;
    Ok(cells.into_iter().zip(tried).collect())
}

/// Returns all faults of a command.
fn cells_of<'a>(task: &'a Task, program: Program, baseline: &Baseline) -> Vec<Cell<'a>> {
    let mut cells = Vec::new();
    let ours = program == Program::Fichier;
    for endpoint in baseline.calls.keys() {
        let possible = |kind: &&Kind| cell::is_possible(kind, endpoint) && (ours || kind.with_rclone);
        for kind in KINDS.iter().filter(possible).filter(|kind| !is_right_to_believe(task, kind, endpoint)) {
            for lasting in [false, true] {
                if lasting && !ours {
                    continue;
                }
                let wrong = Wrong::Requests { endpoint: endpoint.clone(), kind: *kind, lasting };
                cells.push(Cell { task, program, wrong });
            }
        }
    }
    if ours {
        for (title, setting, fault) in SETTINGS {
            let wrong = Wrong::Service { title, setting: *setting, fault: *fault };
            cells.push(Cell { task, program, wrong });
        }
    }
    cells
}

/// Checks whether a lie can't be noticed: a file that a listing shows as changed goes to the backup, and rightly.
fn is_right_to_believe(task: &Task, kind: &Kind, endpoint: &str) -> bool {
    task.name == "sync-backup" && kind.spec == "wrong-checksum" && endpoint.ends_with("/ls")
}
