//! The wizard of `fichier config`, without a terminal: what it shows and asks, and what an answer brings about.
//!
//! [`Wizard::prompt`] tells what to show and to ask, [`Wizard::answer`] takes the answer. What touches the world
//! comes back as a [`Task`]: whoever drives the wizard carries it out and tells the result. Nothing is written
//! before a remote is whole and kept, so an interview that is broken off leaves the file as it was.
//!
//! Menus, letters, their order and their defaults are rclone's (measured on v1.75.2), so that fingers and
//! scripts that know these find their way.

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

/// What is shown, and what is asked then.
#[derive(Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Whole lines to show.
    pub text: String,
    /// What stands before the answer: `name> `.
    pub label: String,
    /// Whether the answer must not be seen.
    pub hidden: bool,
}

/// Shows the label alone: the text may hold a password that was made.
impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Prompt({:?})", self.label)
    }
}

/// What to do before the wizard can go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Ask the next question.
    Ask,
    /// Change the file, then [`Wizard::changed`] or [`Wizard::failed`].
    Change(Change),
    /// Encrypt the file, or write it in the clear; then [`Wizard::secured`] or [`Wizard::failed`].
    SetPassword(Option<Secret>),
    /// Look whether the account behind these settings can be had, then [`Wizard::checked`].
    Check {
        /// The remote's type.
        backend: String,
        /// Its options as they would be stored.
        values: Vec<(String, Secret)>,
    },
    /// All is done.
    Quit,
}

/// Fills bytes with random ones.
pub type Randomness = Box<dyn FnMut(&mut [u8])>;

/// What the wizard works with.
pub struct Setting {
    /// The kinds of remotes there are.
    pub providers: Vec<Provider>,
    /// How many columns there are.
    pub width: usize,
    /// Whether new keys are checked.
    pub checks: bool,
    /// Makes random bytes.
    pub random: Randomness,
}

/// The wizard between two answers.
pub struct Wizard {
    setting: Setting,
    document: Document,
    encrypted: bool,
    /// Only one remote is asked for, and its menu isn't shown.
    single: bool,
    state: State,
    /// What is to be shown with the next question.
    pending: String,
}

/// Which question is open.
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

/// What a remote is picked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Edit,
    Delete,
    Rename,
    Copy,
}

/// What a name is given for.
#[derive(Clone)]
enum Naming {
    New,
    Rename(String),
    Copy(String),
}

impl Wizard {
    /// The wizard at its main menu.
    #[must_use]
    pub fn new(setting: Setting, document: Document, encrypted: bool) -> Wizard {
        let pending = String::new();
        let mut wizard = Wizard { setting, document, encrypted, single: false, state: State::Over, pending };
        wizard.open_menu();
        wizard
    }

    /// The interview for one remote alone, whether it exists or not; it ends when the remote is kept.
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

    /// What to show and ask now. What was shown is not shown again.
    pub fn prompt(&mut self) -> Prompt {
        let text = text::wrapped(&std::mem::take(&mut self.pending), self.setting.width);
        let (label, hidden) = self.label();
        Prompt { text, label, hidden }
    }

    /// What stands at the end, when nothing more is asked.
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

    /// The file was changed; this is what it holds now.
    pub fn changed(&mut self, document: Document) -> Task {
        self.document = document;
        if self.single {
            self.state = State::Over;
            return Task::Quit;
        }
        self.open_menu();
        Task::Ask
    }

    /// The file has its new password, or none any more.
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

    /// A change couldn't be made, for a reason that is shown.
    pub fn failed(&mut self, reason: &str) -> Task {
        self.complain(reason);
        if self.single {
            self.state = State::Over;
            return Task::Quit;
        }
        self.open_menu();
        Task::Ask
    }

    /// Takes what was found at the account, to be shown. A key that was refused isn't kept unless somebody says so.
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

    /// One of a few letters, or the default for no answer. Complains about all else.
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
