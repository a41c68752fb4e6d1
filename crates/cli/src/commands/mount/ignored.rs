//! Flags of rclone's `mount` that have no effect here.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, parser::ValueSource};

/// The flags that were typed, and why each has no effect.
#[derive(Debug, Clone, Default)]
pub(super) struct Ignored(Vec<String>);

/// Flag, whether it needs a value, and why it has no effect.
const FLAGS: [(&str, bool, &str); 12] = [
    ("allow-idmap", false, "owners are those of --uid and --gid"),
    ("async-read", false, "reading never waits for other reading"),
    ("daemon-timeout", true, "the kernel waits as long as it takes"),
    ("debug-fuse", false, "-vv tells what is asked and answered"),
    ("direct-io", false, "the kernel keeps pages only while the content is the same"),
    ("fuse-flag", true, "there is no libfuse; see --option"),
    ("max-read-ahead", true, "see --vfs-read-ahead"),
    ("mount-case-insensitive", true, "see --vfs-case-insensitive"),
    ("network-mode", false, "it is for Windows"),
    ("noappledouble", false, "it is for macOS"),
    ("noapplexattr", false, "it is for macOS"),
    ("write-back-cache", false, "what is written is on this disk at once"),
];

impl Ignored {
    /// Says of each flag that was typed why it has no effect.
    pub(super) fn say(&self) {
        self.0.iter().for_each(|line| tracing::info!("{line}"));
    }
}

impl Args for Ignored {
    fn augment_args(command: Command) -> Command {
        command.args(FLAGS.map(|(long, needs_value, reason)| {
            let arg = Arg::new(long).long(long).hide(true).help(format!("Without effect: {reason}"));
            match needs_value {
                true => arg.value_name("VALUE").action(ArgAction::Append),
                false => arg.action(ArgAction::SetTrue),
            }
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Ignored {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let was_typed = |long: &str| matches.value_source(long) == Some(ValueSource::CommandLine);
        let typed = FLAGS.iter().filter(|(long, ..)| was_typed(long));
        Ok(Self(typed.map(|(long, _, why)| format!("--{long} has no effect here: {why}")).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_without_effect_are_taken_and_told_of() {
        let command = Ignored::augment_args(Command::new("x"));
        let matches = command.get_matches_from(["x", "--debug-fuse", "--max-read-ahead", "1M"]);
        let Ignored(lines) = Ignored::from_arg_matches(&matches).unwrap();
        let flags: Vec<_> = lines.iter().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(flags, ["--debug-fuse", "--max-read-ahead"]);
    }
}
