//! `delete`: removes the files below a path, and leaves the folders.

use clap::Args;
use fichier_engine::{EmptyFolders, Removal, remove_empty_folders};

use crate::context::Context;
use crate::{
    filtering::refuse_single_file,
    transfer::{ListFlags, carry_out},
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
    let target = context.session.open(&arguments.path).await?;
    refuse_single_file(context.settings, &target).await?;
    let filter = context.settings.filter.clone();
    let max_depth = context.settings.max_depth;
    let name = context.session.shown(&target);
    let empty = EmptyFolders { leave_root: true, max_depth, name, filter: filter.clone() };
    let removal = Removal::Files { max_depth, filter };
    let rmdirs = arguments.rmdirs;
    carry_out(context, "delete", &ListFlags::default(), |stats, stop| async move {
        let report = fichier_engine::remove(&target, removal, &stats, &stop).await?;
        if !rmdirs || !report.is_success() || stop.is_cancelled() {
            return Ok(report);
        }
        remove_empty_folders(&target, &empty, &stats, &stop).await
    })
    .await
}
