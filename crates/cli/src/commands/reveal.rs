//! `reveal`: reads an obscured password.

use clap::Args;

use super::Context;

/// Reveal an obscured password
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier reveal ErzhMu4ew3xFBl-uiFJXyPeUjQ")]
pub(crate) struct Arguments {
    /// The obscured password
    #[arg(value_name = "PASSWORD", allow_hyphen_values = true)]
    password: String,
}

pub(super) fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let password = crate::session::reveal(&arguments.password)?;
    writeln!(context.out, "{password}")?;
    Ok(())
}
