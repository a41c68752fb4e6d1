//! `reveal`: reads an obscured password.

use clap::Args;

use super::obscure::given;
use crate::context::Context;

/// Reveal an obscured password
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier reveal ErzhMu4ew3xFBl-uiFJXyPeUjQ")]
pub(crate) struct Arguments {
    /// The obscured password; `-`: the first line of the standard input
    #[arg(value_name = "PASSWORD", allow_hyphen_values = true)]
    password: String,
}

pub(super) fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let password = fichier_config::reveal(&given(&arguments.password)?)?;
    writeln!(context.out, "{}", password.expose())?;
    Ok(())
}
