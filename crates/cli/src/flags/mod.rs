//! What can be typed: the first stage of the arguments.
//!
//! Each flag is defined once, with its help. [`crate::arguments`] decides what the typed flags mean.

mod accepted;
mod age;
mod backend;
mod bandwidth;
mod environment;
mod filter;
mod global;
mod help;
mod network;
mod reference;
mod stats;
mod switch;
mod transfer;
mod value;

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};

pub(crate) use fichier_config::Environment;

pub(crate) use self::{
    age::Age,
    backend::BackendFlag,
    bandwidth::Timetable,
    filter::{Dump, FilterFlags},
    global::{Colour, GlobalFlags, LogLevel},
    help::{flag_table, for_command as help_for_command, help_for, overview, write_manual_pages},
    network::NetworkFlags,
    reference::{backend_help, backend_table, markdown as reference_markdown},
    stats::{StatsFlags, Unit},
    transfer::{CutoffMode, TransferFlags, order as transfer_order},
    value::{duration, hash_kind},
};
use crate::commands::Command;

/// The whole command line.
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
pub(crate) struct CommandLine {
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
    #[command(subcommand)]
    command: Command,
}

/// What was typed, still without meaning.
#[derive(Debug)]
pub(crate) struct Typed {
    pub(crate) global: GlobalFlags,
    pub(crate) transfer: TransferFlags,
    pub(crate) filter: FilterFlags,
    pub(crate) network: NetworkFlags,
    pub(crate) stats: StatsFlags,
    /// Flags of rclone that were typed and decide nothing: why that is so.
    pub(crate) without_effect: Vec<String>,
    pub(crate) backend: Vec<BackendFlag>,
    pub(crate) command: Command,
}

/// Why the command line can't be understood, or was a call for help.
#[derive(Debug)]
pub(crate) enum Misuse {
    Clap(clap::Error),
    Environment(String),
}

/// The grammar as help and completion show it.
pub(crate) fn grammar() -> clap::Command {
    // Each flag may stand before or after every command, and is explained in one place.
    let grammar = CommandLine::command().mut_args(|arg| arg.global(true).hide(true));
    accepted::add_to(backend::add_to(grammar))
        .mut_args(takes_any_word)
        .mut_subcommands(|command| command.mut_args(takes_any_word))
}

/// A flag that needs a value takes the next word for it, also one that begins with a dash, as rclone does.
fn takes_any_word(arg: clap::Arg) -> clap::Arg {
    let needs_a_word =
        arg.get_long().is_some() && arg.get_action().takes_values() && !arg.is_require_equals_set();
    if needs_a_word { arg.allow_hyphen_values(true) } else { arg }
}

/// Reads the command line. What it doesn't say is taken from the environment.
pub(crate) fn parse(words: &[OsString], environment: &Environment) -> Result<Typed, Misuse> {
    let grammar = switch::go_style(grammar());
    let grammar = environment::defaults(grammar, environment).map_err(Misuse::Environment)?;
    // Never freed: thousands of flags, one by one, would take a fifth of the time of a short run.
    let grammar = Box::leak(Box::new(grammar));
    let matches = grammar.try_get_matches_from_mut(words).map_err(Misuse::Clap)?;
    let CommandLine { global, transfer, filter, network, stats, command } =
        CommandLine::from_arg_matches(&matches).map_err(Misuse::Clap)?;
    let (backend, without_effect) = (backend::typed(&matches), accepted::typed(&matches));
    Ok(Typed { global, transfer, filter, network, stats, without_effect, backend, command })
}
