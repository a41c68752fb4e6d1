//! `complete-line`: what a shell's completion asks: how the command line may go on.

use clap::{Arg, Args};

use fichier_remotes::{
    fichier::CatalogueMode,
    registry::{self, BackendSpec, OptionKind},
};
use fichier_storage::HashKind;

use super::{complete_path, tree};
use crate::context::Context;
use crate::{features, flags, log_format::LogFormat, syslog::Facility};

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
            Kind::AnyCase(word) => found.push(in_case_of(text, word)),
            Kind::Options { of, end } => {
                let options = backend(&of, context)?.into_iter().flat_map(|backend| backend.options);
                found.extend(options.map(|option| format!("{}{end}", option.name)));
            }
            Kind::Values { of, option } => {
                found.extend(values_of_option(backend(&of, context)?, &option).map(str::to_owned));
            }
            Kind::Files => files = true,
            Kind::RemoteNames => found.extend(complete_path::remote_names(context)?),
            Kind::Remotes => found.extend(complete_path::candidates("", context).await?),
            Kind::Paths if connection(text).is_some() => {
                found.extend(of_connection(text, context)?);
            }
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

/// A word in the case in which somebody began to type it, where case doesn't count.
fn in_case_of(text: &str, word: String) -> String {
    let (lower, upper) = (word.to_lowercase(), word.to_uppercase());
    match text {
        _ if word.starts_with(text) => word,
        _ if lower.starts_with(text) => lower,
        _ if upper.starts_with(text) => upper,
        _ => word,
    }
}

/// Whose options are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owner {
    /// Those of a backend.
    Backend(String),
    /// Those of the backend of a remote of the configuration.
    Remote(String),
}

fn backend(of: &Owner, context: &Context<'_>) -> anyhow::Result<Option<&'static BackendSpec>> {
    match of {
        Owner::Backend(name) => Ok(registry::backend(name)),
        Owner::Remote(name) => {
            let remotes = context.session.remotes()?;
            let remote = remotes.into_iter().find(|remote| remote.name == *name);
            Ok(remote.and_then(|remote| registry::backend(&remote.kind)))
        }
    }
}

/// The words that an option takes.
fn values_of_option(
    backend: Option<&'static BackendSpec>,
    option: &str,
) -> impl Iterator<Item = &'static str> {
    let mut options = backend.into_iter().flat_map(|backend| backend.options);
    let (choices, switch): (&'static [_], &[&str]) = match options.find(|known| known.name == option) {
        Some(option) => match option.kind {
            OptionKind::Bool => (&[], &["true", "false"]),
            OptionKind::BoolOr(choices) => (choices, &["true", "false"]),
            OptionKind::Choice(choices) => (choices, &[]),
            _ => (&[], &[]),
        },
        None => (&[], &[]),
    };
    switch.iter().copied().chain(choices.iter().map(|(word, _)| *word))
}

/// A connection string of which an option is being typed: `remote,opt=va`. Whose option it is, what stands before the
/// option, and the option.
fn connection(text: &str) -> Option<(Owner, &str, &str)> {
    let named = text.strip_prefix(':');
    let rest = named.unwrap_or(text);
    // Behind a colon is a path, and a value in quotes may be anything.
    if rest.contains([':', '"', '\'', '/']) {
        return None;
    }
    let (head, option) = rest.rsplit_once(',')?;
    let name = head.split(',').next().unwrap_or(head).to_owned();
    let owner = if named.is_some() { Owner::Backend(name) } else { Owner::Remote(name) };
    Some((owner, &text[..text.len() - option.len()], option))
}

