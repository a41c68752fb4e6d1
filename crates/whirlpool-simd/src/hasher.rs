//! The hash function around the compression of blocks: buffering, padding, and the traits of `digest`.

use core::fmt;

use digest::{
    FixedOutput, FixedOutputReset, HashMarker, Output, OutputSizeUser, Reset, Update,
    common::{AlgorithmName, BlockSizeUser},
    typenum::U64,
};

use crate::{
    Implementation,
    constants::{BLOCK, Matrix},
    implementation::Lane,
};

/// Size in bytes of the padding's field for the length of the message, which is in bits.
const LENGTH_FIELD: usize = 32;

/// Computes a Whirlpool checksum, piece by piece, by the methods of [`Digest`](digest::Digest).
#[derive(Clone)]
pub struct Whirlpool {
    implementation: Implementation,
    state: Matrix,
    /// Bytes since the last whole block, at the beginning of the matrix.
    pending: Matrix,
    /// Number of bytes so far. The standard counts bits in 256 bits; no machine will ever hash 2¹²⁸ bytes.
    length: u128,
}

impl Whirlpool {
    /// Makes a hasher of this implementation. [`Digest::new`](digest::Digest::new) takes the fastest.
    #[must_use]
    pub const fn with_implementation(implementation: Implementation) -> Self {
        Self { implementation, state: [0; BLOCK], pending: [0; BLOCK], length: 0 }
    }

    /// Returns the implementation that it uses.
    #[must_use]
    pub const fn implementation(&self) -> Implementation {
        self.implementation
    }

    fn pending_length(&self) -> usize {
        #[allow(clippy::cast_possible_truncation, reason = "it is below 64")]
        let length = (self.length % BLOCK as u128) as usize;
        length
    }

    /// Counts the bytes and keeps as many of them as fill the pending block, or all. Returns whether that block is
    /// full now, and the rest of the bytes.
    fn fill<'a>(&mut self, bytes: &'a [u8]) -> (bool, &'a [u8]) {
        let pending = self.pending_length();
        self.length += bytes.len() as u128;
        if pending == 0 {
            return (false, bytes);
        }
        let (taken, rest) = bytes.split_at(bytes.len().min(BLOCK - pending));
        self.pending[pending..pending + taken.len()].copy_from_slice(taken);
        (pending + taken.len() == BLOCK, rest)
    }

    /// Keeps the bytes after the last whole block.
    fn keep(&mut self, rest: &[u8]) {
        self.pending[..rest.len()].copy_from_slice(rest);
    }

    /// Returns the pending bytes with the padding after them, in the last one or two blocks of the message.
    fn padding(&self) -> ([Matrix; 2], usize) {
        let pending = self.pending_length();
        let mut blocks = [[0; BLOCK]; 2];
        blocks[0][..pending].copy_from_slice(&self.pending[..pending]);
        blocks[0][pending] = 0x80;
        let count = if pending + 1 + LENGTH_FIELD <= BLOCK { 1 } else { 2 };
        let (low, high) = (self.length << 3, self.length >> 125);
        blocks[count - 1][BLOCK - 32..BLOCK - 16].copy_from_slice(&high.to_be_bytes());
        blocks[count - 1][BLOCK - 16..].copy_from_slice(&low.to_be_bytes());
        (blocks, count)
    }
}

/// Adds a piece to each hasher. Where [`Implementation::lanes`] is more than 1, several pieces of similar length take
/// hardly longer than one.
///
/// ```
/// use whirlpool_simd::{Digest as _, Whirlpool, finalize_many, update_many};
///
/// let mut hashers = [Whirlpool::new(), Whirlpool::new()];
/// update_many(hashers.iter_mut().zip([b"a piece of the first".as_slice(), b"and one of the second"]));
/// update_many(hashers.iter_mut().zip([b", and its end".as_slice(), b""]));
/// assert_eq!(finalize_many(hashers)[0], Whirlpool::digest(b"a piece of the first, and its end"));
/// ```
pub fn update_many<'a>(pieces: impl IntoIterator<Item = (&'a mut Whirlpool, &'a [u8])>) {
    let mut pieces: Vec<_> = pieces
        .into_iter()
        .map(|(hasher, bytes)| {
            let (full, rest) = hasher.fill(bytes);
            (hasher, full, rest)
        })
        .collect();
    compress_in_lanes(pieces.iter_mut().filter(|(_, full, _)| *full).map(|(hasher, _, _)| {
        let lane = Lane { state: &mut hasher.state, blocks: core::slice::from_ref(&hasher.pending) };
        (hasher.implementation, lane)
    }));
    compress_in_lanes(pieces.iter_mut().map(|(hasher, _, rest)| {
        let (blocks, end) = rest.as_chunks::<BLOCK>();
        hasher.keep(end);
        (hasher.implementation, Lane { state: &mut hasher.state, blocks })
    }));
}

