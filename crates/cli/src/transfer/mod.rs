//! A run of the engine as the user sees it: progress, statistics, Ctrl-C, and how it ended.

mod afterwards;
mod between;
mod observed;
mod options;
mod signals;

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use fichier_engine::{RunError, RunReport, Stats};
use fichier_remotes::resources::UnfinishedMove;
use fichier_storage::{Result, StorageError};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::{
    arguments::{Settings, TransferSettings},
    context::Context,
    exit::{Exit, Failure},
    flags::LogLevel,
    output::{progress::Progress, size, stats::StatsSnapshot},
    transfer::signals::Signals,
};

/// How long a run that is to stop has for what is nearly done. What isn't is broken off, so that nobody waits for a
/// slow line or a limit on the bandwidth.
const GRACE: Duration = Duration::from_millis(700);

/// How long it has for what mustn't be left between two calls.
const GRACE_BETWEEN_CALLS: Duration = Duration::from_secs(3);

/// How often to look whether it is done.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How often the display is drawn.
const FRAME: Duration = Duration::from_millis(200);

pub(crate) use self::{
    afterwards::AfterFlags,
    between::Between,
    observed::ListFlags,
    options::{reading, run_options},
};

/// Opens the files to which a comparison is written; `None` when flags name none.
///
/// # Errors
/// One of them can't be made.
pub(crate) fn observe(
    context: &Context<'_>,
    lists: &ListFlags,
) -> Result<Option<Arc<observed::Observed>>, Failure> {
    let report = context.settings.transfer.report.as_deref();
    observed::Observed::open(lists, report, context.session.calls().clone(), context.settings.dry_run)
}

