//! `ls` lists files with their sizes.

use clap::Args;

use crate::context::Context;
use crate::{listing::Listing, output::size};

/// List files with their sizes, in all folders below
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier ls demo:photos --max-depth 1")]
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
            write!(context.out, "{size} ")?;
            context.out.write_all(path.as_bytes())?;
            context.out.write_all(b"\n")?;
        }
    }
    Ok(())
}
