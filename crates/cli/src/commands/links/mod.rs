//! `links` prints the links of the user's own files, and checks the links of others.

mod check;
mod own;

use clap::{Args, Subcommand};

use crate::context::Context;

/// Print the links of your files, or check which links are alive
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Listings tell the links, so no more calls are made than for the listings. Links stay the same when \
    files are renamed or moved.\n\n\
    Examples:\n  fichier links cloud:films -R --bbcode\n  fichier links cloud: -R --include '*.iso' --html > isos.html\n  \
    fichier links check --from post.txt"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    task: Option<Task>,

    #[command(flatten)]
    own: own::OwnLinks,
}

#[derive(Debug, Subcommand)]
enum Task {
    Check(check::Arguments),
}

impl Arguments {
    /// Returns the command as typed.
    pub(super) fn name(&self) -> &'static str {
        match self.task {
            Some(Task::Check(_)) => "links check",
            None => "links",
        }
    }
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    match &arguments.task {
        Some(Task::Check(arguments)) => check::run(arguments, context).await,
        None => own::run(&arguments.own, context).await,
    }
}