/// Carries a run out, showing how it goes.
///
/// # Errors
/// The run couldn't be begun, or something in it failed.
pub(crate) async fn carry_out<F>(
    context: &mut Context<'_>,
    command: &str,
    lists: &ListFlags,
    begin: impl FnOnce(Arc<Stats>, CancellationToken) -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = Result<RunReport>>,
{
    let flags = &context.settings.transfer;
    let observed = observe(context, lists)?;
    let stats = match &observed {
        Some(observed) => Stats::observed(observed.clone()),
        None => Stats::default(),
    };
    let stats = Arc::new(match context.settings.dry_run {
        true => stats.of_dry_run(size::suffixed),
        false => stats,
    });
    let stop = context.session.stop().clone();
    let progress = flags.progress.then(|| {
        let coloured = context.settings.colours_stdout();
        let (plain, title) = (context.settings.plain_terminal, flags.progress_title);
        let (style, clock) = (&flags.stats_style, &context.settings.clock);
        Progress::new(context.log.screen(), style, clock, coloured, plain, title)
    });
    let mut frames = ticks(FRAME);
    let mut lines = ticks(flags.stats.unwrap_or(Duration::MAX / 4));
    let calls = context.session.calls().clone();
    let snapshot = || StatsSnapshot {
        calls: calls.sent(),
        waiting: calls.waiting(),
        ..StatsSnapshot::of(&stats.snapshot())
    };
    let signals = Signals::new()?;
    let session = context.session;
    let interrupted_by = |number| Failure {
        exit: Exit::Signal(number),
        message: format!("Failed to {command}: interrupted{}", said_of(&session.unfinished_moves())),
    };
    let mut interrupted: Option<u8> = None;
    let (mut too_late, mut at_the_latest) = (None, None);
    let mut work = pin!(begin(stats.clone(), stop.clone()));
    let result = loop {
        tokio::select! {
            result = &mut work => break result,
            _ = frames.tick(), if progress.is_some() => {
                if let Some(progress) = &progress {
                    progress.show(context.out, &snapshot())?;
                }
            }
            _ = lines.tick(), if flags.stats.is_some() && progress.is_none() => log(context.settings, &snapshot()),
            () = signals.asked_for_state() => tracing::warn!("\n{}", snapshot().block(&flags.stats_style)),
            () = sleep_until(too_late.unwrap_or_else(Instant::now)), if too_late.is_some() => {
                if !session.unfinished_moves().is_empty() && Some(Instant::now()) < at_the_latest {
                    too_late = Some(Instant::now() + LOOK_AGAIN);
                    continue;
                }
                anyhow::bail!(interrupted_by(interrupted.unwrap_or_default()));
            }
            signal = signals.asked_to_stop() => {
                if interrupted.is_some() {
                    anyhow::bail!(interrupted_by(signal.number));
                }
                interrupted = Some(signal.number);
                if session.unfinished_moves().is_empty() {
                    tracing::warn!("Stopping: the same command goes on from here");
                } else {
                    tracing::warn!("Stopping, when the directory that is being moved and renamed is in its place");
                }
                too_late = Some(Instant::now() + GRACE);
                at_the_latest = Some(Instant::now() + GRACE_BETWEEN_CALLS);
                stop.cancel();
                context.session.end_waits();
            }
        }
    };
    if let Some(observed) = &observed {
        observed.finish()?;
    }
    let end = snapshot();
    match &progress {
        Some(progress) => progress.finish(context.out, &end)?,
        None => log(context.settings, &end),
    }
    if let Some(number) = interrupted {
        let left = end.total_transfers.saturating_sub(end.transfers) + stats.snapshot().left_to_remove;
        // Nothing may be known yet, so that none left would sound as if all were done.
        let mut message = match left {
            0 => format!("Failed to {command}: interrupted"),
            left => format!("Failed to {command}: interrupted, with {left} known files left"),
        };
        if let Ok(RunReport { worst: Some(error @ StorageError::HalfMoved { .. }), .. }) = &result {
            message = format!("Failed to {command}: interrupted: {error}");
            message.extend(error.hint().map(|hint| format!("\nHint: {hint}")));
        }
        return Err(Failure { exit: Exit::Signal(number), message }.into());
    }
    conclude(result?, command, flags)
}

/// What is said of folders that are left between two calls.
fn said_of(moves: &[UnfinishedMove]) -> String {
    let said = |UnfinishedMove { from, between, to }: &UnfinishedMove| {
        format!(
            ": the directory {from:?} may be at {between:?}, on its way to {to:?}\n\
             Hint: look whether it is; then finish it with: fichier moveto {between:?} {to:?}"
        )
    };
    moves.iter().map(said).collect()
}

fn ticks(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval.reset();
    interval
}

fn log(settings: &Settings, snapshot: &StatsSnapshot) {
    let style = &settings.transfer.stats_style;
    let text = match style.one_line {
        true => snapshot.one_line(style, &settings.clock),
        false => format!("\n{}", snapshot.block(style)),
    };
    // What a dry run counts is what it was made for.
    let level = match settings.dry_run {
        true => settings.transfer.stats_level.min(LogLevel::Notice),
        false => settings.transfer.stats_level,
    };
    // A log of JSON objects has the numbers as well.
    let stats = settings.json_log.then(|| snapshot.json());
    let stats = stats.as_deref();
    match level {
        LogLevel::Off => {}
        LogLevel::Emergency | LogLevel::Alert | LogLevel::Critical | LogLevel::Error => {
            tracing::error!(stats, "{text}");
        }
        LogLevel::Warning | LogLevel::Notice => tracing::warn!(stats, "{text}"),
        LogLevel::Info => tracing::info!(stats, "{text}"),
        LogLevel::Debug => tracing::debug!(stats, "{text}"),
    }
}

/// How the program ends after a run.
fn conclude(report: RunReport, command: &str, flags: &TransferSettings) -> anyhow::Result<()> {
    let RunReport { transferred, failed, refused_empty_files, worst, .. } = report;
    if let Some(error) = worst {
        if RunError::is_quit(&error) {
            return Err(error.into());
        }
        let count = failed + refused_empty_files;
        let (exit, hint) = (Exit::of_storage(&error), error.hint());
        let mut message = if count == 1 {
            format!("Failed to {command}: {error}")
        } else {
            format!("Failed to {command} with {count} errors: the most serious was: {error}")
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
