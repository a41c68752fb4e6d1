//! Splits lists of which some items fail before the inner remote is called.

use std::collections::BTreeMap;

use fichier_storage::{Outcome, Result, StorageError};

/// Items of a list that go to the inner remote, and those that fail before.
pub(super) struct Sorted<T> {
    pub(super) good: Vec<T>,
    pub(super) bad: BTreeMap<usize, StorageError>,
}

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self { good: Vec::new(), bad: BTreeMap::new() }
    }
}

impl<T> Sorted<T> {
    pub(super) fn add(&mut self, item: Result<T>) {
        match item {
            Ok(item) => self.good.push(item),
            Err(error) => {
                self.bad.insert(self.good.len() + self.bad.len(), error);
            }
        }
    }

    /// Returns the outcomes of all items, in their order.
    pub(super) fn join<O>(self, outcomes: Vec<Outcome<O>>) -> Vec<Outcome<O>> {
        let mut outcomes = outcomes.into_iter();
        let count = self.bad.len() + outcomes.len();
        let mut bad = self.bad;
        let next = |index| match bad.remove(&index) {
            Some(error) => Outcome::Failed(error),
            None => outcomes.next().unwrap_or(Outcome::NotTried),
        };
        (0..count).map(next).collect()
    }
}

impl<T> FromIterator<Result<T>> for Sorted<T> {
    fn from_iter<I: IntoIterator<Item = Result<T>>>(items: I) -> Self {
        let mut sorted = Self::default();
        items.into_iter().for_each(|item| sorted.add(item));
        sorted
    }
}
