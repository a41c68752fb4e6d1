//! The grammar of the command line: the first stage of the arguments.
//!
//! Each flag is defined once, with its help. [`crate::arguments`] decides what the typed flags mean.

mod accepted;
mod age;
mod backend;
mod bandwidth;
mod empty;
mod environment;
mod filter;
mod foreign;
mod global;
mod help;
mod network;
mod reference;
mod stats;
#[cfg(test)]
mod sweep;
mod switch;
mod transfer;
mod value;
#[cfg(target_os = "linux")]
mod vfs;

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub(crate) use fichier_config::Environment;

pub(crate) use self::{
    age::Age,
    backend::{BackendFlag, words as words_of_backend_flag},
    bandwidth::Timetable,
    filter::{Dump, FilterFlags},
    foreign::{about_numbers, is_other_service, why_unknown},
    global::{Colour, GlobalFlags, LogLevel, USUAL_UNKNOWN_TIME},
    help::{flag_table, for_command as help_for_command, help_for, overview, write_manual_pages},
    network::NetworkFlags,
    reference::{backend_help, backend_table, flags_markdown, markdown as reference_markdown},
    stats::{StatsFlags, Unit},
    transfer::{CutoffMode, RENAMES, TransferFlags, order as transfer_order},
    value::{duration, hash_kind, mail},
};

#[cfg(target_os = "linux")]
pub(crate) use self::vfs::{Owner, VfsFlags};

/// The flags that all commands share, and what there is to say of the program.
#[derive(Debug, Parser)]
#[command(
    name = "fichier",
    version,
    about = "Stores and fetches files at 1Fichier, the rclone way",
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    args_override_self = true,
    max_term_width = 110,
    after_help = "Paths are local, or remote:path. The remote demo: is always there to try things out.\n\
        `fichier help COMMAND` explains a command, `fichier help flags` the flags that all commands share."
)]
struct SharedFlags {
    #[command(flatten)]
    global: GlobalFlags,
    #[command(flatten)]
    transfer: TransferFlags,
    #[command(flatten)]
    filter: FilterFlags,
    #[command(flatten)]
    network: NetworkFlags,
    #[command(flatten)]
    stats: StatsFlags,
}

/// A parsed command line, before its meaning is decided; `C` are the commands.
#[derive(Debug)]
pub(crate) struct Typed<C> {
    pub(crate) global: GlobalFlags,
    pub(crate) transfer: TransferFlags,
    pub(crate) filter: FilterFlags,
    pub(crate) network: NetworkFlags,
    pub(crate) stats: StatsFlags,
    /// Why flags of rclone that were typed have no effect.
    pub(crate) without_effect: Vec<String>,
    pub(crate) backend: Vec<BackendFlag>,
    pub(crate) command: C,
}

/// Why the command line can't be parsed, or a request for help.
#[derive(Debug)]
pub(crate) enum Misuse {
    Clap(clap::Error),
    Environment(String),
}

/// Returns the grammar as help and completion show it.
pub(crate) fn grammar<C: Subcommand>() -> clap::Command {
    with_commands(C::augment_subcommands(SharedFlags::command()))
}

/// Returns the names of the commands that help shows.
pub(crate) fn command_names<C: Subcommand>() -> Vec<String> {
    let every = C::augment_subcommands(clap::Command::new("every"));
    let shown = every.get_subcommands().filter(|command| !command.is_hide_set());
    shown.map(|command| command.get_name().to_owned()).collect()
}

/// Returns the grammar with only those commands whose names are among the words. It parses the words as the whole
/// grammar does, but its messages know no other command.
///
/// Each command gets all shared flags once more: with every command that is most of the time of a short run.
fn grammar_of<C: Subcommand>(words: &[OsString]) -> clap::Command {
    let every = C::augment_subcommands(clap::Command::new("every"));
    let is_among_words = |command: &&clap::Command| words.iter().any(|word| word == command.get_name());
    with_commands(SharedFlags::command().subcommands(every.get_subcommands().filter(is_among_words)))
}

fn with_commands(grammar: clap::Command) -> clap::Command {
    // Each flag may come before or after every command, and is explained in one place.
    let grammar = grammar.mut_args(|arg| arg.global(true).hide(true));
    accepted::add_to(backend::add_to(grammar))
        .mut_args(takes_any_word)
        .mut_subcommands(|command| command.mut_args(takes_any_word))
}

/// Lets a flag that needs a value take the next word for it, also one that begins with a dash, as rclone does.
fn takes_any_word(arg: clap::Arg) -> clap::Arg {
    let needs_a_word =
        arg.get_long().is_some() && arg.get_action().takes_values() && !arg.is_require_equals_set();
    if needs_a_word { arg.allow_hyphen_values(true) } else { arg }
}

