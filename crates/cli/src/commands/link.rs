//! `link` makes and removes public links.

use std::time::Duration;

use clap::Args;
use fichier_storage::{LinkRequest, RemoteExt};

use crate::context::Context;
use crate::exit::Failure;

/// Make or take back a public link to a file or folder
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier link demo:photos/sea.jpg")]
pub(crate) struct Arguments {
    /// What to link to
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// How long the link shall live, where the backend can limit it
    #[arg(long, value_name = "TIME", value_parser = crate::flags::duration)]
    expire: Option<Duration>,

    /// Take the link back
    #[arg(long)]
    unlink: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open(&arguments.path).await?;
    if location.remote.extensions().links.is_none() {
        let name = &location.remote.info().name;
        return Err(Failure::other(format!("{name} doesn't support public links")).into());
    }
    let entry = location.remote.entry(&location.path).await?;
    let request = LinkRequest { unlink: arguments.unlink, expire: arguments.expire };
    let link = location.remote.link(&entry, request).await?;
    if !link.is_empty() {
        writeln!(context.out, "{link}")?;
    }
    Ok(())
}