/// How a connection string may go on.
fn of_connection(text: &str, context: &Context<'_>) -> anyhow::Result<Vec<String>> {
    let Some((owner, before, option)) = connection(text) else { return Ok(Vec::new()) };
    let backend = backend(&owner, context)?;
    Ok(match option.split_once('=') {
        Some((option, _)) => {
            values_of_option(backend, option).map(|value| format!("{before}{option}={value}:")).collect()
        }
        None => {
            let options = backend.into_iter().flat_map(|backend| backend.options);
            options.map(|option| format!("{before}{}=", option.name)).collect()
        }
    })
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
    /// This word, in small or large letters.
    AnyCase(String),
    /// The name of an option, with what follows it.
    Options { of: Owner, end: &'static str },
    /// A value of an option.
    Values { of: Owner, option: String },
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
        return Expected { prefix: begun_list(arg, last).to_owned(), kinds: of_value(arg) };
    }
    if !only_places && last.starts_with('-') {
        if let Some((name, value)) = last.split_once('=') {
            let Some(arg) = flag(command, &shared, name) else { return Expected::default() };
            let prefix = format!("{name}={}", begun_list(arg, value));
            return Expected { prefix, kinds: of_value(arg) };
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
    let owner = match (command.get_name(), &places[..]) {
        ("create", [_, backend, ..]) => Some(Owner::Backend((*backend).to_owned())),
        (_, [remote, ..]) => Some(Owner::Remote((*remote).to_owned())),
        _ => None,
    };
    match (place.and_then(value_name), owner) {
        (Some("TOPIC"), _) => kinds.extend(topics(&grammar, &places).into_iter().map(Kind::Word)),
        (Some("OPTION"), Some(of)) => match last.split_once('=') {
            Some((option, _)) => {
                let option = option.to_owned();
                return Expected { prefix: format!("{option}="), kinds: vec![Kind::Values { of, option }] };
            }
            None => kinds.push(Kind::Options { of, end: "=" }),
        },
        (Some("KEY"), Some(of)) => kinds.push(Kind::Options { of, end: "" }),
        (Some("[MODE] REMOTE:PATH"), owner) => {
            let modes = command.get_arguments().find(|arg| arg.get_long() == Some("dedupe-mode"));
            kinds.extend(modes.filter(|_| owner.is_none()).map(of_value).unwrap_or_default());
            kinds.push(Kind::Paths);
        }
        _ => kinds.extend(place.map(of_value).unwrap_or_default()),
    }
    Expected { prefix: String::new(), kinds }
}

/// What `help` may be asked about after these words.
fn topics(grammar: &clap::Command, words: &[&str]) -> Vec<String> {
    match words {
        [] => {
            let topics = ["flags", "backends", "backend", "man", "reference"].map(str::to_owned);
            topics.into_iter().chain(flags::command_names::<super::Command>()).collect()
        }
        ["backend"] => registry::backends().iter().map(|backend| backend.name.to_owned()).collect(),
        ["reference"] => vec!["flags".to_owned()],
        words => {
            let command = words.iter().try_fold(grammar, |command, word| command.find_subcommand(word));
            let below = command.into_iter().flat_map(clap::Command::get_subcommands);
            below
                .filter(|command| !command.is_hide_set())
                .map(|command| command.get_name().to_owned())
                .collect()
        }
    }
}

/// What stands before the last word of a list with commas, where a flag takes one.
fn begun_list<'a>(arg: &Arg, value: &'a str) -> &'a str {
    let is_list = arg.get_value_delimiter() == Some(',')
        || matches!(arg.get_long(), Some("log-format" | "disable" | "track-renames-strategy"));
    let end = value.rfind(',').filter(|_| is_list).map_or(0, |comma| comma + 1);
    &value[..end]
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
        .map(|value| match arg.is_ignore_case_set() {
            true => Kind::AnyCase(value.get_name().to_owned()),
            false => Kind::Word(value.get_name().to_owned()),
        })
        .collect();
    if !words.is_empty() {
        return words;
    }
    let in_any_case = |words: &[&str]| words.iter().map(|word| Kind::AnyCase((*word).to_owned())).collect();
    match arg.get_long() {
        Some("log-format") => return in_any_case(&LogFormat::WORDS),
        Some("syslog-facility") => return in_any_case(&Facility::names()),
        Some("disable") => return in_any_case(&features::names()),
        Some("track-renames-strategy") => return in_any_case(&flags::RENAMES),
        Some("catalogue") => return in_any_case(&CatalogueMode::WORDS),
        Some("sort") => return tree::SORTS.map(|word| Kind::Word(word.to_owned())).into(),
        Some("type") => return backend_names(),
        _ => {}
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
        Some("TYPE") if arg.is_positional() => backend_names(),
        _ => Vec::new(),
    }
}

