//! The live display of a transfer: drawn in place on a terminal, a single final block in a pipe.

use std::{
    collections::VecDeque,
    io::{self, IsTerminal as _, Write},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{
    live::{Terminal, frame},
    screen::Screen,
    stats::{StatsSnapshot, Style},
    time::Clock,
};

/// Size of a terminal that doesn't give it, in columns and lines.
const USUAL: (usize, usize) = (80, 24);

/// Time over which the shown speed is measured.
const WINDOW: Duration = Duration::from_secs(8);

/// Shows snapshots of a run's statistics.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    screen: &'a Screen,
    style: &'a Style,
    clock: &'a Clock,
    coloured: bool,
    live: bool,
    /// Whether the terminal's title shows it, too.
    titled: bool,
    /// Times and how many bytes were done by then, for the speed of the last seconds.
    past: Mutex<VecDeque<(Duration, u64)>>,
}

impl<'a> Progress<'a> {
    /// Makes a display on stdout: live if that is a terminal.
    pub(crate) fn new(
        screen: &'a Screen,
        style: &'a Style,
        clock: &'a Clock,
        coloured: bool,
        plain_terminal: bool,
        titled: bool,
    ) -> Self {
        let live = io::stdout().is_terminal() && !plain_terminal;
        Self { screen, style, clock, coloured, live, titled, past: Mutex::default() }
    }

    /// Draws the present state, if stdout is a terminal.
    pub(crate) fn show(&self, out: &mut dyn Write, snapshot: &StatsSnapshot) -> io::Result<()> {
        if !self.live {
            return Ok(());
        }
        let (width, height) = terminal_size::terminal_size()
            .map_or(USUAL, |(width, height)| (usize::from(width.0), usize::from(height.0)));
        // The last column stays free: some terminals begin a new line when it is filled.
        let width = width.saturating_sub(1).max(20);
        let snapshot = StatsSnapshot { speed: self.speed(snapshot), ..snapshot.clone() };
        let lines = if self.style.one_line {
            vec![snapshot.one_line(self.style, self.clock).trim_start().chars().take(width).collect()]
        } else {
            frame(&snapshot, Terminal { width, height, coloured: self.coloured })
        };
        if self.titled {
            let title = snapshot.one_line(self.style, self.clock);
            write!(out, "\x1b]0;{}\x07", title.trim())?;
        }
        self.screen.draw(out, &lines, width)
    }

    /// Returns the speed of the last seconds.
    fn speed(&self, snapshot: &StatsSnapshot) -> u64 {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let now = snapshot.elapsed;
        past.push_back((now, snapshot.bytes));
        while past.len() > 2 && past.front().is_some_and(|(then, _)| now.saturating_sub(*then) > WINDOW) {
            past.pop_front();
        }
        let Some((then, bytes)) = past.front() else { return snapshot.speed };
        let elapsed = now.saturating_sub(*then).as_millis();
        let moved = u128::from(snapshot.bytes.saturating_sub(*bytes));
        match (moved * 1000).checked_div(elapsed) {
            Some(speed) => u64::try_from(speed).unwrap_or(u64::MAX),
            None => snapshot.speed,
        }
    }

    /// Shows the final state and leaves it there.
    pub(crate) fn finish(&self, out: &mut dyn Write, snapshot: &StatsSnapshot) -> io::Result<()> {
        if self.live {
            self.screen.draw(out, &[], usize::MAX)?;
            self.screen.release();
        }
        out.write_all(self.text(snapshot).as_bytes())?;
        out.flush()
    }

    fn text(&self, snapshot: &StatsSnapshot) -> String {
        if self.style.one_line {
            let mut line = snapshot.one_line(self.style, self.clock).trim_start().to_owned();
            line.push('\n');
            line
        } else {
            snapshot.block(self.style)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static ONE_LINE: Style = Style { one_line: true, ..Style::USUAL };

    fn progress<'a>(screen: &'a Screen, clock: &'a Clock) -> Progress<'a> {
        Progress {
            screen,
            style: &ONE_LINE,
            clock,
            coloured: false,
            live: false,
            titled: false,
            past: Mutex::default(),
        }
    }

    #[test]
    fn a_pipe_gets_the_end_alone() {
        let (screen, clock) = (Screen::stderr(), Clock::of_system());
        let progress = progress(&screen, &clock);
        let mut out = Vec::new();
        progress.show(&mut out, &StatsSnapshot::default()).unwrap();
        assert!(out.is_empty());
        progress.finish(&mut out, &StatsSnapshot::default()).unwrap();
        assert_eq!(out, b"0 B / 0 B, -, 0 B/s, ETA -\n");
    }

    #[test]
    fn the_speed_is_that_of_the_last_seconds() {
        let (screen, clock) = (Screen::stderr(), Clock::of_system());
        let progress = progress(&screen, &clock);
        let at = |seconds, bytes| StatsSnapshot {
            elapsed: Duration::from_secs(seconds),
            bytes,
            ..StatsSnapshot::default()
        };
        progress.speed(&at(0, 0));
        assert_eq!(progress.speed(&at(5, 5000)), 1000);
        assert_eq!(progress.speed(&at(10, 5000)), 0);
        assert_eq!(progress.speed(&at(12, 9000)), 4000 / 7);
    }
}
