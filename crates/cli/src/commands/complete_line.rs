//! `complete-line`: what a shell's completion asks: how the command line may go on.

use clap::{Arg, Args};

use fichier_remotes::registry;

use super::complete_path;
use crate::context::Context;
use crate::{flags, hashing::HashKind};

/// Stands in the answer where the shell completes the names of local files by itself.
const FILES: &str = ":files:";

/// Print how a command line may go on, for completion in a shell
#[derive(Debug, Args)]
#[command(
    name = "complete-line",
    hide = true,
    after_help = "Prints one possible word a line; :files: stands for the names of local files.\n\n\
    Example:\n  fichier complete-line -- lsf demo:ba"
)]
pub(crate) struct Arguments {
    /// The whole line up to the cursor, the program's name included, with quotes as a shell reads them
    #[arg(long, value_name = "LINE", conflicts_with = "words")]
    line: Option<String>,

    /// The words behind the program's name, the last one unfinished
    #[arg(value_name = "WORD", allow_hyphen_values = true, last = true)]
    words: Vec<String>,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let words = match &arguments.line {
        Some(line) => divided(line).into_iter().skip(1).collect(),
        None => arguments.words.clone(),
    };
    let (last, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
    let Expected { prefix, kinds } = expected(before, last);
    let text = last.strip_prefix(prefix.as_str()).unwrap_or(last);
    let mut found = Vec::new();
    let mut files = false;
    for kind in kinds {
        match kind {
            Kind::Word(word) => found.push(word),
            Kind::Files => files = true,
            Kind::RemoteNames => found.extend(complete_path::remote_names(context)?),
            Kind::Remotes => found.extend(complete_path::candidates("", context).await?),
            Kind::Paths => {
                found.extend(complete_path::candidates(text, context).await?);
                // What follows a colon is on a remote.
                files |= !text.contains(':');
            }
        }
    }
    for word in found.iter().filter(|word| word.starts_with(text)) {
        writeln!(context.out, "{prefix}{word}")?;
    }
    if files {
        writeln!(context.out, "{FILES}")?;
    }
    Ok(())
}

/// What may stand where a word is being typed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Expected {
    /// What was typed before the text that is completed: `--log-level=`.
    prefix: String,
    kinds: Vec<Kind>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// This word.
    Word(String),
    /// A local file.
    Files,
    /// A remote of the configuration, without a colon.
    RemoteNames,
    /// A remote, with its colon.
    Remotes,
    /// A path on a remote, or a local one.
    Paths,
}

fn expected(before: &[String], last: &str) -> Expected {
    let grammar = flags::grammar::<super::Command>();
    let mut command = &grammar;
    let shared: Vec<&Arg> = grammar.get_arguments().filter(|arg| arg.is_global_set()).collect();
    let (mut waiting, mut places, mut only_places) = (None, Vec::new(), false);
    for word in before {
        if waiting.take().is_some() {
            continue;
        }
        if !only_places && word == "--" {
            only_places = true;
        } else if !only_places && word.len() > 1 && word.starts_with('-') {
            waiting = flag(command, &shared, word).filter(|arg| takes_next(arg) && !word.contains('='));
        } else if let Some(next) = command.find_subcommand(word).filter(|_| places.is_empty()) {
            command = next;
        } else {
            places.push(word.as_str());
        }
    }
    if let Some(arg) = waiting {
        return Expected { prefix: String::new(), kinds: of_value(arg) };
    }
    if !only_places && last.starts_with('-') {
        if let Some((name, _)) = last.split_once('=') {
            let kinds = flag(command, &shared, name).map(of_value).unwrap_or_default();
            return Expected { prefix: format!("{name}="), kinds };
        }
        let own = command.get_arguments().filter(|arg| !arg.is_hide_set());
        let longs = own.chain(shared.iter().copied()).filter_map(Arg::get_long);
        let mut kinds: Vec<_> = longs.map(|long| Kind::Word(format!("--{long}"))).collect();
        kinds.dedup();
        return Expected { prefix: String::new(), kinds };
    }
    let mut kinds = Vec::new();
    if places.is_empty() && !only_places {
        let below = command.get_subcommands().filter(|command| !command.is_hide_set());
        kinds.extend(below.map(|command| Kind::Word(command.get_name().to_owned())));
    }
    let place = command.get_positionals().nth(places.len());
    // The last one may take all words that follow.
    let place = place.or_else(|| {
        command.get_positionals().last().filter(|arg| matches!(arg.get_action(), clap::ArgAction::Append))
    });
    kinds.extend(place.map(of_value).unwrap_or_default());
    // `config create NAME TYPE`: what a remote of this type can be set to.
    if let (Some("OPTION"), [_, backend, ..]) = (place.and_then(value_name), &places[..]) {
        kinds.extend(options_of(backend).map(|option| Kind::Word(format!("{option}="))));
    }
    Expected { prefix: String::new(), kinds }
}

