//! `obscure`: makes a password unreadable at a glance, as configuration files hold it.

use std::io::BufRead as _;

use clap::Args;

use crate::context::Context;
use crate::exit::Failure;

/// Obscure a password for the configuration file
#[derive(Debug, Args)]
#[command(after_help = "This keeps a password from eyes that pass by; it is no encryption.\n\n\
    Example:\n  echo secret | fichier obscure -")]
pub(crate) struct Arguments {
    /// The password; `-`: the first line of the standard input
    #[arg(value_name = "PASSWORD", allow_hyphen_values = true)]
    password: String,
}

pub(super) fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let obscured = fichier_config::obscure(&given(&arguments.password)?);
    writeln!(context.out, "{obscured}")?;
    Ok(())
}

/// Returns the argument, or the first line of the standard input for `-`.
pub(super) fn given(argument: &str) -> Result<String, Failure> {
    if argument == "-" { first_line() } else { Ok(argument.to_owned()) }
}

fn first_line() -> Result<String, Failure> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| Failure::other(format!("reading the standard input: {error}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
