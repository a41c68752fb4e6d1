//! The answer for one item of a batch.

use crate::StorageError;

/// Result of one item of a batch.
#[derive(Debug)]
pub enum Outcome<T> {
    /// The item was done by this call.
    Done(T),
    /// The item was found done: an earlier try had reached the service although its answer was lost.
    DoneBefore(T),
    /// The item wasn't done; the error says whether another try is worthwhile.
    Failed(StorageError),
    /// The item wasn't tried, since an earlier one failed in a way that affects all.
    NotTried,
}

impl<T> Outcome<T> {
    /// Returns the value, or the error; [`Outcome::NotTried`] becomes [`StorageError::NotTried`].
    ///
    /// # Errors
    /// The item failed or wasn't tried.
    pub fn into_result(self) -> Result<T, StorageError> {
        match self {
            Self::Done(value) | Self::DoneBefore(value) => Ok(value),
            Self::Failed(error) => Err(error),
            Self::NotTried => Err(StorageError::NotTried),
        }
    }

    /// Checks whether the item is done, now or before.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done(_) | Self::DoneBefore(_))
    }

    /// Returns the same outcome with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Done(value) => Outcome::Done(change(value)),
            Self::DoneBefore(value) => Outcome::DoneBefore(change(value)),
            Self::Failed(error) => Outcome::Failed(error),
            Self::NotTried => Outcome::NotTried,
        }
    }
}

impl<T> From<Result<T, StorageError>> for Outcome<T> {
    fn from(result: Result<T, StorageError>) -> Self {
        match result {
            Ok(value) => Self::Done(value),
            Err(error) => Self::Failed(error),
        }
    }
}
