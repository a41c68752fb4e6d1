//! `hashcache` manages the checksums of local files that are remembered between runs.

use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use fichier_engine::{HashCache, RunReport, say_skipped};

use crate::context::Context;
use crate::{
    exit::{Exit, Failure},
    output::size,
    transfer::{ListFlags, carry_out},
};

/// Show, clear or verify the remembered checksums of local files
#[derive(Debug, Args)]
#[command(
    after_help = "So that no file is read twice that hasn't changed, checksums are kept in the user's cache \
    directory under what identifies a file's content: device, inode, size and times. status tells how many, clear \
    forgets them all, verify reads the files below a PATH anew and forgets checksums that are wrong; without a PATH \
    it looks whether the cache's own file is sound.\n\n\
    Example:\n  fichier hashcache verify ./photos"
)]
pub(crate) struct Arguments {
    /// What to do
    #[arg(value_name = "ACTION", ignore_case = true)]
    action: Action,

    /// Whose checksums to verify
    #[arg(value_name = "PATH")]
    path: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Action {
    /// Tell how much is remembered
    Status,
    /// Forget everything
    Clear,
    /// Look whether it is right
    Verify,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    if arguments.path.is_some() && arguments.action != Action::Verify {
        return Err(Failure::usage("only verify takes a path").into());
    }
    let path = context.session.hash_cache_path()?;
    let cache = HashCache::open(&path)?;
    match (arguments.action, &arguments.path) {
        (Action::Status, _) => {
            let status = cache.status()?;
            writeln!(context.out, "File:      {}", path.display())?;
            writeln!(context.out, "Checksums: {}", status.files)?;
            writeln!(context.out, "Of files:  {}", size::in_bytes(status.bytes))?;
            writeln!(context.out, "On disk:   {}", size::in_bytes(status.size))?;
            Ok(())
        }
        (Action::Clear, _) if context.settings.dry_run => {
            say_skipped(&path.display().to_string(), "clear", None);
            Ok(())
        }
        (Action::Clear, _) => {
            cache.clear()?;
            tracing::info!(path = %path.display(), "Cleared");
            Ok(())
        }
        (Action::Verify, None) => match cache.soundness()? {
            None => {
                tracing::warn!(path = %path.display(), "The hash cache is sound");
                Ok(())
            }
            Some(damage) => {
                let message = format!(
                    "the hash cache is damaged: {damage}\nHint: clear it by `fichier hashcache clear`"
                );
                Err(Failure::other(message).into())
            }
        },
        (Action::Verify, Some(place)) => verify(Arc::new(cache), place, context).await,
    }
}

async fn verify(cache: Arc<HashCache>, place: &str, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open(place).await?;
    let name = context.session.shown(&location);
    let readers = context.settings.transfer.checkers.get();
    let (tell, mut told) = tokio::sync::oneshot::channel();
    carry_out(context, "hashcache", &ListFlags::default(), |stats, stop| async move {
        let verdict = cache.verify(&location, readers, &stats, &stop).await?;
        // The receiver waits below.
        let _listens = tell.send(verdict);
        Ok(RunReport::default())
    })
    .await?;
    let verdict = told.try_recv().context("nothing was verified")?;
    tracing::warn!(path = name, "{} remembered checksums are right", verdict.right);
    if verdict.unknown > 0 {
        tracing::warn!(path = name, "{} files have none", verdict.unknown);
    }
    let failed = verdict.failures.failed;
    if verdict.wrong + failed == 0 {
        return Ok(());
    }
    let exit = match &verdict.failures.worst {
        Some(error) if verdict.wrong == 0 => Exit::of_storage(error),
        _ => Exit::Other,
    };
    let message =
        format!("{} remembered checksums were wrong, {failed} files couldn't be read", verdict.wrong);
    Err(Failure { exit, message }.into())
}
