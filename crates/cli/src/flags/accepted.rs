//! Flags of rclone that have nothing to decide here. Scripts that set them go on working; `-v` says why nothing
//! follows.

use clap::{Arg, ArgAction, ArgMatches, Command, parser::ValueSource};

/// A flag without effect.
struct Accepted {
    long: &'static str,
    short: Option<char>,
    /// What rclone calls its value; `None`: a switch.
    value: Option<&'static str>,
    /// Why there is nothing to decide.
    reason: &'static str,
}

impl Accepted {
    /// Its identity in the grammar. `lsjson` reads `--metadata` itself, by that name.
    fn id(&self) -> String {
        if self.long == "metadata" { self.long.to_owned() } else { format!("{PREFIX}{}", self.long) }
    }
}

const fn switch(long: &'static str, reason: &'static str) -> Accepted {
    Accepted { long, short: None, value: None, reason }
}

const fn valued(long: &'static str, value: &'static str, reason: &'static str) -> Accepted {
    Accepted { long, short: None, value: Some(value), reason }
}

const NO_METADATA: &str = "no remote here keeps metadata beside name, size and time";

/// All of them.
static ACCEPTED: [Accepted; 29] = [
    valued("client-pass", "OBSCURED", "the key of --client-key has to be stored without a password"),
    valued("cpuprofile", "FILE", "this program writes no profiles"),
    valued("fs-cache-expire-duration", "TIME", "remotes are kept for one run"),
    valued("fs-cache-expire-interval", "TIME", "remotes are kept for one run"),
    valued("max-stats-groups", "N", "there is one group of statistics"),
    valued("memprofile", "FILE", "this program writes no profiles"),
    Accepted { long: "metadata", short: Some('M'), value: None, reason: NO_METADATA },
    valued("metadata-mapper", "COMMAND", NO_METADATA),
    valued("metadata-set", "KEY=VALUE", NO_METADATA),
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
    valued("dscp", "NAME", "connections aren't marked"),
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
        let arg = Arg::new(flag.id())
            .long(flag.long)
            .global(true)
            .hide(true)
            .help(format!("Without effect: {}", flag.reason))
            .help_heading("Accepted from rclone");
        let arg = match flag.short {
            Some(short) => arg.short(short),
            None => arg,
        };
        match flag.value {
            None => arg.action(ArgAction::SetTrue),
            Some(value) => arg.value_name(value),
        }
    }))
}

/// What there is to say about those that were typed.
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
    fn flags_without_effect_are_taken_in_every_form_and_told_of() {
        let line = "fichier --use-mmap ls x --buffer-size 32M --max-backlog=9 --no-console=false";
        let words: Vec<_> = line.split(' ').map(Into::into).collect();
        let Ok(typed) = parse(&words, &Environment::default()) else { panic!("should be understood") };
        let flags: Vec<_> = typed.without_effect.iter().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(flags, ["--buffer-size", "--max-backlog", "--no-console", "--use-mmap"]);
    }
}
