//! The wizard of `fichier config`, without a terminal: what it shows and asks, and what an answer does.
//!
//! [`Wizard::prompt`] returns what to show and ask, [`Wizard::answer`] takes the answer. What needs files or the
//! network comes back as a [`Task`], which the caller carries out and reports. Nothing is written before a remote is
//! complete and the user keeps it, so an interview that is broken off leaves the file as it was.
//!
//! Menus, letters, their order and their defaults are rclone's (measured on v1.75.2), so that people and scripts that
//! know these can use them.

mod change;
mod menu;
mod options;
mod security;
mod text;

pub use change::Change;

use crate::interview::Position;
use crate::provider::{Group, Provider};
use crate::{Document, Secret};

use options::{Draft, SecretStage};

/// Text to show, and the question after it.
#[derive(Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Whole lines to show.
    pub text: String,
    /// Text in front of the answer: `name> `.
    pub label: String,
    /// Whether the answer must be hidden while it is typed.
    pub hidden: bool,
}

/// Shows only the label: the text may hold a generated password.
impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Prompt({:?})", self.label)
    }
}

/// What the caller has to do before the wizard can continue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Ask the next question.
    Ask,
    /// Change the file, then call [`Wizard::changed`] or [`Wizard::failed`].
    Change(Change),
    /// Encrypt the file, or write it in the clear; then call [`Wizard::secured`] or [`Wizard::failed`].
    SetPassword(Option<Secret>),
    /// Check whether these settings open the account, then call [`Wizard::checked`].
    Check {
        /// Type of the remote.
        backend: String,
        /// Options as they would be stored.
        values: Vec<(String, Secret)>,
    },
    /// End the interview.
    Quit,
}

/// Fills bytes with random ones.
pub type Randomness = Box<dyn FnMut(&mut [u8])>;

/// Parameters of the wizard.
pub struct Setting {
    /// Kinds of remotes that exist.
    pub providers: Vec<Provider>,
    /// Width of the screen in columns.
    pub width: usize,
    /// Whether new keys are checked.
    pub checks: bool,
    /// Makes random bytes.
    pub random: Randomness,
}

/// The wizard, with what was entered so far.
pub struct Wizard {
    setting: Setting,
    document: Document,
    encrypted: bool,
    /// Whether only one remote is asked for, without its menu.
    single: bool,
    state: State,
    /// Text to show with the next question.
    pending: String,
}

/// The question that is open.
enum State {
    Menu,
    Pick(Purpose),
    Name(Naming),
    Storage { name: String },
    Question { draft: Draft, index: usize },
    Secret { draft: Draft, index: usize, stage: SecretStage },
    Enter { draft: Draft, group: Group },
    Checking { draft: Draft },
    Keep { draft: Draft, doubtful: bool },
    Security,
    NewPassword { first: Option<Secret> },
    Over,
}

/// Purpose for which a remote is picked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Edit,
    Delete,
    Rename,
    Copy,
}

/// Purpose for which a name is entered.
#[derive(Clone)]
enum Naming {
    New,
    Rename(String),
    Copy(String),
}

impl Wizard {
    /// Makes a wizard at its main menu.
    #[must_use]
    pub fn new(setting: Setting, document: Document, encrypted: bool) -> Wizard {
        let pending = String::new();
        let mut wizard = Wizard { setting, document, encrypted, single: false, state: State::Over, pending };
        wizard.open_menu();
        wizard
    }

    /// Makes a wizard for the interview of one remote only, whether it exists or not. It ends when the remote is
    /// kept.
    #[must_use]
    pub fn for_remote(
        setting: Setting,
        document: Document,
        name: &str,
        backend: &str,
        values: &[(String, String)],
    ) -> Option<Wizard> {
        let provider = setting.providers.iter().position(|provider| provider.name == backend)?;
        let mut wizard = Wizard::new(setting, document, false);
        wizard.single = true;
        wizard.pending.clear();
        let mut draft = wizard.draft_of(name, provider);
        for (key, value) in values {
            draft.set(key, value);
        }
        wizard.interview(draft);
        Some(wizard)
    }

    /// Returns what to show and ask now. A text is returned only once.
    pub fn prompt(&mut self) -> Prompt {
        let text = text::wrapped(&std::mem::take(&mut self.pending), self.setting.width);
        let (label, hidden) = self.label();
        Prompt { text, label, hidden }
    }

    /// Returns the text to show at the end, when nothing more is asked.
    pub fn farewell(&mut self) -> String {
        text::wrapped(&std::mem::take(&mut self.pending), self.setting.width)
    }

