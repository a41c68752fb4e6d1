//! Flags of rclone that have no effect here. Scripts that set them keep working; `-v` says why they have none.

use clap::{Arg, ArgAction, ArgMatches, Command, parser::ValueSource};

/// A flag of rclone without effect.
struct Accepted {
    long: &'static str,
    /// Name of its value in rclone's help; `None` for a switch.
    value: Option<&'static str>,
    /// Why the flag has no effect.
    reason: &'static str,
    /// Checks a value, and says what is wrong with one that rclone would refuse.
    check: fn(&str) -> Result<String, String>,
}

impl Accepted {
    /// Returns the id of the flag in the grammar.
    fn id(&self) -> String {
        format!("{PREFIX}{}", self.long)
    }
}

const fn switch(long: &'static str, reason: &'static str) -> Accepted {
    Accepted { long, value: None, reason, check: anything }
}

const fn valued(long: &'static str, value: &'static str, reason: &'static str) -> Accepted {
    Accepted { long, value: Some(value), reason, check: anything }
}

/// All flags without effect.
static ACCEPTED: [Accepted; 26] = [
    valued("client-pass", "OBSCURED", "the key of --client-key has to be stored without a password"),
    valued("cpuprofile", "FILE", "this program writes no profiles"),
    valued("fs-cache-expire-duration", "TIME", "remotes are kept for one run"),
    valued("fs-cache-expire-interval", "TIME", "remotes are kept for one run"),
    valued("max-stats-groups", "N", "there is one group of statistics"),
    valued("memprofile", "FILE", "this program writes no profiles"),
    switch(
        "refresh-times",
        "every remote here has checksums, so wrong times are always corrected without sending the file",
    ),
    switch(
        "server-side-across-configs",
        "what two remotes of one name share is used anyway; others go through this machine",
    ),
    switch("use-server-modtime", "1Fichier keeps no other time than its own"),
    switch("auto-confirm", "Enter takes the answer that a question suggests"),
    valued("buffer-size", "SIZE", "files are read no further ahead than needed; see --max-buffer-memory"),
    switch("disable-http2", "bytes always go by HTTP/1.1"),
    Accepted { check: dscp, ..valued("dscp", "NAME", "connections aren't marked") },
    valued("expect-continue-timeout", "TIME", "uploads don't wait for leave to begin"),
    switch("ignore-checksum", "a transfer counts as done when the checksums agree"),
    valued("kv-lock-time", "TIME", "what is kept on the disk is shared by processes"),
    valued("list-cutoff", "N", "folders are listed whole"),
    switch("local-fatal-if-no-space", "a full disk always ends the run, with exit code 1"),
    valued("max-backlog", "N", "what is left to do is kept on the disk"),
    valued("multi-thread-write-buffer-size", "SIZE", "see --max-buffer-memory"),
    switch("no-console", "no window is opened"),
    switch("no-gzip-encoding", "files are never asked for in compressed form"),
    valued("streaming-upload-cutoff", "SIZE", "the service must know the size of all that is stored"),
    valued("tpslimit-burst", "N", "calls are spread evenly"),
    switch("use-cookies", "the service needs none"),
    switch("use-mmap", "memory is given back to the system anyway"),
];

/// Beginning of such a flag's id in the grammar.
const PREFIX: &str = "accepted ";

/// Adds the flags to the grammar.
pub(super) fn add_to(command: Command) -> Command {
    command.args(ACCEPTED.iter().map(|flag| {
        let arg = Arg::new(flag.id())
            .long(flag.long)
            .global(true)
            .hide(true)
            .help(format!("Without effect: {}", flag.reason))
            .help_heading("Accepted from rclone");
        match flag.value {
            None => arg.action(ArgAction::SetTrue),
            Some(value) => arg.value_name(value).value_parser(flag.check),
        }
    }))
}

fn anything(value: &str) -> Result<String, String> {
    Ok(value.to_owned())
}

/// Checks a name of RFC 2474 and its successors for a packet mark, or a number below 64.
fn dscp(value: &str) -> Result<String, String> {
    let name = value.to_ascii_uppercase();
    let is_name = match name.as_bytes() {
        b"" | b"BE" | b"DF" | b"EF" | b"LE" | [b'C', b'S', b'0'..=b'6'] => true,
        [b'A', b'F', b'1'..=b'4', b'1'..=b'3'] => true,
        number => number.iter().all(u8::is_ascii_digit) && name.parse::<u8>().is_ok_and(|mark| mark < 64),
    };
    match is_name {
        true => Ok(value.to_owned()),
        false => Err(format!(
            "Invalid DSCP name: {value}; there are CS0 to CS6, AF11 to AF43, EF, LE, DF, BE, 0 to 63"
        )),
    }
}

/// Returns what to say about the flags that were typed.
pub(super) fn typed(matches: &ArgMatches) -> Vec<String> {
    let was_typed = |flag: &&Accepted| {
        let id = flag.id();
        matches.value_source(&id).is_some_and(|source| source == ValueSource::CommandLine)
    };
    let sentence = |flag: &Accepted| format!("--{} has no effect here: {}", flag.long, flag.reason);
    ACCEPTED.iter().filter(was_typed).map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use crate::flags::{Environment, parse};

    #[test]
    fn marks_are_those_that_rclone_knows() {
        for fine in ["CS0", "cs6", "AF11", "af43", "EF", "le", "DF", "BE", "0", "007", "63", ""] {
            assert!(super::dscp(fine).is_ok(), "{fine}");
        }
        for wrong in ["ZZ", "CS7", "AF44", "AF10", "AF51", "VA", "64", "-1", "+5", " 5", "0x10", "1f"] {
            assert!(super::dscp(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn flags_without_effect_are_taken_in_every_form_and_told_of() {
        let line = "fichier --use-mmap ls x --buffer-size 32M --max-backlog=9 --no-console=false";
        let words: Vec<_> = line.split(' ').map(Into::into).collect();
        let Ok(typed) = parse::<crate::commands::Command>(&words, &Environment::default()) else {
            panic!("should be understood")
        };
        let flags: Vec<_> = typed.without_effect.iter().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(flags, ["--buffer-size", "--max-backlog", "--no-console", "--use-mmap"]);
    }
}
