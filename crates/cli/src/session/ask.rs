//! `--interactive` asks at the terminal before anything is changed.

use std::{
    collections::HashMap,
    io::{self, Write as _},
};

use async_trait::async_trait;
use fichier_engine::{Answer, Asker, Question};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::{
    output::screen::Questions,
    terminal::{Asked, ask_line},
};

/// Asks at the terminal, one question at a time. Answers that are meant for all of a kind are remembered.
#[derive(Debug)]
pub(super) struct Terminal {
    questions: Questions,
    state: Mutex<State>,
    stop: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    decided: HashMap<&'static str, Answer>,
    /// Last answer, when nothing more is asked: there was this one, or none.
    over: Option<Answer>,
}

impl Terminal {
    /// Makes a terminal whose display makes room for questions. `stop` is cancelled when the run has to stop.
    pub(super) fn new(questions: Questions, stop: CancellationToken) -> Self {
        Self { questions, state: Mutex::default(), stop }
    }

    /// Asks until there is an answer.
    async fn answer(&self, question: Question<'_>) -> Letter {
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
        // Without a way to ask, nothing is done.
        if io::stderr().write_all(asked.as_bytes()).is_err() {
            return Letter::Over(Answer::Nobody);
        }
        loop {
            let mut err = io::stderr();
            if err.write_all(b"y/n/s/!/q> ").and_then(|()| err.flush()).is_err() {
                return Letter::Over(Answer::Nobody);
            }
            let line = match ask_line(&self.stop).await {
                Asked::Line(line) => line.to_ascii_lowercase(),
                Asked::End => return Letter::Over(Answer::Nobody),
                Asked::Stopped => return Letter::Over(Answer::Stopped),
            };
            return match line.as_str() {
                "" | "y" => Letter::One(Answer::Yes),
                "n" => Letter::One(Answer::No),
                "s" => Letter::All(Answer::No),
                "!" => Letter::All(Answer::Yes),
                "q" => Letter::Over(Answer::Quit),
                _ => continue,
            };
        }
    }
}

/// Scope of an answer.
enum Letter {
    /// This question only.
    One(Answer),
    /// All questions of the kind.
    All(Answer),
    /// Everything that follows.
    Over(Answer),
}

#[async_trait]
impl Asker for Terminal {
    async fn ask(&self, question: Question<'_>) -> Answer {
        // A task that waited for another question may find that nothing more is asked.
        let mut state = self.state.lock().await;
        if self.stop.is_cancelled() {
            return state.over.unwrap_or(Answer::Stopped);
        }
        if let Some(answer) = state.over.or_else(|| state.decided.get(question.action).copied()) {
            return answer;
        }
        match self.answer(question).await {
            Letter::One(answer) => answer,
            Letter::All(answer) => {
                state.decided.insert(question.action, answer);
                answer
            }
            Letter::Over(answer) => {
                state.over = Some(answer);
                answer
            }
        }
    }
}
