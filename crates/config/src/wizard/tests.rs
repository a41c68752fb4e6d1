//! Dialogues with the wizard, answer by answer, on a document in memory.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::provider::{Choice, Question};

fn question(name: &str, group: Group) -> Question {
    Question {
        name: name.into(),
        help: format!("What {name} is.\n\nAnd more."),
        kind: "string",
        default: String::new(),
        required: false,
        group,
        password: false,
        sensitive: false,
        choices: Vec::new(),
        check: Arc::new(|value| if value.contains('!') { Err("no exclamations".into()) } else { Ok(()) }),
    }
}

fn providers() -> Vec<Provider> {
    let cloud = vec![
        Question { sensitive: true, ..question("key", Group::Standard) },
        question("folder", Group::Advanced),
        Question { password: true, sensitive: true, ..question("secret", Group::Advanced) },
        Question { kind: "bool", default: "false".into(), ..question("fast", Group::Advanced) },
        Question {
            choices: ["stop", "skip"]
                .map(|value| Choice { value: value.into(), help: "Do so".into() })
                .into(),
            default: "stop".into(),
            ..question("empty", Group::Own)
        },
    ];
    let alias = vec![Question { required: true, ..question("remote", Group::Standard) }];
    let provider = |name: &str, has_account, questions| Provider {
        name: name.into(),
        description: format!("The {name}"),
        has_account,
        needs_one_of: if name == "cloud" { vec!["key".into(), "folder".into()] } else { Vec::new() },
        questions,
    };
    vec![provider("cloud", true, cloud), provider("alias", false, alias)]
}

/// A wizard, its file, and everything that it has shown.
struct Run {
    wizard: Wizard,
    document: Document,
    password: Option<Secret>,
    shown: String,
    over: bool,
}

impl Run {
    fn on(text: &str) -> Run {
        let setting = Setting {
            providers: providers(),
            width: 60,
            checks: true,
            random: Box::new(|bytes| bytes.fill(7)),
        };
        let document = Document::parse(text.as_bytes()).unwrap();
        let wizard = Wizard::new(setting, document.clone(), false);
        let mut run = Run { wizard, document, password: None, shown: String::new(), over: false };
        run.ask();
        run
    }

    fn ask(&mut self) {
        let prompt = self.wizard.prompt();
        self.shown.push_str(&prompt.text);
        self.shown.push_str(&prompt.label);
    }

    fn answer(&mut self, answer: &str) {
        if self.over {
            return;
        }
        self.shown.push_str("⏎\n");
        let mut task = self.wizard.answer(answer);
        loop {
            task = match task {
                Task::Ask => return self.ask(),
                Task::Quit => {
                    self.over = true;
                    return;
                }
                Task::Change(change) => match change.apply(&mut self.document) {
                    Ok(()) => self.wizard.changed(self.document.clone()),
                    Err(error) => self.wizard.failed(&error.to_string()),
                },
                Task::SetPassword(password) => {
                    self.password = password;
                    self.wizard.secured(self.password.is_some())
                }
                Task::Check { backend, values } => {
                    let key = values.iter().find(|(key, _)| key == "key").unwrap();
                    let refused = key.1.expose() == "refused";
                    let found = format!("checked {backend} with {}", key.1.expose().len());
                    self.wizard.checked(&found, refused)
                }
            };
        }
    }

    fn answers(mut self, answers: &[&str]) -> Run {
        for answer in answers {
            self.answer(answer);
        }
        self
    }

    fn text(&self) -> String {
        String::from_utf8(self.document.to_bytes()).unwrap()
    }
}

const NEW: [&str; 6] = ["n", "one", "1", "0123456789abcdefghij", "n", "y"];

#[test]
fn a_new_remote_is_written_when_it_is_kept() {
    let run = Run::on("").answers(&NEW);
    assert_eq!(run.text(), "[one]\ntype = cloud\nkey = 0123456789abcdefghij\n\n");
    assert!(run.shown.contains("checked cloud with 20"), "{}", run.shown);
    assert!(run.shown.contains("- key: …ghij"), "{}", run.shown);
    assert!(!run.shown.contains("0123456789abcdefghij"), "{}", run.shown);
    assert!(run.shown.ends_with("e/n/d/r/c/s/q> "), "{}", run.shown);
    assert!(Run::on("").answers(&NEW).answers(&["q"]).over);
}

