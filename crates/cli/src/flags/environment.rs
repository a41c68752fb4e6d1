//! Flags from the environment: `FICHIER_TRANSFERS`, or else `RCLONE_TRANSFERS`, sets `--transfers`.

use std::ffi::{OsStr, OsString};

use clap::{
    ArgAction, Command,
    error::{ContextKind, ContextValue, ErrorKind},
};
use fichier_config::Environment;

use super::{backend, empty};

/// Beginnings of the names of variables that set flags: ours, then rclone's.
const PREFIXES: [&str; 2] = ["FICHIER_", "RCLONE_"];

/// Returns the variable that sets a flag: ours before rclone's, and one with a value before an empty one.
fn variable_of<'a>(environment: &'a Environment, long: &str) -> Option<(String, &'a OsStr)> {
    let flag = long.replace('-', "_").to_uppercase();
    let set = || {
        PREFIXES.iter().filter_map(|prefix| {
            let name = format!("{prefix}{flag}");
            let value = environment.get_os(&name)?;
            Some((name, value))
        })
    };
    set().find(|(_, value)| !value.is_empty()).or_else(|| set().next())
}

/// Splits the values of a flag that may be repeated: separated by commas, in quotes where they hold commas.
fn list(value: &OsStr) -> Vec<OsString> {
    let Some(text) = value.to_str() else { return vec![value.to_owned()] };
    let (mut values, mut current, mut quoted) = (Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => current.extend(characters.next()),
            '"' if quoted || current.is_empty() => quoted = !quoted,
            ',' if !quoted => values.push(std::mem::take(&mut current).into()),
            plain => current.push(plain),
        }
    }
    values.push(current.into());
    values
}

/// Makes the values of the environment the defaults of the flags: of those that all commands share, and of those of
/// each command that the grammar knows.
pub(super) fn defaults(command: Command, environment: &Environment) -> Result<Command, String> {
    // Usually there is none, and some hundred names needn't be made and looked for.
    if !PREFIXES.iter().any(|prefix| environment.has_names_with(prefix)) {
        return Ok(command);
    }
    // Without this, the user wouldn't learn that no server listens.
    let rc = PREFIXES.map(|prefix| format!("{prefix}RC")).into_iter().find(|name| {
        environment
            .get(name)
            .is_some_and(|value| !matches!(value, "" | "0" | "f" | "F" | "false" | "FALSE" | "False"))
    });
    if let Some(name) = rc {
        return Err(format!("{name} is set, but this program has no remote control: unset the variable"));
    }
    of_command(command, environment)
}

fn of_command(mut command: Command, environment: &Environment) -> Result<Command, String> {
    let subcommands: Vec<_> = command.get_subcommands().map(|each| each.get_name().to_owned()).collect();
    for name in subcommands {
        let mut wrong = None;
        command = command.mut_subcommand(name, |subcommand| {
            // A closure can't return an error, and needs a command in any case.
            of_command(subcommand.clone(), environment).unwrap_or_else(|message| {
                wrong = Some(message);
                subcommand
            })
        });
        if let Some(message) = wrong {
            return Err(message);
        }
    }
    let set: Vec<_> = command
        .get_arguments()
        .filter(|arg| !backend::is_backend_flag(arg))
        .filter_map(|arg| {
            let (name, value) = variable_of(environment, arg.get_long()?)?;
            if value.is_empty() && empty::means_none(arg) {
                return None;
            }
            Some((arg.get_id().clone(), arg.get_long()?.to_owned(), name, value.to_owned()))
        })
        .collect();
    if set.is_empty() {
        return Ok(command);
    }
    // Without the commands, each of which would get all flags once more: that takes as long as everything else at the
    // start.
    let flags_alone =
        Command::new("fichier").args(command.get_arguments().filter(|arg| arg.get_long().is_some()));
    for (id, long, name, value) in set {
        let mut word = OsString::from(format!("--{long}="));
        word.push(&value);
        let trial = flags_alone.clone().try_get_matches_from([OsString::from("fichier"), word]);
        // Whether another flag is required beside it has nothing to do with its value.
        if let Err(error) = trial
            && !matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::MissingRequiredArgument | ErrorKind::ArgumentConflict
            )
        {
            let reason = super::about_numbers(&reason(&error, &value));
            return Err(format!("{name}: {value:?} can't be used for --{long}: {reason}"));
        }
        // As with rclone, an empty text or list means none; all other values can't be empty.
        if value.is_empty() {
            continue;
        }
        command = command.mut_arg(id, |arg| match arg.get_action() {
            ArgAction::Append if arg.get_value_delimiter().is_none() => arg.default_values(list(&value)),
            _ => arg.default_value(value),
        });
    }
    Ok(command)
}

