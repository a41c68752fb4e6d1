//! Where this program differs from rclone on purpose, each with its reason.

use super::{
    End,
    generated::Scenario,
    tree::{Held, Place, stored},
};

/// A difference on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Difference {
    Todo,
}

/// 1Fichier keeps no times, so rclone compares sizes alone there and misses an edit that keeps the size. It gets
/// `--checksum`, as this program does without being told to.
pub(crate) fn sizes_alone(scenario: &Scenario) -> bool {
    scenario.command.transfers()
        && scenario.places.contains(&Place::Service)
        && !["--size-only", "--checksum", "--ignore-times"].iter().any(|flag| scenario.has(flag))
}

impl Difference {
    pub(crate) const ALL: &[Self] = &[];

    pub(crate) fn why(self) -> &'static str {
        ""
    }
    pub(crate) fn concerns(self, scenario: &Scenario) -> bool {
        false
    }
    pub(crate) fn forgive(self, scenario: &Scenario, theirs: &mut End, ours: &mut End) {}
}
