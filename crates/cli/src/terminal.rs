//! Reads lines from the person at the keyboard, or from a pipe, also lines that must not be seen.

#[cfg(unix)]
mod hidden;

use std::{
    fmt,
    io::{self, BufRead as _, IsTerminal as _, Write},
    time::Duration,
};

use fichier_config::Secret;
use rustyline::{Config, Editor, error::ReadlineError, history::MemHistory};
use tokio_util::sync::CancellationToken;

/// Input that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A line, without its end.
    Line(Secret),
    /// There is no more input: the pipe has ended, or Ctrl-D was typed.
    End,
    /// Ctrl-C was typed.
    Interrupted,
}

/// Standard input, with a line editor if it is a terminal.
pub(crate) struct Terminal {
    interactive: bool,
    editor: Option<Editor<(), MemHistory>>,
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal").field("interactive", &self.interactive).finish_non_exhaustive()
    }
}

impl Terminal {
    /// Makes a reader of the standard input.
    pub(crate) fn new() -> Self {
        Self { interactive: io::stdin().is_terminal(), editor: None }
    }

    /// Checks whether a person can be asked again.
    pub(crate) fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Returns the width of the screen in columns.
    pub(crate) fn width() -> usize {
        terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0))
    }

    /// Asks for a line. A pipe isn't shown the label, as with rclone.
    pub(crate) fn line(&mut self, label: &str, out: &mut dyn Write) -> io::Result<Answer> {
        out.flush()?;
        if !self.interactive || !io::stdout().is_terminal() {
            return piped();
        }
        let editor = match &mut self.editor {
            Some(editor) => editor,
            slot @ None => slot.insert(new_editor()?),
        };
        match editor.readline(label) {
            Ok(line) => Ok(Answer::Line(Secret::new(line))),
            Err(ReadlineError::Eof) => Ok(Answer::End),
            Err(ReadlineError::Interrupted) => Ok(Answer::Interrupted),
            Err(ReadlineError::Io(error)) => Err(error),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    /// Asks for a line that isn't shown as it is typed.
    pub(crate) fn hidden(&mut self, label: &str, out: &mut dyn Write) -> io::Result<Answer> {
        let answer =
            if self.interactive { hidden_line(label, out) } else { show(label, out).and_then(|()| piped()) };
        writeln!(out)?;
        out.flush()?;
        answer
    }
}

/// Input that came when a run had a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A line, without spaces around it.
    Line(String),
    /// The input has ended, or can't be read.
    End,
    /// The run was stopped while the question was open; what is typed now doesn't answer it.
    Stopped,
}

/// Time that an answer waits for a Ctrl-C that was typed before it and hasn't been noticed yet.
const CTRL_C_BEFORE: Duration = Duration::from_millis(5);

/// Reads the answer to a question from the standard input. A question ends with its run.
pub(crate) async fn ask_line(stop: &CancellationToken) -> Asked {
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(0) | Err(_) => Asked::End,
            Ok(_) => Asked::Line(line.trim().to_owned()),
        }
    });
    let read = async {
        let answer = read.await.unwrap_or(Asked::End);
        tokio::time::sleep(CTRL_C_BEFORE).await;
        answer
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => Asked::Stopped,
        answer = read => answer,
    }
}

fn show(label: &str, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(label.as_bytes())?;
    out.flush()
}

fn new_editor() -> io::Result<Editor<(), MemHistory>> {
    // There is no history: what is typed here is mostly secret.
    let config = Config::builder().auto_add_history(false).build();
    Editor::with_history(config, MemHistory::new()).map_err(io::Error::other)
}

fn piped() -> io::Result<Answer> {
    let mut line = zeroize::Zeroizing::new(String::new());
    if io::stdin().lock().read_line(&mut line)? == 0 {
        return Ok(Answer::End);
    }
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(Answer::Line(Secret::new(line.strip_suffix('\r').unwrap_or(line))))
}

#[cfg(unix)]
fn hidden_line(label: &str, out: &mut dyn Write) -> io::Result<Answer> {
    hidden::line(|| show(label, out))
}

#[cfg(not(unix))]
fn hidden_line(label: &str, out: &mut dyn Write) -> io::Result<Answer> {
    show(label, out)?;
    rpassword::read_password().map(|line| Answer::Line(Secret::new(line)))
}
