//! `moveto`: moves a file to another path.

use clap::Args;

use crate::context::Context;
use crate::transfer::{AfterFlags, Between, ListFlags};

/// Move or rename a file, or the contents of a folder
#[derive(Debug, Args)]
#[command(
    after_help = "When the source is a file, the destination is its new path; when it is a folder, this is \
    the same as move.\n\n\
    Example:\n  fichier moveto demo:letters/draft.txt demo:letters/final.txt"
)]
pub(crate) struct Arguments {
    /// Where to move from
    #[arg(value_name = "SOURCE:PATH")]
    source: String,

    /// The path to move to
    #[arg(value_name = "DEST:PATH")]
    destination: String,

    #[command(flatten)]
    lists: ListFlags,

    #[command(flatten)]
    after: AfterFlags,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let ends = [arguments.source.as_str(), &arguments.destination];
    Between::MoveTo.run(ends, (&arguments.lists, &arguments.after), context).await
}
