//! Asks at the terminal before anything is changed: `--interactive`.

use std::{
    collections::HashMap,
    io::{self, BufRead as _, Write as _},
};

use async_trait::async_trait;
use fichier_engine::{Answer, Asker, Question};
use tokio::sync::Mutex;

use crate::output::screen::Questions;

/// Asks at the terminal. One question at a time; answers that are meant for all of a kind are remembered.
#[derive(Debug, Default)]
pub(super) struct Terminal {
    questions: Questions,
    decided: Mutex<HashMap<&'static str, Answer>>,
}

impl Terminal {
    /// A terminal whose display makes room for questions.
    pub(super) fn new(questions: Questions) -> Self {
        Self { questions, ..Self::default() }
    }
}

#[async_trait]
impl Asker for Terminal {
    async fn ask(&self, question: Question<'_>) -> Answer {
        let mut decided = self.decided.lock().await;
        if let Some(answer) = decided.get(question.action) {
            return *answer;
        }
        let Question { action, path } = question;
        let asked = format!(
            "\nfichier: {action} \"{path}\"?\n\
             y) Yes, this is OK (default)\n\
             n) No, skip this\n\
             s) Skip all {action} operations with no more questions\n\
             !) Do all {action} operations with no more questions\n\
             q) Exit fichier now.\n"
        );
        let _open = self.questions.open();
        let letter = tokio::task::spawn_blocking(move || letter(&asked)).await.unwrap_or('q');
        match letter {
            'y' => Answer::Yes,
            'n' => Answer::No,
            's' => {
                decided.insert(action, Answer::No);
                Answer::No
            }
            '!' => {
                decided.insert(action, Answer::Yes);
                Answer::Yes
            }
            _ => Answer::Quit,
        }
    }
}

/// Asks until there is an answer. The end of the input stops: nobody is there to say yes.
fn letter(asked: &str) -> char {
    let mut err = io::stderr();
    // Without a way to ask, nothing is done.
    if err.write_all(asked.as_bytes()).is_err() {
        return 'q';
    }
    loop {
        let mut line = String::new();
        let prompted = err.write_all(b"y/n/s/!/q> ").and_then(|()| err.flush());
        match prompted.and_then(|()| io::stdin().lock().read_line(&mut line)) {
            Ok(0) | Err(_) => return 'q',
            Ok(_) => {}
        }
        match line.trim() {
            "" => return 'y',
            answer => match answer.chars().next().map(|letter| letter.to_ascii_lowercase()) {
                Some(letter @ ('y' | 'n' | 's' | '!' | 'q')) if answer.len() == 1 => return letter,
                _ => {}
            },
        }
    }
}
