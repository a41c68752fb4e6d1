//! `rmdirs`: removes all empty folders below.

use clap::Args;
use fichier_engine::{EmptyFolders, remove_empty_folders};
use fichier_storage::{Entry, RemoteExt as _, StorageError};

use crate::context::Context;
use crate::transfer::{ListFlags, carry_out};

/// Remove the empty folders below, and those that hold only such
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier rmdirs demo:photos --leave-root")]
pub(crate) struct Arguments {
    /// Where to look
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// Keep the folder itself
    #[arg(long)]
    leave_root: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let target = context.session.open(&arguments.path).await?;
    if let Ok(Entry::File(file)) = target.remote.entry(&target.path).await {
        return Err(target.named(StorageError::IsAFile(file.path)).into());
    }
    let which = EmptyFolders {
        leave_root: arguments.leave_root,
        max_depth: context.settings.max_depth,
        name: context.session.shown(&target),
        filter: context.settings.filter.clone(),
    };
    carry_out(context, "rmdirs", &ListFlags::default(), |stats, stop| async move {
        remove_empty_folders(&target, &which, &stats, &stop).await
    })
    .await
}
