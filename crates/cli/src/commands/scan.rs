//! `scan`: has the service look for viruses.

use clap::Args;
use fichier_api::shown;
use fichier_engine::RunError;
use fichier_storage::{RemoteExt as _, Retry, Scan, ScanVerdict};

use crate::{
    context::Context,
    exit::{Exit, Failure},
    listing::Listing,
    output::json::Object,
};

/// So many calls of this kind in a run are worth a warning.
const MANY_CALLS: usize = 100;

/// Have the service scan files for viruses
///
/// A file that is found infected is removed by the service.
#[derive(Debug, Args)]
#[command(
    after_help = "Each file costs a call, and has to be below 5 GB. The service keeps an answer for 6 hours. The exit code \
    is 2 when something was found, and 6 when the service didn't say.\n\n\
    Examples:\n  fichier scan cloud:setup.exe\n  fichier scan cloud:incoming -R --include '*.{exe,zip}'"
)]
pub(crate) struct Arguments {
    /// The file, or the folder whose files to scan
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// Scan the files in the folders below, too
    #[arg(short = 'R', long)]
    recursive: bool,

    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open(&arguments.path).await?;
    let scanner = location.remote.file_scans()?;
    let depth = context.settings.depth(arguments.recursive);
    let mut listing = Listing::new(&location, depth, &context.settings.filter);
    let (mut scanned, mut infected, mut unclear) = (0, 0_u64, 0_u64);
    if arguments.json {
        context.out.write_all(b"[\n")?;
    }
    let mut first = true;
    'all: while let Some(files) = listing.next_files(&mut context.errors_seen).await? {
        for (path, file) in files {
            if context.session.stop().is_cancelled() {
                break 'all;
            }
            scanned += 1;
            if scanned == MANY_CALLS + 1 && !context.settings.dry_run {
                tracing::warn!("Each file costs a call: so many may get this address banned for a while");
            }
            let scan = match scanner.scan(&file).await {
                Ok(scan) => scan,
                Err(error) if error.retry() == Retry::Fatal && !RunError::is_declined(&error) => {
                    return Err(error.into());
                }
                Err(error) => {
                    context.errors_seen.note_failure::<()>(&path.to_string(), Err(error))?;
                    continue;
                }
            };
            infected += u64::from(scan.verdict == ScanVerdict::Infected);
            unclear += u64::from(scan.verdict == ScanVerdict::Unclear);
            if arguments.json {
                if !std::mem::take(&mut first) {
                    context.out.write_all(b",\n")?;
                }
                context.out.write_all(&object(path.as_bytes(), &scan))?;
            } else {
                let message = shown(&scan.message);
                writeln!(context.out, "{:<8}  {}  {message}", word(scan.verdict), shown(&path.to_string()))?;
            }
        }
    }
    if arguments.json {
        context.out.write_all(if first { b"]\n" } else { b"\n]\n" })?;
    }
    let files = |count: u64| if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
    if infected > 0 {
        let message = format!("{} found infected; the service removes them", files(infected));
        return Err(Failure { exit: Exit::Other, message }.into());
    }
    if unclear > 0 {
        let message = format!(
            "the service didn't say whether {} clean",
            if unclear == 1 { "a file is".to_owned() } else { format!("{unclear} files are") }
        );
        return Err(Failure { exit: Exit::NoRetry, message }.into());
    }
    Ok(())
}

fn word(verdict: ScanVerdict) -> &'static str {
    match verdict {
        ScanVerdict::Clean => "clean",
        ScanVerdict::Infected => "infected",
        ScanVerdict::Unclear => "unclear",
    }
}

fn object(path: &[u8], scan: &Scan) -> Vec<u8> {
    let mut object = Object::default();
    object.string("Path", path);
    object.string("Verdict", word(scan.verdict));
    object.string("Message", &scan.message);
    if let Some(at) = &scan.scanned_at {
        object.string("Scanned", at);
    }
    object.compact()
}
