//! `purge`: removes a folder with all it holds.

use clap::Args;
use fichier_engine::Removal;

use crate::context::Context;
use crate::{
    exit::Failure,
    transfer::{ListFlags, carry_out},
};

/// Remove a folder and all it holds
#[derive(Debug, Args)]
#[command(after_help = "See with --dry-run first what would go.\n\n\
    Example:\n  fichier purge demo:old-backup")]
pub(crate) struct Arguments {
    /// The folder
    #[arg(value_name = "REMOTE:PATH")]
    path: String,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    if !context.settings.filter.is_inactive() {
        let message = "filters are not supported with purge (purge will delete everything unconditionally)";
        return Err(Failure::other(message).into());
    }
    let target = context.session.open_itself(&arguments.path).await?;
    let removal = Removal::Everything { max_depth: context.settings.max_depth };
    carry_out(context, "purge", &ListFlags::default(), |stats, stop| async move {
        fichier_engine::remove(&target, removal, &stats, &stop).await
    })
    .await
}