/// Parses the command line. Flags that it lacks are taken from the environment.
pub(crate) fn parse<C: Subcommand>(
    words: &[OsString],
    environment: &Environment,
) -> Result<Typed<C>, Misuse> {
    let mut words = words.to_vec();
    backend::join_words(&mut words);
    empty::take_out(&mut words, grammar_of::<C>);
    let mut notices = Vec::new();
    loop {
        match parse_by(grammar_of::<C>(&words), &words, environment) {
            Err(Misuse::Clap(error)) if error.use_stderr() => {
                if let Some(notice) = foreign::take_out(&mut words, &error) {
                    notices.push(notice);
                    continue;
                }
                // Errors come from the grammar that knows all commands.
                return parse_by(grammar::<C>(), &words, environment);
            }
            parsed => {
                return parsed.map(|mut typed| {
                    typed.without_effect.append(&mut notices);
                    typed
                });
            }
        }
    }
}

fn parse_by<C: Subcommand>(
    grammar: clap::Command,
    words: &[OsString],
    environment: &Environment,
) -> Result<Typed<C>, Misuse> {
    let grammar =
        environment::defaults(switch::go_style(grammar), environment).map_err(Misuse::Environment)?;
    // Neither is ever freed: to free many flags one by one would take a good part of the time of a short run.
    let grammar = Box::leak(Box::new(grammar));
    let matches = grammar.try_get_matches_from_mut(words);
    let matches = matches.map_err(|error| Misuse::Clap(foreign::with_advice(error)))?;
    read(Box::leak(Box::new(matches)))
}

/// Takes the typed values out of the matches.
fn read<C: Subcommand>(matches: &mut clap::ArgMatches) -> Result<Typed<C>, Misuse> {
    let (backend, without_effect) = (backend::typed(matches), accepted::typed(matches));
    // Values are taken out, since otherwise all would be copied first.
    let SharedFlags { global, transfer, filter, network, stats } =
        SharedFlags::from_arg_matches_mut(matches).map_err(Misuse::Clap)?;
    let command = C::from_arg_matches_mut(matches).map_err(Misuse::Clap)?;
    Ok(Typed { global, transfer, filter, network, stats, without_effect, backend, command })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::Command;

    fn parsed(grammar: clap::Command, words: &[OsString]) -> String {
        match parse_by::<Command>(grammar, words, &Environment::default()) {
            Ok(typed) => format!("{typed:?}"),
            Err(Misuse::Clap(error)) if !error.use_stderr() => format!("{:?}", error.kind()),
            Err(_) => "misuse".to_owned(),
        }
    }

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(Into::into).collect()
    }

    #[test]
    fn a_grammar_of_few_commands_reads_as_that_of_all() {
        let mut read = 0;
        for line in [
            "fichier version",
            "fichier -vv --transfers 7 lsf t: --format=st -R",
            "fichier --config copy ls x",
            "fichier ls --config copy x --dry-run=false",
            "fichier copy sync move -n",
            "fichier ls -- copy",
            "fichier config create ls fichier api_key x",
            "fichier config encryption check --progress",
            "fichier config --checkers 3 show",
            "fichier help config create",
            "fichier help",
            "fichier lsf t: --help",
            "fichier --help",
            "fichier --version",
            "fichier --buffer-size copy md5sum x --fichier-cdn",
            "fichier copy ls",
            "fichier lss x",
            "fichier",
            "fichier -v",
        ] {
            let words = words(line);
            let short = parsed(grammar_of::<Command>(&words), &words);
            assert_eq!(short, parsed(grammar::<Command>(), &words), "{line}");
            read += usize::from(short != "misuse");
        }
        assert_eq!(read, 14);
    }

    #[test]
    fn misuse_is_told_as_by_the_whole_grammar() {
        for line in
            ["fichier lss x", "fichier ls", "fichier", "fichier -v", "fichier copy a b --no-such-flag"]
        {
            let words = words(line);
            let Err(Misuse::Clap(error)) = parse::<Command>(&words, &Environment::default()) else {
                panic!("{line}")
            };
            let whole = switch::go_style(grammar::<Command>()).try_get_matches_from(&words).unwrap_err();
            assert_eq!(error.to_string(), whole.to_string(), "{line}");
        }
        let Err(Misuse::Clap(error)) = parse::<Command>(&words("fichier lss x"), &Environment::default())
        else {
            panic!("there is no such command")
        };
        assert!(error.to_string().contains("lsf"), "{error}");
    }

    #[test]
    fn no_command_has_a_second_name() {
        // The short grammar looks only for first names.
        assert!(
            grammar::<Command>().get_subcommands().all(|command| command.get_all_aliases().next().is_none())
        );
    }
}
