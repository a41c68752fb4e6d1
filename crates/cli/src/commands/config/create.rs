//! `config create`, `update`, `unset`, `password` and `delete`: single changes, and rclone's dialogue for programs.

use std::str::FromStr as _;

use anyhow::Context as _;
use clap::Args;
use fichier_config::{
    Document, EditError, Secret,
    connection::is_name,
    interview::Position,
    provider::{HIDDEN_PASSWORD, Obscuring, Provider},
};
use fichier_notation::parse_bool;

use super::{json, options::pairs, providers, wizard};
use crate::context::Context;
use crate::exit::Failure;
use crate::session::DEMO;

/// How options are taken.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of its own")]
pub(super) struct CreateOptions {
    /// Ask for all options, beginning with these
    #[arg(long)]
    all: bool,

    /// Obscure passwords, even if they look obscured already
    #[arg(long, conflicts_with = "no_obscure")]
    obscure: bool,

    /// Take passwords for obscured already
    #[arg(long)]
    no_obscure: bool,

    /// Don't print the remote
    #[arg(long)]
    no_output: bool,

    /// Ask nobody: print the next question as JSON
    #[arg(long)]
    non_interactive: bool,

    /// Go on after a question that was printed as JSON
    #[arg(long, requires = "state")]
    r#continue: bool,

    /// The State of that question
    #[arg(long, value_name = "STATE")]
    state: Option<String>,

    /// The answer to it
    #[arg(long, value_name = "ANSWER", allow_hyphen_values = true)]
    result: Option<String>,
}

impl CreateOptions {
    fn obscuring(&self) -> Obscuring {
        match (self.obscure, self.no_obscure) {
            (true, _) => Obscuring::Always,
            (_, true) => Obscuring::Never,
            _ => Obscuring::Unless,
        }
    }
}

/// Make a remote
#[derive(Debug, Args)]
#[command(
    after_help = "Passwords are obscured unless they are already. A remote of this name is replaced.\n\n\
    Programs begin with --non-interactive --all and get a question as JSON: its State, the Option, and an Error if \
    the answer before couldn't be used. They answer with --continue --state STATE --result ANSWER; an empty State is \
    the end.\n\n\
    Examples:\n  fichier config create cloud fichier api_key=KEY\n  \
    fichier config create cloud fichier --all --non-interactive"
)]
pub(super) struct Create {
    /// The name of the remote
    #[arg(value_name = "NAME")]
    name: String,

    /// Its type: fichier, alias, crypt, local
    #[arg(value_name = "TYPE")]
    backend: String,

    /// Options, each as KEY=VALUE or KEY VALUE
    #[arg(value_name = "OPTION")]
    options: Vec<String>,

    #[command(flatten)]
    ways: CreateOptions,
}

/// Change options of a remote
#[derive(Debug, Args)]
#[command(after_help = "Options that aren't named stay. See `fichier help config create` for programs.\n\n\
    Example:\n  fichier config update cloud cdn=true")]
pub(super) struct Update {
    /// The name of the remote
    #[arg(value_name = "NAME")]
    name: String,

    /// Options, each as KEY=VALUE or KEY VALUE
    #[arg(value_name = "OPTION")]
    options: Vec<String>,

    #[command(flatten)]
    ways: CreateOptions,
}

/// Remove options from a remote
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier config unset cloud cdn encoding")]
pub(super) struct Unset {
    /// The name of the remote
    #[arg(value_name = "NAME")]
    name: String,

    /// The options
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,
}

/// Set passwords of a remote, given in the clear
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier config password cloud file_password=secret")]
pub(super) struct Password {
    /// The name of the remote
    #[arg(value_name = "NAME")]
    name: String,

    /// Options and passwords, each as KEY=PASSWORD or KEY PASSWORD
    #[arg(value_name = "OPTION")]
    options: Vec<String>,
}

/// Remove a remote from the configuration
#[derive(Debug, Args)]
#[command(after_help = "What is stored there stays.\n\nExample:\n  fichier config delete cloud")]
pub(super) struct Delete {
    /// The name of the remote
    #[arg(value_name = "NAME")]
    name: String,
}

