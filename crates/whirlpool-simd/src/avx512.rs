//! Whirlpool in 512-bit registers, with AVX-512 VBMI and GFNI: a state is one register.
//!
//! A round takes 13 to 17 micro-operations for a state, and loads nothing but a key:
//!
//! - *Substitution*: the box is a table of 256 bytes in four registers, see [`substitute`].
//! - *Shift of the columns*: one `VPERMB`.
//! - *Mixing of the rows*: the matrix has the elements 1, 2, 4, 8, and 5 and 9, which are sums of these. So the
//!   product of a row `a` is `p₁·a + 2·p₂·a + 4·p₄·a + 8·p₈·a`, where each `p` is a sum of rotations of the row.
//!   `GF2P8AFFINEQB` multiplies the bytes of a row by a matrix of bits. Given the data as the *matrix* and a
//!   constant as the bytes it does more: the product comes out transposed, each byte made of the same bit of all
//!   eight bytes. A second such instruction turns that back, and its constant can add up any choice of the row's
//!   bytes. So two instructions do "multiply by c, add up these rotations" at once. And one of the four terms is
//!   for free: `p₂` is a single rotation, so with a substitution that already multiplies by 2 and a shift of the
//!   columns that already rotates it is what that `VPERMB` leaves. The other terms take ½, 2 and 4 times that.
//! - *Key*: two `VPTERNLOGQ` add up the four terms and the key.
//!
//! The key schedule is the same round on another state. It runs beside the data and independently of it until the key
//! is added, so even one message keeps two states busy.

use core::arch::x86_64::{
    __m512i, _mm512_gf2p8affine_epi64_epi8, _mm512_loadu_si512, _mm512_mask_blend_epi8,
    _mm512_mask_permutexvar_epi8, _mm512_movepi8_mask, _mm512_permutex2var_epi8, _mm512_permutexvar_epi8,
    _mm512_set1_epi8, _mm512_shuffle_epi8, _mm512_storeu_si512, _mm512_ternarylogic_epi64,
    _mm512_test_epi8_mask, _mm512_xor_si512,
};

use crate::{
    constants::{CIRCULANT, Matrix, ROUND_CONSTANTS, ROUNDS, SUBSTITUTION, product},
    implementation::Lane,
};

/// Number of messages that are worth hashing at once: with this number, the two ports for 512-bit arithmetic are always
/// busy.
pub(crate) const MOST_LANES: usize = 4;

/// Proof that the machine has AVX-512 with VBMI, and GFNI: a value exists only there.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// Returns a value, if this machine has the instructions.
    pub(crate) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("gfni");
        found.then_some(Self(()))
    }

    /// Compresses from each lane as many blocks as the shortest one has into the lane's state.
    pub(crate) fn compress<const LANES: usize>(self, lanes: [&mut Lane<'_>; LANES]) {
        // SAFETY: a value of `Self` exists only where the machine has the instructions.
        unsafe {
            if LANES > 2 && lookups_in_128_are_split() {
                compress::<LANES, true>(lanes);
            } else {
                compress::<LANES, false>(lanes);
            }
        }
    }
}

/// Checks whether this machine splits a lookup in 128 bytes into three micro-operations, as Intel's do. AMD's need
/// only one; they are recognised by instructions that no other maker's machines ever had.
fn lookups_in_128_are_split() -> bool {
    !is_x86_feature_detected!("sse4a")
}

/// Rotation of the term that is for free.
const FREE_ROTATION: u8 = 6;

/// Factor of the term that is for free.
const FREE_FACTOR: u8 = 2;

/// Factors of the other terms, before division by [`FREE_FACTOR`].
const FACTORS: [u8; 3] = [1, 4, 8];

/// Substitution box times [`FREE_FACTOR`], in quarters.
static QUARTERS: [Matrix; 4] = {
    let mut quarters = [[0; 64]; 4];
    let mut value = 0;
    while value < 256 {
        quarters[value / 64][value % 64] = product(SUBSTITUTION[value], FREE_FACTOR);
        value += 1;
    }
    quarters
};

/// Position from which each byte comes when the columns are shifted and the rows rotated by [`FREE_ROTATION`].
static SHIFT: Matrix = {
    let mut from = [0u8; 64];
    let mut row = 0u8;
    while row < 8 {
        let mut place = 0u8;
        while place < 8 {
            let column = (place + 8 - FREE_ROTATION) % 8;
            from[(8 * row + place) as usize] = 8 * ((row + 8 - column) % 8) + column;
            place += 1;
        }
        row += 1;
    }
    from
};

/// Multiplication by each of [`FACTORS`] over [`FREE_FACTOR`]: byte `7 - i` holds which bits of a byte make bit `i`
/// of the product.
static MULTIPLICATIONS: [Matrix; 3] = {
    let mut all = [[0; 64]; 3];
    let mut term = 0;
    while term < 3 {
        // In this field ½ is 8E.
        let factor = product(FACTORS[term], 0x8e);
        let mut index = 0;
        while index < 64 {
            let bit = 7 - index % 8;
            let mut from = 0;
            while from < 8 {
                if product(factor, 1 << from) >> bit & 1 != 0 {
                    all[term][index] |= 1 << from;
                }
                from += 1;
            }
            index += 1;
        }
        term += 1;
    }
    all
};

