//! `size` counts files and bytes.

use clap::Args;

use crate::context::Context;
use crate::{listing::Listing, output::size};

/// Count files and add up their sizes, in all folders below
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier size demo:photos --json")]
pub(crate) struct Arguments {
    /// What to count
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open(&arguments.path).await?;
    let mut listing = Listing::new(&location, context.settings.max_depth, &context.settings.filter);
    let (mut count, mut bytes) = (0_u64, 0_u64);
    while let Some(files) = listing.next_files(&mut context.errors_seen).await? {
        for (_, file) in files {
            count += 1;
            bytes = bytes.saturating_add(file.size);
        }
    }
    if arguments.json {
        // Every backend here knows the size of every file.
        writeln!(context.out, "{{\"count\":{count},\"bytes\":{bytes},\"sizeless\":0}}")?;
        return Ok(());
    }
    let short = size::count(count);
    if short == count.to_string() {
        writeln!(context.out, "Total objects: {count}")?;
    } else {
        writeln!(context.out, "Total objects: {short} ({count})")?;
    }
    writeln!(context.out, "Total size: {} ({bytes} Byte)", size::in_bytes(bytes))?;
    Ok(())
}
