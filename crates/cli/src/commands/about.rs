//! `about` shows how much an account holds.

use clap::Args;
use fichier_storage::{RemoteExt, Usage};

use crate::context::Context;
use crate::{
    exit::Failure,
    output::{json::Object, size},
};

/// Show how much is used and free
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier about demo:")]
pub(crate) struct Arguments {
    /// The remote to ask
    #[arg(value_name = "REMOTE:")]
    remote: String,

    /// Print exact numbers
    #[arg(long)]
    full: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open(&arguments.remote).await?;
    // Of a disk the numbers are those of the file system that the folder is on. An account has one pair of numbers, so
    // no call is spent on the folder.
    if !location.remote.info().features.networked {
        location.remote.entry(&location.path).await.map_err(|error| location.named(error))?;
    }
    let usage = location.remote.usage().await?;
    if usage == Usage::default() {
        let message = "the service answered, and told nothing of the account's space: try again later";
        return Err(Failure::other(message).into());
    }
    if arguments.json {
        let mut object = Object::default();
        for (name, value) in
            [("total", usage.total), ("used", usage.used), ("free", usage.free), ("objects", usage.files)]
        {
            if let Some(value) = value {
                object.plain(name, value);
            }
        }
        context.out.write_all(&object.indented())?;
        context.out.write_all(b"\n")?;
        return Ok(());
    }
    for (name, value) in [("Total:", usage.total), ("Used:", usage.used), ("Free:", usage.free)] {
        match value {
            Some(value) if arguments.full => writeln!(context.out, "{name:<9}{value}")?,
            Some(value) => writeln!(context.out, "{name:<9}{}", size::in_bytes(value))?,
            None => {}
        }
    }
    match usage.files {
        Some(files) if arguments.full => writeln!(context.out, "{:<9}{files}", "Objects:")?,
        Some(files) => writeln!(context.out, "{:<9}{}", "Objects:", size::count(files))?,
        None => {}
    }
    Ok(())
}
