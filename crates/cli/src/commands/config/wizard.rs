//! Runs the wizard at a terminal or a pipe: shows, reads, and carries out what `fichier_config::wizard` decides.

use clap::Args;
use fichier_config::{
    Secret,
    wizard::{Setting, Task, Wizard},
};
use rand::Rng as _;

use super::{account, create, providers};
use crate::context::Context;
use crate::{
    exit::{Exit, Failure},
    terminal::{Answer, Terminal},
};

/// Set up remotes step by step
#[derive(Debug, Args)]
#[command(after_help = "The same as `fichier config`.\n\nExample:\n  fichier config edit")]
pub(super) struct Edit {
    /// Don't look whether a new key works
    #[arg(long)]
    pub(super) no_check: bool,
}

fn setting(checks: bool) -> Setting {
    Setting {
        providers: providers::all(),
        width: Terminal::width(),
        checks,
        random: Box::new(|bytes| rand::rng().fill_bytes(bytes)),
    }
}

/// Runs the whole wizard.
pub(super) async fn run(checks: bool, context: &mut Context<'_>) -> anyhow::Result<()> {
    let (document, encrypted) = {
        let mut configuration = context.session.configuration();
        (configuration.read()?, configuration.is_encrypted()?)
    };
    let wizard = Wizard::new(setting(checks), document, encrypted);
    drive(wizard, Task::Ask, context).await
}

/// Asks the questions for one remote.
pub(super) async fn single(
    name: &str,
    backend: &str,
    values: &[(String, Secret)],
    context: &mut Context<'_>,
) -> anyhow::Result<()> {
    let document = context.session.configuration().read()?;
    let values: Vec<_> = values.iter().map(|(key, value)| (key.clone(), value.expose().to_owned())).collect();
    let Some(wizard) = Wizard::for_remote(setting(true), document, name, backend, &values) else {
        return Err(Failure::other(format!("didn't find backend called {backend:?}")).into());
    };
    drive(wizard, Task::Ask, context).await?;
    let file = context.session.configuration().read()?.meaning()?;
    if file.section(name).is_some() { create::print(name, context) } else { Ok(()) }
}

async fn drive(mut wizard: Wizard, mut task: Task, context: &mut Context<'_>) -> anyhow::Result<()> {
    let mut terminal = Terminal::new();
    loop {
        task = match task {
            Task::Ask => {
                let prompt = wizard.prompt();
                context.out.write_all(prompt.text.as_bytes())?;
                let answer = match prompt.hidden {
                    true => terminal.hidden(&prompt.label, context.out)?,
                    false => terminal.line(&prompt.label, context.out)?,
                };
                match answer {
                    Answer::Line(line) => wizard.answer(line.expose()),
                    Answer::End => {
                        let message = "the input ended before the answer; nothing of this was written";
                        return Err(Failure::unanswered(message).into());
                    }
                    Answer::Interrupted => {
                        let message = "interrupted; nothing of this was written".to_owned();
                        return Err(Failure { exit: Exit::INTERRUPTED, message }.into());
                    }
                }
            }
            Task::Change(change) => {
                let result = context.session.configuration().edit(|document| {
                    change.apply(document)?;
                    Ok(document.clone())
                });
                match result {
                    Ok(document) => wizard.changed(document),
                    Err(error) => wizard.failed(&format!("{error:#}")),
                }
            }
            Task::SetPassword(password) => {
                let result = context.session.configuration().set_password(password.as_ref());
                match result {
                    Ok(()) => wizard.secured(password.is_some()),
                    Err(error) => wizard.failed(&format!("{error:#}")),
                }
            }
            Task::Check { backend, values } => {
                writeln!(context.out, "\nLooking whether the key works …")?;
                context.out.flush()?;
                match account::check(&backend, &values, context).await {
                    Ok(found) => wizard.checked(&found, false),
                    Err(error) => {
                        let refused = Exit::of(&error) == Exit::Fatal;
                        wizard.checked(&account::refusal(&error), refused)
                    }
                }
            }
            Task::Quit => {
                context.out.write_all(wizard.farewell().as_bytes())?;
                return Ok(());
            }
        };
    }
}
