//! Implementations of the function, and which of them this machine can use.

use core::fmt;

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
use crate::neon::Neon;
#[cfg(target_arch = "x86_64")]
use crate::{
    avx2::Avx2,
    avx512::{self, Avx512},
    columns,
    gfni::Gfni,
};
use crate::{constants::Matrix, portable};

/// An implementation of Whirlpool that this machine can use.
///
/// [`Whirlpool::new`](crate::Whirlpool) takes the fastest; to choose another is for tests and measurements.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Implementation(Kind);

/// A value of another kind than `Portable` exists only where the machine was seen to have the instructions.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    #[cfg(target_arch = "x86_64")]
    Gfni(Gfni),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
    Neon(Neon),
    Portable,
}

/// State of a message, and blocks to compress into it.
pub(crate) struct Lane<'a> {
    pub(crate) state: &'a mut Matrix,
    pub(crate) blocks: &'a [Matrix],
}

impl Implementation {
    /// Returns all implementations that this machine can use, the fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let special = [
            Avx512::detect().map(Kind::Avx512),
            Gfni::detect().map(Kind::Gfni),
            Avx2::detect().map(Kind::Avx2),
        ];
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        let special = [Neon::detect().map(Kind::Neon)];
        #[cfg(not(any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little"))))]
        let special: [Option<Kind>; 0] = [];
        special.into_iter().flatten().chain([Kind::Portable]).map(Self)
    }

    /// Returns the fastest implementation that this machine can use.
    #[must_use]
    pub fn fastest() -> Self {
        Self::available().next().unwrap_or(Self(Kind::Portable))
    }

    /// Returns the name: `avx512`, `gfni`, `avx2`, `neon` or `portable`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kind::Gfni(_) => "gfni",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(_) => "avx2",
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Kind::Neon(_) => "neon",
            Kind::Portable => "portable",
        }
    }

    /// Returns how many messages it hashes in hardly more time than one: 1 where several at once are no faster than
    /// one by one.
    #[must_use]
    pub const fn lanes(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(_) => avx512::MOST_LANES,
            #[cfg(target_arch = "x86_64")]
            Kind::Gfni(_) | Kind::Avx2(_) => columns::MOST_LANES,
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Kind::Neon(_) => 1,
            Kind::Portable => 1,
        }
    }

    /// Compresses blocks into a state, in their order.
    pub(crate) fn compress(self, state: &mut Matrix, blocks: &[Matrix]) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(avx512) => avx512.compress([&mut Lane { state, blocks }]),
            #[cfg(target_arch = "x86_64")]
            Kind::Gfni(gfni) => gfni.compress(state, blocks),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(avx2) => avx2.compress(state, blocks),
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Kind::Neon(neon) => neon.compress(state, blocks),
            Kind::Portable => portable::compress(state, blocks),
        }
    }

    /// Compresses the blocks of each lane into its state, several lanes at once where that is faster.
    pub(crate) fn compress_lanes(self, mut lanes: Vec<Lane<'_>>) {
        // The longest first, so that none of them is left alone at the end.
        lanes.sort_by_key(|lane| core::cmp::Reverse(lane.blocks.len()));
        let mut waiting = lanes.into_iter().filter(|lane| !lane.blocks.is_empty());
        let mut active = Vec::with_capacity(self.lanes());
        loop {
            active.retain(|lane: &Lane<'_>| !lane.blocks.is_empty());
            active.extend(waiting.by_ref().take(self.lanes() - active.len()));
            if active.is_empty() {
                return;
            }
            self.compress_together(&mut active);
        }
    }

    /// Compresses blocks of these lanes, of which there are at most [`Implementation::lanes`], into their states,
    /// until at least one lane has no more.
    fn compress_together(self, lanes: &mut [Lane<'_>]) {
        match (self.0, lanes) {
            #[cfg(target_arch = "x86_64")]
            (Kind::Avx512(avx512), [a, b, c, d]) => avx512.compress([a, b, c, d]),
            #[cfg(target_arch = "x86_64")]
            (Kind::Avx512(avx512), [a, b, c]) => avx512.compress([a, b, c]),
            #[cfg(target_arch = "x86_64")]
            (Kind::Avx512(avx512), [a, b]) => avx512.compress([a, b]),
            #[cfg(target_arch = "x86_64")]
            (Kind::Gfni(gfni), [a, b]) => gfni.compress_two([a, b]),
            #[cfg(target_arch = "x86_64")]
            (Kind::Avx2(avx2), [a, b]) => avx2.compress_two([a, b]),
            (_, lanes) => {
                for lane in lanes {
                    self.compress(lane.state, lane.blocks);
                    lane.blocks = &[];
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
