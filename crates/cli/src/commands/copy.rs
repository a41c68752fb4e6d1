//! `copy`: makes a destination hold what a source holds.

use clap::Args;

use crate::context::Context;
use crate::transfer::{AfterFlags, Between, ListFlags};

/// Copy files, leaving out those that are there already
#[derive(Debug, Args)]
#[command(
    after_help = "Copies the contents of the source folder, not the folder itself; when the source is a \
    file, that file. Removes nothing but the old versions of files that it replaces, each after the new one is \
    stored and verified.\n\n\
    Files of one size are compared by checksum; --size-only takes the size for enough. What the destination \
    holds already under another name is copied there instead of being sent.\n\n\
    Example:\n  fichier copy ./photos demo:backup -P"
)]
pub(crate) struct Arguments {
    /// Where to copy from
    #[arg(value_name = "SOURCE:PATH")]
    source: String,

    /// The folder to copy into
    #[arg(value_name = "DEST:PATH")]
    destination: String,

    #[command(flatten)]
    lists: ListFlags,

    #[command(flatten)]
    after: AfterFlags,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let ends = [arguments.source.as_str(), &arguments.destination];
    Between::Copy.run(ends, (&arguments.lists, &arguments.after), context).await
}
