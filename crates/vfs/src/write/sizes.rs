//! How many bytes aren't sent.

use std::collections::HashMap;

/// Sizes of the data files of the journal, and their sum.
#[derive(Debug, Default)]
pub(crate) struct Sizes {
    sizes: HashMap<i64, u64>,
    total: u64,
}

impl Sizes {
    /// Notes the size of a data file.
    pub(crate) fn set(&mut self, number: i64, size: u64) {
        let old = self.sizes.insert(number, size).unwrap_or(0);
        self.total = self.total - old + size;
    }

    /// Notes that a data file is at least so large.
    pub(crate) fn grow(&mut self, number: i64, size: u64) {
        if self.sizes.get(&number).is_none_or(|old| *old < size) {
            self.set(number, size);
        }
    }

    /// Forgets a data file that is gone.
    pub(crate) fn remove(&mut self, number: i64) {
        self.total -= self.sizes.remove(&number).unwrap_or(0);
    }

    /// Checks whether a data file is known.
    pub(crate) fn has(&self, number: i64) -> bool {
        self.sizes.contains_key(&number)
    }

    /// Returns the size of all data files together.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_the_sizes() {
        let mut sizes = Sizes::default();
        sizes.set(1, 5);
        sizes.grow(2, 7);
        sizes.grow(2, 3);
        assert_eq!(sizes.total(), 12);
        sizes.set(2, 1);
        sizes.remove(1);
        sizes.remove(9);
        assert_eq!(sizes.total(), 1);
    }
}
