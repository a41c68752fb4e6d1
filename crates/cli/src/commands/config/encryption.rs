//! `config encryption` manages the password of the configuration file.

use clap::{Args, Subcommand};
use fichier_config::Secret;

use crate::context::Context;
use crate::{
    exit::Failure,
    terminal::{Answer, Terminal},
};

/// Set, remove or check the password of the configuration file
#[derive(Debug, Args)]
#[command(
    after_help = "The password is taken from --password-command, FICHIER_CONFIG_PASS or RCLONE_CONFIG_PASS, or asked \
    for. rclone reads what fichier encrypts, and the other way round.\n\n\
    Example:\n  fichier config encryption set"
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Set or change the password
    #[command(
        after_help = "The new password is asked for twice. --password-command is run for the old one, and again with \
        FICHIER_PASSWORD_CHANGE=1 and RCLONE_PASSWORD_CHANGE=1 for the new one.\n\n\
        Example:\n  fichier config encryption set"
    )]
    Set,
    /// Remove the password; the file is in the clear then
    #[command(after_help = "Example:\n  fichier config encryption remove")]
    Remove,
    /// Look whether the file is encrypted and the password opens it
    #[command(
        after_help = "Ends with an error if the file is in the clear.\n\nExample:\n  fichier config encryption check"
    )]
    Check,
}

pub(super) fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let mut configuration = context.session.configuration();
    match arguments.action {
        Action::Set => {
            // The old password comes first: it may be asked for on the same terminal.
            configuration.read()?;
            let password = match configuration.new_password()? {
                Some(password) => password,
                None => asked(context)?,
            };
            Ok(configuration.set_password(Some(&password))?)
        }
        Action::Remove if configuration.is_encrypted()? => Ok(configuration.set_password(None)?),
        Action::Remove => Ok(()),
        Action::Check if configuration.is_encrypted()? => {
            configuration.read()?;
            Ok(())
        }
        Action::Check => Err(Failure::other("config file is NOT encrypted").into()),
    }
}

/// Asks for a new password, which must be typed twice.
fn asked(context: &mut Context<'_>) -> anyhow::Result<Secret> {
    let mut terminal = Terminal::new();
    loop {
        writeln!(context.out, "Enter NEW configuration password:")?;
        let first = line(&mut terminal, context)?;
        if first.is_empty() {
            writeln!(context.out, "The password needs a character at least.")?;
            if terminal.is_interactive() {
                continue;
            }
            return Err(Failure::other("the new password is empty").into());
        }
        writeln!(context.out, "Confirm NEW configuration password:")?;
        if line(&mut terminal, context)? == first {
            return Ok(first);
        }
        writeln!(context.out, "The two passwords differ.")?;
        if !terminal.is_interactive() {
            return Err(Failure::other("the two new passwords differ").into());
        }
    }
}

fn line(terminal: &mut Terminal, context: &mut Context<'_>) -> anyhow::Result<Secret> {
    match terminal.hidden("password:", context.out)? {
        Answer::Line(password) => Ok(password),
        Answer::End => Err(Failure::other("no password was entered; the file is as it was").into()),
        Answer::Interrupted => Err(Failure::other("interrupted; the file is as it was").into()),
    }
}
