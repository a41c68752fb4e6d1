//! Remotes that stand before another one: they ask, hold limits, or only say what would be done.

pub(crate) mod brakes;
pub(crate) mod dry_run;
pub(crate) mod interactive;
