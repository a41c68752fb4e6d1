//! Flags of the backends (`--fichier-api-key` and the like), made from the backends' declarations.

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Command, parser::ValueSource};
use fichier_remotes::registry::{BackendSpec, OptionKind, OptionSpec, backends};

/// Beginning of a backend flag's id in the grammar.
const PREFIX: &str = "backend ";

/// A backend's option that was set on the command line.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct BackendFlag {
    /// Name of the backend: `fichier`.
    pub(crate) backend: &'static str,
    /// Name of the option in the configuration file: `api_key`.
    pub(crate) option: &'static str,
    /// Value as typed. It may be secret.
    pub(crate) value: String,
}

impl std::fmt::Debug for BackendFlag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "--{}-{}", self.backend, self.option)
    }
}

/// Adds the flags of all backends to the grammar. A flag that all commands share isn't added again.
pub(super) fn add_to(mut command: Command) -> Command {
    for (backend, option) in options() {
        let long = option.flag(backend.name).into_owned();
        if command.get_arguments().any(|arg| arg.get_long() == Some(&long)) {
            continue;
        }
        command = command.arg(flag(backend, option, long));
    }
    command
}

/// Returns the backend flags that were typed. Those of the environment are handled by the configuration.
pub(super) fn typed(matches: &ArgMatches) -> Vec<BackendFlag> {
    options()
        .filter_map(|(backend, option)| {
            let id = id(backend, option);
            // A shared flag has its own id.
            let source = matches.try_get_raw(&id).is_ok().then(|| matches.value_source(&id)).flatten()?;
            if source != ValueSource::CommandLine {
                return None;
            }
            let value = match option.kind {
                OptionKind::Bool => matches.get_one::<bool>(&id)?.to_string(),
                _ => matches.get_one::<String>(&id)?.clone(),
            };
            Some(BackendFlag { backend: backend.name, option: option.name, value })
        })
        .collect()
}

/// Joins a switch with the word after it where that is one of its values: `--fichier-cdn auto`.
pub(super) fn join_words(words: &mut Vec<OsString>) {
    for (backend, option) in options() {
        let OptionKind::BoolOr(choices) = option.kind else { continue };
        let flag = format!("--{}", option.flag(backend.name));
        let Some(place) = words.iter().position(|word| *word == *flag) else { continue };
        let next = words.get(place + 1).and_then(|next| next.to_str());
        let Some((word, _)) = choices.iter().find(|(word, _)| Some(*word) == next) else { continue };
        words[place] = format!("{flag}={word}").into();
        words.remove(place + 1);
    }
}

/// Checks whether an argument of the grammar is a backend's flag.
pub(super) fn is_backend_flag(arg: &Arg) -> bool {
    arg.get_id().as_str().starts_with(PREFIX)
}

/// Returns the words that a backend's flag accepts; empty if it is no such flag, or accepts other values.
pub(crate) fn words(arg: &Arg) -> Vec<&'static str> {
    let option = options().find(|(backend, option)| id(backend, option) == arg.get_id().as_str());
    match option.map(|(_, option)| option.kind) {
        Some(OptionKind::Choice(choices) | OptionKind::BoolOr(choices)) => {
            choices.iter().map(|(word, _)| *word).collect()
        }
        _ => Vec::new(),
    }
}

fn options() -> impl Iterator<Item = (&'static BackendSpec, &'static OptionSpec)> {
    backends().iter().copied().flat_map(|backend| backend.options.iter().map(move |option| (backend, option)))
}

fn id(backend: &BackendSpec, option: &OptionSpec) -> String {
    format!("{PREFIX}{} {}", backend.name, option.name)
}

fn flag(backend: &'static BackendSpec, option: &'static OptionSpec, long: String) -> Arg {
    let default =
        if option.default.is_empty() { String::new() } else { format!(" (default {})", option.default) };
    let arg = Arg::new(id(backend, option))
        .long(long)
        .global(true)
        .hide(true)
        .help(format!("{}{default}", option.summary().trim_end_matches('.')))
        .help_heading(format!("Backend {}", backend.name));
    let arg = match option.shared_flag {
        Some((_, Some(short))) => arg.short(short),
        _ => arg,
    };
    match option.kind {
        OptionKind::Bool => arg.action(ArgAction::SetTrue),
        OptionKind::BoolOr(_) => {
            let check =
                move |text: &str| option.check(text).map(|()| text.to_owned()).map_err(|wrong| wrong.reason);
            arg.value_name("WORD")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .value_parser(check)
        }
        kind => arg.value_name(value_name(kind)).value_parser(move |text: &str| {
            option.check(text).map(|()| text.to_owned()).map_err(|wrong| wrong.reason)
        }),
    }
}

fn value_name(kind: OptionKind) -> &'static str {
    match kind {
        OptionKind::Text | OptionKind::Bool | OptionKind::BoolOr(_) => "TEXT",
        OptionKind::Secret => "OBSCURED",
        OptionKind::Encoding => "ENCODING",
        OptionKind::Duration => "TIME",
        OptionKind::Size => "SIZE",
        OptionKind::Count => "N",
        OptionKind::Choice(_) => "WORD",
    }
}

#[cfg(test)]
mod tests {
    use crate::flags::{Environment, Misuse, parse};

    fn flags(words: &[&str]) -> Result<Vec<super::BackendFlag>, String> {
        let words: Vec<_> = ["fichier", "version"].iter().chain(words).map(Into::into).collect();
        let environment = Environment::from_pairs([("RCLONE_FICHIER_API_KEY", "from the environment")]);
        match parse::<crate::commands::Command>(&words, &environment) {
            Ok(typed) => Ok(typed.backend),
            Err(Misuse::Clap(error)) => Err(error.to_string()),
            Err(Misuse::Environment(error)) => Err(error),
        }
    }

    #[test]
    fn only_what_was_typed_counts() {
        assert_eq!(flags(&[]), Ok(vec![]));
        let typed = flags(&["--fichier-cdn", "--fichier-api-key", "k"]).unwrap();
        let value = |option: &str| typed.iter().find(|flag| flag.option == option).map(|flag| &*flag.value);
        assert_eq!(value("cdn"), Some("true"));
        assert_eq!(value("api_key"), Some("k"));
        assert_eq!(typed.len(), 2);
        for words in [&["--fichier-cdn", "auto"][..], &["--fichier-cdn=auto"]] {
            let typed = flags(words).unwrap();
            assert_eq!((typed[0].option, &*typed[0].value), ("cdn", "auto"), "{words:?}");
        }
        assert!(flags(&["--fichier-cdn=maybe"]).is_err());
        assert!(!format!("{typed:?}").contains("\"k\""));
    }

    #[test]
    fn a_value_must_suit_its_option() {
        let error = flags(&["--fichier-encoding", "Slosh"]).unwrap_err();
        assert!(error.contains("--fichier-encoding"), "{error}");
        assert!(flags(&["--fichier-cdn=false"]).unwrap()[0].value == "false");
    }
}