/// The flag that a word names: `--long`, or the last of short ones.
fn flag<'a>(command: &'a clap::Command, shared: &[&'a Arg], word: &str) -> Option<&'a Arg> {
    let mut all = command.get_arguments().chain(shared.iter().copied());
    match word.strip_prefix("--") {
        Some(long) => {
            let long = long.split('=').next().unwrap_or(long);
            all.find(|arg| arg.get_long() == Some(long))
        }
        None => {
            let letter = word.split('=').next().unwrap_or(word).chars().last();
            all.find(|arg| arg.get_short() == letter)
        }
    }
}

/// Whether the word behind a flag is its value.
fn takes_next(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

/// What the value of an argument may be.
fn of_value(arg: &Arg) -> Vec<Kind> {
    let words: Vec<_> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| Kind::Word(value.get_name().to_owned()))
        .collect();
    if !words.is_empty() {
        return words;
    }
    if !arg.get_action().takes_values() {
        return ["true", "false"].map(|word| Kind::Word(word.to_owned())).into();
    }
    let known = flags::words_of_backend_flag(arg);
    if !known.is_empty() {
        return known.into_iter().map(|word| Kind::Word(word.to_owned())).collect();
    }
    let words = |words: &mut dyn Iterator<Item = String>| words.map(Kind::Word).collect();
    match value_name(arg) {
        Some("REMOTE:") => vec![Kind::Remotes],
        Some("REMOTE") => vec![Kind::RemoteNames],
        Some("NAME") if arg.is_positional() => vec![Kind::RemoteNames],
        Some(name) if name.contains(":PATH") => vec![Kind::Paths],
        Some("FILE" | "DIR" | "SUMS") => vec![Kind::Files],
        Some("KIND") => words(&mut HashKind::ALL.iter().map(ToString::to_string)),
        Some("ORDER") if arg.get_long() == Some("order-by") => words(&mut transfer_orders()),
        Some("TYPE") if arg.is_positional() => {
            words(&mut registry::backends().iter().map(|backend| backend.name.to_owned()))
        }
        Some("TOPIC") => {
            let topics = ["flags", "backends", "backend", "man", "reference"].map(str::to_owned);
            topics.into_iter().chain(flags::command_names::<super::Command>()).map(Kind::Word).collect()
        }
        _ => Vec::new(),
    }
}

/// What the value of an argument is called in help texts.
fn value_name(arg: &Arg) -> Option<&str> {
    arg.get_value_names()?.first().map(|name| name.as_str())
}

/// The options of a backend.
fn options_of(backend: &str) -> impl Iterator<Item = &'static str> {
    registry::backend(backend).into_iter().flat_map(|backend| backend.options).map(|option| option.name)
}

/// What may stand behind `--order-by` of a transfer.
fn transfer_orders() -> impl Iterator<Item = String> {
    ["name", "size", "modtime"].into_iter().flat_map(|key| {
        ["", ",ascending", ",descending", ",mixed"]
            .into_iter()
            .map(move |direction| format!("{key}{direction}"))
    })
}

/// The words of a line as a shell divides it; the last one is unfinished and may be empty.
fn divided(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut quote, mut begun) = (None, false);
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let last = words.len() - 1;
        match (character, quote) {
            ('\'', Some('\'')) | ('"', Some('"')) => quote = None,
            ('\\', None | Some('"')) => words[last].extend(characters.next()),
            ('\'' | '"', None) => quote = Some(character),
            (space, None) if space.is_whitespace() => {
                if begun {
                    words.push(String::new());
                }
                begun = false;
                continue;
            }
            (plain, _) => words[last].push(plain),
        }
        begun = true;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        let divided = divided(line);
        let (last, before) = divided.split_last().unwrap();
        let Expected { kinds, .. } = expected(&before[1..], last);
        let word = |kind: Kind| match kind {
            Kind::Word(word) => word,
            other => format!("{other:?}"),
        };
        kinds.into_iter().map(word).collect()
    }

    #[test]
    fn lines_are_divided_as_by_a_shell() {
        assert_eq!(divided("fichier lsf "), ["fichier", "lsf", ""]);
        assert_eq!(divided("fichier  lsf a\\ b"), ["fichier", "lsf", "a b"]);
        assert_eq!(divided("fichier lsf 'a b' \"c d"), ["fichier", "lsf", "a b", "c d"]);
    }

    #[test]
    fn commands_flags_and_values_are_known() {
        let commands = words("fichier ");
        assert!(commands.contains(&"copyto".to_owned()) && !commands.contains(&"complete-path".to_owned()));
        assert!(words("fichier config ").contains(&"show".to_owned()));
        assert!(words("fichier lsf --").contains(&"--separator".to_owned()));
        assert!(words("fichier lsf --").contains(&"--transfers".to_owned()));
        assert!(words("fichier copy --log-level ").contains(&"info".to_owned()));
        assert!(words("fichier copy --cutoff-mode=").contains(&"soft".to_owned()));
        assert_eq!(words("fichier copy --dry-run="), ["true", "false"]);
        assert!(words("fichier lsf --fichier-empty-files ").contains(&"marker".to_owned()));
        assert!(words("fichier completion ").contains(&"elvish".to_owned()));
        assert!(words("fichier config create x ").contains(&"fichier".to_owned()));
        assert!(words("fichier config create x fichier ").contains(&"api_key=".to_owned()));
        assert!(words("fichier config create x fichier api_key=k ").contains(&"cdn=".to_owned()));
        assert!(words("fichier config create x alias ").contains(&"remote=".to_owned()));
        for line in ["fichier hashsum ", "fichier checksum ", "fichier lsf --hash ", "fichier lsf --hash="] {
            assert!(words(line).contains(&"whirlpool".to_owned()), "{line}");
        }
        assert!(words("fichier copy --order-by ").contains(&"size,descending".to_owned()));
    }

    #[test]
    fn places_are_remotes_paths_or_files() {
        assert_eq!(words("fichier copy a "), ["Paths"]);
        assert_eq!(words("fichier copy --transfers 3 a "), ["Paths"]);
        assert_eq!(words("fichier copy a b "), Vec::<String>::new());
        assert_eq!(words("fichier config show "), ["RemoteNames"]);
        assert_eq!(words("fichier config delete "), ["RemoteNames"]);
        assert_eq!(words("fichier config userinfo "), ["Remotes"]);
        assert_eq!(words("fichier copy --backup-dir "), ["Paths"]);
        assert_eq!(words("fichier copy --log-file "), ["Files"]);
        assert_eq!(words("fichier version "), Vec::<String>::new());
    }
}
