//! The main menu, and the choices of a remote, a name and a kind of storage.

use std::fmt::Write as _;

use super::{Change, Naming, Purpose, State, Task, Wizard};
use crate::connection::is_name;

impl Wizard {
    /// Returns names and types of the file's remotes, sorted by name, as rclone numbers them.
    pub(super) fn remotes(&self) -> Vec<(String, String)> {
        let file = self.document.meaning().unwrap_or_default();
        let mut remotes: Vec<_> = file
            .sections()
            .iter()
            .map(|section| (section.name.clone(), section.get("type").unwrap_or_default().to_owned()))
            .collect();
        remotes.sort();
        remotes
    }

    pub(super) fn open_menu(&mut self) {
        let remotes = self.remotes();
        if remotes.is_empty() {
            self.pending.push_str("No remotes found, make a new one?\n");
        } else {
            self.pending
                .push_str("\nCurrent remotes:\n\nName                 Type\n====                 ====\n");
            for (name, kind) in &remotes {
                // Writing to a string can't fail.
                let _infallible = writeln!(self.pending, "{name:<20} {kind}");
            }
            self.pending.push_str("\ne) Edit existing remote\n");
        }
        self.pending.push_str("n) New remote\n");
        if !remotes.is_empty() {
            self.pending.push_str("d) Delete remote\nr) Rename remote\nc) Copy remote\n");
        }
        self.pending.push_str("s) Set configuration password\nq) Quit config\n");
        self.state = State::Menu;
    }

    pub(super) fn menu(&mut self, answer: &str) -> Task {
        let letters = if self.remotes().is_empty() { "nsq" } else { "endrcsq" };
        match self.letter(answer, letters, None) {
            Some('e') => self.open_pick(Purpose::Edit),
            Some('n') => self.open_name(Naming::New),
            Some('d') => self.open_pick(Purpose::Delete),
            Some('r') => self.open_pick(Purpose::Rename),
            Some('c') => self.open_pick(Purpose::Copy),
            Some('s') => {
                self.pending.push('\n');
                self.open_security();
                Task::Ask
            }
            Some(_) => Task::Quit,
            None => {
                self.state = State::Menu;
                Task::Ask
            }
        }
    }

    fn open_pick(&mut self, purpose: Purpose) -> Task {
        self.pending.push_str("\nSelect remote.\nChoose a number from below, or type in an existing name.\n");
        for (index, (name, _)) in self.remotes().iter().enumerate() {
            let _infallible = writeln!(self.pending, "{:>2} > {name}", index + 1);
        }
        self.state = State::Pick(purpose);
        Task::Ask
    }

    pub(super) fn pick(&mut self, purpose: Purpose, answer: &str) -> Task {
        let remotes = self.remotes();
        let numbered = answer.parse::<usize>().ok().and_then(|number| remotes.get(number.checked_sub(1)?));
        let picked = remotes.iter().find(|(name, _)| name == answer).or(numbered);
        let Some((name, kind)) = picked.cloned() else {
            self.complain("There is no remote of this number or name.");
            self.state = State::Pick(purpose);
            return Task::Ask;
        };
        match purpose {
            Purpose::Edit => self.edit(&name, &kind),
            Purpose::Delete => Task::Change(Change::Delete { name }),
            Purpose::Rename => {
                let _infallible = write!(self.pending, "\nThe remote {name:?} gets another name.");
                self.open_name(Naming::Rename(name))
            }
            Purpose::Copy => {
                let _infallible = write!(self.pending, "\nThe remote {name:?} gets a copy.");
                self.open_name(Naming::Copy(name))
            }
        }
    }

    fn edit(&mut self, name: &str, kind: &str) -> Task {
        let Some(provider) = self.setting.providers.iter().position(|provider| provider.name == kind) else {
            let message = if kind.is_empty() {
                format!("\nThe remote {name:?} has no type. It stays as it is.")
            } else {
                format!("\nfichier has no storage of the type {kind:?}. The remote {name:?} stays as it is.")
            };
            self.complain(&message);
            self.open_menu();
            return Task::Ask;
        };
        let draft = self.draft_of(name, provider);
        let _infallible = writeln!(self.pending, "\nEditing existing {name:?} remote with options:");
        self.summarise(&draft);
        self.interview(draft)
    }

    fn open_name(&mut self, naming: Naming) -> Task {
        self.pending.push_str("\nEnter name for new remote.\n");
        self.state = State::Name(naming);
        Task::Ask
    }

    pub(super) fn name(&mut self, naming: Naming, answer: &str) -> Task {
        let problem = if answer.is_empty() {
            Some("A remote needs a name.".to_owned())
        } else if !is_name(answer) {
            Some(format!(
                "{answer:?} can't be the name of a remote. It may hold letters, numbers, `_`, `-`, `.`, `+`, `@` and \
                 spaces, must not begin with `-` or a space nor end with a space."
            ))
        } else if self.document.has_section(answer) {
            Some(format!("There is a remote {answer:?} already."))
        } else {
            None
        };
        if let Some(problem) = problem {
            self.complain(&problem);
            self.state = State::Name(naming);
            return Task::Ask;
        }
        let new = answer.to_owned();
        match naming {
            Naming::New => self.open_storage(new),
            Naming::Rename(name) => Task::Change(Change::Rename { name, new }),
            Naming::Copy(name) => Task::Change(Change::Copy { name, new }),
        }
    }

    fn open_storage(&mut self, name: String) -> Task {
        self.pending.push_str(
            "\nOption Storage.\nType of storage to configure.\nChoose a number from below, or type in its name.\n",
        );
        for (index, provider) in self.setting.providers.iter().enumerate() {
            let (description, name) = (&provider.description, &provider.name);
            let _infallible = writeln!(self.pending, "{:>2} / {description}\n   \\ ({name})", index + 1);
        }
        self.state = State::Storage { name };
        Task::Ask
    }

    pub(super) fn storage(&mut self, name: String, answer: &str) -> Task {
        let providers = &self.setting.providers;
        let numbered = answer.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let numbered = numbered.filter(|index| *index < providers.len());
        let chosen = providers.iter().position(|provider| provider.name == answer).or(numbered);
        let Some(provider) = chosen else {
            self.complain("There is no storage of this number or name.");
            self.state = State::Storage { name };
            return Task::Ask;
        };
        let backend = providers[provider].name.clone();
        let _infallible = writeln!(self.pending, "** For all about it: fichier help backend {backend} **");
        let draft = self.draft_of(&name, provider);
        self.interview(draft)
    }
}
