//! `help`: explains the program, a command, the flags that all commands share, or a kind of remote.

use std::path::Path;

use anyhow::Context as _;
use clap::Args;

use crate::context::Context;
use crate::{exit::Failure, flags, suggestion::advice};

/// Explain a command, the flags that all commands share, or a kind of remote
#[derive(Debug, Args)]
#[command(
    after_help = "Topics: a command; flags [GROUP]; backends; backend NAME; man DIR, which writes manual pages;\n\
    reference, which prints the options of all remotes as Markdown; reference flags, which prints the flags.\n\n\
    Examples:\n  fichier help lsf\n  fichier help config create\n  fichier help flags networking\n  \
    fichier help backend fichier\n  fichier help man ~/.local/share/man/man1"
)]
pub(crate) struct Arguments {
    /// What to explain
    #[arg(value_name = "TOPIC")]
    topic: Vec<String>,
}

pub(super) fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let topic: Vec<&str> = arguments.topic.iter().map(String::as_str).collect();
    let text = match topic[..] {
        [] => flags::overview(grammar()),
        ["flags"] => flags::flag_table(&grammar(), None, columns()).unwrap_or_default(),
        ["flags", group] => flags::flag_table(&grammar(), Some(group), columns()).ok_or_else(|| {
            Failure::usage(format!("there are no flags {group:?}; all: fichier help flags"))
        })?,
        ["backends"] => flags::backend_table(),
        ["backend", name] => flags::backend_help(name).ok_or_else(|| {
            Failure::usage(format!("there is no backend {name:?}; all: fichier help backends"))
        })?,
        ["man", directory] => {
            let written = flags::write_manual_pages(&grammar(), Path::new(directory));
            return written.with_context(|| format!("can't write manual pages to {directory}"));
        }
        ["man"] => {
            let message =
                "need the directory that the manual pages are to be written to: fichier help man DIR";
            return Err(Failure::usage(message).into());
        }
        ["reference"] => flags::reference_markdown(),
        ["reference", "flags"] => flags::flags_markdown(&grammar()),
        _ => flags::help_for_command(grammar(), &arguments.topic).ok_or_else(|| {
            let advice =
                topic.first().and_then(|word| advice(word, flags::command_names::<super::Command>()));
            let advice = advice.map(|advice| format!("  {advice}")).unwrap_or_default();
            Failure::usage(format!("there is no command {:?}; all: fichier help{advice}", topic.join(" ")))
        })?,
    };
    context.out.write_all(text.as_bytes())?;
    Ok(())
}

fn grammar() -> clap::Command {
    flags::grammar::<super::Command>()
}

/// Returns the largest width of a line: the terminal's, or that of a text file.
fn columns() -> usize {
    const MOST: usize = 110;
    const IN_A_FILE: usize = 100;
    terminal_size::terminal_size().map_or(IN_A_FILE, |(width, _)| usize::from(width.0)).min(MOST)
}
