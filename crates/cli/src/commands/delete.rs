//! `delete`: removes the files below a path, and leaves the folders.

use clap::Args;
use fichier_engine::Removal;

use super::{Context, rmdirs};
use crate::{
    filtering::refuse_single_file,
    transfer::{ListFlags, carry_out, guarded_place},
};

/// Remove the files below, but not the folders
#[derive(Debug, Args)]
#[command(after_help = "See with --dry-run first what would go.\n\n\
    Example:\n  fichier delete demo:photos/2019 --dry-run")]
pub(crate) struct Arguments {
    /// Where the files are
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// Remove folders that are empty then, but not the one named
    #[arg(long)]
    rmdirs: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open(&arguments.path).await?;
    refuse_single_file(context.settings, &location).await?;
    let target = guarded_place(context.settings, location.clone());
    let removal =
        Removal::Files { max_depth: context.settings.max_depth, filter: context.settings.filter.clone() };
    carry_out(context, "delete", &ListFlags::default(), |stats, stop| async move {
        fichier_engine::remove(&target, removal, &stats, &stop).await
    })
    .await?;
    if arguments.rmdirs {
        rmdirs::remove_empty(&location, true, context).await?;
    }
    Ok(())
}
