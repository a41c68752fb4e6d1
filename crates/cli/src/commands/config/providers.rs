//! Describes the backends as questions: for the wizard, for scripts, and `config providers`.

use std::{collections::BTreeSet, sync::Arc};

use clap::Args;
use fichier_config::provider::{Choice, Group, Provider, Question};
use fichier_remotes::registry::{BackendSpec, OptionKind, OptionSpec, backends};
use serde::Serialize;

use super::json;
use crate::context::Context;

/// Print all kinds of remotes with their options as JSON
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier config providers")]
pub(super) struct Arguments {}

/// Returns all kinds of remotes, as the wizard asks for them.
pub(super) fn all() -> Vec<Provider> {
    backends().iter().copied().map(provider).collect()
}

/// Returns the kind of this name.
pub(super) fn of(backend: &str) -> Option<Provider> {
    backends().iter().copied().find(|known| known.name == backend).map(provider)
}

/// Returns the options whose values must not be shown, whatever kind of remote has them.
pub(super) fn sensitive_options() -> BTreeSet<&'static str> {
    let options = backends().iter().flat_map(|backend| backend.options);
    options.filter(|option| option.sensitive).map(|option| option.name).collect()
}

fn provider(backend: &'static BackendSpec) -> Provider {
    Provider {
        name: backend.name.to_owned(),
        description: backend.description.to_owned(),
        has_account: backend.has_account,
        needs_one_of: backend.needs_one_of.iter().map(|option| (*option).to_owned()).collect(),
        questions: backend.options.iter().map(question).collect(),
    }
}

fn question(option: &'static OptionSpec) -> Question {
    let choices = match option.kind {
        OptionKind::Choice(choices) => choices,
        _ => &[],
    };
    let choice =
        |(value, help): &(&str, &str)| Choice { value: (*value).to_owned(), help: (*help).to_owned() };
    Question {
        name: option.name.to_owned(),
        help: option.help.to_owned(),
        kind: kind(option.kind),
        default: option.default.to_owned(),
        required: option.required,
        group: match (option.own, option.advanced) {
            (true, _) => Group::Own,
            (false, true) => Group::Advanced,
            (false, false) => Group::Standard,
        },
        password: option.kind == OptionKind::Secret,
        sensitive: option.sensitive,
        choices: choices.iter().map(choice).collect(),
        check: Arc::new(|value| option.check(value).map_err(|wrong| wrong.reason)),
    }
}

/// Returns rclone's name for the type of an option.
fn kind(kind: OptionKind) -> &'static str {
    match kind {
        OptionKind::Text | OptionKind::Secret | OptionKind::Choice(_) => "string",
        OptionKind::Bool | OptionKind::BoolOr(_) => "bool",
        OptionKind::Encoding => "Encoding",
        OptionKind::Duration => "Duration",
        OptionKind::Size => "SizeSuffix",
        OptionKind::Count => "int",
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProviderJson {
    name: String,
    description: String,
    prefix: String,
    options: Vec<json::QuestionJson>,
}

pub(super) fn run(context: &mut Context<'_>) -> anyhow::Result<()> {
    let providers: Vec<_> = all()
        .into_iter()
        .map(|provider| ProviderJson {
            options: provider.questions.iter().map(|question| json::question(question, None)).collect(),
            prefix: provider.name.clone(),
            name: provider.name,
            description: provider.description,
        })
        .collect();
    json::write(&providers, b"    ", context)?;
    context.out.write_all(b"\n")?;
    Ok(())
}
