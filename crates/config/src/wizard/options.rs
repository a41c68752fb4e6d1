//! The interview about one remote: option by option, passwords, and whether to keep it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fichier_notation::parse_bool;

use super::{Change, State, Task, Wizard};
use crate::Secret;
use crate::interview::Position;
use crate::provider::{Group, Obscuring, Question};

/// Strengths of a generated password that are accepted, in bits.
const STRENGTHS: std::ops::RangeInclusive<usize> = 64..=1024;

/// A remote that is being edited.
pub(super) struct Draft {
    name: String,
    pub(super) provider: usize,
    /// Values to store: the old ones, with what was answered.
    values: Vec<(String, Secret)>,
    /// Names of the options that were answered.
    changed: Vec<String>,
    exists: bool,
}

impl Draft {
    fn get(&self, key: &str) -> Option<&str> {
        let value = self.values.iter().find(|(name, _)| name == key)?.1.expose();
        Some(value).filter(|value| !value.is_empty())
    }

    pub(super) fn set(&mut self, key: &str, value: &str) {
        let value = Secret::new(value);
        match self.values.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) if *old == value => return,
            Some((_, old)) => *old = value,
            None => self.values.push((key.to_owned(), value)),
        }
        if !self.changed.iter().any(|changed| changed == key) {
            self.changed.push(key.to_owned());
        }
    }

    fn change(&self) -> Change {
        let is_changed = |key: &String| self.changed.contains(key) || (!self.exists && key == "type");
        let values = self.values.iter().filter(|(key, _)| is_changed(key)).cloned().collect();
        Change::Set { name: self.name.clone(), values }
    }
}

/// Steps of entering a password.
pub(super) enum SecretStage {
    Choose,
    Type { first: Option<Secret> },
    Strength,
    Offer { password: Secret },
}

impl Wizard {
    /// Returns the remote as the file has it, or with only its type.
    pub(super) fn draft_of(&self, name: &str, provider: usize) -> Draft {
        let file = self.document.meaning().unwrap_or_default();
        let section = file.section(name);
        let entries = section.map(|section| section.entries.as_slice()).unwrap_or_default();
        let values = entries.iter().map(|entry| (entry.key.clone(), Secret::new(entry.value.clone())));
        let mut draft = Draft {
            name: name.to_owned(),
            provider,
            values: values.collect(),
            changed: Vec::new(),
            exists: section.is_some(),
        };
        let kind = self.setting.providers[provider].name.clone();
        draft.set("type", &kind);
        draft
    }

    /// Writes the values of a remote, one per line, with secrets hidden.
    pub(super) fn summarise(&mut self, draft: &Draft) {
        let provider = &self.setting.providers[draft.provider];
        for (key, value) in &draft.values {
            let shown = match provider.question(key) {
                Some(question) => question.shown(value.expose()),
                None => value.expose().to_owned(),
            };
            let _infallible = writeln!(self.pending, "- {key}: {shown}");
        }
    }

    pub(super) fn interview(&mut self, draft: Draft) -> Task {
        let first = Position::first(&self.setting.providers[draft.provider]);
        self.go(draft, first)
    }

    fn after(&mut self, draft: Draft, position: Position, entered: bool) -> Task {
        let next = position.after(&self.setting.providers[draft.provider], entered);
        self.go(draft, next)
    }

    pub(super) fn open_question(&mut self, draft: Draft, index: usize) -> Task {
        let Some(question) = self.setting.providers[draft.provider].questions.get(index) else {
            return self.after(draft, Position::Question(index), false);
        };
        let text = if question.password {
            password_text(question, draft.get(&question.name).is_some())
        } else {
            question_text(question, draft.get(&question.name))
        };
        self.pending.push_str(&text);
        self.state = if question.password {
            State::Secret { draft, index, stage: SecretStage::Choose }
        } else {
            State::Question { draft, index }
        };
        Task::Ask
    }

