//! `deletefile`: removes one file.

use clap::Args;
use fichier_engine::say_skipped;
use fichier_storage::{Entry, RemoteExt, StorageError};

use crate::context::Context;
use crate::{
    exit::{Exit, Failure},
    output::size,
    session::unless_declined,
};

/// Remove one file
#[derive(Debug, Args)]
#[command(after_help = "Never removes a folder.\n\n\
    Example:\n  fichier deletefile demo:photos/blurred.jpg")]
pub(crate) struct Arguments {
    /// The file
    #[arg(value_name = "REMOTE:PATH")]
    path: String,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open_itself(&arguments.path).await?;
    // The message in rclone's words, for one of the two cases.
    let refused = |which: &str| {
        let message =
            format!("{} is a directory or doesn't exist: object not found ({which})", location.shown());
        Failure { exit: Exit::FileNotFound, message }
    };
    let file = match location.remote.entry(&location.path).await {
        Ok(Entry::File(file)) => file,
        Ok(Entry::Folder(_)) => {
            return Err(refused("it is a directory; purge removes it with all it holds").into());
        }
        Err(StorageError::FileNotFound(_)) => return Err(refused("nothing has this name").into()),
        Err(error) => return Err(error.into()),
    };
    let name = file.path.name().map(|name| name.to_string()).unwrap_or_default();
    if context.settings.dry_run {
        say_skipped(&name, "delete", Some((file.size, size::suffixed)));
        return Ok(());
    }
    for outcome in location.remote.remove(&[file]).await {
        if unless_declined(outcome.into_result())?.is_some() {
            tracing::info!(path = name, "Deleted");
        }
    }
    Ok(())
}
