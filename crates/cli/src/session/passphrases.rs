//! Asks a person at the terminal for the password of the configuration file.

use std::path::Path;

use fichier_config::{NoPassword, Passwords, Secret};

use crate::terminal::{Answer, Terminal};

/// Asks at the terminal. A wrong password is asked for again only there.
#[derive(Debug, Default)]
pub(super) struct AtTerminal {
    asked_before: bool,
}

impl Passwords for AtTerminal {
    fn password(&mut self, path: &Path, wrong: bool) -> Result<Secret, NoPassword> {
        let mut terminal = Terminal::new();
        if wrong && self.asked_before {
            if !terminal.is_interactive() {
                return Err(NoPassword("the password doesn't open it".to_owned()));
            }
            tracing::error!("The password doesn't open {}. Once more:", path.display());
        }
        self.asked_before = true;
        // The whole question comes when the terminal is silent already.
        match terminal.hidden("Enter configuration password:\npassword:", &mut std::io::stderr()) {
            Ok(Answer::Line(password)) => Ok(password),
            Ok(Answer::End | Answer::Interrupted) => Err(NoPassword(
                "no password was entered; set FICHIER_CONFIG_PASS or --password-command".to_owned(),
            )),
            Err(error) => Err(NoPassword(format!("its password can't be asked for: {error}"))),
        }
    }
}
