//! Flags of rclone for services and commands that this program doesn't have: `--drive-…`, `--s3-…`; and those `--vfs-…` that mean
//! nothing for its mounts.
//!
//! A script that is shared between remotes sets them for all of its runs. They aren't part of the grammar, since
//! there are nearly a thousand: one is removed from the command line when the grammar doesn't know it.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Flags of rclone 1.75.2, from its own list; those that need a value end with `=`.
const FLAGS: &str = include_str!("foreign.txt");

/// Removes the flag at which parsing stopped, with its value, and returns what it is for in rclone. `None` when the
/// error is another one.
pub(super) fn take_out(words: &mut Vec<OsString>, error: &clap::Error) -> Option<String> {
    let flag = unknown(error)?;
    let name = flag.strip_prefix("--")?;
    let line = FLAGS.lines().find(|line| line.trim_end_matches('=') == name)?;
    let with_value = format!("{flag}=");
    let place = words
        .iter()
        .position(|word| word.to_str().is_some_and(|word| word == flag || word.starts_with(&with_value)))?;
    let needs_next = line.ends_with('=') && words.get(place).is_some_and(|word| *word == *flag);
    if needs_next && place + 1 >= words.len() {
        return None;
    }
    words.drain(place..=place + usize::from(needs_next));
    let of = name.split('-').next().unwrap_or_default();
    Some(match of {
        "vfs" => format!("{flag} has no effect here: a mount does without"),
        _ => format!("{flag} has no effect here: there are no remotes of type {of}"),
    })
}

/// Returns why an unknown flag of rclone is unknown, where there is something to say.
pub(crate) fn why_unknown(error: &clap::Error) -> Option<&'static str> {
    let flag = unknown(error)?;
    let of = |word: &str| flag == word || flag.starts_with(&format!("{word}-"));
    if of("--rc") || of("--metrics") {
        return Some("This program has no remote control: leave the flags --rc… and --metrics… out.");
    }
    None
}

/// Corrects the flag that an error about an unknown flag suggests: none where this program lacks the function, and for
/// a flag of another service one of that service.
pub(super) fn with_advice(mut error: clap::Error) -> clap::Error {
    const MOST_DIFFERENCES: usize = 2;
    let Some(flag) = unknown(&error) else { return error };
    if why_unknown(&error).is_some() {
        error.remove(ContextKind::SuggestedArg);
        return error;
    }
    let Some(name) = flag.strip_prefix("--").filter(|name| name.contains('-')) else { return error };
    let differs = |other: &str| strsim::damerau_levenshtein(name, other);
    let ours = match error.get(ContextKind::SuggestedArg) {
        Some(ContextValue::String(advised)) => differs(advised.trim_start_matches('-')),
        _ => usize::MAX,
    };
    let flags = FLAGS.lines().map(|line| line.trim_end_matches('='));
    let nearest = flags.map(|other| (differs(other), other)).min();
    if let Some((differences, other)) = nearest
        && differences <= MOST_DIFFERENCES
        && differences < ours
    {
        error.insert(ContextKind::SuggestedArg, ContextValue::String(format!("--{other}")));
    }
    error
}

/// Returns the standard library's message about a wrong number in plain words.
pub(crate) fn about_numbers(message: &str) -> String {
    message
        .replace("invalid digit found in string", "it must be a whole number")
        .replace("cannot parse integer from empty string", "it must be a whole number")
}

/// Checks whether rclone has remotes of a type that aren't here.
pub(crate) fn is_other_service(backend: &str) -> bool {
    // rclone has this one without any flag of its own.
    const WITHOUT_FLAGS: &str = "tardigrade";
    let prefix = format!("{backend}-");
    backend == WITHOUT_FLAGS || backend != "vfs" && FLAGS.lines().any(|flag| flag.starts_with(&prefix))
}

fn unknown(error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    match error.get(ContextKind::InvalidArg)? {
        ContextValue::String(flag) => Some(flag.split('=').next().unwrap_or_default().to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::flags::{Environment, Misuse, parse};

    use super::*;

    fn read(line: &str) -> Result<Vec<String>, Option<&'static str>> {
        let words: Vec<_> = line.split(' ').map(Into::into).collect();
        match parse::<crate::commands::Command>(&words, &Environment::default()) {
            Ok(typed) => Ok(typed.without_effect),
            Err(Misuse::Clap(error)) => Err(why_unknown(&error)),
            Err(Misuse::Environment(message)) => panic!("{message}"),
        }
    }

    #[test]
    fn flags_of_other_services_are_taken_with_their_values_and_named() {
        let notices = read(
            "fichier --drive-chunk-size 64M copy --s3-no-check-bucket a --vfs-handle-caching=1s --sftp-disable-hashcheck=true b",
        );
        let notices = notices.unwrap();
        let flags: Vec<_> = notices.iter().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(
            flags,
            [
                "--drive-chunk-size",
                "--s3-no-check-bucket",
                "--vfs-handle-caching",
                "--sftp-disable-hashcheck"
            ]
        );
        assert!(notices[0].ends_with("there are no remotes of type drive"), "{notices:?}");
    }

    #[test]
    fn a_word_that_is_the_value_of_a_flag_is_none() {
        assert_eq!(read("fichier copy --exclude --drive-chunk-size a b").unwrap(), Vec::<String>::new());
        assert!(read("fichier ls -- --drive-chunk-size").unwrap().is_empty());
    }

    #[test]
    fn flags_that_rclone_has_not_are_unknown_and_so_is_one_without_its_value() {
        for line in
            ["fichier copy a b --drive-nonsense", "fichier copy a b --drive-chunk-size", "fichier ls a --s3"]
        {
            assert_eq!(read(line), Err(None), "{line}");
        }
    }

    #[test]
    fn remote_control_is_unknown_with_a_reason() {
        for line in ["fichier ls a --rc", "fichier ls a --rc-addr=:1", "fichier ls a --metrics-addr :1"] {
            assert!(read(line).unwrap_err().unwrap().contains("no remote control"), "{line}");
        }
    }

    #[test]
    fn types_of_other_services_are_known() {
        for backend in ["drive", "s3", "union", "azureblob", "memory"] {
            assert!(is_other_service(backend), "{backend}");
        }
        for backend in ["vfs", "fichier", "crypt", "drives", "dri", ""] {
            assert!(!is_other_service(backend), "{backend}");
        }
    }

    #[test]
    fn the_list_is_of_flags_that_the_grammar_hasnt() {
        let grammar = crate::flags::grammar::<crate::commands::Command>();
        let known: Vec<_> = grammar.get_arguments().filter_map(clap::Arg::get_long).collect();
        let mounts = grammar.find_subcommand("mount").into_iter().flat_map(clap::Command::get_arguments);
        let known: Vec<_> = known.into_iter().chain(mounts.filter_map(clap::Arg::get_long)).collect();
        assert!(FLAGS.lines().count() > 850);
        for name in FLAGS.lines().map(|line| line.trim_end_matches('=')) {
            assert!(!known.contains(&name), "{name}");
        }
    }
}
