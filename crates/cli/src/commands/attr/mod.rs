//! `attr`: what the service keeps of files for those who follow their links.

mod get;
mod set;

use clap::{Args, Subcommand};

use crate::context::Context;

/// Show or set attributes of files: passwords, access rules, descriptions
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  fichier attr get demo:photos -R\n  fichier attr set demo:photos -R --password -"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    Get(get::Arguments),
    Set(Box<set::Arguments>),
}

impl Arguments {
    /// The command as typed.
    pub(super) fn name(&self) -> &'static str {
        match self.task {
            Task::Get(_) => "attr get",
            Task::Set(_) => "attr set",
        }
    }
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    match &arguments.task {
        Task::Get(arguments) => get::run(arguments, context).await,
        Task::Set(arguments) => set::run(arguments, context).await,
    }
}