pub(super) async fn create(arguments: &Create, context: &mut Context<'_>) -> anyhow::Result<()> {
    let Create { name, backend, options, ways } = arguments;
    if !is_name(name) {
        return Err(Failure::usage(format!(
            "{name:?} can't be the name of a remote: it may hold letters, numbers, `_`, `-`, `.`, `+`, `@` and spaces, \
             must not begin with `-` or a space nor end with a space"
        ))
        .into());
    }
    let provider = provider(backend)?;
    let given = pairs(options)?;
    if !ways.r#continue {
        refuse_empty(&provider, &given)?;
    }
    let options = stored(&provider, &given, ways.obscuring())?;
    refuse_itself(name, &provider, &options)?;
    if ways.all && !ways.non_interactive && !ways.r#continue {
        return wizard::single(name, backend, &options, context).await;
    }
    let going_on = ways.r#continue;
    context.session.configuration().edit(|document| {
        if !going_on {
            document.remove_section(name);
        }
        if !document.has_section(name) {
            document.add_section(name)?;
        }
        document.set(name, "type", backend)?;
        set_all(document, name, &options)
    })?;
    if !ways.non_interactive && !going_on {
        warn_of_missing(name, &provider, context)?;
    }
    finish(name, &provider, ways, context)
}

/// Option that names another remote.
const REMOTE: &str = "remote";

/// Refuses a remote that would point to itself.
fn refuse_itself(name: &str, provider: &Provider, options: &[(String, Secret)]) -> Result<(), Failure> {
    let is_itself = |text: &str| text.strip_prefix(name).is_some_and(|rest| rest.starts_with([':', ',']));
    let named = options.iter().find(|(key, value)| key == REMOTE && is_itself(value.expose()));
    match named.filter(|_| provider.question(REMOTE).is_some()) {
        Some(_) => Err(Failure::usage(format!("option {REMOTE}: {name:?} would stand for itself"))),
        None => Ok(()),
    }
}

/// Returns the remote that a path begins with, if it can be one of the configuration.
fn remote_in(path: &str) -> Option<&str> {
    let (name, _) = path.split_once([':', ','])?;
    // A single letter is a drive on Windows.
    (is_name(name) && name.len() > 1 && name != DEMO).then_some(name)
}

/// Warns when a remote can't be opened, since something it needs isn't set or doesn't exist, and when it hides another
/// remote.
fn warn_of_missing(name: &str, provider: &Provider, context: &Context<'_>) -> anyhow::Result<()> {
    let file = context.session.configuration().read()?.meaning()?;
    let section = file.section(name);
    let value = |option: &String| section.and_then(|section| section.get(option));
    let is_set = |option: &String| value(option).is_some_and(|value| !value.is_empty());
    if !provider.needs_one_of.is_empty() && !provider.needs_one_of.iter().any(is_set) {
        let needed = provider.needs_one_of.join(" or ");
        tracing::warn!("The remote {name:?} can't be opened before {needed} is set");
    }
    let missing = provider.questions.iter().filter(|question| {
        question.required && !provider.needs_one_of.contains(&question.name) && !is_set(&question.name)
    });
    for question in missing {
        tracing::warn!("The remote {name:?} can't be opened before {} is set", question.name);
    }
    if name == DEMO {
        tracing::warn!("The remote {DEMO:?} is built in: this one hides it");
    }
    let other = section.filter(|_| provider.question(REMOTE).is_some());
    let other = other.and_then(|section| section.get(REMOTE)).and_then(remote_in);
    if let Some(other) = other
        && !context.session.remotes()?.iter().any(|remote| remote.name == other)
    {
        tracing::warn!("The remote {name:?} can't be opened before there is a remote {other:?}");
    }
    Ok(())
}

