//! `config show`, `redacted`, `dump` and `string` print the contents of the configuration file.

use std::collections::BTreeMap;

use clap::Args;
use fichier_config::{
    Origin, Parameters, RemoteSpec,
    connection::without_values,
    ini::{DEFAULT_SECTION, Entry, IniFile, Section},
    provider::shortened_key,
};
use fichier_remotes::registry::{self, OptionKind};

use super::{json, providers};
use crate::context::Context;
use crate::exit::Failure;

/// Replaces a secret value in output that is meant for others.
const REDACTED: &str = "XXX";

/// Print the configuration file, decrypted, or one remote of it
#[derive(Debug, Args)]
#[command(after_help = "Keys are shown. For a copy to show around: fichier config redacted.\n\n\
    Examples:\n  fichier config show cloud\n  fichier config show --origin cloud:")]
pub(super) struct Show {
    /// The remote
    #[arg(value_name = "REMOTE")]
    remote: Option<String>,

    /// Print each option's value and where it comes from: flag, environment, file or default. Keys are redacted
    #[arg(long, requires = "remote")]
    origin: bool,
}

/// Print the configuration file without secrets, or one remote of it
#[derive(Debug, Args)]
#[command(
    after_help = "For a report or a question to others. Look through it before: names of files, hosts and folders \
    stay.\n\nExample:\n  fichier config redacted"
)]
pub(super) struct Redacted {
    /// The remote
    #[arg(value_name = "REMOTE")]
    remote: Option<String>,
}

/// Print the configuration file as JSON, keys included
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier config dump")]
pub(super) struct Dump {}

/// Print a remote as a string that needs no configuration, keys included
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier config string cloud")]
pub(super) struct ConnectionString {
    /// The remote
    #[arg(value_name = "REMOTE")]
    remote: String,
}

/// Returns a remote's name without the colon.
fn name_of(remote: &str) -> &str {
    remote.strip_suffix(':').unwrap_or(remote)
}

pub(super) fn show(arguments: &Show, context: &mut Context<'_>) -> anyhow::Result<()> {
    let Some(remote) = arguments.remote.as_deref() else {
        let text = context.session.configuration().read()?.to_bytes();
        if text.trim_ascii().is_empty() {
            writeln!(context.out, "; empty config")?;
        }
        context.out.write_all(&text)?;
        return Ok(());
    };
    if arguments.origin {
        return origins(remote, context);
    }
    let name = name_of(remote);
    let file = context.session.configuration().read()?.meaning()?;
    let section = file.section(name).ok_or_else(|| unknown(name, &file))?;
    writeln!(context.out, "[{name}]")?;
    for entry in &section.entries {
        writeln!(context.out, "{} = {}", entry.key, entry.value)?;
    }
    Ok(())
}

fn unknown(name: &str, file: &IniFile) -> Failure {
    let known: Vec<_> = file
        .sections()
        .iter()
        .filter(|section| section.name != DEFAULT_SECTION)
        .map(|section| &*section.name)
        .collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Failure::other(format!("there is no remote {name:?} in the configuration file; there are: {known}"))
}

/// Prints each option of a remote with its value and its source.
fn origins(remote: &str, context: &mut Context<'_>) -> anyhow::Result<()> {
    let spec = if remote.contains(':') { remote.to_owned() } else { format!("{remote}:") };
    let address = fichier_config::Address::parse(spec.as_bytes())?;
    let options = context.session.options_of(&address.remote)?;
    let backend = registry::backend(&options.backend);
    let known = backend.map(|backend| backend.options).unwrap_or_default();
    writeln!(context.out, "type = {}", options.backend)?;
    for option in known {
        let value = options.get_or(option.name, option.default);
        let shown = match option.kind {
            OptionKind::Secret if !value.text.is_empty() => "***".to_owned(),
            _ if option.sensitive => shortened_key(value.text.expose()),
            _ => without_values(value.text.expose()),
        };
        let origin = match value.origin {
            Origin::Default => "the default".to_owned(),
            origin => origin.to_string(),
        };
        writeln!(context.out, "{} = {shown}\n    {origin}", option.name)?;
    }
    Ok(())
}

