//! The live display of a transfer: laid out for the terminal's width and height.

use std::time::Duration;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{
    size,
    stats::{RunningTransfer, StatsSnapshot},
    time,
};

/// Smallest useful width of a bar, in columns.
const LEAST_BAR: usize = 8;

/// Largest useful width of a bar, in columns.
const MOST_BAR: usize = 40;

/// Properties of the terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terminal {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) coloured: bool,
}

/// Returns the lines of the display, none wider than the terminal, and no more than its height.
pub(super) fn frame(snapshot: &StatsSnapshot, terminal: Terminal) -> Vec<String> {
    let mut lines = vec![total(snapshot, terminal)];
    lines.extend(filled(&counters(snapshot), terminal.width));
    lines.extend(filled(&service(snapshot), terminal.width));
    // One line stays free for what is typed or logged.
    let room = terminal.height.saturating_sub(lines.len() + 1).max(1);
    let shown = if snapshot.running.len() > room { room.saturating_sub(1) } else { snapshot.running.len() };
    lines.extend(snapshot.running[..shown].iter().map(|file| running(file, terminal)));
    if shown < snapshot.running.len() {
        lines.push(fitted(&format!("  … and {} more", snapshot.running.len() - shown), terminal.width));
    }
    lines
}

/// Returns the total: ` 45% [█████░░░░░] 7.7 MiB / 17.2 MiB  2.0 MiB/s  ETA 4s`.
fn total(snapshot: &StatsSnapshot, terminal: Terminal) -> String {
    let mut behind = format!("{} / {}", short(snapshot.bytes), short(snapshot.total_bytes));
    let speed = format!("  {}/s", short(snapshot.speed));
    let eta = match snapshot.total_bytes.saturating_sub(snapshot.bytes).checked_div(snapshot.speed) {
        Some(seconds) => format!("  ETA {}", time::span(Duration::from_secs(seconds))),
        None => String::new(),
    };
    for part in [speed, eta] {
        if behind.width() + part.width() + 6 <= terminal.width {
            behind += &part;
        }
    }
    with_bar(
        &share(snapshot.bytes, snapshot.total_bytes),
        snapshot.bytes,
        snapshot.total_bytes,
        &behind,
        terminal,
    )
}

fn counters(snapshot: &StatsSnapshot) -> Vec<String> {
    let mut parts = vec![format!("Files {}/{}", snapshot.transfers, snapshot.total_transfers)];
    if snapshot.total_checks > 0 {
        parts.push(format!("Checked {}/{}", snapshot.checks, snapshot.total_checks));
    }
    let counted = [
        ("Renamed", snapshot.renamed),
        ("Copied there", snapshot.server_side_copies),
        ("Deleted", snapshot.deleted + snapshot.deleted_folders),
        ("Errors", snapshot.errors),
    ];
    parts.extend(
        counted.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{what} {count}")),
    );
    parts.push(format!("Time {}", time::span(Duration::from_secs(snapshot.elapsed.as_secs()))));
    parts
}

fn service(snapshot: &StatsSnapshot) -> Vec<String> {
    let calls = (snapshot.calls > 0).then(|| format!("Calls {}", snapshot.calls));
    let waiting = snapshot.waiting.as_ref().map(|waiting| format!("Waiting: {waiting}"));
    calls.into_iter().chain(waiting).collect()
}

/// Puts parts side by side, as many on a line as fit.
fn filled(parts: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if line.width() + 2 + part.width() <= width => {
                line.push_str("  ");
                line.push_str(part);
            }
            _ => lines.push(fitted(part, width)),
        }
    }
    lines
}

/// Returns one file: `  some/long na…me.bin  70% [███████░░░] 2.9 MiB  1.0 MiB/s`.
fn running(file: &RunningTransfer, terminal: Terminal) -> String {
    let name_width = (terminal.width * 2 / 5).max(12).min(terminal.width.saturating_sub(8));
    let name = shortened(&file.name, name_width);
    let padding = " ".repeat(name_width.saturating_sub(name.width()));
    let mut behind = short(file.size);
    if file.speed > 0 {
        behind += &format!("  {}/s", short(file.speed));
    }
    let head = format!("  {name}{padding} {}", share(file.done, file.size));
    with_bar(&head, file.done, file.size, &behind, terminal)
}

