//! `links`: the links of one's own files, and what became of others'.

mod check;

use clap::{Args, Subcommand};

use crate::context::Context;

/// Check public links
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier links check --from post.txt")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    Check(check::Arguments),
}

impl Arguments {
    /// The command as typed.
    pub(super) fn name(&self) -> &'static str {
        match self.task {
            Task::Check(_) => "links check",
        }
    }
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    match &arguments.task {
        Task::Check(arguments) => check::run(arguments, context).await,
    }
}
