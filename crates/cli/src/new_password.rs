//! A password that files or folders are to get at the service: typed, asked for, or from the standard input.

use fichier_notation::Secret;

use crate::{
    exit::Failure,
    terminal::{Answer, Terminal},
};

/// The service takes none that is shorter (API document, section 2).
const SHORTEST: usize = 6;

/// Returns the password that was typed; for `-` asks for it, twice where somebody types it.
///
/// # Errors
/// None was entered, or it is too short.
pub(crate) fn take(typed: &str, what: &str) -> Result<Secret, Failure> {
    if typed != "-" {
        return checked(Secret::new(typed));
    }
    let mut terminal = Terminal::new();
    let password = checked(ask(&mut terminal, &format!("New {what}:"))?)?;
    if terminal.is_interactive() && ask(&mut terminal, "Once more:")? != password {
        return Err(Failure::usage("the two passwords differ"));
    }
    Ok(password)
}

fn ask(terminal: &mut Terminal, label: &str) -> Result<Secret, Failure> {
    match terminal.hidden(label, &mut std::io::stderr()) {
        Ok(Answer::Line(password)) => Ok(password),
        Ok(Answer::End | Answer::Interrupted) => Err(Failure::usage("no password was entered")),
        Err(error) => Err(Failure::other(format!("the password can't be asked for: {error}"))),
    }
}

fn checked(password: Secret) -> Result<Secret, Failure> {
    if password.expose().chars().count() < SHORTEST {
        return Err(Failure::usage(format!("a password has at least {SHORTEST} characters")));
    }
    Ok(password)
}
