//! `lsd` lists folders.

use clap::Args;
use fichier_storage::Entry;

use crate::context::Context;
use crate::{listing::Listing, output::size};

/// List folders
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier lsd demo: -R")]
pub(crate) struct Arguments {
    /// What to list
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// List the folders below, too
    #[arg(short = 'R', long)]
    recursive: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open(&arguments.path).await?;
    let depth = context.settings.depth(arguments.recursive);
    let human = context.settings.human_readable;
    let mut listing = Listing::new(&location, depth, &context.settings.filter);
    while let Some(entries) = listing.next_folder(&mut context.errors_seen).await? {
        for seen in entries {
            let Entry::Folder(folder) = &seen.entry else { continue };
            let size = size::column(None, human, 12);
            let time = context.settings.clock.seconds(folder.modified);
            let count = if human { "      -1" } else { "       -1" };
            write!(context.out, "{size} {time} {count} ")?;
            context.out.write_all(seen.bytes())?;
            context.out.write_all(b"\n")?;
        }
    }
    Ok(())
}
