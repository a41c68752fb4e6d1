//! `catalogue` manages what is kept of accounts from run to run.

use std::time::SystemTime;

use clap::{Args, Subcommand};
use fichier_engine::say_skipped;
use fichier_remotes::fichier::{KeptCatalogue, KeptEntry};

use crate::context::Context;
use crate::{
    exit::Failure,
    listing::Listing,
    output::{json::Object, size, time},
};

/// See, renew and clear what is kept of 1Fichier accounts from run to run
///
/// Each listing, and whatever the program changed itself, is kept in the user's cache directory. --catalogue trust
/// and --fast-list make use of it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  fichier catalogue status\n  fichier catalogue refresh cloud:photos\n  \
                        fichier catalogue export cloud: > cloud.jsonl")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Say how much is known, and since when
    #[command(after_help = "Example:\n  fichier catalogue status cloud:")]
    Status {
        /// Of which account; of all, if none is named
        #[arg(value_name = "REMOTE:")]
        remote: Option<String>,
    },
    /// List all directories anew, and keep what they hold
    #[command(after_help = "Example:\n  fichier catalogue refresh cloud:photos")]
    Refresh {
        /// Where to begin
        #[arg(value_name = "REMOTE:PATH")]
        remote: String,
    },
    /// Print what is known as JSON lines, without asking the service
    #[command(after_help = "Example:\n  fichier catalogue export cloud: > cloud.jsonl")]
    Export {
        /// Of which account
        #[arg(value_name = "REMOTE:")]
        remote: String,
    },
    /// Forget what is known
    #[command(after_help = "Example:\n  fichier catalogue clear cloud:")]
    Clear {
        /// Of which account; of all, if none is named
        #[arg(value_name = "REMOTE:")]
        remote: Option<String>,
    },
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    match &arguments.task {
        Task::Status { remote } => status(remote.as_deref(), context),
        Task::Refresh { remote } => refresh(remote, context).await,
        Task::Export { remote } => export(remote, context),
        Task::Clear { remote } => clear(remote.as_deref(), context),
    }
}

fn status(remote: Option<&str>, context: &mut Context<'_>) -> anyhow::Result<()> {
    let all = kept(remote, context)?;
    if all.is_empty() {
        writeln!(context.out, "Nothing is kept yet.")?;
    }
    for catalogue in all {
        let status = catalogue.status()?;
        let name = if status.title.is_empty() { "(no name)" } else { &status.title };
        writeln!(
            context.out,
            "{name} {} files ({}) in {} directories; all is known of {}",
            status.files,
            size::in_bytes(status.bytes),
            status.folders,
            status.complete,
        )?;
        let clock = &context.settings.clock;
        if let (Some(oldest), Some(newest)) = (status.oldest, status.newest) {
            let age = SystemTime::now().duration_since(oldest).unwrap_or_default();
            writeln!(
                context.out,
                "  listed between {} ({} ago) and {}",
                clock.rfc3339(Some(oldest), None),
                time::span(age),
                clock.rfc3339(Some(newest), None),
            )?;
        }
        writeln!(context.out, "  {} on disk", size::in_bytes(status.size))?;
    }
    Ok(())
}

async fn refresh(remote: &str, context: &mut Context<'_>) -> anyhow::Result<()> {
    context.session.look_anew()?;
    let location = context.session.open(remote).await?;
    if context.session.kept_catalogue(remote)?.is_none() {
        return Err(Failure::other(format!("nothing is kept of {remote:?}")).into());
    }
    let mut listing = Listing::new(&location, None, &context.settings.filter);
    let (mut files, mut folders) = (0_u64, 0_u64);
    while let Some(entries) = listing.next_folder(&mut context.errors_seen).await? {
        folders += 1;
        files += entries.iter().filter(|entry| entry.file().is_some()).count() as u64;
    }
    tracing::info!("Listed {folders} directories with {files} files");
    Ok(())
}

fn export(remote: &str, context: &mut Context<'_>) -> anyhow::Result<()> {
    for catalogue in kept(Some(remote), context)? {
        for entry in catalogue.entries()? {
            let mut line = line(&entry, context).compact();
            line.push(b'\n');
            context.out.write_all(&line)?;
        }
    }
    Ok(())
}

fn line(entry: &KeptEntry, context: &Context<'_>) -> Object {
    let moment = |time: SystemTime| context.settings.clock.rfc3339(Some(time), None);
    let mut object = Object::plain_html();
    match entry {
        KeptEntry::Folder { path, id, made, listed } => {
            object.string("Path", path.as_bytes());
            object.plain("IsDir", true);
            object.string("ID", id.to_string());
            if let Some(made) = made {
                object.string("Made", moment(*made));
            }
            if let Some(listed) = listed {
                object.string("Listed", moment(*listed));
            }
        }
        KeptEntry::File { path, link, size, whirlpool, uploaded } => {
            object.string("Path", path.as_bytes());
            object.plain("IsDir", false);
            object.string("ID", link);
            object.plain("Size", size);
            if let Some(whirlpool) = whirlpool {
                object.string("Whirlpool", whirlpool.to_string());
            }
            if let Some(uploaded) = uploaded {
                object.string("Uploaded", moment(*uploaded));
            }
        }
    }
    object
}

fn clear(remote: Option<&str>, context: &mut Context<'_>) -> anyhow::Result<()> {
    for mut catalogue in kept(remote, context)? {
        let name = catalogue.status()?.title;
        if context.settings.dry_run {
            say_skipped(&name, "clear catalogue", None);
            continue;
        }
        catalogue.clear()?;
        tracing::info!(path = name, "Cleared catalogue");
    }
    Ok(())
}

/// Returns the catalogues that are meant: of one account, or all there are.
fn kept(remote: Option<&str>, context: &Context<'_>) -> anyhow::Result<Vec<KeptCatalogue>> {
    let Some(remote) = remote else {
        let directory = context.session.catalogues()?;
        return Ok(directory
            .map(|directory| KeptCatalogue::all(&directory))
            .transpose()?
            .unwrap_or_default());
    };
    let file = context.session.kept_catalogue(remote)?;
    let catalogue = file.as_deref().map(KeptCatalogue::open).transpose()?;
    Ok(catalogue.flatten().into_iter().collect())
}
