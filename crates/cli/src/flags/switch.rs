//! Flags as in Go: switches as `--dry-run`, `--dry-run=false`, `-n=1`, and values that begin with a dash, as in
//! `--separator --`.

use clap::{Arg, ArgAction, Command, builder::ValueParser};
use fichier_notation::parse_bool;

/// Lets every switch of the grammar take a value after `=`, and every other flag any next word.
pub(super) fn go_style(command: Command) -> Command {
    command.mut_args(any_value).mut_subcommands(go_style)
}

fn any_value(arg: Arg) -> Arg {
    match arg.get_action() {
        ArgAction::SetTrue => valued(arg, "false", "true"),
        ArgAction::SetFalse => valued(arg, "true", "false"),
        action if action.takes_values() && !arg.is_positional() => arg.allow_hyphen_values(true),
        _ => arg,
    }
}

fn valued(arg: Arg, unset: &'static str, set: &'static str) -> Arg {
    let unset = arg.get_default_values().first().cloned().unwrap_or_else(|| unset.into());
    arg.action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .default_value(unset)
        .default_missing_value(set)
        .value_parser(ValueParser::new(parse_bool))
}
