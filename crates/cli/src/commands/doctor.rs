//! `doctor`: how the service behaves where its documentation doesn't say.

use std::pin::pin;

use clap::Args;
use fichier_api::shown;
use fichier_storage::{Examination, Examine, Finding, FoundOut, Location, RemotePath};
use tokio_util::sync::CancellationToken;

use crate::{
    context::Context,
    exit::{Exit, Failure},
    output::json::Object,
    session::unless_declined,
    transfer::signals::Signals,
};

/// The folder that runs on this computer claim, so that they go one after the other.
const CLAIMED: &str = "fichier-doctor";

/// Find out how the service behaves with an account, where its documentation doesn't say
///
/// It makes a directory in the account's root, stores some files of a few bytes in it, and removes all of it in the
/// end. That takes less than 20 calls and about a minute. At the first sign of a lock it stops. What it finds out is
/// kept, and later runs act on it.
#[derive(Debug, Args)]
#[command(
    after_help = "The report holds no key, mail address, name or link of the account, so it can be posted.\n\
    Ends with 0 when all questions are answered, with 5 when a later run may find out more, and with 6 when not.\n\n\
    Examples:\n  fichier doctor demo:\n  fichier doctor cloud: --dry-run\n  fichier doctor cloud: --json > report.json"
)]
pub(crate) struct Arguments {
    /// The account to use
    #[arg(value_name = "REMOTE:")]
    remote: String,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open(&arguments.remote).await?;
    let name = &location.remote.info().name;
    let none = || Failure::other(format!("{name} is no account of 1Fichier: name the remote of one"));
    let examine = location.remote.extensions().examine.ok_or_else(none)?;
    if context.settings.dry_run {
        return print_plan(examine, arguments.json, context);
    }
    let claimed = RemotePath::parse(CLAIMED)?;
    context.session.claim(&Location { remote: location.remote.clone(), path: claimed }).await?;
    let (examination, signal) = examine_unless_stopped(examine, context).await?;
    let Some(examination) = examination else { return Ok(()) };
    if arguments.json {
        print_json(&examination, context)?;
    } else {
        print_text(&examination, context)?;
    }
    conclude(&examination, signal)
}

/// Examines until all is done, or somebody wants it to end: then it tidies up first. Tells the signal's number.
async fn examine_unless_stopped(
    examine: &dyn Examine,
    context: &Context<'_>,
) -> anyhow::Result<(Option<Examination>, Option<u8>)> {
    let signals = Signals::new()?;
    let stop = CancellationToken::new();
    let mut signal = None;
    let mut work = pin!(examine.examine(&stop));
    loop {
        tokio::select! {
            done = &mut work => return Ok((unless_declined(done)?, signal)),
            stopped = signals.asked_to_stop() => {
                if signal.is_some() {
                    let message = "interrupted before its directory was removed: the next run removes it";
                    return Err(Failure { exit: Exit::Signal(stopped.number), message: message.to_owned() }.into());
                }
                signal = Some(stopped.number);
                tracing::warn!("Stopping, when the directory is removed");
                stop.cancel();
                context.session.end_waits();
            }
        }
    }
}

fn conclude(examination: &Examination, signal: Option<u8>) -> anyhow::Result<()> {
    let open = examination.open();
    let of = examination.findings.len();
    let mut message = format!("{open} of {of} questions are open");
    if let Some(why) = &examination.ended_early {
        message += &format!(": {why}");
    }
    if let Some(left) = &examination.left_behind {
        message += &format!("; {left}");
    }
    let exit = match signal {
        Some(number) => Exit::Signal(number),
        None if examination.is_worth_repeating() => Exit::Retryable,
        None if open > 0 => Exit::NoRetry,
        None => return Ok(()),
    };
    Err(Failure { exit, message }.into())
}

fn print_plan(examine: &dyn Examine, json: bool, context: &mut Context<'_>) -> anyhow::Result<()> {
    let plan = examine.planned_calls();
    if json {
        let calls = plan.iter().map(|planned| {
            let mut object = Object::default();
            object.string("call", planned.call);
            object.string("purpose", planned.purpose);
            object.compact()
        });
        context.out.write_all(list(calls).as_bytes())?;
        context.out.write_all(b"\n")?;
        return Ok(());
    }
    for planned in plan {
        writeln!(context.out, "{:<26}  {}", planned.call, planned.purpose)?;
    }
    Ok(())
}

/// Where the report is about, in words that tell nothing of the user.
fn service(examination: &Examination) -> &'static str {
    if examination.of_the_service { "1fichier.com" } else { "another address than 1fichier.com" }
}

fn print_text(examination: &Examination, context: &mut Context<'_>) -> anyhow::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    writeln!(context.out, "fichier {version} doctor, of {}\n", service(examination))?;
    for Finding { id, question, answer } in &examination.findings {
        let (value, seen) = match answer {
            FoundOut::Answer { value, seen } => (shown(value), seen),
            FoundOut::Open { why, .. } => ("(open)".to_owned(), why),
        };
        writeln!(context.out, "{id:<24}  {value}\n    {question}\n    {}", shown(seen))?;
    }
    let of = examination.findings.len();
    writeln!(
        context.out,
        "\n{} of {of} questions are answered, with {} calls and {} requests to nodes.",
        of - examination.open(),
        examination.calls,
        examination.requests_to_nodes
    )?;
    Ok(())
}

fn print_json(examination: &Examination, context: &mut Context<'_>) -> anyhow::Result<()> {
    let questions = examination.findings.iter().map(|Finding { id, question, answer }| {
        let mut object = Object::plain_html();
        object.string("id", id);
        object.string("question", question);
        match answer {
            FoundOut::Answer { value, seen } => {
                object.string("answer", value);
                object.string("seen", seen);
            }
            FoundOut::Open { why, later } => {
                object.string("open", why);
                object.plain("later", later);
            }
        }
        object.compact()
    });
    let mut report = Object::plain_html();
    report.string("program", concat!("fichier ", env!("CARGO_PKG_VERSION")));
    report.string("service", service(examination));
    report.plain("calls", examination.calls);
    report.plain("requestsToNodes", examination.requests_to_nodes);
    if let Some(why) = &examination.ended_early {
        report.string("endedEarly", why);
    }
    if let Some(left) = &examination.left_behind {
        report.string("leftBehind", left);
    }
    report.plain("questions", list(questions));
    context.out.write_all(&report.indented())?;
    context.out.write_all(b"\n")?;
    Ok(())
}

/// A JSON list, one object on a line.
fn list(objects: impl Iterator<Item = Vec<u8>>) -> String {
    let objects: Vec<_> = objects.map(|object| String::from_utf8_lossy(&object).into_owned()).collect();
    format!("[\n{}\n]", objects.join(",\n"))
}