    pub(super) fn option(&mut self, mut draft: Draft, index: usize, answer: &str) -> Task {
        let question = &self.setting.providers[draft.provider].questions[index];
        let known = draft.get(&question.name).is_some() || !question.default.is_empty();
        let answer = numbered(question, answer);
        let problem = if answer.is_empty() {
            (question.required && !known).then(|| "This value is required and it has no default.".to_owned())
        } else if question.kind == "bool" {
            parse_bool(&answer).err().map(|_| "Please answer with true or false.".to_owned())
        } else {
            (question.check)(&answer)
                .err()
                .map(|reason| format!("That can't be used: {}.", reason.trim_end_matches('.')))
        };
        if let Some(problem) = problem {
            self.complain(&problem);
            self.state = State::Question { draft, index };
            return Task::Ask;
        }
        if !answer.is_empty() {
            let value = match parse_bool(&answer) {
                Ok(on) if question.kind == "bool" => on.to_string(),
                _ => answer,
            };
            let name = question.name.clone();
            draft.set(&name, &value);
        }
        self.after(draft, Position::Question(index), false)
    }

    pub(super) fn secret_label(&self, draft: &Draft, index: usize, stage: &SecretStage) -> (String, bool) {
        let required = self.setting.providers[draft.provider].questions[index].required;
        match stage {
            SecretStage::Choose if required && draft.get(&self.question(draft, index)).is_none() => {
                ("y/g> ".to_owned(), false)
            }
            SecretStage::Choose => ("y/g/n> ".to_owned(), false),
            SecretStage::Type { .. } => ("password:".to_owned(), true),
            SecretStage::Strength => ("Bits> ".to_owned(), false),
            SecretStage::Offer { .. } => ("y/n> ".to_owned(), false),
        }
    }

    pub(super) fn secret(&mut self, draft: Draft, index: usize, stage: SecretStage, answer: &str) -> Task {
        let stage = match stage {
            SecretStage::Choose => {
                let must = self.secret_label(&draft, index, &stage).0 == "y/g> ";
                let (letters, default) = if must { ("yg", None) } else { ("ygn", Some('n')) };
                match self.letter(answer.trim(), letters, default) {
                    Some('y') => {
                        self.pending.push_str("Enter the password:\n");
                        SecretStage::Type { first: None }
                    }
                    Some('g') => {
                        self.pending.push_str(
                            "Password strength in bits.\n64 is just about memorable\n128 is secure\n1024 is the \
                             maximum\n",
                        );
                        SecretStage::Strength
                    }
                    Some(_) => return self.after(draft, Position::Question(index), false),
                    None => SecretStage::Choose,
                }
            }
            SecretStage::Type { first: None } if answer.is_empty() => {
                self.complain("A password needs a character at least.\nEnter the password:");
                SecretStage::Type { first: None }
            }
            SecretStage::Type { first: None } => {
                self.pending.push_str("Confirm the password:\n");
                SecretStage::Type { first: Some(Secret::new(answer)) }
            }
            SecretStage::Type { first: Some(first) } if first.expose() == answer => {
                return self.take_secret(draft, index, &first);
            }
            SecretStage::Type { .. } => {
                self.complain("The two passwords differ.\nEnter the password:");
                SecretStage::Type { first: None }
            }
            SecretStage::Strength => match answer.trim().parse() {
                Ok(bits) if STRENGTHS.contains(&bits) => self.offer(bits),
                _ => {
                    self.complain("Please give a number from 64 to 1024.");
                    SecretStage::Strength
                }
            },
            SecretStage::Offer { password } => match self.letter(answer.trim(), "yn", Some('y')) {
                Some('y') => return self.take_secret(draft, index, &password),
                Some(_) => return self.open_question(draft, index),
                None => SecretStage::Offer { password },
            },
        };
        self.state = State::Secret { draft, index, stage };
        Task::Ask
    }

    fn offer(&mut self, bits: usize) -> SecretStage {
        let mut bytes = zeroize::Zeroizing::new(vec![0; bits.div_ceil(8)]);
        (self.setting.random)(&mut bytes);
        let password = URL_SAFE_NO_PAD.encode(&*bytes);
        let _infallible = writeln!(
            self.pending,
            "Your password is: {password}\nUse this password? The file holds it obscured only, so keep it in a safe \
             place as well.\ny) Yes (default)\nn) No"
        );
        SecretStage::Offer { password: Secret::new(password) }
    }

    fn take_secret(&mut self, mut draft: Draft, index: usize, password: &Secret) -> Task {
        let question = &self.setting.providers[draft.provider].questions[index];
        let stored = question.stored(password.expose(), Obscuring::Always);
        let name = question.name.clone();
        draft.set(&name, &stored);
        self.after(draft, Position::Question(index), false)
    }