#[test]
fn broken_off_anywhere_it_leaves_the_file_as_it_was() {
    for text in ["", "[old]\ntype = cloud\nkey = OLD\n"] {
        let all = ["n", "one", "cloud", "KEY", "y", "f", "y", "pw", "pw", "true", "y", "2"];
        for count in 0..=all.len() {
            let run = Run::on(text).answers(&all[..count]);
            assert_eq!(run.text(), text, "after {count}: {}", run.shown);
        }
    }
}

#[test]
fn all_options_are_asked_and_secrets_obscured() {
    let answers = ["n", "one", "cloud", "KEY", "y", "f", "y", "pw", "other", "pw", "pw", "t", "y", "2", ""];
    let run = Run::on("").answers(&answers);
    let file = run.document.meaning().unwrap();
    let section = file.section("one").unwrap();
    let keys: Vec<_> = section.entries.iter().map(|entry| &*entry.key).collect();
    assert_eq!(keys, ["type", "key", "folder", "secret", "fast", "empty"]);
    assert_eq!(crate::reveal(section.get("secret").unwrap()).unwrap().expose(), "pw");
    assert_eq!((section.get("fast"), section.get("empty")), (Some("true"), Some("skip")));
    assert!(run.shown.contains("The two passwords differ."), "{}", run.shown);
}

#[test]
fn a_made_password_is_shown_once_and_stored_obscured() {
    let answers = ["n", "one", "cloud", "", "y", "", "g", "63", "x", "64", "y", "", "n", "y"];
    let run = Run::on("").answers(&answers);
    assert!(run.shown.contains("Your password is: BwcHBwcHBwc\n"), "{}", run.shown);
    let file = run.document.meaning().unwrap();
    assert_eq!(
        crate::reveal(file.section("one").unwrap().get("secret").unwrap()).unwrap().expose(),
        "BwcHBwcHBwc"
    );
    // The password isn't accepted, so the question comes again.
    let again = Run::on("").answers(&["n", "one", "cloud", "", "y", "", "g", "64", "n"]);
    assert!(again.shown.ends_with("y/g/n> "), "{}", again.shown);
}

#[test]
fn nonsense_is_answered_by_the_question_again() {
    let run = Run::on("").answers(&["x", "nn", "", "n", "", "bad:name", " ", "one", "9", "0", "cloud!", "1"]);
    assert!(run.shown.ends_with("key> "), "{}", run.shown);
    let run = run.answers(&["no!", "KEY", "maybe", "y", "", "z", "n", "perhaps", "false"]);
    assert!(run.shown.ends_with("y/n> "), "{}", run.shown);
    assert_eq!(run.text(), "");
    let required = Run::on("").answers(&["n", "a", "alias", "", "", "x:"]);
    assert!(required.shown.contains("This value is required"), "{}", required.shown);
    assert!(required.shown.ends_with("y/e/d> "), "{}", required.shown);
}

#[test]
fn a_key_that_was_refused_or_is_missing_is_not_kept_by_default() {
    // Enter goes back to the questions; only an explicit yes keeps such a remote.
    let refused = Run::on("").answers(&["n", "one", "cloud", "refused", "", ""]);
    assert!(refused.shown.contains("Edit this remote (default)"), "{}", refused.shown);
    assert!(refused.shown.ends_with("key> "), "{}", refused.shown);
    assert_eq!(refused.text(), "");
    let kept = Run::on("").answers(&["n", "one", "cloud", "refused", "", "y"]);
    assert!(kept.text().contains("key = refused"), "{}", kept.text());
    let empty = Run::on("").answers(&["n", "one", "cloud", "", "", ""]);
    assert!(empty.shown.contains("has neither key nor folder"), "{}", empty.shown);
    assert!(empty.shown.ends_with("key> "), "{}", empty.shown);
    let good = Run::on("").answers(&["n", "one", "cloud", "KEY", "", ""]);
    assert!(good.text().contains("key = KEY"), "{}", good.text());
}

