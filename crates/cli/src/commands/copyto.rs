//! `copyto`: copies a file under a name of one's choice.

use clap::Args;

use super::Context;
use crate::transfer::{carry_out, guarded, run_options};

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
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let from = context.session.open(&arguments.source).await?;
    let to = context.session.open_itself(&arguments.destination).await?;
    let [from, to] = guarded(context.settings, [from, to]);
    let options = run_options(context.settings, context.session.checksums());
    carry_out(context, "copyto", |stats, stop| async move {
        fichier_engine::copy_to(&from, &to, &options, &stats, &stop).await
    })
    .await
}
