//! The live display of a transfer: drawn in place on a terminal, a single final block in a pipe.

use std::io::{self, IsTerminal as _, Write};

use super::{screen::Screen, stats::StatsSnapshot};

/// Columns of a terminal that doesn't tell its width.
const USUAL_WIDTH: usize = 80;

/// Shows snapshots of a run's statistics.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    screen: &'a Screen,
    one_line: bool,
    live: bool,
}

impl<'a> Progress<'a> {
    /// A display on stdout: live if that is a terminal.
    pub(crate) fn new(screen: &'a Screen, one_line: bool) -> Self {
        Self { screen, one_line, live: io::stdout().is_terminal() }
    }

    /// Draws the moment, if anybody can see it.
    pub(crate) fn show(&self, out: &mut dyn Write, snapshot: &StatsSnapshot) -> io::Result<()> {
        if !self.live {
            return Ok(());
        }
        // The last column stays free: some terminals begin a new line when it is filled.
        let width = terminal_size::terminal_size().map_or(USUAL_WIDTH, |(width, _)| usize::from(width.0));
        self.screen.draw(out, &self.text(snapshot), width.saturating_sub(1).max(20))
    }

    /// Shows how it ended and leaves it there.
    pub(crate) fn finish(&self, out: &mut dyn Write, snapshot: &StatsSnapshot) -> io::Result<()> {
        if self.live {
            self.show(out, snapshot)?;
            self.screen.release();
            return Ok(());
        }
        out.write_all(self.text(snapshot).as_bytes())?;
        out.flush()
    }

    fn text(&self, snapshot: &StatsSnapshot) -> String {
        if self.one_line {
            let mut line = snapshot.one_line().trim_start().to_owned();
            line.push('\n');
            line
        } else {
            snapshot.block()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_gets_the_end_alone() {
        let screen = Screen::stderr();
        let progress = Progress { screen: &screen, one_line: true, live: false };
        let mut out = Vec::new();
        progress.show(&mut out, &StatsSnapshot::default()).unwrap();
        assert!(out.is_empty());
        progress.finish(&mut out, &StatsSnapshot::default()).unwrap();
        assert_eq!(out, b"0 B / 0 B, -, 0 B/s, ETA -\n");
    }
}
