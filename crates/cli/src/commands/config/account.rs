//! `config userinfo`, `reconnect` and `disconnect`: show and change the account behind a remote.

use anyhow::Context as _;
use clap::Args;
use fichier_config::{EditError, Parameters, Secret, provider::Provider};
use fichier_remotes::fichier::is_too_soon;
use fichier_storage::{AccountInfo, RemoteExt, RemotePath};
use serde::Serialize;

use super::{json, providers};
use crate::context::Context;
use crate::{
    exit::{self, Failure},
    output::size,
    terminal::{Answer, Terminal},
};

/// Print whose account a remote is
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier config userinfo demo:")]
pub(super) struct Userinfo {
    /// The remote
    #[arg(value_name = "REMOTE:")]
    remote: String,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Give a remote a new key
#[derive(Debug, Args)]
#[command(after_help = "Asks for the key and looks whether it works before it is written.\n\n\
    Example:\n  fichier config reconnect cloud:")]
pub(super) struct Reconnect {
    /// The remote
    #[arg(value_name = "REMOTE:")]
    remote: String,

    /// Don't look whether the key works
    #[arg(long)]
    no_check: bool,
}

/// Take a remote's key out of the configuration
#[derive(Debug, Args)]
#[command(
    after_help = "The service knows the key until you revoke it at https://1fichier.com/console/params.pl.\n\n\
    Example:\n  fichier config disconnect cloud:"
)]
pub(super) struct Disconnect {
    /// The remote
    #[arg(value_name = "REMOTE:")]
    remote: String,
}

#[derive(Serialize)]
struct AccountJson<'a> {
    email: &'a Option<String>,
    offer: &'a Option<String>,
    subscription_end: &'a Option<String>,
    used: Option<u64>,
    total: Option<u64>,
    free: Option<u64>,
}

pub(super) async fn userinfo(arguments: &Userinfo, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open(&arguments.remote).await?;
    let account = location.remote.account().await?;
    let usage = account.usage;
    if arguments.json {
        let json = AccountJson {
            email: &account.mail,
            offer: &account.offer,
            subscription_end: &account.valid_until,
            used: usage.used,
            total: usage.total,
            free: usage.free,
        };
        json::write(&json, b"\t", context)?;
        context.out.write_all(b"\n")?;
        return Ok(());
    }
    for (label, value) in [
        ("Email", account.mail),
        ("Offer", account.offer),
        ("Valid until", account.valid_until),
        ("Used", usage.used.map(size::in_bytes)),
        ("Total", usage.total.map(size::in_bytes)),
        ("Free", usage.free.map(size::in_bytes)),
    ] {
        if let Some(value) = value {
            writeln!(context.out, "{label:>11}: {value}")?;
        }
    }
    Ok(())
}

/// Checks whether the account of these settings can be reached, and says what was found.
///
/// # Errors
/// The settings can't be used, or the service refuses them or can't be reached.
pub(super) async fn check(
    backend: &str,
    values: &[(String, Secret)],
    context: &Context<'_>,
) -> anyhow::Result<String> {
    let values = values.iter().map(|(key, value)| (key.clone(), value.expose().to_owned()));
    let remote = context.session.trial(backend, Parameters::from_pairs(values)).await?;
    match remote.account().await {
        Ok(account) => Ok(in_words(&account)),
        // Another account was called from this address a moment ago. A listing proves the key as well.
        Err(error) if is_too_soon(&error) => {
            remote.entries(&RemotePath::root()).await?;
            Ok("The key works. Whose account it is the service tells only once a minute.".to_owned())
        }
        Err(error) => Err(error.into()),
    }
}

/// Describes the account in a sentence: its owner, its offer, and how much it holds.
fn in_words(account: &AccountInfo) -> String {
    let mut words = match &account.mail {
        Some(mail) => format!("The key works. Account: {mail}"),
        None => "The key works".to_owned(),
    };
    if let Some(offer) = &account.offer {
        words += &format!(", {offer}");
    }
    if let Some(until) = &account.valid_until {
        words += &format!(", until {until}");
    }
    match (account.usage.used, account.usage.total) {
        (Some(used), Some(total)) => {
            words += &format!("; {} of {} used", size::in_bytes(used), size::in_bytes(total));
        }
        (Some(used), None) => words += &format!("; {} used", size::in_bytes(used)),
        (None, _) => {}
    }
    words + "."
}

/// Returns the message for a failed check.
pub(super) fn refusal(error: &anyhow::Error) -> String {
    let hint = exit::hint(error).map(|hint| format!("\nHint: {hint}")).unwrap_or_default();
    format!("The key can't be checked: {}{hint}", exit::describe(error, |_| None))
}

/// Returns the remote's name and its kind.
fn remote_of(text: &str, context: &Context<'_>) -> anyhow::Result<(String, Provider)> {
    let name = text.strip_suffix(':').unwrap_or(text);
    let file = context.session.configuration().read()?.meaning()?;
    let section = file.section(name).ok_or_else(|| EditError::NoSection(name.to_owned()))?;
    let provider = section.get("type").and_then(providers::of).context("its type isn't known here")?;
    if !provider.has_account {
        let message = format!("remotes of the type {} have no account", provider.name);
        return Err(Failure::other(message).into());
    }
    Ok((name.to_owned(), provider))
}

/// Returns the option that holds the key.
fn key_of(provider: &Provider) -> anyhow::Result<&str> {
    let mut questions = provider.questions.iter();
    let key = questions.find(|question| question.sensitive && !question.password);
    Ok(&key.context("this type has no key")?.name)
}

pub(super) async fn reconnect(arguments: &Reconnect, context: &mut Context<'_>) -> anyhow::Result<()> {
    let (name, provider) = remote_of(&arguments.remote, context)?;
    let key = key_of(&provider)?;
    let mut terminal = Terminal::new();
    writeln!(context.out, "Enter the new {key} of {name:?}:")?;
    let answer = terminal.hidden(&format!("{key}:"), context.out)?;
    let Answer::Line(new) = answer else {
        return Err(Failure::unanswered("no key was entered; the file is as it was").into());
    };
    let new = Secret::new(new.expose().trim());
    if new.is_empty() {
        return Err(Failure::other("no key was entered; the file is as it was").into());
    }
    if !arguments.no_check {
        let file = context.session.configuration().read()?.meaning()?;
        let entries = file.section(&name).map(|section| section.entries.clone()).unwrap_or_default();
        let mut values: Vec<_> =
            entries.into_iter().map(|entry| (entry.key, Secret::new(entry.value))).collect();
        values.push((key.to_owned(), new.clone()));
        let found = check(&provider.name, &values, context).await;
        let found = found.context("the new key wasn't written; --no-check writes it without a look")?;
        writeln!(context.out, "{found}")?;
    }
    context.session.configuration().edit(|document| Ok(document.set(&name, key, new.expose())?))?;
    Ok(())
}

pub(super) fn disconnect(arguments: &Disconnect, context: &mut Context<'_>) -> anyhow::Result<()> {
    let (name, provider) = remote_of(&arguments.remote, context)?;
    let key = key_of(&provider)?;
    let there = context.session.configuration().edit(|document| Ok(document.unset(&name, key)?))?;
    if there {
        writeln!(
            context.out,
            "The key of {name:?} is out of the configuration. The service knows it until you revoke it at \
             https://1fichier.com/console/params.pl"
        )?;
    } else {
        writeln!(context.out, "The remote {name:?} had no key in the configuration.")?;
    }
    Ok(())
}
