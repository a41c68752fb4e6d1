//! `--disable`: features of remotes that a run does without.

use std::fmt::Write as _;

/// Features that a run can do without, by rclone's names, and what happens then.
const FEATURES: [(&str, &str); 1] = [("ListR", "--fast-list has no effect")];

/// Features that rclone can do without and this program can't: it would only take longer and give the same result.
const ALWAYS: [&str; 7] = ["Copy", "Move", "DirMove", "Purge", "PublicLink", "CleanUp", "About"];

/// Checks whether a feature is in the typed list.
pub(crate) fn is_disabled(typed: &str, feature: &str) -> bool {
    words(typed).any(|word| word.eq_ignore_ascii_case(feature))
}

/// Returns the names of all features.
pub(crate) fn names() -> Vec<&'static str> {
    FEATURES.iter().map(|(feature, _)| *feature).chain(ALWAYS).collect()
}

/// Checks whether only the list of features was asked for.
pub(crate) fn is_help(typed: &str) -> bool {
    typed.trim().eq_ignore_ascii_case("help")
}

/// Returns the list of features.
pub(crate) fn help() -> String {
    let mut text = String::from("Features that --disable can switch off:\n");
    for (feature, effect) in FEATURES {
        // Writing to a string can't fail.
        let _infallible = writeln!(text, "- {feature}: {effect}");
    }
    let _infallible = writeln!(text, "Without effect: {}", ALWAYS.join(", "));
    text
}

/// Returns messages about features that are used although they were disabled.
pub(crate) fn not_disabled(typed: &str) -> Vec<String> {
    words(typed)
        .filter(|word| !FEATURES.iter().any(|(feature, _)| word.eq_ignore_ascii_case(feature)))
        .map(|word| format!("--disable {word} has no effect here: see --disable help"))
        .collect()
}

fn words(typed: &str) -> impl Iterator<Item = &str> {
    typed.split(',').map(str::trim).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_named_in_any_case() {
        assert!(is_disabled("copy, listr", "ListR"));
        assert!(!is_disabled("copy", "ListR"));
        assert_eq!(not_disabled("listr,move"), ["--disable move has no effect here: see --disable help"]);
        assert!(is_help("Help") && help().contains("- ListR: "));
    }
}
