//! `completion`: scripts that complete commands and flags in a shell.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::Shell;

use super::Context;

/// Print a script that completes commands and flags in a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  fichier completion bash > ~/.local/share/bash-completion/completions/fichier"
)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: ShellName,

    /// Write to this file; `-`: the standard output
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// The shells that can complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShellName {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

impl From<ShellName> for Shell {
    fn from(name: ShellName) -> Self {
        match name {
            ShellName::Bash => Self::Bash,
            ShellName::Zsh => Self::Zsh,
            ShellName::Fish => Self::Fish,
            ShellName::Powershell => Self::PowerShell,
        }
    }
}

pub(super) fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    // Flags that help hides for its own brevity are completed all the same.
    let mut grammar = crate::flags::grammar().mut_args(|arg| arg.hide(false));
    let mut script = Vec::new();
    clap_complete::generate(Shell::from(arguments.shell), &mut grammar, "fichier", &mut script);
    match &arguments.file {
        Some(path) if path.as_os_str() != "-" => std::fs::write(path, script)?,
        _ => context.out.write_all(&script)?,
    }
    Ok(())
}
