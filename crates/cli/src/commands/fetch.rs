//! `fetch` lets the service fetch files from the web by itself.

use std::{collections::BTreeMap, time::Duration};

use clap::{Args, Subcommand};
use fichier_api::shown;
use fichier_storage::{FetchFromWeb, FetchRequest, FetchResult, FetchState, Location};

use crate::{
    context::Context,
    exit::{Exit, Failure},
    output::json::Object,
};

/// Wait before the service is asked again what it has fetched.
const PAUSE: Duration = Duration::from_secs(10);

/// Have the service fetch files from the web into an account
///
/// Nothing goes through this computer, and the service goes on when the program has ended.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "The number of the task is printed; with --wait what became of each address, when all is done.\n\n\
    Examples:\n  fichier fetch https://example.com/file.iso cloud:isos --wait\n  fichier fetch status cloud: 17"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    task: Option<Task>,

    /// The addresses, and last the folder to put the files in
    #[arg(value_name = "URL... REMOTE:PATH", required = true)]
    words: Vec<String>,

    /// Send this header with the requests, as NAME: VALUE; may be repeated
    #[arg(long, value_name = "HEADER")]
    header: Vec<String>,

    /// Wait until all is fetched
    #[arg(long)]
    wait: bool,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Say what the service has fetched
    #[command(after_help = "Without a number all tasks are listed.\n\n\
        Example:\n  fichier fetch status cloud: 17 --wait")]
    Status {
        /// By which account
        #[arg(value_name = "REMOTE:")]
        remote: String,

        /// Number of the task
        #[arg(value_name = "ID")]
        id: Option<u64>,

        /// Wait until all is fetched
        #[arg(long, requires = "id")]
        wait: bool,

        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
}

impl Arguments {
    /// Returns the command as typed.
    pub(super) fn name(&self) -> &'static str {
        match self.task {
            Some(Task::Status { .. }) => "fetch status",
            None => "fetch",
        }
    }
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    if let Some(Task::Status { remote, id, wait, json }) = &arguments.task {
        let location = context.session.open(remote).await?;
        let fetches = fetches_of(&location)?;
        return match id {
            Some(id) => report(fetches, *id, *wait, *json, context).await,
            None => list(fetches, *json, context).await,
        };
    }
    let Some((destination, addresses)) = arguments.words.split_last().filter(|(_, urls)| !urls.is_empty())
    else {
        return Err(Failure::usage("name the addresses, and then the directory to put the files in").into());
    };
    have_fetched(addresses, destination, &arguments.header, arguments.wait, context).await
}

/// Has addresses fetched into a folder. With `wait` it reports the results, otherwise it prints the number of the task.
pub(super) async fn have_fetched(
    addresses: &[String],
    destination: &str,
    header: &[String],
    wait: bool,
    context: &mut Context<'_>,
) -> anyhow::Result<()> {
    let location = context.session.open(destination).await?;
    let fetches = fetches_of(&location)?;
    for address in addresses {
        if !["http://", "https://", "ftp://"].iter().any(|scheme| address.starts_with(scheme)) {
            return Err(Failure::usage(format!("{address:?} is no address on the web")).into());
        }
    }
    let request = FetchRequest {
        addresses: addresses.to_vec(),
        folder: location.path.clone(),
        headers: headers(header)?,
    };
    let id = fetches.fetch(&request).await?;
    if context.settings.dry_run {
        return Ok(());
    }
    if wait {
        return report(fetches, id, true, false, context).await;
    }
    writeln!(context.out, "{id}")?;
    Ok(())
}

/// Returns the part of a location's remote that lets the service fetch files.
fn fetches_of(location: &Location) -> Result<&dyn FetchFromWeb, Failure> {
    let name = &location.remote.info().name;
    let none = || Failure::other(format!("{name} can't fetch files from the web by itself: use copyurl"));
    location.remote.extensions().fetches.ok_or_else(none)
}

/// Parses headers as they are typed.
fn headers(typed: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let header = |text: &String| {
        let wrong = || Failure::usage(format!("--header wants NAME: VALUE, not {text:?}"));
        let (name, value) = text.split_once(':').ok_or_else(wrong)?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    typed.iter().map(header).collect()
}

async fn list(fetches: &dyn FetchFromWeb, json: bool, context: &mut Context<'_>) -> anyhow::Result<()> {
    let tasks = fetches.fetch_tasks().await?;
    if json {
        let objects = tasks.iter().map(|task| {
            let mut object = Object::default();
            object.plain("ID", task.id);
            object.string("Requested", task.requested.as_deref().unwrap_or_default());
            object.string("Executed", task.executed.as_deref().unwrap_or_default());
            object.compact()
        });
        return print_json(&objects.collect::<Vec<_>>(), context);
    }
    for task in tasks {
        let requested = task.requested.as_deref().unwrap_or("-");
        let executed = task.executed.as_deref().unwrap_or("-");
        writeln!(context.out, "{:>8}  {requested:<19}  {executed}", task.id)?;
    }
    Ok(())
}

/// Reports the results of a task, at its end if that is to be waited for.
async fn report(
    fetches: &dyn FetchFromWeb,
    id: u64,
    wait: bool,
    json: bool,
    context: &mut Context<'_>,
) -> anyhow::Result<()> {
    let results = loop {
        let results = fetches.fetch_results(id).await?;
        if !wait || results.iter().all(|result| result.state != FetchState::Waiting) {
            break results;
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = context.session.stop().cancelled() => return Err(fichier_storage::StorageError::Canceled.into()),
        }
    };
    if json {
        print_json(&results.iter().map(object).collect::<Vec<_>>(), context)?;
    } else {
        for FetchResult { address, state, message, link } in &results {
            let (address, more) =
                (shown(address), shown(link.as_deref().or(message.as_deref()).unwrap_or_default()));
            writeln!(context.out, "{:<7}  {address}  {more}", word(*state))?;
        }
    }
    let failures = results.iter().filter(|result| result.state == FetchState::Failed).count();
    if failures > 0 {
        let message = format!("{failures} of {} addresses couldn't be fetched", results.len());
        return Err(Failure { exit: Exit::Other, message }.into());
    }
    Ok(())
}

fn word(state: FetchState) -> &'static str {
    match state {
        FetchState::Waiting => "waiting",
        FetchState::Done => "done",
        FetchState::Failed => "failed",
    }
}

fn object(result: &FetchResult) -> Vec<u8> {
    let mut object = Object::default();
    object.string("URL", &result.address);
    object.string("State", word(result.state));
    if let Some(link) = &result.link {
        object.string("Link", link);
    }
    if let Some(message) = &result.message {
        object.string("Message", message);
    }
    object.compact()
}

fn print_json(objects: &[Vec<u8>], context: &mut Context<'_>) -> anyhow::Result<()> {
    context.out.write_all(b"[\n")?;
    context.out.write_all(&objects.join(&b",\n"[..]))?;
    context.out.write_all(b"\n]\n")?;
    Ok(())
}
