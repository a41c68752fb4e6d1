//! Help texts: of the program, of one command, of the flags that all commands share; and manual pages. Each is made
//! from the given grammar.

use std::{collections::BTreeMap, ffi::OsString, fmt::Write as _, io, path::Path};

use unicode_width::UnicodeWidthStr;

/// Returns the help of the program as a whole.
pub(crate) fn overview(mut grammar: clap::Command) -> String {
    grammar.render_help().to_string()
}

/// Returns the help of a command, such as `config`, `create`; `None` when the command doesn't exist.
pub(crate) fn for_command(mut grammar: clap::Command, path: &[String]) -> Option<String> {
    grammar.build();
    let mut command = path.first().map(|_| &mut grammar)?;
    for name in path {
        command = command.find_subcommand_mut(name)?;
    }
    let mut text = command.render_help().to_string();
    text.push_str("\nThe flags that all commands share: fichier help flags\n");
    Some(text)
}

/// Returns the help for a command line that holds `--help`.
pub(crate) fn help_for(grammar: clap::Command, words: &[OsString]) -> String {
    let mut command = &grammar;
    let mut path = Vec::new();
    for word in words.iter().skip(1).filter_map(|word| word.to_str()) {
        if let Some(next) = command.find_subcommand(word) {
            path.push(next.get_name().to_owned());
            command = next;
        }
    }
    let whole = grammar.clone();
    for_command(grammar, &path).unwrap_or_else(|| overview(whole))
}

/// Writes a manual page for the program and for each command into a directory.
///
/// # Errors
/// The directory can't be made or written to.
pub(crate) fn write_manual_pages(grammar: &clap::Command, directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    clap_mangen::generate_to(grammar.clone().about(NAME), directory)?;
    // Flags that are left out of the commands' own pages are on the program's page.
    let mut page = Vec::new();
    clap_mangen::Man::new(grammar.clone().about(NAME).mut_args(|arg| arg.hide(false))).render(&mut page)?;
    std::fs::write(directory.join("fichier.1"), page)?;
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(name) = name.strip_suffix(".1").filter(|name| name.starts_with("fichier")) else { continue };
        let mut page = std::fs::read_to_string(&path)?;
        // The generator leaves spaces at the ends, and puts the name where the date belongs.
        if let Some(title) = page.lines().find(|line| line.starts_with(".TH ")).map(str::to_owned) {
            let better = format!(".TH {name} 1 \"\" \"fichier {}\"", env!("CARGO_PKG_VERSION"));
            page = page.replacen(&title, &better, 1);
        }
        page.push_str(&sections(name));
        std::fs::write(&path, page)?;
    }
    Ok(())
}

/// Short description of the program, for its manual page and for `apropos`.
const NAME: &str = "command line client for the storage service 1Fichier, used like rclone";

/// Returns the end of every manual page: exit codes, files, and where to read more.
fn sections(name: &str) -> String {
    let codes = [
        ("0", "all that was asked for is done"),
        ("1", "the command line can't be understood, or a disk is full"),
        ("2", "an error that has no number of its own"),
        ("3", "a directory isn't there"),
        ("4", "a file isn't there"),
        ("5", "it failed, and the same again may work"),
        ("6", "less serious: something was left out, by name"),
        ("7", "fatal: the run must not go on"),
        ("8", "the limit of --max-transfer was reached"),
        ("9", "nothing had to be transferred, and --error-on-no-transfer was given"),
        ("10", "the limit of --max-duration was reached"),
        ("129, 130, 143", "a hangup, Ctrl-C or a request to terminate ended it"),
    ];
    let files = [
        ("~/.config/rclone/rclone.conf", "the remotes, shared with rclone; `fichier config file` names it"),
        ("~/.cache/fichier", "checksums, catalogues of accounts, answers for completion; it may be removed"),
        ("~/.local/share/fichier", "what mounts haven't sent yet, and what they read; the files of demo:"),
    ];
    let mut text = String::new();
    let mut section = |title: &str, items: &[(&str, &str)]| {
        // Writing to a string can't fail.
        let _infallible = writeln!(text, ".SH \"{title}\"");
        for (term, what) in items {
            let _infallible = writeln!(text, ".TP\n\\fB{}\\fR\n{}", escaped(term), escaped(what));
        }
    };
    section("EXIT STATUS", &codes);
    section("FILES", &files);
    let mut related = vec!["fichier", "fichier-config", "fichier-help"];
    related.retain(|other| *other != name);
    let related: Vec<_> = related.iter().map(|page| format!("\\fB{}\\fR(1)", escaped(page))).collect();
    let _infallible = writeln!(text, ".SH \"SEE ALSO\"\n{}, \\fBrclone\\fR(1)", related.join(", "));
    text
}

