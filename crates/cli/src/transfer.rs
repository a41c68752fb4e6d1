//! A run of the engine as the user sees it: progress, statistics, Ctrl-C, and how it ended.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use fichier_engine::{Checksums, Comparison, DryRun, Rules, RunOptions, RunReport, Stats};
use fichier_storage::{Location, Result};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{
    arguments::{Settings, TransferSettings},
    commands::Context,
    exit::{Exit, Failure},
    output::{progress::Progress, stats::StatsSnapshot},
};

/// How often the display is drawn.
const FRAME: Duration = Duration::from_millis(200);

/// The engine's options, from the flags.
pub(crate) fn run_options(settings: &Settings, checksums: Checksums) -> RunOptions {
    let flags = &settings.transfer;
    let comparison = match (flags.size_only, flags.checksum) {
        (true, _) => Comparison::SizeOnly,
        (false, true) => Comparison::Checksum,
        (false, false) => Comparison::Exact,
    };
    RunOptions {
        rules: Rules { comparison, ignore_existing: flags.ignore_existing, ..Rules::default() },
        checksums,
        create_empty_folders: flags.create_empty_src_dirs,
        transfers: flags.transfers.get(),
        checkers: flags.checkers.get(),
        tries: flags.retries,
        max_depth: settings.max_depth,
        ..RunOptions::default()
    }
}

/// The same locations on remotes that change nothing, when `--dry-run` is set. Two locations of one remote
/// stay on one.
pub(crate) fn guarded<const N: usize>(settings: &Settings, locations: [Location; N]) -> [Location; N] {
    if !settings.dry_run {
        return locations;
    }
    let mut wrapped: Vec<(Arc<dyn fichier_storage::Remote>, Arc<dyn fichier_storage::Remote>)> = Vec::new();
    locations.map(|location| {
        let known = wrapped.iter().find(|(inner, _)| Arc::ptr_eq(inner, &location.remote));
        let remote = match known {
            Some((_, outer)) => outer.clone(),
            None => {
                let outer: Arc<dyn fichier_storage::Remote> = Arc::new(DryRun::new(location.remote.clone()));
                wrapped.push((location.remote, outer.clone()));
                outer
            }
        };
        Location { remote, path: location.path }
    })
}

/// Carries a run out, showing how it goes.
///
/// # Errors
/// The run couldn't be begun, or something in it failed.
pub(crate) async fn carry_out<F>(
    context: &mut Context<'_>,
    command: &str,
    begin: impl FnOnce(Arc<Stats>, CancellationToken) -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = Result<RunReport>>,
{
    let flags = &context.settings.transfer;
    let stats = Arc::new(Stats::default());
    let stop = CancellationToken::new();
    let progress = flags.progress.then(|| Progress::new(context.log.screen(), flags.stats_one_line));
    let mut frames = ticks(FRAME);
    let mut lines = ticks(flags.stats.unwrap_or(Duration::MAX / 4));
    let waiting = || context.session.calls().waiting();
    let snapshot = || StatsSnapshot { waiting: waiting(), ..StatsSnapshot::of(&stats.snapshot()) };
    let mut interrupted = false;
    let mut work = pin!(begin(stats.clone(), stop.clone()));
    let result = loop {
        tokio::select! {
            result = &mut work => break result,
            _ = frames.tick(), if progress.is_some() => {
                if let Some(progress) = &progress {
                    progress.show(context.out, &snapshot())?;
                }
            }
            _ = lines.tick(), if flags.stats.is_some() && progress.is_none() => log(flags, &snapshot()),
            _ = tokio::signal::ctrl_c() => {
                if interrupted {
                    anyhow::bail!(Failure { exit: Exit::Other, message: format!("Failed to {command}: interrupted") });
                }
                interrupted = true;
                tracing::warn!("Stopping: what is on its way is finished first. Ctrl-C once more stops at once");
                stop.cancel();
            }
        }
    };
    let end = snapshot();
    match &progress {
        Some(progress) => progress.finish(context.out, &end)?,
        None => log(flags, &end),
    }
    let report = result?;
    if interrupted {
        let left = end.total_transfers.saturating_sub(end.transfers);
        let message = format!("Failed to {command}: interrupted, with {left} known files left");
        return Err(Failure { exit: Exit::Other, message }.into());
    }
    conclude(report, command, flags)
}

fn ticks(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval.reset();
    interval
}

fn log(flags: &TransferSettings, snapshot: &StatsSnapshot) {
    if flags.stats_one_line {
        tracing::info!("{}", snapshot.one_line());
    } else {
        tracing::info!("\n{}", snapshot.block());
    }
}

/// How the program ends after a run.
fn conclude(report: RunReport, command: &str, flags: &TransferSettings) -> anyhow::Result<()> {
    let RunReport { transferred, failed, refused_empty_files, worst } = report;
    if let Some(error) = worst {
        let count = failed + refused_empty_files;
        let (exit, hint) = (Exit::of_storage(&error), error.hint());
        let mut message = if count == 1 {
            format!("Failed to {command}: {error}")
        } else {
            format!("Failed to {command} with {count} errors: the weightiest was: {error}")
        };
        if let Some(hint) = hint {
            message = format!("{message}\nHint: {hint}");
        }
        return Err(Failure { exit, message }.into());
    }
    if refused_empty_files > 0 {
        let files = if refused_empty_files == 1 { "empty file" } else { "empty files" };
        let message = format!(
            "Failed to {command} {refused_empty_files} {files}, which the service can't store; all else is done\n\
             Hint: use --fichier-empty-files marker to store stand-ins, or skip to leave them out"
        );
        return Err(Failure { exit: Exit::NoRetry, message }.into());
    }
    if transferred == 0 && flags.error_on_no_transfer {
        let message = format!("Failed to {command}: no files transferred");
        return Err(Failure { exit: Exit::NoTransfer, message }.into());
    }
    Ok(())
}
