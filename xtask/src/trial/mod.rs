//! Shared code of `faults`, `crash` and `soak`: an emulated service with a client's home, the contents of both sides,
//! and a program that is run for a limited time.

mod known;
mod process;
mod random;
mod stage;
mod world;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::{Context as _, ensure};

pub(crate) use self::{
    known::known,
    process::{Ended, run, start_logged, status_bytes, wait_for},
    random::Random,
    stage::{Setting, Stage},
    world::{Difference, World},
};

/// Returns the directory of the workspace.
///
/// # Errors
/// The directory isn't known.
pub(crate) fn workspace() -> anyhow::Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace has no directory")
}

/// Returns the program to try: the given one, or one that is built now, without optimisation.
///
/// # Errors
/// The program doesn't exist, or can't be built.
pub(crate) fn program(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(program) = given {
        return program.canonicalize().with_context(|| format!("can't find {}", program.display()));
    }
    let root = workspace()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    // It is built as for the tests, so that it is built once.
    build.args(["build", "--quiet", "--locked", "--workspace", "--tests"]).current_dir(root);
    ensure!(build.status()?.success(), "fichier can't be built");
    Ok(root.join("target").join("debug").join("fichier"))
}

/// Does all jobs, several at once, and returns their results in order.
///
/// # Errors
/// The error of the first job that failed.
pub(crate) fn at_once<J: Sync, T: Send>(
    jobs: &[J],
    count: usize,
    work: impl Fn(&J) -> anyhow::Result<T> + Sync,
) -> anyhow::Result<Vec<T>> {
    let next = Mutex::new(0..jobs.len());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..count.max(1))
            .map(|_| {
                scope.spawn(|| -> anyhow::Result<()> {
                    loop {
                        let Some(number) = next.lock().unwrap_or_else(PoisonError::into_inner).next() else {
                            return Ok(());
                        };
                        let result = work(&jobs[number])?;
                        done.lock().unwrap_or_else(PoisonError::into_inner).push((number, result));
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.join().map_err(|_| anyhow::anyhow!("a thread ended early"))??;
        }
        anyhow::Ok(())
    })?;
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}