/// Returns the checksums of these hashers, in their order.
#[must_use]
pub fn finalize_many(hashers: impl IntoIterator<Item = Whirlpool>) -> Vec<Output<Whirlpool>> {
    let mut hashers: Vec<_> = hashers
        .into_iter()
        .map(|hasher| {
            let padding = hasher.padding();
            (hasher, padding)
        })
        .collect();
    compress_in_lanes(hashers.iter_mut().map(|(hasher, (blocks, count))| {
        (hasher.implementation, Lane { state: &mut hasher.state, blocks: &blocks[..*count] })
    }));
    hashers.into_iter().map(|(hasher, _)| hasher.state.into()).collect()
}

/// Returns the checksums of whole messages, in their order; several at once where that is faster.
///
/// ```
/// use whirlpool_simd::{Digest as _, Whirlpool, hash_many};
///
/// let sums = hash_many(["one", "another"]);
/// assert_eq!(sums, [Whirlpool::digest("one"), Whirlpool::digest("another")]);
/// ```
#[must_use]
pub fn hash_many<M: AsRef<[u8]>>(messages: impl IntoIterator<Item = M>) -> Vec<Output<Whirlpool>> {
    let messages: Vec<M> = messages.into_iter().collect();
    let mut hashers = vec![Whirlpool::default(); messages.len()];
    update_many(hashers.iter_mut().zip(messages.iter().map(AsRef::as_ref)));
    finalize_many(hashers)
}

/// Compresses the lanes of each implementation together.
fn compress_in_lanes<'a>(lanes: impl Iterator<Item = (Implementation, Lane<'a>)>) {
    let mut groups: Vec<(Implementation, Vec<Lane<'a>>)> = Vec::with_capacity(1);
    for (implementation, lane) in lanes {
        match groups.iter_mut().find(|(other, _)| *other == implementation) {
            Some((_, group)) => group.push(lane),
            None => groups.push((implementation, vec![lane])),
        }
    }
    for (implementation, group) in groups {
        implementation.compress_lanes(group);
    }
}

impl Default for Whirlpool {
    fn default() -> Self {
        Self::with_implementation(Implementation::fastest())
    }
}

impl HashMarker for Whirlpool {}

impl BlockSizeUser for Whirlpool {
    type BlockSize = U64;
}

impl OutputSizeUser for Whirlpool {
    type OutputSize = U64;
}

impl Update for Whirlpool {
    fn update(&mut self, bytes: &[u8]) {
        let (full, rest) = self.fill(bytes);
        if full {
            self.implementation.compress(&mut self.state, core::slice::from_ref(&self.pending));
        }
        let (blocks, end) = rest.as_chunks::<BLOCK>();
        if !blocks.is_empty() {
            self.implementation.compress(&mut self.state, blocks);
        }
        self.keep(end);
    }
}

impl FixedOutput for Whirlpool {
    fn finalize_into(mut self, out: &mut Output<Self>) {
        self.finalize_into_reset(out);
    }
}

impl FixedOutputReset for Whirlpool {
    fn finalize_into_reset(&mut self, out: &mut Output<Self>) {
        let (blocks, count) = self.padding();
        self.implementation.compress(&mut self.state, &blocks[..count]);
        out.copy_from_slice(&self.state);
        self.reset();
    }
}

impl Reset for Whirlpool {
    fn reset(&mut self) {
        *self = Self::with_implementation(self.implementation);
    }
}

impl AlgorithmName for Whirlpool {
    fn write_alg_name(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Whirlpool")
    }
}

impl fmt::Debug for Whirlpool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The message may be secret.
        f.debug_struct("Whirlpool").field("implementation", &self.implementation).finish_non_exhaustive()
    }
}
