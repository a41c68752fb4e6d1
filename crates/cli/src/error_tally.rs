//! What went wrong with single items while the command went on.

use fichier_engine::RunError;
use fichier_storage::StorageError;

use crate::exit::{Exit, Failure};

/// Counts the errors of a run and keeps what the last line says.
#[derive(Debug, Default)]
pub(crate) struct ErrorTally {
    count: usize,
    last: Option<(Exit, String)>,
}

impl ErrorTally {
    /// Logs an error with the item it belongs to and remembers it.
    pub(crate) fn note(&mut self, path: &str, error: &StorageError) {
        tracing::error!(path, "{error}");
        if let Some(hint) = error.hint() {
            tracing::warn!(path, "Hint: {hint}");
        }
        self.count += 1;
        self.last = Some((Exit::of_storage(error), error.to_string()));
    }

    /// Notes what failed, and goes on; what somebody said no to is none.
    ///
    /// # Errors
    /// Somebody was asked and wants no more of it.
    pub(crate) fn note_failure<T>(
        &mut self,
        path: &str,
        done: Result<T, StorageError>,
    ) -> Result<(), StorageError> {
        match done {
            Ok(_) => {}
            Err(error) => match RunError::of(&error) {
                Some(RunError::Declined(_)) => {}
                Some(RunError::Quit | RunError::Unanswered(_)) => return Err(error),
                _ if matches!(error, StorageError::Canceled) => return Err(error),
                _ => self.note(path, &error),
            },
        }
        Ok(())
    }

    /// Logs something that is wrong without a remote having failed.
    pub(crate) fn note_text(&mut self, path: &str, text: &str) {
        tracing::error!(path, "{text}");
        self.count += 1;
        self.last = Some((Exit::Other, text.to_owned()));
    }

    /// Logs any error with the item it belongs to, and what was done, and remembers it.
    pub(crate) fn note_error(&mut self, path: &str, doing: &str, error: &anyhow::Error) {
        self.note_text(path, &format!("{doing}: {error:#}"));
        if let Some((exit, _)) = &mut self.last {
            *exit = Exit::of(error);
        }
    }

    /// The end of the run: an error when there was any.
    pub(crate) fn into_result(self, command: &str) -> Result<(), Failure> {
        match (self.count, self.last) {
            (_, None) => Ok(()),
            (1, Some((exit, last))) => Err(Failure { exit, message: format!("Failed to {command}: {last}") }),
            (count, Some((exit, last))) => Err(Failure {
                exit,
                message: format!("Failed to {command} with {count} errors: last error was: {last}"),
            }),
        }
    }
}
