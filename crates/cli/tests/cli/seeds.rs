//! Seeds of generated tests.

#![allow(clippy::print_stdout, reason = "seeds are printed")]

/// Seeds that are always tried, so that each run says the same as the one before.
const FIXED: [u64; 2] = [1, 17_857_738_461_622_114_656];

/// Returns the seeds of this run: the one that `FICHIER_TEST_SEED` names; otherwise fixed ones and a fresh one, which
/// is printed.
pub(crate) fn seeds() -> Vec<u64> {
    let named = std::env::var("FICHIER_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = match named {
        Some(seed) => vec![seed],
        None => FIXED.into_iter().chain([rand::random()]).collect(),
    };
    println!("seeds {seeds:?}; to repeat one: FICHIER_TEST_SEED=...");
    seeds
}
