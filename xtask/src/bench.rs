//! `cargo xtask bench`: tasks done by `fichier` and by the real rclone in turn, each against a fresh emulated
//! service, and what they cost.

mod fixture;
mod machine;
mod measure;
mod program;
mod report;
mod service;
mod task;

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail};
use clap::Args;

pub(crate) use self::fixture::{SeedArguments, seed};
use self::{
    fixture::Fixture,
    measure::Sample,
    program::{Pace, Program, Programs},
    task::{Size, Task},
};

/// What to measure
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only these tasks; may be given several times. Without it all, but for those of a million files
    #[arg(long, value_name = "NAME")]
    task: Vec<String>,

    /// Which paces to measure at: same (both wait 400 ms between calls), off (no waiting; fichier only) and limits
    #[arg(long, value_delimiter = ',', default_value = "same,off")]
    pace: Vec<String>,

    /// How often each program does each task
    #[arg(long, default_value_t = 5)]
    rounds: usize,

    /// How large the tasks are
    #[arg(long, value_enum, default_value = "full")]
    size: Size,

    /// The limits of the service at the pace `limits`: real or scaled:N. rclone's 400 ms can't be scaled
    #[arg(long, default_value = "real")]
    limits: String,

    /// How long a run may take, in seconds; one that takes longer is stopped and told as such
    #[arg(long, value_name = "SECONDS", default_value_t = 7200)]
    patience: u64,

    /// How many tasks are measured at a time. Above one, only what waiting decides is worth telling: calls, and
    /// times at the pace `same`
    #[arg(long, default_value_t = 1)]
    jobs: usize,

    /// Measure this `fichier` instead of building one
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,

    /// Leave rclone out
    #[arg(long)]
    alone: bool,

    /// Write the tables into this file, between the lines that name the section
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,

    /// The section to write
    #[arg(long, default_value = "small")]
    section: String,

    /// Only tell the names of the tasks
    #[arg(long)]
    list: bool,
}

/// All runs of one task at one pace.
pub(crate) struct Series {
    pub(crate) task: Task,
    pub(crate) pace: Pace,
    pub(crate) ours: Vec<Sample>,
    pub(crate) theirs: Vec<Sample>,
}

/// Measures the tasks, prints the tables, and writes them where that was requested.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace has no directory")?;
    let all = task::all(arguments.size);
    if arguments.list {
        for task in all {
            println!("{:24} {}", task.name, task.title);
        }
        return Ok(());
    }
    let programs = Programs::prepare(root, arguments.program.as_deref())?;
    let tasks = chosen(all, &arguments.task, &programs)?;
    let paces: Vec<_> = arguments
        .pace
        .iter()
        .map(|name| Pace::named(name, &arguments.limits))
        .collect::<anyhow::Result<_>>()?;
    let fixture = Fixture::new(&root.join("target").join("bench"))?;
    let series = measure_all(arguments, &tasks, &paces, &programs, &fixture)?;
    let text = report::render(&series, &programs, arguments.rounds, arguments.jobs)?;
    println!("{text}");
    if let Some(file) = &arguments.write {
        report::write_section(file, &arguments.section, &text)?;
    }
    Ok(())
}

/// Returns the tasks that were named, or all that are done by default and that this `fichier` knows.
fn chosen(all: Vec<Task>, names: &[String], programs: &Programs) -> anyhow::Result<Vec<Task>> {
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|task| task.name == **name)) {
        bail!("no task is named {unknown}; `cargo xtask bench --list` tells all");
    }
    let flags = programs.known_flags()?;
    let wanted = |task: &Task| match names {
        [] => task.by_default,
        names => names.iter().any(|name| name == task.name),
    };
    let mut tasks = Vec::new();
    for task in all.into_iter().filter(wanted) {
        match task.needs {
            Some(flag) if !flags.contains(flag) => {
                eprintln!("left out: {}, since fichier has no {flag} yet", task.name);
            }
            _ => tasks.push(task),
        }
    }
    Ok(tasks)
}

fn measure_all(
    arguments: &Arguments,
    tasks: &[Task],
    paces: &[Pace],
    programs: &Programs,
    fixture: &Fixture,
) -> anyhow::Result<Vec<Series>> {
    let mut open: Vec<_> =
        tasks.iter().flat_map(|task| paces.iter().map(move |pace| (task, pace))).enumerate().collect();
    open.reverse();
    let open = Mutex::new(open);
    let done = Mutex::new(Vec::new());
    let next = || open.lock().ok()?.pop();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..arguments.jobs.max(1))
            .map(|_| {
                scope.spawn(|| -> anyhow::Result<()> {
                    while let Some((place, (task, pace))) = next() {
                        let series = measure_one(arguments, task, pace, programs, fixture)
                            .with_context(|| format!("the task {} failed", task.name))?;
                        if let Ok(mut done) = done.lock() {
                            done.push((place, series));
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        for worker in workers {
            worker.join().map_err(|_| anyhow::anyhow!("a measuring thread ended early"))??;
        }
        anyhow::Ok(())
    })?;
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(place, _)| *place);
    Ok(done.into_iter().map(|(_, series)| series).collect())
}

/// Measures the rounds of a task: the programs take turns.
fn measure_one(
    arguments: &Arguments,
    task: &Task,
    pace: &Pace,
    programs: &Programs,
    fixture: &Fixture,
) -> anyhow::Result<Series> {
    let mut series = Series { task: task.clone(), pace: pace.clone(), ours: vec![], theirs: vec![] };
    let patience = Duration::from_secs(arguments.patience);
    let rounds = if task.is_start { arguments.rounds * 4 } else { arguments.rounds };
    for round in 1..=rounds {
        for program in [Program::Fichier, Program::Rclone] {
            let left_out = arguments.alone || !task.with_rclone || matches!(pace, Pace::Off);
            if program == Program::Rclone && left_out {
                continue;
            }
            let stand = fixture.stand(task, programs)?;
            let sample = stand.run(task, program, pace, programs, patience)?;
            eprintln!(
                "{} {pace} round {round} {}: {:.2} s, {} calls, {} floods{}",
                task.name,
                program.name(),
                sample.wall.as_secs_f64(),
                sample.api_calls(),
                sample.floods,
                if sample.finished { "" } else { ", stopped" },
            );
            match program {
                Program::Fichier => series.ours.push(sample),
                Program::Rclone => series.theirs.push(sample),
            }
        }
    }
    Ok(series)
}
