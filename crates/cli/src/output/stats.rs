//! The block of statistics that a transfer shows, and its one-line form.

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime},
};

use super::{
    go_time, size,
    time::{self, Clock},
};
use crate::flags::{StatsFlags, Unit};

/// Form in which statistics are shown.
#[derive(Debug, Clone)]
pub(crate) struct Style {
    /// Whether they are on one line.
    pub(crate) one_line: bool,
    /// Form of the time at the beginning of the one line; `None` means no time.
    pub(super) dated: Option<String>,
    pub(super) unit: Unit,
    /// Most characters of a file's name that are shown; `None` means all.
    pub(super) name_width: Option<usize>,
}

impl Style {
    /// Form without any flag.
    #[cfg(test)]
    pub(super) const USUAL: Self =
        Self { one_line: false, dated: None, unit: Unit::Bytes, name_width: Some(45) };

    /// Returns the form that the flags set.
    pub(crate) fn of(flags: &StatsFlags) -> Self {
        let form = match (flags.stats_one_line_date_format.as_str(), flags.stats_one_line_date) {
            ("", false) => None,
            ("", true) => Some("2006/01/02 15:04:05 - ".to_owned()),
            (form, _) => Some(form.to_owned()),
        };
        Self {
            one_line: flags.stats_one_line || form.is_some(),
            dated: form,
            unit: flags.stats_unit,
            name_width: Some(flags.stats_file_name_length).filter(|width| *width > 0),
        }
    }

    fn rate(&self, bytes: u64) -> String {
        match self.unit {
            Unit::Bytes => format!("{}/s", size::in_bytes(bytes)),
            Unit::Bits => format!("{}/s", size::in_bits(bytes)),
        }
    }
}

/// State of a run, as shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct StatsSnapshot {
    /// Time since the run began.
    pub(crate) elapsed: Duration,
    /// Bytes transferred, and bytes of all transfers known so far.
    pub(crate) bytes: u64,
    pub(crate) total_bytes: u64,
    /// Speed at the moment, in bytes per second.
    pub(crate) speed: u64,
    /// Number of errors.
    pub(crate) errors: u64,
    /// Whether another run may succeed.
    pub(crate) retry_may_help: bool,
    /// Files compared, and files known so far that are or will be compared.
    pub(crate) checks: u64,
    pub(crate) total_checks: u64,
    /// Entries listed; `None` if they aren't counted.
    pub(crate) listed: Option<u64>,
    /// Files and folders removed.
    pub(crate) deleted: u64,
    pub(crate) deleted_folders: u64,
    /// Bytes of the files removed.
    pub(crate) deleted_bytes: u64,
    /// Files renamed or moved at the remote.
    pub(crate) renamed: u64,
    /// Files moved inside the remote, and their bytes.
    pub(crate) server_side_moves: u64,
    pub(crate) server_side_moved_bytes: u64,
    /// Files copied inside the remote, and their bytes.
    pub(crate) server_side_copies: u64,
    pub(crate) server_side_copied_bytes: u64,
    /// Files transferred, and files known so far that are or will be transferred.
    pub(crate) transfers: u64,
    pub(crate) total_transfers: u64,
    /// Calls that remotes on the network have made.
    pub(crate) calls: u64,
    /// Why the run waits at the moment, such as a pause that the service asks for.
    pub(crate) waiting: Option<String>,
    /// Files being transferred, oldest first.
    pub(crate) running: Vec<RunningTransfer>,
}

/// A file being transferred.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunningTransfer {
    /// Path from the run's root.
    pub(crate) name: String,
    /// Bytes transferred so far.
    pub(crate) done: u64,
    /// Size in bytes.
    pub(crate) size: u64,
    /// Speed at the moment, in bytes per second.
    pub(crate) speed: u64,
}

