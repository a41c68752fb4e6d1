//! The help texts: of the program, of one command, of the flags that all commands share; and manual pages.

use std::{collections::BTreeMap, ffi::OsString, fmt::Write as _, io, path::Path};

use super::grammar;

/// The help of the program as a whole.
pub(crate) fn overview() -> String {
    grammar().render_help().to_string()
}

/// The help of a command, such as `config`, `create`; `None` when there is no such command.
pub(crate) fn for_command(path: &[String]) -> Option<String> {
    let mut grammar = grammar();
    grammar.build();
    let mut command = path.first().map(|_| &mut grammar)?;
    for name in path {
        command = command.find_subcommand_mut(name)?;
    }
    let mut text = command.render_help().to_string();
    text.push_str("\nThe flags that all commands share: fichier help flags\n");
    Some(text)
}

/// The help that fits a command line on which `--help` was found.
pub(crate) fn help_for(words: &[OsString]) -> String {
    let grammar = grammar();
    let mut command = &grammar;
    let mut path = Vec::new();
    for word in words.iter().skip(1).filter_map(|word| word.to_str()) {
        if let Some(next) = command.find_subcommand(word) {
            path.push(next.get_name().to_owned());
            command = next;
        }
    }
    for_command(&path).unwrap_or_else(overview)
}

/// Writes a manual page for the program and for each command into a directory.
///
/// # Errors
/// The directory can't be made or written to.
pub(crate) fn write_manual_pages(directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    clap_mangen::generate_to(grammar(), directory)?;
    // The flags that the commands' own pages leave out stand on the program's page.
    let mut page = Vec::new();
    clap_mangen::Man::new(grammar().mut_args(|arg| arg.hide(false))).render(&mut page)?;
    std::fs::write(directory.join("fichier.1"), page)
}

/// The flags that all commands share, group by group; only the groups whose name holds a word, if one is given.
/// `None`: there is no such group.
pub(crate) fn flag_table(wanted: Option<&str>) -> Option<String> {
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
    if let Some(wanted) = wanted.map(str::to_lowercase) {
        groups.retain(|group, _| group.to_lowercase().contains(&wanted));
        if groups.is_empty() {
            return None;
        }
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
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths_below(command: &clap::Command, path: &[String]) -> Vec<Vec<String>> {
        let mut paths = Vec::new();
        for below in command.get_subcommands() {
            let path = [path, &[below.get_name().to_owned()]].concat();
            paths.extend(paths_below(below, &path));
            paths.push(path);
        }
        paths
    }

    #[test]
    fn every_command_has_help_with_an_example() {
        let paths = paths_below(&grammar(), &[]);
        assert!(paths.contains(&vec!["config".to_owned(), "encryption".to_owned(), "set".to_owned()]));
        for path in paths {
            let text = for_command(&path).unwrap();
            assert!(text.contains("Example"), "{path:?} has no example:\n{text}");
            assert!(!text.contains("--low-level-retries"), "{path:?} shows shared flags:\n{text}");
        }
    }

    #[test]
    fn the_help_is_that_of_the_command_that_was_meant() {
        let help = |line: &str| help_for(&line.split(' ').map(Into::into).collect::<Vec<_>>());
        assert!(help("fichier config create --help").contains("Usage: fichier config create"));
        assert!(help("fichier -v config --help").contains("Usage: fichier config"));
        assert!(help("fichier --help").contains("Usage: fichier"));
    }

    #[test]
    fn the_grammar_is_sound() {
        grammar().debug_assert();
    }

    #[test]
    fn shared_flags_are_listed_with_their_defaults() {
        let table = flag_table(None).unwrap();
        assert!(table.contains("      --transfers N"), "{table}");
        assert!(table.contains("(default 4)"), "{table}");
        assert!(table.contains("  -n, --dry-run "), "{table}");
        let some = flag_table(Some("networking")).unwrap();
        assert!(some.contains("--bind") && !some.contains("--dry-run"), "{some}");
        assert!(flag_table(Some("nothing")).is_none());
    }
}
