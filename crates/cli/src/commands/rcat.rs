//! `rcat`: stores the standard input.

use std::{sync::Arc, time::SystemTime};

use clap::Args;
use fichier_engine::{Upload, say_skipped};

use crate::context::Context;
use crate::{
    exit::Failure,
    session::refuse_folder,
    spool::{self, Bounds, Spool},
    transfer::{ListFlags, carry_out, run_options},
};

/// Store the standard input as a file
#[derive(Debug, Args)]
#[command(
    after_help = "The service has to be told the size before the first byte, so the input is kept until it \
    ends: up to 1 MiB in memory, more in a temporary file. --size tells the size beforehand; then nothing is kept, \
    and nothing can be sent again when an upload fails.\n\n\
    Example:\n  tar c ./photos | fichier rcat demo:photos.tar"
)]
pub(crate) struct Arguments {
    /// The file
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// How many bytes will come; -1: unknown
    #[arg(
        long,
        value_name = "BYTES",
        default_value = "-1",
        allow_negative_numbers = true,
        hide_default_value = true
    )]
    size: i64,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    if !spool::is_fed() {
        return Err(Failure::usage("nothing to read from standard input (stdin)").into());
    }
    refuse_folder(&arguments.path)?;
    let target = context.session.open_file(&arguments.path).await?;
    let Some(name) = target.path.name() else {
        return Err(Failure::other(format!("{:?} is a directory", arguments.path)).into());
    };
    if context.settings.dry_run {
        say_skipped(&name.to_string(), "upload from pipe", None);
        return Ok(());
    }
    context.session.claim(&target).await?;
    let mut options = run_options(context, &target).await?;
    let size = u64::try_from(arguments.size).ok();
    let temporary = &context.settings.directories.temporary;
    carry_out(context, "rcat", &ListFlags::default(), |stats, stop| async move {
        let modified = Some(SystemTime::now());
        let upload = match size {
            Some(size) => {
                // The bytes that were read can't be read again.
                options.tries = 1;
                let content = Arc::new(spool::Once::new(spool::standard_input()));
                Upload { size, modified, expected: None, content }
            }
            None => {
                let bounds = Bounds::new(options.limits, stop.clone());
                let spool = Spool::within(&bounds, spool::standard_input(), temporary).await?;
                options.limits = bounds.rest();
                Upload { size: spool.size, modified, expected: Some(spool.sum), content: Arc::new(spool) }
            }
        };
        fichier_engine::store(&target, &upload, &options, &stats, &stop).await
    })
    .await
}
