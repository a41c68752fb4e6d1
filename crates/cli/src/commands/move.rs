//! `move`: moves files from a source to a destination.

use clap::Args;

use crate::context::Context;
use crate::transfer::{AfterFlags, Between, ListFlags};

/// Move files, removing each from the source once it is at the destination
#[derive(Debug, Args)]
#[command(
    after_help = "Moves the contents of the source folder into the destination folder; when the source is \
    a file, that file. Inside one account nothing is sent. Elsewhere a file is removed from the source when it \
    is stored at the destination and verified.\n\n\
    Example:\n  fichier move ./scans demo:papers/2024"
)]
pub(crate) struct Arguments {
    /// Where to move from
    #[arg(value_name = "SOURCE:PATH")]
    source: String,

    /// The folder to move into
    #[arg(value_name = "DEST:PATH")]
    destination: String,

    /// Remove folders of the source that are empty then
    #[arg(long)]
    delete_empty_src_dirs: bool,

    #[command(flatten)]
    lists: ListFlags,

    #[command(flatten)]
    after: AfterFlags,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let ends = [arguments.source.as_str(), &arguments.destination];
    let command = Between::Move { delete_empty_source_folders: arguments.delete_empty_src_dirs };
    command.run(ends, (&arguments.lists, &arguments.after), context).await
}
