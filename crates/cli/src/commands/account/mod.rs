//! `account`: what the service tells of an account, and what its owner can set.

mod set;
mod show;

use clap::{Args, Subcommand};

use crate::context::Context;

/// Show an account: its offer, its space, its settings
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "The service answers once in 5 minutes; asked sooner, the answer before is shown again.\n\n\
    Examples:\n  fichier account cloud:\n  fichier account cloud: --json\n  \
    fichier account set cloud: --use-cdn true --default-domain dl4free.com"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    task: Option<Task>,

    #[command(flatten)]
    show: show::ShowAccount,
}

#[derive(Debug, Subcommand)]
enum Task {
    Set(set::Arguments),
}

impl Arguments {
    /// The command as typed.
    pub(super) fn name(&self) -> &'static str {
        match self.task {
            Some(Task::Set(_)) => "account set",
            None => "account",
        }
    }
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    match &arguments.task {
        Some(Task::Set(arguments)) => set::run(arguments, context).await,
        None => show::run(&arguments.show, context).await,
    }
}