pub(super) async fn update(arguments: &Update, context: &mut Context<'_>) -> anyhow::Result<()> {
    let Update { name, options, ways } = arguments;
    let provider = provider_of(name, context)?;
    let options = stored(&provider, &pairs(options)?, ways.obscuring())?;
    refuse_itself(name, &provider, &options)?;
    if ways.all && !ways.non_interactive && !ways.r#continue {
        return wizard::single(name, &provider.name, &options, context).await;
    }
    context.session.configuration().edit(|document| set_all(document, name, &options))?;
    if !ways.non_interactive && !ways.r#continue {
        warn_of_missing(name, &provider, context)?;
    }
    finish(name, &provider, ways, context)
}

pub(super) fn unset(arguments: &Unset, context: &mut Context<'_>) -> anyhow::Result<()> {
    let name = &arguments.name;
    context.session.configuration().edit(|document| {
        for key in &arguments.keys {
            document.unset(name, key)?;
        }
        Ok(())
    })?;
    if let Ok(provider) = provider_of(name, context) {
        warn_of_missing(name, &provider, context)?;
    }
    print(name, context)
}

pub(super) fn password(arguments: &Password, context: &mut Context<'_>) -> anyhow::Result<()> {
    let name = &arguments.name;
    let provider = provider_of(name, context)?;
    let mut options = Vec::new();
    for (key, value) in pairs(&arguments.options)? {
        if provider.question(&key).is_some_and(|question| !question.password) {
            let passwords: Vec<_> =
                provider.questions.iter().filter(|each| each.password).map(|each| &*each.name).collect();
            let passwords = passwords.join(", ");
            return Err(Failure::usage(format!(
                "{key} is no password and is stored as it is: use config update; the passwords of {} are: {passwords}",
                provider.name
            ))
            .into());
        }
        options.push((key, Secret::new(fichier_config::obscure(value.expose()))));
    }
    context.session.configuration().edit(|document| set_all(document, name, &options))?;
    print(name, context)
}

pub(super) fn delete(arguments: &Delete, context: &mut Context<'_>) -> anyhow::Result<()> {
    let there =
        context.session.configuration().edit(|document| Ok(document.remove_section(&arguments.name)))?;
    if !there {
        tracing::warn!(
            "There is no remote {:?} in the configuration file: nothing to delete",
            arguments.name
        );
    }
    Ok(())
}

fn set_all(
    document: &mut Document,
    name: &str,
    options: &[(String, Secret)],
) -> Result<(), fichier_config::ConfigError> {
    for (key, value) in options {
        document.set(name, key, value.expose())?;
    }
    Ok(())
}

/// Returns the values in the form in which the file holds them.
///
/// # Errors
/// A value doesn't suit its option.
fn stored(
    provider: &Provider,
    pairs: &[(String, Secret)],
    obscuring: Obscuring,
) -> Result<Vec<(String, Secret)>, Failure> {
    let one = |(key, value): &(String, Secret)| {
        let value = match provider.question(key) {
            Some(question) => {
                if !value.is_empty() {
                    let wrong = |reason| Failure::usage(format!("option {key}: {reason}"));
                    (question.check)(value.expose()).map_err(wrong)?;
                }
                Secret::new(question.stored(value.expose(), obscuring))
            }
            // The kind of a remote isn't one of its options.
            None if key == "type" => value.clone(),
            None => {
                tracing::warn!(
                    "The backend {} has no option {key:?}: it is written, but decides nothing here",
                    provider.name
                );
                value.clone()
            }
        };
        Ok((key.clone(), value))
    };
    pairs.iter().map(one).collect()
}

/// Refuses an empty key of a new remote that can't be opened without one.
fn refuse_empty(provider: &Provider, pairs: &[(String, Secret)]) -> Result<(), Failure> {
    let is_key = |key: &String| provider.question(key).is_some_and(|question| question.sensitive);
    let is_needed = |key: &String| provider.needs_one_of.contains(key);
    let is_empty = |value: &Secret| value.expose().trim().is_empty();
    let mut needed = pairs.iter().filter(|(key, _)| is_needed(key));
    let Some((key, _)) = needed.clone().find(|(key, value)| is_key(key) && is_empty(value)) else {
        return Ok(());
    };
    if needed.any(|(_, value)| !is_empty(value)) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "option {key}: it is empty, and a remote of the type {} can't be opened so; leave the option out to set it later",
        provider.name
    )))
}

