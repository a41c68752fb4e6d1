//! One run of the program, from the typed words to the exit code.

use std::{
    ffi::OsString,
    io::{self, BufWriter, Write},
    sync::Arc,
    time::SystemTime,
};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::{
    arguments::Settings,
    commands,
    context::Context,
    error_tally::ErrorTally,
    exit::{self, Exit},
    features, filtering,
    flags::{self, Environment, FilterFlags, LogLevel},
    logging::Log,
    output::named,
    session::Session,
    suggestion,
    typed_secrets::TypedSecrets,
};

/// Runs the program and returns how it ended.
pub(crate) fn run(words: &[OsString], environment: &Environment) -> Exit {
    let typed = match flags::parse::<commands::Command>(words, environment) {
        Ok(typed) => typed,
        Err(flags::Misuse::Clap(error)) => return show(words, &error),
        Err(flags::Misuse::Environment(message)) => {
            return complain(
                &Log::plain(),
                &format!("Failed to load default values: {message}"),
                Exit::Other,
            );
        }
    };
    if features::is_help(&typed.global.disable) {
        return say(&features::help());
    }
    let mut settings = match Settings::new(&typed, environment) {
        Ok(settings) => settings,
        Err(error) => return complain(&Log::plain(), &error.to_string(), Exit::Usage),
    };
    settings.secrets = TypedSecrets::of(words);
    if typed.filter.dumps() {
        settings.log_level = LogLevel::Debug;
    }
    let log = match Log::new(&settings) {
        Ok(log) => log,
        Err(error) => {
            let message = match &settings.log_file {
                Some(path) => format!("Failed to open log file {path:?}: {error}"),
                None => format!("Failed to open the system's log: {error}"),
            };
            return complain(&Log::plain(), &message, Exit::Other);
        }
    };
    let guard = log.install();
    for line in typed.without_effect.iter().chain(&features::not_disabled(&typed.global.disable)) {
        tracing::info!("{line}");
    }
    if let Err(error) = set_filter(&mut settings, &typed.filter) {
        return complain(&log, &format!("The filters can't be used: {error}"), Exit::Other);
    }
    let name = typed.command.name();
    let session = Session::new(&settings, environment);
    let result = execute(&typed.command, &settings, &session, &log);
    let exit = match result {
        Ok(()) => Exit::Success,
        Err(error) if exit::is_broken_pipe(&error) => Exit::Success,
        Err(error) if exit::is_quit(&error) => {
            tracing::warn!("Quitting fichier now");
            Exit::Success
        }
        Err(error) => {
            if !exit::is_said(&error) {
                log.last_words(name, &error, |path| session.full_name(path));
            }
            Exit::of(&error)
        }
    };
    drop(guard);
    exit
}

/// Decides which files the command is about.
fn set_filter(settings: &mut Settings, flags: &FilterFlags) -> Result<(), filtering::FilteringError> {
    if flags.dumps() {
        tracing::warn!("Automatically setting -vv as --dump is enabled");
        flags.undumped().for_each(|line| tracing::warn!("{line}"));
    }
    let now = SystemTime::now();
    settings.filter = Arc::new(filtering::decide(flags, &settings.clock, now, &mut io::stdout().lock())?);
    settings.delete_excluded = flags.delete_excluded;
    Ok(())
}

fn execute(
    command: &commands::Command,
    settings: &Settings,
    session: &Session<'_>,
    log: &Log,
) -> anyhow::Result<()> {
    let mut out = BufWriter::with_capacity(64 * 1024, named::locked_standard_output());
    let mut context = Context { session, settings, log, out: &mut out, errors_seen: ErrorTally::default() };
    let result = commands::run(command, &mut context);
    let errors_seen = context.errors_seen;
    // Output from before an error is shown, too.
    let flushed = out.flush();
    result?;
    flushed?;
    errors_seen.into_result(command.name())?;
    Ok(())
}

/// Shows clap's answer: help and version on stdout, errors on stderr.
fn show(words: &[OsString], error: &clap::Error) -> Exit {
    let (text, exit) = match error.kind() {
        ErrorKind::DisplayHelp => {
            (flags::help_for(flags::grammar::<commands::Command>(), words), Exit::Success)
        }
        ErrorKind::DisplayVersion => (commands::version::text(), Exit::Success),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            (flags::help_for(flags::grammar::<commands::Command>(), words), Exit::Usage)
        }
        ErrorKind::InvalidSubcommand => (unknown_command(error), Exit::Usage),
        _ => {
            let mut text = flags::about_numbers(&error.render().to_string());
            if let Some(reason) = flags::why_unknown(error) {
                text = format!("{}\n\n{reason}\n", text.trim_end());
            }
            (text, Exit::Usage)
        }
    };
    // The grammar quotes the words that it doesn't understand.
    let text = TypedSecrets::of(words).hidden(&text).into_owned();
    let written = match exit {
        Exit::Success => io::stdout().lock().write_all(text.as_bytes()),
        _ => io::stderr().lock().write_all(text.as_bytes()),
    };
    // Nobody reads it: nothing to add.
    drop(written);
    exit
}

/// Returns the message for a command that doesn't exist.
fn unknown_command(error: &clap::Error) -> String {
    match error.get(ContextKind::InvalidSubcommand) {
        // Subcommands of `config` and others have their own names, which clap knows.
        Some(ContextValue::String(word)) if !error.to_string().contains("Usage: fichier config") => {
            suggestion::unknown_command(word, flags::command_names::<commands::Command>())
        }
        _ => error.render().to_string(),
    }
}

/// Prints an answer about the program itself, and ends.
fn say(text: &str) -> Exit {
    // Nobody reads it: nothing to add.
    drop(io::stdout().lock().write_all(text.as_bytes()));
    Exit::Success
}

fn complain(log: &Log, message: &str, exit: Exit) -> Exit {
    log.critical(message);
    exit
}
