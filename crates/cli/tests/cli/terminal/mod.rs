//! A person at a real terminal: the binary in a pseudo-terminal, and what is on its screen.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::{
    fs::File,
    io::{Read as _, Write as _},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

/// Number of rows: high enough that nothing scrolls away.
const ROWS: u16 = 400;

/// Longest wait: machines that build something else meanwhile are slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program and its screen.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    columns: u16,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// All bytes that came, to check what must not be among them.
    raw: Vec<u8>,
    /// Row below which the next question is.
    row: Option<u16>,
}

impl Terminal {
    /// Runs a program at a terminal with `columns` columns and, as far as it knows, `rows` rows.
    pub(crate) fn run(command: &mut Command, columns: u16, rows: u16) -> Self {
        Self::run_as("xterm", command, columns, rows)
    }

    /// Runs a program at a terminal of a kind.
    pub(crate) fn run_as(kind: &str, command: &mut Command, columns: u16, rows: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        tcsetwinsize(&slave, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let stdio = || Stdio::from(slave.try_clone().unwrap());
        command.env("TERM", kind).stdin(stdio()).stdout(stdio()).stderr(stdio());
        let child = command.spawn().unwrap();
        let keyboard = File::from(master);
        let mut reader = keyboard.try_clone().unwrap();
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Fails when the program has ended.
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        let screen = vt100::Parser::new(ROWS, columns, 0);
        // Otherwise the command holds the terminal's other end open.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        drop(slave);
        Self { child, keyboard, columns, output, screen, raw: Vec::new(), row: None }
    }

    /// Waits for a question that ends with `label`.
    #[track_caller]
    pub(crate) fn expect(&mut self, label: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.is_asked(label) {
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(_) => panic!("no {label:?} on the screen:\n{}", self.contents()),
            }
        }
    }

    /// Waits until the screen is as it should be.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, seen: impl Fn(&str) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !seen(&self.contents()) {
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(_) => panic!("{what} isn't on the screen:\n{}", self.contents()),
            }
        }
    }

    fn is_asked(&self, label: &str) -> bool {
        let (row, _) = self.screen.screen().cursor_position();
        // Only the cursor's own row counts: the same question, answered, may be above it.
        let line = self.screen.screen().rows(0, self.columns).nth(row.into()).unwrap_or_default();
        self.row.is_none_or(|before| row > before) && line.trim_end().ends_with(label.trim_end())
    }

    fn take(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
        self.screen.process(bytes);
    }

    /// Types keys.
    pub(crate) fn keys(&mut self, keys: &str) {
        self.row = Some(self.screen.screen().cursor_position().0);
        // The program may have ended.
        let _ = self.keyboard.write_all(keys.as_bytes());
    }

    /// Waits for a question and answers it.
    #[track_caller]
    pub(crate) fn answer(&mut self, label: &str, answer: &str) {
        self.expect(label);
        self.keys(&format!("{answer}\r"));
    }

    /// Returns what is on the screen.
    pub(crate) fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    /// Checks whether these bytes ever came to the screen.
    pub(crate) fn has_shown(&self, text: &str) -> bool {
        self.raw.windows(text.len()).any(|window| window == text.as_bytes())
    }

    /// Waits for the end of the program.
    #[track_caller]
    pub(crate) fn end(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            while let Ok(bytes) = self.output.try_recv() {
                self.take(&bytes);
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(200)) {
                    self.take(&bytes);
                }
                return status;
            }
            assert!(Instant::now() < end, "it doesn't end:\n{}", self.contents());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has mostly ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
