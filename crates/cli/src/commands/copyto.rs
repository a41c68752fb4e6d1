//! `copyto`: copies a file under another name.

use clap::Args;

use crate::context::Context;
use crate::transfer::{AfterFlags, Between, ListFlags};

/// Copy a file under another name, or the contents of a folder
#[derive(Debug, Args)]
#[command(
    after_help = "When the source is a file, the destination is its new path; when it is a folder, this is \
    the same as copy.\n\n\
    Example:\n  fichier copyto ./draft.txt demo:letters/final.txt"
)]
pub(crate) struct Arguments {
    /// Where to copy from
    #[arg(value_name = "SOURCE:PATH")]
    source: String,

    /// The path to copy to
    #[arg(value_name = "DEST:PATH")]
    destination: String,

    #[command(flatten)]
    lists: ListFlags,

    #[command(flatten)]
    after: AfterFlags,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let ends = [arguments.source.as_str(), &arguments.destination];
    Between::CopyTo.run(ends, (&arguments.lists, &arguments.after), context).await
}
