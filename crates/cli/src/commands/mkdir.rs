//! `mkdir` makes a folder.

use clap::Args;
use fichier_engine::say_skipped;

use crate::context::Context;
use crate::session::unless_declined;

/// Make a folder, with the folders above it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier mkdir demo:photos/2024")]
pub(crate) struct Arguments {
    /// The folder
    #[arg(value_name = "REMOTE:PATH")]
    path: String,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open_itself(&arguments.path).await?;
    let name = context.session.shown(&location);
    if context.settings.dry_run {
        say_skipped(&name, "make directory", None);
        return Ok(());
    }
    tracing::info!(path = name, "Making directory");
    for outcome in location.remote.make_folders(std::slice::from_ref(&location.path)).await {
        unless_declined(outcome.into_result()).map_err(|error| location.named(error))?;
    }
    Ok(())
}
