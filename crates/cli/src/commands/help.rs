//! `help`: explains the program, a command, or the flags that all commands share.

use clap::Args;

use super::Context;
use crate::{exit::Failure, flags};

/// Explain a command, or the flags that all commands share
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier help lsf\n  fichier help flags")]
pub(crate) struct Arguments {
    /// A command, or `flags`
    #[arg(value_name = "TOPIC")]
    topic: Option<String>,
}

pub(super) fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let text = match arguments.topic.as_deref() {
        None => flags::overview(),
        Some("flags") => flags::flag_table(),
        Some(name) => flags::help_for_command(name)
            .ok_or_else(|| Failure::usage(format!("there is no command {name:?}")))?,
    };
    context.out.write_all(text.as_bytes())?;
    Ok(())
}