/// Escapes a text for roff: hyphens stay hyphens, and no line begins with a command.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('-', "\\-")
}

/// Returns the flags that all commands share, group by group; with a word, only the groups whose name holds it.
/// `None` if there is no such group. Lines are no wider than `columns`.
pub(crate) fn flag_table(grammar: &clap::Command, wanted: Option<&str>, columns: usize) -> Option<String> {
    let mut groups: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for arg in grammar.get_arguments().filter(|arg| arg.is_global_set()) {
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
            let mut head = format!("{flag:width$}");
            for line in wrapped(&help, columns.saturating_sub(width + 4)) {
                let _infallible = writeln!(text, "  {head}  {line}");
                head = " ".repeat(width);
            }
        }
    }
    Some(text)
}

/// Wraps a help text between words; a long list without spaces, after its commas. A very small width is ignored.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(20);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let pieces = if word.width() <= width { vec![word] } else { word.split_inclusive(',').collect() };
        for (index, piece) in pieces.into_iter().enumerate() {
            let last = lines.len() - 1;
            let space = if index == 0 && !lines[last].is_empty() { " " } else { "" };
            if lines[last].is_empty() || lines[last].width() + space.len() + piece.width() <= width {
                lines[last].push_str(space);
                lines[last].push_str(piece);
            } else {
                lines.push(piece.to_owned());
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::Command;

    fn grammar() -> clap::Command {
        crate::flags::grammar::<Command>()
    }

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
            let text = for_command(grammar(), &path).unwrap();
            assert!(text.contains("Example"), "{path:?} has no example:\n{text}");
            assert!(!text.contains("--low-level-retries"), "{path:?} shows shared flags:\n{text}");
        }
    }

    #[test]
    fn the_help_is_that_of_the_command_that_was_meant() {
        let help = |line: &str| help_for(grammar(), &line.split(' ').map(Into::into).collect::<Vec<_>>());
        assert!(help("fichier config create --help").contains("Usage: fichier config create"));
        assert!(help("fichier -v config --help").contains("Usage: fichier config"));
        assert!(help("fichier --help").contains("Usage: fichier"));
    }

    #[test]
    fn the_grammar_is_sound() {
        grammar().debug_assert();
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("one, two", 80), ["one, two"]);
        assert_eq!(wrapped("", 80), [""]);
        assert_eq!(wrapped("a short line and a longer one", 20), ["a short line and a", "longer one"]);
        assert_eq!(
            wrapped("(default Slash,Dollar,BackSlash,Del)", 20),
            ["(default Slash,", "Dollar,BackSlash,", "Del)"]
        );
    }

    #[test]
    fn shared_flags_are_listed_with_their_defaults() {
        let table = flag_table(&grammar(), None, 100).unwrap();
        assert!(table.contains("      --transfers N"), "{table}");
        assert!(table.contains("(default 4)"), "{table}");
        assert!(table.contains("  -n, --dry-run "), "{table}");
        let longest = flag_table(&grammar(), None, 90).unwrap().lines().map(UnicodeWidthStr::width).max();
        assert!(longest <= Some(90), "{longest:?}");
        let some = flag_table(&grammar(), Some("networking"), 100).unwrap();
        assert!(some.contains("--bind") && !some.contains("--dry-run"), "{some}");
        assert!(flag_table(&grammar(), Some("nothing"), 100).is_none());
    }
}
