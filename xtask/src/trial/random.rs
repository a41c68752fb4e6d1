//! Random numbers that a seed repeats, whatever is installed.

use anyhow::Context as _;

/// A source of numbers: the same seed gives the same ones on every machine.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// Starts with a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Returns a seed that can't be predicted.
    ///
    /// # Errors
    /// The system has no clock that works.
    pub(crate) fn fresh_seed() -> anyhow::Result<u64> {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let since = since.context("the clock stands before 1970")?;
        Ok(Self::new(u64::from(since.subsec_nanos()) ^ since.as_secs()).next() % 1_000_000)
    }

    /// Returns the next number (SplitMix64).
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below a bound; 0 if there is none.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// Keeps a number of the items, in their order.
    pub(crate) fn sample<T>(&mut self, mut items: Vec<T>, count: usize) -> Vec<T> {
        while items.len() > count {
            let out = usize::try_from(self.below(items.len() as u64)).unwrap_or(0);
            items.remove(out);
        }
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_numbers() {
        let numbers = |seed| {
            let mut random = Random::new(seed);
            [random.next(), random.below(10), random.below(0)]
        };
        assert_eq!(numbers(3), numbers(3));
        assert_ne!(numbers(3)[0], numbers(4)[0]);
        assert_eq!(Random::new(1).sample(vec![1, 2, 3, 4], 2).len(), 2);
    }
}
