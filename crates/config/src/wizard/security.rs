//! The menu for the password of the configuration itself.

use super::{State, Task, Wizard};
use crate::Secret;

impl Wizard {
    pub(super) fn open_security(&mut self) {
        self.pending.push_str(if self.encrypted {
            "Your configuration is encrypted.\nc) Change Password\nu) Unencrypt configuration\nq) Quit to main menu\n"
        } else {
            "Your configuration is not encrypted.\nA password protects the keys that are in it.\na) Add Password\nq) \
             Quit to main menu\n"
        });
        self.state = State::Security;
    }

    pub(super) fn security(&mut self, answer: &str) -> Task {
        let letters = if self.encrypted { "cuq" } else { "aq" };
        match self.letter(answer, letters, None) {
            Some('a' | 'c') => {
                self.pending.push_str("Enter NEW configuration password:\n");
                self.state = State::NewPassword { first: None };
            }
            Some('u') => return Task::SetPassword(None),
            Some(_) => self.open_menu(),
            None => self.state = State::Security,
        }
        Task::Ask
    }

    pub(super) fn new_password(&mut self, first: Option<Secret>, answer: &str) -> Task {
        let first = match first {
            None if answer.is_empty() => {
                self.complain("The password needs a character at least.\nEnter NEW configuration password:");
                None
            }
            None => {
                self.pending.push_str("Confirm NEW configuration password:\n");
                Some(Secret::new(answer))
            }
            Some(first) if first.expose() == answer => return Task::SetPassword(Some(first)),
            Some(_) => {
                self.complain("The two passwords differ.\nEnter NEW configuration password:");
                None
            }
        };
        self.state = State::NewPassword { first };
        Task::Ask
    }
}