pub(super) fn redacted(arguments: &Redacted, context: &mut Context<'_>) -> anyhow::Result<()> {
    let file = context.session.configuration().read()?.meaning()?;
    let mut sections: Vec<_> = file
        .sections()
        .iter()
        .filter(|section| section.name != DEFAULT_SECTION || !section.entries.is_empty())
        .collect();
    sections.sort_by(|left, right| left.name.cmp(&right.name));
    if let Some(remote) = &arguments.remote {
        let name = name_of(remote);
        sections.retain(|section| section.name == name);
        if sections.is_empty() {
            return Err(unknown(name, &file).into());
        }
    }
    if sections.is_empty() {
        writeln!(context.out, "; empty config")?;
    }
    for (index, section) in sections.iter().enumerate() {
        if index > 0 {
            writeln!(context.out)?;
        }
        writeln!(context.out, "[{}]", section.name)?;
        for entry in &section.entries {
            writeln!(context.out, "{} = {}", entry.key, redact(section, entry))?;
        }
    }
    writeln!(context.out, "### Double check the config for sensitive info before posting publicly")?;
    Ok(())
}

/// Returns a value in a form that others may see. For a backend that isn't known here, every key that sounds like a
/// secret counts as one.
fn redact(section: &Section, entry: &Entry) -> String {
    let provider = section.get("type").and_then(providers::of);
    let question = provider.as_ref().and_then(|provider| provider.question(&entry.key));
    let is_secret = match question {
        Some(question) => question.sensitive,
        None => sounds_secret(&entry.key),
    };
    match entry.value.as_str() {
        "" => String::new(),
        _ if is_secret => REDACTED.to_owned(),
        value => without_mails(&without_values(value)),
    }
}

/// Checks whether a key sounds as if its value were a secret.
fn sounds_secret(key: &str) -> bool {
    const WORDS: [&str; 9] =
        ["pass", "secret", "token", "key", "user", "mail", "account", "client_id", "credential"];
    let key = key.to_lowercase();
    providers::sensitive_options().contains(&*key) || WORDS.iter().any(|word| key.contains(word))
}

/// Replaces mail addresses in a text.
fn without_mails(text: &str) -> String {
    let is_part = |letter: char| letter.is_alphanumeric() || "._%+-".contains(letter);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let start = before
            .rfind(|letter| !is_part(letter))
            .map_or(0, |found| found + before[found..].chars().next().map_or(1, char::len_utf8));
        let end = after.find(|letter| !is_part(letter)).unwrap_or(after.len());
        if start < at && after[..end].contains('.') {
            out.push_str(&before[..start]);
            out.push_str(REDACTED);
            rest = &after[end..];
        } else {
            out.push_str(&rest[..=at]);
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

pub(super) fn dump(context: &mut Context<'_>) -> anyhow::Result<()> {
    let file = context.session.configuration().read()?.meaning()?;
    let remotes: BTreeMap<_, BTreeMap<_, _>> = file
        .sections()
        .iter()
        .map(|section| {
            let entries = section.entries.iter().map(|entry| (&entry.key, &entry.value));
            (&section.name, entries.collect())
        })
        .collect();
    json::write(&remotes, b"    ", context)
}

pub(super) fn connection_string(
    arguments: &ConnectionString,
    context: &mut Context<'_>,
) -> anyhow::Result<()> {
    let name = name_of(&arguments.remote);
    let file = context.session.configuration().read()?.meaning()?;
    let section = file.section(name).ok_or_else(|| unknown(name, &file))?;
    let backend = section.get("type").unwrap_or_default().to_owned();
    let options = section.entries.iter().filter(|entry| entry.key != "type");
    let parameters = Parameters::from_pairs(options.map(|entry| (entry.key.clone(), entry.value.clone())));
    writeln!(context.out, "{}", RemoteSpec::OnTheFly { backend, parameters })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_addresses_are_replaced_wherever_they_stand() {
        assert_eq!(without_mails("ada@example.com"), "XXX");
        assert_eq!(without_mails("of ada.l+x@mail.example.com, home"), "of XXX, home");
        assert_eq!(without_mails("a@b and @ and é@x.org"), "a@b and @ and XXX");
        assert_eq!(without_mails("no mail"), "no mail");
    }

    #[test]
    fn keys_of_strangers_that_sound_secret_are() {
        for key in ["token", "client_secret", "access_key_id", "PASS", "user", "email"] {
            assert!(sounds_secret(key), "{key}");
        }
        assert!(!sounds_secret("region") && !sounds_secret("type"));
    }
}
