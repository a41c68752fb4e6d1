//! Flags of rclone that have nothing to decide here. Scripts that set them go on working; `-v` says why nothing
//! follows.

use clap::{Arg, ArgAction, ArgMatches, Command, parser::ValueSource};

/// A flag without effect.
struct Accepted {
    long: &'static str,
    /// What rclone calls its value; `None`: a switch.
    value: Option<&'static str>,
    /// Why there is nothing to decide.
    reason: &'static str,
}

const fn switch(long: &'static str, reason: &'static str) -> Accepted {
    Accepted { long, value: None, reason }
}

const fn valued(long: &'static str, value: &'static str, reason: &'static str) -> Accepted {
    Accepted { long, value: Some(value), reason }
}

/// All of them.
static ACCEPTED: [Accepted; 15] = [
    valued("buffer-size", "SIZE", "files are read no further ahead than needed; see --max-buffer-memory"),
    switch("disable-http2", "bytes always go by HTTP/1.1"),
    valued("expect-continue-timeout", "TIME", "uploads don't wait for leave to begin"),
    switch("ignore-checksum", "a transfer counts as done when the checksums agree"),
    valued("kv-lock-time", "TIME", "what is kept on the disk is shared by processes"),
    valued("list-cutoff", "N", "folders are listed whole"),
    valued("max-backlog", "N", "what is left to do is kept on the disk"),
    valued("multi-thread-write-buffer-size", "SIZE", "see --max-buffer-memory"),
    switch("no-console", "no window is opened"),
    switch("no-gzip-encoding", "files are never asked for in compressed form"),
    switch("no-update-dir-modtime", "times of folders are left alone"),
    valued("streaming-upload-cutoff", "SIZE", "the service must know the size of all that is stored"),
    valued("tpslimit-burst", "N", "calls are spread evenly"),
    switch("use-cookies", "the service needs none"),
    switch("use-mmap", "memory is given back to the system anyway"),
];

/// Before the identity of such a flag in the grammar.
const PREFIX: &str = "accepted ";

/// Adds them to the grammar.
pub(super) fn add_to(command: Command) -> Command {
    command.args(ACCEPTED.iter().map(|flag| {
        let arg = Arg::new(format!("{PREFIX}{}", flag.long))
            .long(flag.long)
            .global(true)
            .hide(true)
            .help(format!("Without effect: {}", flag.reason))
            .help_heading("Accepted from rclone");
        match flag.value {
            None => arg.action(ArgAction::SetTrue),
            Some(value) => arg.value_name(value),
        }
    }))
}

/// What there is to say about those that were typed.
pub(super) fn typed(matches: &ArgMatches) -> Vec<String> {
    let was_typed = |flag: &&Accepted| {
        let id = format!("{PREFIX}{}", flag.long);
        matches.value_source(&id).is_some_and(|source| source == ValueSource::CommandLine)
    };
    let sentence = |flag: &Accepted| format!("--{} has no effect here: {}", flag.long, flag.reason);
    ACCEPTED.iter().filter(was_typed).map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use crate::flags::{Environment, parse};

    #[test]
    fn flags_without_effect_are_taken_in_every_form_and_told_of() {
        let line = "fichier --use-mmap ls x --buffer-size 32M --max-backlog=9 --no-console=false";
        let words: Vec<_> = line.split(' ').map(Into::into).collect();
        let Ok(typed) = parse(&words, &Environment::default()) else { panic!("should be understood") };
        let flags: Vec<_> = typed.without_effect.iter().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(flags, ["--buffer-size", "--max-backlog", "--no-console", "--use-mmap"]);
    }
}
