//! Answers a command that doesn't exist: which one was probably meant, or that rclone has it and this program doesn't
//! yet.

/// Words that people type, and the commands that do it.
const MEANT: [(&str, &[&str]); 19] = [
    ("cp", &["copy", "copyto"]),
    ("del", &["delete", "deletefile"]),
    ("df", &["about"]),
    ("dir", &["lsf", "ls"]),
    ("download", &["copy", "copyurl"]),
    ("du", &["size", "tree"]),
    ("erase", &["delete", "deletefile"]),
    ("find", &["lsf"]),
    ("info", &["about"]),
    ("list", &["lsf", "ls"]),
    ("ll", &["lsl"]),
    ("login", &["config"]),
    ("md", &["mkdir"]),
    ("mv", &["move", "moveto"]),
    ("remove", &["delete", "deletefile"]),
    ("rename", &["moveto"]),
    ("rm", &["delete", "deletefile"]),
    ("upload", &["copy", "rcat"]),
    ("wget", &["copyurl"]),
];

/// Commands of rclone that aren't here.
const NOT_HERE: [&str; 16] = [
    "archive",
    "authorize",
    "bisync",
    "cryptcheck",
    "gendocs",
    "gitannex",
    "gui",
    "ncdu",
    "nfsmount",
    "rc",
    "rcd",
    "selfupdate",
    "serve",
    "settier",
    "test",
    "mount2",
];

/// Largest number of letters that may differ.
const MOST_DIFFERENCES: usize = 2;

/// Returns the message for a word that is no command.
pub(crate) fn unknown_command(word: &str, commands: Vec<String>) -> String {
    let advice = advice(word, commands).map(|advice| format!("  {advice}\n\n")).unwrap_or_default();
    format!("error: there is no command {word:?}\n\n{advice}All commands: fichier help\n")
}

/// Returns what to do about a word that is no command, where something is known.
pub(crate) fn advice(word: &str, commands: Vec<String>) -> Option<String> {
    if word == "mount" && cfg!(not(target_os = "linux")) {
        return Some("Only on Linux can this program mount: elsewhere it has no FUSE.".to_owned());
    }
    if NOT_HERE.contains(&word) {
        return Some(format!("rclone has {word:?}; this program hasn't got it yet."));
    }
    let names = suggestions(word, commands);
    (!names.is_empty()).then(|| format!("Did you mean: {}?", names.join(", ")))
}

/// Returns the commands that were probably meant, the likeliest first.
fn suggestions(word: &str, commands: Vec<String>) -> Vec<String> {
    let lower = word.to_lowercase();
    if let Some((_, names)) = MEANT.iter().find(|(typed, _)| *typed == lower) {
        return names.iter().map(|name| (*name).to_owned()).collect();
    }
    let mut close: Vec<_> = commands
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&lower, &name), name))
        // In a short word, only few letters may be wrong.
        .filter(|(differences, name)| *differences <= MOST_DIFFERENCES.min(name.len() / 2))
        .collect();
    close.sort();
    let least = close.first().map_or(0, |(differences, _)| *differences);
    close.into_iter().filter(|(differences, _)| *differences == least).map(|(_, name)| name).take(3).collect()
}

#[cfg(test)]
mod tests {
    use crate::{commands::Command, flags};

    use super::*;

    fn commands() -> Vec<String> {
        flags::command_names::<Command>()
    }

    #[test]
    fn suggestions_make_sense() {
        assert_eq!(suggestions("rm", commands()), ["delete", "deletefile"]);
        assert_eq!(suggestions("copi", commands()), ["copy"]);
        assert_eq!(suggestions("coppy", commands()), ["copy"]);
        assert_eq!(suggestions("Lsjosn", commands()), ["lsjson"]);
        assert_eq!(suggestions("xyzzy", commands()), Vec::<String>::new());
        assert!(unknown_command("nfsmount", commands()).contains("hasn't got it yet"));
    }

    #[test]
    fn every_suggestion_is_a_command_and_what_is_missing_is_none() {
        let names = commands();
        for (word, meant) in MEANT {
            assert!(
                meant.iter().all(|name| names.iter().any(|command| command == name)),
                "{word}: {meant:?}"
            );
            assert!(!names.iter().any(|command| command == word), "{word} is a command");
        }
        assert!(NOT_HERE.iter().all(|word| !names.iter().any(|command| command == word)));
    }
}