fn provider(backend: &str) -> Result<Provider, Failure> {
    providers::of(backend).ok_or_else(|| {
        let known: Vec<_> = providers::all().into_iter().map(|provider| provider.name).collect();
        Failure::other(format!("didn't find backend called {backend:?}; there are: {}", known.join(", ")))
    })
}

/// Returns the kind of a remote of the file.
fn provider_of(name: &str, context: &Context<'_>) -> anyhow::Result<Provider> {
    let file = context.session.configuration().read()?.meaning()?;
    let section = file.section(name).ok_or_else(|| EditError::NoSection(name.to_owned()))?;
    let none = || Failure::other(format!("the remote {name:?} has no type"));
    let backend = section.get("type").filter(|backend| !backend.is_empty()).ok_or_else(none)?;
    Ok(provider(backend)?)
}

/// Prints the remote, or the next question.
fn finish(
    name: &str,
    provider: &Provider,
    ways: &CreateOptions,
    context: &mut Context<'_>,
) -> anyhow::Result<()> {
    if !ways.non_interactive && !ways.r#continue {
        return if ways.no_output { Ok(()) } else { print(name, context) };
    }
    let (position, error) = if ways.r#continue {
        let state = ways.state.as_deref().unwrap_or_default();
        let position = Position::from_str(state).map_err(|error| Failure::usage(error.to_string()))?;
        go_on(name, position, provider, ways, context)?
    } else if ways.all {
        (Position::first(provider), String::new())
    } else {
        (Position::Done, String::new())
    };
    let file = context.session.configuration().read()?.meaning()?;
    let stored = |key: &str| file.section(name).and_then(|section| section.get(key)).map(str::to_owned);
    let step = json::step(position, provider, stored, error);
    json::write(&step, b"\t", context)?;
    context.out.write_all(b"\n")?;
    Ok(())
}

/// Applies the answer to a question. Returns the place of the next question, and what was wrong with the answer.
fn go_on(
    name: &str,
    position: Position,
    provider: &Provider,
    ways: &CreateOptions,
    context: &Context<'_>,
) -> anyhow::Result<(Position, String)> {
    let answer = ways.result.as_deref().unwrap_or_default();
    let mut entered = false;
    match position {
        Position::Question(index) => {
            let none = || Failure::usage(format!("{} has no question {index}", provider.name));
            let question = provider.questions.get(index).ok_or_else(none)?;
            if answer.is_empty() {
                // The default, or the value from before.
                return Ok((position.after(provider, false), String::new()));
            }
            // Passwords are in the clear here.
            let obscuring = if ways.no_obscure { Obscuring::Never } else { Obscuring::Always };
            if let Err(reason) = (question.check)(answer) {
                return Ok((position, reason));
            }
            let value = question.stored(answer, obscuring);
            let edit = |document: &mut Document| Ok(document.set(name, &question.name, &value)?);
            context.session.configuration().edit(edit)?;
        }
        Position::Enter(_) => match parse_bool(if answer.is_empty() { "false" } else { answer }) {
            Ok(answer) => entered = answer,
            Err(error) => return Ok((position, error.to_string())),
        },
        Position::Done => {}
    }
    Ok((position.after(provider, entered), String::new()))
}

/// Prints the remote as the file holds it, secrets hidden.
pub(super) fn print(name: &str, context: &mut Context<'_>) -> anyhow::Result<()> {
    let file = context.session.configuration().read()?.meaning()?;
    let section = file.section(name).context("the remote went while it was changed")?;
    let provider = section.get("type").and_then(providers::of);
    writeln!(context.out, "[{name}]")?;
    for entry in &section.entries {
        let shown = match provider.as_ref().and_then(|provider| provider.question(&entry.key)) {
            Some(question) => question.shown(&entry.value),
            None if providers::sensitive_options().contains(&*entry.key) => HIDDEN_PASSWORD.to_owned(),
            None => entry.value.clone(),
        };
        writeln!(context.out, "{} = {shown}", entry.key)?;
    }
    Ok(())
}
