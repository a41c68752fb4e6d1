//! The terminal, shared by the log and the progress display so that neither breaks the other.

use std::{
    fmt,
    io::{self, IsTerminal as _, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use unicode_width::UnicodeWidthStr as _;

/// Questions at the terminal. While one is open nothing is drawn, and what was drawn before it stays where it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Questions(Arc<QuestionCounts>);

#[derive(Debug, Default)]
struct QuestionCounts {
    open: AtomicUsize,
    begun: AtomicUsize,
}

impl Questions {
    /// Opens a question; it is closed when the guard is dropped.
    pub(crate) fn open(&self) -> OpenQuestion {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        self.0.open.fetch_add(1, Ordering::SeqCst);
        OpenQuestion(self.0.clone())
    }

    fn is_open(&self) -> bool {
        self.0.open.load(Ordering::SeqCst) > 0
    }

    fn begun(&self) -> usize {
        self.0.begun.load(Ordering::SeqCst)
    }
}

/// A question that waits for its answer.
#[derive(Debug)]
pub(crate) struct OpenQuestion(Arc<QuestionCounts>);

impl Drop for OpenQuestion {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Lines at the bottom of the terminal, which are drawn again after each line of the log.
#[derive(Default)]
struct Frame {
    text: String,
    /// Width of each line in columns.
    widths: Vec<usize>,
    /// Width of the terminal when the frame was drawn.
    columns: usize,
    /// How many questions had been asked at that time.
    questions: usize,
}

impl Frame {
    /// Returns how many rows the frame takes at this width of the terminal: a narrower one breaks lines.
    fn rows(&self, columns: usize) -> usize {
        if columns >= self.columns {
            return self.widths.len();
        }
        self.widths.iter().map(|width| width.div_ceil(columns.max(1)).max(1)).sum()
    }
}

/// The output for log lines and progress frames.
pub(crate) struct Screen {
    frame: Mutex<Frame>,
    log: Mutex<Box<dyn Write + Send>>,
    shares_terminal: bool,
    questions: Questions,
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").field("shares_terminal", &self.shares_terminal).finish_non_exhaustive()
    }
}

impl Screen {
    /// Makes a screen whose log goes to stderr.
    pub(crate) fn stderr() -> Self {
        Self {
            frame: Mutex::default(),
            log: Mutex::new(Box::new(io::stderr())),
            shares_terminal: io::stderr().is_terminal() && io::stdout().is_terminal(),
            questions: Questions::default(),
        }
    }

    /// Makes a screen whose log goes to a terminal without escapes.
    pub(crate) fn plain() -> Self {
        Self { shares_terminal: false, ..Self::stderr() }
    }

    /// Shares the screen with questions.
    pub(crate) fn sharing(self, questions: Questions) -> Self {
        Self { questions, ..self }
    }

    /// Makes a screen whose log goes elsewhere; to stderr what can't be written there.
    pub(crate) fn elsewhere(log: impl Write + Send + 'static) -> Self {
        Self {
            frame: Mutex::default(),
            log: Mutex::new(Box::new(Elsewhere { log, has_failed: false })),
            shares_terminal: false,
            questions: Questions::default(),
        }
    }

    /// Writes a line of the log, above the frame if there is one.
    pub(crate) fn line(&self, line: &[u8]) {
        let mut frame = self.frame.lock().unwrap_or_else(PoisonError::into_inner);
        self.leave_if_asked(&mut frame);
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = Vec::with_capacity(line.len() + frame.text.len() + 16);
        if self.shares_terminal && !self.questions.is_open() {
            up(&mut bytes, frame.widths.len());
            bytes.extend_from_slice(b"\x1b[J");
        }
        bytes.extend_from_slice(line);
        if self.shares_terminal {
            bytes.extend_from_slice(frame.text.as_bytes());
        }
        // A log that can't be written must not stop the work.
        drop(log.write_all(&bytes).and_then(|()| log.flush()));
    }

    /// Replaces the frame in one write, line by line, so that it doesn't flicker. `columns` is the width of the
    /// terminal; no line may be wider.
    pub(crate) fn draw(&self, out: &mut dyn Write, lines: &[String], columns: usize) -> io::Result<()> {
        let mut frame = self.frame.lock().unwrap_or_else(PoisonError::into_inner);
        self.leave_if_asked(&mut frame);
        if self.questions.is_open() {
            return Ok(());
        }
        let mut bytes = Vec::new();
        up(&mut bytes, frame.rows(columns));
        let mut text = String::new();
        for line in lines {
            text.push_str(line);
            text.push_str("\x1b[K\n");
        }
        bytes.extend_from_slice(text.as_bytes());
        if !frame.widths.is_empty() {
            bytes.extend_from_slice(b"\x1b[J");
        }
        let widths = lines.iter().map(|line| console_width(line)).collect();
        *frame = Frame { text, widths, columns, questions: self.questions.begun() };
        out.write_all(&bytes)?;
        out.flush()
    }

    /// Leaves a frame where it is when a question has been asked below it.
    fn leave_if_asked(&self, frame: &mut Frame) {
        if frame.questions != self.questions.begun() {
            *frame = Frame { questions: self.questions.begun(), ..Frame::default() };
        }
    }

    /// Leaves the last frame where it is; what follows is written below it.
    pub(crate) fn release(&self) {
        *self.frame.lock().unwrap_or_else(PoisonError::into_inner) = Frame::default();
    }
}

/// A log that isn't on stderr, until it can't be written: its disk may be full just when it has to say so.
struct Elsewhere<W> {
    log: W,
    has_failed: bool,
}

impl<W: Write> Elsewhere<W> {
    fn told<T>(&mut self, result: io::Result<T>, instead: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match result {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                if !std::mem::replace(&mut self.has_failed, true) {
                    writeln!(io::stderr(), "The log can't be written, so it goes on here: {error}")?;
                }
                instead()
            }
            result => result,
        }
    }
}

impl<W: Write> Write for Elsewhere<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.log.write(bytes);
        self.told(written, || io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.log.flush();
        self.told(flushed, || Ok(()))
    }
}

