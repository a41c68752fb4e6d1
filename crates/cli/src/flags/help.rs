//! The help texts: of the program, of one command, of the flags that all commands share.

use std::{collections::BTreeMap, ffi::OsString, fmt::Write as _};

use super::grammar;

/// The names of all commands.
pub(crate) fn command_names() -> Vec<String> {
    grammar().get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

/// The help of the program as a whole.
pub(crate) fn overview() -> String {
    grammar().render_help().to_string()
}

/// The help of one command; `None` when there is no such command.
pub(crate) fn for_command(name: &str) -> Option<String> {
    let mut grammar = grammar();
    grammar.build();
    let command = grammar.find_subcommand_mut(name)?;
    let mut text = command.render_help().to_string();
    text.push_str("\nThe flags that all commands share: fichier help flags\n");
    Some(text)
}

/// The help that fits a command line on which `--help` was found.
pub(crate) fn help_for(words: &[OsString]) -> String {
    let names = command_names();
    words
        .iter()
        .skip(1)
        .filter_map(|word| word.to_str())
        .find(|word| names.iter().any(|name| name == word))
        .and_then(for_command)
        .unwrap_or_else(overview)
}

/// The flags that all commands share, group by group.
pub(crate) fn flag_table() -> String {
    let mut groups: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for arg in grammar().get_arguments().filter(|arg| arg.is_global_set()) {
        let Some(long) = arg.get_long() else { continue };
        let short = arg.get_short().map_or_else(|| "    ".to_owned(), |short| format!("-{short}, "));
        let value = match (arg.get_action().takes_values(), arg.get_value_names()) {
            (true, Some([name, ..])) if arg.is_require_equals_set() => format!("[={name}]"),
            (true, Some([name, ..])) => format!(" {name}"),
            _ => String::new(),
        };
        let mut help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        if let [default, ..] = arg.get_default_values()
            && arg.get_action().takes_values()
            && !default.is_empty()
        {
            // Writing to a string can't fail.
            let _infallible = write!(help, " (default {})", default.display());
        }
        let group = arg.get_help_heading().unwrap_or("Others").to_owned();
        groups.entry(group).or_default().push((format!("{short}--{long}{value}"), help));
    }
    let mut text = String::from("These flags may stand before or after every command.\n");
    for (group, mut flags) in groups {
        flags.sort_by(|(left, _), (right, _)| left[4..].cmp(&right[4..]));
        let width = flags.iter().map(|(flag, _)| flag.len()).max().unwrap_or(0);
        let _infallible = write!(text, "\n{group}:\n");
        for (flag, help) in flags {
            let _infallible = writeln!(text, "  {flag:width$}  {help}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_help_with_an_example() {
        for name in command_names() {
            let text = for_command(&name).unwrap();
            assert!(text.contains("Example"), "{name} has no example:\n{text}");
            assert!(!text.contains("--low-level-retries"), "{name} shows shared flags:\n{text}");
        }
    }

    #[test]
    fn the_grammar_is_sound() {
        grammar().debug_assert();
    }

    #[test]
    fn shared_flags_are_listed_with_their_defaults() {
        let table = flag_table();
        assert!(table.contains("      --transfers N"), "{table}");
        assert!(table.contains("(default 4)"), "{table}");
        assert!(table.contains("  -n, --dry-run "), "{table}");
    }
}
