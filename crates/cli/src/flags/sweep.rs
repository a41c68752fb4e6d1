//! Tests that parse every flag of every command, and random command lines. Nothing may panic.

use std::ffi::OsString;

use clap::ArgAction;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use super::{Environment, grammar, read, switch};
use crate::{arguments::Settings, filtering};

/// Values at the limits of numbers, sizes and times, and values of no kind.
const VALUES: [&str; 33] = [
    "",
    "-",
    "--",
    "0",
    "1",
    "-1",
    "x",
    "off",
    "true",
    "FALSE",
    "255",
    "256",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551615",
    "99999999999999999999999",
    "1e308",
    "1e-300",
    "nan",
    "inf",
    "584542046090y",
    "999y",
    "1ns",
    "7E",
    "8E",
    "1.5G",
    "3/7",
    "name,size",
    "\u{1f600}",
    "[a",
    "08:00,1M",
];

/// Returns the names of the command and of the commands above it.
fn paths(command: &clap::Command, above: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for each in command.get_subcommands() {
        let path = [above, &[each.get_name().to_owned()]].concat();
        found.extend(paths(each, &path));
        found.push(path);
    }
    found
}

fn find<'a>(grammar: &'a clap::Command, path: &[String]) -> &'a clap::Command {
    path.iter().fold(grammar, |command, name| command.find_subcommand(name).unwrap())
}

/// Returns the grammar, ready to parse many lines.
fn prepared() -> clap::Command {
    let mut grammar = switch::go_style(grammar::<crate::commands::Command>());
    grammar.build();
    grammar
}

/// Parses a line as the program does, up to what needs files or the network. Returns whether it was valid.
fn understood(grammar: &mut clap::Command, words: &[String]) -> bool {
    let words: Vec<OsString> =
        std::iter::once("fichier".into()).chain(words.iter().map(Into::into)).collect();
    let Ok(mut matches) = grammar.try_get_matches_from_mut(&words) else { return false };
    let Ok(typed) = read::<crate::commands::Command>(&mut matches) else { return false };
    let Ok(settings) = Settings::new(&typed, &Environment::default()) else { return false };
    // Rules from files would be read from the directory in which the tests run.
    let from_files = words.iter().any(|word| word.to_string_lossy().contains("-from"));
    from_files
        || filtering::decide(&typed.filter, &settings.clock, std::time::SystemTime::now(), &mut Vec::new())
            .is_ok()
}

#[test]
fn no_argument_of_a_command_has_the_name_of_a_shared_one() {
    let grammar = grammar::<crate::commands::Command>();
    let shared: Vec<_> = grammar.get_arguments().map(|arg| (arg.get_id().clone(), arg.get_long())).collect();
    for path in paths(&grammar, &[]) {
        for arg in find(&grammar, &path).get_arguments() {
            let twin = shared.iter().find(|(id, _)| id == arg.get_id());
            // A command may parse a shared flag in its own way, but then it is the same flag.
            let same_flag = twin.is_none_or(|(_, long)| *long == arg.get_long());
            assert!(same_flag, "{path:?}: {:?} is a shared flag, too", arg.get_id());
        }
    }
}

#[test]
fn every_command_reads_every_flag_that_it_declares() {
    let mut grammar = prepared();
    let (mut read, mut lines) = (0, 0);
    for (number, path) in paths(&grammar, &[]).into_iter().enumerate() {
        let command = find(&grammar, &path).clone();
        let positionals: Vec<String> = command
            .get_positionals()
            .map(|arg| {
                arg.get_possible_values().first().map_or("a".to_owned(), |word| word.get_name().to_owned())
            })
            .collect();
        for (place, arg) in command.get_arguments().filter(|arg| !arg.is_positional()).enumerate() {
            // Shared flags are parsed by one parser, so each command tests only a part of them.
            if arg.is_global_set() && number > 0 && !(place + number).is_multiple_of(20) {
                continue;
            }
            let Some(long) = arg.get_long() else { continue };
            if matches!(arg.get_action(), ArgAction::Help | ArgAction::HelpLong | ArgAction::Version) {
                continue;
            }
            let words: Vec<String> =
                arg.get_possible_values().iter().map(|word| word.get_name().to_owned()).collect();
            let own = words.iter().map(String::as_str);
            // Shared flags are parsed in the same way everywhere, so their limits are tested once.
            let limits = if arg.is_global_set() && number > 0 { &VALUES[3..5] } else { &VALUES[..] };
            for value in own.chain(limits.iter().copied()) {
                let flag = format!("--{long}={value}");
                let line = [path.clone(), vec![flag], positionals.clone()].concat();
                lines += 1;
                read += usize::from(understood(&mut grammar, &line));
            }
            let line = [path.clone(), positionals.clone(), vec![format!("--{long}")]].concat();
            lines += 1;
            read += usize::from(understood(&mut grammar, &line));
        }
    }
    assert!(lines > 5_000 && read > lines / 4, "{read} of {lines} lines were understood");
}

#[test]
fn two_thousand_random_lines_are_read_or_refused() {
    let mut grammar = prepared();
    let paths = paths(&grammar, &[]);
    // One fixed seed, and one that is new each time.
    let fresh: u64 = rand::random();
    println!("seed {fresh}");
    let mut read = 0;
    for number in 0..2_000 {
        let mut random = StdRng::seed_from_u64(if number < 1_000 { number } else { number ^ fresh });
        let path = paths.choose(&mut random).unwrap();
        let flags: Vec<String> = find(&grammar, path)
            .get_arguments()
            .filter_map(|arg| arg.get_long().map(|long| format!("--{long}")))
            .collect();
        let mut line = path.clone();
        for _ in 0..random.random_range(0..6) {
            let value = VALUES.choose(&mut random).unwrap();
            match (random.random_range(0..4), flags.choose(&mut random)) {
                (0, Some(flag)) => line.push(flag.clone()),
                (1, Some(flag)) => line.push(format!("{flag}={value}")),
                (2, Some(flag)) => line.extend([flag.clone(), (*value).to_owned()]),
                _ => line
                    .push(["a", "demo:", "b/c", ":local:", "x,y:"].choose(&mut random).unwrap().to_string()),
            }
        }
        read += usize::from(understood(&mut grammar, &line));
    }
    assert!(read > 100, "{read} lines were understood");
}