/// Moves up to the start of a frame of this many rows.
fn up(bytes: &mut Vec<u8>, rows: usize) {
    if rows > 0 {
        bytes.extend_from_slice(format!("\x1b[{rows}A\r").as_bytes());
    }
}

/// Returns how many columns a line takes, not counting its colours.
fn console_width(line: &str) -> usize {
    let mut plain = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\x1b' {
            // A colour's escape ends with its first letter.
            characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(character);
        }
    }
    plain.width()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn a_frame_replaces_the_one_before() {
        let screen = Screen::stderr();
        let mut out = Vec::new();
        screen.draw(&mut out, &lines("one\ntwo"), 80).unwrap();
        screen.draw(&mut out, &lines("three"), 80).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "one\x1b[K\ntwo\x1b[K\n\x1b[2A\rthree\x1b[K\n\x1b[J");
    }

    #[test]
    fn a_frame_that_a_narrower_terminal_has_broken_is_replaced_as_a_whole() {
        let screen = Screen::stderr();
        let mut out = Vec::new();
        screen.draw(&mut out, &lines("\x1b[32mfour four\x1b[0m\ntwo"), 80).unwrap();
        out.clear();
        screen.draw(&mut out, &lines("x"), 4).unwrap();
        assert!(String::from_utf8(out).unwrap().starts_with("\x1b[4A\r"));
    }

    #[test]
    fn nothing_is_drawn_over_a_question() {
        let questions = Questions::default();
        let screen = Screen::stderr().sharing(questions.clone());
        let mut out = Vec::new();
        screen.draw(&mut out, &lines("one"), 80).unwrap();
        let open = questions.open();
        screen.draw(&mut out, &lines("two"), 80).unwrap();
        assert_eq!(String::from_utf8_lossy(&out), "one\x1b[K\n");
        drop(open);
        out.clear();
        // The question is where the frame was, so the next frame begins below it.
        screen.draw(&mut out, &lines("three"), 80).unwrap();
        assert_eq!(String::from_utf8_lossy(&out), "three\x1b[K\n");
        // Answered at once, between two frames.
        drop(questions.open());
        out.clear();
        screen.draw(&mut out, &lines("four"), 80).unwrap();
        assert_eq!(String::from_utf8_lossy(&out), "four\x1b[K\n");
    }

    #[test]
    fn a_released_frame_stays() {
        let screen = Screen::stderr();
        let mut out = Vec::new();
        screen.draw(&mut out, &lines("done"), 80).unwrap();
        screen.release();
        screen.draw(&mut out, &lines("next"), 80).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "done\x1b[K\nnext\x1b[K\n");
    }
}
