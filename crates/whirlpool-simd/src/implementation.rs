//! The ways to compute the function, and which of them this machine has.

use core::fmt;

#[cfg(target_arch = "x86_64")]
use crate::{avx2, avx512};
use crate::{constants::Matrix, portable};

/// One way to compute Whirlpool that this machine is able to take.
///
/// [`Whirlpool::new`](crate::Whirlpool) takes the fastest; to name another is for tests and measurements.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Implementation(Kind);

// Of the kinds other than `Portable` there is a value only where the machine was seen to have the instructions.
// `Implementation::available` is the only place where one is made.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

/// The state of a message, and blocks to take into it.
pub(crate) struct Lane<'a> {
    pub(crate) state: &'a mut Matrix,
    pub(crate) blocks: &'a [Matrix],
}

impl Implementation {
    /// All that this machine has, the fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let special =
            [avx512::is_available().then_some(Kind::Avx512), avx2::is_available().then_some(Kind::Avx2)];
        #[cfg(not(target_arch = "x86_64"))]
        let special: [Option<Kind>; 0] = [];
        special.into_iter().flatten().chain([Kind::Portable]).map(Self)
    }

    /// The fastest that this machine has.
    #[must_use]
    pub fn fastest() -> Self {
        Self::available().next().unwrap_or(Self(Kind::Portable))
    }

    /// Its name: `avx512`, `avx2` or `portable`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            Kind::Portable => "portable",
        }
    }

    /// How many messages it computes in the time of fewer: 1 where several at once are no faster than one by one.
    #[must_use]
    pub const fn lanes(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => avx512::MOST_LANES,
            _ => 1,
        }
    }

    /// Takes blocks into a state, in their order.
    pub(crate) fn compress(self, state: &mut Matrix, blocks: &[Matrix]) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => {
                // SAFETY: a value of this kind exists only where the machine has the instructions.
                unsafe { avx512::compress([&mut Lane { state, blocks }]) }
            }
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => {
                // SAFETY: a value of this kind exists only where the machine has the instructions.
                unsafe { avx2::compress(state, blocks) }
            }
            Kind::Portable => portable::compress(state, blocks),
        }
    }

    /// Takes the blocks of each lane into its state, several lanes at once where that is faster.
    pub(crate) fn compress_lanes(self, mut lanes: Vec<Lane<'_>>) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => {
                // The longest first, so that none of them is left alone at the end.
                lanes.sort_by_key(|lane| core::cmp::Reverse(lane.blocks.len()));
                let mut waiting = lanes.into_iter();
                let mut active = Vec::with_capacity(avx512::MOST_LANES);
                loop {
                    active.retain(|lane: &Lane<'_>| !lane.blocks.is_empty());
                    let free = avx512::MOST_LANES - active.len();
                    active.extend(waiting.by_ref().filter(|lane| !lane.blocks.is_empty()).take(free));
                    // SAFETY: a value of this kind exists only where the machine has the instructions.
                    unsafe {
                        match active.as_mut_slice() {
                            [] => return,
                            [a] => avx512::compress([a]),
                            [a, b] => avx512::compress([a, b]),
                            [a, b, c] => avx512::compress([a, b, c]),
                            [a, b, c, d, ..] => avx512::compress([a, b, c, d]),
                        }
                    }
                }
            }
            _ => {
                for lane in &mut lanes {
                    self.compress(lane.state, lane.blocks);
                }
            }
        }
    }
}

impl fmt::Debug for Implementation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Implementation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