/// For each of [`FACTORS`], which bytes of the row add up to each byte of the term: bit `7 - k` means byte `k`.
static ROTATIONS: [Matrix; 3] = {
    let mut all = [[0; 64]; 3];
    let mut term = 0;
    while term < 3 {
        let mut index = 0;
        while index < 64 {
            let mut byte = 0;
            while byte < 8 {
                let rotation = (index % 8 + 8 - byte + FREE_ROTATION as usize) % 8;
                if CIRCULANT[rotation] & FACTORS[term] != 0 {
                    all[term][index] |= 1 << (7 - byte);
                }
                byte += 1;
            }
            index += 1;
        }
        term += 1;
    }
    all
};

/// Round constants as whole states.
static KEYS: [Matrix; ROUNDS] = {
    let mut keys = [[0; 64]; ROUNDS];
    let mut index = 0;
    while index < 8 * ROUNDS {
        keys[index / 8][index % 8] = ROUND_CONSTANTS[index / 8][index % 8];
        index += 1;
    }
    keys
};

#[derive(Clone, Copy)]
struct Constants {
    quarters: [__m512i; 4],
    ones: __m512i,
    second_bit: __m512i,
    shift: __m512i,
    multiplications: [__m512i; 3],
    rotations: [__m512i; 3],
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(bytes: &Matrix) -> __m512i {
    // SAFETY: 64 bytes are read, which `bytes` has; the instruction asks for no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(bytes: &mut Matrix, value: __m512i) {
    // SAFETY: 64 bytes are written, which `bytes` has; the instruction asks for no alignment.
    unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), value) }
}

/// Returns the sum of three registers.
#[inline]
#[target_feature(enable = "avx512f")]
fn sum(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi64::<0x96>(a, b, c)
}

/// Substitutes 64 bytes, in one of two ways: by two lookups in 128 bytes each and a choice by the highest bit, or,
/// split, by four lookups in 64 bytes, where masks of the two highest bits choose.
///
/// On AMD's machines the first way takes fewer micro-operations, four compared with seven. On Intel's it takes eight,
/// but for one or two messages the time from the state to the result counts: 8 to 10 cycles, compared with 11 or
/// more.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn substitute<const SPLIT: bool>(state: __m512i, constants: &Constants) -> __m512i {
    let [first, second, third, fourth] = constants.quarters;
    if SPLIT {
        let is_high = _mm512_movepi8_mask(state);
        let is_odd_quarter = _mm512_test_epi8_mask(state, constants.second_bit);
        let low = _mm512_permutexvar_epi8(state, first);
        let low = _mm512_mask_permutexvar_epi8(low, is_odd_quarter, state, second);
        let high = _mm512_permutexvar_epi8(state, third);
        let high = _mm512_mask_permutexvar_epi8(high, is_odd_quarter, state, fourth);
        _mm512_mask_blend_epi8(is_high, low, high)
    } else {
        // `VPSHUFB` gives zero for an index with its highest bit set.
        let is_low = _mm512_shuffle_epi8(constants.ones, state);
        let low = _mm512_permutex2var_epi8(first, state, second);
        let high = _mm512_permutex2var_epi8(third, state, fourth);
        _mm512_ternarylogic_epi64::<0xca>(is_low, low, high)
    }
}

/// Computes one round, with its key.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
fn round<const SPLIT: bool>(state: __m512i, key: __m512i, constants: &Constants) -> __m512i {
    let substituted = substitute::<SPLIT>(state, constants);
    let shifted = _mm512_permutexvar_epi8(constants.shift, substituted);
    let term = |index: usize| {
        let transposed = _mm512_gf2p8affine_epi64_epi8::<0>(constants.multiplications[index], shifted);
        _mm512_gf2p8affine_epi64_epi8::<0>(constants.rotations[index], transposed)
    };
    sum(sum(shifted, key, term(0)), term(1), term(2))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
fn constants() -> Constants {
    Constants {
        quarters: [load(&QUARTERS[0]), load(&QUARTERS[1]), load(&QUARTERS[2]), load(&QUARTERS[3])],
        ones: _mm512_set1_epi8(-1),
        second_bit: _mm512_set1_epi8(0x40),
        shift: load(&SHIFT),
        multiplications: [load(&MULTIPLICATIONS[0]), load(&MULTIPLICATIONS[1]), load(&MULTIPLICATIONS[2])],
        rotations: [load(&ROTATIONS[0]), load(&ROTATIONS[1]), load(&ROTATIONS[2])],
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
fn compress<const LANES: usize, const SPLIT: bool>(lanes: [&mut Lane<'_>; LANES]) {
    const { assert!(LANES > 0 && LANES <= MOST_LANES) }
    let constants = constants();
    let count = lanes.iter().map(|lane| lane.blocks.len()).min().unwrap_or(0);
    let mut hashes = [_mm512_set1_epi8(0); LANES];
    for (hash, lane) in hashes.iter_mut().zip(&lanes) {
        *hash = load(lane.state);
    }
    for index in 0..count {
        let mut keys = hashes;
        let mut data = hashes;
        for lane in 0..LANES {
            data[lane] = _mm512_xor_si512(data[lane], load(&lanes[lane].blocks[index]));
            hashes[lane] = data[lane];
        }
        for constant in &KEYS {
            let constant = load(constant);
            for lane in 0..LANES {
                keys[lane] = round::<SPLIT>(keys[lane], constant, &constants);
                data[lane] = round::<SPLIT>(data[lane], keys[lane], &constants);
            }
        }
        for lane in 0..LANES {
            hashes[lane] = _mm512_xor_si512(hashes[lane], data[lane]);
        }
    }
    for (lane, hash) in lanes.into_iter().zip(hashes) {
        store(lane.state, hash);
        lane.blocks = &lane.blocks[count..];
    }
}