    pub(super) fn enter(&mut self, draft: Draft, group: Group, answer: &str) -> Task {
        match self.letter(answer, "yn", Some('n')) {
            Some(letter) => self.after(draft, Position::Enter(group), letter == 'y'),
            None => {
                self.state = State::Enter { draft, group };
                Task::Ask
            }
        }
    }

    /// Ends the questions: checks a new key, then asks whether to keep the remote.
    pub(super) fn finish(&mut self, draft: Draft) -> Task {
        let provider = &self.setting.providers[draft.provider];
        let is_key = |name: &String| {
            provider.question(name).is_some_and(|question| question.sensitive && !question.password)
        };
        let is_new = draft.changed.iter().any(is_key);
        let needed = &provider.needs_one_of;
        if !needed.is_empty() && needed.iter().all(|option| draft.get(option).is_none()) {
            let what = if needed.len() == 1 { "has no" } else { "has neither" };
            let message =
                format!("\nThe remote {what} {}: it can't be opened like this.", needed.join(" nor "));
            self.complain(&message);
            return self.open_keep(draft, true);
        }
        if self.setting.checks && provider.has_account && is_new {
            let task = Task::Check { backend: provider.name.clone(), values: draft.values.clone() };
            self.state = State::Checking { draft };
            return task;
        }
        self.open_keep(draft, false)
    }

    /// Asks whether to keep the remote. If it can't work as it is, the default is no.
    pub(super) fn open_keep(&mut self, draft: Draft, doubtful: bool) -> Task {
        self.pending.push_str("\nConfiguration complete.\nOptions:\n");
        self.summarise(&draft);
        let [yes, edit] = if doubtful { ["", " (default)"] } else { [" (default)", ""] };
        let _infallible = writeln!(
            self.pending,
            "Keep this {:?} remote?\ny) Yes this is OK{yes}\ne) Edit this remote{edit}\nd) Delete this remote",
            draft.name
        );
        self.state = State::Keep { draft, doubtful };
        Task::Ask
    }

    pub(super) fn keep(&mut self, draft: Draft, doubtful: bool, answer: &str) -> Task {
        match self.letter(answer, "yed", Some(if doubtful { 'e' } else { 'y' })) {
            Some('y') => Task::Change(draft.change()),
            Some('e') => self.interview(draft),
            Some(_) => Task::Change(Change::Delete { name: draft.name }),
            None => {
                self.state = State::Keep { draft, doubtful };
                Task::Ask
            }
        }
    }
}

/// Returns the value of a choice that was given by its number.
fn numbered(question: &Question, answer: &str) -> String {
    let number = answer.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let choice = number.and_then(|index| question.choices.get(index));
    choice.map_or_else(|| answer.to_owned(), |choice| choice.value.clone())
}

fn heading(question: &Question) -> String {
    format!("\nOption {}.\n{}\n", question.name, question.help.replace("\n\n", "\n"))
}

fn question_text(question: &Question, known: Option<&str>) -> String {
    let mut text = heading(question);
    let (how, kind) = match (question.choices.is_empty(), question.kind) {
        (false, _) => ("Choose a number from below, or type in a value.", ""),
        (true, "bool") => ("Enter a boolean value (true or false).", ""),
        (true, "string") if known.is_none() => ("Enter a value.", ""),
        (true, kind) => ("Enter a value of type ", kind),
    };
    let end = if kind.is_empty() { "" } else { "." };
    let default = known.map(|known| question.shown(known)).unwrap_or_else(|| question.default.clone());
    let _infallible = match (default.is_empty(), question.required) {
        (false, _) => writeln!(text, "{how}{kind}{end} Press Enter for the default ({default})."),
        (true, true) => writeln!(text, "{how}{kind}{end}"),
        (true, false) => writeln!(text, "{how}{kind}{end} Press Enter to leave empty."),
    };
    for (index, choice) in question.choices.iter().enumerate() {
        let _infallible = writeln!(text, "{:>2} / {}\n   \\ ({})", index + 1, choice.help, choice.value);
    }
    text
}

fn password_text(question: &Question, known: bool) -> String {
    let mut text = heading(question);
    text.push_str("Choose an alternative below.");
    let none = match (known, question.required) {
        (true, _) => "n) No, keep existing (default)\n",
        (false, true) => "",
        (false, false) => "n) No, leave this optional password blank (default)\n",
    };
    text.push_str(if none.is_empty() { "\n" } else { " Press Enter for the default (n).\n" });
    text.push_str("y) Yes, type in my own password\ng) Generate random password\n");
    text.push_str(none);
    text
}