    /// Takes an answer, without its line end.
    pub fn answer(&mut self, answer: &str) -> Task {
        // A password may begin or end with a space.
        let trimmed = answer.trim();
        match std::mem::replace(&mut self.state, State::Over) {
            State::Menu => self.menu(trimmed),
            State::Pick(purpose) => self.pick(purpose, trimmed),
            State::Name(naming) => self.name(naming, trimmed),
            State::Storage { name } => self.storage(name, trimmed),
            State::Question { draft, index } => self.option(draft, index, trimmed),
            State::Secret { draft, index, stage } => self.secret(draft, index, stage, answer),
            State::Enter { draft, group } => self.enter(draft, group, trimmed),
            State::Keep { draft, doubtful } => self.keep(draft, doubtful, trimmed),
            State::Security => self.security(trimmed),
            State::NewPassword { first } => self.new_password(first, answer),
            State::Checking { draft } => self.open_keep(draft, false),
            State::Over => Task::Quit,
        }
    }

    /// Takes the new content of the file, after a change.
    pub fn changed(&mut self, document: Document) -> Task {
        self.document = document;
        if self.single {
            self.state = State::Over;
            return Task::Quit;
        }
        self.open_menu();
        Task::Ask
    }

    /// Takes whether the file is encrypted now, after its password was set or removed.
    pub fn secured(&mut self, encrypted: bool) -> Task {
        let done = match (self.encrypted, encrypted) {
            (_, false) => "The password is gone.\n",
            (true, true) => "Password changed\n",
            (false, true) => "Password set\n",
        };
        self.pending.push_str(done);
        self.encrypted = encrypted;
        self.open_security();
        Task::Ask
    }

    /// Takes the reason why a change couldn't be made, and shows it.
    pub fn failed(&mut self, reason: &str) -> Task {
        self.complain(reason);
        if self.single {
            self.state = State::Over;
            return Task::Quit;
        }
        self.open_menu();
        Task::Ask
    }

    /// Takes what was found at the account, to be shown. A key that was refused is only kept if the user says so.
    pub fn checked(&mut self, found: &str, refused: bool) -> Task {
        self.pending.push('\n');
        self.complain(found);
        match std::mem::replace(&mut self.state, State::Over) {
            State::Checking { draft } => self.open_keep(draft, refused),
            state => {
                self.state = state;
                Task::Ask
            }
        }
    }

    fn label(&self) -> (String, bool) {
        let label = |text: &str| (text.to_owned(), false);
        match &self.state {
            State::Menu if self.remotes().is_empty() => label("n/s/q> "),
            State::Menu => label("e/n/d/r/c/s/q> "),
            State::Pick(_) => label("remote> "),
            State::Name(_) => label("name> "),
            State::Storage { .. } => label("Storage> "),
            State::Question { draft, index } => (format!("{}> ", self.question(draft, *index)), false),
            State::Secret { draft, index, stage } => self.secret_label(draft, *index, stage),
            State::Enter { .. } => label("y/n> "),
            State::Keep { .. } => label("y/e/d> "),
            State::Security if self.encrypted => label("c/u/q> "),
            State::Security => label("a/q> "),
            State::NewPassword { .. } => ("password:".to_owned(), true),
            State::Checking { .. } | State::Over => label(""),
        }
    }

    fn question(&self, draft: &Draft, index: usize) -> String {
        let question = self.setting.providers[draft.provider].questions.get(index);
        question.map(|question| question.name.clone()).unwrap_or_default()
    }

    fn complain(&mut self, message: &str) {
        self.pending.push_str(message);
        self.pending.push('\n');
    }

    /// Returns the letter that was answered, or the default for no answer. Anything else gives a message.
    fn letter(&mut self, answer: &str, letters: &str, default: Option<char>) -> Option<char> {
        let mut typed = answer.chars();
        let letter = match (typed.next(), typed.next()) {
            (None, _) => default,
            (Some(letter), None) => letters.chars().find(|known| known.eq_ignore_ascii_case(&letter)),
            _ => None,
        };
        if letter.is_none() {
            let known: Vec<_> = letters.chars().map(String::from).collect();
            self.complain(&format!("Please answer with one of these letters: {}.", known.join(", ")));
        }
        letter
    }

    fn go(&mut self, draft: Draft, position: Position) -> Task {
        match position {
            Position::Question(index) => self.open_question(draft, index),
            Position::Enter(group) => {
                self.pending.push_str(match group {
                    Group::Own => "\nEdit the options that rclone doesn't have?\ny) Yes\nn) No (default)\n",
                    _ => "\nEdit advanced config?\ny) Yes\nn) No (default)\n",
                });
                self.state = State::Enter { draft, group };
                Task::Ask
            }
            Position::Done => self.finish(draft),
        }
    }
}

#[cfg(test)]
mod tests;