impl StatsSnapshot {
    /// Returns what the engine has counted; speeds are averages since the start.
    pub(crate) fn of(counted: &fichier_engine::StatsSnapshot) -> Self {
        let rate = |bytes: u64, elapsed: Duration| {
            let nanoseconds = elapsed.as_nanos().max(1);
            // In the first second an average means nothing.
            if elapsed < Duration::from_secs(1) {
                return 0;
            }
            u64::try_from(u128::from(bytes) * 1_000_000_000 / nanoseconds).unwrap_or(u64::MAX)
        };
        Self {
            elapsed: counted.elapsed,
            bytes: counted.bytes,
            total_bytes: counted.total_bytes,
            speed: rate(counted.bytes, counted.elapsed),
            errors: counted.errors,
            checks: counted.checks,
            total_checks: counted.total_checks,
            listed: Some(counted.listed),
            deleted: counted.deleted,
            deleted_folders: counted.deleted_folders,
            deleted_bytes: counted.deleted_bytes,
            renamed: counted.renamed,
            server_side_moves: counted.server_side_moves,
            server_side_moved_bytes: counted.server_side_moved_bytes,
            server_side_copies: counted.server_side_copies,
            server_side_copied_bytes: counted.server_side_copied_bytes,
            transfers: counted.transfers,
            total_transfers: counted.total_transfers,
            running: counted
                .running
                .iter()
                .map(|file| RunningTransfer {
                    name: file.path.to_string(),
                    done: file.done,
                    size: file.size,
                    speed: rate(file.done - file.known, file.started.elapsed()),
                })
                .collect(),
            ..Self::default()
        }
    }

    /// Returns all counters in several lines, each ended by a line feed.
    pub(crate) fn block(&self, style: &Style) -> String {
        let mut text = format!("Transferred:   \t{}\n", self.bytes_line(style));
        // Writing to a string can't fail.
        let _infallible = self.write_counters(&mut text, style);
        text
    }

    fn write_counters(&self, text: &mut String, style: &Style) -> std::fmt::Result {
        if self.errors > 0 {
            let advice = if self.retry_may_help { "retrying may help" } else { "no need to retry" };
            writeln!(text, "Errors:        {:>10} ({advice})", self.errors)?;
        }
        if self.total_checks > 0 || self.listed.is_some_and(|listed| listed > 0) {
            let percent = percent(self.checks, self.total_checks);
            write!(text, "Checks:        {:>10} / {}, {percent}", self.checks, self.total_checks)?;
            if let Some(listed) = self.listed {
                write!(text, ", Listed {listed}")?;
            }
            text.push('\n');
        }
        if self.deleted > 0 || self.deleted_folders > 0 {
            let freed = size::in_bytes(self.deleted_bytes);
            let (files, folders) = (self.deleted, self.deleted_folders);
            writeln!(text, "Deleted:       {files:>10} (files), {folders} (dirs), {freed} (freed)")?;
        }
        if self.renamed > 0 {
            writeln!(text, "Renamed:       {:>10}", self.renamed)?;
        }
        if self.total_transfers > 0 {
            let percent = percent(self.transfers, self.total_transfers);
            writeln!(text, "Transferred:   {:>10} / {}, {percent}", self.transfers, self.total_transfers)?;
        }
        if self.server_side_copies > 0 {
            let bytes = size::in_bytes(self.server_side_copied_bytes);
            writeln!(text, "Server Side Copies:{:>6} @ {bytes}", self.server_side_copies)?;
        }
        if self.server_side_moves > 0 {
            let bytes = size::in_bytes(self.server_side_moved_bytes);
            writeln!(text, "Server Side Moves: {:>6} @ {bytes}", self.server_side_moves)?;
        }
        writeln!(text, "Elapsed time:  {:>10}s", elapsed(self.elapsed))?;
        if let Some(waiting) = &self.waiting {
            writeln!(text, "Waiting:       {waiting}")?;
        }
        if !self.running.is_empty() {
            text.push_str("Transferring:\n");
            for file in &self.running {
                writeln!(text, "{}", file.line(style))?;
            }
        }
        Ok(())
    }

    /// Returns the counters as a JSON object with the names and units of rclone's log.
    pub(crate) fn json(&self) -> String {
        let left = |done: u64, total: u64, speed: u64| total.saturating_sub(done).checked_div(speed);
        let running = |file: &RunningTransfer| {
            let percent = (u128::from(file.done) * 100).checked_div(u128::from(file.size));
            serde_json::json!({
                "bytes": file.done,
                "eta": left(file.done, file.size, file.speed),
                "group": "global_stats",
                "name": file.name,
                "percentage": percent.and_then(|percent| u64::try_from(percent).ok()).unwrap_or(0),
                "size": file.size,
                "speed": file.speed,
                "speedAvg": file.speed,
            })
        };
        let mut stats = serde_json::json!({
            "bytes": self.bytes,
            "checks": self.checks,
            "deletedDirs": self.deleted_folders,
            "deletes": self.deleted,
            "elapsedTime": self.elapsed.as_secs_f64(),
            "errors": self.errors,
            "eta": left(self.bytes, self.total_bytes, self.speed),
            "fatalError": false,
            "listed": self.listed.unwrap_or(0),
            "renames": self.renamed,
            "retryError": self.errors > 0 && self.retry_may_help,
            "serverSideCopies": self.server_side_copies,
            "serverSideCopyBytes": self.server_side_copied_bytes,
            "serverSideMoveBytes": self.server_side_moved_bytes,
            "serverSideMoves": self.server_side_moves,
            "speed": self.speed,
            "totalBytes": self.total_bytes,
            "totalChecks": self.total_checks,
            "totalTransfers": self.total_transfers,
            "transferTime": self.elapsed.as_secs_f64(),
            "transfers": self.transfers,
        });
        if !self.running.is_empty() {
            stats["transferring"] = self.running.iter().map(running).collect();
        }
        stats.to_string()
    }

