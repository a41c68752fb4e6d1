//! `copyto`: copies a file under another name.

use clap::Args;

use super::Context;
use crate::{
    filtering::refuse_single_file,
    transfer::{ListFlags, carry_out, guarded, run_options},
};

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
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let ends = [arguments.source.as_str(), &arguments.destination];
    let [from, to] = context.session.open_ends(ends, true, false).await?;
    refuse_single_file(context.settings, &from).await?;
    let options = run_options(context, &to).await?;
    let ([from, to], options) = guarded(context.settings, [from, to], options);
    carry_out(context, "copyto", &arguments.lists, |stats, stop| async move {
        fichier_engine::copy_to(&from, &to, &options, &stats, &stop).await
    })
    .await
}