const FILE: &str = "# mine\n[b]\ntype = cloud\n# the key\nkey = OLD\nstrange = kept\n\n[a]\ntype = drive\n";

#[test]
fn an_edit_keeps_what_isnt_answered() {
    let run = Run::on(FILE).answers(&["e", "2", "", "n", ""]);
    assert_eq!(run.text(), FILE);
    assert!(!run.shown.contains("checked"), "nothing to check: {}", run.shown);
    let run = Run::on(FILE).answers(&["e", "b", "NEW", "y", "", "", "", "n", "e", "", "n", "y"]);
    assert_eq!(run.text(), FILE.replace("OLD", "NEW"));
    assert!(run.shown.contains("checked cloud with 3"), "{}", run.shown);
    let strange = Run::on(FILE).answers(&["e", "a"]);
    assert!(strange.shown.contains("no storage of the type \"drive\""), "{}", strange.shown);
    assert_eq!(strange.text(), FILE);
}

#[test]
fn remotes_are_renamed_copied_and_deleted() {
    let run = Run::on(FILE).answers(&["r", "b", "a", "c"]);
    assert!(run.shown.contains("There is a remote \"a\" already."), "{}", run.shown);
    assert_eq!(run.text(), FILE.replace("[b]", "[c]"));
    let run = Run::on(FILE).answers(&["c", "a", "z"]);
    assert_eq!(run.text(), format!("{FILE}\n[z]\ntype = drive\n\n"));
    let run = Run::on(FILE).answers(&["d", "7", "b"]);
    assert_eq!(run.text(), "[a]\ntype = drive\n");
    let run = Run::on(FILE).answers(&["e", "b", "", "n", "d"]);
    assert_eq!(run.text(), "[a]\ntype = drive\n");
    let dropped = Run::on("").answers(&["n", "one", "1", "KEY", "n", "d"]);
    assert_eq!(dropped.text(), "");
}

#[test]
fn the_configuration_gets_and_loses_a_password() {
    let mut run = Run::on(FILE).answers(&["s", "u", "a", "", "pw", "px", "pw", "pw"]);
    assert_eq!(run.password.as_ref().unwrap().expose(), "pw");
    assert!(run.shown.ends_with("c/u/q> "), "{}", run.shown);
    run = run.answers(&["c", " two ", " two "]);
    assert_eq!(run.password.as_ref().unwrap().expose(), " two ");
    run = run.answers(&["u"]);
    assert!(run.password.is_none() && run.shown.ends_with("a/q> "), "{}", run.shown);
    assert!(run.answers(&["q"]).shown.ends_with("e/n/d/r/c/s/q> "));
}

#[test]
fn one_remote_alone_can_be_asked_for() {
    let setting = Setting { providers: providers(), width: 80, checks: false, random: Box::new(|_| ()) };
    let values = [("key".to_owned(), "K".to_owned())];
    let mut wizard = Wizard::for_remote(setting, Document::default(), "x", "cloud", &values).unwrap();
    assert_eq!(wizard.prompt().label, "key> ");
    assert_eq!((wizard.answer(""), wizard.answer("n")), (Task::Ask, Task::Ask));
    let Task::Change(change) = wizard.answer("y") else { panic!("should be kept") };
    let mut document = Document::default();
    change.apply(&mut document).unwrap();
    assert_eq!(document.to_bytes(), b"[x]\ntype = cloud\nkey = K\n\n");
    assert_eq!(wizard.changed(document), Task::Quit);
}

#[test]
fn sixty_columns_suffice() {
    let answers = ["n", "bad:name", "one", "1", "KEY", "y", "", "g", "64", "y", "", "y", "", "y", "s", "a"];
    for line in Run::on("").answers(&answers).shown.lines() {
        assert!(line.chars().count() <= 61, "{line}");
    }
}

proptest! {
    #[test]
    fn no_answers_break_it_and_the_file_stays_readable(
        answers in proptest::collection::vec("[enrdcsqyagu1-4]|one|two|cloud|alias|64|.{0,6}", 0..60)
    ) {
        let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
        let run = Run::on(FILE).answers(&answers);
        prop_assert!(run.document.meaning().is_ok());
    }
}