/// Returns the head, a bar, and the text after it; each of the last two only where it fits.
fn with_bar(head: &str, done: u64, whole: u64, behind: &str, terminal: Terminal) -> String {
    let taken = head.width() + behind.width() + 4;
    let cells = terminal.width.saturating_sub(taken).min(MOST_BAR);
    if cells >= LEAST_BAR {
        return format!("{head} [{}] {behind}", bar(done, whole, cells, terminal.coloured));
    }
    let line = format!("{head} {behind}");
    if line.width() <= terminal.width { line } else { fitted(head, terminal.width) }
}

fn bar(done: u64, whole: u64, cells: usize, coloured: bool) -> String {
    let cells_of = u128::try_from(cells).unwrap_or(0);
    let filled = (u128::from(done.min(whole)) * cells_of).checked_div(u128::from(whole)).unwrap_or(0);
    let filled = usize::try_from(filled).unwrap_or(cells);
    let (full, empty) = ("█".repeat(filled), "░".repeat(cells - filled));
    if coloured { format!("\x1b[32m{full}\x1b[2;39m{empty}\x1b[0m") } else { full + &empty }
}

/// Returns a percentage in four characters: ` 45%`; `  -%` if the whole is zero.
fn share(part: u64, whole: u64) -> String {
    match (u128::from(part.min(whole)) * 100).checked_div(u128::from(whole)) {
        Some(percent) => format!("{percent:>3}%"),
        None => "  -%".to_owned(),
    }
}

/// Returns a size in three digits or so: `7.72 MiB`.
fn short(bytes: u64) -> String {
    let text = size::in_bytes(bytes);
    let Some((number, unit)) = text.split_once(' ') else { return text };
    let kept: String = match number.find('.') {
        Some(point) if point >= 3 => number[..point].to_owned(),
        Some(_) => number.chars().take(4).collect(),
        None => number.to_owned(),
    };
    format!("{kept} {unit}")
}

/// Cuts a text to the width of a line.
fn fitted(text: &str, width: usize) -> String {
    taken(text.chars(), width)
}

/// Shortens a long name in its middle.
fn shortened(name: &str, width: usize) -> String {
    let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if name.width() <= width {
        return name;
    }
    let room = width.saturating_sub(1);
    let head = taken(name.chars(), room / 2);
    let tail: Vec<char> = taken(name.chars().rev(), room - head.width()).chars().collect();
    head + "…" + &tail.into_iter().rev().collect::<String>()
}

/// Returns as many characters as fit into this many columns.
fn taken(characters: impl Iterator<Item = char>, width: usize) -> String {
    let mut used = 0;
    characters
        .take_while(|character| {
            used += character.width().unwrap_or(0);
            used <= width
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn snapshot() -> StatsSnapshot {
        let running =
            |name: &str, done, size, speed| RunningTransfer { name: name.into(), done, size, speed };
        StatsSnapshot {
            elapsed: Duration::from_secs(65),
            bytes: 7 * MIB + 750_000,
            total_bytes: 17 * MIB,
            speed: 2 * MIB,
            checks: 36,
            total_checks: 40,
            transfers: 30,
            total_transfers: 36,
            deleted: 3,
            errors: 1,
            calls: 42,
            waiting: Some("1Fichier asks to slow down, 24s".into()),
            running: vec![
                running("photos/2024/a rather long name that does not fit.jpeg", 2 * MIB, 3 * MIB, MIB),
                running("日本/写真/とても長い名前のファイルがここにあります.png", 0, 5 * MIB, 0),
                running("short", 10, 10, 0),
            ],
            ..StatsSnapshot::default()
        }
    }

    fn shown(width: usize, height: usize) -> String {
        let lines = frame(&snapshot(), Terminal { width, height, coloured: false });
        for line in &lines {
            assert!(line.width() <= width, "{line:?} is {} wide", line.width());
        }
        assert!(lines.len() < height || height < 6, "{} lines", lines.len());
        lines.join("\n")
    }

    #[test]
    fn at_eighty_columns() {
        insta::assert_snapshot!(shown(80, 24));
    }

    #[test]
    fn at_fifty_columns() {
        insta::assert_snapshot!(shown(50, 20));
    }

    #[test]
    fn at_a_few_columns_and_lines_nothing_breaks() {
        insta::assert_snapshot!(shown(24, 8));
        for width in 1..30 {
            for height in 1..10 {
                frame(&snapshot(), Terminal { width: width + 12, height, coloured: true });
            }
        }
    }

    #[test]
    fn colours_are_asked_for() {
        let lines = frame(&snapshot(), Terminal { width: 80, height: 24, coloured: true });
        assert!(lines[0].contains("\x1b[32m"));
        let lines = frame(&snapshot(), Terminal { width: 80, height: 24, coloured: false });
        assert!(!lines.concat().contains('\x1b'));
    }
}