/// Returns why a value can't be used.
fn reason(error: &clap::Error, value: &OsStr) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string).filter(|cause| !cause.is_empty());
    match (cause, error.get(ContextKind::ValidValue)) {
        (Some(cause), _) => cause,
        (None, Some(ContextValue::Strings(known))) if !known.is_empty() => {
            format!("it takes one of {}", known.join(", "))
        }
        _ if value.is_empty() => "it needs a value; unset the variable to leave the flag out".into(),
        _ => "this is no value of it".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Misuse, parse};
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::from_pairs(variables.iter().copied())
    }

    fn transfers(words: &[&str], variables: &[(&str, &str)]) -> Result<i64, String> {
        let words: Vec<_> = words.iter().map(Into::into).collect();
        match parse::<crate::commands::Command>(&words, &environment(variables)) {
            Ok(typed) => Ok(typed.global.transfers),
            Err(Misuse::Environment(message)) => Err(message),
            Err(Misuse::Clap(error)) => Err(error.to_string()),
        }
    }

    #[test]
    fn typed_before_ours_before_rclones_before_the_default() {
        let both = [("FICHIER_TRANSFERS", "7"), ("RCLONE_TRANSFERS", "8")];
        assert_eq!(transfers(&["fichier", "version"], &[]), Ok(4));
        assert_eq!(transfers(&["fichier", "version"], &both[1..]), Ok(8));
        assert_eq!(transfers(&["fichier", "version"], &both), Ok(7));
        assert_eq!(transfers(&["fichier", "--transfers", "9", "version"], &both), Ok(9));
        assert_eq!(transfers(&["fichier", "version", "--transfers", "9"], &both), Ok(9));
    }

    #[test]
    fn a_bad_value_names_its_variable() {
        let message = transfers(&["fichier", "version"], &[("RCLONE_TRANSFERS", "abc")]).unwrap_err();
        assert!(message.starts_with("RCLONE_TRANSFERS: \"abc\" can't be used for --transfers"), "{message}");
        assert!(message.ends_with("it must be a whole number"), "{message}");
    }

    // Which flags accept an empty value was measured with rclone 1.75.2.
    #[test]
    fn what_is_empty_is_refused_where_the_flag_needs_a_value() {
        let read = |name: &str, value: &str| match parse::<crate::commands::Command>(
            &["fichier".into(), "version".into()],
            &environment(&[(name, value)]),
        ) {
            Ok(_) => Ok(()),
            Err(Misuse::Environment(message)) => Err(message),
            Err(Misuse::Clap(error)) => Err(error.to_string()),
        };
        for name in
            ["RCLONE_DRY_RUN", "RCLONE_TRANSFERS", "RCLONE_TIMEOUT", "RCLONE_MAX_SIZE", "RCLONE_LOG_LEVEL"]
        {
            let message = read(name, "").unwrap_err();
            assert!(message.starts_with(&format!("{name}: \"\" can't be used for --")), "{message}");
            assert!(!message.ends_with(": "), "{message}");
        }
        for name in ["RCLONE_EXCLUDE", "RCLONE_SUFFIX", "RCLONE_CONFIG", "RCLONE_BACKUP_DIR"] {
            assert_eq!(read(name, ""), Ok(()), "{name}");
        }
        let message = read("RCLONE_LOG_LEVEL", "FOO").unwrap_err();
        assert!(message.contains("notice"), "{message}");
        let both = [("FICHIER_TRANSFERS", ""), ("RCLONE_TRANSFERS", "8")];
        assert_eq!(transfers(&["fichier", "version"], &both), Ok(8));
    }

    #[test]
    fn remote_control_is_refused_in_the_environment_too() {
        let read = |value| transfers(&["fichier", "version"], &[("RCLONE_RC", value)]);
        assert!(read("true").unwrap_err().contains("no remote control"));
        assert_eq!(read("false"), Ok(4));
        assert_eq!(read(""), Ok(4));
    }

    #[test]
    fn flags_that_may_be_repeated_take_a_list() {
        let includes = |value| {
            let variables = environment(&[("RCLONE_INCLUDE", value)]);
            let Ok(typed) =
                parse::<crate::commands::Command>(&["fichier".into(), "version".into()], &variables)
            else {
                panic!("{value} should be understood")
            };
            typed.filter.include
        };
        assert_eq!(includes("*.jpg"), ["*.jpg"]);
        assert_eq!(includes("a,\"x,y\",\"say \"\"z\"\"\""), ["a", "x,y", "say \"z\""]);
    }

    #[test]
    fn the_flags_of_a_command_come_from_the_environment_too() {
        let format = |words: &[&str], variables: &[(&str, &str)]| {
            let words: Vec<_> = words.iter().map(Into::into).collect();
            match parse::<crate::commands::Command>(&words, &environment(variables)) {
                Ok(typed) => Ok(format!("{:?}", typed.command)),
                Err(Misuse::Environment(message)) => Err(message),
                Err(Misuse::Clap(error)) => Err(error.to_string()),
            }
        };
        let both = [("FICHIER_FORMAT", "tsp"), ("RCLONE_FORMAT", "ps")];
        assert!(format(&["fichier", "lsf", "x"], &both[1..]).unwrap().contains("format: \"ps\""));
        assert!(format(&["fichier", "lsf", "x"], &both).unwrap().contains("format: \"tsp\""));
        assert!(format(&["fichier", "lsf", "x", "--format=p"], &both).unwrap().contains("format: \"p\""));
        let nested = format(&["fichier", "config", "create", "a", "b"], &[("RCLONE_OBSCURE", "true")]);
        assert!(nested.unwrap().contains("obscure: true"));
        let wrong = format(&["fichier", "cat", "x"], &[("RCLONE_HEAD", "many")]).unwrap_err();
        assert!(wrong.starts_with("RCLONE_HEAD: \"many\" can't be used for --head"), "{wrong}");
        // The flag isn't one of this command.
        assert!(format(&["fichier", "ls", "x"], &[("RCLONE_HEAD", "many")]).is_ok());
    }

    #[test]
    fn a_flag_that_needs_another_may_come_from_the_environment() {
        let variables = environment(&[("RCLONE_CLIENT_CERT", "a"), ("RCLONE_CLIENT_KEY", "b")]);
        let Ok(typed) = parse::<crate::commands::Command>(&["fichier".into(), "version".into()], &variables)
        else {
            panic!("should be understood")
        };
        assert!(typed.network.client_cert.is_some() && typed.network.client_key.is_some());
    }

    #[test]
    fn switches_and_loudness() {
        let words = ["fichier".into(), "version".into()];
        let variables = environment(&[("RCLONE_DRY_RUN", "true"), ("RCLONE_VERBOSE", "2")]);
        let Ok(typed) = parse::<crate::commands::Command>(&words, &variables) else {
            panic!("should be understood")
        };
        assert!(typed.global.dry_run);
        assert_eq!(typed.global.verbose.iter().fold(0, |total, step| step.apply(total)), 2);
    }
}
