//! `unshare`: stops sharing a folder.

use clap::Args;
use fichier_storage::{RemoteExt as _, SharingChange};

use crate::{context::Context, session::unless_declined};

/// Stop sharing a folder
#[derive(Debug, Args)]
#[command(
    after_help = "Takes the folder's page back, and the rights of all users with whom it is shared; with --with only the \
    rights of these, and the page stays. The links of the files in it stay as they are.\n\n\
    Examples:\n  fichier unshare cloud:films\n  fichier unshare cloud:project --with bob@example.com"
)]
pub(crate) struct Arguments {
    /// The folder
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// Stop sharing it with this account, and leave the others; may be repeated
    #[arg(long, value_name = "MAIL", value_delimiter = ',', value_parser = crate::flags::mail)]
    with: Vec<String>,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open(&arguments.path).await?;
    let sharing = location.remote.folder_sharing()?;
    let change = match arguments.with.is_empty() {
        true => SharingChange::Stop,
        false => SharingChange::StopWith(arguments.with.clone()),
    };
    let shared = sharing.share(&location.path, &change).await.map_err(|error| location.named(error));
    unless_declined(shared)?;
    Ok(())
}
