//! `sync`: makes a destination hold just what a source holds.

use clap::Args;

use crate::context::Context;
use crate::transfer::{AfterFlags, Between, ListFlags};

/// Make the destination hold just what the source holds
#[derive(Debug, Args)]
#[command(
    after_help = "Copies what is new or different and removes from the destination what the source hasn't \
    got. See with --dry-run first what would go. Nothing is removed when something failed before, unless with \
    --ignore-errors.\n\n\
    A file that was renamed or moved at the source is moved at the destination instead of being sent anew; a \
    renamed folder takes one call.\n\n\
    Example:\n  fichier sync ./photos demo:backup --dry-run"
)]
pub(crate) struct Arguments {
    /// Where to copy from
    #[arg(value_name = "SOURCE:PATH")]
    source: String,

    /// The folder to be made the same
    #[arg(value_name = "DEST:PATH")]
    destination: String,

    #[command(flatten)]
    lists: ListFlags,

    #[command(flatten)]
    after: AfterFlags,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let ends = [arguments.source.as_str(), &arguments.destination];
    Between::Sync.run(ends, (&arguments.lists, &arguments.after), context).await
}