    /// Returns the counters on one line, without a line feed.
    pub(crate) fn one_line(&self, style: &Style, clock: &Clock) -> String {
        let now = |form: &String| go_time::render(&clock.local(Some(SystemTime::now())), form);
        let mut text = style.dated.as_ref().map(now).unwrap_or_default();
        text.push_str(&self.bytes_line(style));
        let queued = |done: u64, running: usize, total: u64| done + (running as u64) < total;
        let mut numbers = Vec::new();
        if self.checks < self.total_checks {
            numbers.push(format!("chk#{}/{}", self.checks, self.total_checks));
        }
        if queued(self.transfers, self.running.len(), self.total_transfers) {
            numbers.push(format!("xfr#{}/{}", self.transfers, self.total_transfers));
        }
        if !numbers.is_empty() {
            let _infallible = write!(text, " ({})", numbers.join(", "));
        }
        text
    }

    fn bytes_line(&self, style: &Style) -> String {
        format!(
            "{:>13} / {}, {}, {}, ETA {}",
            size::in_bytes(self.bytes),
            size::in_bytes(self.total_bytes),
            percent(self.bytes, self.total_bytes),
            style.rate(self.speed),
            eta(self.bytes, self.total_bytes, self.speed),
        )
    }
}

impl RunningTransfer {
    fn line(&self, style: &Style) -> String {
        let width = style.name_width.unwrap_or(0);
        let name = style.name_width.map_or_else(|| self.name.clone(), |width| shortened(&self.name, width));
        if self.done == 0 {
            return format!(" * {name:>width$}: transferring");
        }
        format!(
            " * {name:>width$}:{:>4} / {}, {}, {}",
            percent(self.done, self.size),
            size::in_bytes(self.size),
            style.rate(self.speed),
            eta(self.done, self.size, self.speed),
        )
    }
}

/// Shortens a long name in its middle.
fn shortened(name: &str, width: usize) -> String {
    let length = name.chars().count();
    if length <= width {
        return name.to_owned();
    }
    let kept = width.saturating_sub(1);
    let head = name.chars().take(kept.div_ceil(2));
    let tail = name.chars().skip(length - kept / 2);
    head.chain(std::iter::once('…')).chain(tail).collect()
}

/// Returns a percentage, rounded to the nearest whole; `-` if the whole is zero.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let rounded = (u128::from(part) * 200 + u128::from(whole)) / (u128::from(whole) * 2);
    format!("{rounded}%")
}

fn eta(done: u64, total: u64, speed: u64) -> String {
    if speed == 0 {
        return "-".to_owned();
    }
    time::span(Duration::from_secs(total.saturating_sub(done) / speed))
}

