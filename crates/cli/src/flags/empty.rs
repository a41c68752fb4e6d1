//! Flags with an empty value: a script whose variable isn't set passes one, and means that it gives none.

use std::ffi::OsString;

use clap::{Arg, Command, builder::ValueParser};

/// Flags beside those that name files for which rclone takes an empty value as none.
const OTHERS: [&str; 6] =
    ["compare-dest", "copy-dest", "dump", "name-transform", "stats-unit", "syslog-facility"];

/// Flag of which an empty value means that there is no such file.
const NO_CONFIGURATION: &str = "config";

/// Checks whether an empty value of this flag means that it isn't given.
pub(super) fn means_none(arg: &Arg) -> bool {
    arg.get_action().takes_values()
        && arg.get_long() != Some(NO_CONFIGURATION)
        && arg.get_long().is_some_and(|long| OTHERS.contains(&long) || names_a_file(arg.get_value_parser()))
}

fn names_a_file(parser: &ValueParser) -> bool {
    parser.type_id() == ValueParser::path_buf().type_id()
}

/// Takes such flags out of the words.
pub(super) fn take_out(words: &mut Vec<OsString>, grammar: impl FnOnce(&[OsString]) -> Command) {
    let is_empty = |word: &OsString| word.is_empty() || word.to_str().is_some_and(|word| word.ends_with('='));
    // Usually there is none, and the grammar needn't be made for it.
    if !words.iter().any(is_empty) {
        return;
    }
    let grammar = grammar(words);
    let arguments =
        || grammar.get_arguments().chain(grammar.get_subcommands().flat_map(Command::get_arguments));
    let is_none = |long: &str| arguments().any(|arg| arg.get_long() == Some(long) && means_none(arg));
    let mut index = 0;
    while let Some(word) = words.get(index) {
        let long = word.to_str().and_then(|word| word.strip_prefix("--"));
        match long {
            // What follows are paths.
            Some("") => return,
            Some(long) => match long.strip_suffix('=') {
                Some(long) if is_none(long) => {
                    words.remove(index);
                }
                None if words.get(index + 1).is_some_and(|next| next.is_empty()) && is_none(long) => {
                    words.drain(index..index + 2);
                }
                _ => index += 1,
            },
            None => index += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn left(words: &[&str]) -> Vec<OsString> {
        let path = |name: &'static str| Arg::new(name).long(name).value_parser(clap::value_parser!(PathBuf));
        let grammar = |_: &[OsString]| {
            let text = Arg::new("text").long("text");
            let dump = Arg::new("dump").long("dump");
            let copy = Command::new("copy").arg(path("combined")).arg(Arg::new("from"));
            Command::new("fichier").arg(path("log-file")).arg(text).arg(dump).subcommand(copy)
        };
        let mut words: Vec<OsString> = words.iter().map(OsString::from).collect();
        take_out(&mut words, grammar);
        words
    }

    #[test]
    fn flags_of_files_and_a_few_others_go() {
        assert_eq!(left(&["copy", "--log-file", "", "--combined=", "--dump", "", "a"]), ["copy", "a"]);
        assert_eq!(left(&["copy", "--log-file", "x", "a"]), ["copy", "--log-file", "x", "a"]);
    }

    #[test]
    fn other_texts_and_paths_stay() {
        for words in [&["copy", "--text", "", "a"][..], &["copy", "", "a"], &["copy", "--", "--log-file="]] {
            assert_eq!(left(words), words);
        }
    }
}
