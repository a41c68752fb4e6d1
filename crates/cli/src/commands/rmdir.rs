//! `rmdir`: removes an empty folder.

use clap::Args;
use fichier_engine::say_skipped;

use crate::context::Context;
use crate::session::unless_declined;

/// Remove an empty folder
#[derive(Debug, Args)]
#[command(after_help = "A folder that holds anything, be it empty folders, stays: see rmdirs and purge.\n\n\
    Example:\n  fichier rmdir demo:photos/2024")]
pub(crate) struct Arguments {
    /// The folder
    #[arg(value_name = "REMOTE:PATH")]
    path: String,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open_itself(&arguments.path).await?;
    let name = context.session.shown(&location);
    if context.settings.dry_run {
        say_skipped(&name, "remove directory", None);
        return Ok(());
    }
    tracing::info!(path = name, "Removing directory");
    for outcome in location.remote.remove_folders(std::slice::from_ref(&location.path)).await {
        unless_declined(outcome.into_result()).map_err(|error| location.named(error))?;
    }
    Ok(())
}
