//! `lsl` lists files with their sizes and times.

use clap::Args;

use crate::context::Context;
use crate::{listing::Listing, output::size};

/// List files with their sizes and modification times, in all folders below
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier lsl demo:photos")]
pub(crate) struct Arguments {
    /// What to list
    #[arg(value_name = "REMOTE:PATH")]
    path: String,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open(&arguments.path).await?;
    let mut listing = Listing::new(&location, context.settings.max_depth, &context.settings.filter);
    while let Some(files) = listing.next_files(&mut context.errors_seen).await? {
        for (path, file) in files {
            let size = size::column(Some(file.size), context.settings.human_readable, 9);
            let time = context.settings.clock.nanoseconds(file.modified);
            write!(context.out, "{size} {time} ")?;
            context.out.write_all(path.as_bytes())?;
            context.out.write_all(b"\n")?;
        }
    }
    Ok(())
}
