//! The seeds of generated tests.

#![allow(clippy::print_stdout, reason = "seeds are printed")]

/// Always tried, so that a run says the same as the one before.
const FIXED: [u64; 2] = [1, 17_857_738_461_622_114_656];

/// The seeds of this run: the one that `FICHIER_TEST_SEED` names; else fixed ones and a fresh one, which is printed.
pub(crate) fn seeds() -> Vec<u64> {
    let named = std::env::var("FICHIER_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = match named {
        Some(seed) => vec![seed],
        None => FIXED.into_iter().chain([rand::random()]).collect(),
    };
    println!("seeds {seeds:?}; to repeat one: FICHIER_TEST_SEED=...");
    seeds
}