/// Returns a duration as `2.0` or `1m2.0`: the caller adds the `s`.
fn elapsed(elapsed: Duration) -> String {
    let minutes = Duration::from_secs(elapsed.as_secs() / 60 * 60);
    let before = if minutes.is_zero() { String::new() } else { time::span(minutes) };
    format!("{before}{:.1}", (elapsed - minutes).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    // Measured with rclone 1.75.2: `copy -v --bwlimit 3M --stats 1s --transfers 2`.
    #[test]
    fn block_in_the_middle_of_a_copy() {
        let snapshot = StatsSnapshot {
            elapsed: Duration::from_millis(1930),
            bytes: 6_351_224,
            total_bytes: 14_683_649,
            speed: 3_240_100,
            listed: Some(7),
            transfers: 3,
            total_transfers: 7,
            running: vec![
                RunningTransfer {
                    name: "a rather long file name that goes on and on beyond the limit.bin".into(),
                    done: 1_698_693,
                    size: 3 * MIB,
                    speed: 0,
                },
                RunningTransfer {
                    name: "f10485761".into(),
                    done: 3_041_000,
                    size: 10_485_761,
                    speed: 1_565_524,
                },
                RunningTransfer { name: "f1048576".into(), done: 52_429, size: MIB, speed: 0 },
            ],
            ..StatsSnapshot::default()
        };
        assert_eq!(
            snapshot.block(&Style::USUAL),
            "Transferred:   \t    6.057 MiB / 14.003 MiB, 43%, 3.090 MiB/s, ETA 2s\n\
             Checks:                 0 / 0, -, Listed 7\n\
             Transferred:            3 / 7, 43%\n\
             Elapsed time:         1.9s\n\
             Transferring:\n \
             * a rather long file nam…n beyond the limit.bin: 54% / 3 MiB, 0 B/s, -\n \
             *                                     f10485761: 29% / 10.000 MiB, 1.493 MiB/s, 4s\n \
             *                                      f1048576:  5% / 1 MiB, 0 B/s, -\n"
        );
        assert_eq!(
            snapshot.one_line(&Style::USUAL, &Clock::new(jiff::tz::TimeZone::UTC)),
            "    6.057 MiB / 14.003 MiB, 43%, 3.090 MiB/s, ETA 2s (xfr#3/7)"
        );
    }

    #[test]
    fn block_of_a_run_that_failed() {
        let snapshot =
            StatsSnapshot { errors: 7, retry_may_help: true, listed: Some(7), ..StatsSnapshot::default() };
        assert_eq!(
            snapshot.block(&Style::USUAL),
            "Transferred:   \t          0 B / 0 B, -, 0 B/s, ETA -\n\
             Errors:                 7 (retrying may help)\n\
             Checks:                 0 / 0, -, Listed 7\n\
             Elapsed time:         0.0s\n"
        );
    }

    #[test]
    fn all_done() {
        let snapshot = StatsSnapshot {
            bytes: 11 * MIB,
            total_bytes: 11 * MIB,
            transfers: 11,
            total_transfers: 11,
            elapsed: Duration::from_millis(62_000),
            ..StatsSnapshot::default()
        };
        assert_eq!(
            snapshot.one_line(&Style::USUAL, &Clock::new(jiff::tz::TimeZone::UTC)),
            "       11 MiB / 11 MiB, 100%, 0 B/s, ETA -"
        );
        assert!(
            snapshot.block(&Style::USUAL).contains("Elapsed time:       1m2.0s\n"),
            "{}",
            snapshot.block(&Style::USUAL)
        );
    }

    // Measured with rclone 1.75.2: `copy -v --stats 1s --stats-unit bits --stats-file-name-length 20` and
    // `--stats-one-line --stats-one-line-date-format 15:04`.
    #[test]
    fn other_styles() {
        let snapshot = StatsSnapshot {
            bytes: 3_179_282,
            total_bytes: 6_005_000,
            speed: 3_173_253,
            running: vec![RunningTransfer {
                name: "a_rather_long_name_that_goes_on_and_on_beyond.bin".into(),
                done: 3_146_000,
                size: 6_000_000,
                speed: 3_168_797,
            }],
            ..StatsSnapshot::default()
        };
        let bits = Style { unit: Unit::Bits, name_width: Some(20), ..Style::USUAL };
        let block = snapshot.block(&bits);
        assert!(
            block.starts_with("Transferred:   \t    3.032 MiB / 5.727 MiB, 53%, 24.210 Mibit/s, ETA 0s\n")
        );
        assert!(block.ends_with(" * a_rather_l…eyond.bin: 52% / 5.722 MiB, 24.176 Mibit/s, 0s\n"), "{block}");
        let whole = snapshot.block(&Style { name_width: None, ..Style::USUAL });
        assert!(whole.contains(" * a_rather_long_name_that_goes_on_and_on_beyond.bin: 52% / "), "{whole}");
        let dated = Style { dated: Some("2006".into()), ..Style::USUAL };
        let line = snapshot.one_line(&dated, &Clock::new(jiff::tz::TimeZone::UTC));
        assert!(
            line.starts_with("20") && line[4..].starts_with("    3.032 MiB / 5.727 MiB, 53%, "),
            "{line}"
        );
    }
}
