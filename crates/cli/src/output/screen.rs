//! The terminal, shared by the log and the progress display so that neither tears the other.

use std::{
    fmt,
    io::{self, IsTerminal as _, Write},
    sync::{Mutex, PoisonError},
};

/// What is shown at the bottom of the terminal and drawn again after each line of the log.
#[derive(Default)]
struct Frame {
    text: String,
    lines: usize,
}

/// The place where log lines and progress frames are written.
pub(crate) struct Screen {
    frame: Mutex<Frame>,
    log: Mutex<Box<dyn Write + Send>>,
    shares_terminal: bool,
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").field("shares_terminal", &self.shares_terminal).finish_non_exhaustive()
    }
}

impl Screen {
    /// A screen whose log goes to stderr.
    pub(crate) fn stderr() -> Self {
        Self {
            frame: Mutex::default(),
            log: Mutex::new(Box::new(io::stderr())),
            shares_terminal: io::stderr().is_terminal() && io::stdout().is_terminal(),
        }
    }

    /// A screen whose log goes to a file.
    pub(crate) fn file(file: std::fs::File) -> Self {
        Self { frame: Mutex::default(), log: Mutex::new(Box::new(file)), shares_terminal: false }
    }

    /// Writes a line of the log, above the frame if there is one.
    pub(crate) fn line(&self, line: &[u8]) {
        let frame = self.frame.lock().unwrap_or_else(PoisonError::into_inner);
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = Vec::with_capacity(line.len() + frame.text.len() + 16);
        if self.shares_terminal {
            erase(&mut bytes, frame.lines);
        }
        bytes.extend_from_slice(line);
        if self.shares_terminal {
            bytes.extend_from_slice(frame.text.as_bytes());
        }
        // A log that can't be written must not stop the work.
        drop(log.write_all(&bytes).and_then(|()| log.flush()));
    }

    /// Replaces the frame in one write, so that it doesn't flicker. Lines are cut to `width` characters.
    pub(crate) fn draw(&self, out: &mut dyn Write, text: &str, width: usize) -> io::Result<()> {
        let mut frame = self.frame.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = Vec::with_capacity(text.len() + 64);
        erase(&mut bytes, frame.lines);
        let mut cut = String::with_capacity(text.len());
        let mut lines = 0;
        for line in text.lines() {
            cut.extend(line.chars().map(|c| if c == '\t' { ' ' } else { c }).take(width));
            cut.push('\n');
            lines += 1;
        }
        bytes.extend_from_slice(cut.as_bytes());
        *frame = Frame { text: cut, lines };
        out.write_all(&bytes)?;
        out.flush()
    }

    /// Leaves the last frame where it is; what follows is written below it.
    pub(crate) fn release(&self) {
        *self.frame.lock().unwrap_or_else(PoisonError::into_inner) = Frame::default();
    }
}

/// Moves up and clears to the end of the screen.
fn erase(bytes: &mut Vec<u8>, lines: usize) {
    if lines > 0 {
        bytes.extend_from_slice(format!("\x1b[{lines}A\r\x1b[J").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_replaces_the_one_before_and_is_cut_to_the_width() {
        let screen = Screen::stderr();
        let mut out = Vec::new();
        screen.draw(&mut out, "one\ntwo\n", 80).unwrap();
        screen.draw(&mut out, "three\tfour", 7).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "one\ntwo\n\x1b[2A\r\x1b[Jthree f\n");
    }

    #[test]
    fn a_released_frame_stays() {
        let screen = Screen::stderr();
        let mut out = Vec::new();
        screen.draw(&mut out, "done\n", 80).unwrap();
        screen.release();
        screen.draw(&mut out, "next\n", 80).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "done\nnext\n");
    }
}