/// What the value of an argument is called in help texts.
fn value_name(arg: &Arg) -> Option<&str> {
    arg.get_value_names()?.first().map(|name| name.as_str())
}

fn backend_names() -> Vec<Kind> {
    registry::backends().iter().map(|backend| Kind::Word(backend.name.to_owned())).collect()
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
            Kind::Word(word) | Kind::AnyCase(word) => word,
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
        let options = |owner| vec![format!("{:?}", Kind::Options { of: owner, end: "=" })];
        let fichier = || Owner::Backend("fichier".into());
        assert_eq!(words("fichier config create x fichier "), options(fichier()));
        assert_eq!(words("fichier config create x fichier api_key=k "), options(fichier()));
        assert_eq!(words("fichier config update x "), options(Owner::Remote("x".into())));
        let values = Kind::Values { of: fichier(), option: "cdn".into() };
        assert_eq!(words("fichier config create x fichier cdn="), vec![format!("{values:?}")]);
        for line in ["fichier hashsum ", "fichier checksum ", "fichier lsf --hash ", "fichier lsf --hash="] {
            assert!(words(line).contains(&"whirlpool".to_owned()), "{line}");
        }
        assert!(words("fichier copy --order-by ").contains(&"size,descending".to_owned()));
        for (line, word) in [
            ("fichier help backend ", "fichier"),
            ("fichier help config ", "create"),
            ("fichier help ", "lsf"),
            ("fichier listremotes --type ", "crypt"),
            ("fichier tree --sort ", "mtime"),
            ("fichier dedupe --dedupe-mode ", "newest"),
            ("fichier dedupe ", "newest"),
            ("fichier lsf --log-level ", "warning"),
            ("fichier lsf --log-format date,", "UTC"),
            ("fichier lsf --dump headers,", "bodies"),
            ("fichier lsf --syslog-facility=", "LOCAL7"),
            ("fichier lsf --catalogue ", "trust"),
            ("fichier lsf --disable ", "ListR"),
            ("fichier sync --track-renames-strategy hash,", "leaf"),
        ] {
            assert!(words(line).contains(&word.to_owned()), "{line}: {:?}", words(line));
        }
    }

    #[test]
    fn words_are_written_in_the_case_in_which_they_were_begun() {
        let word = |text| in_case_of(text, "warning".to_owned());
        assert_eq!([word("w"), word("WA"), word("Wa")], ["warning", "WARNING", "warning"]);
        assert_eq!(in_case_of("loc", "LOCAL0".into()), "local0");
    }

    #[test]
    fn options_of_connection_strings_are_known() {
        let of = |text| {
            connection(text).map(|(owner, before, option)| (owner, before.to_owned(), option.to_owned()))
        };
        let remote = |name: &str| Owner::Remote(name.to_owned());
        assert_eq!(of("t,cdn=au"), Some((remote("t"), "t,".into(), "cdn=au".into())));
        assert_eq!(of("t,cdn,ap"), Some((remote("t"), "t,cdn,".into(), "ap".into())));
        assert_eq!(of(":local,li"), Some((Owner::Backend("local".into()), ":local,".into(), "li".into())));
        for text in ["t", "t:a,b", "dir/a,b", ":local,x=\"a,b"] {
            assert_eq!(of(text), None, "{text}");
        }
        let fichier = registry::backend("fichier");
        assert!(values_of_option(fichier, "cdn").any(|word| word == "auto"));
        assert_eq!(values_of_option(fichier, "api_key").count(), 0);
        assert_eq!(
            values_of_option(registry::backend("local"), "links").collect::<Vec<_>>(),
            ["true", "false"]
        );
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
