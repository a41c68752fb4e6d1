//! `cleanup`: empties the trash of a remote, where there is one.

use clap::Args;

use crate::context::Context;
use crate::exit::Failure;

/// Empty the trash of a remote; neither 1Fichier nor a local disk has one
#[derive(Debug, Args)]
#[command(
    after_help = "What is removed at 1Fichier or from a local disk is gone at once, so this ends with an \
    error there, as in rclone.\n\n\
    Example:\n  fichier cleanup demo:"
)]
pub(crate) struct Arguments {
    /// The remote
    #[arg(value_name = "REMOTE:PATH")]
    path: String,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open(&arguments.path).await?;
    let name = context.session.shown(&location);
    Err(Failure::other(format!("{name} doesn't support cleanup")).into())
}
